/* onnx_write_ops.c: each IR operator as ONNX node(s).
 *
 * One row per operator: its ONNX name and the function that writes it. The functions take the name of the
 * result, so that a fused activation can be put behind. */
#include "front_onnx_ops.h"
#include "onnx_tensor.h"
#include "onnx_write_graph.h"

#include <float.h>
#include <math.h>
#include <string.h>

typedef Onnx__NodeProto *write_fn(onnx_writer *w, const ir_node *n, const char *type, const char *out);

/* ---- helpers --------------------------------------------------------------------------------- */

static Onnx__NodeProto *put_operands(onnx_writer *w, const ir_node *n, int n_in, const char *type,
                                     const char *out) {
    const char **in = ir_alloc(w->arena, (size_t)n_in + 1, sizeof *in);
    for (int k = 0; k < n_in; k++) in[k] = n->in[k] ? onnx_written_name(n->in[k]) : NULL;
    return onnx_put(w, type, n_in, in, out);
}

static void copy_ints(onnx_writer *w, Onnx__NodeProto *p, const ir_node *n, ir_key key, const char *name) {
    const ir_attr *a = ir_get(n, key);
    onnx_put_ints(w, p, name, a->count, a->i);
}

static const char *list_of(onnx_writer *w, const ir_node *n, ir_key key, const char *suffix) {
    const ir_attr *a = ir_get(n, key);
    return onnx_put_list(w, n->out[0]->name, suffix, a->count, a->i);
}

/* ---- operators ------------------------------------------------------------------------------- */

static Onnx__NodeProto *write_plain(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    return put_operands(w, n, n->n_in, type, out);
}

static Onnx__NodeProto *write_window(onnx_writer *w, const ir_node *n, int n_in, const char *type,
                                     const char *out) {
    Onnx__NodeProto *p = put_operands(w, n, n_in, type, out);
    copy_ints(w, p, n, IR_KERNEL, "kernel_shape");
    copy_ints(w, p, n, IR_STRIDE, "strides");
    return p;
}

static Onnx__NodeProto *write_conv(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    Onnx__NodeProto *p = write_window(w, n, n->n_in < 3 ? n->n_in : 3, type, out);
    copy_ints(w, p, n, IR_PAD, "pads");
    copy_ints(w, p, n, IR_DILATION, "dilations");
    onnx_put_int(w, p, "group", ir_int(n, IR_GROUP));
    if (n->op == IR_OP_CONV_TRANSPOSE && !ir_all_ints(n, IR_OUTPUT_PAD, 0))
        copy_ints(w, p, n, IR_OUTPUT_PAD, "output_padding");
    return p;
}

/* Readers disagree about ceil_mode's last window, so rounding up is written as end pads that reach it
 * exactly. Where pads count in the mean they would change it; there ceil_mode must do. */
static bool ceil_as_pads(const ir_node *n, int64_t *pad) {
    int space = n->in[0]->rank - 2;
    memcpy(pad, ir_ints(n, IR_PAD), (size_t)(2 * space) * sizeof *pad);
    if (!ir_int(n, IR_CEIL)) return true;
    if (n->op == IR_OP_AVERAGE_POOL && ir_int(n, IR_INCLUDE_PAD)) return false;
    for (int i = 0; i < space; i++) {
        int64_t extent = (ir_ints(n, IR_KERNEL)[i] - 1) * ir_ints(n, IR_DILATION)[i] + 1;
        int64_t reach = (n->out[0]->dim[2 + i] - 1) * ir_ints(n, IR_STRIDE)[i] + extent;
        int64_t behind = reach - n->in[0]->dim[2 + i] - pad[i];
        pad[space + i] = behind > 0 ? behind : 0;
    }
    return true;
}

static Onnx__NodeProto *write_pool(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    int64_t pad[2 * IR_MAX_RANK];
    Onnx__NodeProto *p = write_window(w, n, 1, type, out);
    if (!ceil_as_pads(n, pad)) onnx_put_int(w, p, "ceil_mode", 1);
    onnx_put_ints(w, p, "pads", 2 * (n->in[0]->rank - 2), pad);
    if (!ir_all_ints(n, IR_DILATION, 1)) copy_ints(w, p, n, IR_DILATION, "dilations");
    if (n->op == IR_OP_AVERAGE_POOL) onnx_put_int(w, p, "count_include_pad", ir_int(n, IR_INCLUDE_PAD));
    return p;
}

static Onnx__NodeProto *write_norm(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    bool groups = ir_get(n, IR_GROUP) != NULL;
    Onnx__NodeProto *p =
        put_operands(w, n, n->op == IR_OP_BATCH_NORM ? 5 : 3, groups ? "GroupNormalization" : type, out);
    onnx_put_float(w, p, "epsilon", ir_float(n, IR_EPS));
    if (groups) onnx_put_int(w, p, "num_groups", ir_int(n, IR_GROUP));
    return p;
}

static Onnx__NodeProto *write_axis(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    Onnx__NodeProto *p = write_plain(w, n, type, out);
    onnx_put_int(w, p, "axis", ir_int(n, IR_AXIS));
    return p;
}

static Onnx__NodeProto *write_arg_max(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    Onnx__NodeProto *p = write_axis(w, n, type, out);
    onnx_put_int(w, p, "keepdims", ir_int(n, IR_KEEPDIMS));
    onnx_put_int(w, p, "select_last_index", ir_int(n, IR_SELECT_LAST));
    return p;
}

/* The axes became an input in opset 13 (ReduceSum) and 18 (the others). */
static Onnx__NodeProto *write_reduce(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    const ir_attr *axes = ir_get(n, IR_AXES);
    bool as_input = n->op == IR_OP_REDUCE_SUM || w->opset >= 18, nothing = axes->count == 0;
    const char *in[2] = {onnx_written_name(n->in[0]), NULL};
    if (nothing) return onnx_put(w, "Identity", 1, in, out); /* no axes would mean all of them */
    if (as_input) in[1] = list_of(w, n, IR_AXES, "axes");
    Onnx__NodeProto *p = onnx_put(w, type, 2, in, out);
    if (!as_input) copy_ints(w, p, n, IR_AXES, "axes");
    onnx_put_int(w, p, "keepdims", ir_int(n, IR_KEEPDIMS));
    return p;
}

static Onnx__NodeProto *write_slice(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    const int64_t *begin = ir_ints(n, IR_BEGIN), *size = ir_ints(n, IR_SIZE), *step = ir_ints(n, IR_STEP);
    int64_t end[IR_MAX_RANK], axes[IR_MAX_RANK];
    int rank = n->in[0]->rank;
    for (int i = 0; i < rank; i++) {
        end[i] = size[i] ? begin[i] + (size[i] - 1) * step[i] + (step[i] > 0 ? 1 : -1) : begin[i];
        if (size[i] && end[i] < 0) end[i] = INT64_MIN; /* -1 would mean the last element */
        axes[i] = i;
    }
    const char *in[5] = {onnx_written_name(n->in[0]), list_of(w, n, IR_BEGIN, "starts"),
                         onnx_put_list(w, out, "ends", rank, end), onnx_put_list(w, out, "axes", rank, axes),
                         list_of(w, n, IR_STEP, "steps")};
    return onnx_put(w, type, 5, in, out);
}

static Onnx__NodeProto *write_pad(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    const ir_attr *value = ir_get(n, IR_VALUE);
    const char *in[3] = {onnx_written_name(n->in[0]), list_of(w, n, IR_PAD, "pads"), NULL};
    if (value && value->f[0] != 0) in[2] = onnx_put_scalar(w, out, "value", n->in[0]->dtype, value->f[0]);
    Onnx__NodeProto *p = onnx_put(w, type, 3, in, out);
    onnx_put_word(w, p, "mode", ir_word(n, IR_MODE));
    return p;
}

static Onnx__NodeProto *write_shape(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    const char *in[2] = {onnx_written_name(n->in[0]), list_of(w, n, IR_SHAPE, "shape")};
    const ir_attr *shape = ir_get(n, IR_SHAPE);
    Onnx__NodeProto *p = onnx_put(w, type, 2, in, out);
    for (int i = 0; i < shape->count && n->op == IR_OP_RESHAPE; i++)
        if (shape->i[i] == 0) {
            onnx_put_int(w, p, "allowzero", 1);
            break;
        }
    return p;
}

static Onnx__NodeProto *write_transpose(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    Onnx__NodeProto *p = write_plain(w, n, type, out);
    copy_ints(w, p, n, IR_PERM, "perm");
    return p;
}

static Onnx__NodeProto *write_cast(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    Onnx__NodeProto *p = write_plain(w, n, type, out);
    onnx_put_int(w, p, "to", onnx_type_of(n->out[0]->dtype));
    return p;
}

static Onnx__NodeProto *write_mod(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    Onnx__NodeProto *p = write_plain(w, n, type, out);
    onnx_put_int(w, p, "fmod", ir_int(n, IR_FMOD));
    return p;
}

/* The scales that readers compute from the sizes. */
static bool scales_follow(const ir_node *n) {
    const double *scale = ir_floats(n, IR_SCALE);
    for (int i = 0; i < n->in[0]->rank; i++)
        if (scale[i] != (double)ir_ints(n, IR_SIZE)[i] / (double)n->in[0]->dim[i]) return false;
    return true;
}

/* The sizes that readers compute from the scales, in f32 and rounded down. */
static bool sizes_follow(const ir_node *n) {
    const double *scale = ir_floats(n, IR_SCALE);
    const ir_attr *roi = ir_get(n, IR_ROI);
    int rank = n->in[0]->rank;
    for (int i = 0; i < rank; i++) {
        float part = roi ? (float)(roi->f[rank + i] - roi->f[i]) : 1.0f;
        if (floorf((float)n->in[0]->dim[i] * part * (float)scale[i]) != (float)ir_ints(n, IR_SIZE)[i])
            return false;
    }
    return true;
}

/* Whether ONNX has the maps that n is and applies. */
static bool has_maps(const ir_node *n, ir_diag *d) {
    const char *act = ir_word(n, IR_ACT);
    ir_op op = n->op;
    if (act) ir_op_parse(act, &op);
    if (!(ir_op_get(op)->flags & IR_FLAG_MAP) || onnx_map_name(op)) return true;
    return ir_fail(d, IR_EXIT_UNSUPPORTED, "export: layer '%s': ONNX has no operator %s", n->name,
                   ir_op_get(op)->name);
}

bool onnx_can_write(const ir_node *n, ir_diag *d) {
    if (!has_maps(n, d)) return false;
    if (n->op != IR_OP_RESIZE || scales_follow(n) || sizes_follow(n)) return true;
    return ir_fail(
        d, IR_EXIT_UNSUPPORTED,
        "export: layer '%s': ONNX cannot express a resize whose size follows neither from its scales nor "
        "the other way round",
        n->name);
}

static const char *float_list(onnx_writer *w, const char *base, const char *suffix, const ir_attr *a) {
    int64_t count = a->count;
    float *own = ir_alloc(w->arena, (size_t)count + 1, sizeof *own);
    for (int i = 0; i < a->count; i++) own[i] = (float)a->f[i];
    return onnx_put_data(w, base, suffix, onnx_type_of(IR_F32), 1, &count, own, (size_t)count * sizeof *own);
}

static Onnx__NodeProto *write_resize(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    const ir_attr *roi = ir_get(n, IR_ROI), *extrapolation = ir_get(n, IR_EXTRAPOLATION);
    const char *in[4] = {onnx_written_name(n->in[0]), roi ? float_list(w, out, "roi", roi) : NULL, NULL,
                         NULL};
    if (scales_follow(n))
        in[3] = list_of(w, n, IR_SIZE, "sizes");
    else
        in[2] = float_list(w, out, "scales", ir_get(n, IR_SCALE));
    Onnx__NodeProto *p = onnx_put(w, type, 4, in, out);
    onnx_put_word(w, p, "mode", ir_word(n, IR_MODE));
    onnx_put_word(w, p, "coordinate_transformation_mode", ir_word(n, IR_COORDINATES));
    onnx_put_word(w, p, "nearest_mode", ir_word(n, IR_NEAREST));
    if (extrapolation) onnx_put_float(w, p, "extrapolation_value", extrapolation->f[0]);
    if (ir_get(n, IR_EXCLUDE_OUTSIDE)) onnx_put_int(w, p, "exclude_outside", ir_int(n, IR_EXCLUDE_OUTSIDE));
    return p;
}

/* ---- element-wise, and as fused activations -------------------------------------------------- */

/* y = op(x) with n's alpha and beta; n is the map itself or the node that fused it. */
static Onnx__NodeProto *put_map(onnx_writer *w, ir_op op, const ir_node *n, const char *x, const char *out) {
    const char *in[3] = {x, NULL, NULL}, *type = onnx_map_name(op);
    if (op == IR_OP_CLIP) {
        double low = ir_float(n, IR_ALPHA), high = ir_float(n, IR_BETA);
        if (low > -(double)FLT_MAX) in[1] = onnx_put_scalar(w, out, "min", n->out[0]->dtype, low);
        if (high < (double)FLT_MAX) in[2] = onnx_put_scalar(w, out, "max", n->out[0]->dtype, high);
        return onnx_put(w, type, 3, in, out);
    }
    Onnx__NodeProto *p = onnx_put(w, type, 1, in, out);
    if (ir_op_get(op)->required >> IR_ALPHA & 1) onnx_put_float(w, p, "alpha", ir_float(n, IR_ALPHA));
    return p;
}

/* The name of a map is the one by which it is read. */
static Onnx__NodeProto *write_map(onnx_writer *w, const ir_node *n, const char *type, const char *out) {
    (void)type;
    return put_map(w, n->op, n, onnx_written_name(n->in[0]), out);
}

typedef struct row {
    const char *type;
    write_fn *write; /* NULL: no node of its own */
} row;

/* An operator of ops.def without a row here does not compile; maps share theirs. */
#define WRITES(op, ...) static const row row_##op = {__VA_ARGS__};
#define UNWRITTEN(op)   static const row row_##op = {NULL, NULL};
/* clang-format off */
WRITES(CONV,           "Conv",                  write_conv)
WRITES(CONV_TRANSPOSE, "ConvTranspose",         write_conv)
WRITES(BATCH_NORM,     "BatchNormalization",    write_norm)
WRITES(INSTANCE_NORM,  "InstanceNormalization", write_norm)
WRITES(MAX_POOL,       "MaxPool",               write_pool)
WRITES(AVERAGE_POOL,   "AveragePool",           write_pool)
WRITES(RESIZE,         "Resize",                write_resize)
WRITES(CONCAT,         "Concat",                write_axis)
WRITES(SLICE,          "Slice",                 write_slice)
WRITES(PAD,            "Pad",                   write_pad)
WRITES(RESHAPE,        "Reshape",               write_shape)
WRITES(TRANSPOSE,      "Transpose",             write_transpose)
WRITES(EXPAND,         "Expand",                write_shape)
WRITES(GATHER,         "Gather",                write_axis)
WRITES(SOFTMAX,        "Softmax",               write_axis)
WRITES(LOG_SOFTMAX,    "LogSoftmax",            write_axis)
WRITES(ARG_MAX,        "ArgMax",                write_arg_max)
WRITES(REDUCE_SUM,     "ReduceSum",             write_reduce)
WRITES(REDUCE_MEAN,    "ReduceMean",            write_reduce)
WRITES(REDUCE_MAX,     "ReduceMax",             write_reduce)
WRITES(REDUCE_MIN,     "ReduceMin",             write_reduce)
WRITES(REDUCE_PROD,    "ReduceProd",            write_reduce)
WRITES(ADD,            "Add",                   write_plain)
WRITES(SUB,            "Sub",                   write_plain)
WRITES(MUL,            "Mul",                   write_plain)
WRITES(DIV,            "Div",                   write_plain)
WRITES(MIN,            "Min",                   write_plain)
WRITES(MAX,            "Max",                   write_plain)
WRITES(POW,            "Pow",                   write_plain)
WRITES(MOD,            "Mod",                   write_mod)
WRITES(EQUAL,          "Equal",                 write_plain)
WRITES(GREATER,        "Greater",               write_plain)
WRITES(GREATER_EQUAL,  "GreaterOrEqual",        write_plain)
WRITES(LESS,           "Less",                  write_plain)
WRITES(LESS_EQUAL,     "LessOrEqual",           write_plain)
WRITES(AND,            "And",                   write_plain)
WRITES(OR,             "Or",                    write_plain)
WRITES(PRELU,          "PRelu",                 write_plain)
WRITES(WHERE,          "Where",                 write_plain)
WRITES(CAST,           "Cast",                  write_cast)
WRITES(SHAPE_OF,       "Shape",                 write_plain)
WRITES(RANGE,          "Range",                 write_plain)
WRITES(map,            NULL,                    write_map)
/* only once a plan is made */
UNWRITTEN(NORM_TERMS)
UNWRITTEN(NORMALISE)
UNWRITTEN(TO_CHANNELS_LAST)
UNWRITTEN(FROM_CHANNELS_LAST)
/* see onnx_written_name */
UNWRITTEN(TO_BLOCK)
UNWRITTEN(FROM_BLOCK)
/* clang-format on */

static const row *const rows[IR_OP_COUNT] = {
#define OP(sym, ...)     [IR_OP_##sym] = &row_##sym,
#define MAP_OP(sym, ...) [IR_OP_##sym] = &row_map,
#include "ops.def"
};

/* A fused slope of C values acts per channel; ONNX broadcasts from the last axis. */
static void put_prelu(onnx_writer *w, const ir_node *n, const char *x, const char *out) {
    int64_t dim[IR_MAX_RANK] = {1, 1, 1, 1, 1, 1, 1, 1};
    int rank = n->out[0]->rank - 1;
    dim[0] = ir_count(n->in[3]);
    const char *slope[2] = {onnx_written_name(n->in[3]), onnx_put_list(w, out, "slope_shape", rank, dim)};
    const char *in[2] = {x, ir_format(w->arena, "%s:slope", out)};
    onnx_put(w, "Reshape", 2, slope, in[1]);
    onnx_put(w, "PRelu", 2, in, out);
}

void onnx_write_node(onnx_writer *w, const ir_node *n) {
    const char *act = ir_word(n, IR_ACT), *out = n->out[0]->name;
    ir_op op;
    if (n->op == IR_OP_TO_BLOCK || n->op == IR_OP_FROM_BLOCK) return;
    if (!rows[n->op]->write) ir_die("onnx_write: no row for operator %s", ir_op_get(n->op)->name);
    const char *before = act ? ir_format(w->arena, "%s:linear", out) : out;
    const char *sum = ir_skip(n) ? ir_format(w->arena, "%s:sum", out) : before;
    rows[n->op]->write(w, n, rows[n->op]->type, sum);
    if (ir_skip(n)) onnx_put(w, "Add", 2, (const char *[]){sum, onnx_written_name(ir_skip(n))}, before);
    if (!act) return;
    if (strcmp(act, "prelu") == 0)
        put_prelu(w, n, before, out);
    else if (ir_op_parse(act, &op) && rows[op] == &row_map)
        put_map(w, op, n, before, out);
    else
        ir_die("onnx_write: fused activation %s", act);
}

int onnx_needed_opset(const ir_graph *g) {
    for (int i = 0; i < g->n_nodes; i++) /* GroupNormalization with a scale and a bias per channel */
        if (g->nodes[i]->op == IR_OP_INSTANCE_NORM && ir_get(g->nodes[i], IR_GROUP)) return 21;
    for (int i = 0; i < g->n_nodes; i++) {
        const ir_node *n = g->nodes[i];
        const char *coordinates = ir_word(n, IR_COORDINATES), *mode = ir_word(n, IR_MODE);
        if (n->op == IR_OP_AVERAGE_POOL && !ir_all_ints(n, IR_DILATION, 1)) return 19;
        if (coordinates && strcmp(coordinates, "half_pixel_symmetric") == 0) return 19;
        if (n->op == IR_OP_PAD && strcmp(mode, "wrap") == 0) return 19;
    }
    return 17;
}
