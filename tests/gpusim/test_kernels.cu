// Correct kernels: what the interpreter computes is what the host computes from the same source.
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures;
#define CHECK(call)                                                                                            \
    do {                                                                                                       \
        const cudaError_t status = (call);                                                                     \
        if (status != cudaSuccess) {                                                                           \
            printf("%s:%d: %s: %s\n", __FILE__, __LINE__, #call, cudaGetErrorString(status));                  \
            exit(1);                                                                                           \
        }                                                                                                      \
    } while (0)

static void expect(bool good, const char *what, int i, double got, double wanted) {
    if (good) return;
    failures++;
    printf("%s, element %d: %.9g instead of %.9g\n", what, i, got, wanted);
}

// ---- functions of floats and integers, on both sides ------------------------------------------------------------

enum { FLOATS = 32, INTEGERS = 26 };

__host__ __device__ static float float_op(int op, float x) {
    switch (op) {
    case 0: return expf(x);
    case 1: return logf(fabsf(x) + 0.5f);
    case 2: return tanhf(x);
    case 3: return erff(x);
    case 4: return sqrtf(fabsf(x));
    case 5: return 1.0f / (x + 20.0f);
    case 6: return floorf(x);
    case 7: return ceilf(x);
    case 8: return rintf(x);
    case 9: return truncf(x);
    case 10: return roundf(x);
    case 11: return fmodf(x, 1.7f);
    case 12: return fmaxf(x, -x * 0.5f);
    case 13: return fminf(x, 0.25f);
    case 14: return x > 0 ? x : expm1f(x);
    case 15: return log1pf(fabsf(x));
    case 16: return x / (1.0f + expf(-x));
    case 17: return sinf(x);
    case 18: return cosf(x * 3);
    case 19: return powf(fabsf(x) + 0.1f, 1.5f);
    case 20: return (float)(int)x;
    case 21: return (float)(unsigned)(long long)fabsf(x);
    case 22: return (float)((double)x * 1.1);
    case 23: return ldexpf(x, 3);
    case 24: return copysignf(2.0f, x);
    case 25: return isnan(x) ? 1.0f : isinf(x) ? 2.0f : 3.0f;
    case 26: return (float)(signed char)(int)x + (float)(short)(int)(x * 100);
    case 27: return (float)lrintf(x * 7);
    case 28: return fmaf(x, x, 1.5f);
    case 29: return atanf(x);
    case 30: return sinhf(x * 0.2f);
    default: return x != x ? 0.0f : x - 1.0f;
    }
}

__host__ __device__ static unsigned long long integer_op(int op, int a, int b, long long c) {
    const unsigned ua = (unsigned)a, ub = (unsigned)b;
    switch (op) {
    case 0: return (unsigned)(a / (b | 1));
    case 1: return ua / (ub | 1);
    case 2: return (unsigned)(a % (b | 1));
    case 3: return ua % (ub | 1);
    case 4: return (unsigned long long)(c / (b | 1));
    case 5: return (unsigned long long)(c % (b | 1));
    case 6: return (unsigned long long)c / (ub | 1);
    case 7: return (unsigned long long)((long long)a * b);
    case 8: return (unsigned long long)ua * ub;
    case 9: return (unsigned)(((long long)a * b) >> 32);
    case 10: return ua << (b & 31);
    case 11: return (unsigned)(a >> (b & 31));
    case 12: return ua >> (b & 31);
    case 13: return (unsigned long long)(c >> (b & 63));
    case 14: return (unsigned)(a < b ? a : b);
    case 15: return ua > ub ? ua : ub;
    case 16: return (unsigned)(a < 0 ? -a : a);
    case 17: return (ua & ub) ^ (ua | ~ub);
    case 18: return (unsigned)((ua >> 5) & 0x3f);
    case 19: return (unsigned long long)c / 7;
    case 20: return (unsigned)(unsigned char)a + (unsigned)(unsigned short)b;
    case 21: return (unsigned)(int)(short)a + (unsigned)(int)(signed char)b;
    case 22: return (ua << 7) | (ua >> 25);
    case 23: return (unsigned long long)(c * 12345 + a);
    case 24: return (unsigned)(a % 10) + ub / 10;
    default: return (unsigned long long)c ^ ((unsigned long long)ua << 32);
    }
}

__global__ void float_kernel(const float *x, float *y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    for (int op = 0; op < FLOATS; op++) y[op * n + i] = float_op(op, x[i]);
}

__global__ void integer_kernel(const int *a, const int *b, const long long *c, unsigned long long *y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    for (int op = 0; op < INTEGERS; op++) y[op * n + i] = integer_op(op, a[i], b[i], c[i]);
}

// Device copies of host arrays, and back.
template <typename T> static T *upload(const T *host, size_t n) {
    T *p;
    CHECK(cudaMalloc((void **)&p, n * sizeof(T)));
    CHECK(cudaMemcpy(p, host, n * sizeof(T), cudaMemcpyHostToDevice));
    return p;
}
template <typename T> static T *room(size_t n) {
    T *p;
    CHECK(cudaMalloc((void **)&p, n * sizeof(T)));
    return p;
}
template <typename T> static void download(T *host, T *p, size_t n) {
    CHECK(cudaGetLastError());
    CHECK(cudaMemcpy(host, p, n * sizeof(T), cudaMemcpyDeviceToHost));
    CHECK(cudaFree(p));
}

enum { N = 1000 };

static void test_floats() {
    static float x[N], y[FLOATS * N];
    for (int i = 0; i < N; i++) x[i] = (float)(rand() % 20000 - 10000) / 997.0f;
    x[0] = 0, x[1] = -0.5f, x[2] = 0.5f, x[3] = 2.5f;
    float *dx = upload(x, N), *dy = room<float>(FLOATS * N);
    float_kernel<<<(N + 127) / 128, 128>>>(dx, dy, N);
    download(y, dy, FLOATS * N);
    CHECK(cudaFree(dx));
    for (int op = 0; op < FLOATS; op++)
        for (int i = 0; i < N; i++) {
            const float wanted = float_op(op, x[i]), got = y[op * N + i];
            char what[32];
            snprintf(what, sizeof what, "float_op %d of %g", op, (double)x[i]);
            expect(fabsf(got - wanted) <= 3e-6f * fmaxf(1, fabsf(wanted)), what, i, got, wanted);
        }
}

static void test_integers() {
    static int a[N], b[N];
    static long long c[N];
    static unsigned long long y[INTEGERS * N];
    for (int i = 0; i < N; i++) {
        a[i] = rand() * (i & 1 ? 3 : -3);
        b[i] = rand() >> (i % 31);
        c[i] = ((long long)rand() << 33 ^ rand()) * (i & 2 ? 1 : -1);
    }
    int *da = upload(a, N), *db = upload(b, N);
    long long *dc = upload(c, N);
    unsigned long long *dy = room<unsigned long long>(INTEGERS * N);
    integer_kernel<<<(N + 127) / 128, 128>>>(da, db, dc, dy, N);
    download(y, dy, INTEGERS * N);
    CHECK(cudaFree(da));
    CHECK(cudaFree(db));
    CHECK(cudaFree(dc));
    for (int op = 0; op < INTEGERS; op++)
        for (int i = 0; i < N; i++) {
            const unsigned long long wanted = integer_op(op, a[i], b[i], c[i]);
            char what[32];
            snprintf(what, sizeof what, "integer_op %d", op);
            expect(y[op * N + i] == wanted, what, i, (double)y[op * N + i], (double)wanted);
        }
}

// ---- halves, eight at a time ------------------------------------------------------------------------------------

__global__ void half_kernel(const uint4 *x, uint4 *y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const uint4 v = x[i];
    uint4 r = v, s;
    const __half2 *h = (const __half2 *)&v;
    for (int k = 0; k < 4; k++) ((__half2 *)&r)[k] = __hmax2(__hfma2(h[k], h[k], __float2half2_rn(0.5f)), h[k]);
    for (int k = 0; k < 4; k++) {
        const float2 f = __half22float2(h[k]);
        ((__nv_bfloat162 *)&s)[k] = __hmul2(__floats2bfloat162_rn(f.x, f.y), __float2bfloat162_rn(3.0f));
    }
    y[i] = r;
    y[i + n] = s;
}

static void test_halves() {
    enum { VECTORS = 33 };
    static __half x[8 * VECTORS], y[16 * VECTORS];
    for (int i = 0; i < 8 * VECTORS; i++) x[i] = __float2half((float)(i - 130) / 16.0f);
    uint4 *dx = upload((const uint4 *)x, VECTORS), *dy = room<uint4>(2 * VECTORS);
    half_kernel<<<2, 32>>>(dx, dy, VECTORS);
    download((uint4 *)y, dy, 2 * VECTORS);
    CHECK(cudaFree(dx));
    for (int i = 0; i < 8 * VECTORS; i++) {
        const float f = __half2float(x[i]);
        const float wanted = __half2float(__float2half(fmaxf(f * f + 0.5f, f))), got = __half2float(y[i]);
        expect(wanted == got, "half", i, got, wanted);
        const float brain = __bfloat162float(__float2bfloat16(__bfloat162float(__float2bfloat16(f)) * 3));
        const float is = __bfloat162float(((const __nv_bfloat16 *)y)[8 * VECTORS + i]);
        expect(brain == is, "bfloat16", i, is, brain);
    }
}

// ---- shared memory, shuffles, votes, atomics --------------------------------------------------------------------

__constant__ float weights[4] = {1, 2, 3, 4};
__device__ unsigned blocks_done;

__global__ void reduce_kernel(const float *x, float *sums, unsigned *positive, int n) {
    __shared__ float partial[8];
    extern __shared__ float dynamic[];
    float v = 0;
    unsigned count = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += x[i] * weights[i & 3];
    count = __popc(__ballot_sync(~0u, v > 0));
    for (int o = 16; o > 0; o >>= 1) v += __shfl_xor_sync(~0u, v, o);
    if (threadIdx.x % 32 == 0) {
        partial[threadIdx.x / 32] = v;
        atomicAdd(positive, count);
    }
    dynamic[threadIdx.x] = (float)threadIdx.x;
    __syncthreads();
    if (threadIdx.x < 32) {
        v = threadIdx.x < 8 ? partial[threadIdx.x] + 0 * dynamic[255 - threadIdx.x] : 0;
        for (int o = 4; o > 0; o >>= 1) v += __shfl_down_sync(~0u, v, o);
        if (threadIdx.x == 0) {
            sums[blockIdx.x] = v;
            atomicAdd(&blocks_done, 1u);
        }
    }
}

static void test_reduction() {
    enum { LONG = 100000, BLOCKS = 7 };
    static float x[LONG], sums[BLOCKS];
    unsigned positive = 0;
    double wanted = 0, got = 0;
    for (int i = 0; i < LONG; i++) {
        x[i] = (float)(i % 17) / 17;
        wanted += x[i] * (1 + (i & 3));
    }
    float *dx = upload(x, LONG), *dsums = room<float>(BLOCKS);
    unsigned *dpositive = upload(&positive, 1);
    reduce_kernel<<<BLOCKS, 256, 1024>>>(dx, dsums, dpositive, LONG);
    download(sums, dsums, BLOCKS);
    download(&positive, dpositive, 1);
    CHECK(cudaFree(dx));
    for (int i = 0; i < BLOCKS; i++) got += sums[i];
    expect(fabs(got - wanted) < 1e-5 * wanted, "reduction", 0, got, wanted);
    expect(positive == BLOCKS * 256, "votes", 0, positive, BLOCKS * 256);
}

// ---- divergence, local arrays ------------------------------------------------------------------------------------

__host__ __device__ static int walk(int i) {
    int stack[16], depth = 0, steps = 0;
    for (int n = i + 1; n != 1; steps++) {
        if (depth < 16) stack[depth++] = n;
        if (n % 2)
            n = 3 * n + 1;
        else
            n /= 2;
        if (steps > 200) break;
    }
    for (int k = 0; k < depth; k++) steps += stack[(k * 7 + i) % depth] & 3;
    return steps;
}

__global__ void walk_kernel(int *y) { y[blockIdx.x * blockDim.x + threadIdx.x] = walk(blockIdx.x * blockDim.x + threadIdx.x); }

static void test_divergence() {
    enum { THREADS = 320 };
    static int y[THREADS];
    int *dy = room<int>(THREADS);
    walk_kernel<<<THREADS / 64, 64>>>(dy);
    download(y, dy, THREADS);
    for (int i = 0; i < THREADS; i++) expect(y[i] == walk(i), "walk", i, y[i], walk(i));
}

// ---- streams, events, graphs -------------------------------------------------------------------------------------

__global__ void add_kernel(int *x, const int *y, int n) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) x[i] += y[i];
}

static void test_streams() {
    enum { SIZE = 64 };
    cudaStream_t a, b;
    cudaEvent_t done, begun;
    int *host, *x, *y;
    CHECK(cudaStreamCreateWithFlags(&a, cudaStreamNonBlocking));
    CHECK(cudaStreamCreateWithFlags(&b, cudaStreamNonBlocking));
    CHECK(cudaEventCreateWithFlags(&done, cudaEventDisableTiming));
    CHECK(cudaEventCreateWithFlags(&begun, cudaEventDisableTiming));
    CHECK(cudaMallocHost((void **)&host, SIZE * sizeof(int)));
    CHECK(cudaMalloc((void **)&x, SIZE * sizeof(int)));
    CHECK(cudaMalloc((void **)&y, SIZE * sizeof(int)));
    for (int i = 0; i < SIZE; i++) host[i] = i;
    CHECK(cudaMemsetAsync(x, 0, SIZE * sizeof(int), a));
    CHECK(cudaMemcpyAsync(y, host, SIZE * sizeof(int), cudaMemcpyHostToDevice, b));
    CHECK(cudaEventRecord(done, b));
    CHECK(cudaStreamWaitEvent(a, done, 0));
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    CHECK(cudaStreamBeginCapture(a, cudaStreamCaptureModeThreadLocal));
    CHECK(cudaEventRecord(begun, a));
    CHECK(cudaStreamWaitEvent(b, begun, 0));
    add_kernel<<<1, 64, 0, b>>>(x, y, SIZE);
    CHECK(cudaEventRecord(done, b));
    CHECK(cudaStreamWaitEvent(a, done, 0));
    add_kernel<<<1, 64, 0, a>>>(x, y, SIZE);
    CHECK(cudaStreamEndCapture(a, &graph));
    CHECK(cudaGraphInstantiate(&exec, graph, 0));
    CHECK(cudaGraphDestroy(graph));
    for (int i = 0; i < 5; i++) CHECK(cudaGraphLaunch(exec, a));
    CHECK(cudaMemcpyAsync(host, x, SIZE * sizeof(int), cudaMemcpyDeviceToHost, a));
    CHECK(cudaStreamSynchronize(a));
    for (int i = 0; i < SIZE; i++) expect(host[i] == 10 * i, "graph", i, host[i], 10 * i);
    CHECK(cudaGraphExecDestroy(exec));
    CHECK(cudaEventDestroy(done));
    CHECK(cudaEventDestroy(begun));
    CHECK(cudaStreamDestroy(a));
    CHECK(cudaStreamDestroy(b));
    CHECK(cudaFreeHost(host));
    CHECK(cudaFree(x));
    CHECK(cudaFree(y));
}

int main() {
    test_floats();
    test_integers();
    test_halves();
    test_reduction();
    test_divergence();
    test_streams();
    printf("%d failures\n", failures);
    return failures != 0;
}
