/* test_interp.c: the interpreter against values worked out by hand and against the examples of ONNX's
 * operator specification. */
#include "test_graph.h"

#include "interp.h"

enum { MAX_VALUES = 96 };

/* A graph whose only output is %y, and y's elements. */
typedef struct example {
    const char *name, *text;
    int n;
    double y[MAX_VALUES];
} example;

#define N(...)                                                                                               \
    sizeof((double[]){__VA_ARGS__}) / sizeof(double), {                                                      \
        __VA_ARGS__                                                                                          \
    }
#define INF ((double)INFINITY)

/* 1 2 3 ... */
#define COUNT_16 "{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16}"
#define COUNT_25 "{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25}"
#define X_4X4    "const %x f32[1,1,4,4] " COUNT_16 "\n"
#define X_5X5    "const %x f32[1,1,5,5] " COUNT_25 "\n"
#define Y        "\noutput %y\n"

/* ---- conv ------------------------------------------------------------------------------------ */

#define CONV_X                                                                                               \
    "const %x f32[1,1,5,5] {0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24}\n"             \
    "const %w f32[1,1,3,3] splat(1)\n"
#define CONV_X7                                                                                              \
    "const %x f32[1,1,7,5] "                                                                                 \
    "{0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,"                   \
    "31,32,33,34}\nconst %w f32[1,1,3,3] splat(1)\n"
#define CONV       "%y = conv(%x, %w) kernel=3x3 dilation=1x1 group=1 "
#define T_X        "const %x f32[1,1,3,3] {0,1,2,3,4,5,6,7,8}\nconst %w f32[1,2,3,3] splat(1)\n"
#define TRANSPOSED "%y = conv_transpose(%x, %w) kernel=3x3 dilation=1x1 group=1 "

static const example convs[] = {
    {"conv, padded", CONV_X CONV "stride=1x1 pad=[1,1,1,1]" Y,
     N(12, 21, 27, 33, 24, 33, 54, 63, 72, 51, 63, 99, 108, 117, 81, 93, 144, 153, 162, 111, 72, 111, 117,
       123, 84)},
    {"conv, valid", CONV_X CONV "stride=1x1 pad=[0,0,0,0]" Y, N(54, 63, 72, 99, 108, 117, 144, 153, 162)},
    {"conv, strides and padding", CONV_X7 CONV "stride=2x2 pad=[1,1,1,1]" Y,
     N(12, 27, 24, 63, 108, 81, 123, 198, 141, 112, 177, 124)},
    {"conv, strides, no padding", CONV_X7 CONV "stride=2x2 pad=[0,0,0,0]" Y, N(54, 72, 144, 162, 234, 252)},
    {"conv, strides, padding along one axis", CONV_X7 CONV "stride=2x2 pad=[1,0,1,0]" Y,
     N(21, 33, 99, 117, 189, 207, 171, 183)},
    {"conv 1-D, dilated, bias, groups",
     "const %x f32[1,2,4] {1,2,3,4,5,6,7,8}\nconst %w f32[2,1,2] {1,10,1,-1}\nconst %b f32[2] {0.5,100}\n"
     "%y = conv(%x, %w, %b) kernel=[2] stride=[1] pad=[1,0] dilation=[2] group=2" Y,
     N(20.5, 31.5, 42.5, 94, 98, 98)},
    {"conv, prelu without bias",
     "const %x f32[1,1,2] {1,2}\nconst %w f32[2,1,1] {-1,2}\nconst %s f32[2] {0.5,3}\n"
     "%y = conv(%x, %w, _, %s) kernel=[1] stride=[1] pad=[0,0] dilation=[1] group=1 act=prelu" Y,
     N(-0.5, -1, 2, 4)},
    {"conv, one slope for all channels",
     "const %x f32[1,1,2] {1,2}\nconst %w f32[2,1,1] {-1,-2}\nconst %s f32[1] {0.5}\n"
     "%y = conv(%x, %w, _, %s) kernel=[1] stride=[1] pad=[0,0] dilation=[1] group=1 act=prelu" Y,
     N(-0.5, -1, -1, -2)},
    {"conv, clip",
     "const %x f32[1,1,3] {-5,0.5,5}\nconst %w f32[1,1,1] {1}\n"
     "%y = conv(%x, %w) kernel=[1] stride=[1] pad=[0,0] dilation=[1] group=1 act=clip alpha=-1 beta=2" Y,
     N(-1, 0.5, 2)},
    {"conv_transpose", T_X TRANSPOSED "stride=1x1 pad=[0,0,0,0] output_pad=0x0" Y,
     N(0, 1, 3, 3, 2, 3, 8, 15, 12, 7, 9, 21, 36, 27, 15, 9, 20, 33, 24, 13, 6, 13, 21, 15, 8, 0, 1, 3, 3, 2,
       3, 8, 15, 12, 7, 9, 21, 36, 27, 15, 9, 20, 33, 24, 13, 6, 13, 21, 15, 8)},
    {"conv_transpose 1-D",
     "const %x f32[1,1,3] {0,1,2}\nconst %w f32[1,2,3] splat(1)\n"
     "%y = conv_transpose(%x, %w) kernel=[3] stride=[1] pad=[0,0] dilation=[1] output_pad=[0] group=1" Y,
     N(0, 1, 3, 3, 2, 0, 1, 3, 3, 2)},
    {"conv_transpose, pads", T_X TRANSPOSED "stride=3x2 pad=[1,2,1,2] output_pad=0x0" Y,
     N(1, 1, 3, 1, 1, 3, 7, 4, 9, 7, 4, 9, 7, 4, 9, 13, 7, 15, 13, 7, 15, 1, 1, 3, 1, 1, 3, 7, 4, 9, 7, 4, 9,
       7, 4, 9, 13, 7, 15, 13, 7, 15)},
    {"conv_transpose, output_pad",
     "const %x f32[1,1,3,3] {0,1,2,3,4,5,6,7,8}\nconst %w f32[1,1,3,3] splat(1)\n" TRANSPOSED
     "stride=3x2 pad=[0,0,0,0] output_pad=1x1" Y,
     N(0, 0, 1, 1, 3, 2, 2, 0, 0, 0, 1, 1, 3, 2, 2, 0, 0, 0, 1, 1, 3, 2, 2, 0, 3, 3, 7, 4, 9, 5, 5, 0, 3, 3,
       7, 4, 9, 5, 5, 0, 3, 3, 7, 4, 9, 5, 5, 0, 6, 6, 13, 7, 15, 8, 8, 0, 6, 6, 13, 7, 15, 8, 8, 0, 6, 6, 13,
       7, 15, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0)},
    {"conv_transpose, dilations",
     "const %x f32[1,1,3,3] {3,8,1,9,5,7,3,2,6}\nconst %w f32[1,1,2,2] {7,2,1,9}\n"
     "%y = conv_transpose(%x, %w) kernel=2x2 stride=1x1 pad=[0,0,0,0] dilation=2x2 output_pad=0x0 group=1" Y,
     N(21, 56, 13, 16, 2, 63, 35, 67, 10, 14, 24, 22, 76, 76, 21, 9, 5, 88, 45, 63, 3, 2, 33, 18, 54)},
};

/* ---- pools ----------------------------------------------------------------------------------- */

#define MAX_POOL "%y = max_pool(%x) "
#define AVERAGE  "%y = average_pool(%x) dilation=1x1 "

static const example pools[] = {
    {"max_pool, pads", X_5X5 MAX_POOL "kernel=5x5 stride=1x1 pad=[2,2,2,2] dilation=1x1 ceil=0" Y,
     N(13, 14, 15, 15, 15, 18, 19, 20, 20, 20, 23, 24, 25, 25, 25, 23, 24, 25, 25, 25, 23, 24, 25, 25, 25)},
    {"max_pool, strides", X_5X5 MAX_POOL "kernel=2x2 stride=2x2 pad=[0,0,0,0] dilation=1x1 ceil=0" Y,
     N(7, 9, 17, 19)},
    {"max_pool, dilations", X_4X4 MAX_POOL "kernel=2x2 stride=1x1 pad=[0,0,0,0] dilation=2x2 ceil=0" Y,
     N(11, 12, 15, 16)},
    {"max_pool, ceil", X_4X4 MAX_POOL "kernel=3x3 stride=2x2 pad=[0,0,0,0] dilation=1x1 ceil=1" Y,
     N(11, 12, 15, 16)},
    {"max_pool, padding never wins",
     "const %x f32[1,1,2] {-3,-2}\n" MAX_POOL "kernel=[2] stride=[1] pad=[1,1] dilation=[1] ceil=0" Y,
     N(-3, -2, -2)},
    {"max_pool of integers",
     "const %x u8[1,1,4] {3,250,2,1}\n" MAX_POOL "kernel=[2] stride=[2] pad=[0,0] dilation=[1] ceil=0" Y,
     N(250, 2)},
    {"average_pool, ceil", X_4X4 AVERAGE "kernel=3x3 stride=2x2 pad=[0,0,0,0] ceil=1 include_pad=0" Y,
     N(6, 7.5, 12, 13.5)},
    {"average_pool, padding not counted",
     X_5X5 AVERAGE "kernel=5x5 stride=1x1 pad=[2,2,2,2] ceil=0 include_pad=0" Y,
     N(7, 7.5, 8, 8.5, 9, 9.5, 10, 10.5, 11, 11.5, 12, 12.5, 13, 13.5, 14, 14.5, 15, 15.5, 16, 16.5, 17, 17.5,
       18, 18.5, 19)},
    {"average_pool, padding counted",
     X_5X5 AVERAGE "kernel=5x5 stride=1x1 pad=[2,2,2,2] ceil=0 include_pad=1" Y,
     N(2.52, 3.6, 4.8, 4.08, 3.24, 4.56, 6.4, 8.4, 7.04, 5.52, 7.2, 10, 13, 10.8, 8.4, 6.96, 9.6, 12.4, 10.24,
       7.92, 6.12, 8.4, 10.8, 8.88, 6.84)},
    {"average_pool: beyond the padding nothing counts",
     "const %x f32[1,1,4] {1,2,3,4}\n"
     "%y = average_pool(%x) kernel=[3] stride=[2] pad=[0,1] dilation=[1] ceil=1 include_pad=1" Y,
     N(2, 7.0 / 3)},
    {"average_pool, ceil and counted padding",
     "const %x f32[1,1,4] {1,2,3,4}\n"
     "%y = average_pool(%x) kernel=[3] stride=[2] pad=[0,0] dilation=[1] ceil=1 include_pad=1" Y,
     N(2, 3.5)},
};

/* ---- resize: the examples of the specification ----------------------------------------------- */

#define X_2X4   "const %x f32[1,1,2,4] {1,2,3,4,5,6,7,8}\n"
#define X_2X2   "const %x f32[1,1,2,2] {1,2,3,4}\n"
#define RESIZE  "%y = resize(%x) nearest=round_prefer_floor "
#define SHRINK  "size=[1,1,1,2] scale=[1,1,0.6,0.6] "
#define TWICE   "size=[1,1,4,4] scale=[1,1,2,2] "
#define TWICE_8 "size=[1,1,8,8] scale=[1,1,2,2] mode=nearest "

static const example resizes[] = {
    {"linear down", X_2X4 RESIZE SHRINK "mode=linear coordinates=half_pixel" Y, N(2.6666665, 4.3333331)},
    {"linear down, align_corners", X_2X4 RESIZE SHRINK "mode=linear coordinates=align_corners" Y,
     N(1, 3.142857)},
    {"linear down, half_pixel_symmetric",
     "const %x f32[1,1,1,4] {1,2,3,4}\n" RESIZE
     "size=[1,1,1,2] scale=[1,1,1,0.6] mode=linear coordinates=half_pixel_symmetric" Y,
     N(1.6666667, 3.3333333)},
    {"nearest down", X_2X4 RESIZE SHRINK "mode=nearest coordinates=half_pixel" Y, N(1, 3)},
    {"linear down, pytorch_half_pixel",
     X_4X4 RESIZE "size=[1,1,3,1] scale=[1,1,0.75,0.25] mode=linear coordinates=pytorch_half_pixel" Y,
     N(1.6666666, 7, 12.333333)},
    {"nearest down by sizes",
     X_2X4 RESIZE "size=[1,1,1,3] scale=[1,1,0.5,0.75] mode=nearest coordinates=half_pixel" Y, N(1, 2, 4)},
    {"nearest, tf_half_pixel_for_nn",
     X_4X4 RESIZE "size=[1,1,3,2] scale=[1,1,0.75,0.5] mode=nearest coordinates=tf_half_pixel_for_nn" Y,
     N(6, 8, 10, 12, 14, 16)},
    {"linear, tf_half_pixel_for_nn keeps channels apart",
     "const %x f32[1,2,1,2] {1,2,3,4}\n" RESIZE
     "size=[1,2,1,2] scale=[1,1,1,1] mode=linear coordinates=tf_half_pixel_for_nn" Y,
     N(1.5, 2, 3.5, 4)},
    {"linear up", X_2X2 RESIZE TWICE "mode=linear coordinates=half_pixel" Y,
     N(1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4)},
    {"linear up, outside excluded",
     X_2X2 RESIZE TWICE "mode=linear coordinates=half_pixel exclude_outside=1" Y,
     N(1, 1.25, 1.75, 2, 1.5, 1.75, 2.25, 2.5, 2.5, 2.75, 3.25, 3.5, 3, 3.25, 3.75, 4)},
    {"linear up, align_corners", X_2X2 RESIZE TWICE "mode=linear coordinates=align_corners" Y,
     N(1, 1.33333333, 1.66666667, 2, 1.66666667, 2, 2.33333333, 2.66666667, 2.33333333, 2.66666667, 3,
       3.33333333, 3, 3.33333333, 3.66666667, 4)},
    {"linear up, asymmetric",
     "const %x f32[1,1,2] {1,2}\n" RESIZE "size=[1,1,4] scale=[1,1,2] mode=linear coordinates=asymmetric" Y,
     N(1, 1.5, 2, 2)},
    {"linear up, half_pixel_symmetric",
     X_2X2 RESIZE "size=[1,1,4,5] scale=[1,1,2.3,2.94] mode=linear coordinates=half_pixel_symmetric" Y,
     N(1, 1.15986395, 1.5, 1.84013605, 2, 1.56521738, 1.72508133, 2.06521738, 2.40535343, 2.56521738,
       2.43478262, 2.59464657, 2.93478262, 3.27491867, 3.43478262, 3, 3.15986395, 3.5, 3.84013605, 4)},
    {"linear over three axes at once",
     "const %x f32[1,1,2,2,2] {1,2,3,4,5,6,7,8}\n" RESIZE
     "size=[1,1,1,1,1] scale=[1,1,0.5,0.5,0.5] mode=linear coordinates=half_pixel" Y,
     N(4.5)},
    {"nearest up", X_2X2 RESIZE "size=[1,1,4,6] scale=[1,1,2,3] mode=nearest coordinates=half_pixel" Y,
     N(1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 3, 3, 3, 4, 4, 4)},
    {"nearest ceil, half_pixel", X_4X4 "%y = resize(%x) nearest=ceil " TWICE_8 "coordinates=half_pixel" Y,
     N(1, 2, 2, 3, 3, 4, 4, 4, 5, 6, 6, 7, 7, 8, 8, 8, 5, 6, 6, 7, 7, 8, 8, 8, 9, 10, 10, 11, 11, 12, 12, 12,
       9, 10, 10, 11, 11, 12, 12, 12, 13, 14, 14, 15, 15, 16, 16, 16, 13, 14, 14, 15, 15, 16, 16, 16, 13, 14,
       14, 15, 15, 16, 16, 16)},
    {"nearest floor, align_corners",
     X_4X4 "%y = resize(%x) nearest=floor " TWICE_8 "coordinates=align_corners" Y,
     N(1, 1, 1, 2, 2, 3, 3, 4, 1, 1, 1, 2, 2, 3, 3, 4, 1, 1, 1, 2, 2, 3, 3, 4, 5, 5, 5, 6, 6, 7, 7, 8, 5, 5,
       5, 6, 6, 7, 7, 8, 9, 9, 9, 10, 10, 11, 11, 12, 9, 9, 9, 10, 10, 11, 11, 12, 13, 13, 13, 14, 14, 15, 15,
       16)},
    {"nearest round_prefer_ceil, asymmetric",
     X_4X4 "%y = resize(%x) nearest=round_prefer_ceil " TWICE_8 "coordinates=asymmetric" Y,
     N(1, 2, 2, 3, 3, 4, 4, 4, 5, 6, 6, 7, 7, 8, 8, 8, 5, 6, 6, 7, 7, 8, 8, 8, 9, 10, 10, 11, 11, 12, 12, 12,
       9, 10, 10, 11, 11, 12, 12, 12, 13, 14, 14, 15, 15, 16, 16, 16, 13, 14, 14, 15, 15, 16, 16, 16, 13, 14,
       14, 15, 15, 16, 16, 16)},
    {"crop",
     X_4X4 RESIZE "size=[1,1,3,3] scale=[1,1,0.75,0.75] mode=linear coordinates=tf_crop_and_resize "
                  "roi=[0,0,0.4,0.6,1,1,0.6,0.8]" Y,
     N(7.6, 7.9, 8.2, 8.8, 9.1, 9.4, 10, 10.3, 10.6)},
    {"crop, extrapolated",
     X_4X4 RESIZE "size=[1,1,3,3] scale=[1,1,0.75,0.75] mode=linear coordinates=tf_crop_and_resize "
                  "roi=[0,0,0.4,0.6,1,1,1.2,1.7] extrapolation=10" Y,
     N(7.6, 10, 10, 12.4, 10, 10, 10, 10, 10)},
};

/* ---- norms, softmax, arg max, reductions ----------------------------------------------------- */

#define X_AXIS "const %x f32[2,3] {1,3,3,5,4,5}\n"

static const example along[] = {
    {"batch_norm",
     "const %x f32[1,2,1,3] {-1,0,1,2,3,4}\nconst %s f32[2] {1,1.5}\nconst %b f32[2] {0,1}\nconst %m f32[2] "
     "{0,3}\n"
     "const %v f32[2] {1,1.5}\n%y = batch_norm(%x, %s, %b, %m, %v) eps=0.25" Y,
     N(-0.8944271909999159, 0, 0.8944271909999159, -0.1338934190276817, 1, 2.1338934190276817)},
    {"instance_norm",
     "const %x f32[1,2,2] {1,3,2,6}\nconst %s f32[2] {1,2}\nconst %b f32[2] {0,1}\n"
     "%y = instance_norm(%x, %s, %b) eps=0" Y,
     N(-1, 1, -1, 3)},
    {"instance_norm, relu",
     "const %x f32[1,2,2] {1,3,2,6}\nconst %s f32[2] {1,2}\nconst %b f32[2] {0,1}\n"
     "%y = instance_norm(%x, %s, %b) eps=3 act=relu" Y,
     N(0, 0.5, 0, 2.5118578920369088)},
    {"softmax", "const %x f32[1,3] {-1,0,1}\n%y = softmax(%x) axis=1" Y,
     N(0.09003058, 0.24472848, 0.66524094)},
    {"softmax of large values", "const %x f32[2,2] {0,10000,1,10001}\n%y = softmax(%x) axis=1" Y,
     N(0, 1, 0, 1)},
    {"softmax along the first axis", "const %x f32[2,2] {0,5,0,5}\n%y = softmax(%x) axis=0" Y,
     N(0.5, 0.5, 0.5, 0.5)},
    {"log_softmax", "const %x f32[1,3] {-1,0,1}\n%y = log_softmax(%x) axis=1" Y,
     N(-2.4076061, -1.407606, -0.407606)},
    {"arg_max, first", X_AXIS "%y = arg_max(%x) axis=1 keepdims=0 select_last=0" Y, N(1, 0)},
    {"arg_max, last", X_AXIS "%y = arg_max(%x) axis=1 keepdims=1 select_last=1" Y, N(2, 2)},
    {"arg_max, last, NaN", "const %x f32[3] {1,nan,0}\n%y = arg_max(%x) axis=0 keepdims=0 select_last=1" Y,
     N(0)},
    {"arg_max along the first axis", X_AXIS "%y = arg_max(%x) axis=0 keepdims=0 select_last=0" Y, N(1, 1, 1)},
    {"reduce_sum", X_AXIS "%y = reduce_sum(%x) axes=[1] keepdims=0" Y, N(7, 14)},
    {"reduce_mean", X_AXIS "%y = reduce_mean(%x) axes=[0,1] keepdims=1" Y, N(3.5)},
    {"reduce_max", X_AXIS "%y = reduce_max(%x) axes=[0] keepdims=1" Y, N(5, 4, 5)},
    {"reduce_min", X_AXIS "%y = reduce_min(%x) axes=[0] keepdims=0" Y, N(1, 3, 3)},
    {"reduce_prod", "const %x i64[2,2] {1,2,3,4}\n%y = reduce_prod(%x) axes=[1] keepdims=0" Y, N(2, 12)},
    {"reduce the middle axis",
     "const %x f32[2,2,2] {1,2,3,4,5,6,7,8}\n%y = reduce_sum(%x) axes=[1] keepdims=0" Y, N(4, 6, 12, 14)},
};

/* ---- moving elements ------------------------------------------------------------------------- */

#define X_123 "const %x f32[3] {1,2,3}\n"
#define X_2X3 "const %x f32[2,3] {1,2,3,4,5,6}\n"

static const example moves[] = {
    {"concat", X_2X3 "const %z f32[2,1] {7,8}\n%y = concat(%x, %z, %x) axis=1" Y,
     N(1, 2, 3, 7, 1, 2, 3, 4, 5, 6, 8, 4, 5, 6)},
    {"slice, steps", X_2X3 "%y = slice(%x) begin=[1,0] size=[1,2] step=[1,2]" Y, N(4, 6)},
    {"slice, backwards", X_2X3 "%y = slice(%x) begin=[1,2] size=[2,3] step=[-1,-1]" Y, N(6, 5, 4, 3, 2, 1)},
    {"slice, nothing", X_2X3 "%y = slice(%x) begin=[2,0] size=[0,3] step=[1,1]" Y, 0, {0}},
    {"pad, constant", X_123 "%y = pad(%x) pad=[2,1] mode=constant value=9" Y, N(9, 9, 1, 2, 3, 9)},
    {"pad, zero by default", X_123 "%y = pad(%x) pad=[0,1] mode=constant" Y, N(1, 2, 3, 0)},
    {"pad, reflect", X_123 "%y = pad(%x) pad=[2,2] mode=reflect" Y, N(3, 2, 1, 2, 3, 2, 1)},
    {"pad, edge", X_123 "%y = pad(%x) pad=[2,1] mode=edge" Y, N(1, 1, 1, 2, 3, 3)},
    {"pad, wrap", X_123 "%y = pad(%x) pad=[4,2] mode=wrap" Y, N(3, 1, 2, 3, 1, 2, 3, 1, 2)},
    {"pad, negative", X_123 "%y = pad(%x) pad=[-1,1] mode=constant value=9" Y, N(2, 3, 9)},
    {"pad, two axes", X_2X3 "%y = pad(%x) pad=[1,0,0,-1] mode=constant value=7" Y, N(7, 7, 1, 2, 4, 5)},
    {"pad of integers, a value beyond them",
     "const %x i32[2] {1,2}\n%y = pad(%x) pad=[1,0] mode=constant value=1e30" Y, N(2147483647, 1, 2)},
    {"pad of integers, NaN", "const %x u8[2] {1,2}\n%y = pad(%x) pad=[1,0] mode=constant value=nan" Y,
     N(0, 1, 2)},
    {"clip of integers, open", "const %x i32[3] {-7,0,7}\n%y = clip(%x) alpha=-inf beta=1e30" Y, N(-7, 0, 7)},
    {"clip of integers, bounds beyond them", "const %x i32[2] {-7,7}\n%y = clip(%x) alpha=1e30 beta=inf" Y,
     N(2147483647, 2147483647)},
    {"clip of the longest integers, a bound beyond them",
     "const %x i64[2] {-7,7}\n%y = clip(%x) alpha=-inf beta=-1e30" Y,
     N(-9223372036854775808.0, -9223372036854775808.0)},
    {"max pool of the largest integers",
     "const %x i64[1,1,1,1,2] {9223372036854775807,1}\n%y = max_pool(%x) kernel=1x1x1 stride=1x1x1 "
     "pad=[0,0,0,0,0,0] dilation=1x1x1 ceil=0" Y,
     N(9223372036854775807.0, 1)},
    {"resize of the largest integers",
     "const %x i64[1,1,1] {9223372036854775807}\n%y = resize(%x) nearest=floor size=[1,1,2] scale=[1,1,2] "
     "mode=nearest "
     "coordinates=asymmetric" Y,
     N(9223372036854775807.0, 9223372036854775807.0)},
    {"pad of integers", "const %x i64[2] {1,2}\n%y = pad(%x) pad=[1,0] mode=constant value=-3" Y,
     N(-3, 1, 2)},
    {"reshape", X_2X3 "%y = reshape(%x) shape=[3,2]" Y, N(1, 2, 3, 4, 5, 6)},
    {"transpose", X_2X3 "%y = transpose(%x) perm=[1,0]" Y, N(1, 4, 2, 5, 3, 6)},
    {"transpose, three axes", "const %x i64[1,2,3] {1,2,3,4,5,6}\n%y = transpose(%x) perm=[2,0,1]" Y,
     N(1, 4, 2, 5, 3, 6)},
    {"expand", "const %x f32[2,1] {1,2}\n%y = expand(%x) shape=[2,2,2]" Y, N(1, 1, 2, 2, 1, 1, 2, 2)},
    {"gather", X_2X3 "const %i i64[2] {-1,0}\n%y = gather(%x, %i) axis=1" Y, N(3, 1, 6, 4)},
    {"gather a scalar", "const %x i64[3] {5,6,7}\nconst %i i64[] {1}\n%y = gather(%x, %i) axis=0" Y, N(6)},
    {"where", "const %c bool[2,1] {1,0}\nconst %a f32[2] {1,2}\nconst %b f32[] {9}\n%y = where(%c, %a, %b)" Y,
     N(1, 2, 9, 9)},
    {"shape", X_2X3 "%y = shape(%x)" Y, N(2, 3)},
    {"shape of a tensor without values", "const %x f32[4,5] opaque\n%y = shape(%x)" Y, N(4, 5)},
    {"range", "const %a i64[] {10}\nconst %b i64[] {3}\nconst %c i64[] {-3}\n%y = range(%a, %b, %c)" Y,
     N(10, 7, 4)},
    {"range of floats",
     "const %a f32[] {1}\nconst %b f32[] {2}\nconst %c f32[] {0.5}\n%y = range(%a, %b, %c)" Y, N(1, 1.5)},
    {"layouts", "const %x f32[1,2,1,1,2] {1,2,3,4}\n%b = to_block(%x)\n%y = from_block(%b)" Y, N(1, 2, 3, 4)},
};

/* ---- element by element ---------------------------------------------------------------------- */

#define SIGNS  "const %x f32[5] {-2,-0.5,0,0.5,2}\n"
#define INTS   "const %a i64[4] {-7,7,-7,7}\nconst %b i64[4] {3,3,-3,-3}\n"
#define FLOATS "const %a f32[4] {-7,7,-7,7}\nconst %b f32[4] {3,3,-3,-3}\n"
#define ORDER  "const %a f32[3] {1,2,3}\nconst %b f32[] {2}\n"
#define BOOLS  "const %a bool[4] {0,0,1,1}\nconst %b bool[4] {0,1,0,1}\n"

static const example maps[] = {
    {"relu", SIGNS "%y = relu(%x)" Y, N(0, 0, 0, 0.5, 2)},
    {"leaky_relu", SIGNS "%y = leaky_relu(%x) alpha=0.1" Y, N(-0.2, -0.05, 0, 0.5, 2)},
    {"elu", SIGNS "%y = elu(%x) alpha=2" Y, N(-1.7293294335267746, -0.7869386805747332, 0, 0.5, 2)},
    {"sigmoid", SIGNS "%y = sigmoid(%x)" Y,
     N(0.11920292202211755, 0.3775406687981454, 0.5, 0.6224593312018546, 0.8807970779778823)},
    {"sigmoid far out", "const %x f32[2] {-1000,1000}\n%y = sigmoid(%x)" Y, N(0, 1)},
    {"tanh", "const %x f32[2] {0,0.5}\n%y = tanh(%x)" Y, N(0, 0.46211715726000973)},
    {"clip", SIGNS "%y = clip(%x) alpha=-1 beta=1" Y, N(-1, -0.5, 0, 0.5, 1)},
    {"clip, open", SIGNS "%y = clip(%x) alpha=-inf beta=inf" Y, N(-2, -0.5, 0, 0.5, 2)},
    {"exp", "const %x f32[2] {0,1}\n%y = exp(%x)" Y, N(1, 2.718281828459045)},
    {"log", "const %x f32[2] {1,0}\n%y = log(%x)" Y, N(0, -INF)},
    {"sqrt", "const %x f32[2] {4,0.25}\n%y = sqrt(%x)" Y, N(2, 0.5)},
    {"neg", SIGNS "%y = neg(%x)" Y, N(2, 0.5, 0, -0.5, -2)},
    {"abs", SIGNS "%y = abs(%x)" Y, N(2, 0.5, 0, 0.5, 2)},
    {"floor", SIGNS "%y = floor(%x)" Y, N(-2, -1, 0, 0, 2)},
    {"ceil", SIGNS "%y = ceil(%x)" Y, N(-2, 0, 0, 1, 2)},
    {"round, ties to even", "const %x f32[6] {0.5,1.5,2.5,-0.5,-1.5,0.9}\n%y = round(%x)" Y,
     N(0, 2, 2, 0, -2, 1)},
    {"integers: neg, abs, relu, clip",
     "const %x i64[3] {-3,0,4}\n%n = neg(%x)\n%a = abs(%n)\n%r = relu(%x)\n%c = clip(%x) alpha=-1 beta=2\n"
     "%y = concat(%n, %a, %r, %c) axis=0" Y,
     N(3, 0, -4, 3, 0, 4, 0, 0, 4, -1, 0, 2)},
    {"not", "const %x bool[2] {0,1}\n%y = not(%x)" Y, N(1, 0)},
    {"add, broadcast both ways", "const %a f32[2,1] {1,2}\nconst %b f32[3] {10,20,30}\n%y = add(%a, %b)" Y,
     N(11, 21, 31, 12, 22, 32)},
    {"sub", FLOATS "%y = sub(%a, %b)" Y, N(-10, 4, -4, 10)},
    {"mul", FLOATS "%y = mul(%a, %b)" Y, N(-21, 21, 21, -21)},
    {"div", FLOATS "%y = div(%a, %b)" Y, N(-7.0 / 3, 7.0 / 3, 7.0 / 3, -7.0 / 3)},
    {"div of integers", INTS "%y = div(%a, %b)" Y, N(-2, 2, 2, -2)},
    {"mod", INTS "%y = mod(%a, %b) fmod=0" Y, N(2, 1, -1, -2)},
    {"fmod of integers", INTS "%y = mod(%a, %b) fmod=1" Y, N(-1, 1, -1, 1)},
    {"fmod of floats", FLOATS "%y = mod(%a, %b) fmod=1" Y, N(-1, 1, -1, 1)},
    {"i32 wraps around", "const %a i32[1] {2147483647}\nconst %b i32[1] {1}\n%y = add(%a, %b)" Y,
     N(-2147483648.0)},
    {"u8 wraps around", "const %a u8[1] {3}\nconst %b u8[1] {5}\n%y = sub(%a, %b)" Y, N(254)},
    {"min", ORDER "%y = min(%a, %b)" Y, N(1, 2, 2)},
    {"max", ORDER "%y = max(%a, %b)" Y, N(2, 2, 3)},
    {"max keeps NaN",
     "const %a f32[2] {nan,1}\nconst %b f32[2] {1,nan}\n%m = max(%a, %b)\n%y = equal(%m, %m)" Y, N(0, 0)},
    {"pow", "const %a f32[3] {1,2,3}\nconst %b f32[3] {4,5,0.5}\n%y = pow(%a, %b)" Y,
     N(1, 32, 1.7320508075688772)},
    {"pow, integer exponent", "const %a f32[2] {-2,4}\nconst %b i64[2] {3,-1}\n%y = pow(%a, %b)" Y,
     N(-8, 0.25)},
    {"pow of integers", "const %a i64[3] {-2,3,1}\nconst %b i64[3] {3,4,-2}\n%y = pow(%a, %b)" Y,
     N(-8, 81, 1)},
    {"prelu", "const %a f32[2,2] {-1,2,-3,-4}\nconst %b f32[2] {0.5,2}\n%y = prelu(%a, %b)" Y,
     N(-0.5, 2, -1.5, -8)},
    {"equal", ORDER "%y = equal(%a, %b)" Y, N(0, 1, 0)},
    {"greater", ORDER "%y = greater(%a, %b)" Y, N(0, 0, 1)},
    {"greater_equal", ORDER "%y = greater_equal(%a, %b)" Y, N(0, 1, 1)},
    {"less", ORDER "%y = less(%a, %b)" Y, N(1, 0, 0)},
    {"less_equal", INTS "%y = less_equal(%a, %b)" Y, N(1, 0, 1, 0)},
    {"and", BOOLS "%y = and(%a, %b)" Y, N(0, 0, 0, 1)},
    {"or", BOOLS "%y = or(%a, %b)" Y, N(0, 1, 1, 1)},
    {"cast to i64", "const %x f32[4] {-1.9,1.9,1e30,nan}\n%y = cast(%x) to=i64" Y,
     N(-1, 1, 9223372036854775807.0, 0)},
    {"cast to bool", "const %x f32[3] {0,0.1,nan}\n%y = cast(%x) to=bool" Y, N(0, 1, 1)},
    {"cast to i32", "const %x f32[4] {3e9,-3e9,-1.5,nan}\n%y = cast(%x) to=i32" Y,
     N(2147483647, -2147483648.0, -1, 0)},
    {"cast of floats to u8", "const %x f32[4] {300,-1,255.5,inf}\n%y = cast(%x) to=u8" Y,
     N(255, 0, 255, 255)},
    {"cast to u8", "const %x i64[2] {255,256}\n%y = cast(%x) to=u8" Y, N(255, 0)},
    {"cast to f32", "const %x i64[2] {-3,7}\n%y = cast(%x) to=f32" Y, N(-3, 7)},
};

static void check_examples(const example *e, size_t count) {
    for (size_t k = 0; k < count; k++) {
        ir_graph *g = test_graph(e[k].text);
        ir_value *out = test_interpret(g, 2);
        if (ir_count(g->outputs[0]) != e[k].n)
            fail_msg("%s: %lld elements, expected %d", e[k].name, (long long)ir_count(g->outputs[0]), e[k].n);
        for (int i = 0; i < e[k].n; i++) {
            double y = test_cell(out, i), want = e[k].y[i];
            if (y != want && !(fabs(y - want) <= 2e-7 * fmax(1, fabs(want))))
                fail_msg("%s: element %d is %.17g, expected %.17g", e[k].name, i, y, want);
        }
        ir_values_free(out, g->n_outputs);
        free(out);
        ir_graph_free(g);
    }
}

#define EXAMPLES(table)                                                                                      \
    static void test_##table(void **state) {                                                                 \
        (void)state;                                                                                         \
        check_examples(table, sizeof table / sizeof table[0]);                                               \
    }
EXAMPLES(convs)
EXAMPLES(pools)
EXAMPLES(resizes)
EXAMPLES(along)
EXAMPLES(moves)
EXAMPLES(maps)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convs), cmocka_unit_test(test_pools), cmocka_unit_test(test_resizes),
        cmocka_unit_test(test_along), cmocka_unit_test(test_moves), cmocka_unit_test(test_maps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
