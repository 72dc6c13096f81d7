// Programs that a GPU might run without complaint: `test_misuse CASE` does one wrong thing, or none ("nothing").
#include <cuda_runtime.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 64, BYTES = N * sizeof(int) };

__global__ void behind(int *p, const int *, int n) { p[threadIdx.x + n - 31] = 1; }
__global__ void before(int *p, const int *, int) { p[(int)threadIdx.x - 1] = 1; }
__global__ void misaligned(int *p, const int *, int) { *(int *)((char *)p + 2 + 4 * (threadIdx.x / 2)) = 1; }
__global__ void copy(int *p, const int *q, int n) {
    if (threadIdx.x < n) p[threadIdx.x] = q[threadIdx.x];
}
__global__ void vectors(int *p, const int *q, int) {
    if (threadIdx.x < 17) ((int4 *)p)[threadIdx.x] = ((const int4 *)q)[threadIdx.x % 4];
}
__global__ void divergent_lanes(int *p, const int *, int) {
    if (threadIdx.x < 16) {
        p[threadIdx.x] = 1;
        __syncthreads();
    }
    p[threadIdx.x] += 2;
}
__global__ void divergent_warps(int *p, const int *, int) {
    if (threadIdx.x < 32) {
        p[threadIdx.x] = 1;
        __syncthreads();
    }
    p[threadIdx.x] += 2;
}
__global__ void different_barriers(int *p, const int *, int) {
    if (threadIdx.x < 32) {
        p[threadIdx.x] = 1;
        __syncthreads();
        p[threadIdx.x] += 1;
    } else {
        p[threadIdx.x] = 2;
        __syncthreads();
        p[threadIdx.x] += 3;
    }
}
__global__ void shared_behind(int *p, const int *, int n) {
    __shared__ int s[N];
    s[threadIdx.x + n / 8] = 1;
    __syncthreads();
    p[threadIdx.x] = s[threadIdx.x];
}
__global__ void shared_unwritten(int *p, const int *, int n) {
    __shared__ int s[N];
    if (threadIdx.x < n - 1) s[threadIdx.x] = 1;
    __syncthreads();
    p[threadIdx.x] = s[n - 1 - threadIdx.x];
}
__global__ void shared_race(int *p, const int *q, int n) {
    __shared__ int s[N];
    s[threadIdx.x] = 1;
    __syncthreads();
    s[threadIdx.x] = q[threadIdx.x];
    p[threadIdx.x] = s[n - 1 - threadIdx.x];
}
__global__ void lonely_shuffle(int *p, const int *, int) {
    if (threadIdx.x < 8)
        p[threadIdx.x] = __shfl_xor_sync(~0u, (int)threadIdx.x, 1);
    else
        p[threadIdx.x] = 3 * __shfl_xor_sync(~0u, (int)threadIdx.x, 2);
}
__global__ void stops(int *p, const int *, int n) {
    if (p[threadIdx.x] < n) __trap();
}

__global__ void same_element(int *p, const int *, int) { p[threadIdx.x] = blockIdx.x; }
__global__ void neighbours_block(int *p, const int *, int n) {
    p[blockIdx.x * blockDim.x + threadIdx.x] = 1;
    if (blockIdx.x == 1) p[blockDim.x + threadIdx.x] = p[threadIdx.x] + n;
}

typedef void kernel(int *, const int *, int);
static const struct {
    const char *name;
    kernel *run;
    int threads;
} kernels[] = {
    {"behind", behind, 32},
    {"before", before, 32},
    {"misaligned", misaligned, 32},
    {"vectors", vectors, 32},
    {"nothing", copy, N},
    {"divergent-lanes", divergent_lanes, 32},
    {"divergent-warps", divergent_warps, N},
    {"different-barriers", different_barriers, N},
    {"shared-behind", shared_behind, N},
    {"shared-unwritten", shared_unwritten, N},
    {"shared-race", shared_race, N},
    {"lonely-shuffle", lonely_shuffle, 32},
    {"stops", stops, 32},
};

// Memory that both cases of kernels and of calls start from: y is written, x is not.
static int *x, *y, *pinned, *pageable;
static cudaStream_t stream;

static void host_pointer() { copy<<<1, N>>>(x, pageable, N); }
static void pinned_pointer() { copy<<<1, N>>>(pinned, y, N); }
static void unwritten() { copy<<<1, N>>>(y, x, N); }
static void freed() {
    int *z;
    cudaMalloc((void **)&z, BYTES);
    cudaFree(z);
    copy<<<1, N>>>(z, y, N);
}
static void freed_twice() {
    int *z;
    cudaMalloc((void **)&z, BYTES);
    cudaFree(z);
    cudaFree(z);
}
static void long_copy() { cudaMemcpy(pageable, y, BYTES + 4, cudaMemcpyDeviceToHost); }
static void wrong_direction() { cudaMemcpy(pageable, pinned, BYTES, cudaMemcpyDeviceToHost); }
static void host_access() { y[0] = 1; }
// Reads what the other stream has yet to copy.
static void missing_wait() {
    cudaMemcpyAsync(x, pinned, BYTES, cudaMemcpyHostToDevice, NULL);
    copy<<<1, N, 0, stream>>>(y, x, N);
    cudaStreamSynchronize(stream);
}
// Ends with 3 because the copy has not arrived.
static void missing_synchronize() {
    pinned[5] = -1;
    cudaMemcpyAsync(pinned, y, BYTES, cudaMemcpyDeviceToHost, stream);
    if (pinned[5] == -1) _Exit(3);
}
static void dead_stream() {
    cudaStream_t s;
    cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking);
    cudaStreamDestroy(s);
    copy<<<1, N, 0, s>>>(x, y, N);
}
static void other_device() {
    cudaSetDevice(1);
    copy<<<1, N>>>(x, y, N);
    cudaDeviceSynchronize();
}
static void leak_memory() {
    int *z;
    cudaMalloc((void **)&z, BYTES);
}
static void leak_event() {
    cudaEvent_t e;
    cudaEventCreateWithFlags(&e, cudaEventDisableTiming);
}
static void leak_graph() {
    cudaGraph_t g;
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    copy<<<1, N, 0, stream>>>(x, y, N);
    cudaStreamEndCapture(stream, &g);
}
// Allocation is no part of a graph: the capture fails, which ends with 4.
static void allocate_in_capture() {
    int *z;
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeGlobal);
    if (cudaMalloc((void **)&z, BYTES) == cudaErrorStreamCaptureUnsupported) _Exit(4);
}
static void large_block() {
    copy<<<1, 1056>>>(x, y, N);
    if (cudaGetLastError() == cudaErrorInvalidConfiguration) _Exit(5);
}

// A graph of two branches that write the same, or of which one reads what the other writes, or neither.
static void fork(int *written, int *other, const int *read) {
    cudaStream_t side;
    cudaEvent_t event;
    cudaGraph_t g;
    cudaGraphExec_t exec;
    cudaStreamCreateWithFlags(&side, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    cudaMemsetAsync(x, 0, BYTES, stream);
    cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
    cudaEventRecord(event, stream);
    cudaStreamWaitEvent(side, event, 0);
    copy<<<1, N / 2, 0, stream>>>(written, y, N / 2);
    copy<<<1, N / 2, 0, side>>>(other, read, N / 2);
    cudaEventRecord(event, side);
    cudaStreamWaitEvent(stream, event, 0);
    cudaStreamEndCapture(stream, &g);
    cudaGraphInstantiate(&exec, g, 0);
    for (int i = 0; i < 2; i++) cudaGraphLaunch(exec, stream); // one after the other
    cudaStreamSynchronize(stream);
    cudaGraphExecDestroy(exec);
    cudaGraphDestroy(g);
    cudaEventDestroy(event);
    cudaStreamDestroy(side);
}
static void branches_apart() { fork(x, x + N / 2, y); }
static void branches_write() { fork(x, x + N / 2 - 1, y); }
static void branches_read() { fork(x, y + N / 2, x + 1); }
// Two streams, of which the second should wait; and does.
static void on_two_streams(bool waits) {
    cudaStream_t other;
    cudaEvent_t event;
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    cudaMemsetAsync(x, 0, BYTES, stream);
    cudaEventRecord(event, stream);
    if (waits) cudaStreamWaitEvent(other, event, 0);
    cudaMemsetAsync(x + 1, 1, BYTES - 4, other);
    cudaDeviceSynchronize();
    cudaEventDestroy(event);
    cudaStreamDestroy(other);
}
static void streams_wait() { on_two_streams(true); }
static void streams_race() { on_two_streams(false); }
// The host has waited for the first stream: what it gives the second then comes after.
static void host_waits() {
    cudaStream_t other;
    cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking);
    cudaMemsetAsync(x, 0, BYTES, stream);
    cudaMemsetAsync(y, 0, BYTES, other);
    cudaStreamSynchronize(stream);
    cudaMemsetAsync(x, 1, BYTES, other);
    cudaStreamSynchronize(other);
    cudaStreamDestroy(other);
}

static void blocks_write() { same_element<<<2, N / 2>>>(y, y, N); }
static void blocks_read() { neighbours_block<<<2, N / 2>>>(y, y, N); }

static const struct {
    const char *name;
    void (*run)();
} calls[] = {
    {"host-pointer", host_pointer},
    {"pinned-pointer", pinned_pointer},
    {"unwritten", unwritten},
    {"freed", freed},
    {"freed-twice", freed_twice},
    {"long-copy", long_copy},
    {"wrong-direction", wrong_direction},
    {"host-access", host_access},
    {"blocks-write", blocks_write},
    {"blocks-read", blocks_read},
    {"branches-apart", branches_apart},
    {"branches-write", branches_write},
    {"branches-read", branches_read},
    {"streams-wait", streams_wait},
    {"streams-race", streams_race},
    {"host-waits", host_waits},
    {"missing-wait", missing_wait},
    {"missing-synchronize", missing_synchronize},
    {"dead-stream", dead_stream},
    {"other-device", other_device},
    {"leak-memory", leak_memory},
    {"leak-event", leak_event},
    {"leak-graph", leak_graph},
    {"allocate-in-capture", allocate_in_capture},
    {"large-block", large_block},
};

static void run_case(const char *name) {
    for (const auto &k : kernels)
        if (strcmp(k.name, name) == 0) k.run<<<1, k.threads>>>(strcmp(name, "nothing") ? y : x, y, N);
    for (const auto &c : calls)
        if (strcmp(c.name, name) == 0) c.run();
}

int main(int argc, char **argv) {
    if (argc != 2) return 2;
    pageable = (int *)calloc(N, sizeof(int));
    cudaMalloc((void **)&x, BYTES);
    cudaMalloc((void **)&y, BYTES);
    cudaMallocHost((void **)&pinned, BYTES);
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudaMemset(y, 0, BYTES);
    cudaDeviceSynchronize();
    run_case(argv[1]);
    const cudaError_t status = cudaDeviceSynchronize();
    cudaStreamDestroy(stream);
    cudaFreeHost(pinned);
    cudaFree(x);
    cudaFree(y);
    free(pageable);
    printf("%s\n", cudaGetErrorString(status));
    return status != cudaSuccess;
}
