/* graph.c: capture of streams into graphs, and their replay. */
#include "sim_stream.h"

#include <stdlib.h>

typedef struct graph {
    sim_node *nodes; /* a reference to each one's work */
    int count;
} graph;

static graph *copy_of(const sim_node *nodes, int count) {
    graph *g = sim_new(1, sizeof *g);
    g->nodes = sim_new((size_t)count, sizeof *g->nodes);
    g->count = count;
    for (int i = 0; i < count; i++) {
        g->nodes[i] = (sim_node){.work = nodes[i].work, .lane = nodes[i].lane};
        sim_join_set(&g->nodes[i].after, &nodes[i].after);
        nodes[i].work->references++;
    }
    return g;
}

void sim_free_nodes(sim_node *nodes, int count) {
    for (int i = 0; i < count; i++) {
        sim_drop_work(nodes[i].work);
        free(nodes[i].after.node);
    }
    free(nodes);
}

static void free_graph(graph *g) {
    sim_free_nodes(g->nodes, g->count);
    free(g);
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, enum cudaStreamCaptureMode mode) {
    static uint64_t captures;
    if (sim_begin("cudaStreamBeginCapture")) return sim_result(cudaErrorUnknown);
    sim_stream *s = sim_stream_of(stream);
    if (s->is_default) return sim_result(cudaErrorStreamCaptureUnsupported);
    if (s->capture) return sim_result(cudaErrorIllegalState);
    s->capture = sim_new(1, sizeof *s->capture);
    *s->capture = (sim_capture){.id = ++captures, .origin = s, .mode = mode};
    s->lane = 0;
    return sim_result(cudaSuccess);
}

static cudaError_t end_capture(sim_stream *s, graph **g) {
    sim_capture *c = s->capture;
    if (!c) return cudaErrorIllegalState;
    if (c->origin != s) return cudaErrorStreamCaptureUnmatched;
    const bool unjoined = sim_leave_capture(c);
    cudaError_t status = cudaSuccess;
    if (c->invalid)
        status = cudaErrorStreamCaptureInvalidated;
    else if (unjoined)
        status = cudaErrorStreamCaptureUnjoined;
    else
        *g = copy_of(c->nodes, c->count);
    sim_free_nodes(c->nodes, c->count);
    free(c);
    return status;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *result) {
    /* A failure injected here still ends the capture, as one of the runtime's own would. */
    const bool fails = sim_begin("cudaStreamEndCapture");
    graph *g = NULL;
    cudaError_t status = end_capture(sim_stream_of(stream), &g);
    if (fails && g) {
        free_graph(g);
        g = NULL;
        status = cudaErrorUnknown;
    }
    if (g) sim_born(SIM_GRAPH);
    *result = (cudaGraph_t)g;
    return sim_result(status);
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, enum cudaStreamCaptureStatus *status) {
    sim_begin_safe();
    const sim_stream *s = sim_stream_of(stream);
    if (s->is_default && sim_captures_blocking()) return sim_result(cudaErrorStreamCaptureImplicit);
    *status = !s->capture           ? cudaStreamCaptureStatusNone
              : s->capture->invalid ? cudaStreamCaptureStatusInvalidated
                                    : cudaStreamCaptureStatusActive;
    return sim_result(cudaSuccess);
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t handle, unsigned long long flags) {
    (void)flags;
    if (sim_begin("cudaGraphInstantiate")) return sim_result(cudaErrorMemoryAllocation);
    const graph *g = (const graph *)handle;
    if (!g) return sim_result(cudaErrorInvalidValue);
    *exec = (cudaGraphExec_t)copy_of(g->nodes, g->count);
    sim_born(SIM_GRAPH_EXEC);
    return sim_result(cudaSuccess);
}

cudaError_t cudaGraphDestroy(cudaGraph_t handle) {
    sim_begin_safe();
    if (!handle) return sim_result(cudaErrorInvalidValue);
    free_graph((graph *)handle);
    sim_died(SIM_GRAPH);
    return sim_result(cudaSuccess);
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t handle) {
    sim_begin_safe();
    if (!handle) return sim_result(cudaErrorInvalidValue);
    free_graph((graph *)handle);
    sim_died(SIM_GRAPH_EXEC);
    return sim_result(cudaSuccess);
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t handle, cudaStream_t stream) {
    if (sim_begin("cudaGraphLaunch")) return sim_result(cudaErrorUnknown);
    const graph *g = (const graph *)handle;
    if (!g) return sim_result(cudaErrorInvalidValue);
    sim_enqueue_graph(sim_stream_of(stream), g->nodes, g->count);
    return sim_result(cudaSuccess);
}

/* Only a graph of as many nodes of the same kinds can take another's place. */
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t exec, cudaGraph_t handle,
                                cudaGraphExecUpdateResultInfo *info) {
    if (sim_begin("cudaGraphExecUpdate")) return sim_result(cudaErrorUnknown);
    graph *old = (graph *)exec;
    const graph *g = (const graph *)handle;
    bool same = old->count == g->count;
    for (int i = 0; same && i < g->count; i++) same = old->nodes[i].work->run == g->nodes[i].work->run;
    if (info) info->result = same ? cudaGraphExecUpdateSuccess : cudaGraphExecUpdateErrorTopologyChanged;
    if (!same) return sim_result(cudaErrorGraphExecUpdateFailure);
    graph *fresh = copy_of(g->nodes, g->count);
    const graph swapped = *old;
    *old = *fresh;
    *fresh = swapped;
    free_graph(fresh);
    return sim_result(cudaSuccess);
}
