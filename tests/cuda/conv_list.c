/* conv_list.c: from models to the convolutions that cuDNN is asked for. */
#include "conv_list.h"

#include "cuda.h"
#include "fit.h"
#include "load.h"
#include "pipeline.h"

#include <string.h>

static void add(conv_list *list, const vox_conv3d *conv, const cu_model *u, const ir_node *n) {
    const unsigned type = 1u << u->m->g->goals.precision; /* the same order as vox_cuda_type */
    int i = 0;
    /* all made by conv_of(), from zeroed memory */
    while (i < list->n && memcmp(&list->at[i].conv, conv, sizeof *conv) != 0) i++;
    if (i == CONVS_MOST) ir_die("plans: more than %d convolutions", CONVS_MOST);
    if (i == list->n) {
        list->at[i].conv = *conv;
        snprintf(list->at[i].layer, sizeof list->at[i].layer, "%s %s", u->m->name, n->out[0]->name);
        list->n++;
    }
    list->at[i].types |= type;
}

/* What the generated table says of it. */
static void conv_of(const cu_conv *c, vox_conv3d *conv) {
    memset(conv, 0, sizeof *conv);
    conv->n = c->n, conv->c = c->c, conv->k = c->k;
    conv->c_pitch = c->c_pitch, conv->k_pitch = c->k_pitch;
    conv->groups = c->groups;
    memcpy(conv->in, c->in, sizeof conv->in);
    memcpy(conv->out, c->out, sizeof conv->out);
    memcpy(conv->kernel, c->kernel, sizeof conv->kernel);
    memcpy(conv->stride, c->stride, sizeof conv->stride);
    memcpy(conv->dilation, c->dilation, sizeof conv->dilation);
    memcpy(conv->pad_before, c->before, sizeof conv->pad_before);
    memcpy(conv->pad_after, c->after, sizeof conv->pad_after);
    conv->act = c->relu ? VOX_CUDA_ACT_RELU : VOX_CUDA_ACT_NONE;
    conv->has_bias = (int)c->bias;
    conv->backward_data = (int)c->backward;
}

/* Those of the bundle that voxc would write. */
static bool add_graph(conv_list *list, const ir_graph *g, ir_diag *d) {
    static const cg_options none = {.version = "", .options = "", .input = ""};
    cg_model *m = cg_model_new(g, &none, d);
    if (!m) return false;
    cu_model u = cu_model_of(m);
    cu_collect_steps(&u);
    for (int i = 0; i < u.n_convs; i++) {
        vox_conv3d conv;
        conv_of(&u.convs[i], &conv);
        add(list, &conv, &u, u.convs[i].node);
    }
    return true;
}

static bool add_lowered(conv_list *list, const char *model, const char *precision, ir_diag *d) {
    options o = {.model = model, .target = "cuda", .precision = precision};
    pass_report reports[MAX_PASSES];
    int passes;
    ir_graph *g = load_model(&o, LOAD_SHAPES, d);
    if (!g) return false;
    const bool ok = options_goals(&o, IR_TARGET_CUDA, &g->goals, d) && fit(g, d) &&
                    pipeline_run(g, &(pipeline_options){0}, reports, &passes, d);
    const bool added = ok && add_graph(list, g, d);
    ir_graph_free(g);
    return added;
}

bool conv_list_add(conv_list *list, const char *model, ir_diag *d) {
    static const char *const precisions[CONV_TYPES] = {"fp32", "tf32", "fp16", "bf16"};
    bool ok = true;
    for (int i = 0; ok && i < CONV_TYPES; i++) ok = add_lowered(list, model, precisions[i], d);
    if (list->n_first == 0) list->n_first = list->n;
    return ok;
}
