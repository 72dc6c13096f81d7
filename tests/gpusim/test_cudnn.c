/* test_cudnn.c: plans that cuDNN builds for a handle compute what plain loops compute. With an argument, one
 * of the misuses at the end. */
#include <cudnn.h>
#include <cuda_runtime_api.h>

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef cudnnBackendDescriptor_t descriptor;

static int failures;

#define CHECK(call)                                                                                          \
    do {                                                                                                     \
        const int status_ = (int)(call);                                                                     \
        if (status_ != 0) {                                                                                  \
            printf("%s:%d: %s: status %d\n", __FILE__, __LINE__, #call, status_);                            \
            exit(1);                                                                                         \
        }                                                                                                    \
    } while (0)

/* One convolution: cubes, cubic kernels, NDHWC. */
typedef struct test_case {
    const char *name;
    int c, k, groups, size, kernel, stride, pad, dilation;
    bool backward, relu;
    cudnnDataType_t type;
    bool strict; /* no tensor cores */
    double tolerance;
} test_case;

static int result_size(const test_case *t) {
    const int reach = t->dilation * (t->kernel - 1) + 1;
    return t->backward ? (t->size - 1) * t->stride - 2 * t->pad + reach
                       : (t->size + 2 * t->pad - reach) / t->stride + 1;
}

/* ---- descriptors --------------------------------------------------------------------------------- */

static descriptor made[512];
static int made_count;

static descriptor make(cudnnBackendDescriptorType_t type) {
    descriptor d;
    CHECK(cudnnBackendCreateDescriptor(type, &d));
    return made[made_count++] = d;
}
static void destroy_all(void) {
    while (made_count > 0) CHECK(cudnnBackendDestroyDescriptor(made[--made_count]));
}
static void set(descriptor d, cudnnBackendAttributeName_t a, cudnnBackendAttributeType_t t, int64_t n,
                const void *v) {
    CHECK(cudnnBackendSetAttribute(d, a, t, n, v));
}
static void set_descriptor(descriptor d, cudnnBackendAttributeName_t a, descriptor v) {
    set(d, a, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &v);
}

static descriptor tensor(int64_t id, int64_t n, int64_t c, int64_t size, cudnnDataType_t type,
                         bool is_virtual) {
    descriptor d = make(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    const int64_t dim[5] = {n, c, size, size, size}, alignment = 16;
    const int64_t stride[5] = {c * size * size * size, 1, c * size * size, c * size, c};
    set(d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 5, dim);
    set(d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 5, stride);
    set(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    set(d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    CHECK(cudnnBackendFinalize(d));
    return d;
}

static descriptor convolution(const test_case *t) {
    descriptor d = make(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    const int64_t axes = 3, pad[3] = {t->pad, t->pad, t->pad}, stride[3] = {t->stride, t->stride, t->stride};
    const int64_t dilation[3] = {t->dilation, t->dilation, t->dilation};
    const cudnnDataType_t type = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    set(d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set(d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &axes);
    set(d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 3, pad);
    set(d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 3, pad);
    set(d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 3, stride);
    set(d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 3, dilation);
    CHECK(cudnnBackendFinalize(d));
    return d;
}

static descriptor forward(descriptor conv, descriptor x, descriptor w, descriptor y) {
    descriptor d = make(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    const float one = 1, zero = 0;
    set_descriptor(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
    set_descriptor(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
    set_descriptor(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
    set_descriptor(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, conv);
    set(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &one);
    set(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &zero);
    CHECK(cudnnBackendFinalize(d));
    return d;
}

static descriptor backward(descriptor conv, descriptor dy, descriptor w, descriptor dx) {
    descriptor d = make(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
    const float one = 1, zero = 0;
    set_descriptor(d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, dy);
    set_descriptor(d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, w);
    set_descriptor(d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, dx);
    set_descriptor(d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, conv);
    set(d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_TYPE_FLOAT, 1, &one);
    set(d, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, CUDNN_TYPE_FLOAT, 1, &zero);
    CHECK(cudnnBackendFinalize(d));
    return d;
}

static descriptor pointwise(cudnnPointwiseMode_t mode, descriptor x, descriptor b, descriptor y) {
    descriptor p = make(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    const cudnnDataType_t type = CUDNN_DATA_FLOAT;
    set(p, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    set(p, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &type);
    CHECK(cudnnBackendFinalize(p));
    descriptor d = make(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    set_descriptor(d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, p);
    set_descriptor(d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    if (b) set_descriptor(d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
    set_descriptor(d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    CHECK(cudnnBackendFinalize(d));
    return d;
}

/* ---- plans --------------------------------------------------------------------------------------- */

static bool uses_tensor_cores(descriptor config) {
    descriptor engine = make(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendNumericalNote_t note[16];
    int64_t n = 0;
    CHECK(cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n,
                                   &engine));
    CHECK(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, 16,
                                   &n, note));
    for (int64_t i = 0; i < n; i++)
        if (note[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE) return true;
    return false;
}

/* Engines that are compiled at run time load the driver when they are finalized. */
static bool compiled_at_run_time(descriptor config) {
    descriptor engine = make(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    cudnnBackendBehaviorNote_t note[16];
    int64_t n = 0;
    CHECK(cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n,
                                   &engine));
    CHECK(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, 16, &n,
                                   note));
    for (int64_t i = 0; i < n; i++)
        if (note[i] == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION) return true;
    return false;
}

static int compiled; /* plans of such engines */

enum { CONFIGS = 16 };

/* Fills config with what a mode of the heuristics proposes for a graph; returns how many. */
static int64_t propose(descriptor graph, cudnnBackendHeurMode_t mode, descriptor config[CONFIGS]) {
    descriptor heuristics = make(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    int64_t n = 0;
    set_descriptor(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    set(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    CHECK(cudnnBackendFinalize(heuristics));
    for (int i = 0; i < CONFIGS; i++) config[i] = make(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    CHECK(cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                   CONFIGS, &n, config));
    return n;
}

/* NULL: no such plan. */
static descriptor finalized(cudnnHandle_t h, descriptor config) {
    descriptor plan = make(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    set(plan, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &h);
    set_descriptor(plan, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    return cudnnBackendFinalize(plan) == CUDNN_STATUS_SUCCESS ? plan : NULL;
}

static descriptor find_plan(cudnnHandle_t h, descriptor *ops, int64_t count, bool strict,
                            int64_t *workspace) {
    descriptor graph = make(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR), config[CONFIGS], found = NULL;
    int64_t one = 0;
    set(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, count, ops);
    set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &h);
    CHECK(cudnnBackendFinalize(graph));
    const int64_t n = propose(graph, CUDNN_HEUR_MODE_A, config);
    for (int i = 0; i < n && !found; i++)
        if (!strict || !uses_tensor_cores(config[i])) found = finalized(h, config[i]);
    if (found)
        CHECK(cudnnBackendGetAttribute(found, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1,
                                       &one, workspace));
    const int64_t more = propose(graph, CUDNN_HEUR_MODE_FALLBACK, config);
    for (int i = 0; i < more && compiled == 0; i++)
        if (compiled_at_run_time(config[i]) && finalized(h, config[i])) compiled++;
    return found;
}

/* Tensors 1 x, 2 w, 3 bias, 4 y; 5 and 6 between. Backward has no bias. */
static descriptor build(cudnnHandle_t h, const test_case *t, int64_t *workspace) {
    const int out = result_size(t);
    descriptor conv = convolution(t), op[3];
    descriptor x = tensor(1, 1, t->c, t->size, t->type, false);
    descriptor w = tensor(2, t->backward ? t->c : t->k, (t->backward ? t->k : t->c) / t->groups, t->kernel,
                          t->type, false);
    descriptor y = tensor(4, 1, t->k, out, t->type, false);
    if (t->backward) {
        op[0] = backward(conv, x, w, y);
        return find_plan(h, op, 1, t->strict, workspace);
    }
    descriptor b = tensor(3, 1, t->k, 1, t->type, false);
    descriptor sum = tensor(5, 1, t->k, out, CUDNN_DATA_FLOAT, true);
    descriptor biased = t->relu ? tensor(6, 1, t->k, out, CUDNN_DATA_FLOAT, true) : y;
    op[0] = forward(conv, x, w, sum);
    op[1] = pointwise(CUDNN_POINTWISE_ADD, sum, b, biased);
    if (t->relu) op[2] = pointwise(CUDNN_POINTWISE_RELU_FWD, biased, NULL, y);
    return find_plan(h, op, t->relu ? 3 : 2, t->strict, workspace);
}

/* ---- data ---------------------------------------------------------------------------------------- */

static size_t element(cudnnDataType_t type) {
    return type == CUDNN_DATA_FLOAT ? 4 : 2;
}

/* Small multiples of 1/16: exact, and normal, in every type, so that only sums round. */
static float value(int i) {
    return (float)(i * 37 % 29 - 14) / 16.0f;
}

static void encode(uint8_t *p, cudnnDataType_t type, float f) {
    uint32_t bits;
    memcpy(&bits, &f, 4);
    uint16_t half = 0;
    if (type == CUDNN_DATA_BFLOAT16) half = (uint16_t)(bits >> 16);
    if (type == CUDNN_DATA_HALF && f != 0)
        half = (uint16_t)((bits >> 16 & 0x8000) | (((bits & 0x7fffffff) >> 13) - 0x1c000));
    memcpy(p, type == CUDNN_DATA_FLOAT ? (void *)&bits : (void *)&half, element(type));
}

static float decode(const uint8_t *p, cudnnDataType_t type) {
    uint32_t bits = 0;
    memcpy(&bits, p, element(type));
    float f;
    if (type == CUDNN_DATA_BFLOAT16) bits <<= 16;
    if (type == CUDNN_DATA_HALF) {
        f = ldexpf((float)(bits & 0x3ff) + ((bits & 0x7c00) ? 1024.0f : 0),
                   (int)(bits >> 10 & 31) - ((bits & 0x7c00) ? 25 : 24));
        return bits & 0x8000 ? -f : f;
    }
    memcpy(&f, &bits, 4);
    return f;
}

static void *upload(int n, cudnnDataType_t type, int seed) {
    void *p;
    uint8_t *host = malloc((size_t)n * element(type));
    for (int i = 0; i < n; i++) encode(host + (size_t)i * element(type), type, value(i + seed));
    CHECK(cudaMalloc(&p, (size_t)n * element(type)));
    CHECK(cudaMemcpy(p, host, (size_t)n * element(type), cudaMemcpyHostToDevice));
    free(host);
    return p;
}

/* ---- the reference ------------------------------------------------------------------------------- */

static int cube(int n) {
    return n * n * n;
}

static float x_value(const test_case *t, int z, int y, int x, int c) {
    return value(((z * t->size + y) * t->size + x) * t->c + c + 1);
}

/* The channel i of a tap's row of the filter's channel o. */
static float w_value(const test_case *t, int o, int tap, int i) {
    const int per_row = (t->backward ? t->k : t->c) / t->groups;
    return value((o * cube(t->kernel) + tap) * per_row + i + 2);
}

/* Where along an axis tap t of result o lies in x; -1: nowhere. */
static int source(const test_case *t, int o, int tap) {
    int s = t->backward ? o + t->pad - tap * t->dilation : o * t->stride - t->pad + tap * t->dilation;
    if (t->backward) {
        if (s < 0 || s % t->stride) return -1;
        s /= t->stride;
    }
    return s < t->size ? s : -1;
}

static double sum_of_tap(const test_case *t, int z, int y, int x, int tap, int k) {
    const int cg = t->c / t->groups, kg = t->k / t->groups, group = k / kg;
    double sum = 0;
    for (int i = 0; i < cg; i++) {
        const int c = group * cg + i;
        sum += (double)x_value(t, z, y, x, c) *
               (double)(t->backward ? w_value(t, c, tap, k % kg) : w_value(t, k, tap, i));
    }
    return sum;
}

static double reference(const test_case *t, int z, int y, int x, int k) {
    double sum = t->backward ? 0 : (double)value(k + 3);
    for (int tap = 0; tap < cube(t->kernel); tap++) {
        const int sz = source(t, z, tap / t->kernel / t->kernel),
                  sy = source(t, y, tap / t->kernel % t->kernel);
        const int sx = source(t, x, tap % t->kernel);
        if (sz >= 0 && sy >= 0 && sx >= 0) sum += sum_of_tap(t, sz, sy, sx, tap, k);
    }
    return t->relu && sum < 0 ? 0 : sum;
}

static void compare(const test_case *t, const uint8_t *y) {
    const int out = result_size(t);
    double worst = 0;
    for (int i = 0; i < cube(out) * t->k; i++) {
        const int k = i % t->k, v = i / t->k;
        const double wanted = reference(t, v / out / out, v / out % out, v % out, k);
        worst = fmax(worst, fabs((double)decode(y + (size_t)i * element(t->type), t->type) - wanted) /
                                fmax(1, fabs(wanted)));
    }
    printf("%s: error %.2g\n", t->name, worst);
    if (!(worst <= t->tolerance)) failures++;
}

/* ---- running ------------------------------------------------------------------------------------- */

typedef struct buffers {
    void *p[4]; /* x, w, bias, y */
    void *workspace;
} buffers;

static descriptor pack(const buffers *b, bool backward_data) {
    descriptor d = make(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    const int64_t ids[] = {1, 2, 4, 3};
    void *const pointers[] = {b->p[0], b->p[1], b->p[3], b->p[2]};
    const int64_t n = backward_data ? 3 : 4;
    set(d, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, pointers);
    set(d, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, ids);
    set(d, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &b->workspace);
    CHECK(cudnnBackendFinalize(d));
    return d;
}

static buffers make_buffers(const test_case *t, int64_t workspace) {
    buffers b = {{upload(cube(t->size) * t->c, t->type, 1),
                  upload(cube(t->kernel) * t->c * t->k / t->groups, t->type, 2), upload(t->k, t->type, 3),
                  NULL},
                 NULL};
    CHECK(cudaMalloc(&b.p[3], (size_t)(cube(result_size(t)) * t->k) * element(t->type) + 16));
    CHECK(cudaMalloc(&b.workspace, (size_t)workspace));
    return b;
}

/* Executed through a graph of two replays, as bundles do. */
static void execute(cudnnHandle_t h, descriptor plan, descriptor variant) {
    cudaStream_t s;
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    CHECK(cudaDeviceSynchronize());
    CHECK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
    CHECK(cudnnSetStream(h, s));
    CHECK(cudaStreamBeginCapture(s, cudaStreamCaptureModeThreadLocal));
    CHECK(cudnnBackendExecute(h, plan, variant));
    CHECK(cudaStreamEndCapture(s, &graph));
    CHECK(cudaGraphInstantiate(&exec, graph, 0));
    CHECK(cudaGraphLaunch(exec, s));
    CHECK(cudaGraphLaunch(exec, s));
    CHECK(cudaStreamSynchronize(s));
    CHECK(cudaGraphExecDestroy(exec));
    CHECK(cudaGraphDestroy(graph));
    CHECK(cudnnSetStream(h, NULL));
    CHECK(cudaStreamDestroy(s));
}

static void misuse(const char *how, buffers *b, int64_t workspace) {
    if (strcmp(how, "workspace-overlap") == 0) b->p[3] = b->workspace;
    if (strcmp(how, "workspace-short") == 0)
        b->workspace = (uint8_t *)b->workspace + (workspace > 16 ? 16 : 0);
    if (strcmp(how, "unwritten") == 0) CHECK(cudaMalloc(&b->p[0], 1 << 20));
    if (strcmp(how, "misaligned") == 0) b->p[3] = (uint8_t *)b->p[3] + 8;
    if (strcmp(how, "in-place") == 0) b->p[3] = b->p[0];
}

static void run(const test_case *t, const char *how) {
    cudnnHandle_t h;
    int64_t workspace = 0;
    CHECK(cudnnCreate(&h));
    descriptor plan = build(h, t, &workspace);
    if (!plan) {
        printf("%s: no plan\n", t->name);
        failures++;
    } else {
        const size_t n = (size_t)(cube(result_size(t)) * t->k) * element(t->type);
        uint8_t *y = malloc(n);
        buffers b = make_buffers(t, workspace);
        misuse(how, &b, workspace);
        execute(h, plan, pack(&b, t->backward));
        CHECK(cudaMemcpy(y, b.p[3], n, cudaMemcpyDeviceToHost));
        compare(t, y);
        for (int i = 0; i < 4; i++) CHECK(cudaFree(b.p[i]));
        CHECK(cudaFree(b.workspace));
        free(y);
    }
    destroy_all();
    CHECK(cudnnDestroy(h));
}

int main(int argc, char **argv) {
    const cudnnDataType_t f32 = CUDNN_DATA_FLOAT, f16 = CUDNN_DATA_HALF, bf16 = CUDNN_DATA_BFLOAT16;
    const test_case cases[] = {
        /* name c k groups size kernel stride pad dilation backward relu type strict tolerance */
        {"f32 3x3x3", 8, 16, 1, 6, 3, 1, 0, 1, false, true, f32, true, 1e-6},
        {"f32 padded", 16, 40, 1, 9, 3, 1, 1, 1, false, true, f32, true, 1e-6},
        {"f32 strided", 8, 8, 1, 9, 3, 2, 1, 1, false, false, f32, true, 1e-6},
        {"f32 dilated", 8, 8, 1, 9, 3, 1, 2, 2, false, false, f32, true, 1e-6},
        {"f32 grouped", 16, 16, 4, 6, 3, 1, 1, 1, false, false, f32, true, 1e-6},
        {"f32 1x1x1", 24, 3, 1, 7, 1, 1, 0, 1, false, false, f32, true, 1e-6},
        {"tf32 3x3x3", 8, 16, 1, 6, 3, 1, 0, 1, false, true, f32, false, 1e-6},
        {"f32 transposed", 16, 8, 1, 4, 2, 2, 0, 1, true, false, f32, true, 1e-6},
        {"f32 transposed, overlapping", 8, 8, 1, 5, 3, 2, 1, 1, true, false, f32, true, 1e-6},
        {"f16 3x3x3", 16, 32, 1, 6, 3, 1, 1, 1, false, true, f16, false, 5e-4},
        {"f16 transposed", 16, 8, 1, 4, 2, 2, 0, 1, true, false, f16, false, 5e-4},
        {"bf16 3x3x3", 16, 32, 1, 6, 3, 1, 1, 1, false, true, bf16, false, 4e-3},
    };
    if (argc > 1) {
        run(&cases[0], argv[1]);
        return 0;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) run(&cases[i], "");
    if (compiled == 0) {
        printf("no plan of an engine that is compiled at run time\n");
        failures++;
    }
    printf("%d failures\n", failures);
    return failures != 0;
}
