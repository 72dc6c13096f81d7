/* emitted_lib.h: many small networks as emitted C in few builds, and runs of them that see every byte out of
 * place.
 *
 * All layers of a build are one translation unit, so that the runtime's headers, which take seconds, are
 * compiled once: without inlining of what is not a tile. Bundles' own files stay as they are written.
 */
#ifndef VOXC_EMITTED_LIB_H
#define VOXC_EMITTED_LIB_H

#include <ctype.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen.h"
#include "ir.h"
#include "vox.h"
#include "vox_model.h"

#ifndef TEST_UNUSED
#define TEST_UNUSED __attribute__((unused))
#endif

/* ---- writing and building -------------------------------------------------------------------- */

/* Sources, weights and the runtime's headers, which all graphs of a folder share. */
static bool emitted_keeps(const char *path) {
    size_t n = strlen(path);
    if (strncmp(path, "runtime/vox_", 12) == 0 || strcmp(path, "runtime/vox.h") == 0) return true;
    bool source = n > 2 && (strcmp(path + n - 2, ".c") == 0 || strcmp(path + n - 2, ".h") == 0);
    return !strchr(path, '/') && (source || strstr(path, ".weights")) && !strstr(path, "_main.c");
}

static bool emitted_file(void *dir, const char *path, const void *data, size_t size, ir_diag *d) {
    char full[4096];
    if (!emitted_keeps(path)) return true;
    snprintf(full, sizeof full, "%s/runtime", (const char *)dir);
    mkdir(full, 0777);
    snprintf(full, sizeof full, "%s/%s", (const char *)dir, path);
    if (strchr(path, '/') && access(full, R_OK) == 0) return true;
    FILE *f = fopen(full, "wb");
    bool ok = f && fwrite(data, 1, size, f) == size;
    if (f && fclose(f)) ok = false;
    return ok || ir_fail(d, IR_EXIT_FAILURE, "%s: can't be written", full);
}

/* Writes the sources and weights of a graph planned for target c; its name must be its own in dir. */
static TEST_UNUSED bool emitted_write(const ir_graph *planned, char *dir, ir_diag *d) {
    cg_options o = {.version = "0", .options = "", .input = "model.ir"};
    cg_sha256("", 0, o.input_sha256);
    return cg_write_bundle(planned, &o, emitted_file, dir, d);
}

#define EMITTED_WARNINGS "-std=c11 -Wall -Wextra -Werror -I. -fPIC"

/* The text of a shell command's output, its end where it is long. */
static bool emitted_shell(const char *command, char *log, size_t n) {
    FILE *pipe = popen(command, "r");
    char line[512];
    log[0] = 0;
    while (pipe && fgets(line, sizeof line, pipe))
        if (strlen(log) + strlen(line) < n) strcat(log, line);
    return pipe && pclose(pipe) == 0;
}

/* The layers once, as the build that runs: see emitted_open. */
static void emitted_include(FILE *f, const char *name) {
#if defined(__x86_64__)
    fprintf(f, "#include \"%s_kernels.c\"\n", name);
    fprintf(f, "const vox_layer %s_layers_avx2[] = {{0}}, %s_layers_avx512[] = {{0}};\n", name, name);
#else
    const char *isa = "baseline";
#if defined(__aarch64__)
    isa = "neon";
#endif
    fprintf(f, "#define ");
    for (const char *c = name; *c; c++) fputc(toupper((unsigned char)*c), f);
    fprintf(f, "_LAYERS %s_layers_%s\n", name, isa);
    fprintf(f, "#include \"%s_kernels.c\"\n", name);
#endif
}

/* Compiles the named graphs in dir to dir/all.so, run from the repository's root. flags: of the kernels. */
static TEST_UNUSED bool emitted_build(const char *dir, char *const *names, int count, const char *flags,
                                      char *log, size_t n) {
    char path[4096], command[16384];
    snprintf(path, sizeof path, "%s/all_kernels.c", dir);
    FILE *f = fopen(path, "w");
    for (int i = 0; f && i < count; i++) emitted_include(f, names[i]);
    if (!f || fclose(f)) return false;
    snprintf(path, sizeof path, "%s/list", dir);
    f = fopen(path, "w");
    for (int i = 0; f && i < count; i++) fprintf(f, "%s.c\n", names[i]);
    if (!f || fclose(f)) return false;
    snprintf(command, sizeof command,
             "{ cd '%s' && gcc " EMITTED_WARNINGS " -O0 -c @list && "
             "gcc " EMITTED_WARNINGS " -O1 -fno-inline -ffp-contract=fast %s -c all_kernels.c && "
             "gcc -shared -o all.so *.o -lm && rm -f *.o; } 2>&1",
             dir, flags);
    return emitted_shell(command, log, n);
}

/* Whether each graph's kernels include all that they need; the first that does not is in the log. */
static TEST_UNUSED bool emitted_alone(const char *dir, const char *name, char *log, size_t n) {
    char command[8192];
    snprintf(command, sizeof command, "gcc " EMITTED_WARNINGS " -fsyntax-only '%s/%s_kernels.c' 2>&1", dir,
             name);
    return emitted_shell(command, log, n);
}

/* ---- memory that nobody may leave ------------------------------------------------------------ */

enum { EMITTED_CANARY = 0xA5 };
typedef struct emitted_block {
    char *map, *data, *page;
    size_t mapped, bytes;
} emitted_block;

/* Ends at a page that can't be touched, where align allows; begins behind one. Filled with `fill`. */
static emitted_block emitted_alloc(size_t bytes, size_t align, int fill) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t inner = (bytes + align + page - 1) / page * page;
    emitted_block b = {.mapped = inner + 2 * page, .bytes = bytes};
    b.map = mmap(NULL, b.mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (b.map == MAP_FAILED || mprotect(b.map + page, inner, PROT_READ | PROT_WRITE)) abort();
    b.page = b.map + page;
    b.data = b.page + (inner - bytes) / align * align;
    memset(b.page, EMITTED_CANARY, inner);
    memset(b.data, fill, bytes);
    return b;
}

/* Whether what lies around the block is as it was. */
static bool emitted_intact(const emitted_block *b) {
    const char *end = b->map + b->mapped - (b->page - b->map);
    for (const char *p = b->page; p < end; p++)
        if ((p < b->data || p >= b->data + b->bytes) && (unsigned char)*p != EMITTED_CANARY) return false;
    return true;
}

static void emitted_lock(const emitted_block *b) {
    if (mprotect(b->page, b->mapped - 2 * (size_t)(b->page - b->map), PROT_READ)) abort();
}

static void emitted_free(emitted_block *b) {
    if (b->map) munmap(b->map, b->mapped);
}

/* ---- running --------------------------------------------------------------------------------- */

enum { EMITTED_PORTS = 64 };
typedef struct emitted_run {
    const vox_model_info *info;
    emitted_block weights, prepared, arena, in[EMITTED_PORTS], out[EMITTED_PORTS], again[EMITTED_PORTS];
} emitted_run;

static size_t emitted_count(const vox_port *p) {
    size_t n = 1;
    for (int i = 0; i < p->rank; i++) n *= (size_t)p->dim[i];
    return n;
}

static bool emitted_weights(emitted_run *r, const char *dir, const char *name, ir_diag *d) {
    char path[4096];
    struct stat s;
    snprintf(path, sizeof path, "%s/%s.weights", dir, name);
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &s)) return ir_fail(d, IR_EXIT_FAILURE, "%s: not there", path);
    r->weights = emitted_alloc((size_t)s.st_size, VOX_ALIGN, 0);
    bool ok = fread(r->weights.data, 1, r->weights.bytes, f) == r->weights.bytes;
    fclose(f);
    return ok || ir_fail(d, IR_EXIT_FAILURE, "%s: can't be read", path);
}

/* Opens graph `name` of dir/all.so: weights prepared, inputs to be filled, nothing run. */
static TEST_UNUSED bool emitted_open(emitted_run *r, const char *dir, const char *name, ir_diag *d) {
    /* The runtime is the test's own. */
    static void *const needed[] = {(void *)vox_model_run, (void *)vox_model_prepare,
                                   (void *)vox_model_selftest, (void *)vox_model_isa};
    char path[4096];
    (void)needed;
    *r = (emitted_run){.info = NULL};
    snprintf(path, sizeof path, "%s/all.so", dir);
#if defined(__x86_64__)
    setenv("VOX_ISA", "baseline", 1); /* whatever instructions gcc was allowed to use */
#endif
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle) return ir_fail(d, IR_EXIT_FAILURE, "dlopen: %s", dlerror());
    snprintf(path, sizeof path, "%s_get_info", name);
    const vox_model_info *(*get_info)(void);
    void *found = dlsym(handle, path);
    if (!found) return ir_fail(d, IR_EXIT_FAILURE, "%s: %s", path, dlerror());
    memcpy(&get_info, &found, sizeof get_info);
    r->info = get_info();
    if (!emitted_weights(r, dir, name, d)) return false;
    r->prepared = emitted_alloc(r->info->prepared_bytes, VOX_ALIGN, 0xFF);
    r->arena = emitted_alloc(r->info->arena_bytes, VOX_ALIGN, 0xFF);
    for (int i = 0; i < r->info->n_inputs; i++) {
        size_t size = vox_dtype_bytes(r->info->inputs[i].dtype);
        r->in[i] = emitted_alloc(emitted_count(&r->info->inputs[i]) * size, size, 0);
    }
    emitted_lock(&r->weights);
    vox_status s = r->info->prepare(r->weights.data, r->weights.bytes, r->prepared.data, r->prepared.bytes);
    emitted_lock(&r->prepared);
    return s == VOX_OK || ir_fail(d, IR_EXIT_FAILURE, "prepare: %s", vox_status_text(s));
}

static bool emitted_run_with(emitted_run *r, emitted_block *out, const vox_executor *e, int poison,
                             ir_diag *d) {
    const void *in[EMITTED_PORTS];
    void *to[EMITTED_PORTS];
    for (int i = 0; i < r->info->n_inputs; i++) in[i] = r->in[i].data;
    for (int i = 0; i < r->info->n_outputs; i++) {
        size_t size = vox_dtype_bytes(r->info->outputs[i].dtype);
        out[i] = emitted_alloc(emitted_count(&r->info->outputs[i]) * size, size, EMITTED_CANARY);
        to[i] = out[i].data;
    }
    memset(r->arena.data, poison, r->arena.bytes);
    vox_status s = r->info->run(r->prepared.data, in, to, r->arena.data, r->arena.bytes, e);
    if (s != VOX_OK) return ir_fail(d, IR_EXIT_FAILURE, "run: %s", vox_status_text(s));
    bool intact = emitted_intact(&r->arena) && emitted_intact(&r->prepared);
    for (int i = 0; i < r->info->n_outputs; i++) intact = intact && emitted_intact(&out[i]);
    return intact || ir_fail(d, IR_EXIT_FAILURE, "bytes around a buffer have been written");
}

/* With one thread and with three: the same bits. */
static TEST_UNUSED bool emitted_compute(emitted_run *r, ir_diag *d) {
    for (int i = 0; i < r->info->n_inputs; i++) emitted_lock(&r->in[i]);
    vox_pool *pool = vox_pool_create(3);
    vox_executor e = {.parallel_for = vox_pool_parallel_for, .pool = pool};
    bool ok = emitted_run_with(r, r->out, NULL, 0xFF, d) && emitted_run_with(r, r->again, &e, 0x7F, d);
    vox_pool_destroy(pool);
    for (int i = 0; ok && i < r->info->n_outputs; i++)
        ok = memcmp(r->out[i].data, r->again[i].data, r->out[i].bytes) == 0 ||
             ir_fail(d, IR_EXIT_FAILURE, "output %d depends on the number of threads", i);
    return ok;
}

/* The self-test of all layers. */
static TEST_UNUSED bool emitted_selftest(emitted_run *r, ir_diag *d) {
    const char *bad = NULL;
    double worst = 0;
    emitted_block arena = emitted_alloc(r->info->selftest_bytes, VOX_ALIGN, 0xFF);
    vox_status s = r->info->selftest(r->prepared.data, arena.data, arena.bytes, NULL, &bad, &worst);
    emitted_free(&arena);
    return s == VOX_OK || ir_fail(d, IR_EXIT_FAILURE, "self-test: %s: layer %s, error %.3g",
                                  vox_status_text(s), bad ? bad : "none", worst);
}

static TEST_UNUSED void emitted_close(emitted_run *r) {
    emitted_block *single[] = {&r->weights, &r->prepared, &r->arena};
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) emitted_free(single[i]);
    for (int i = 0; i < EMITTED_PORTS; i++) {
        emitted_free(&r->in[i]);
        emitted_free(&r->out[i]);
        emitted_free(&r->again[i]);
    }
}

/* ---- numbers --------------------------------------------------------------------------------- */

static TEST_UNUSED void emitted_store(void *to, vox_dtype type, size_t i, const ir_value *from) {
    switch (type) {
    case VOX_F32:
        ((float *)to)[i] = (float)from->f[i];
        break;
    case VOX_I64:
        ((int64_t *)to)[i] = from->i[i];
        break;
    case VOX_I32:
        ((int32_t *)to)[i] = (int32_t)from->i[i];
        break;
    case VOX_U8:
        ((uint8_t *)to)[i] = (uint8_t)from->i[i];
        break;
    }
}

static TEST_UNUSED double emitted_load(const void *from, vox_dtype type, size_t i) {
    switch (type) {
    case VOX_F32:
        return (double)((const float *)from)[i];
    case VOX_I64:
        return (double)((const int64_t *)from)[i];
    case VOX_I32:
        return (double)((const int32_t *)from)[i];
    case VOX_U8:
        return (double)((const uint8_t *)from)[i];
    }
    return 0;
}

#endif
