/* SPDX-License-Identifier: MIT-0 */
/* verb_options.h: verbs and their options, as tables from which parsing, --help and suggestions come. */
#ifndef VOX_VERB_OPTIONS_H
#define VOX_VERB_OPTIONS_H

#include <stddef.h>

#include "vox.h"
#include "vox_isas.h"

typedef enum vox_option_kind {
    VOX_OPTION_FLAG,
    VOX_OPTION_INT,
    VOX_OPTION_REAL,
    VOX_OPTION_TEXT,
    VOX_OPTION_LIST, /* may be given more than once */
    VOX_OPTION_ISA
} vox_option_kind;

typedef struct vox_texts {
    const char **text; /* room for as many as argv has words */
    int n;
} vox_texts;

typedef struct vox_option {
    const char *name; /* "--threads" */
    char letter;      /* 'o' for -o; 0: none */
    vox_option_kind kind;
    void *
        target; /* int (FLAG, INT), double, const char *, vox_texts; holds the default until the option is met;
                          ISA: NULL, the model is told instead */
    double low, high;  /* INT and REAL: the values allowed */
    const char *value; /* how --help names the value */
    const char *help;
} vox_option;

/* The row of every verb that computes. */
#define VOX_ISA_OPTION                                                                                       \
    { "--isa", 0, VOX_OPTION_ISA, NULL, 0, 0, "NAME", VOX_ISA_NAMES " (default: the best of this processor)" }

/* Where and how to run: options of every verb with the row above, in programs with a backend "cuda". */
typedef struct vox_settings {
    const char *device; /* a backend's name; NULL: the first that is there */
    int gpu;            /* which */
    int autotune, deterministic, no_graph;
    int tiles;         /* that segment runs in one launch; 0: as many as memory holds */
    int workspace;     /* MiB that a convolution may use besides, -1: the default */
    const char *plans; /* file of remembered choices, or NULL */
} vox_settings;

typedef struct vox_verb vox_verb;
typedef struct vox_backend vox_backend;
typedef struct vox_context {     /* what a verb runs in */
    const char *program;         /* argv[0] */
    const vox_model_info *model; /* of the first backend: ports, labels and volume are the same in all */
    const vox_verb *verb;
    const vox_backend *backends;
    int n_backends;
    vox_settings *settings;
} vox_context;
struct vox_verb {
    const char *name, *operands, *summary;
    const char *details;                                     /* more for --help, lines; NULL: none */
    int (*run)(const vox_context *c, int argc, char **argv); /* argv: what follows the verb */
};

/* Reads argv by the table of n options. Operands are moved to the front of argv and counted. Returns -1 to go
 * on, else the exit code: 0 after --help, 2 after an error (printed). */
int vox_options_read(const vox_context *c, const vox_option *table, int n, int argc, char **argv,
                     int *operands);

/* Exit code 2 after "error: N run: what", and the usage line. */
int vox_usage_error(const vox_context *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
