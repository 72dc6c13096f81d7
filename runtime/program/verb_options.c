/* SPDX-License-Identifier: MIT-0 */
/* verb_options.c: see verb_options.h. */
#include "verb_options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "host.h"
#include "report.h"

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

static bool set_value(const vox_option *o, const char *value) {
    char *end = NULL;
    errno = 0;
    if (o->kind == VOX_OPTION_TEXT) {
        *(const char **)o->target = value;
        return *value != 0;
    }
    if (o->kind == VOX_OPTION_LIST) {
        vox_texts *list = o->target;
        list->text[list->n++] = value;
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

enum { MACHINE_OPTIONS = 8, MOST_OPTIONS = 48 };
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

/* The names have their dashes. */
static vox_option_word option_word(const void *table, int i) {
    const vox_option *o = (const vox_option *)table + i;
    return (vox_option_word){.name = o->name + 2, .letter = o->letter, .value = o->value};
}

static int bad_option(const vox_context *c, vox_argument kind, const vox_arguments *a, const vox_option *o) {
    if (kind == VOX_ARGUMENT_TAKES_NONE) return vox_usage_error(c, "%s takes no value", o->name);
    if (kind == VOX_ARGUMENT_NEEDS_VALUE) return vox_usage_error(c, "%s wants a value %s", o->name, o->value);
    const int length = (int)strcspn(a->text, "=");
    if (a->near == NULL) return vox_usage_error(c, "unknown option %.*s", length, a->text);
    return vox_usage_error(c, "unknown option %.*s, did you mean --%s?", length, a->text, a->near);
}

static int take_option(const vox_context *c, const vox_option *o, const char *value) {
    if (o->kind == VOX_OPTION_FLAG) {
        *(int *)o->target = 1;
        return VOX_EXIT_OK;
    }
    if (o->kind == VOX_OPTION_ISA) return force_isa(c, value) ? VOX_EXIT_OK : VOX_EXIT_INPUT;
    if (set_value(o, value)) return VOX_EXIT_OK;
    if (o->kind == VOX_OPTION_TEXT || o->kind == VOX_OPTION_LIST)
        return vox_usage_error(c, "%s wants a value %s, not nothing", o->name, o->value);
    return vox_usage_error(c, "%s wants a%s from %g to %g, not '%s'", o->name,
                           o->kind == VOX_OPTION_INT ? " whole number" : " number", o->low, o->high, value);
}

int vox_options_read(const vox_context *c, const vox_option *table, int n, int argc, char **argv,
                     int *operands) {
    const option_table t = options_of(c, table, n);
    vox_arguments a = {.argc = argc, .argv = argv, .row = option_word, .table = t.row, .n = t.n};
    int code = VOX_EXIT_OK;
    *operands = 0;
    while (code == VOX_EXIT_OK) {
        const vox_argument kind = vox_arguments_next(&a);
        if (kind == VOX_ARGUMENT_END) return -1;
        if (kind == VOX_ARGUMENT_OPERAND) {
            argv[(*operands)++] = argv[a.at - 1];
        } else if (kind == VOX_ARGUMENT_OPTION) {
            code = take_option(c, &t.row[a.option], a.value);
        } else if (kind == VOX_ARGUMENT_HELP) {
            print_help(c, t.row, t.n);
            return VOX_EXIT_OK;
        } else {
            code = bad_option(c, kind, &a, a.option < 0 ? NULL : &t.row[a.option]);
        }
    }
    return code;
}
