/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_graph.c: runs as one launch: captured once for each set of pointers, kept for the next. Several
 * runs are branches of the graph, which a GPU that one of them does not fill does side by side.
 */
#include "vox_cuda_handle.h"

#include <stdlib.h>
#include <string.h>

static int ports_of(const vox_cuda *h) {
    return h->model->info->n_inputs + h->model->info->n_outputs;
}

/* What is to be run: `runs` times the model's inputs, and outputs. */
typedef struct graph_request {
    int runs;
    const void *const *inputs;
    void *const *outputs;
} graph_request;

static void note_pointers(const vox_cuda *h, const void **to, const graph_request *r) {
    const int n = r->runs * h->model->info->n_inputs;
    for (int i = 0; i < n; i++) to[i] = r->inputs[i];
    for (int i = 0; i < r->runs * h->model->info->n_outputs; i++) to[n + i] = r->outputs[i];
}

static int is_of(const vox_cuda *h, const vox_cuda_graph *g, const graph_request *r) {
    const int n = r->runs * h->model->info->n_inputs;
    if (!g->exec || g->runs != r->runs) return 0;
    for (int i = 0; i < n; i++)
        if (g->pointers[i] != r->inputs[i]) return 0;
    for (int i = 0; i < r->runs * h->model->info->n_outputs; i++)
        if (g->pointers[n + i] != r->outputs[i]) return 0;
    return 1;
}

static vox_cuda_graph *find_graph(vox_cuda *h, const graph_request *r) {
    for (int i = 0; i < VOX_CUDA_GRAPHS; i++)
        if (is_of(h, &h->graphs[i], r)) return &h->graphs[i];
    return NULL;
}

static void release(vox_cuda_graph *g) {
    if (g->launched) cudaEventDestroy(g->launched);
    if (g->exec) cudaGraphExecDestroy(g->exec);
    free(g->pointers);
    *g = (vox_cuda_graph){0};
}

void vox_cuda_free_graphs(vox_cuda *h) {
    for (int i = 0; i < VOX_CUDA_GRAPHS; i++) release(&h->graphs[i]);
    for (int i = 0; i < VOX_CUDA_TILES - 1; i++) {
        if (h->sides[i].stream) cudaStreamDestroy(h->sides[i].stream);
        if (h->sides[i].joined) cudaEventDestroy(h->sides[i].joined);
        h->sides[i] = (vox_cuda_side){0};
    }
    if (h->forked) cudaEventDestroy(h->forked);
    h->forked = NULL;
}

/* ---- capturing ------------------------------------------------------------------------------- */

static vox_status open_stream(const vox_cuda *h, cudaStream_t *stream) {
    if (*stream) return VOX_OK;
    return vox_cuda_check_call(h, cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking),
                               "cudaStreamCreateWithFlags");
}

static vox_status open_event(const vox_cuda *h, cudaEvent_t *event) {
    if (*event) return VOX_OK;
    return vox_cuda_check_call(h, cudaEventCreateWithFlags(event, cudaEventDisableTiming),
                               "cudaEventCreateWithFlags");
}

static vox_status open_streams(vox_cuda *h, int runs) {
    vox_status status = runs > 1 ? open_event(h, &h->forked) : VOX_OK;
    for (int i = 0; i < runs - 1 && status == VOX_OK; i++) {
        status = open_stream(h, &h->sides[i].stream);
        if (status == VOX_OK) status = open_event(h, &h->sides[i].joined);
    }
    return status;
}

/* Puts what is enqueued on `to` from now on behind what `from` has got so far. */
static vox_status order(const vox_cuda *h, cudaStream_t from, cudaEvent_t event, cudaStream_t to) {
    vox_status status = vox_cuda_check_call(h, cudaEventRecord(event, from), "cudaEventRecord");
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaStreamWaitEvent(to, event, 0), "cudaStreamWaitEvent");
}

/* The first run on the handle's own stream, each other on one that leaves it before that and comes back. */
static vox_status enqueue_runs(vox_cuda *h, const graph_request *r) {
    vox_status status = VOX_OK;
    for (int i = 0; i < r->runs - 1 && status == VOX_OK; i++)
        status = order(h, h->own, h->forked, h->sides[i].stream);
    for (int i = 0; i < r->runs && status == VOX_OK; i++)
        status = vox_cuda_enqueue(h, i ? h->sides[i - 1].stream : h->own, i, r->inputs, r->outputs);
    for (int i = 0; i < r->runs - 1 && status == VOX_OK; i++)
        status = order(h, h->sides[i].stream, h->sides[i].joined, h->own);
    return status;
}

/* Relaxed: cuDNN may load a kernel on its first use, which other modes forbid. A capture that fails is ended
 * too, or the stream could never be used again. */
static vox_status record_graph(vox_cuda *h, const graph_request *r, cudaGraph_t *graph) {
    vox_status status = vox_cuda_check_call(h, cudaStreamBeginCapture(h->own, cudaStreamCaptureModeRelaxed),
                                            "cudaStreamBeginCapture");
    if (status != VOX_OK) return status;
    status = enqueue_runs(h, r);
    cudaError_t error = cudaStreamEndCapture(h->own, graph);
    if (status == VOX_OK) return vox_cuda_check_call(h, error, "cudaStreamEndCapture");
    cudaGetLastError();
    return status;
}

static vox_status make_exec(vox_cuda *h, vox_cuda_graph *g, const graph_request *r) {
    cudaGraph_t graph = NULL;
    vox_status status = open_streams(h, r->runs);
    if (status == VOX_OK) status = record_graph(h, r, &graph);
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaGraphInstantiate(&g->exec, graph, 0), "cudaGraphInstantiate");
    if (graph) cudaGraphDestroy(graph);
    return status;
}

static vox_status capture(vox_cuda *h, vox_cuda_graph *g, const graph_request *r) {
    g->runs = r->runs;
    g->pointers = malloc(((size_t)(r->runs * ports_of(h)) + 1) * sizeof *g->pointers);
    if (!g->pointers) return vox_cuda_no_memory(h, "a graph's pointers");
    note_pointers(h, g->pointers, r);
    vox_status status = open_event(h, &g->launched);
    return status != VOX_OK ? status : make_exec(h, g, r);
}

/* ---- launching ------------------------------------------------------------------------------- */

/* A place for one more graph; the one that is replaced may still be running. */
static vox_status take_place(vox_cuda *h, vox_cuda_graph **place) {
    for (int i = 0; i < VOX_CUDA_GRAPHS; i++) {
        *place = &h->graphs[i];
        if (!(*place)->exec) return VOX_OK;
    }
    *place = &h->graphs[h->next_graph];
    vox_status status =
        vox_cuda_check_call(h, cudaEventSynchronize((*place)->launched), "cudaEventSynchronize");
    if (status != VOX_OK) return status;
    h->next_graph = (h->next_graph + 1) % VOX_CUDA_GRAPHS;
    release(*place);
    return VOX_OK;
}

vox_status vox_cuda_launch_graph(vox_cuda *h, cudaStream_t stream, int runs, const void *const *inputs,
                                 void *const *outputs) {
    const graph_request r = {runs, inputs, outputs};
    vox_cuda_graph *g = find_graph(h, &r);
    vox_status status = VOX_OK;
    if (!g) {
        status = take_place(h, &g);
        if (status != VOX_OK) return status;
        status = capture(h, g, &r);
        if (status != VOX_OK) {
            release(g);
            return status;
        }
    }
    status = vox_cuda_check_call(h, cudaGraphLaunch(g->exec, stream), "cudaGraphLaunch");
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventRecord(g->launched, stream), "cudaEventRecord");
}
