/* fuzz_graphs.h: random valid networks, what is checked of each, and how a failing one is made small.
 *
 * A case is a graph's text and the options that it is compiled with; the text alone says what its constants
 * hold (`random(seed, scale)`), so that a case is a file that `voxc compile` takes, too. Case number i of a
 * seed is the same on every machine.
 */
#ifndef VOXC_FUZZ_H
#define VOXC_FUZZ_H

#include "ir.h"
#include "pipeline.h"

/* ---- dice ------------------------------------------------------------------------------------ */

typedef struct fuzz_dice {
    uint64_t seed, drawn;
} fuzz_dice;

static inline uint64_t dice_bits(fuzz_dice *d) {
    return ir_random(d->seed, d->drawn++);
}
/* 0 <= result < n; 0 where there is none, as among the axes of a scalar. */
static inline int dice_below(fuzz_dice *d, int n) {
    const uint64_t bits = dice_bits(d);
    return n > 0 ? (int)(bits % (uint64_t)n) : 0;
}
static inline int dice_range(fuzz_dice *d, int low, int high) {
    return low + dice_below(d, high - low + 1);
}
static inline bool dice_chance(fuzz_dice *d, int percent) {
    return dice_below(d, 100) < percent;
}
#define DICE_PICK(d, list) ((list)[dice_below((d), (int)(sizeof(list) / sizeof *(list)))])

/* ---- constants and text (text.c) ------------------------------------------------------------- */

/* What a constant's statement says behind its type: "random(7, 0.5)". */
typedef struct fuzz_spec {
    const char *name, *data;
} fuzz_spec;
typedef struct fuzz_specs {
    ir_arena *arena;
    fuzz_spec *list;
    int count, capacity;
} fuzz_specs;

void specs_add(fuzz_specs *s, const char *name, const char *data);
const char *specs_find(const fuzz_specs *s, const char *name); /* NULL: none */
/* Those that a text states. */
void specs_read(fuzz_specs *s, const char *text);
/* g's text with the constants as s has them, without those that nobody reads; malloc'd. */
char *fuzz_print(const ir_graph *g, const fuzz_specs *s);

/* ---- options (options.c) --------------------------------------------------------------------- */

typedef struct fuzz_options {
    ir_target target;
    ir_precision precision;
    bool strict, whole;
    int lanes;
    int thrift;     /* that the passes start from */
    int memory;     /* --max-memory as a percentage of what the fastest plan needs; 0: no limit */
    uint64_t tuned; /* seed of measured choices; 0: none */
} fuzz_options;

fuzz_options fuzz_random_options(fuzz_dice *d, ir_target target);
/* "target=c threads=4 strict ...", as a line of its own with # in front, into buf; returns buf. */
char *fuzz_options_text(const fuzz_options *o, char *buf, size_t n);
/* From the first such line of a text, else the defaults. */
fuzz_options fuzz_options_read(const char *text);
/* Sets g->goals. Fails as `voxc compile` does where the memory does not suffice. */
bool fuzz_set_goals(ir_graph *g, const fuzz_options *o, ir_diag *d);

/* ---- cases (generate.c) ---------------------------------------------------------------------- */

/* Case `number` of `seed`: its graph's text, malloc'd. */
char *fuzz_generate(uint64_t seed, int64_t number);
/* The options that it is compiled with for a target. */
fuzz_options fuzz_options_of(uint64_t seed, int64_t number, ir_target target);

/* ---- checks (check.c) ------------------------------------------------------------------------ */

/* X(symbol, what a graph must have to count) */
#define FUZZ_FEATURES(X)                                                                                     \
    X(PLANNED_C, "planned for c")                                                                            \
    X(PLANNED_CUDA, "planned for cuda")                                                                      \
    X(REFUSED_C, "refused by c")                                                                             \
    X(REFUSED_CUDA, "refused by cuda")                                                                       \
    X(SPACE_1, "1 spatial axis")                                                                             \
    X(SPACE_2, "2 spatial axes")                                                                             \
    X(SPACE_3, "3 spatial axes")                                                                             \
    X(INPUTS, "several inputs")                                                                              \
    X(OUTPUTS, "several outputs")                                                                            \
    X(BATCH, "several images")                                                                               \
    X(FOLDED, "folded or unread")                                                                            \
    X(NORM_FOLDED, "norms or pads inside convs")                                                             \
    X(ACT, "activations fused")                                                                              \
    X(SKIP, "sums with skips inside convs")                                                                  \
    X(COPIED, "outputs copied")                                                                              \
    X(TERMS, "norms as terms")                                                                               \
    X(BLOCKED, "blocked values")                                                                             \
    X(CONVERTED, "layouts converted")                                                                        \
    X(MEMBER, "members of concats placed")                                                                   \
    X(RESHAPED, "reshapes without memory")                                                                   \
    X(DIRECT, "direct convs")                                                                                \
    X(WINOGRAD, "Winograd, weights kept")                                                                    \
    X(DEEP, "Winograd, weights on the way")                                                                  \
    X(FEW, "Winograd, few channels")                                                                         \
    X(FUSED_POOL, "pools in registers")                                                                      \
    X(FUSED_CROP, "crops in registers")                                                                      \
    X(JOINED, "pools joined")                                                                                \
    X(ON_LOAD, "norms on load")                                                                              \
    X(GATHERED, "sums gathered")                                                                             \
    X(STREAMED, "streams")                                                                                   \
    X(RINGS, "rings")                                                                                        \
    X(TUNED, "measured choices")                                                                             \
    X(CUDNN, "cuDNN plans")                                                                                  \
    X(KERNELS, "kernels of our own")                                                                         \
    X(SCATTER, "gemm and scatter")                                                                           \
    X(DGRAD, "dgrad")                                                                                        \
    X(CHANNELS_LAST, "channels last")                                                                        \
    X(HALF, "halves kept")                                                                                   \
    X(INTERLEAVED, "interleaved members")                                                                    \
    X(SLABS, "slabs")                                                                                        \
    X(WINDOWS, "windows between slabs")
typedef enum fuzz_feature {
#define X(symbol, text) FUZZ_##symbol,
    FUZZ_FEATURES(X)
#undef X
        FUZZ_FEATURE_COUNT
} fuzz_feature;
extern const char *const fuzz_feature_names[FUZZ_FEATURE_COUNT];
typedef uint64_t fuzz_features; /* bit 1 << fuzz_feature */

/* What a graph has as it is given, what a pass did to it, what it has once planned (features.c). */
fuzz_features fuzz_features_of_source(const ir_graph *g);
fuzz_features fuzz_features_of_report(const pass_report *r);
fuzz_features fuzz_features_of(const ir_graph *planned);

typedef enum fuzz_verdict { FUZZ_OK, FUZZ_REFUSED, FUZZ_WRONG } fuzz_verdict;
typedef struct fuzz_result {
    fuzz_verdict verdict;
    fuzz_features features;
    char text[1024]; /* what is wrong, or why it was refused; one line */
} fuzz_result;

/* Text form, passes, verifier and memory plan of a graph. Dies where the compiler does. */
void fuzz_check(const char *text, const fuzz_options *o, fuzz_result *r);

/* ---- processes (forked.c, workers.c) --------------------------------------------------------- */

typedef void fuzz_checker(const char *text, const fuzz_options *o, fuzz_result *r);
/* Calls check in a process of its own: where that dies or takes too long, r says so. */
void fuzz_isolated(fuzz_checker *check, const char *text, const fuzz_options *o, fuzz_result *r);
/* What is the same in two failures of one kind: the text without names and numbers. */
void fuzz_signature(const char *text, char *buf, size_t n);

enum { FUZZ_MAX_KEPT = 2000, FUZZ_MAX_JOBS = 256 };

/* What was said of a case. */
typedef struct fuzz_case {
    int64_t number;
    ir_target target;
    char text[1024];
} fuzz_case;

typedef struct fuzz_cases {
    int count; /* may exceed what is kept */
    fuzz_case kept[FUZZ_MAX_KEPT];
} fuzz_cases;
/* By several processes at once. */
void fuzz_add_case(fuzz_cases *c, int64_t number, ir_target target, const char *text);

typedef struct fuzz_tally {
    int64_t done, features[FUZZ_FEATURE_COUNT];
    fuzz_cases failed, refused;
} fuzz_tally;

/* Checks cases 0 to count - 1 of a seed, for both targets, in `jobs` processes. The tally is shared memory
 * (munmap it); its failures are in no particular order. */
fuzz_tally *fuzz_run(uint64_t seed, int64_t count, int jobs);

/* ---- emitted C (emit.c, numbers.c) ------------------------------------------------------------ */

/* One case of a batch; options are for target c. */
typedef struct fuzz_emitted {
    char *text;
    fuzz_options o;
    fuzz_result r;
} fuzz_emitted;
/* Compiles cases to C in folder dir, all in one build for the instruction set of gcc's `flags`, and runs each
 * in a process of its own, beside the interpreter. */
void fuzz_emit(fuzz_emitted *cases, int count, const char *dir, const char *flags);
/* The same for one case, in a folder of its own: a fuzz_checker. */
void fuzz_check_emitted(const char *text, const fuzz_options *o, fuzz_result *r);
/* Cases 0 to count - 1 of a seed, in `jobs` processes;
 * a quarter of the builds is for AVX2 where that runs. */
fuzz_tally *fuzz_run_emitted(uint64_t seed, int64_t count, int jobs);

/* Values for a graph's inputs: floats in [-1, 1), integers in [0, 8). */
bool fuzz_inputs(const ir_graph *g, ir_value *in, ir_diag *d);

/* How far a result may be from the interpreter's: by what errors of rounding in each node make of it. */
typedef struct fuzz_bounds {
    ir_value *want;  /* of the outputs */
    double **margin; /* per output and element */
} fuzz_bounds;
bool fuzz_bounds_of(const ir_graph *g, const ir_value *in, fuzz_bounds *b, ir_diag *d);
void fuzz_bounds_free(const ir_graph *g, fuzz_bounds *b);
/* Whether single precision may take more than that part of an output, a difference of what is nearly the
 * same: results say nothing then. It takes 2e-5 to 8e-5 of most. */
bool fuzz_rounding_decides(const ir_graph *g, const ir_value *in, double part);

/* ---- shrinking (shrink.c) -------------------------------------------------------------------- */

/* Makes a failing case small: *text is replaced, *o and r are of the small case. */
void fuzz_shrink(fuzz_checker *check, char **text, fuzz_options *o, fuzz_result *r, int seconds);

#endif
