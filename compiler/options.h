/* options.h: the command line. One table of options and one of verbs give parsing, --help and suggestions. */
#ifndef VOXC_OPTIONS_H
#define VOXC_OPTIONS_H

#include "ir.h"

enum { MAX_BINDINGS = 32, MAX_FILES = 16 };

typedef enum verb { VERB_COMPILE, VERB_INSPECT, VERB_VERIFY, VERB_EXPORT, VERB_COUNT } verb;

typedef struct options {
    verb verb;
    const char *model; /* the positional argument: a model, or for verify a bundle */
    const char *output, *model_name, *target, *weights, *volume, *volume_size, *statistics, *dump_dir,
        *dump_after, *memory_report;
    const char *test_data_dir, *threads, *cc;
    const char *nnunet, *configuration, *mirror_axes,
        *monai; /* where the volume section comes from instead */
    const char *math, *max_memory, *tuning, *precision, *workspace_cap;
    const char *init; /* seed, as text: NULL = not given */
    const char *input_dim[MAX_BINDINGS];
    int n_input_dims;
    int n_chosen_dims; /* the last of them: the tile that --volume-size chose */
    int64_t
        network_memory; /* what --max-memory leaves for arena and prepared weights beside the volume; 0: all */
    const char *input[MAX_FILES], *expected[MAX_FILES];
    const char *fold[MAX_FILES];
    int n_inputs, n_expected, n_folds;
    const char *atol, *rtol, *max_ulp, *min_dice, *max_rms;
    bool force, golden, json, verbose, per_node, keep, tune, opt_report, check_plan, no_stream;
    const char *color;
} options;

typedef enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_ERROR } options_result;

/* Fills o from the arguments. OPTIONS_DONE: --help or --version was printed to stdout. OPTIONS_ERROR: d says
 * why (IR_EXIT_INPUT). Strings point into argv. */
options_result options_parse(options *o, int argc, char **argv, ir_diag *d);

/* The targets of --target, as bits 1 << ir_target. */
unsigned options_targets(const options *o);
/* --math, --threads, --max-memory, --no-stream, --precision and --workspace-cap as the passes for `target`
 * take them; checked. */
bool options_goals(const options *o, ir_target target, ir_goals *goals, ir_diag *d);

/* The command line's part that decides the emitted text, for provenance: no paths. */
char *options_text(const options *o, ir_arena *arena);

/* Numbers in options, checked: the message names the option. */
bool options_int(const char *option, const char *text, int64_t low, int64_t high, int64_t *value, ir_diag *d);
bool options_number(const char *option, const char *text, double *value, ir_diag *d);

#endif
