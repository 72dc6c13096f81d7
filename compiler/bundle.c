#include "bundle.h"

#include "codegen.h"
#include "files.h"
#include "process.h"
#include "weights.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const size_t MAX_TEXT = (size_t)64 << 20;

bool bundle_is(const char *path) {
    char manifest[4096];
    struct stat s;
    int n = snprintf(manifest, sizeof manifest, "%s/manifest.json", path);
    return n > 0 && (size_t)n < sizeof manifest && stat(path, &s) == 0 && S_ISDIR(s.st_mode) &&
           stat(manifest, &s) == 0;
}

/* Of two targets' graphs in one bundle, NAME.ir and NAME_cuda.ir, the first; NULL if they are not that. */
static const char *of_both(const char *a, const char *b) {
    const char *name = strlen(a) < strlen(b) ? a : b, *gpu = name == a ? b : a;
    const size_t n = strlen(name);
    return strncmp(name, gpu, n) == 0 && strcmp(gpu + n, "_cuda") == 0 ? name : NULL;
}

/* The stem of the folder's .ir file. */
static const char *model_name(const char *path, ir_arena *a, ir_diag *d) {
    DIR *dir = opendir(path);
    if (!dir) {
        ir_fail(d, IR_EXIT_INPUT, "%s: can't read the folder: %s", path, strerror(errno));
        return NULL;
    }
    const char *name = NULL, *other = NULL;
    int count = 0;
    for (const struct dirent *e; (e = readdir(dir));) {
        size_t n = strlen(e->d_name);
        if (n <= 3 || strcmp(e->d_name + n - 3, ".ir") != 0) continue;
        char *stem = ir_strdup(a, e->d_name);
        stem[n - 3] = 0;
        other = name;
        name = stem;
        count++;
    }
    closedir(dir);
    if (count == 1) return name;
    if (count == 2 && of_both(name, other)) return of_both(name, other);
    ir_fail(d, IR_EXIT_INPUT, "%s: expected one .ir file in the bundle, found %d: compile the model again",
            path, count);
    return NULL;
}

typedef struct weight_file {
    char *data;
    size_t size;
} weight_file;

static const void *old_blob(void *ctx, const char *name, uint64_t hash, size_t bytes) {
    (void)name;
    const weight_file *w = ctx;
    return cg_weights_find(w->data, w->size, hash, bytes);
}

/* The graph outlives the weight file: its constants move into the graph's arena. */
static void adopt_constants(ir_graph *g) {
    for (int i = 0; i < g->n_tensors; i++) {
        ir_tensor *t = g->tensors[i];
        if (t->role != IR_ROLE_CONST || !t->data) continue;
        size_t bytes = (size_t)ir_bytes(t);
        void *copy = ir_alloc(g->arena, bytes + 1, 1);
        memcpy(copy, t->data, bytes);
        t->data = copy;
    }
}

static bool check_constants(const ir_graph *g, const char *path, ir_diag *d) {
    for (int i = 0; i < g->n_tensors; i++)
        if (g->tensors[i]->role == IR_ROLE_CONST && !g->tensors[i]->data)
            return ir_fail(d, IR_EXIT_INPUT,
                           "%s: its weight file lacks %s: copy the bundle again, or compile it again", path,
                           g->tensors[i]->name);
    return true;
}

ir_graph *bundle_load(const char *path, ir_diag *d) {
    ir_arena *a = ir_arena_new();
    ir_graph *g = NULL;
    char *text = NULL;
    weight_file w = {0};
    size_t n;
    const char *name = model_name(path, a, d);
    if (name) text = file_read(ir_format(a, "%s/%s.ir", path, name), MAX_TEXT, &n, d);
    if (text) w.data = file_read(ir_format(a, "%s/%s.weights", path, name), SIZE_MAX, &w.size, d);
    if (w.data) g = ir_parse(text, ir_format(a, "%s/%s.ir", path, name), old_blob, &w, d);
    if (g && check_constants(g, path, d)) {
        adopt_constants(g);
    } else if (g) {
        ir_graph_free(g);
        g = NULL;
    }
    free(text);
    free(w.data);
    ir_arena_free(a);
    return g;
}

bool bundle_build(const char *path, const char *cc, const char *log, ir_diag *d) {
    ir_arena *a = ir_arena_new();
    const char *argv[] = {"make", "-C", path, cc ? ir_format(a, "CC=%s", cc) : NULL, NULL};
    int code = process_run(argv, log);
    bool ok = code == 0;
    if (!ok)
        ir_fail(d, IR_EXIT_FAILURE, "make -C %s failed (exit code %d): %s", path, code,
                process_log_tail(log, a));
    ir_arena_free(a);
    return ok;
}
