/* ceilings.c [PART]: what this GPU can do at most, as a line of JSON: bytes a second of a copy, and
 * multiply-adds a second of cuDNN's fastest 3x3x3 convolution in each precision. PART (1) divides the work,
 * for a simulated GPU: 1 to 16. Exit status 1 with a line on standard error without a GPU.
 */
#include "vox_cudnn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS = 10, COPY_BYTES = 512 << 20, WORKSPACE_CAP = 1 << 30, CHANNELS = 256, EDGE = 48, TAPS = 27 };

typedef struct bench {
    cudnnHandle_t handle;
    cudaStream_t stream;
    cudaEvent_t begin, end;
    char *memory; /* x, y, w and workspace, or both ends of the copy */
    int part;     /* divides the work */
} bench;

static int fail(const char *what, const char *why) {
    fprintf(stderr, "ceilings: %s: %s\n", what, why);
    return 0;
}

static int cuda_ok(cudaError_t error, const char *what) {
    return error == cudaSuccess || fail(what, cudaGetErrorName(error));
}

static int cudnn_ok(cudnnStatus_t status, const char *what) {
    return status == CUDNN_STATUS_SUCCESS || fail(what, cudnnGetErrorString(status));
}

static void print_message(void *user, const char *text) {
    (void)user;
    fprintf(stderr, "ceilings: %s\n", text);
}

/* Seconds of the best of REPEATS calls of work, after one that is not counted. */
static int best_time(const bench *b, int (*work)(const bench *b, const void *of), const void *of,
                     double *best) {
    for (int i = 0; i <= REPEATS; i++) {
        float ms = 0;
        if (!cuda_ok(cudaEventRecord(b->begin, b->stream), "event") || !work(b, of)) return 0;
        if (!cuda_ok(cudaEventRecord(b->end, b->stream), "event")) return 0;
        if (!cuda_ok(cudaEventSynchronize(b->end), "run")) return 0;
        if (!cuda_ok(cudaEventElapsedTime(&ms, b->begin, b->end), "event")) return 0;
        if (i == 1 || (i > 1 && ms * 1e-3 < *best)) *best = (double)ms * 1e-3;
    }
    return 1;
}

static int copy(const bench *b, const void *of) {
    (void)of;
    const size_t bytes = (size_t)(COPY_BYTES / b->part);
    return cuda_ok(cudaMemcpyAsync(b->memory, b->memory + bytes, bytes, cudaMemcpyDeviceToDevice, b->stream),
                   "copy");
}

/* ---- convolution ------------------------------------------------------------------------------ */

typedef struct operands {
    const vox_plan *plan;
    vox_plan_operands at;
} operands;

static int execute(const bench *b, const void *of) {
    const operands *o = of;
    return cudnn_ok(vox_plan_execute(b->handle, o->plan, &o->at), "convolution");
}

/* As many channels on both sides: far from what memory limits. */
static vox_conv3d big_convolution(vox_cuda_type type, int part) {
    const int64_t channels = CHANNELS / part, edge = EDGE / part;
    return (vox_conv3d){.n = 1,
                        .c = channels,
                        .k = channels,
                        .in = {edge + 2, edge + 2, edge + 2},
                        .out = {edge, edge, edge},
                        .kernel = {3, 3, 3},
                        .stride = {1, 1, 1},
                        .dilation = {1, 1, 1},
                        .groups = 1,
                        .c_pitch = channels,
                        .k_pitch = channels,
                        .act = VOX_CUDA_ACT_RELU,
                        .type = type,
                        .has_bias = 1};
}

static int rate(const bench *b, vox_cuda_type type, double *macs_per_second) {
    const vox_conv3d conv = big_convolution(type, b->part);
    const int64_t read = conv.in[0] * conv.in[1] * conv.in[2], made = conv.out[0] * conv.out[1] * conv.out[2];
    const int64_t filter = TAPS * conv.c * conv.k;
    const vox_cudnn_target target = {.handle = b->handle, .log = {print_message, NULL}};
    const vox_plan_policy policy = {
        .workspace_cap = WORKSPACE_CAP / b->part, .candidates = 12, .precompiled = 1};
    char *y = b->memory + 4 * conv.c * read, *w = y + 4 * conv.k * made, *bias = w + 4 * filter;
    const vox_plan_operands at = {.x = b->memory, .w = w, .bias = bias, .y = y, .workspace = bias + 4096};
    vox_plan *plan = NULL;
    double best = 0;
    if (vox_plan_build(&target, &conv, &policy, NULL, &plan) != CUDNN_STATUS_SUCCESS) return 0;
    const operands o = {plan, at};
    int ok = vox_plan_tune(b->handle, plan, b->stream, 3, &at) == CUDNN_STATUS_SUCCESS &&
             best_time(b, execute, &o, &best);
    vox_plan_destroy(plan);
    if (ok) *macs_per_second = (double)(made * filter) / best;
    return ok;
}

/* ---- */

static int measure(bench *b) {
    static const char *const names[] = {"fp32", "tf32", "fp16", "bf16"};
    double seconds = 0, macs;
    if (!best_time(b, copy, NULL, &seconds)) return 0;
    printf("{\"copy_bytes_per_second\": %.6g, \"macs_per_second\": {", 2.0 * COPY_BYTES / b->part / seconds);
    const char *comma = "";
    for (int type = 0; type < 4; type++)
        if (rate(b, (vox_cuda_type)type, &macs)) {
            printf("%s\"%s\": %.6g", comma, names[type], macs);
            comma = ", ";
        }
    printf("}}\n");
    return 1;
}

static int open_gpu(bench *b) {
    const size_t bytes = ((size_t)2 * COPY_BYTES + WORKSPACE_CAP) / (size_t)b->part;
    return cuda_ok(cudaStreamCreateWithFlags(&b->stream, cudaStreamNonBlocking), "GPU") &&
           cuda_ok(cudaEventCreateWithFlags(&b->begin, cudaEventDefault), "event") &&
           cuda_ok(cudaEventCreateWithFlags(&b->end, cudaEventDefault), "event") &&
           cuda_ok(cudaMalloc((void **)&b->memory, bytes), "memory") &&
           cuda_ok(cudaMemsetAsync(b->memory, 0x11, bytes, b->stream), "memory") &&
           cudnn_ok(cudnnCreate(&b->handle), "cuDNN") &&
           cudnn_ok(cudnnSetStream(b->handle, b->stream), "cuDNN");
}

static void close_gpu(bench *b) {
    if (b->handle != NULL) cudnnDestroy(b->handle);
    cudaFree(b->memory);
    if (b->end != NULL) cudaEventDestroy(b->end);
    if (b->begin != NULL) cudaEventDestroy(b->begin);
    if (b->stream != NULL) cudaStreamDestroy(b->stream);
}

int main(int argc, char **argv) {
    bench b = {.part = argc > 1 ? atoi(argv[1]) : 1};
    if (b.part < 1 || b.part > 16) return fail("PART", "from 1 to 16"), 1;
    const int ok = open_gpu(&b) && measure(&b);
    close_gpu(&b);
    return ok ? 0 : 1;
}
