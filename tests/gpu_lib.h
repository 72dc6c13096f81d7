/* gpu_lib.h: networks on their way to a GPU. */
#ifndef GPU_LIB_H
#define GPU_LIB_H

#include "pass_lib.h"

#include "passes.h"

static TEST_UNUSED ir_graph *parse_for(const char *text, ir_precision precision) {
    ir_graph *g = parse(text);
    g->goals.target = IR_TARGET_CUDA;
    g->goals.precision = precision;
    return g;
}

static TEST_UNUSED ir_graph *laid_out(const char *text, ir_precision precision) {
    ir_graph *g = parse_for(text, precision);
    must(pass_gpu, g);
    must(pass_channels, g);
    return g;
}

#define CONV1 " kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"
#define CONV3 " kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"
#define SAME3 " kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1"
#define POOL  " kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0"
#define UP    " kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] output_pad=[0,0,0] group=1"

#endif
