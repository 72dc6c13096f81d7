/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_graph.c: a run as one launch: captured once for each set of pointers, kept for the next runs. */
#include "vox_cuda_handle.h"

#include <stdlib.h>
#include <string.h>

static int ports_of(const vox_cuda *h) {
    return h->model->info->n_inputs + h->model->info->n_outputs;
}

static void note_pointers(const vox_cuda *h, const void **to, const void *const *inputs,
                          void *const *outputs) {
    const int n = h->model->info->n_inputs;
    for (int i = 0; i < n; i++) to[i] = inputs[i];
    for (int i = 0; i < h->model->info->n_outputs; i++) to[n + i] = outputs[i];
}

static int same_pointers(const vox_cuda *h, const vox_cuda_graph *g, const void *const *inputs,
                         void *const *outputs) {
    const int n = h->model->info->n_inputs;
    for (int i = 0; i < n; i++)
        if (g->pointers[i] != inputs[i]) return 0;
    for (int i = 0; i < h->model->info->n_outputs; i++)
        if (g->pointers[n + i] != outputs[i]) return 0;
    return 1;
}

static vox_cuda_graph *find(vox_cuda *h, const void *const *inputs, void *const *outputs) {
    for (int i = 0; i < VOX_CUDA_GRAPHS; i++)
        if (h->graphs[i].exec && same_pointers(h, &h->graphs[i], inputs, outputs)) return &h->graphs[i];
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
    if (h->capture) cudaStreamDestroy(h->capture);
    h->capture = NULL;
}

/* Relaxed: cuDNN may load a kernel on its first use, which other modes forbid. A capture that fails is ended
 * too, or the stream could never be used again. */
static vox_status record(vox_cuda *h, const void *const *inputs, void *const *outputs, cudaGraph_t *graph) {
    vox_status status = vox_cuda_check_call(
        h, cudaStreamBeginCapture(h->capture, cudaStreamCaptureModeRelaxed), "cudaStreamBeginCapture");
    if (status != VOX_OK) return status;
    status = vox_cuda_enqueue(h, h->capture, inputs, outputs);
    cudaError_t error = cudaStreamEndCapture(h->capture, graph);
    if (status == VOX_OK) return vox_cuda_check_call(h, error, "cudaStreamEndCapture");
    cudaGetLastError();
    return status;
}

static vox_status make_exec(vox_cuda *h, vox_cuda_graph *g, const void *const *inputs, void *const *outputs) {
    cudaGraph_t graph = NULL;
    vox_status status = VOX_OK;
    if (!h->capture)
        status = vox_cuda_check_call(h, cudaStreamCreateWithFlags(&h->capture, cudaStreamNonBlocking),
                                     "cudaStreamCreateWithFlags");
    if (status == VOX_OK) status = record(h, inputs, outputs, &graph);
    if (status == VOX_OK)
        status = vox_cuda_check_call(h, cudaGraphInstantiate(&g->exec, graph, 0), "cudaGraphInstantiate");
    if (graph) cudaGraphDestroy(graph);
    return status;
}

static vox_status capture(vox_cuda *h, vox_cuda_graph *g, const void *const *inputs, void *const *outputs) {
    g->pointers = malloc(((size_t)ports_of(h) + 1) * sizeof *g->pointers);
    if (!g->pointers) return vox_cuda_no_memory(h, "a graph's pointers");
    note_pointers(h, g->pointers, inputs, outputs);
    vox_status status = vox_cuda_check_call(h, cudaEventCreateWithFlags(&g->launched, cudaEventDisableTiming),
                                            "cudaEventCreateWithFlags");
    return status != VOX_OK ? status : make_exec(h, g, inputs, outputs);
}

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

vox_status vox_cuda_launch_graph(vox_cuda *h, cudaStream_t stream, const void *const *inputs,
                                 void *const *outputs) {
    vox_cuda_graph *g = find(h, inputs, outputs);
    vox_status status = VOX_OK;
    if (!g) {
        status = take_place(h, &g);
        if (status != VOX_OK) return status;
        status = capture(h, g, inputs, outputs);
        if (status != VOX_OK) {
            release(g);
            return status;
        }
    }
    status = vox_cuda_check_call(h, cudaGraphLaunch(g->exec, stream), "cudaGraphLaunch");
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaEventRecord(g->launched, stream), "cudaEventRecord");
}
