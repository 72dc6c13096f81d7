/* bundle_lib.h: from IR text to a compiled bundle loaded into the test, and its comparison with the
 * interpreter. */
#ifndef VOXC_BUNDLE_LIB_H
#define VOXC_BUNDLE_LIB_H

#include "test.h"

#include <dlfcn.h>

#include "codegen.h"
#include "ir.h"
#include "pipeline.h"
#include "vox.h"

/* ---- writing --------------------------------------------------------------------------------- */

static TEST_UNUSED bool emit_to_folder(void *ctx, const char *path, const void *data, size_t size,
                                       ir_diag *d) {
    (void)d;
    char *full = test_format("%s/%s", (const char *)ctx, path);
    for (char *p = full + 1; (p = strchr(p, '/')); p++) {
        *p = 0;
        mkdir(full, 0777);
        *p = '/';
    }
    test_write(full, data, size);
    free(full);
    return true;
}

static TEST_UNUSED ir_graph *parse_or_fail(const char *text) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(text, "test", NULL, NULL, &d);
    if (!g) fail_msg("%s", d.text);
    return g;
}

static TEST_UNUSED void must(bool ok, const ir_diag *d) {
    if (!ok) fail_msg("%s", d->text);
}

/* Plans g as voxc does; after_pass, which may be NULL, is called behind each pass. */
static TEST_UNUSED void plan_with(ir_graph *g, void (*after_pass)(ir_graph *g, const char *pass)) {
    pass_report reports[MAX_PASSES];
    int count;
    ir_diag d = {0};
    must(pipeline_run(g, &(pipeline_options){.after_pass = after_pass}, reports, &count, &d), &d);
}
static TEST_UNUSED void plan(ir_graph *g) {
    plan_with(g, NULL);
}

static TEST_UNUSED cg_options test_options(void) {
    cg_options o = {.version = "0.1", .options = "--test", .input = "test.ir"};
    cg_sha256("test", 4, o.input_sha256);
    return o;
}

static TEST_UNUSED void write_bundle(const ir_graph *g, char *dir) {
    ir_diag d = {0};
    cg_options o = test_options();
    must(cg_write_bundle(g, &o, emit_to_folder, dir, &d), &d);
}

static TEST_UNUSED void shell_ok(const char *cmd) {
    char *out;
    if (test_run(cmd, &out) != 0) fail_msg("%s\n%s", cmd, out);
    free(out);
}

/* ---- loading --------------------------------------------------------------------------------- */

typedef struct loaded {
    void *handle;
    const vox_model_info *info;
    char *weights;
    size_t weights_bytes;
    void *prepared, *arena;
    size_t arena_bytes;
} loaded;

static TEST_UNUSED void *aligned_bytes(size_t n) {
    void *p = aligned_alloc(64, (n + 63) / 64 * 64);
    if (!p) abort();
    return p;
}

/* Builds dir/lib<m>.a with the compiler `cc` and loads it; prepares the weights. */
static TEST_UNUSED loaded load_bundle(const char *dir, const char *m, const char *cc, const char *cflags) {
    char *cmd = test_format(
        "make -s -C '%s' lib CC=%s CFLAGS='%s -Werror' && %s -shared -o '%s/%s.so' -Wl,--whole-archive "
        "'%s/lib%s.a' -Wl,--no-whole-archive -lm -pthread",
        dir, cc, cflags, cc, dir, m, dir, m);
    shell_ok(cmd);
    free(cmd);
    loaded l = {0};
    char *so = test_format("%s/%s.so", dir, m), *symbol = test_format("%s_get_info", m);
    char *weights = test_format("%s/%s.weights", dir, m);
    l.handle = dlopen(so, RTLD_NOW | RTLD_LOCAL);
    if (!l.handle) fail_msg("%s", dlerror());
    void *found = dlsym(l.handle, symbol);
    assert_non_null(found);
    const vox_model_info *(*get_info)(void);
    memcpy(&get_info, &found, sizeof get_info);
    l.info = get_info();
    l.weights = test_read(weights, &l.weights_bytes);
    l.prepared = aligned_bytes(l.info->prepared_bytes);
    l.arena_bytes = l.info->selftest_bytes;
    l.arena = aligned_bytes(l.arena_bytes);
    assert_int_equal(l.info->prepare(l.weights, l.weights_bytes, l.prepared, l.info->prepared_bytes), VOX_OK);
    free(so);
    free(symbol);
    free(weights);
    return l;
}

static TEST_UNUSED void unload(loaded *l) {
    free(l->weights);
    free(l->prepared);
    free(l->arena);
    dlclose(l->handle);
}

/* ---- comparing ------------------------------------------------------------------------------- */

static TEST_UNUSED size_t port_count(const vox_port *p) {
    size_t n = 1;
    for (int i = 0; i < p->rank; i++) n *= (size_t)p->dim[i];
    return n;
}

/* Buffers of a run; inputs hold seeded numbers. */
typedef struct buffers {
    void *in[64], *out[64];
} buffers;

static TEST_UNUSED buffers make_buffers(const vox_model_info *info) {
    buffers b = {0};
    uint64_t state = 7;
    for (int i = 0; i < info->n_inputs; i++) {
        size_t n = port_count(&info->inputs[i]);
        float *f = aligned_bytes(n * 8);
        for (size_t k = 0; k < n; k++) f[k] = (float)(test_random_bits(&state) >> 40) * 0x1p-23f - 1.0f;
        b.in[i] = f;
    }
    for (int i = 0; i < info->n_outputs; i++) {
        size_t bytes = port_count(&info->outputs[i]) * 8;
        b.out[i] = aligned_bytes(bytes);
        memset(b.out[i], 0xA5, bytes);
    }
    return b;
}

static TEST_UNUSED void free_buffers(buffers *b) {
    for (int i = 0; i < 64; i++) free(b->in[i]), free(b->out[i]);
}

static TEST_UNUSED void compare_port(const vox_port *p, const void *got, const ir_value *want, double limit) {
    double difference = 0, total = 0;
    for (size_t i = 0; i < port_count(p); i++) {
        double g = p->dtype == VOX_F32   ? (double)((const float *)got)[i]
                   : p->dtype == VOX_I64 ? (double)((const int64_t *)got)[i]
                   : p->dtype == VOX_I32 ? (double)((const int32_t *)got)[i]
                                         : (double)((const uint8_t *)got)[i];
        double w = want->f ? want->f[i] : (double)want->i[i];
        if ((isnan(g) && isnan(w)) || g == w) continue;
        difference += (g - w) * (g - w);
        total += w * w;
    }
    if (!(difference <= limit * limit * total)) /* also when NaN */
        fail_msg("%s: relative RMS error %g", p->name, sqrt(difference / total));
}

/* Interprets `g` with the buffers' inputs and compares every output. */
static TEST_UNUSED void compare_with_interpreter(const ir_graph *g, const vox_model_info *info,
                                                 const buffers *b, double limit) {
    ir_value in[64] = {{0}}, out[64] = {{0}};
    ir_diag d = {0};
    for (int i = 0; i < info->n_inputs; i++) {
        size_t n = port_count(&info->inputs[i]);
        in[i].f = malloc(n * sizeof(double));
        for (size_t k = 0; k < n; k++) in[i].f[k] = (double)((const float *)b->in[i])[k];
    }
    must(ir_interpret(g, in, out, 2, NULL, NULL, &d), &d);
    for (int i = 0; i < info->n_outputs; i++) compare_port(&info->outputs[i], b->out[i], &out[i], limit);
    ir_values_free(out, info->n_outputs);
    for (int i = 0; i < info->n_inputs; i++) free(in[i].f);
}

static TEST_UNUSED vox_status run_with(const loaded *l, const buffers *b, const vox_executor *e) {
    return l->info->run(l->prepared, (const void *const *)b->in, b->out, l->arena, l->info->arena_bytes, e);
}

#endif
