// A program that checks every call and gives everything back, for failing each call in turn: it ends with 0, or with
// 1 where a call failed, and never with something left.
#include <cuda_runtime.h>

#include <stdio.h>

enum { N = 256 };

__global__ void add_one(int *p) { p[threadIdx.x] += 1; }

typedef struct state {
    int *device, *host;
    cudaStream_t stream;
    cudaEvent_t event;
    cudaGraph_t graph;
    cudaGraphExec_t exec;
} state;

static cudaError_t status;
static bool good(cudaError_t s) {
    if (status == cudaSuccess) status = s;
    return s == cudaSuccess;
}

static bool capture(state *s) {
    if (!good(cudaStreamBeginCapture(s->stream, cudaStreamCaptureModeThreadLocal))) return false;
    add_one<<<1, N, 0, s->stream>>>(s->device);
    const bool launched = good(cudaGetLastError());
    return good(cudaStreamEndCapture(s->stream, &s->graph)) && launched &&
           good(cudaGraphInstantiate(&s->exec, s->graph, 0));
}

static bool run(state *s) {
    return good(cudaMalloc((void **)&s->device, N * sizeof(int))) &&
           good(cudaMallocHost((void **)&s->host, N * sizeof(int))) &&
           good(cudaStreamCreateWithFlags(&s->stream, cudaStreamNonBlocking)) &&
           good(cudaEventCreateWithFlags(&s->event, cudaEventDisableTiming)) &&
           good(cudaMemsetAsync(s->device, 0, N * sizeof(int), s->stream)) && capture(s) &&
           good(cudaGraphLaunch(s->exec, s->stream)) && good(cudaGraphLaunch(s->exec, s->stream)) &&
           good(cudaMemcpyAsync(s->host, s->device, N * sizeof(int), cudaMemcpyDeviceToHost, s->stream)) &&
           good(cudaEventRecord(s->event, s->stream)) && good(cudaEventSynchronize(s->event)) && s->host[N - 1] == 2;
}

static void destroy(state *s) {
    if (s->exec) cudaGraphExecDestroy(s->exec);
    if (s->graph) cudaGraphDestroy(s->graph);
    if (s->event) cudaEventDestroy(s->event);
    if (s->stream) cudaStreamDestroy(s->stream);
    cudaFreeHost(s->host);
    cudaFree(s->device);
}

int main() {
    state s = {};
    const bool ran = run(&s);
    destroy(&s);
    printf("%s\n", cudaGetErrorString(status));
    return ran ? 0 : 1;
}
