/* conv_list.c: from models to the convolutions that cuDNN is asked for. */
#include "conv_list.h"

#include "fit.h"
#include "gpu_model.h"
#include "load.h"
#include "pipeline.h"
#include "slots.h"

#include <string.h>

static void add(conv_list *list, const vox_conv3d *conv, const ir_graph *g, const ir_node *n) {
    const unsigned type = 1u << g->goals.precision; /* the same order as vox_cuda_type */
    int i = 0;
    /* all made by shape_of(), from zeroed memory */
    while (i < list->n && memcmp(&list->at[i].conv, conv, sizeof *conv) != 0) i++;
    if (i == CONVS_MOST) ir_die("plans: more than %d convolutions", CONVS_MOST);
    if (i == list->n) {
        list->at[i].conv = *conv;
        snprintf(list->at[i].layer, sizeof list->at[i].layer, "%s %s", g->name, n->out[0]->name);
        list->n++;
    }
    list->at[i].types |= type;
}

static void shape_of(const ir_node *n, vox_conv3d *conv) {
    int64_t x[5], y[5];
    if (!cg_dims(n->in[0], x) || !cg_dims(n->out[0], y)) ir_die("plans: %s: no activation", n->name);
    memset(conv, 0, sizeof *conv);
    conv->n = x[0];
    conv->c = x[1];
    conv->k = y[1];
    conv->c_pitch = n->in[0]->pitch;
    conv->k_pitch = n->out[0]->pitch;
    conv->groups = ir_int(n, IR_GROUP);
    memcpy(conv->in, x + 2, sizeof conv->in);
    memcpy(conv->out, y + 2, sizeof conv->out);
    cg_spatial(n, IR_KERNEL, 0, 1, conv->kernel);
    cg_spatial(n, IR_STRIDE, 0, 1, conv->stride);
    cg_spatial(n, IR_DILATION, 0, 1, conv->dilation);
    cg_spatial(n, IR_PAD, 0, 0, conv->pad_before);
    cg_spatial(n, IR_PAD, n->in[0]->rank - 2, 0, conv->pad_after);
}

/* The part of it that makes these planes: it reads what is there of their windows, and pads the rest. */
static void cut(vox_conv3d *conv, ir_planes made) {
    const int64_t span = conv->dilation[0] * (conv->kernel[0] - 1) + 1, depth = conv->in[0];
    const int64_t low = made.begin * conv->stride[0] - conv->pad_before[0];
    const int64_t high = (made.end - 1) * conv->stride[0] - conv->pad_before[0] + span;
    if (made.end - made.begin == conv->out[0]) return;
    conv->pad_before[0] = low < 0 ? -low : 0;
    conv->pad_after[0] = high > depth ? high - depth : 0;
    conv->in[0] = high - low - conv->pad_before[0] - conv->pad_after[0];
    conv->out[0] = made.end - made.begin;
}

static void add_conv(conv_list *list, const ir_graph *g, const ir_node *n, ir_planes made) {
    const char *act = ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : "";
    vox_conv3d conv;
    shape_of(n, &conv);
    cut(&conv, made);
    if (strcmp(act, "relu") == 0) conv.act = VOX_CUDA_ACT_RELU;
    conv.has_bias = conv.act != VOX_CUDA_ACT_NONE || (n->n_in > 2 && n->in[2]);
    add(list, &conv, g, n);
}

static void add_dgrad(conv_list *list, const ir_graph *g, const ir_node *n) {
    vox_conv3d conv;
    shape_of(n, &conv);
    conv.backward_data = 1;
    add(list, &conv, g, n);
}

/* A transposed convolution whose stride is its kernel, as the product that its scatter kernel reads. */
static void add_product(conv_list *list, const ir_graph *g, const ir_node *n, ir_planes made) {
    const ir_planes read = ir_planes_read(n, 0, made);
    vox_conv3d conv;
    shape_of(n, &conv);
    if (n->stream) conv.in[0] = read.end - read.begin;
    conv.k *= conv.kernel[0] * conv.kernel[1] * conv.kernel[2];
    conv.k_pitch = cg_gpu_padded(conv.k, g->goals.precision);
    for (int axis = 0; axis < 3; axis++) {
        conv.out[axis] = conv.in[axis];
        conv.kernel[axis] = conv.stride[axis] = conv.dilation[axis] = 1;
        conv.pad_before[axis] = conv.pad_after[axis] = 0;
    }
    add(list, &conv, g, n);
}

static void add_node(conv_list *list, const ir_graph *g, const ir_node *n, ir_planes made) {
    if (n->gpu == IR_GPU_CUDNN) add_conv(list, g, n, made);
    if (n->gpu == IR_GPU_DGRAD) add_dgrad(list, g, n);
    if (n->gpu == IR_GPU_GEMM_SCATTER) add_product(list, g, n, made);
}

static void add_graph(conv_list *list, const ir_graph *g) {
    for (int i = 0, last; i < g->n_nodes; i = last + 1) {
        last = ir_group_end(g, i);
        const ir_tensor *y = g->nodes[i]->out[0];
        ir_step whole = {i, {0, y->rank == 5 ? y->dim[2] : 1}}, *steps = &whole;
        int count = 1;
        if (g->nodes[i]->stream) steps = ir_group_steps(g, i, last, g->nodes[i]->slab, g->arena, &count);
        for (int k = 0; k < count; k++) add_node(list, g, g->nodes[steps[k].node], steps[k].planes);
    }
}

static bool add_lowered(conv_list *list, const char *model, const char *precision, ir_diag *d) {
    options o = {.model = model, .target = "cuda", .precision = precision};
    pass_report reports[MAX_PASSES];
    int passes;
    ir_graph *g = load_model(&o, LOAD_SHAPES, d);
    if (!g) return false;
    const bool ok = options_goals(&o, IR_TARGET_CUDA, &g->goals, d) && fit(g, d) &&
                    pipeline_run(g, &(pipeline_options){0}, reports, &passes, d);
    if (ok) add_graph(list, g);
    ir_graph_free(g);
    return ok;
}

bool conv_list_add(conv_list *list, const char *model, ir_diag *d) {
    static const char *const precisions[CONV_TYPES] = {"fp32", "tf32", "fp16", "bf16"};
    bool ok = true;
    for (int i = 0; ok && i < CONV_TYPES; i++) ok = add_lowered(list, model, precisions[i], d);
    if (list->n_first == 0) list->n_first = list->n;
    return ok;
}
