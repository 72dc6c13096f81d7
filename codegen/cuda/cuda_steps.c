/* cuda_steps.c: what a run does, step by step: cuDNN's convolutions with their places, the planes that each
 * step makes, and where the memory above everything alive begins.
 */
#include "bundle_text.h"
#include "cuda.h"
#include "gpu_model.h"
#include "slots.h"
#include "stream.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* ---- texts ----------------------------------------------------------------------------------- */

static int add_text(ir_arena *arena, cu_list *list, const char *text) {
    const uint64_t hash = cg_hash_text(text);
    for (int i = cg_first(&list->by_text, hash); i >= 0; i = cg_next(&list->by_text, i))
        if (strcmp(list->text[i], text) == 0) return i;
    if (list->count == list->capacity) {
        const char **more = ir_alloc(arena, (size_t)list->capacity * 2 + 64, sizeof *more);
        if (list->count) memcpy(more, list->text, (size_t)list->count * sizeof *more);
        list->text = more;
        list->capacity = list->capacity * 2 + 64;
    }
    cg_chain(&list->by_text, hash);
    list->text[list->count] = text;
    return list->count++;
}

const char *cu_triple(ir_arena *arena, const int64_t v[3]) {
    return cg_list(arena, 3, v);
}

static const char *weight_place(const cu_model *u, int weight) {
    if (weight < 0) return "{VOX_CUDA_NOWHERE, 0, 0u}";
    return ir_format(u->m->arena, "{VOX_CUDA_WEIGHTS, 0, %" PRId64 "u}", u->weights[weight].offset);
}

/* The constant as it is in the weight file; its layer has registered it. */
static int find_copy(const cu_model *u, const ir_tensor *t) {
    const cg_chains *c = &u->weights_by_source;
    for (int i = cg_first(c, cg_hash_address(t)); i >= 0; i = cg_next(c, i))
        if (u->weights[i].pack == CU_COPY && u->weights[i].source[0] == t) return i;
    ir_die("codegen: constant %s is not on the device", t->name);
}

const char *cu_place_text(const cu_model *u, const ir_tensor *t, int64_t offset) {
    static const char *const names[] = {
        [CG_ARENA] = "VOX_CUDA_ARENA", [CG_INPUT] = "VOX_CUDA_INPUT", [CG_OUTPUT] = "VOX_CUDA_OUTPUT"};
    if (t->role == IR_ROLE_CONST) return weight_place(u, find_copy(u, t));
    cg_place p = cg_place_of(u->m, t);
    return ir_format(u->m->arena, "{%s, %d, %" PRId64 "u}", names[p.base], p.number, p.offset + offset);
}

/* ---- weights of convolutions ----------------------------------------------------------------- */

static int64_t positions_of(const ir_node *n) {
    int64_t product = 1;
    for (int i = 0; i < ir_get(n, IR_KERNEL)->count; i++) product *= ir_ints(n, IR_KERNEL)[i];
    return product;
}

static const ir_tensor *operand(const ir_node *n, int k) {
    return k < n->n_in ? n->in[k] : NULL;
}

int64_t cu_product_pitch(const cu_model *u, const ir_node *n) {
    return cg_gpu_padded(n->out[0]->dim[1] * positions_of(n), u->m->g->goals.precision);
}

bool cu_act_is_fused(const ir_node *n) {
    return !ir_get(n, IR_ACT) || strcmp(ir_word(n, IR_ACT), "relu") == 0;
}

/* By cuDNN: filter and bias in the type of x. */
static cu_conv_weights of_plan(cu_model *u, const ir_node *n) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    const int64_t group = ir_int(n, IR_GROUP);
    cu_weight filter = {.pack = CU_FILTER, .source = {n->in[1]}, .store = x->gpu.storage};
    filter.positions = positions_of(n);
    filter.k = filter.rows = y->dim[1];
    filter.c = filter.pitch = x->dim[1] / group;
    if (group == 1) filter.rows = y->gpu.pitch, filter.pitch = x->gpu.pitch;
    cu_conv_weights w = {.filter = cu_use_weight(u, &filter), .bias = -1, .slope = -1};
    bool acts = ir_get(n, IR_ACT) && cu_act_is_fused(n); /* an activation needs a bias in the plan */
    if (operand(n, 2) || acts) w.bias = cu_vector(u, operand(n, 2), y->dim[1], y->gpu.pitch, y->gpu.storage);
    return w;
}

/* The filter of a convolution from y to x, which cuDNN runs backwards. */
static cu_conv_weights of_dgrad(cu_model *u, const ir_node *n) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    const int64_t group = ir_int(n, IR_GROUP);
    cu_weight filter = {.pack = CU_FILTER, .source = {n->in[1]}, .store = x->gpu.storage};
    filter.positions = positions_of(n);
    filter.k = filter.rows = x->dim[1];
    filter.c = filter.pitch = y->dim[1] / group;
    if (group == 1) filter.rows = x->gpu.pitch, filter.pitch = y->gpu.pitch;
    return (cu_conv_weights){cu_use_weight(u, &filter), -1, -1};
}

static cu_conv_weights of_scatter(cu_model *u, const ir_node *n) {
    const ir_tensor *x = n->in[0];
    cu_weight filter = {.pack = CU_SCATTER, .source = {n->in[1]}, .store = x->gpu.storage};
    filter.positions = positions_of(n);
    filter.k = n->out[0]->dim[1];
    filter.c = x->dim[1];
    filter.rows = cu_product_pitch(u, n);
    filter.pitch = x->gpu.pitch;
    return (cu_conv_weights){cu_use_weight(u, &filter), -1, -1};
}

cu_conv_weights cu_weights_of(cu_model *u, const ir_node *n) {
    if (n->gpu.runner == IR_GPU_CUDNN) return of_plan(u, n);
    return n->gpu.runner == IR_GPU_DGRAD ? of_dgrad(u, n) : of_scatter(u, n);
}

/* ---- convolutions ---------------------------------------------------------------------------- */

static const char *const vox_types[IR_PRECISION_COUNT] = {[IR_FP32] = "VOX_CUDA_F32",
                                                          [IR_TF32] = "VOX_CUDA_TF32",
                                                          [IR_FP16] = "VOX_CUDA_F16",
                                                          [IR_BF16] = "VOX_CUDA_BF16"};

const char *cu_vox_type(const cu_model *u) {
    return vox_types[u->m->g->goals.precision];
}

static const char *conv_text(const cu_model *u, const cu_conv *c) {
    ir_arena *a = u->m->arena;
    cg_text s = {.arena = a};
    cg_add(&s, "{.n = %" PRId64 ", .c = %" PRId64 ", .k = %" PRId64, c->n, c->c, c->k);
    cg_add(&s, ", .c_pitch = %" PRId64 ", .k_pitch = %" PRId64 ", .groups = %" PRId64, c->c_pitch, c->k_pitch,
           c->groups);
    cg_add(&s, ", .in = %s, .out = %s, .kernel = %s,\n     ", cu_triple(a, c->in), cu_triple(a, c->out),
           cu_triple(a, c->kernel));
    cg_add(&s, ".stride = %s, .dilation = %s, .pad_before = %s, .pad_after = %s", cu_triple(a, c->stride),
           cu_triple(a, c->dilation), cu_triple(a, c->before), cu_triple(a, c->after));
    cg_add(&s,
           ", .act = VOX_CUDA_ACT_%s, .type = %s, .has_bias = %" PRId64 ", .backward_data = %" PRId64 "},",
           c->relu ? "RELU" : "NONE", cu_vox_type(u), c->bias, c->backward);
    return cg_string(&s);
}

const char *cu_conv_rows(const cu_model *u) {
    cg_text s = {.arena = u->m->arena};
    for (int i = 0; i < u->n_convs; i++) cg_add(&s, "%s%s", i ? "\n    " : "", conv_text(u, &u->convs[i]));
    return u->n_convs ? cg_string(&s) : "{0},";
}

static int conv_number(cu_model *u, const cu_conv *c) {
    for (int i = 0; i < u->n_convs; i++)
        if (memcmp(&u->convs[i], c, offsetof(cu_conv, node)) == 0) return i; /* no padding: all 64 bits */
    if (u->n_convs == u->cap_convs) {
        u->cap_convs = u->cap_convs * 2 + 16;
        cu_conv *more = ir_alloc(u->m->arena, (size_t)u->cap_convs, sizeof *more);
        if (u->n_convs) memcpy(more, u->convs, (size_t)u->n_convs * sizeof *more);
        u->convs = more;
    }
    u->convs[u->n_convs] = *c;
    return u->n_convs++;
}

static cu_conv shape_of(const ir_node *n) {
    int64_t x[5], y[5];
    cu_conv c = {.groups = ir_int(n, IR_GROUP), .node = n};
    if (!cg_dims(n->in[0], x) || !cg_dims(n->out[0], y)) ir_die("codegen: %s: no convolution", n->name);
    c.n = x[0], c.c = x[1], c.k = y[1];
    memcpy(c.in, x + 2, sizeof c.in);
    memcpy(c.out, y + 2, sizeof c.out);
    c.c_pitch = n->in[0]->gpu.pitch;
    c.k_pitch = n->out[0]->gpu.pitch;
    cg_spatial(n, IR_KERNEL, 0, 1, c.kernel);
    cg_spatial(n, IR_STRIDE, 0, 1, c.stride);
    cg_spatial(n, IR_DILATION, 0, 1, c.dilation);
    cg_spatial(n, IR_PAD, 0, 0, c.before);
    cg_spatial(n, IR_PAD, n->in[0]->rank - 2, 0, c.after);
    return c;
}

/* Restricts c to the planes that the step makes. Returns the first plane of x that they read. */
static int64_t cut_conv(cu_conv *c, const cu_step *s) {
    const int64_t reach = c->dilation[0] * (c->kernel[0] - 1) + 1, depth = c->in[0];
    if (s->begin == 0 && s->end == c->out[0]) return 0;
    const int64_t low = s->begin * c->stride[0] - c->before[0];
    const int64_t high = (s->end - 1) * c->stride[0] + reach - c->before[0];
    const int64_t first = low > 0 ? low : 0, last = high < depth ? high : depth;
    c->before[0] = first - low;
    c->after[0] = high - last;
    c->in[0] = last - first;
    c->out[0] = s->end - s->begin;
    return first;
}

static int add_call(cu_model *u, const cu_conv *c, const char *x, const char *w, const char *bias,
                    const char *y) {
    ir_arena *a = u->m->arena;
    const int conv = conv_number(u, c);
    return add_text(a, &u->calls, ir_format(a, "{%d, %s, %s, %s, %s},", conv, x, w, bias, y));
}

static int call_conv(cu_model *u, const ir_node *n, const cu_step *s) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    cu_conv_weights w = cu_weights_of(u, n);
    cu_conv c = shape_of(n);
    const int64_t first = cut_conv(&c, s);
    const int64_t x_at = (first - s->z0[1]) * cg_gpu_plane_bytes(x);
    const int64_t y_at = (s->begin - s->z0[0]) * cg_gpu_plane_bytes(y);
    c.bias = w.bias >= 0;
    c.relu = ir_get(n, IR_ACT) && cu_act_is_fused(n);
    return add_call(u, &c, cu_place_text(u, x, x_at), weight_place(u, w.filter), weight_place(u, w.bias),
                    cu_place_text(u, y, y_at));
}

static int call_dgrad(cu_model *u, const ir_node *n) {
    cu_conv_weights w = cu_weights_of(u, n);
    cu_conv c = shape_of(n);
    c.backward = true;
    return add_call(u, &c, cu_place_text(u, n->in[0], 0), weight_place(u, w.filter), weight_place(u, -1),
                    cu_place_text(u, n->out[0], 0));
}

/* The product of a GEMM_SCATTER: the planes of x that the step's planes of y come from. */
static int call_product(cu_model *u, const ir_node *n, cu_step *s) {
    const ir_tensor *x = n->in[0];
    const ir_planes read = ir_planes_read(n, 0, (ir_planes){s->begin, s->end});
    const int64_t ones[3] = {1, 1, 1}, zeros[3] = {0};
    cu_conv_weights w = cu_weights_of(u, n);
    cu_conv c = shape_of(n);
    if (n->memory.stream) c.in[0] = read.end - read.begin;
    const int64_t first = n->memory.stream ? read.begin : 0;
    c.k = n->out[0]->dim[1] * positions_of(n);
    c.k_pitch = cu_product_pitch(u, n);
    memcpy(c.out, c.in, sizeof c.out);
    memcpy(c.kernel, ones, sizeof ones);
    memcpy(c.stride, ones, sizeof ones);
    memcpy(c.dilation, ones, sizeof ones);
    memcpy(c.before, zeros, sizeof zeros);
    memcpy(c.after, zeros, sizeof zeros);
    s->z0[2] = first; /* the product's first plane */
    const char *y = ir_format(u->m->arena, "{VOX_CUDA_ARENA, 0, %" PRId64 "u}", cg_scratch_offset(u->m, n));
    return add_call(u, &c, cu_place_text(u, x, (first - s->z0[1]) * cg_gpu_plane_bytes(x)),
                    weight_place(u, w.filter), weight_place(u, -1), y);
}

static int call_of(cu_model *u, const ir_node *n, cu_step *s) {
    if (n->gpu.runner == IR_GPU_CUDNN) return call_conv(u, n, s);
    if (n->gpu.runner == IR_GPU_DGRAD) return call_dgrad(u, n);
    return n->gpu.runner == IR_GPU_GEMM_SCATTER ? call_product(u, n, s) : -1;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* The first plane of t's window, by the steps that have been made: `begins`, per node. */
static int64_t window_start(const cu_model *u, const ir_tensor *t, const int64_t *begins) {
    return t->memory.ring && t->role == IR_ROLE_VALUE ? begins[ir_position(u->m->g, t->producer)] : 0;
}

static void add_step(cu_model *u, int node, ir_planes planes, int64_t *begins, const int64_t *free_from) {
    const ir_node *n = u->m->g->nodes[node];
    const int layer = cg_layer_of(u->m, node);
    begins[node] = planes.begin;
    if (layer < 0) return;
    cu_step *s = &u->steps[u->n_steps++];
    *s = (cu_step){.layer = layer, .begin = planes.begin, .end = planes.end, .free_from = free_from[node]};
    s->z0[0] = window_start(u, n->out[0], begins);
    for (int k = 0; k < n->n_in && k < CU_OPERANDS; k++)
        if (n->in[k]) s->z0[1 + k] = window_start(u, n->in[k], begins);
    if (n->memory.stream && !cg_gpu_takes_slab(n, planes, s->z0[1], s->z0[0]))
        ir_die("codegen: cuDNN can't do planes %" PRId64 " to %" PRId64 " of %s", planes.begin,
               planes.end - 1, n->name);
    s->call = call_of(u, n, s);
}

/* A crop that a pool's kernel copies is there when the pool is: its step, which launches nothing, follows. */
static void order_crops(cu_model *u) {
    for (int i = 0; i + 1 < u->n_steps; i++) {
        const cu_step first = u->steps[i];
        const ir_node *n = u->m->layers[first.layer].node, *next = u->m->layers[u->steps[i + 1].layer].node;
        if (cg_gpu_crop_of(u->m->g, next) != n) continue;
        u->steps[i] = u->steps[i + 1];
        u->steps[++i] = first;
    }
}

static int64_t depth_of(const ir_node *n) {
    return n->out[0]->rank == 5 ? n->out[0]->dim[2] : 1;
}

void cu_collect_steps(cu_model *u) {
    const ir_graph *g = u->m->g;
    ir_arena *a = u->m->arena;
    int64_t *begins = ir_alloc(a, (size_t)g->n_nodes + 1, sizeof *begins);
    const int64_t *free_from = cg_gpu_free_from_each(g, &u->m->buffers, a);
    u->steps = ir_alloc(a, (size_t)u->m->n_steps + 1, sizeof *u->steps);
    for (int i = 0, last; i < g->n_nodes; i = last + 1) {
        last = ir_group_end(g, i);
        if (!g->nodes[i]->memory.stream) {
            add_step(u, i, (ir_planes){0, depth_of(g->nodes[i])}, begins, free_from);
            continue;
        }
        int count;
        const ir_step *steps = ir_group_steps(g, i, last, g->nodes[i]->memory.slab, a, &count);
        for (int k = 0; k < count; k++) add_step(u, steps[k].node, steps[k].planes, begins, free_from);
    }
    order_crops(u);
}

const char *cu_step_rows(const cu_model *u) {
    cg_text s = {.arena = u->m->arena};
    for (int i = 0; i < u->n_steps; i++) {
        const cu_step *t = &u->steps[i];
        cg_add(&s, "%s{%d, %" PRId64 ", %" PRId64 ", %d, %" PRId64 "u, %s},", i ? "\n    " : "", t->layer,
               t->begin, t->end, t->call, t->free_from, cg_list(s.arena, 1 + CU_OPERANDS, t->z0));
    }
    return cg_string(&s);
}
