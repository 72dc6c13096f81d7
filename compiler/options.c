#include "options.h"

#include "arguments.h"
#include "codegen.h"
#include "gpu_model.h"
#include "tile_volume.h"
#include "version.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_LANES = 4, MAX_LANES = 1024 };
enum { C = 1 << VERB_COMPILE, I = 1 << VERB_INSPECT, V = 1 << VERB_VERIFY, E = 1 << VERB_EXPORT };

typedef struct verb_info {
    const char *name, *argument, *summary, *more;
} verb_info;

static const verb_info verbs[VERB_COUNT] = {
    [VERB_COMPILE] =
        {"compile", "MODEL", "write a bundle of C source for a model",
         "MODEL is a .yaml description, an .onnx file, or IR text (.ir). `make -C DIR` builds the bundle."},
    [VERB_INSPECT] =
        {"inspect", "MODEL", "show layers, shapes, parameters, MACs, memory and what each pass did",
         "Values of weights are not needed: without --weights and --init, shapes alone are used."},
    [VERB_VERIFY] =
        {"verify", "MODEL|BUNDLE", "compare generated code with the double-precision interpreter",
         "Builds a bundle in a temporary folder (or takes a built one), runs it on seeded random input, on\n"
         "--input files or on a --test-data-dir, and compares. Exit code 1: an output is out of tolerance."},
    [VERB_EXPORT] = {"export", "MODEL", "write a model as ONNX", "The file holds the weights too."},
};

typedef enum option_kind { FLAG, TEXT, LIST } option_kind;

typedef struct option_info {
    const char *name, *letter, *value, *help;
    unsigned verbs;
    option_kind kind;
    size_t offset, count_offset;
    int capacity;
} option_info;

#define AT(member) offsetof(options, member)
static const option_info table[] = {
    {"output", "o", "PATH", "where to write: a bundle's folder, or export's .onnx file", C | E, TEXT,
     AT(output), 0, 0},
    {"model-name", NULL, "NAME", "prefix of the emitted files and functions (default: the model's own name)",
     C | V, TEXT, AT(model_name), 0, 0},
    {"target", NULL, "NAME", "c: C11 for CPUs (default); cuda: CUDA and cuDNN; c,cuda: both in one bundle",
     C | I, TEXT, AT(target), 0, 0},
    {"precision", NULL, "NAME", "of --target cuda: fp32 (default: no tensor cores) | tf32 | fp16 | bf16",
     C | I, TEXT, AT(precision), 0, 0},
    {"workspace-cap", NULL, "BYTES",
     "of --target cuda: what a cuDNN plan may ask for beside the arena (default 256M, or what --max-memory "
     "leaves)",
     C | I, TEXT, AT(workspace_cap), 0, 0},
    {"weights", NULL, "FILE", "a .safetensors file for a .yaml model", C | I | V | E, TEXT, AT(weights), 0,
     0},
    {"init", NULL, "SEED", "He-normal weights from this seed instead of a file", C | I | V | E, TEXT,
     AT(init), 0, 0},
    {"fold", NULL, "FILE",
     "also write weights for the same code from FILE: the model (.onnx) or weights of another fold", C, LIST,
     AT(fold), AT(n_folds), MAX_FILES},
    {"input-dim", NULL, "NAME=V",
     "bind a dynamic dimension of an .onnx file; or D=V, INPUT.D=V: another size of an input", C | I | V | E,
     LIST, AT(input_dim), AT(n_input_dims), MAX_BINDINGS},
    {"volume", NULL, "FILE", "take the volume section and labels from this .yaml", C | I | V, TEXT,
     AT(volume), 0, 0},
    {"volume-size", NULL, "SIZE",
     "choose the fastest tile for a volume of XxYxZ voxels; @ and their size in mm where it is resampled "
     "(--volume XxYxZ is the same)",
     C | I, TEXT, AT(volume_size), 0, 0},
    {"nnunet", NULL, "DIR", "take them from an nnU-Net v2 model folder: plans.json, dataset.json", C | I | V,
     TEXT, AT(nnunet), 0, 0},
    {"configuration", NULL, "NAME", "of --nnunet: 3d_fullres ... (default: the plans' only one for volumes)",
     C | I | V, TEXT, AT(configuration), 0, 0},
    {"mirror-axes", NULL, "LIST",
     "of --nnunet, required: the checkpoint's inference_allowed_mirroring_axes: 0,1,2 ... or none", C | I | V,
     TEXT, AT(mirror_axes), 0, 0},
    {"monai", NULL, "DIR", "take them from a MONAI bundle: configs/inference.json, configs/metadata.json",
     C | I | V, TEXT, AT(monai), 0, 0},
    {"statistics", NULL, "KIND", "running | current: batch normalisation of a .yaml model", C | I | V | E,
     TEXT, AT(statistics), 0, 0},
    {"force", NULL, NULL, "write into a folder that holds something else", C, FLAG, AT(force), 0, 0},
    {"golden", NULL, NULL,
     "also write golden/: an input, its output and layer statistics from the interpreter", C, FLAG,
     AT(golden), 0, 0},
    {"no-stream", NULL, NULL,
     "let every layer's output exist whole (more memory; run --dump writes all of them)", C | I | V, FLAG,
     AT(no_stream), 0, 0},
    {"json", NULL, NULL, "print JSON", I | V, FLAG, AT(json), 0, 0},
    {"dump", "D", "DIR", "write the graph after each pass into DIR (00-import.ir, ...)", C | I, TEXT,
     AT(dump_dir), 0, 0},
    {"dump-ir-after", NULL, "PASS", "print the graph after one pass to standard output", C | I, TEXT,
     AT(dump_after), 0, 0},
    {"memory-report", NULL, "FILE",
     "write the memory plan: FILE.json, FILE.svg (a picture) or FILE.trace.json (for Perfetto)", C | I, TEXT,
     AT(memory_report), 0, 0},
    {"test-data-dir", NULL, "DIR", "ONNX test_data_set_* folder (input_N.pb, output_N.pb)", V, TEXT,
     AT(test_data_dir), 0, 0},
    {"input", NULL, "FILE", ".npy for the next graph input", V, LIST, AT(input), AT(n_inputs), MAX_FILES},
    {"expected", NULL, "FILE", ".npy to compare the next output with, instead of the interpreter", V, LIST,
     AT(expected), AT(n_expected), MAX_FILES},
    {"per-node-accuracy", NULL, NULL, "compare every layer and name the first that differs", V, FLAG,
     AT(per_node), 0, 0},
    {"atol", NULL, "X", "largest absolute error allowed", V, TEXT, AT(atol), 0, 0},
    {"rtol", NULL, "X", "allow X * |expected| more", V, TEXT, AT(rtol), 0, 0},
    {"max-rms", NULL, "X",
     "largest relative RMS error allowed (default 5e-6, with --math strict 2e-6, if no limit is given)", V,
     TEXT, AT(max_rms), 0, 0},
    {"max-ulp", NULL, "N", "largest error in units of the last place of the expected value", V, TEXT,
     AT(max_ulp), 0, 0},
    {"min-dice", NULL, "X", "smallest Dice of each label against the expected labels", V, TEXT, AT(min_dice),
     0, 0},
    {"math", NULL, "KIND",
     "fast (default) | strict: only algorithms whose rounding is no worse than a direct sum's", C | I | V,
     TEXT, AT(math), 0, 0},
    {"max-memory", NULL, "BYTES",
     "limit of arena, prepared weights and cuDNN's workspace, with --volume-size of the whole program; met "
     "or "
     "refused; K, M, G: 1024, 1024^2, 1024^3",
     C | I | V, TEXT, AT(max_memory), 0, 0},
    {"threads", NULL, "N", "threads that find scratch memory of their own in the arena (default 4)", C | I,
     TEXT, AT(threads), 0, 0},
    {"threads", NULL, "N", "threads (default: this machine's processors)", V, TEXT, AT(threads), 0, 0},
    {"tune", NULL, NULL, "measure each convolution's algorithms on this machine; takes minutes", C, FLAG,
     AT(tune), 0, 0},
    {"tuning", NULL, "FILE", "take the measured choice from the manifest.json of a bundle made with --tune",
     C | I | V, TEXT, AT(tuning), 0, 0},
    {"check-plan", NULL, NULL,
     "run the memory plan in an interpreter that knows who wrote each byte; give a small --input-dim", I,
     FLAG, AT(check_plan), 0, 0},
    {"opt-report", NULL, NULL, "say which algorithm each convolution got and why, on standard error", C | I,
     FLAG, AT(opt_report), 0, 0},
    {"cc", NULL, "COMMAND", "C compiler for the bundle (default: cc)", V, TEXT, AT(cc), 0, 0},
    {"keep", NULL, NULL, "keep the temporary bundle and say where it is", V, FLAG, AT(keep), 0, 0},
    {"verbose", NULL, NULL, "say what is done and how long each pass took, on standard error", C | I | V | E,
     FLAG, AT(verbose), 0, 0},
    {"color", NULL, "WHEN", "auto | always | never: colour in messages", C | I | V | E, TEXT, AT(color), 0,
     0},
};
enum { TABLE_COUNT = sizeof table / sizeof *table };

static void print_general_help(void) {
    puts("voxc: compiles volumetric segmentation networks to standalone C\n\nusage: voxc VERB ... "
         "[options]\n");
    for (int i = 0; i < VERB_COUNT; i++)
        printf("  %-8s %-13s %s\n", verbs[i].name, verbs[i].argument, verbs[i].summary);
    puts("\n`voxc VERB --help` lists a verb's options; `voxc --version` prints the version.\n"
         "Exit codes: 0 done, 1 failure, 2 bad input or usage, 3 unsupported operator or feature.");
}

static void print_verb_help(verb v) {
    printf("usage: voxc %s %s [options]\n\n%s.\n%s\n\n", verbs[v].name, verbs[v].argument, verbs[v].summary,
           verbs[v].more);
    for (int i = 0; i < TABLE_COUNT; i++) {
        const option_info *t = &table[i];
        if (!(t->verbs & (1u << v))) continue;
        char left[64];
        snprintf(left, sizeof left, "%s%s%s--%s%s%s", t->letter ? "-" : "", t->letter ? t->letter : "",
                 t->letter ? ", " : "", t->name, t->value ? " " : "", t->value ? t->value : "");
        printf("  %-24s %s\n", left, t->help);
    }
}

static bool find_verb(const char *word, verb *v, ir_diag *d) {
    const char *names[VERB_COUNT];
    for (int i = 0; i < VERB_COUNT; i++) {
        names[i] = verbs[i].name;
        if (strcmp(word, names[i]) == 0) {
            *v = (verb)i;
            return true;
        }
    }
    const char *near = vox_suggest(word, names, VERB_COUNT);
    if (near) return ir_fail(d, IR_EXIT_INPUT, "unknown verb '%s': did you mean '%s'?", word, near);
    return ir_fail(d, IR_EXIT_INPUT,
                   "unknown verb '%s': expected compile, inspect, verify or export (voxc --help)", word);
}

/* Row i of the table, where the verb has it. */
static vox_option_word option_word(const void *of, int i) {
    const option_info *t = &table[i];
    const options *o = of;
    if (!(t->verbs & (1u << o->verb))) return (vox_option_word){.name = NULL};
    return (vox_option_word){.name = t->name, .letter = t->letter ? *t->letter : 0, .value = t->value};
}

/* --volume takes a file or a size. */
static const option_info *meant(const option_info *t, const char *value) {
    bool size = t->offset == AT(volume) && t->kind == TEXT && tile_is_volume(value);
    for (int i = 0; size && i < TABLE_COUNT; i++)
        if (table[i].offset == AT(volume_size) && table[i].kind == TEXT) return &table[i];
    return t;
}

static bool set_option(options *o, const option_info *t, const char *value, ir_diag *d) {
    char *base = (char *)o;
    t = meant(t, value);
    if (t->kind == FLAG) {
        *(bool *)(void *)(base + t->offset) = true;
        return true;
    }
    if (t->kind == TEXT) {
        const char **slot = (const char **)(void *)(base + t->offset);
        if (*slot) return ir_fail(d, IR_EXIT_INPUT, "--%s is given twice", t->name);
        *slot = value;
        return true;
    }
    int *count = (int *)(void *)(base + t->count_offset);
    if (*count == t->capacity)
        return ir_fail(d, IR_EXIT_INPUT, "--%s is given more than %d times", t->name, t->capacity);
    ((const char **)(void *)(base + t->offset))[(*count)++] = value;
    return true;
}

static bool refuse_option(verb v, vox_argument kind, const vox_arguments *a, ir_diag *d) {
    const char *name = verbs[v].name;
    if (kind == VOX_ARGUMENT_UNKNOWN && a->near)
        return ir_fail(d, IR_EXIT_INPUT, "%s: unknown option '%s': did you mean '--%s'?", name, a->text,
                       a->near);
    if (kind == VOX_ARGUMENT_UNKNOWN)
        return ir_fail(d, IR_EXIT_INPUT, "%s: unknown option '%s' (voxc %s --help lists them)", name, a->text,
                       name);
    const option_info *t = &table[a->option];
    if (kind == VOX_ARGUMENT_TAKES_NONE) return ir_fail(d, IR_EXIT_INPUT, "--%s takes no value", t->name);
    return ir_fail(d, IR_EXIT_INPUT, "--%s needs a value: --%s %s", t->name, t->name, t->value);
}

/* Reads what follows the verb. */
static options_result take_arguments(options *o, int argc, char **argv, ir_diag *d) {
    vox_arguments a = {.argc = argc, .argv = argv, .row = option_word, .table = o, .n = TABLE_COUNT};
    for (;;) {
        const vox_argument kind = vox_arguments_next(&a);
        bool ok = true;
        if (kind == VOX_ARGUMENT_END) return OPTIONS_RUN;
        if (kind == VOX_ARGUMENT_HELP) {
            print_verb_help(o->verb);
            return OPTIONS_DONE;
        }
        if (kind == VOX_ARGUMENT_OPTION)
            ok = set_option(o, &table[a.option], a.value, d);
        else if (kind != VOX_ARGUMENT_OPERAND)
            ok = refuse_option(o->verb, kind, &a, d);
        else if (o->model)
            ok = ir_fail(d, IR_EXIT_INPUT, "%s: one %s at a time: '%s' after '%s'", verbs[o->verb].name,
                         verbs[o->verb].argument, a.text, o->model);
        else
            o->model = a.text;
        if (!ok) return OPTIONS_ERROR;
    }
}

unsigned options_targets(const options *o) {
    const unsigned c = 1u << IR_TARGET_C, cuda = 1u << IR_TARGET_CUDA;
    if (!o->target || strcmp(o->target, "c") == 0) return c;
    if (strcmp(o->target, "cuda") == 0) return cuda;
    return strcmp(o->target, "c,cuda") == 0 ? c | cuda : 0;
}

/* Options that only one target takes. */
static bool check_targets(const options *o, ir_diag *d) {
    const struct {
        const char *name;
        bool given;
        ir_target target;
    } special[] = {
        {"math", o->math != NULL, IR_TARGET_C},
        {"threads", o->threads != NULL, IR_TARGET_C},
        {"tune", o->tune, IR_TARGET_C},
        {"tuning", o->tuning != NULL, IR_TARGET_C},
        {"opt-report", o->opt_report, IR_TARGET_C},
        {"volume-size", o->volume_size != NULL, IR_TARGET_C},
        {"precision", o->precision != NULL, IR_TARGET_CUDA},
        {"workspace-cap", o->workspace_cap != NULL, IR_TARGET_CUDA},
    };
    unsigned targets = options_targets(o);
    if (!targets) return ir_fail(d, IR_EXIT_INPUT, "--target %s: expected c, cuda or c,cuda", o->target);
    if (o->verb == VERB_INSPECT && targets & (targets - 1))
        return ir_fail(d, IR_EXIT_INPUT, "--target %s: inspect shows one plan: choose c or cuda", o->target);
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (special[i].given && !(targets & (1u << special[i].target)))
            return ir_fail(d, IR_EXIT_INPUT, "--%s is for --target %s: leave it out, or change the target",
                           special[i].name, special[i].target == IR_TARGET_C ? "c" : "cuda");
    return true;
}

/* Where the volume section comes from. */
static bool check_volume(const options *o, ir_diag *d) {
    if ((o->volume != NULL) + (o->nnunet != NULL) + (o->monai != NULL) > 1)
        return ir_fail(d, IR_EXIT_INPUT,
                       "--volume, --nnunet and --monai exclude each other: give one of them");
    if (!o->nnunet && (o->configuration || o->mirror_axes))
        return ir_fail(d, IR_EXIT_INPUT, "--configuration and --mirror-axes belong to --nnunet DIR");
    if (o->nnunet && !o->mirror_axes)
        return ir_fail(d, IR_EXIT_INPUT,
                       "--nnunet needs --mirror-axes 0,1,2 or none: the checkpoint's "
                       "inference_allowed_mirroring_axes, which plans.json does not say");
    return true;
}

static bool check_words(const options *o, ir_diag *d) {
    if (!check_targets(o, d) || !check_volume(o, d)) return false;
    if (o->statistics && strcmp(o->statistics, "running") != 0 && strcmp(o->statistics, "current") != 0)
        return ir_fail(d, IR_EXIT_INPUT, "--statistics %s: expected running or current", o->statistics);
    if (o->color && strcmp(o->color, "auto") != 0 && strcmp(o->color, "always") != 0 &&
        strcmp(o->color, "never") != 0)
        return ir_fail(d, IR_EXIT_INPUT, "--color %s: expected auto, always or never", o->color);
    if (o->math && strcmp(o->math, "fast") != 0 && strcmp(o->math, "strict") != 0)
        return ir_fail(d, IR_EXIT_INPUT, "--math %s: expected fast or strict", o->math);
    if (o->tune && o->tuning)
        return ir_fail(d, IR_EXIT_INPUT,
                       "--tune and --tuning exclude each other: measure, or take a measured table");
    if (o->cc && !*o->cc) return ir_fail(d, IR_EXIT_INPUT, "--cc: expected a command, this is empty");
    if (o->weights && o->init)
        return ir_fail(d, IR_EXIT_INPUT, "--weights and --init exclude each other: give one of them");
    return !o->memory_report || cg_check_report_path(o->memory_report, d);
}

options_result options_parse(options *o, int argc, char **argv, ir_diag *d) {
    *o = (options){.verb = VERB_COMPILE};
    if (argc < 2) {
        ir_fail(d, IR_EXIT_INPUT,
                "nothing to do: voxc VERB ..., for instance `voxc compile models/unet3d.yaml --init 1 "
                "-o unet3d` (voxc --help)");
        return OPTIONS_ERROR;
    }
    if (strcmp(argv[1], "help") == 0 && argc > 2) {
        if (!find_verb(argv[2], &o->verb, d)) return OPTIONS_ERROR;
        print_verb_help(o->verb);
        return OPTIONS_DONE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_general_help();
        return OPTIONS_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("voxc " VOXC_VERSION);
        return OPTIONS_DONE;
    }
    if (!find_verb(argv[1], &o->verb, d)) return OPTIONS_ERROR;
    options_result result = take_arguments(o, argc - 2, argv + 2, d);
    if (result != OPTIONS_RUN) return result;
    if (!o->model) {
        ir_fail(d, IR_EXIT_INPUT, "%s: no %s given (voxc %s --help)", verbs[o->verb].name,
                verbs[o->verb].argument, verbs[o->verb].name);
        return OPTIONS_ERROR;
    }
    if ((o->verb == VERB_COMPILE || o->verb == VERB_EXPORT) && !o->output) {
        ir_fail(d, IR_EXIT_INPUT, "%s: say where to write with -o %s", verbs[o->verb].name,
                o->verb == VERB_COMPILE ? "DIR" : "FILE.onnx");
        return OPTIONS_ERROR;
    }
    return check_words(o, d) ? OPTIONS_RUN : OPTIONS_ERROR;
}

/* Whether streaming is off: asked for, or needed so that every layer's whole output can be compared. */
static bool no_stream(const options *o) {
    return o->no_stream || o->per_node;
}

char *options_text(const options *o, ir_arena *arena) {
    char *text = ir_format(arena, "--target %s", o->target ? o->target : "c");
    if (o->precision) text = ir_format(arena, "%s --precision %s", text, o->precision);
    if (o->workspace_cap) text = ir_format(arena, "%s --workspace-cap %s", text, o->workspace_cap);
    if (o->model_name) text = ir_format(arena, "%s --model-name %s", text, o->model_name);
    if (o->init) text = ir_format(arena, "%s --init %s", text, o->init);
    if (o->weights) text = ir_format(arena, "%s --weights FILE", text);
    if (o->volume) text = ir_format(arena, "%s --volume FILE", text);
    if (o->volume_size) text = ir_format(arena, "%s --volume-size %s", text, o->volume_size);
    if (o->nnunet) text = ir_format(arena, "%s --nnunet DIR --mirror-axes %s", text, o->mirror_axes);
    if (o->configuration) text = ir_format(arena, "%s --configuration %s", text, o->configuration);
    if (o->monai) text = ir_format(arena, "%s --monai DIR", text);
    if (o->math) text = ir_format(arena, "%s --math %s", text, o->math);
    if (o->max_memory) text = ir_format(arena, "%s --max-memory %s", text, o->max_memory);
    if (o->threads) text = ir_format(arena, "%s --threads %s", text, o->threads);
    if (o->tune || o->tuning) text = ir_format(arena, "%s --tuning manifest.json", text);
    if (o->statistics) text = ir_format(arena, "%s --statistics %s", text, o->statistics);
    if (no_stream(o)) text = ir_format(arena, "%s --no-stream", text);
    for (int i = 0; i < o->n_input_dims - o->n_chosen_dims; i++)
        text = ir_format(arena, "%s --input-dim %s", text, o->input_dim[i]);
    return text;
}

bool options_int(const char *option, const char *text, int64_t low, int64_t high, int64_t *value,
                 ir_diag *d) {
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (end == text || *end || errno || v < low || v > high)
        return ir_fail(d, IR_EXIT_INPUT, "%s %s: expected a whole number from %lld to %lld", option, text,
                       (long long)low, (long long)high);
    *value = v;
    return true;
}

/* "200M": a whole number of bytes, KiB, MiB or GiB. */
static bool parse_bytes(const char *option, const char *text, int64_t low, int64_t *bytes, ir_diag *d) {
    static const char units[] = "KMG";
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    if (end == text || errno || v < low || v > INT64_MAX >> shift || (*end && (!unit || end[1])))
        return ir_fail(d, IR_EXIT_INPUT, "%s %s: expected bytes, with K, M or G behind for KiB, MiB or GiB",
                       option, text);
    *bytes = (int64_t)v << shift;
    return true;
}

static bool parse_precision(const char *text, ir_precision *precision, ir_diag *d) {
    for (int p = 0; p < IR_PRECISION_COUNT; p++) {
        if (strcmp(text, cg_gpu_precision_name((ir_precision)p)) != 0) continue;
        *precision = (ir_precision)p;
        return true;
    }
    return ir_fail(d, IR_EXIT_INPUT, "--precision %s: expected fp32, tf32, fp16 or bf16", text);
}

bool options_goals(const options *o, ir_target target, ir_goals *goals, ir_diag *d) {
    int64_t lanes = DEFAULT_LANES;
    *goals = (ir_goals){.target = target,
                        .strict = o->math && strcmp(o->math, "strict") == 0,
                        .whole = no_stream(o),
                        .workspace_cap = -1};
    if (o->threads && !options_int("--threads", o->threads, 1, MAX_LANES, &lanes, d)) return false;
    goals->lanes = (int)lanes;
    if (o->precision && !parse_precision(o->precision, &goals->precision, d)) return false;
    if (o->workspace_cap && !parse_bytes("--workspace-cap", o->workspace_cap, 0, &goals->workspace_cap, d))
        return false;
    if (o->max_memory && !parse_bytes("--max-memory", o->max_memory, 1, &goals->max_memory, d)) return false;
    if (o->network_memory && target == IR_TARGET_C) goals->max_memory = o->network_memory;
    return true;
}

bool options_number(const char *option, const char *text, double *value, ir_diag *d) {
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v) || v < 0)
        return ir_fail(d, IR_EXIT_INPUT, "%s %s: expected a number, 0 or more", option, text);
    *value = v;
    return true;
}
