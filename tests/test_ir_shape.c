/* Shape inference: one row per case, a node's text and its type, or the message and the exit code of its
 * refusal. */
#include "test.h"

#include "ir.h"

/* Operands that the rows use. */
static const char *const operands = "graph g\n"
                                    "input %x f32[1,4,9,8,7]\n"
                                    "input %x64 f64[1,4,9,8,7]\n"
                                    "input %xi i64[1,4,9,8,7]\n"
                                    "input %x2 f32[1,4,9,8]\n"
                                    "input %x1 f32[1,4,9]\n"
                                    "input %x6 f32[1,4,9,8,7,6]\n"
                                    "input %e f32[1,0,9,8,7]\n"
                                    "input %huge f32[1,1,1073741824,1073741824,1]\n"
                                    "input %m f32[2,3]\n"
                                    "input %mt f32[3,2]\n"
                                    "input %mi i64[2,3]\n"
                                    "input %mb bool[2,3]\n"
                                    "input %v f32[3]\n"
                                    "input %c f32[2,1]\n"
                                    "input %s f32[]\n"
                                    "input %none f32[0,3]\n"
                                    "input %idx i64[5,2]\n"
                                    "input %idx4 i64[1,1,1,1]\n"
                                    "const %w f32[8,4,3,3,3] opaque\n"
                                    "const %w2 f32[8,4,3,3] opaque\n"
                                    "const %w1 f32[8,4,3] opaque\n"
                                    "const %wg f32[8,2,3,3,3] opaque\n"
                                    "const %skip f32[1,8,7,6,5] opaque\n"
                                    "const %w64 f64[8,4,3,3,3] opaque\n"
                                    "const %w5 f32[8,5,3,3,3] opaque\n"
                                    "const %wodd f32[7,2,3,3,3] opaque\n"
                                    "const %wt f32[4,8,2,2,2] opaque\n"
                                    "const %whuge f32[1,1,1,1,1] opaque\n"
                                    "const %b f32[8] opaque\n"
                                    "const %b7 f32[7] opaque\n"
                                    "const %c4 f32[4] opaque\n"
                                    "const %k4 f32[4,1,1,1] opaque\n"
                                    "const %k3 f32[3,1,1,1] opaque\n"
                                    "const %i0 i64[] {0}\n"
                                    "const %i7 i64[] {7}\n"
                                    "const %i2 i64[] {2}\n"
                                    "const %im3 i64[] {-3}\n"
                                    "const %f0 f32[] {0}\n"
                                    "const %f1 f32[] {1}\n"
                                    "const %fq f32[] {0.3}\n"
                                    "const %min i64[] {-9223372036854775808}\n"
                                    "const %max i64[] {9223372036854775807}\n"
                                    "const %op i64[] opaque\n";

typedef struct row {
    const char *node, *type; /* what stands behind "%y = "; the type, or NULL */
    int code;
    const char *message;
} row;
#define OK(node, type)                                                                                       \
    { node, type, 0, NULL }
#define BAD(node, message)                                                                                   \
    { node, NULL, IR_EXIT_INPUT, message }
#define NOT_YET(node, message)                                                                               \
    { node, NULL, IR_EXIT_UNSUPPORTED, message }
#define K3 " kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"

static const row convs[] = {
    OK("conv(%x, %w)" K3, "f32[1,8,7,6,5]"),
    OK("conv(%x, %w, %b)" K3, "f32[1,8,7,6,5]"),
    OK("conv(%x, %w, _)" K3, "f32[1,8,7,6,5]"),
    OK("conv(%x64, %w64)" K3, "f64[1,8,7,6,5]"),
    OK("conv(%x, %wg) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=2", "f32[1,8,9,8,7]"),
    OK("conv(%x, %w) kernel=3x3x3 stride=2x2x2 dilation=1x2x3 pad=[1,0,0,0,1,0] group=1", "f32[1,8,4,3,1]"),
    OK("conv(%x2, %w2) kernel=3x3 stride=2x1 dilation=1x1 pad=[0,0,1,0] group=1", "f32[1,8,4,6]"),
    OK("conv(%x1, %w1) kernel=3 stride=1 dilation=1 pad=[0,0] group=1", "f32[1,8,7]"),
    OK("conv(%x, %w, %b) act=relu" K3, "f32[1,8,7,6,5]"),
    OK("conv(%x, %w, _, %b) act=prelu" K3, "f32[1,8,7,6,5]"),
    OK("conv(%x, %w, _, %f1) act=prelu" K3, "f32[1,8,7,6,5]"),
    OK("conv(%x, %w) act=clip alpha=0 beta=6" K3, "f32[1,8,7,6,5]"),
    OK("conv(%x, %w, _, _, %skip)" K3, "f32[1,8,7,6,5]"),
    BAD("conv(%x, %w, _, _, %x)" K3, "the value added, %x, is f32[1,4,9,8,7], wants f32[1,8,7,6,5]"),
    BAD("conv(%x, %w5)" K3,
        "conv 'y': weight f32[8,5,3,3,3] wants 5 input channels but x %x is f32[1,4,9,8,7]"),
    BAD("conv(%x, %wg)" K3, "wants 2 input channels"),
    BAD("conv(%x, %wodd) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=2",
        "weight f32[7,2,3,3,3] does not split into group=2"),
    BAD("conv(%x, %w) kernel=3x3x2 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1",
        "weight f32[8,4,3,3,3] does not match the kernel"),
    BAD("conv(%x, %w) kernel=3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1",
        "kernel has 2 values, wants 3"),
    BAD("conv(%x, %w) kernel=3x3x3 stride=1x0x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1", "stride is 0"),
    BAD("conv(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,-1,0,0,0] group=1", "pad is -1"),
    BAD("conv(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0] group=1",
        "pad has 3 values, wants 6"),
    BAD("conv(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=0", "group is 0"),
    BAD("conv(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x4 pad=[0,0,0,0,0,0] group=1",
        "the output would be empty along spatial axis 2: the window spans 9 voxels but %x has 7"),
    BAD("conv(%x, %w, %b7)" K3, "bias %b7 is f32[7], wants [8]"),
    BAD("conv(%x, %w, %k4)" K3, "bias %k4 is f32[4,1,1,1], wants [8]"),
    BAD("conv(%x, %w64)" K3, "%w64 is f64 but %x is f32, wants one dtype"),
    BAD("conv(%xi, %w)" K3, "operand %xi is i64, wants f32 or f64"),
    BAD("conv(%x, %w2)" K3, "weight f32[8,4,3,3] wants 5 axes"),
    BAD("conv(%x6, %w)" K3, "%x6 has 6 axes, wants 3 to 5"),
    BAD("conv(%m, %w)" K3, "%m has 2 axes"),
    BAD("conv(%x)" K3, "has 1 operands, wants 2 to 5"),
    BAD("conv(%x, _)" K3, "operand 1 is missing"),
    BAD("conv(%x, %w) kernel=3x3x3", "attribute stride is missing"),
    BAD("conv(%x, %w) act=elu" K3, "act=elu wants alpha"),
    BAD("conv(%x, %w) act=relu alpha=1" K3, "act=relu takes no alpha"),
    BAD("conv(%x, %w) beta=1" K3, "act=none takes no beta"),
    BAD("conv(%x, %w) act=prelu" K3, "act=prelu wants the slope"),
    BAD("conv(%x, %w, _, %b)" K3, "the slope wants act=prelu"),
    BAD("conv(%x, %w, _, %b7) act=prelu" K3, "slope %b7 has 7 values, wants 1 or 8"),
    NOT_YET("conv(%x, %w) act=softmax" K3, "act is 'softmax'"),
    NOT_YET("conv(%x, %w) act=not" K3, "act is 'not'"),
    OK("conv_transpose(%x, %wt) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] output_pad=0x0x0 "
       "group=1",
       "f32[1,8,18,16,14]"),
    OK("conv_transpose(%x, %wt) kernel=2x2x2 stride=2x2x3 dilation=1x3x1 pad=[1,0,0,0,1,0] output_pad=1x2x2 "
       "group=1",
       "f32[1,8,18,19,22]"),
    OK("conv_transpose(%x, %wt) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] output_pad=0x0x0 "
       "group=2",
       "f32[1,16,18,16,14]"),
    BAD("conv_transpose(%x, %wt) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] output_pad=0x2x0 "
        "group=1",
        "output_pad 2 wants to be smaller than the stride 2 or the dilation 1"),
    BAD("conv_transpose(%x, %wt) kernel=2x2x2 stride=1x1x1 dilation=1x1x1 pad=[5,0,0,5,0,0] output_pad=0x0x0 "
        "group=1",
        "the output would be empty along spatial axis 0: 0 voxels"),
    BAD("conv_transpose(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] output_pad=0x0x0 "
        "group=1",
        "wants 8 input channels"),
    BAD("conv_transpose(%x, %wt, %c4) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] "
        "output_pad=0x0x0 group=1",
        "bias %c4 is f32[4], wants [8]"),
    BAD("conv_transpose(%huge, %whuge) kernel=1x1x1 stride=1x2147483647x1 dilation=1x1x1 pad=[0,0,0,0,0,0] "
        "output_pad=0x0x0 group=1",
        "would exceed 2^62 bytes"),
    BAD("conv(%huge, %whuge) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[1073741824,1073741824,0,0,0,9] "
        "group=1",
        "would exceed 2^62 bytes"),
    BAD("conv(%e, %w)" K3, "wants 4 input channels but x %e is f32[1,0,9,8,7]"),
};

static const row pools[] = {
    OK("max_pool(%x) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0", "f32[1,4,4,4,3]"),
    OK("max_pool(%x) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=1", "f32[1,4,5,4,4]"),
    /* rounding up would give a fifth window that begins in the end padding: dropped */
    OK("max_pool(%x2) kernel=3x2 stride=3x2 dilation=1x1 pad=[0,0,1,1] ceil=1", "f32[1,4,3,4]"),
    OK("max_pool(%x2) kernel=3x3 stride=2x2 dilation=2x2 pad=[1,2,1,2] ceil=0", "f32[1,4,4,4]"),
    OK("max_pool(%xi) kernel=9x8x7 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0", "i64[1,4,1,1,1]"),
    OK("average_pool(%x1) kernel=2 stride=2 dilation=1 pad=[1,0] ceil=0 include_pad=1", "f32[1,4,5]"),
    BAD("average_pool(%xi) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0 include_pad=0",
        "wants f32 or f64"),
    BAD("average_pool(%x1) kernel=2 stride=2 dilation=1 pad=[0,0] ceil=0 include_pad=2",
        "include_pad is 2, wants 0 to 1"),
    BAD("max_pool(%x1) kernel=2 stride=2 dilation=1 pad=[2,0] ceil=0",
        "pad along spatial axis 0 wants to be smaller"),
    NOT_YET("max_pool(%x1) kernel=2 stride=1 dilation=10 pad=[1,1] ceil=0",
            "dilation along spatial axis 0 wants to be at most its 9"),
    BAD("max_pool(%x1) kernel=10 stride=1 dilation=1 pad=[0,0] ceil=0",
        "the window spans 10 voxels but %x1 has 9"),
    BAD("max_pool(%x1) kernel=2 stride=1 dilation=1 pad=[0,0] ceil=2", "ceil is 2"),
    BAD("max_pool(%e) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0",
        "f32[1,0,4,4,3] would be empty"),
    OK("batch_norm(%x, %c4, %c4, %c4, %c4) eps=1e-05", "f32[1,4,9,8,7]"),
    OK("batch_norm(%m, %v, %v, %v, %v) eps=0", "f32[2,3]"),
    BAD("batch_norm(%x, %c4, %c4, %c4, %b) eps=1e-05", "variance %b is f32[8], wants [4]"),
    BAD("batch_norm(%x, %c4, %c4, %c4, %c4) eps=-1", "eps is -1"),
    BAD("batch_norm(%x, %c4, %c4, %c4, %c4) eps=nan", "eps is nan"),
    BAD("batch_norm(%v, %v, %v, %v, %v) eps=1", "%v has 1 axes"),
    OK("instance_norm(%x, %c4, %c4) eps=1e-05", "f32[1,4,9,8,7]"),
    OK("instance_norm(%x, %c4, %c4, %c4) eps=1e-05 act=prelu", "f32[1,4,9,8,7]"),
    OK("instance_norm(%x, %c4, %c4) eps=1e-05 group=2", "f32[1,4,9,8,7]"),
    BAD("instance_norm(%x, %c4, %c4) eps=1e-05 group=3", "4 channels cannot be split into 3 groups"),
    BAD("instance_norm(%m, %v, %v) eps=1e-05", "%m has 2 axes"),
    OK("norm_terms(%x, %c4, %c4) eps=1e-05", "f32[1,3,4]"),
    BAD("norm_terms(%m, %v, %v) eps=1e-05", "%m has 2 axes"),
    BAD("normalise(%x, %c4)", "wants 3 terms of each n and channel"),
};

static const row data[] = {
    OK("concat(%x, %x, %x) axis=1", "f32[1,12,9,8,7]"),
    OK("concat(%m) axis=0", "f32[2,3]"),
    OK("concat(%none, %m) axis=0", "f32[2,3]"),
    BAD("concat(%m, %mt) axis=0", "%m f32[2,3] and %mt f32[3,2] may differ along axis 0 only"),
    BAD("concat(%m, %x) axis=0", "%m f32[2,3] and %x f32[1,4,9,8,7] may differ"),
    BAD("concat(%m, %mi) axis=0", "wants one dtype"),
    BAD("concat(%m, %m) axis=2", "axis is 2, wants 0 to 1"),
    BAD("concat(%m, %m) axis=-1", "axis is -1"),
    BAD("concat(%s, %s) axis=0", "%s has 0 axes"),
    BAD("concat() axis=0", "has 0 operands, wants 1 to more"),
    BAD("concat(%m, _) axis=0", "operand 1 is missing"),
    OK("slice(%m) begin=[0,1] size=2x2 step=[1,1]", "f32[2,2]"),
    OK("slice(%m) begin=[1,2] size=2x2 step=[-1,-2]", "f32[2,2]"),
    OK("slice(%m) begin=[2,0] size=0x3 step=[1,1]", "f32[0,3]"),
    BAD("slice(%m) begin=[0,1] size=2x3 step=[1,1]", "begin 1 size 3 step 1 leaves axis 1 of 3 elements"),
    BAD("slice(%m) begin=[0,2] size=2x3 step=[1,-2]", "leaves axis 1"),
    BAD("slice(%m) begin=[3,0] size=0x3 step=[1,1]", "leaves axis 0"),
    BAD("slice(%m) begin=[0,1] size=2x9223372036854775807 step=[1,9223372036854775807]", "leaves axis 1"),
    BAD("slice(%m) begin=[0,0] size=2x3 step=[1,0]", "step is 0 along axis 1"),
    BAD("slice(%m) begin=[0] size=2x3 step=[1,1]", "begin has 1 values, wants 2"),
    BAD("slice(%m) begin=[0,0] size=[2,-1] step=[1,1]", "size is -1"),
    OK("pad(%m) pad=[1,0,0,2] mode=constant", "f32[3,5]"),
    OK("pad(%m) pad=[-1,-1,0,-2] mode=edge", "f32[1,0]"),
    OK("pad(%m) pad=[1,2,1,2] mode=reflect", "f32[4,7]"),
    OK("pad(%m) pad=[7,0,0,0] mode=wrap", "f32[9,3]"),
    BAD("pad(%m) pad=[2,0,0,0] mode=reflect", "reflect pads axis 0 by 2, wants less than its 2 elements"),
    BAD("pad(%m) pad=[-2,0,-1,0] mode=constant", "pad -2 and -1 leaves nothing of axis 0 of 2 elements"),
    BAD("pad(%m) pad=[1,1] mode=constant", "pad has 2 values, wants 4"),
    BAD("pad(%m) pad=[1,1,1,1] mode=edge value=1", "value wants mode=constant"),
    BAD("pad(%none) pad=[1,0,0,0] mode=edge", "axis 0 is empty"),
    BAD("pad(%m) pad=[2305843009213693952,2305843009213693952,0,0] mode=constant", "would exceed 2^62 bytes"),
    NOT_YET("pad(%m) pad=[1,1,1,1] mode=mirror", "mode is 'mirror', wants constant | reflect | edge | wrap"),
    OK("reshape(%m) shape=[6]", "f32[6]"),
    OK("reshape(%s) shape=[1,1]", "f32[1,1]"),
    OK("reshape(%none) shape=[7,0]", "f32[7,0]"),
    BAD("reshape(%m) shape=[4,2]", "shape has 8 elements but %m has 6"),
    BAD("reshape(%m) shape=[-1]", "shape is -1"),
    BAD("reshape(%m) shape=[4611686018427387904,4]", "shape exceeds 2^62 elements"),
    NOT_YET("reshape(%m) shape=[1,1,1,1,1,1,1,2,3]", "shape has 9 axes, at most 8"),
    OK("transpose(%x) perm=[0,2,3,4,1]", "f32[1,9,8,7,4]"),
    OK("transpose(%s) perm=[]", "f32[]"),
    BAD("transpose(%m) perm=[1,1]", "perm names axis 1 twice"),
    BAD("transpose(%m) perm=[0,2]", "perm is 2"),
    BAD("transpose(%m) perm=[0]", "perm has 1 values, wants 2"),
    OK("expand(%c) shape=[5,2,3]", "f32[5,2,3]"),
    BAD("expand(%m) shape=[2,6]", "%m does not broadcast to shape"),
    BAD("expand(%m) shape=[3]", "%m does not broadcast to shape"),
    OK("gather(%m, %idx) axis=1", "f32[2,5,2]"),
    OK("gather(%v, %i0) axis=0", "f32[]"),
    BAD("gather(%m, %v) axis=0", "index %v wants to be i64 or i32"),
    BAD("gather(%m, %idx) axis=2", "axis is 2"),
    NOT_YET("gather(%x6, %idx4) axis=2", "the output has 9 axes, at most 8"),
    BAD("concat(%v, %v, %v, %v, %v, %v, %v, %v, %v, %s) axis=0", "%v f32[3] and 2 more"),
    OK("shape(%s)", "i64[0]"),
    OK("range(%i0, %i7, %i2)", "i64[4]"),
    OK("range(%i7, %i0, %im3)", "i64[3]"),
    OK("range(%i7, %i0, %i2)", "i64[0]"),
    OK("range(%f0, %f1, %fq)", "f32[4]"),
    BAD("range(%i0, %i7, %i0)", "delta %i0 is 0"),
    BAD("range(%min, %max, %i2)", "more than 2^62 elements"),
    BAD("range(%i0, %i7, %f1)", "wants one dtype"),
    NOT_YET("range(%i0, %op, %i2)", "%op is not a constant"),
    OK("cast(%m) to=bool", "bool[2,3]"),
    NOT_YET("cast(%m) to=f16", "there is no dtype 'f16'"),
    OK("to_block(%x)", "f32[1,4,9,8,7]"),
    BAD("to_block(%x2)", "%x2 has 4 axes, wants 5 to 5"),
    BAD("from_block(%x64)", "blocked layouts are for f32"),
};

#define RESIZE(rest) "resize(%m) " rest
#define HALF         " mode=linear coordinates=half_pixel nearest=floor"
static const row axes[] = {
    OK(RESIZE("size=4x3 scale=[2,1]" HALF), "f32[4,3]"),
    OK(RESIZE("size=1x1 scale=[0.3,0.5]" HALF), "f32[1,1]"),
    OK(RESIZE("size=4x3 scale=[2,1] mode=nearest coordinates=tf_crop_and_resize nearest=floor roi=[0,0,1,1]"),
       "f32[4,3]"),
    BAD(RESIZE("size=4x3 scale=[2,0]" HALF), "scale is 0 along axis 1"),
    BAD(RESIZE("size=4x3 scale=[2,-1]" HALF), "scale is -1 along axis 1"),
    BAD(RESIZE("size=4x3 scale=[2,nan]" HALF), "scale is nan"),
    BAD(RESIZE("size=4x3 scale=[2]" HALF), "scale has 1 values, wants 2"),
    BAD(RESIZE("size=4x0 scale=[2,1]" HALF), "size is 0"),
    BAD(RESIZE("size=4x3 scale=[2,1] roi=[0,1]" HALF), "roi has 2 values, wants 4"),
    BAD(RESIZE("size=4x3 scale=[2,1] mode=linear coordinates=tf_crop_and_resize nearest=floor"), "wants roi"),
    BAD(RESIZE("size=4294967296x4294967296 scale=[1,1]" HALF), "would exceed 2^62 bytes"),
    BAD("resize(%none) size=1x3 scale=[1,1]" HALF, "axis 0 is empty"),
    NOT_YET(RESIZE("size=4x3 scale=[2,1] mode=cubic coordinates=half_pixel nearest=floor"),
            "mode is 'cubic', wants nearest | linear"),
    NOT_YET(RESIZE("size=4x3 scale=[2,1] mode=linear coordinates=diagonal nearest=floor"),
            "coordinates is 'diagonal'"),
    OK("softmax(%x) axis=1", "f32[1,4,9,8,7]"),
    BAD("softmax(%xi) axis=1", "wants f32 or f64"),
    BAD("softmax(%x) axis=5", "axis is 5, wants 0 to 4"),
    BAD("softmax(%s) axis=0", "%s has 0 axes"),
    OK("arg_max(%x) axis=1 keepdims=1 select_last=0", "i64[1,1,9,8,7]"),
    OK("arg_max(%x) axis=1 keepdims=0 select_last=1", "i64[1,9,8,7]"),
    BAD("arg_max(%none) axis=0 keepdims=0 select_last=0", "axis 0 is empty"),
    BAD("arg_max(%mb) axis=0 keepdims=0 select_last=0", "%mb is bool"),
    OK("reduce_mean(%x) axes=[2,3,4] keepdims=1", "f32[1,4,1,1,1]"),
    OK("reduce_mean(%x) axes=[0,2] keepdims=0", "f32[4,8,7]"),
    OK("reduce_sum(%none) axes=[0] keepdims=0", "f32[3]"),
    BAD("reduce_max(%none) axes=[0] keepdims=0", "axis 0 is empty"),
    BAD("reduce_sum(%m) axes=[1,0] keepdims=0", "ascending order"),
    BAD("reduce_sum(%m) axes=[1,1] keepdims=0", "ascending order"),
    BAD("reduce_sum(%m) axes=[2] keepdims=0", "axes is 2, wants 0 to 1"),
};

static const row elements[] = {
    OK("add(%m, %v)", "f32[2,3]"),
    OK("add(%c, %v)", "f32[2,3]"),
    OK("mul(%s, %x)", "f32[1,4,9,8,7]"),
    OK("sub(%none, %v)", "f32[0,3]"),
    OK("equal(%mb, %mb)", "bool[2,3]"),
    OK("less(%mi, %i7)", "bool[2,3]"),
    OK("and(%mb, %mb)", "bool[2,3]"),
    OK("not(%mb)", "bool[2,3]"),
    OK("pow(%m, %mi)", "f32[2,3]"),
    OK("mod(%m, %v) fmod=1", "f32[2,3]"),
    OK("where(%mb, %v, %c)", "f32[2,3]"),
    OK("prelu(%x, %k4)", "f32[1,4,9,8,7]"),
    OK("relu(%mi)", "i64[2,3]"),
    OK("clip(%x) alpha=-inf beta=inf", "f32[1,4,9,8,7]"),
    BAD("add(%m, %mt)", "do not broadcast to one shape; operands %m f32[2,3], %mt f32[3,2]"),
    BAD("add(%m, %mi)", "wants one dtype"),
    BAD("add(%mb, %mb)", "%mb is bool, wants a number"),
    BAD("greater(%mb, %mb)", "%mb is bool"),
    BAD("or(%m, %mb)", "%m is f32, wants bool"),
    BAD("not(%m)", "wants bool"),
    BAD("mod(%m, %v) fmod=0", "floats want fmod=1"),
    BAD("pow(%m, %mb)", "the exponent %mb is bool"),
    BAD("where(%mb, %v, %mt)", "do not broadcast"),
    BAD("where(%m, %v, %c)", "the condition %m wants to be bool"),
    BAD("where(%mb, %v, %mi)", "want one dtype"),
    BAD("prelu(%x, %k3)", "do not broadcast"),
    BAD("prelu(%v, %m)", "the slope does not broadcast"),
    BAD("exp(%mi)", "%mi is i64, wants f32 or f64"),
    BAD("clip(%m) alpha=nan beta=1", "alpha is not a number"),
    BAD("leaky_relu(%m)", "attribute alpha is missing"),
};

static void check(const row *r) {
    char *text = test_format("%s%%y = %s\n", operands, r->node), type[256];
    ir_diag d = {0};
    ir_graph *g = ir_parse(text, "t.ir", NULL, NULL, &d);
    if (r->type) {
        if (!g) fail_msg("%s: %s", r->node, d.text);
        assert_string_equal(ir_type_text(g->nodes[0]->out[0], type, sizeof type), r->type);
    } else {
        if (g) fail_msg("%s gives %s", r->node, ir_type_text(g->nodes[0]->out[0], type, sizeof type));
        if (!strstr(d.text, r->message)) fail_msg("%s says %s, not %s", r->node, d.text, r->message);
        assert_non_null(strstr(d.text, " 'y': ")); /* the node's name */
        if (d.code != r->code) fail_msg("%s gives exit code %d", d.text, d.code);
    }
    ir_graph_free(g);
    free(text);
}

#define TABLE_TEST(name)                                                                                     \
    static void test_##name(void **state) {                                                                  \
        (void)state;                                                                                         \
        for (size_t i = 0; i < sizeof name / sizeof *name; i++) check(&name[i]);                             \
    }
TABLE_TEST(convs)
TABLE_TEST(pools)
TABLE_TEST(data)
TABLE_TEST(axes)
TABLE_TEST(elements)

/* ---- sizes ----------------------------------------------------------------------------------- */

static void sizes_are_checked(void **state) {
    (void)state;
    int64_t n;
    assert_true(ir_shape_count(0, NULL, &n) && n == 1);
    assert_true(ir_shape_count(2, (int64_t[]){3, 0}, &n) && n == 0);
    assert_true(ir_shape_count(2, (int64_t[]){INT64_C(1) << 31, INT64_C(1) << 31}, &n) && n == INT64_C(1)
                                                                                                   << 62);
    assert_false(ir_shape_count(2, (int64_t[]){INT64_C(1) << 32, INT64_C(1) << 31}, &n));
    assert_false(ir_shape_count(3, (int64_t[]){INT64_C(1) << 62, INT64_C(1) << 62, 0}, &n));
    assert_false(ir_shape_count(1, (int64_t[]){-1}, &n));
    assert_true(ir_shape_bytes(IR_F32, 1, (int64_t[]){INT64_C(1) << 60}, &n) && n == INT64_C(1) << 62);
    assert_false(ir_shape_bytes(IR_F32, 1, (int64_t[]){(INT64_C(1) << 60) + 1}, &n));
    assert_false(ir_shape_bytes(IR_I64, 1, (int64_t[]){INT64_C(1) << 62}, &n));
}

static void blocked_tensors_round_channels_up(void **state) {
    (void)state;
    ir_tensor t = {.name = "t", .dtype = IR_F32, .rank = 5, .dim = {2, 17, 3, 4, 5}};
    assert_int_equal(ir_bytes(&t), 2 * 17 * 60 * 4);
    t.cpu.block = IR_BLOCK;
    assert_int_equal(ir_bytes(&t), 2 * 32 * 60 * 4);
    assert_int_equal(ir_count(&t), 2 * 17 * 60);
}

static void types_fit_any_buffer(void **state) {
    (void)state;
    ir_tensor t = {.name = "t", .dtype = IR_BOOL, .rank = 3, .dim = {2, 17, 3}};
    char buf[32];
    assert_string_equal(ir_type_text(&t, buf, sizeof buf), "bool[2,17,3]");
    for (size_t n = 1; n < 12; n++) {
        memset(buf, 'z', sizeof buf);
        ir_type_text(&t, buf, n);
        assert_true(strlen(buf) < n);
        assert_int_equal(buf[n], 'z');
    }
}

static void constants_convert(void **state) {
    (void)state;
    ir_graph *g = ir_graph_new("g");
    ir_tensor *f = ir_add_const_f32(g, "f", 5, (const float[]){-1.9f, INFINITY, -INFINITY, NAN, 3e18f});
    assert_int_equal(ir_const_int(f, 0), -1);
    assert_true(ir_const_int(f, 1) == INT64_MAX && ir_const_int(f, 2) == INT64_MIN &&
                ir_const_int(f, 3) == 0);
    ir_tensor *i = ir_add_const_i64(g, "i", 1, (const int64_t[]){-7});
    assert_true(ir_const_float(i, 0) == -7);
    ir_graph_free(g);
}

static void work_and_parameters_are_counted(void **state) {
    (void)state;
    ir_diag d = {0};
    ir_graph *g =
        ir_parse("graph g\ninput %x f32[1,4,8,8,8]\nconst %w f32[8,4,3,3,3] opaque\nconst %b f32[8] opaque\n"
                 "const %wt f32[8,2,2,2,2] opaque\nconst %wg f32[4,2,1,1,1] opaque\nconst %n f32[8] "
                 "opaque\nconst %n3 f32[8] opaque\n"
                 "const %s f32[2,1,1,1] opaque\n"
                 "%a = conv(%x, %w, %b)" K3 "\n%a2 = conv(%x, %w, %b)" K3 "\n"
                 "%n1 = batch_norm(%a, %n, %n, %n, %n) eps=1\n%n2 = instance_norm(%a, %n3, %n3) eps=1\n"
                 "%u = conv_transpose(%n1, %wt) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] "
                 "output_pad=0x0x0 group=1\n%p = prelu(%u, %s)\n"
                 "%g = conv(%x, %wg) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=2\n"
                 "output %p\n",
                 "t.ir", NULL, NULL, &d);
    if (!g) fail_msg("%s", d.text);
    assert_int_equal(ir_macs(g->nodes[0]), 8 * 216 * 4 * 27);
    assert_int_equal(ir_macs(g->nodes[2]), 0);
    assert_int_equal(ir_macs(g->nodes[4]), 8 * 216 * 2 * 8);
    assert_int_equal(ir_macs(g->nodes[6]), 4 * 512 * 2);
    /* shared weights count once; mean and variance are no parameters (here: the same tensor as the scale) */
    int64_t plain = 8 * 4 * 27 + 8 + 8 * 2 * 8 + 2 + 4 * 2;
    assert_int_equal(ir_parameters(g, false), plain);
    assert_int_equal(ir_parameters(g, true), plain + 16);
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convs),
        cmocka_unit_test(test_pools),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_axes),
        cmocka_unit_test(test_elements),
        cmocka_unit_test(sizes_are_checked),
        cmocka_unit_test(blocked_tensors_round_channels_up),
        cmocka_unit_test(types_fit_any_buffer),
        cmocka_unit_test(constants_convert),
        cmocka_unit_test(work_and_parameters_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
