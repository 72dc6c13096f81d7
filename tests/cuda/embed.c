/* embed.c: a host of the bundle `tiny`, written against its header alone. Each mode prints "ok", or what is
 * wrong, or the status and the message of what failed, and exits 1; 2 where a failure leaves the handle
 * unusable. What comes out must be what tiny_reference.h computes. Run where a GPU is, or on the simulated
 * one.
 *
 *   embed MODE [SOURCE]      SOURCE: where mode tune's plans must come from, "tuned" or "cache"
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cuda_runtime_api.h>

#include "runtime/vox_weights.h"
#include "tiny_cuda.h"
#include "tiny_reference.h"

enum { RUNS = 5 }; /* of mode many */
typedef float scores[TINY_OUTPUT_0_COUNT];
typedef struct host {
    char line[512], pending[512]; /* the last messages: of a failure, of an error from before */
    void *weights;
    size_t weights_bytes;
    const vox_cuda_model *model;
    const char *source;
    float image[TINY_INPUT_0_COUNT];
    scores got;
    double want[TINY_OUTPUT_0_COUNT];
} host;

static void message(void *user, const char *line) {
    host *h = user;
    const int before = strncmp(line, "an error from before", 20) == 0;
    snprintf(before ? h->pending : h->line, sizeof h->line, "%s", line);
}

static int say(const host *h, const char *what, int status) {
    printf("%s: %s: %s\n", what, vox_status_text((vox_status)status), h->line[0] ? h->line : "no message");
    return 1;
}

static int wrong_is(const char *what) {
    puts(what);
    return 1;
}

static int read_weights(host *h) {
    FILE *f = fopen("tiny.weights", "rb");
    h->model = tiny_cuda_get_model();
    h->weights = malloc(TINY_WEIGHTS_BYTES);
    if (!f || !h->weights) return 1;
    h->weights_bytes = fread(h->weights, 1, TINY_WEIGHTS_BYTES, f);
    fclose(f);
    return 0;
}

/* Image number n, and what the network makes of it. */
static void imagine(host *h, int n) {
    for (int i = 0; i < (int)TINY_INPUT_0_COUNT; i++)
        h->image[i] = (float)((i * 37 + n * 13) % 101) / 50.0f - 1.0f;
    tiny_reference(h->model, h->weights, h->image, h->want);
}

static int differs(const host *h, const scores got) {
    const double allowed = h->model->type == VOX_CUDA_F32    ? 2e-5
                           : h->model->type == VOX_CUDA_BF16 ? 0.1
                                                             : 0.01;
    for (int i = 0; i < (int)TINY_OUTPUT_0_COUNT; i++) {
        if (isnan(h->want[i]) && isnan(got[i])) continue;
        if (fabs((double)got[i] - h->want[i]) <= allowed) continue;
        printf("score %d is %.9g, not %.9g\n", i, (double)got[i], h->want[i]);
        return 1;
    }
    return 0;
}

static int create(host *h, const vox_cuda_options *options, tiny_cuda **handle) {
    vox_status status = tiny_cuda_create(h->weights, h->weights_bytes, options, handle);
    if (status == VOX_OK) return 0;
    if (*handle) return wrong_is("a handle in spite of a failure");
    return say(h, "create", status);
}

/* ---- from and to host memory ----------------------------------------------------------------- */

/* Twice, so that a graph is captured and used again. Once is asked for again where it fails: a failure may
 * cost a run, not the handle. */
static int run_twice(host *h, tiny_cuda *handle) {
    int failed = 0;
    for (int i = 0; i < 2; i++) {
        imagine(h, i);
        vox_status status = tiny_cuda_run_host(handle, h->image, h->got);
        if (status != VOX_OK) {
            failed = say(h, "run_host", status);
            if (tiny_cuda_run_host(handle, h->image, h->got) != VOX_OK) return puts("not usable any more"), 2;
        }
        if (differs(h, h->got)) return failed ? 2 : 1;
    }
    return failed;
}

static int run(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    int code = create(h, &options, &handle);
    if (code == 0) code = run_twice(h, handle);
    tiny_cuda_destroy(handle);
    return code;
}

static int steps(host *h, vox_cuda_options options) {
    options.no_graph = 1;
    options.workspace_cap = -1;
    options.deterministic = 1;
    return run(h, options);
}

/* NaN comes out of every layer that it reaches, the ReLUs that cuDNN fuses included. */
static int nan_passes(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    int code = create(h, &options, &handle), nans = 0;
    if (code) return code;
    imagine(h, 0);
    h->image[77] = NAN;
    tiny_reference(h->model, h->weights, h->image, h->want);
    vox_status status = tiny_cuda_run_host(handle, h->image, h->got);
    for (int i = 0; i < (int)TINY_OUTPUT_0_COUNT; i++) nans += isnan(h->want[i]);
    code = status != VOX_OK ? say(h, "run_host", status) : differs(h, h->got);
    if (code == 0 && nans == 0) code = wrong_is("the reference has no NaN");
    tiny_cuda_destroy(handle);
    return code;
}

/* A GPU each, both under way at once. */
static int two(host *h, vox_cuda_options options) {
    tiny_cuda *handle[2] = {NULL, NULL};
    int code = 0;
    for (int i = 0; i < 2 && code == 0; i++) {
        options.device = i;
        code = create(h, &options, &handle[i]);
    }
    for (int i = 0; i < 4 && code == 0; i++) {
        imagine(h, i);
        vox_status status = tiny_cuda_run_host(handle[i % 2], h->image, h->got);
        code = status != VOX_OK ? say(h, "run_host", status) : differs(h, h->got);
    }
    for (int i = 0; i < 2; i++) tiny_cuda_destroy(handle[i]);
    return code;
}

/* Five runs by launches of two, the last alone: as many ahead as the handle takes. */
static int run_ahead(host *h, tiny_cuda *handle) {
    const void *const inputs[] = {h->image};
    void *const outputs[] = {h->got};
    vox_status status = VOX_OK;
    if (vox_cuda_at_once(handle) != 2 * VOX_CUDA_SLOTS) return wrong_is("not twice two at once");
    for (int collected = 0, submitted = 0; collected < RUNS && status == VOX_OK; collected++) {
        for (; submitted < RUNS && submitted < collected + 4 && status == VOX_OK; submitted++) {
            imagine(h, submitted);
            status = vox_cuda_submit(handle, inputs);
        }
        if (status == VOX_OK && submitted == collected + 4 &&
            vox_cuda_submit(handle, inputs) != VOX_E_ARGUMENT)
            return wrong_is("a run too many");
        if (status == VOX_OK) status = vox_cuda_collect(handle, outputs);
        imagine(h, collected);
        if (status == VOX_OK && differs(h, h->got)) return 1;
    }
    if (status != VOX_OK) return say(h, "many", status);
    return vox_cuda_collect(handle, outputs) == VOX_E_ARGUMENT ? 0 : wrong_is("a run from nowhere");
}

static int many(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    options.tiles = 2;
    int code = create(h, &options, &handle);
    if (code == 0) code = run_ahead(h, handle);
    tiny_cuda_destroy(handle);
    return code;
}

/* As many tiles as memory holds, but one in memory of the caller's. */
static int tiles(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    options.tiles = -3;
    int bad = create(h, &options, &handle);
    if (bad) return bad;
    bad = vox_cuda_at_once(handle) != 3 * VOX_CUDA_SLOTS;
    bad |= tiny_cuda_arena_bytes(handle) < 3 * TINY_CUDA_ARENA_BYTES;
    tiny_cuda_destroy(handle);
    options.tiles = VOX_CUDA_TILES + 1;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_ARGUMENT;
    options.tiles = 2;
    options.arena = h; /* nor is it looked at */
    options.arena_bytes = TINY_CUDA_ARENA_BYTES;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_ARGUMENT;
    return bad || handle ? wrong_is("tiles") : 0;
}

/* ---- the caller's memory and streams --------------------------------------------------------- */

/* More outputs than graphs are kept. */
enum { OUTPUTS = 6 };
typedef struct device_memory {
    void *arena, *image;
    float *scores[OUTPUTS];
    cudaStream_t stream;
} device_memory;

static int allocate(host *h, device_memory *d, size_t arena) {
    int bad = cudaMalloc(&d->arena, arena) || cudaMalloc(&d->image, TINY_INPUT_0_BYTES) ||
              cudaStreamCreateWithFlags(&d->stream, cudaStreamNonBlocking);
    for (int i = 0; i < OUTPUTS; i++) bad = bad || cudaMalloc((void **)&d->scores[i], TINY_OUTPUT_0_BYTES);
    imagine(h, 0);
    return bad ||
           cudaMemcpyAsync(d->image, h->image, TINY_INPUT_0_BYTES, cudaMemcpyHostToDevice, d->stream) ||
           cudaStreamSynchronize(d->stream);
}

static void release(const device_memory *d) {
    cudaFree(d->arena);
    cudaFree(d->image);
    for (int i = 0; i < OUTPUTS; i++) cudaFree(d->scores[i]);
    if (d->stream) cudaStreamDestroy(d->stream);
}

/* The first n outputs. */
static int judge(host *h, const device_memory *d, int n) {
    for (int i = 0; i < n; i++) {
        if (cudaMemcpyAsync(h->got, d->scores[i], TINY_OUTPUT_0_BYTES, cudaMemcpyDeviceToHost, d->stream) ||
            cudaStreamSynchronize(d->stream))
            return wrong_is("an output cannot be copied");
        if (differs(h, h->got)) return 1;
    }
    return 0;
}

static int run_on_stream(host *h, const device_memory *d, vox_cuda_options options, size_t arena) {
    tiny_cuda *handle = NULL;
    options.arena = d->arena;
    options.arena_bytes = arena;
    int code = create(h, &options, &handle);
    vox_status status = VOX_OK;
    for (int i = 0; i < 2 * OUTPUTS && status == VOX_OK && code == 0; i++)
        status = tiny_cuda_run(handle, d->stream, d->image, d->scores[i % OUTPUTS]);
    if (code == 0 && status != VOX_OK) code = say(h, "run", status);
    if (code == 0 && tiny_cuda_arena_bytes(handle) > arena) code = wrong_is("the arena has grown");
    if (code == 0) code = judge(h, d, OUTPUTS);
    tiny_cuda_destroy(handle);
    return code;
}

static int arena(host *h, vox_cuda_options options) {
    device_memory d = {0};
    int code = allocate(h, &d, TINY_CUDA_ARENA_BYTES);
    if (code == 0) code = run_on_stream(h, &d, options, TINY_CUDA_ARENA_BYTES);
    release(&d);
    return code;
}

static void plans_of(tiny_cuda *handle, char text[2048]) {
    text[0] = 0;
    for (int i = 0; i < 8; i++)
        snprintf(text + strlen(text), 2048 - strlen(text), "%s\n", vox_cuda_plan_text(handle, i));
}

/* The caller's arena of the size that is asked for: the plans of a handle with its own. */
static int wanted(host *h, vox_cuda_options options) {
    static char own[2048], given[2048];
    device_memory d = {0};
    tiny_cuda *handle = NULL;
    size_t bytes = 0;
    if (tiny_cuda_arena_wanted(&options, NULL) != VOX_E_ARGUMENT) return wrong_is("no place for the answer");
    vox_status status = tiny_cuda_arena_wanted(&options, &bytes);
    int code = status != VOX_OK ? say(h, "arena_wanted", status) : create(h, &options, &handle);
    if (code) return code;
    plans_of(handle, own);
    if (tiny_cuda_arena_bytes(handle) != bytes) code = wrong_is("another size than the handle's own");
    tiny_cuda_destroy(handle);
    handle = NULL;
    if (code == 0) code = allocate(h, &d, bytes);
    if (code == 0) code = run_on_stream(h, &d, options, bytes);
    options.arena = d.arena;
    options.arena_bytes = bytes;
    if (code == 0) code = create(h, &options, &handle);
    if (code == 0) plans_of(handle, given);
    if (code == 0 && strcmp(own, given) != 0) code = wrong_is("other plans in an arena of the wanted size");
    if (code == 0 && h->model->type == VOX_CUDA_F32 && bytes <= TINY_CUDA_ARENA_BYTES)
        code = wrong_is("no workspace is wanted: this tests nothing");
    tiny_cuda_destroy(handle);
    release(&d);
    return code;
}

/* ---- the caller's capture -------------------------------------------------------------------- */

/* What waits is refused, and a second handle comes and goes; the capture does not notice. */
static int refuses_to_wait(host *h, const device_memory *d, vox_cuda_options options, tiny_cuda *handle) {
    tiny_cuda *other = NULL;
    float milliseconds[64];
    int bad = tiny_cuda_run_host(handle, h->image, h->got) != VOX_E_ARGUMENT;
    bad |= vox_cuda_selftest(handle, NULL, NULL) != VOX_E_ARGUMENT;
    bad |= vox_cuda_time_layers(handle, milliseconds) != VOX_E_ARGUMENT;
    bad |= vox_cuda_time_run(handle, milliseconds) != VOX_E_ARGUMENT;
    if (bad) return wrong_is("waits in a capture");
    options.stream = NULL;
    int code = create(h, &options, &other);
    if (code == 0 && tiny_cuda_run_host(other, h->image, h->got) != VOX_OK) code = say(h, "the other", 0);
    if (code == 0) code = differs(h, h->got);
    tiny_cuda_destroy(other);
    enum cudaStreamCaptureStatus state = cudaStreamCaptureStatusNone;
    if (cudaStreamIsCapturing(d->stream, &state) || state != cudaStreamCaptureStatusActive)
        return wrong_is("the capture is broken");
    return code;
}

static int capture_two(host *h, const device_memory *d, const vox_cuda_options *options, tiny_cuda *handle,
                       cudaGraph_t *graph) {
    if (cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeGlobal)) return wrong_is("no capture");
    vox_status status = tiny_cuda_run(handle, d->stream, d->image, d->scores[0]);
    int code = refuses_to_wait(h, d, *options, handle);
    if (status == VOX_OK) status = tiny_cuda_run(handle, d->stream, d->image, d->scores[1]);
    const cudaError_t ended = cudaStreamEndCapture(d->stream, graph);
    if (status != VOX_OK) return say(h, "run", status);
    return code ? code : ended ? wrong_is("the capture fails") : 0;
}

/* Two runs as parts of the caller's graph, launched twice; then runs of the handle's own. */
static int capture_on(host *h, const device_memory *d, const vox_cuda_options *options, tiny_cuda *handle) {
    cudaGraph_t graph = NULL;
    cudaGraphExec_t exec = NULL;
    int code = capture_two(h, d, options, handle, &graph);
    if (code == 0 && cudaGraphInstantiate(&exec, graph, 0)) code = wrong_is("no graph");
    for (int i = 0; i < 2 && code == 0; i++) code = cudaGraphLaunch(exec, d->stream);
    if (code == 0) code = judge(h, d, 2);
    vox_status status = VOX_OK;
    for (int i = 0; i < 2 * OUTPUTS && status == VOX_OK && code == 0; i++)
        status = tiny_cuda_run(handle, d->stream, d->image,
                               d->scores[(i + 2) % OUTPUTS]); /* so that both graphs of before are replaced */
    if (status != VOX_OK) code = say(h, "run after the capture", status);
    if (code == 0) code = judge(h, d, OUTPUTS);
    if (exec) cudaGraphExecDestroy(exec);
    if (graph) cudaGraphDestroy(graph);
    return code ? code : run_twice(h, handle);
}

static int capture(host *h, vox_cuda_options options) {
    device_memory d = {0};
    tiny_cuda *handle = NULL;
    int code = allocate(h, &d, 1);
    options.stream = d.stream;
    if (code == 0) code = create(h, &options, &handle);
    if (code == 0) code = capture_on(h, &d, &options, handle);
    tiny_cuda_destroy(handle);
    release(&d);
    return code;
}

/* ---- the caller's errors --------------------------------------------------------------------- */

/* An error of the host's own is told, as what it is, and no call fails of it. */
static int stale(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    cudaSetDevice(99);
    int code = create(h, &options, &handle);
    if (code == 0 && !strstr(h->pending, "cudaErrorInvalidDevice")) code = wrong_is("the error is swallowed");
    cudaSetDevice(99);
    if (code == 0) code = run_twice(h, handle);
    cudaSetDevice(99);
    if (code == 0 && vox_cuda_selftest(handle, NULL, NULL) != VOX_OK) code = wrong_is("the self-test fails");
    cudaSetDevice(99);
    tiny_cuda_destroy(handle);
    if (code == 0 && h->line[0]) code = wrong_is(h->line);
    return code == 0 && cudaPeekAtLastError() ? wrong_is("an error is left") : code;
}

/* What the header says of wrong arguments. */
static int wrong(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    int bad = tiny_cuda_create(NULL, 0, &options, &handle) != VOX_E_ARGUMENT;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, NULL) != VOX_E_ARGUMENT;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes - 1, &options, &handle) != VOX_E_WEIGHTS_SIZE;
    options.arena = h; /* not device memory, but that is not looked at before its size */
    options.arena_bytes = 1;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_ARENA_SIZE;
    options.arena_bytes = TINY_CUDA_ARENA_BYTES;
    options.arena = (char *)((uintptr_t)h / 256 * 256) + 8;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_ARENA_ALIGN;
    options.arena = NULL;
    options.device = 99;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_NO_DEVICE;
    bad |= tiny_cuda_run(NULL, NULL, h->image, h->got) != VOX_E_ARGUMENT;
    ((char *)h->weights)[h->weights_bytes - 1] ^= 1;
    options.device = 0;
    bad |= tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle) != VOX_E_WEIGHTS_CHECKSUM;
    ((char *)h->weights)[h->weights_bytes - 1] ^= 1;
    return bad || handle ? wrong_is("a wrong argument is taken") : 0;
}

/* A NULL among the ports is refused before anything is under way. */
static int nulls(host *h, vox_cuda_options options) {
    tiny_cuda *handle = NULL;
    int code = create(h, &options, &handle);
    if (code) return code;
    int bad = tiny_cuda_run_host(handle, h->image, NULL) != VOX_E_ARGUMENT;
    bad |= tiny_cuda_run_host(handle, NULL, h->got) != VOX_E_ARGUMENT;
    bad |= tiny_cuda_run(handle, NULL, NULL, h->got) != VOX_E_ARGUMENT;
    code = bad ? wrong_is("NULL is taken") : run_twice(h, handle);
    tiny_cuda_destroy(handle);
    return code;
}

/* A weight that the type on the GPU cannot hold is refused, by name; floats hold it. */
static int range(host *h, vox_cuda_options options) {
    vox_weights_header header;
    tiny_cuda *handle = NULL;
    const float large = 70000;
    unsigned char *file = h->weights;
    memcpy(file + tiny_offset(h->model, "e1.weight") + 40, &large, sizeof large);
    memcpy(&header, file, sizeof header);
    header.checksum = vox_weights_checksum(file, h->weights_bytes);
    memcpy(file, &header, sizeof header);
    vox_status status = tiny_cuda_create(h->weights, h->weights_bytes, &options, &handle);
    tiny_cuda_destroy(handle);
    if (h->model->type != VOX_CUDA_F16) return status == VOX_OK ? 0 : say(h, "create", status);
    if (status != VOX_E_WEIGHTS_NOT_FINITE) return wrong_is("a weight has become infinite");
    return strstr(h->line, "e1.weight") && strstr(h->line, "65504") ? 0 : wrong_is(h->line);
}

static int selftest(host *h, vox_cuda_options options) {
    const char *bad = NULL;
    double worst = 0;
    tiny_cuda *handle = NULL;
    int code = create(h, &options, &handle);
    if (code) return code;
    vox_status status = vox_cuda_selftest(handle, &bad, &worst);
    if (status == VOX_E_SELFTEST) printf("%s is off by %g\n", bad, worst);
    tiny_cuda_destroy(handle);
    return status == VOX_OK ? 0 : say(h, "selftest", status);
}

/* ---- measured plans -------------------------------------------------------------------------- */

/* Leaves a cache of what was not measured. */
static int choose(host *h, vox_cuda_options options) {
    options.plan_cache = "tiny.plans";
    return run(h, options);
}

static int tune(host *h, vox_cuda_options options) {
    static char text[2048];
    tiny_cuda *handle = NULL;
    options.autotune = 1;
    options.plan_cache = "tiny.plans";
    int code = create(h, &options, &handle);
    if (code) return code;
    plans_of(handle, text);
    if (h->source && !strstr(text, h->source)) /* of one candidate there is nothing to measure */
        code = wrong_is(text);
    if (code == 0) code = run_twice(h, handle);
    tiny_cuda_destroy(handle);
    return code;
}

/* ---- modes ----------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    int (*run)(host *h, vox_cuda_options options);
} modes[] = {{"run", run},         {"steps", steps},   {"nan", nan_passes}, {"two", two},
             {"many", many},       {"tiles", tiles},   {"arena", arena},    {"wanted", wanted},
             {"capture", capture}, {"stale", stale},   {"wrong", wrong},    {"nulls", nulls},
             {"range", range},     {"choose", choose}, {"tune", tune},      {"selftest", selftest}};

int main(int argc, char **argv) {
    static host h;
    const char *mode = argc > 1 ? argv[1] : "run";
    const vox_cuda_options options = {.message = message, .user = &h};
    h.source = argc > 2 ? argv[2] : NULL;
    int code = read_weights(&h), known = 0;
    for (size_t i = 0; i < sizeof modes / sizeof *modes && code == 0; i++)
        if (strcmp(mode, modes[i].name) == 0) known = 1, code = modes[i].run(&h, options);
    if (!known) code = wrong_is("no such mode");
    free(h.weights);
    if (code == 0) puts("ok");
    return code;
}
