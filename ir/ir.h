/* ir.h: the graph that every part of voxc reads and rewrites.
 *
 * A graph is an ordered list of nodes over tensors with static shapes. Axes of activations mean N C D H W in
 * that order (fewer spatial axes are allowed). One arena per compilation owns every object: passes free
 * nothing, ir_graph_free frees all. No globals.
 *
 * Errors: a function that can meet bad input takes an ir_diag and returns false or NULL after filling it; a
 * broken invariant (the compiler's own bug) ends the program through ir_die.
 */
#ifndef VOXC_IR_H
#define VOXC_IR_H

#include "vox_volume_info.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ---- diagnostics ----------------------------------------------------------------------------- */

enum { IR_EXIT_OK = 0, IR_EXIT_FAILURE = 1, IR_EXIT_INPUT = 2, IR_EXIT_UNSUPPORTED = 3 };

/* The first error of a compilation. text is one line (where, what was expected, what to do), optionally
 * followed by source lines with a caret. */
typedef struct ir_diag {
    int code; /* IR_EXIT_*; 0 = no error yet */
    char text[2048];
} ir_diag;

/* Records the first error (later ones are ignored) and returns false, so that callers can `return
 * ir_fail(...)`. */
bool ir_fail(ir_diag *d, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts "prefix: " before the recorded text, so that outer layers can say where. Returns false. */
bool ir_fail_in(ir_diag *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A broken invariant: prints "voxc: internal error: ..." and aborts. */
_Noreturn void ir_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Prints "voxc: out of memory: WHAT" and exits with IR_EXIT_FAILURE. */
_Noreturn void ir_no_memory(const char *what);

/* ---- memory ---------------------------------------------------------------------------------- */

typedef struct ir_arena ir_arena;
ir_arena *ir_arena_new(void);
void ir_arena_free(ir_arena *a);
/* Zeroed, 64-byte aligned. Never returns NULL: out of memory prints one line and exits 1. */
void *ir_alloc(ir_arena *a, size_t count, size_t size);
char *ir_strdup(ir_arena *a, const char *s);
char *ir_format(ir_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- types ----------------------------------------------------------------------------------- */

enum { IR_MAX_RANK = 8, IR_BLOCK = 16 };
#define IR_MAX_BYTES (INT64_C(1) << 62) /* of a tensor or of scratch memory */

/* X(symbol, text name, C type, is float, lowest and highest integer) */
/* clang-format off */
#define IR_DTYPES(X)                                    \
    X(F32,  "f32",  float,   1, 0,         0)           \
    X(F64,  "f64",  double,  1, 0,         0)           \
    X(I64,  "i64",  int64_t, 0, INT64_MIN, INT64_MAX)   \
    X(I32,  "i32",  int32_t, 0, INT32_MIN, INT32_MAX)   \
    X(U8,   "u8",   uint8_t, 0, 0,         UINT8_MAX)   \
    X(BOOL, "bool", uint8_t, 0, 0,         1)
/* clang-format on */
typedef enum ir_dtype {
#define X(sym, ...) IR_##sym,
    IR_DTYPES(X)
#undef X
        IR_DTYPE_COUNT
} ir_dtype;
const char *ir_dtype_name(ir_dtype t);
bool ir_dtype_parse(const char *name, ir_dtype *out);
size_t ir_dtype_bytes(ir_dtype t);
bool ir_dtype_is_float(ir_dtype t);
const char *ir_dtype_c(ir_dtype t); /* "float": the C type that it is in memory */
/* Of integers: the least and the greatest. */
int64_t ir_dtype_low(ir_dtype t);
int64_t ir_dtype_high(ir_dtype t);
/* Element i of an array of type t; _int for integers. What is stored must lie in the type's range. */
double ir_load_float(ir_dtype t, const void *data, int64_t i); /* any dtype */
int64_t ir_load_int(ir_dtype t, const void *data, int64_t i);
void ir_store_float(ir_dtype t, void *data, int64_t i, double v); /* rounded once */
void ir_store_int(ir_dtype t, void *data, int64_t i, int64_t v);

typedef enum ir_op {
#define OP(sym, ...) IR_OP_##sym,
#include "ops.def"
    IR_OP_COUNT
} ir_op;

typedef enum ir_key {
#define ATTR(sym, name, kind) IR_##sym,
#include "attrs.def"
#undef ATTR
    IR_KEY_COUNT
} ir_key;

typedef enum ir_kind { IR_KIND_INT, IR_KIND_INTS, IR_KIND_FLOAT, IR_KIND_FLOATS, IR_KIND_WORD } ir_kind;
enum { IR_FLAG_MAP = 1, IR_FLAG_BINARY = 2, IR_FLAG_VIEW = 4, IR_FLAG_SHAPE = 8, IR_FLAG_SPATIAL = 16 };

/* What an operator that works element by element takes and gives. */
typedef enum ir_form {
    IR_FORM_OTHER,   /* its shape function says */
    IR_FORM_FLOATS,  /* floats, and gives their type */
    IR_FORM_NUMBERS, /* floats or integers, and gives their type */
    IR_FORM_BOOLS,   /* bools to bool */
    IR_FORM_ORDERS,  /* numbers to bool */
    IR_FORM_EQUALS   /* anything to bool */
} ir_form;

/* Which planes of its operands along D an operator needs for planes of its result, where it is one that can
 * work on a few at a time. */
typedef enum ir_plane_map {
    IR_PLANES_NONE,       /* all of them, or it is none that can */
    IR_PLANES_SAME,       /* the same */
    IR_PLANES_WINDOW,     /* o*stride + k*dilation - pad for 0 <= k < kernel */
    IR_PLANES_TRANSPOSED, /* i is needed for i*stride + k*dilation - pad */
    IR_PLANES_SHIFTED     /* o + begin */
} ir_plane_map;

/* Which layouts of memory meet in an operator. Constants are always row-major. */
typedef enum ir_layout {
    IR_LAYOUT_PLAIN,   /* all row-major */
    IR_LAYOUT_FREE,    /* each as it likes */
    IR_LAYOUT_READS,   /* reads any, writes row-major */
    IR_LAYOUT_FOLLOWS, /* writes what it reads; operands of the result's rank (BINARY: shape) alike */
    IR_LAYOUT_VOXELS,  /* as FOLLOWS; goes from voxel to voxel, which is faster where channels are last */
    IR_LAYOUT_TO_BLOCK,
    IR_LAYOUT_FROM_BLOCK,
    IR_LAYOUT_TO_CHANNELS_LAST,
    IR_LAYOUT_FROM_CHANNELS_LAST
} ir_layout;

typedef struct ir_op_info {
    const char *name, *formula, *gradient;
    int min_in, max_in, n_out;   /* max_in -1: any number */
    int weights;                 /* operands 1 to this one are parameters of a network */
    uint64_t required, optional; /* bit (1 << ir_key) */
    unsigned flags;
    ir_form form;
    ir_plane_map planes;
    ir_layout layout;
} ir_op_info;
const ir_op_info *ir_op_get(ir_op op);
bool ir_op_parse(const char *name, ir_op *out);
/* Whether nodes of this operator may have the attribute act: they apply an activation to their results. */
bool ir_op_carries_act(ir_op op);
/* Whether it is an activation that such an operator in front of it takes over. */
bool ir_op_fuses(ir_op op);
const char *ir_key_name(ir_key k);
ir_kind ir_key_kind(ir_key k);

typedef struct ir_attr {
    ir_key key;
    int count;        /* of i or f; 1 for scalars */
    const int64_t *i; /* INT, INTS */
    const double *f;  /* FLOAT, FLOATS */
    const char *word; /* WORD */
} ir_attr;

typedef struct ir_node ir_node;

typedef struct ir_tensor ir_tensor;
#include "planned.h"

typedef enum ir_role { IR_ROLE_INPUT, IR_ROLE_CONST, IR_ROLE_VALUE } ir_role;

struct ir_tensor {
    const char *name; /* unique in the graph, [A-Za-z0-9_.]+, not starting with a digit */
    ir_role role;
    ir_dtype dtype;
    int rank; /* 0 for a scalar */
    int64_t dim[IR_MAX_RANK];
    ir_node *producer; /* IR_ROLE_VALUE only */
    /* Who reads it: a node once per operand, in no order. Kept by what builds and rewrites graphs (below):
     * write no operand and no graph output directly. */
    int n_users, cap_users;
    ir_node **users;
    int n_outputs; /* times that it is an output of the graph */
    int place;     /* about where it stands in the graph's list */
    const void
        *data;     /* IR_ROLE_CONST: row-major, host byte order; NULL in a graph read without its weights */
    uint64_t hash; /* IR_ROLE_CONST: ir_hash of data */

    /* What passes plan (planned.h). */
    ir_tensor_cpu cpu;
    ir_tensor_gpu gpu;
    ir_tensor_memory memory;
};

struct ir_node {
    ir_op op;
    const char *name;   /* of the layer, as its author wrote it; the emitted function's name */
    const char *source; /* where it came from, for messages: "unet3d.yaml:12:5", "net.onnx: node 7 Conv" */
    int place;          /* about where it stands in the graph's list: see ir_position */
    int n_in, n_out;
    ir_tensor **in; /* an optional input that is absent is NULL */
    ir_tensor **out;
    int n_attr;
    ir_attr *attr; /* ascending key */
    ir_node_cpu cpu;
    ir_node_gpu gpu;
    ir_node_memory memory;
};

enum { IR_MAX_PREPARE = 64, IR_MAX_LABELS = 256, IR_MAX_LABEL = 65535 };

/* The volume section, with room for what `info` points to. ir_volume_new sets the pointers. */
typedef struct ir_volume {
    bool present;
    vox_volume_info info; /* all lengths and voxels in x y z of the oriented volume */
    char axes[4], orientation[4], stored[4];
    vox_prepare_step steps[IR_MAX_PREPARE];
    int region_label[IR_MAX_LABELS];
} ir_volume;

/* A layer's measured choice. */
typedef struct ir_tuned {
    const char *layer; /* name of the conv's output */
    const char *way;   /* as such tables name it: cg_way.tuned */
    int64_t tile[3];
} ir_tuned;

/* What is given up for memory, each step on top of those before it. */
typedef enum ir_thrift {
    IR_FASTEST,
    IR_WEIGHTS_ON_THE_WAY, /* no weights are kept transformed */
    IR_TWO_LANES,          /* at most */
    IR_ONE_LANE,
    IR_DIRECT, /* no conv has scratch memory */
    IR_THRIFT_COUNT
} ir_thrift;

typedef enum ir_target { IR_TARGET_C, IR_TARGET_CUDA } ir_target;

/* What a GPU computes convolutions with. X(symbol, option's word, how values are kept, channels in one step
 * of a tensor core (0: none are used)) */
#define IR_PRECISIONS(X)                                                                                     \
    X(FP32, "fp32", OWN, 0) X(TF32, "tf32", OWN, 4) X(FP16, "fp16", F16, 8) X(BF16, "bf16", BF16, 8)
typedef enum ir_precision {
#define X(sym, name, storage, channels) IR_##sym,
    IR_PRECISIONS(X)
#undef X
        IR_PRECISION_COUNT
} ir_precision;

/* What the passes are asked to reach; not part of the text form. */
typedef struct ir_goals {
    ir_target target;
    ir_precision precision; /* of a GPU */
    bool strict;            /* only algorithms whose rounding error is no larger than a direct sum's */
    bool whole;             /* every value lies in memory as a whole, for whoever wants to look at it */
    int lanes;              /* tasks of a layer that may run at once with scratch of their own, >= 1 */
    int64_t max_memory;     /* bytes of arena and prepared weights, a GPU's cuDNN workspace too; 0: any */
    int64_t workspace_cap;  /* bytes that a cuDNN plan may ask for at run time */
    ir_thrift thrift;
    int n_tuned;
    const ir_tuned *tuned;
} ir_goals;

typedef struct ir_names ir_names;
typedef struct ir_packed ir_packed;
typedef struct ir_graph {
    ir_arena *arena;
    const char *name; /* C identifier */
    int n_nodes, cap_nodes;
    ir_node **nodes; /* in execution order */
    int n_tensors, cap_tensors;
    ir_tensor **tensors; /* in order of creation */
    int n_inputs, cap_inputs, n_outputs, cap_outputs;
    ir_tensor **inputs, **outputs;
    int n_labels;
    const char **labels; /* label names, index = class */
    ir_volume volume;
    int64_t arena_bytes; /* -1 while unplanned */
    ir_packed *packed;   /* target c's weights: compiler/plan/cpu/packed.h; NULL while unplanned */
    bool recompute;      /* each step of a stream makes all that it needs anew: see stream.h */
    ir_goals goals;
    ir_names *names; /* of tensors (names.h) */
} ir_graph;

/* ---- volume sections (volume.c) -------------------------------------------------------------- */

/* A section that says nothing yet: no steps, one tile holds the volume, argmax, back linearly between corners. */
void ir_volume_new(ir_volume *v);
/* Whether the network gives as much as it takes, so that it sees zeros at the borders of tiles. */
bool ir_is_padded(const ir_graph *g);
/* What tiles are by default, the border being set: those of a padded network's scores overlap by half and have
 * Gaussian weights, others lie side by side. */
void ir_volume_tiles(ir_graph *g);
/* Sets the phase: along each axis the least common multiple of the network's strides, as far as it is below
 * IR_MAX_PHASE. Shifting the input by it shifts every layer by whole voxels. */
enum { IR_MAX_PHASE = 4096 };
void ir_volume_phase(ir_graph *g);
/* A step of this kind: for each channel, linear between corners. */
vox_prepare_step ir_prepare_step(vox_prepare_kind kind);
extern const vox_resampling ir_linear;              /* linear between corners */
const char *ir_prepare_name(vox_prepare_kind kind); /* of VOX_PREPARES, as its numbers are */
int ir_prepare_numbers(vox_prepare_kind kind);
bool ir_prepare_resamples(vox_prepare_kind kind);   /* whether `sampling` counts */
bool ir_prepare_has_channel(vox_prepare_kind kind); /* whether `channel` counts */
bool ir_prepare_has_floor(vox_prepare_kind kind);   /* whether `floor` counts */
bool ir_is_orientation(const char *code);           /* one of the 48: RAS, LPI, SAR ... */

/* The words of descriptions and of the text form, by the values of vox_volume_info.h. */
enum {
    IR_INTERPOLATIONS = 3,
    IR_ALIGNMENTS = 4,
    IR_BORDERS = 3,
    IR_WINDOWS = 3,
    IR_PLACEMENTS = 2,
    IR_ACTIVATIONS = 3
};
extern const char *const ir_interpolation_words[IR_INTERPOLATIONS],
    *const ir_alignment_words[IR_ALIGNMENTS], *const ir_border_words[IR_BORDERS],
                                                  *const ir_window_words[IR_WINDOWS],
                                                      *const ir_placement_words[IR_PLACEMENTS],
                                                          *const ir_activation_words[IR_ACTIVATIONS];

/* ---- building (graph.c) ---------------------------------------------------------------------- */

ir_graph *ir_graph_new(const char *name);
void ir_graph_free(ir_graph *g);

/* A name that is free in g: `base` with characters outside [A-Za-z0-9_.] replaced by _, then base_2, base_3
 * ... */
const char *ir_unique_name(ir_graph *g, const char *base);
ir_tensor *ir_find_tensor(const ir_graph *g, const char *name); /* NULL if there is none */
void ir_rename_tensor(ir_graph *g, ir_tensor *t,
                      const char *name); /* a name that is free, or its last owner's */

/* Tensor constructors take a name that must be free (use ir_unique_name). Sizes are checked (overflow:
 * ir_die; front ends check with ir_shape_bytes first). */
ir_tensor *ir_add_input(ir_graph *g, const char *name, ir_dtype t, int rank, const int64_t *dim);
/* data is copied when `copy`, else must live as long as the graph. data may be NULL (opaque constant). */
ir_tensor *ir_add_const(ir_graph *g, const char *name, ir_dtype t, int rank, const int64_t *dim,
                        const void *data, bool copy);
ir_tensor *ir_add_const_i64(ir_graph *g, const char *name, int count, const int64_t *v); /* rank 1 */
ir_tensor *ir_add_const_f32(ir_graph *g, const char *name, int count, const float *v);   /* rank 1 */
void ir_add_output(ir_graph *g, ir_tensor *t);

/* Appends a node whose single output tensor is `out_name`; set the attributes with ir_set_*, then call
 * ir_finish_node, which checks operands and attributes and infers the output's dtype and shape. */
ir_node *ir_add_node(ir_graph *g, ir_op op, const char *name, int n_in, ir_tensor *const *in,
                     const char *out_name);
void ir_set_ints(ir_graph *g, ir_node *n, ir_key key, int count, const int64_t *v);
void ir_set_int(ir_graph *g, ir_node *n, ir_key key, int64_t v);
void ir_set_floats(ir_graph *g, ir_node *n, ir_key key, int count, const double *v);
void ir_set_float(ir_graph *g, ir_node *n, ir_key key, double v);
void ir_set_word(ir_graph *g, ir_node *n, ir_key key, const char *word);
void ir_drop_attr(ir_node *n, ir_key key);
bool ir_finish_node(ir_graph *g, ir_node *n, ir_diag *d);

const ir_attr *ir_get(const ir_node *n, ir_key key);       /* NULL if absent */
const int64_t *ir_ints(const ir_node *n, ir_key key);      /* dies if absent */
bool ir_has_int(const ir_node *n, ir_key key, int64_t v);  /* v is one of them; dies if absent */
bool ir_all_ints(const ir_node *n, ir_key key, int64_t v); /* each of them is v; true if absent */
int64_t ir_int(const ir_node *n, ir_key key);              /* dies if absent */
double ir_float(const ir_node *n, ir_key key);             /* dies if absent */
const double *ir_floats(const ir_node *n, ir_key key);     /* dies if absent */
const char *ir_word(const ir_node *n, ir_key key);         /* NULL if absent */

/* ---- rewriting (rewrite.c) ------------------------------------------------------------------- */

/* Operand k of n, one that it has already, becomes t (NULL: absent). */
void ir_set_operand(ir_graph *g, ir_node *n, int k, ir_tensor *t);
/* n has these operands from now on; the list is copied. */
void ir_set_operands(ir_graph *g, ir_node *n, int n_in, ir_tensor *const *in);
void ir_set_output(ir_graph *g, int i, ir_tensor *t);              /* output i of the graph becomes t */
void ir_replace_uses(ir_graph *g, ir_tensor *from, ir_tensor *to); /* in nodes and in graph outputs */
int ir_count_uses(const ir_graph *g, const ir_tensor *t);          /* node inputs + graph outputs */
/* Where n stands in the list; dies if it does not. In constant time while few nodes have moved. */
int ir_position(const ir_graph *g, const ir_node *n);
/* Takes n out of the list; what it computed stays, without a producer in the graph. */
void ir_detach_node(ir_graph *g, ir_node *n);
void ir_remove_node(ir_graph *g, ir_node *n); /* its outputs go too: they must be unused, without views */
void ir_insert_node(ir_graph *g, ir_node *n,
                    const ir_node *before); /* moves n (last appended) in front of `before` */
void ir_insert_behind(ir_graph *g, ir_node *n, const ir_node *after); /* the same, right behind `after` */
void ir_delay_node(ir_graph *g, ir_node *n, const ir_node *after);    /* moves n to behind a later node */
void ir_remove_dead(ir_graph *g); /* nodes and tensors that no output needs; graph inputs stay */

/* ---- tensors (tensor.c) ---------------------------------------------------------------------- */

/* Elements and bytes of a shape; false on a negative dimension or when the product exceeds 2^62. */
bool ir_shape_count(int rank, const int64_t *dim, int64_t *count);
bool ir_shape_bytes(ir_dtype t, int rank, const int64_t *dim, int64_t *bytes);
int64_t ir_count(const ir_tensor *t);
int64_t ir_element_bytes(const ir_tensor *t); /* of one element as it is kept in memory */
/* Bytes in memory: blocked tensors round C up to IR_BLOCK, of a ring only its planes count. A channels-last
 * tensor that lives in another reaches from its first element to that one's end. */
int64_t ir_bytes(const ir_tensor *t);
/* Whether t is channels last and shares its voxels with neighbours in a concat. */
bool ir_is_interleaved(const ir_tensor *t);
/* Whether operand k of a concat lies in the result, and at its own place there. What does not is copied by
 * the concat; so are all places but one of a value that stands there several times. */
bool ir_is_in_place(const ir_node *concat, int k);
/* Whether another tensor lies in t. Views being sound, it is an operand of t's node or a result of a reader.
 */
bool ir_has_views(const ir_tensor *t);
/* Whether the graph hands t to its caller. */
static inline bool ir_is_output(const ir_tensor *t) {
    return t->n_outputs > 0;
}
bool ir_same_shape(const ir_tensor *a, const ir_tensor *b);
/* "f32[1,64,3,3,3]" into buf; returns buf. */
char *ir_type_text(const ir_tensor *t, char *buf, size_t n);
/* Whether t must be finite: weights, biases, slopes and statistics of layers, which are computed with ahead
 * of time. Any other constant may hold anything. */
bool ir_is_weight(const ir_graph *g, const ir_tensor *t);
double ir_const_float(const ir_tensor *t, int64_t i); /* any dtype */
int64_t ir_const_int(const ir_tensor *t, int64_t i);  /* any dtype; floats truncate */
uint64_t ir_hash(const void *data, size_t n);         /* vox_hash of runtime/shared/vox_hash.h, seed 0 */
/* SplitMix64 (Steele, Lea, Flood 2014): its output function, a bijection that spreads every bit, and output
 * number i (from 0) of the generator that starts with `seed`. */
uint64_t ir_mix(uint64_t z);
uint64_t ir_random(uint64_t seed, uint64_t i);
uint64_t ir_hash_graph(const ir_graph *g); /* of ir_print's structure, constants by shape only */

/* ---- shapes (shape.c and friends) ------------------------------------------------------------ */

/* Infers n's output dtype and shape from its inputs and attributes, checking both. The message names the op,
 * the node and every shape involved. */
bool ir_infer(ir_node *n, ir_diag *d);
/* Multiply-accumulates of a node: convs and transposed convs; 0 for the rest. */
int64_t ir_macs(const ir_node *n);
/* The value that a conv adds to its sums before the activation, of the result's shape (operand IR_SKIP: a
 * residual network's skip connection); NULL: none. */
enum { IR_SKIP = 4 };
ir_tensor *ir_skip(const ir_node *n);
/* Whether the kernel that computes n's operand does n's work too: n is joined or its operand fused. */
bool ir_is_joined(const ir_node *n);
/* Parameters as papers count them: elements of the weights and biases of convs and transposed convs (batch
 * norm's and instance norm's are counted only with `norms`; prelu slopes always). */
int64_t ir_parameters(const ir_graph *g, bool norms);

/* ---- text (print.c, parse.c; the specification is IR.md) ------------------------------------- */

bool ir_print(const ir_graph *g, FILE *f);
char *ir_print_string(const ir_graph *g); /* malloc'd, caller frees */
/* Reads the text form. `blobs` (may be NULL) finds the data of a constant printed as blob(hash): returns a
 * pointer that outlives the graph, or NULL (then the constant stays opaque). */
typedef const void *ir_blobs(void *ctx, const char *name, uint64_t hash, size_t bytes);
ir_graph *ir_parse(const char *text, const char *file, ir_blobs *blobs, void *ctx, ir_diag *d);

/* A graph of its own, equal but for nodes' `source`, which is the place in the text. Constants share their
 * data with g, which must outlive the copy. */
ir_graph *ir_copy(const ir_graph *g);

/* ---- verifier (verify.c) --------------------------------------------------------------------- */

/* Structure, operand counts, attributes, re-inferred shapes, order; nothing of what passes plan
 * (plan_verify.h). Fills d (code IR_EXIT_FAILURE) and returns false at the first violation. */
bool ir_verify(const ir_graph *g, ir_diag *d);

/* ---- interpreter (interp*.c) ----------------------------------------------------------------- */

/* A computed tensor: floats as double, integers and bools as int64_t; row-major whatever the layout. */
typedef struct ir_value {
    double *f;
    int64_t *i;
} ir_value;

/* Called after each node (value = its output), for --per-node-accuracy. */
typedef void ir_watch(void *ctx, const ir_node *n, const ir_value *value);

/* Runs g in double precision. in[k] are g->inputs' values (owned by the caller); *out receives malloc'd
 * values of g->outputs (free with ir_values_free). threads >= 1. progress may be NULL. Fails on opaque
 * constants. */
bool ir_interpret(const ir_graph *g, const ir_value *in, ir_value *out, int threads, ir_watch *watch,
                  void *ctx, ir_diag *d);
void ir_values_free(ir_value *v, int count);
/* One node alone: in[k] are its operands' values (both pointers NULL for an absent one; IR_OP_SHAPE_OF needs
 * none), out[k] receives malloc'd ones of its results. On failure out holds nothing to free. */
bool ir_interpret_node(const ir_node *n, const ir_value *in, ir_value *out, int threads, ir_diag *d);
/* Room for t's values, malloc'd and not set; those of a constant, which must have its data. */
bool ir_value_new(const ir_tensor *t, ir_value *v, ir_diag *d);
bool ir_value_of_const(const ir_tensor *t, ir_value *v, ir_diag *d);
/* Evaluates one node whose inputs are all constants and returns its output as a new constant of g (named like
 * the output, which it replaces everywhere; the node is removed). Fails when an input is opaque. */
bool ir_fold_node(ir_graph *g, ir_node *n, ir_diag *d);

#endif
