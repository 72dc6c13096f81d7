/* SPDX-License-Identifier: MIT-0 */
/* options.c: see options.h. */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "report.h"

enum { LONGEST_WORD = 32 };

/* Levenshtein's distance, a swap of neighbours counting 1; words longer than LONGEST_WORD are never near. */
static int distance(const char *a, const char *b) {
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST_WORD || m > LONGEST_WORD) return LONGEST_WORD;
    int d[LONGEST_WORD + 1][LONGEST_WORD + 1];
    for (int i = 0; i <= n; i++) d[i][0] = i;
    for (int j = 0; j <= m; j++) d[0][j] = j;
    for (int i = 1; i <= n; i++) {
        for (int j = 1; j <= m; j++) {
            int best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (d[i - 1][j] + 1 < best) best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best) best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                d[i - 2][j - 2] + 1 < best) {
                best = d[i - 2][j - 2] + 1;
            }
            d[i][j] = best;
        }
    }
    return d[n][m];
}

const char *vox_suggest(const char *word, const void *names, int n, size_t stride) {
    const char *best = NULL;
    int best_distance = strlen(word) < 4 ? 2 : 3; /* must be nearer than this */
    for (int i = 0; i < n; i++) {
        const char *name = *(const char *const *)(const void *)((const char *)names + (size_t)i * stride);
        int d = distance(word, name);
        if (strlen(word) >= 3 && strncmp(word, name, strlen(word)) == 0) d = 1; /* a beginning */
        if (d < best_distance) {
            best = name;
            best_distance = d;
        }
    }
    return best;
}

int vox_usage_error(const vox_context *c, const char *format, ...) {
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return vox_fail(VOX_EXIT_INPUT, "%s %s: %s (usage: %s %s%s%s, see %s %s --help)", c->model->name,
                    c->verb->name, text, c->model->name, c->verb->name, *c->verb->operands ? " " : "",
                    c->verb->operands, c->model->name, c->verb->name);
}

static bool store(const vox_option *o, const char *value) {
    char *end = NULL;
    errno = 0;
    if (o->kind == VOX_OPTION_TEXT) {
        *(const char **)o->target = value;
        return *value != 0;
    }
    double number = strtod(value, &end);
    if (end == value || *end != 0 || errno != 0 || !(number >= o->low && number <= o->high)) return false;
    if (o->kind == VOX_OPTION_REAL) {
        *(double *)o->target = number;
        return true;
    }
    if (number != floor(number)) return false;
    *(int *)o->target = (int)number;
    return true;
}

/* By way of the environment, where the library looks at each call. */
static bool force_isa(const vox_context *c, const char *value) {
    const vox_model_info *m = vox_backend_named(c->backends, c->n_backends, "cpu")->model;
    unsetenv("VOX_ISA");
    const char *best = m->isa();
    if (setenv("VOX_ISA", value, 1) == 0 && strcmp(m->isa(), value) == 0) return true;
    vox_usage_error(c, "--isa: '%s' is not in this program or not on this processor, whose best is %s", value,
                    best);
    return false;
}

/* ---- a program's options --------------------------------------------------------------------- */

enum { MACHINE_OPTIONS = 8, MOST_OPTIONS = 32 };
typedef struct option_table {
    int n;
    vox_option row[MOST_OPTIONS];
} option_table;

/* What a verb with the row VOX_ISA_OPTION has besides its own where there is a backend "cuda". */
static void add_gpu_options(option_table *t, vox_settings *s) {
    const vox_option rows[] = {
        {"--device", 0, VOX_OPTION_TEXT, &s->device, 0, 0, "NAME",
         "cpu | cuda (default: cuda if there is a GPU)"},
        {"--gpu", 0, VOX_OPTION_INT, &s->gpu, 0, 1023, "N", "number of the GPU (default 0)"},
        {"--autotune", 0, VOX_OPTION_FLAG, &s->autotune, 0, 0, NULL,
         "GPU: measure each convolution's plans first, take the fastest"},
        {"--plans", 0, VOX_OPTION_TEXT, &s->plans, 0, 0, "FILE", "GPU: remember the plans there"},
        {"--workspace", 0, VOX_OPTION_INT, &s->workspace, 0, 1 << 20, "MIB",
         "GPU: most workspace of a convolution (default 256)"},
        {"--deterministic", 0, VOX_OPTION_FLAG, &s->deterministic, 0, 0, NULL,
         "GPU: only plans that give the same bits each time"},
        {"--no-graph", 0, VOX_OPTION_FLAG, &s->no_graph, 0, 0, NULL,
         "GPU: launch layer by layer, not as one CUDA graph"},
        {"--tiles", 0, VOX_OPTION_INT, &s->tiles, 0, 4, "N",
         "GPU: tiles that segment runs in one launch (default 0: as many as memory holds, at most 4)"},
    };
    for (int i = 0; i < MACHINE_OPTIONS; i++) t->row[t->n++] = rows[i];
}

/* A verb's own options, without --isa where the program has no code for the processor, and a GPU's. */
static option_table options_of(const vox_context *c, const vox_option *table, int n) {
    option_table t = {0};
    const bool cpu = vox_backend_named(c->backends, c->n_backends, "cpu") != NULL;
    bool computes = false;
    for (int i = 0; i < n; i++) {
        const bool isa = table[i].kind == VOX_OPTION_ISA;
        computes |= isa;
        if (isa && !cpu) continue;
        t.row[t.n++] = table[i];
    }
    if (computes && vox_backend_named(c->backends, c->n_backends, "cuda") != NULL)
        add_gpu_options(&t, c->settings);
    return t;
}

static void print_rows(const vox_option *table, int n) {
    for (int i = 0; i < n; i++) {
        char left[64];
        char letter[8] = "    ";
        if (table[i].letter != 0) snprintf(letter, sizeof letter, "-%c, ", table[i].letter);
        snprintf(left, sizeof left, "%s%s %s", letter, table[i].name, table[i].value ? table[i].value : "");
        printf("  %-26s %s\n", left, table[i].help);
    }
}

static void print_help(const vox_context *c, const vox_option *table, int n) {
    const vox_verb *v = c->verb;
    printf("usage: %s %s%s%s%s\n%s\n", c->model->name, v->name, *v->operands ? " " : "", v->operands,
           n > 0 ? " [options]" : "", v->summary);
    if (v->details != NULL) printf("\n%s", v->details);
    printf("\noptions:\n");
    print_rows(table, n);
    printf("  %-26s %s\n", "-h, --help", "this text");
}

static const vox_option *find(const vox_option *table, int n, const char *word, size_t length) {
    for (int i = 0; i < n; i++) {
        if (strlen(table[i].name) == length && memcmp(table[i].name, word, length) == 0) return &table[i];
        if (length == 2 && word[0] == '-' && table[i].letter != 0 && word[1] == table[i].letter)
            return &table[i];
    }
    return NULL;
}

static int unknown_option(const vox_context *c, const vox_option *table, int n, const char *word) {
    const char *near = vox_suggest(word, &table[0].name, n, sizeof *table);
    if (near != NULL) return vox_usage_error(c, "unknown option %s, did you mean %s?", word, near);
    return vox_usage_error(c, "unknown option %s", word);
}

/* Handles the option at argv[i]; returns the index of the last word used, or -2 after an error. */
static int read_option(const vox_context *c, const vox_option *table, int n, int argc, char **argv, int i) {
    const char *word = argv[i];
    const char *equals = strncmp(word, "--", 2) == 0 ? strchr(word, '=') : NULL;
    const size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const vox_option *o = find(table, n, word, length);
    if (o == NULL) {
        unknown_option(c, table, n, word);
        return -2;
    }
    if (o->kind == VOX_OPTION_FLAG) {
        if (equals != NULL) {
            vox_usage_error(c, "%s takes no value", o->name);
            return -2;
        }
        *(int *)o->target = 1;
        return i;
    }
    if (equals == NULL && i + 1 == argc) {
        vox_usage_error(c, "%s wants a value %s", o->name, o->value);
        return -2;
    }
    const char *value = equals ? equals + 1 : argv[++i];
    if (o->kind == VOX_OPTION_ISA) return force_isa(c, value) ? i : -2;
    if (!store(o, value)) {
        if (o->kind == VOX_OPTION_TEXT) {
            vox_usage_error(c, "%s wants a value %s, not nothing", o->name, o->value);
        } else {
            vox_usage_error(c, "%s wants a%s from %g to %g, not '%s'", o->name,
                            o->kind == VOX_OPTION_INT ? " whole number" : " number", o->low, o->high, value);
        }
        return -2;
    }
    return i;
}

int vox_options_read(const vox_context *c, const vox_option *table, int n, int argc, char **argv,
                     int *operands) {
    const option_table t = options_of(c, table, n);
    bool only_operands = false;
    *operands = 0;
    for (int i = 0; i < argc; i++) {
        if (only_operands || argv[i][0] != '-' || argv[i][1] == 0) {
            argv[(*operands)++] = argv[i];
        } else if (strcmp(argv[i], "--") == 0) {
            only_operands = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help(c, t.row, t.n);
            return VOX_EXIT_OK;
        } else {
            i = read_option(c, t.row, t.n, argc, argv, i);
            if (i < 0) return VOX_EXIT_INPUT;
        }
    }
    return -1;
}
