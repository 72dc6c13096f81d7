/* conv_list.c: from models to the convolutions that cuDNN is asked for. */
#include "conv_list.h"

#include "load.h"
#include "passes.h"
#include "slots.h"

#include <string.h>

static bool same(const vox_conv3d *a, const vox_conv3d *b) {
    return memcmp(a, b, sizeof *a) == 0; /* both made by convolution(), from zeroed memory */
}

static void add(conv_list *list, const vox_conv3d *conv, const char *model, const char *layer) {
    for (int i = 0; i < list->n; i++)
        if (same(&list->at[i].conv, conv)) return;
    if (list->n == CONVS_MOST) ir_die("plans: more than %d convolutions", CONVS_MOST);
    list->at[list->n].conv = *conv;
    snprintf(list->at[list->n].layer, sizeof list->at[0].layer, "%s %s", model, layer);
    list->n++;
}

/* As it is, and where channels are no multiples of 8, padded to such. */
static void add_padded(conv_list *list, const vox_conv3d *conv, const char *model, const char *layer) {
    vox_conv3d padded = *conv;
    padded.c = padded.c_pitch = (conv->c + 7) / 8 * 8;
    padded.k = padded.k_pitch = (conv->k + 7) / 8 * 8;
    add(list, conv, model, layer);
    if (conv->groups == 1) add(list, &padded, model, layer);
}

static void convolution(const ir_node *n, vox_conv3d *conv) {
    int64_t x[5], y[5];
    if (!cg_dims(n->in[0], x) || !cg_dims(n->out[0], y)) ir_die("plans: %s: no activation", n->name);
    memset(conv, 0, sizeof *conv);
    conv->n = x[0];
    conv->c = conv->c_pitch = x[1];
    conv->k = conv->k_pitch = y[1];
    memcpy(conv->in, x + 2, sizeof conv->in);
    memcpy(conv->out, y + 2, sizeof conv->out);
    cg_spatial(n, IR_KERNEL, 0, 1, conv->kernel);
    cg_spatial(n, IR_STRIDE, 0, 1, conv->stride);
    cg_spatial(n, IR_DILATION, 0, 1, conv->dilation);
    cg_spatial(n, IR_PAD, 0, 0, conv->pad_before);
    cg_spatial(n, IR_PAD, n->in[0]->rank - 2, 0, conv->pad_after);
    conv->groups = ir_int(n, IR_GROUP);
}

static bool is_relu(const ir_node *n) {
    return ir_get(n, IR_ACT) && strcmp(ir_word(n, IR_ACT), "relu") == 0;
}

static void add_conv(conv_list *list, const ir_node *n, const char *model) {
    vox_conv3d conv;
    convolution(n, &conv);
    conv.act = is_relu(n) ? VOX_CUDA_ACT_RELU : VOX_CUDA_ACT_NONE;
    conv.has_bias = is_relu(n) || (n->n_in > 2 && n->in[2]);
    add_padded(list, &conv, model, n->name);
}

static void add_transposed(conv_list *list, const ir_node *n, const char *model) {
    vox_conv3d conv;
    convolution(n, &conv);
    conv.backward_data = 1;
    add_padded(list, &conv, model, n->name);
    if (memcmp(conv.stride, conv.kernel, sizeof conv.kernel) != 0 || conv.groups > 1) return;
    const int64_t taps = conv.kernel[0] * conv.kernel[1] * conv.kernel[2];
    vox_conv3d gemm = conv;
    gemm.backward_data = 0;
    gemm.k = gemm.k_pitch = taps * conv.k;
    for (int axis = 0; axis < 3; axis++) {
        gemm.kernel[axis] = gemm.stride[axis] = 1;
        gemm.out[axis] = gemm.in[axis];
    }
    add_padded(list, &gemm, model, n->name);
}

static void add_graph(conv_list *list, const ir_graph *g) {
    for (int i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i]->op == IR_OP_CONV) add_conv(list, g->nodes[i], g->name);
        if (g->nodes[i]->op == IR_OP_CONV_TRANSPOSE) add_transposed(list, g->nodes[i], g->name);
    }
}

bool conv_list_add(conv_list *list, const char *model, ir_diag *d) {
    options o = {.model = model};
    ir_graph *g = load_model(&o, LOAD_SHAPES, d);
    if (!g) return false;
    const bool ok = pass_fold(g, d) && pass_norm(g, d) && pass_fuse(g, d) && pass_dead(g, d);
    if (ok) add_graph(list, g);
    if (ok && list->n_first == 0) list->n_first = list->n;
    ir_graph_free(g);
    return ok;
}
