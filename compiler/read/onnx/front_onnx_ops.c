/* front_onnx_ops.c: every ONNX operator that voxc reads, once.
 *
 * An operator has a row per meaning: a new row begins at the opset that changed what its inputs or attributes
 * mean. Rows begin where the operator did; the importer itself refuses opsets before 9. */
#include "front_onnx_ops.h"

#include "front_onnx_import.h"

#include <string.h>

#define NEWEST ONNX_NEWEST_OPSET
#define WINDOW "auto_pad=s kernel_shape=I strides=I pads=I"

/* clang-format off */
/* name, first and last opset, inputs min and max (-1: any), outputs (-1: any), handler, IR op, attributes */
static const onnx_op onnx_ops[] = {
    /* convolution, pooling, norms */
    {"Conv",                  1, NEWEST, 2,  3,  1, onnx_conv,              0,                    WINDOW " dilations=I group=i"},
    {"ConvTranspose",         1, NEWEST, 2,  3,  1, onnx_conv_transpose,    0,                    WINDOW " dilations=I group=i output_padding=I output_shape=I"},
    {"MaxPool",               1, NEWEST, 1,  1,  1, onnx_pool,              IR_OP_MAX_POOL,       WINDOW " dilations=I ceil_mode=i ~storage_order=i"},
    {"AveragePool",           1, NEWEST, 1,  1,  1, onnx_pool,              IR_OP_AVERAGE_POOL,   WINDOW " dilations=I ceil_mode=i count_include_pad=i"},
    {"GlobalAveragePool",     1, NEWEST, 1,  1,  1, onnx_global_pool,       IR_OP_REDUCE_MEAN,    ""},
    {"GlobalMaxPool",         1, NEWEST, 1,  1,  1, onnx_global_pool,       IR_OP_REDUCE_MAX,     ""},
    {"BatchNormalization",    1, NEWEST, 5,  5,  1, onnx_batch_norm,        0,                    "epsilon=f ~momentum=f training_mode=i spatial=i ~is_test=i ~consumed_inputs=I"},
    {"InstanceNormalization", 1, NEWEST, 3,  3,  1, onnx_instance_norm,     0,                    "epsilon=f ~consumed_inputs=I"},
    {"GroupNormalization",   18, NEWEST, 3,  3,  1, onnx_group_norm,        0,                    "epsilon=f num_groups=i ~stash_type=i"},
    {"LayerNormalization",   17, NEWEST, 2,  3,  3, onnx_layer_norm,        0,                    "axis=i epsilon=f ~stash_type=i"},
    /* activations */
    {"Relu",                  1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_RELU,           "~consumed_inputs=I"},
    {"LeakyRelu",             1, NEWEST, 1,  1,  1, onnx_map_alpha,         IR_OP_LEAKY_RELU,     "alpha=f ~consumed_inputs=I"},
    {"PRelu",                 1, 6,      2,  2,  1, onnx_old_prelu,         0,                    "~consumed_inputs=I"},
    {"PRelu",                 7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_PRELU,          ""},
    {"Elu",                   1, NEWEST, 1,  1,  1, onnx_map_alpha,         IR_OP_ELU,            "alpha=f ~consumed_inputs=I"},
    {"Sigmoid",               1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_SIGMOID,        "~consumed_inputs=I"},
    {"Tanh",                  1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_TANH,           "~consumed_inputs=I"},
    {"HardSigmoid",           1, NEWEST, 1,  1,  1, onnx_hard_sigmoid,      0,                    "alpha=f beta=f ~consumed_inputs=I"},
    {"HardSwish",            14, NEWEST, 1,  1,  1, onnx_hard_sigmoid,      0,                    ""},
    {"Clip",                  1, 10,     1,  1,  1, onnx_clip,              IR_OP_CLIP,           "min=f max=f ~consumed_inputs=I"},
    {"Clip",                 11, NEWEST, 1,  3,  1, onnx_clip,              IR_OP_CLIP,           ""},
    {"Softmax",               1, NEWEST, 1,  1,  1, onnx_softmax,           IR_OP_SOFTMAX,        "axis=i"},
    {"LogSoftmax",            1, NEWEST, 1,  1,  1, onnx_softmax,           IR_OP_LOG_SOFTMAX,    "axis=i"},
    /* arithmetic; broadcasting is NumPy's since opset 7 */
    {"Add",                   7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_ADD,            ""},
    {"Sub",                   7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_SUB,            ""},
    {"Mul",                   7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_MUL,            ""},
    {"Div",                   7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_DIV,            ""},
    {"Pow",                   7, NEWEST, 2,  2,  1, onnx_pow,               IR_OP_POW,            ""},
    {"Mod",                  10, NEWEST, 2,  2,  1, onnx_mod,               IR_OP_MOD,            "fmod=i"},
    {"Min",                   1, NEWEST, 1, -1,  1, onnx_variadic,          IR_OP_MIN,            "~consumed_inputs=I"},
    {"Max",                   1, NEWEST, 1, -1,  1, onnx_variadic,          IR_OP_MAX,            "~consumed_inputs=I"},
    {"Sum",                   1, NEWEST, 1, -1,  1, onnx_variadic,          IR_OP_ADD,            "~consumed_inputs=I"},
    {"Mean",                  1, NEWEST, 1, -1,  1, onnx_mean,              IR_OP_ADD,            "~consumed_inputs=I"},
    {"Reciprocal",            1, NEWEST, 1,  1,  1, onnx_reciprocal,        0,                    "~consumed_inputs=I"},
    {"Exp",                   1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_EXP,            "~consumed_inputs=I"},
    {"Log",                   1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_LOG,            "~consumed_inputs=I"},
    {"Sqrt",                  1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_SQRT,           "~consumed_inputs=I"},
    {"Neg",                   1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_NEG,            "~consumed_inputs=I"},
    {"Abs",                   1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_ABS,            "~consumed_inputs=I"},
    {"Floor",                 1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_FLOOR,          "~consumed_inputs=I"},
    {"Ceil",                  1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_CEIL,           "~consumed_inputs=I"},
    {"Round",                11, NEWEST, 1,  1,  1, onnx_map,               IR_OP_ROUND,          ""},
    /* comparison and logic */
    {"Equal",                 7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_EQUAL,          ""},
    {"Greater",               7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_GREATER,        ""},
    {"GreaterOrEqual",       12, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_GREATER_EQUAL,  ""},
    {"Less",                  7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_LESS,           ""},
    {"LessOrEqual",          12, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_LESS_EQUAL,     ""},
    {"And",                   7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_AND,            ""},
    {"Or",                    7, NEWEST, 2,  2,  1, onnx_binary,            IR_OP_OR,             ""},
    {"Xor",                   7, NEWEST, 2,  2,  1, onnx_negated,           IR_OP_EQUAL,          ""},
    {"Not",                   1, NEWEST, 1,  1,  1, onnx_map,               IR_OP_NOT,            ""},
    {"Where",                 9, NEWEST, 3,  3,  1, onnx_nary,              IR_OP_WHERE,          ""},
    /* along and over axes */
    {"ArgMax",                1, NEWEST, 1,  1,  1, onnx_arg_max,           IR_OP_ARG_MAX,        "axis=i keepdims=i select_last_index=i"},
    {"ArgMin",                1, NEWEST, 1,  1,  1, onnx_arg_max,           IR_OP_ARG_MAX,        "axis=i keepdims=i select_last_index=i"},
    {"ReduceSum",             1, 12,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "axes=I keepdims=i"},
    {"ReduceSum",            13, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "keepdims=i noop_with_empty_axes=i"},
    {"ReduceMean",            1, 17,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_MEAN,    "axes=I keepdims=i"},
    {"ReduceMean",           18, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_MEAN,    "keepdims=i noop_with_empty_axes=i"},
    {"ReduceMax",             1, 17,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_MAX,     "axes=I keepdims=i"},
    {"ReduceMax",            18, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_MAX,     "keepdims=i noop_with_empty_axes=i"},
    {"ReduceMin",             1, 17,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_MIN,     "axes=I keepdims=i"},
    {"ReduceMin",            18, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_MIN,     "keepdims=i noop_with_empty_axes=i"},
    {"ReduceProd",            1, 17,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_PROD,    "axes=I keepdims=i"},
    {"ReduceProd",           18, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_PROD,    "keepdims=i noop_with_empty_axes=i"},
    {"ReduceL1",              1, 17,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "axes=I keepdims=i"},
    {"ReduceL1",             18, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "keepdims=i noop_with_empty_axes=i"},
    {"ReduceL2",              1, 17,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "axes=I keepdims=i"},
    {"ReduceL2",             18, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "keepdims=i noop_with_empty_axes=i"},
    {"ReduceSumSquare",       1, 17,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "axes=I keepdims=i"},
    {"ReduceSumSquare",      18, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "keepdims=i noop_with_empty_axes=i"},
    {"ReduceLogSum",          1, 17,     1,  1,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "axes=I keepdims=i"},
    {"ReduceLogSum",         18, NEWEST, 1,  2,  1, onnx_reduce,            IR_OP_REDUCE_SUM,     "keepdims=i noop_with_empty_axes=i"},
    /* cutting, joining, padding, resizing */
    {"Concat",                4, NEWEST, 1, -1,  1, onnx_concat,            0,                    "axis=i"},
    {"Slice",                 1, 9,      1,  1,  1, onnx_slice_node,        0,                    "starts=I ends=I axes=I"},
    {"Slice",                10, NEWEST, 3,  5,  1, onnx_slice_node,        0,                    ""},
    {"Split",                 2, 12,     1,  1, -1, onnx_split,             0,                    "axis=i split=I"},
    {"Split",                13, NEWEST, 1,  2, -1, onnx_split,             0,                    "axis=i num_outputs=i"},
    {"Pad",                   2, 10,     1,  1,  1, onnx_pad,               0,                    "mode=s pads=I value=f"},
    {"Pad",                  11, 17,     2,  3,  1, onnx_pad,               0,                    "mode=s"},
    {"Pad",                  18, NEWEST, 2,  4,  1, onnx_pad,               0,                    "mode=s"},
    {"Upsample",              9, 9,      2,  2,  1, onnx_upsample,          0,                    "mode=s"},
    {"Resize",               10, 10,     2,  2,  1, onnx_upsample,          0,                    "mode=s"},
    {"Resize",               11, 17,     1,  4,  1, onnx_resize,            0,                    "mode=s nearest_mode=s coordinate_transformation_mode=s extrapolation_value=f exclude_outside=i ~cubic_coeff_a=f"},
    {"Resize",               18, NEWEST, 1,  4,  1, onnx_resize,            0,                    "mode=s nearest_mode=s coordinate_transformation_mode=s extrapolation_value=f exclude_outside=i ~cubic_coeff_a=f antialias=i axes=I keep_aspect_ratio_policy=s"},
    /* shapes and constants */
    {"Identity",              1, NEWEST, 1,  1,  1, onnx_identity,          0,                    ""},
    {"Dropout",               7, 11,     1,  1,  1, onnx_dropout,           0,                    "~ratio=f"},
    {"Dropout",              12, NEWEST, 1,  3,  1, onnx_dropout,           0,                    "~seed=i"},
    {"Cast",                  6, NEWEST, 1,  1,  1, onnx_cast,              0,                    "to=i ~saturate=i"},
    {"Constant",              1, NEWEST, 0,  0,  1, onnx_constant_node,     0,                    "value=t value_float=f value_floats=F value_int=i value_ints=I"},
    {"ConstantOfShape",       9, NEWEST, 1,  1,  1, onnx_constant_of_shape, 0,                    "value=t"},
    {"Shape",                 1, NEWEST, 1,  1,  1, onnx_shape_of,          0,                    "start=i end=i"},
    {"Size",                  1, NEWEST, 1,  1,  1, onnx_size,              0,                    ""},
    {"Range",                11, NEWEST, 3,  3,  1, onnx_range,             0,                    ""},
    {"Gather",                1, NEWEST, 2,  2,  1, onnx_gather,            0,                    "axis=i"},
    {"Reshape",               5, NEWEST, 2,  2,  1, onnx_reshape_node,      0,                    "allowzero=i"},
    {"Flatten",               1, NEWEST, 1,  1,  1, onnx_flatten,           0,                    "axis=i"},
    {"Squeeze",               1, 12,     1,  1,  1, onnx_squeeze,           0,                    "axes=I"},
    {"Squeeze",              13, NEWEST, 1,  2,  1, onnx_squeeze,           0,                    ""},
    {"Unsqueeze",             1, 12,     1,  1,  1, onnx_unsqueeze,         0,                    "axes=I"},
    {"Unsqueeze",            13, NEWEST, 2,  2,  1, onnx_unsqueeze,         0,                    ""},
    {"Transpose",             1, NEWEST, 1,  1,  1, onnx_transpose,         0,                    "perm=I"},
    {"Expand",                8, NEWEST, 2,  2,  1, onnx_expand,            0,                    ""},
    {"Tile",                  6, NEWEST, 2,  2,  1, onnx_tile,              0,                    ""},
};
/* clang-format on */
enum { ONNX_OP_COUNT = sizeof onnx_ops / sizeof *onnx_ops };

const onnx_op *onnx_op_find(const char *name, int opset) {
    for (int i = 0; i < ONNX_OP_COUNT; i++)
        if (strcmp(onnx_ops[i].name, name) == 0 && opset >= onnx_ops[i].since && opset <= onnx_ops[i].until)
            return &onnx_ops[i];
    return NULL;
}

const char *onnx_map_name(ir_op op) {
    static onnx_handler *const maps[] = {onnx_map, onnx_map_alpha, onnx_clip};
    for (int i = 0; i < ONNX_OP_COUNT; i++)
        for (size_t k = 0; k < sizeof maps / sizeof *maps; k++)
            if (onnx_ops[i].import == maps[k] && onnx_ops[i].ir == (int)op) return onnx_ops[i].name;
    return NULL;
}

const onnx_op *onnx_op_any(const char *name) {
    for (int i = 0; i < ONNX_OP_COUNT; i++)
        if (strcmp(onnx_ops[i].name, name) == 0) return &onnx_ops[i];
    return NULL;
}
