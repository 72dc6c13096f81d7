/* plan_interp.c: runs the nodes of a plan, step by step; see plan_interp.h. */
#include "plan_interp.h"

#include "algorithm.h"
#include "around.h"
#include "gpu_model.h"
#include "integers.h"
#include "plan_interp_machine.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH = 2 };
static const ir_planes everything = {0, -1};

/* ---- operands ---------------------------------------------------------------------------------- */

/* Values that a node computes with; those it has read itself are freed. */
typedef struct operands {
    ir_arena *arena;
    int count;
    ir_value *value;
    bool *own;
    ir_planes *read;
} operands;

static operands begin_operands(const ir_node *n) {
    operands o = {.arena = ir_arena_new(), .count = n->n_in};
    o.value = ir_alloc(o.arena, (size_t)n->n_in + 1, sizeof *o.value);
    o.own = ir_alloc(o.arena, (size_t)n->n_in + 1, sizeof *o.own);
    o.read = ir_alloc(o.arena, (size_t)n->n_in + 1, sizeof *o.read);
    return o;
}

static void end_operands(operands *o) {
    for (int k = 0; k < o->count; k++)
        if (o->own[k]) ir_values_free(&o->value[k], 1);
    ir_arena_free(o->arena);
}

static bool by_cudnn(const ir_node *n) {
    return n->gpu.runner == IR_GPU_CUDNN || n->gpu.runner == IR_GPU_GEMM_SCATTER ||
           n->gpu.runner == IR_GPU_DGRAD;
}

static bool compute_node(plan_machine *m, const ir_node *n, ir_planes made, const ir_value *given,
                         ir_planes held, ir_value *y);

/* From memory; or, on load, made of what lies there. */
static bool read_operand(plan_machine *m, const ir_node *n, int k, const bool *needed, operands *o) {
    const ir_tensor *t = n->in[k];
    o->own[k] = true;
    if (t->cpu.on_load && n->op == IR_OP_CONV && k == 0)
        return compute_node(m, t->producer, o->read[k], NULL, everything, &o->value[k]);
    if (!plan_read(m, t, o->read[k], needed, &o->value[k])) return false;
    bool multiplies = k == 0 && (by_cudnn(n) || (n->op == IR_OP_CONV && t->gpu.pitch));
    return !multiplies || plan_read_padding(m, t, o->read[k], needed, by_cudnn(n));
}

/* The sums that the convolution before a norm_terms has left. */
static bool read_sums(plan_machine *m, const ir_node *n, operands *o) {
    int node = plan_node_number(m, n);
    o->value[0] = m->sums[node];
    if (!m->sums[node].f)
        return ir_fail(m->d, IR_EXIT_FAILURE,
                       "plan: norm_terms '%s' finds no sums: no conv has gathered them", n->name);
    return plan_still(m, n->memory.scratch_offset, cg_sums_of(m->g, n->in[0]->producer).bytes,
                      plan_claimed(m, node, PLAN_SUMS));
}

static bool constant_value(plan_machine *m, const ir_tensor *t, ir_value *v) {
    ir_value *kept = &m->constants[plan_tensor_number(m, t)];
    if (!kept->f && !kept->i && !ir_value_of_const(t, kept, m->d)) return false;
    *v = *kept;
    return true;
}

static bool find_operand(plan_machine *m, const ir_node *n, int k, ir_planes made, operands *o) {
    const ir_tensor *t = n->in[k];
    bool *needed = NULL;
    o->read[k] = everything;
    if (!t) return true;
    if (t->role == IR_ROLE_CONST) return constant_value(m, t, &o->value[k]);
    if (n->cpu.gathered && k == 0) return read_sums(m, n, o);
    if (made.end >= 0 && ir_has_planes(n, k)) {
        needed = ir_alloc(o->arena, (size_t)t->dim[DEPTH] + 1, sizeof *needed);
        o->read[k] = plan_planes_needed(n, k, made, needed);
    }
    return read_operand(m, n, k, needed, o);
}

/* Planes `made` of n's result; made.end < 0: all of it, whatever its rank. given: planes `held` of operand 0,
 * which then is not looked for in memory. */
static bool compute_node(plan_machine *m, const ir_node *n, ir_planes made, const ir_value *given,
                         ir_planes held, ir_value *y) {
    operands o = begin_operands(n);
    bool ok = true;
    if (given) o.value[0] = *given, o.read[0] = held;
    for (int k = given ? 1 : 0; k < n->n_in && ok; k++) ok = find_operand(m, n, k, made, &o);
    const ir_node *part = made.end < 0 ? n : plan_part(o.arena, n, made, o.read);
    ok = ok && ir_interpret_node(part, o.value, y, 1, m->d);
    end_operands(&o);
    return ok;
}

/* ---- results ----------------------------------------------------------------------------------- */

/* What one kernel writes: planes of the results of one node or more. */
typedef struct result {
    const ir_node *n;
    ir_planes planes;
    bool from_registers; /* made of the kernel's own result while it is there */
} result;
enum { MOST_RESULTS = 3 };

/* Planes of a crop that lie in planes [begin, end) of its operand. */
static ir_planes cropped(const ir_node *crop, int64_t begin, int64_t end) {
    int64_t at = ir_ints(crop, IR_BEGIN)[DEPTH], size = crop->out[0]->dim[DEPTH];
    ir_planes p = {ir_min(ir_max(begin - at, 0), size), ir_min(ir_max(end - at, 0), size)};
    return p;
}

/* The first node of that kind that n's kernel does too. */
static const ir_node *joined(const plan_machine *m, const ir_node *n, ir_op op) {
    for (int i = 0; i < m->g->n_nodes; i++) {
        const ir_node *reader = m->g->nodes[i];
        if (reader->op == op && reader->in[0] == n->out[0] && ir_is_joined(reader)) return reader;
    }
    return NULL;
}

/* Some ways to compute a convolution store a pool and a crop as well. */
static int epilogue_results(const plan_machine *m, const ir_node *n, ir_planes made, result *list) {
    int count = 0;
    bool can = n->op == IR_OP_CONV && cg_way_of(n)->stores_more && made.end >= 0;
    const ir_node *crop = can ? joined(m, n, IR_OP_SLICE) : NULL,
                  *pool = can ? joined(m, n, IR_OP_MAX_POOL) : NULL;
    if (crop) list[count++] = (result){crop, cropped(crop, made.begin, made.end), true};
    if (pool) {
        int64_t depth = pool->out[0]->dim[DEPTH];
        list[count++] =
            (result){pool, {ir_min((made.begin + 1) / 2, depth), ir_min(made.end / 2, depth)}, true};
    }
    return count;
}

static int find_results(const plan_machine *m, const ir_node *n, ir_planes made, result *list) {
    int count = 0;
    if (!n->out[0]->cpu.fused) list[count++] = (result){n, made, false};
    if (m->g->goals.target == IR_TARGET_C) return count + epilogue_results(m, n, made, list + count);
    const ir_node *crop = cg_gpu_crop_of(m->g, n);
    if (!crop) return count;
    bool ends = made.end == n->out[0]->dim[DEPTH];
    int64_t end = ends ? n->in[0]->dim[DEPTH] : 2 * made.end;
    list[count++] = (result){crop, cropped(crop, 2 * made.begin, end), false};
    return count;
}

/* The operand that n's kernel may overwrite element by element. */
static const ir_tensor *overwrites(const ir_node *n) {
    bool can = ir_op_get(n->op)->flags & IR_FLAG_MAP || n->op == IR_OP_BATCH_NORM ||
               n->op == IR_OP_INSTANCE_NORM || n->op == IR_OP_NORMALISE;
    return can ? n->in[0] : NULL;
}

/* cuDNN writes whole voxels. */
static bool is_wide(const ir_node *n) {
    return n->gpu.runner == IR_GPU_CUDNN || n->gpu.runner == IR_GPU_DGRAD;
}

static bool clear_results(plan_machine *m, const result *list, int count) {
    for (int i = 0; i < count; i++) {
        const ir_node *n = list[i].n;
        if (!plan_clear(m, n->out[0], list[i].planes, overwrites(n), is_wide(n))) return false;
    }
    return true;
}

/* y: planes `made` of n's own result. */
static bool write_results(plan_machine *m, const ir_node *n, ir_planes made, const ir_value *y,
                          const result *list, int count) {
    bool ok = true;
    for (int i = 0; i < count && ok; i++) {
        const ir_node *by = list[i].n;
        ir_value v = {0};
        bool own = by == n;
        if (!own) ok = compute_node(m, by, list[i].planes, list[i].from_registers ? y : NULL, made, &v);
        ok = ok && plan_write(m, by->out[0], list[i].planes, overwrites(by), is_wide(by), own ? y : &v);
        ir_values_free(&v, 1);
    }
    return ok;
}

/* ---- scratch memory ---------------------------------------------------------------------------- */

static int64_t voxels(const ir_tensor *t) {
    return ir_count(t) / (t->dim[1] ? t->dim[1] : 1);
}

/* Of a GEMM_SCATTER: every channel and tap for each voxel that is read. */
static int64_t product_bytes(const plan_machine *m, const ir_node *n, ir_planes made) {
    const ir_tensor *x = n->in[0];
    int64_t taps = 1, planes = x->rank == 5 ? x->dim[DEPTH] : 1;
    for (int i = 0; i < ir_get(n, IR_KERNEL)->count; i++) taps *= ir_ints(n, IR_KERNEL)[i];
    int64_t of_plane = planes ? voxels(x) / planes : 0;
    if (made.end >= 0) {
        ir_planes read = ir_planes_read(n, 0, made);
        planes = read.end - read.begin;
    }
    return of_plane * planes * cg_gpu_padded(n->out[0]->dim[1] * taps, m->g->goals.precision) *
           ir_element_bytes(x);
}

/* What the emitted code uses, which need not be what the plan has set aside. */
static int64_t scratch_bytes(const plan_machine *m, const ir_node *n, ir_planes made) {
    if (n->gpu.runner == IR_GPU_GEMM_SCATTER) return product_bytes(m, n, made);
    if (m->g->goals.target == IR_TARGET_CUDA) return cg_gpu_scratch(n, m->g->goals.precision);
    if (n->op == IR_OP_CONV) return cg_scratch_bytes(m->g, n);
    return n->cpu.gathered ? 0 : n->memory.scratch;
}

static bool take_scratch(plan_machine *m, const ir_node *n, ir_planes made) {
    int64_t bytes = scratch_bytes(m, n, made);
    const ir_node *terms = cg_gathers(n);
    uint32_t own = plan_claimed(m, m->node, PLAN_SCRATCH);
    if (bytes && !plan_take(m, n->memory.scratch_offset, bytes, n->memory.scratch, own)) return false;
    if (!terms) return true;
    return plan_take(m, terms->memory.scratch_offset, cg_sums_of(m->g, n).bytes, terms->memory.scratch,
                     plan_claimed(m, plan_node_number(m, terms), PLAN_SUMS));
}

/* cuDNN's workspace may begin above everything that is alive. */
static bool take_workspace(plan_machine *m, const ir_node *n) {
    if (!by_cudnn(n)) return true;
    int64_t from = cg_gpu_free_from(m->g, &m->buffers, m->node);
    if (from >= m->g->arena_bytes) return true;
    int64_t bytes = m->g->arena_bytes - from;
    return plan_take(m, from, bytes, bytes, plan_claimed(m, m->node, PLAN_WORKSPACE));
}

static bool keep_sums(plan_machine *m, const ir_node *n, const ir_value *y) {
    const ir_node *terms = cg_gathers(n);
    if (!terms) return true;
    ir_value *kept = &m->sums[plan_node_number(m, terms)];
    ir_values_free(kept, 1);
    if (!ir_value_new(n->out[0], kept, m->d)) return false;
    memcpy(kept->f, y->f, (size_t)ir_count(n->out[0]) * sizeof *y->f);
    return true;
}

/* ---- steps ------------------------------------------------------------------------------------- */

static bool needs_no_code(const plan_machine *m, const ir_node *n) {
    return plan_is_free(n) || (m->g->goals.target == IR_TARGET_CUDA && cg_gpu_is_taken_along(m->g, n));
}

static bool interpret_step(plan_machine *m, int node, ir_planes made) {
    const ir_node *n = m->g->nodes[node];
    result list[MOST_RESULTS];
    ir_value y = {0};
    m->node = node;
    m->planes = made;
    m->window[node] = made.end < 0 ? 0 : made.begin;
    if (needs_no_code(m, n)) return true;
    int count = find_results(m, n, made, list);
    bool ok = clear_results(m, list, count) && take_workspace(m, n) && take_scratch(m, n, made) &&
              compute_node(m, n, made, NULL, everything, &y) && keep_sums(m, n, &y) &&
              write_results(m, n, made, &y, list, count);
    ir_values_free(&y, 1);
    return ok;
}

static bool check_step(plan_machine *m, const ir_step *s) {
    const ir_node *n = m->g->nodes[s->node];
    int64_t grain = plan_grain(n);
    int64_t depth = n->out[0]->dim[DEPTH];
    bool whole = s->planes.begin % grain == 0 && (s->planes.end % grain == 0 || s->planes.end == depth);
    bool sound = s->planes.begin >= 0 && s->planes.begin <= s->planes.end && s->planes.end <= depth;
    return (whole && sound) ||
           ir_fail(m->d, IR_EXIT_FAILURE, "plan: '%s' cannot make planes %lld to %lld of %lld", n->name,
                   (long long)s->planes.begin, (long long)s->planes.end - 1, (long long)depth);
}

static bool run_group(plan_machine *m, int first, int last) {
    int count;
    const ir_step *steps =
        ir_group_steps(m->g, first, last, m->g->nodes[first]->memory.slab, m->arena, &count);
    for (int i = 0; i < count; i++)
        if (!check_step(m, &steps[i]) || !interpret_step(m, steps[i].node, steps[i].planes)) return false;
    return true;
}

/* Convolutions and pools are worked through by planes even where they run at once. */
static ir_planes all_planes(const ir_node *n) {
    bool by_planes = n->op == IR_OP_CONV || n->op == IR_OP_MAX_POOL;
    return by_planes ? plan_all(n->out[0]) : everything;
}

static bool run_nodes(plan_machine *m) {
    const ir_graph *g = m->g;
    for (int i = 0, last; i < g->n_nodes; i = last + 1) {
        last = ir_group_end(g, i);
        bool ok = g->nodes[i]->memory.stream ? run_group(m, i, last)
                                             : interpret_step(m, i, all_planes(g->nodes[i]));
        if (!ok) return false;
    }
    return true;
}

/* ---- a run ------------------------------------------------------------------------------------- */

static bool open_machine(plan_machine *m, const ir_value *in) {
    const ir_graph *g = m->g;
    if (g->arena_bytes < 0)
        return ir_fail(m->d, IR_EXIT_FAILURE, "%s: the graph has no memory plan to interpret", g->name);
    m->window = ir_alloc(m->arena, (size_t)g->n_nodes + 1, sizeof *m->window);
    m->constants = ir_alloc(m->arena, (size_t)g->n_tensors + 1, sizeof *m->constants);
    m->sums = ir_alloc(m->arena, (size_t)g->n_nodes + 1, sizeof *m->sums);
    m->node = g->n_nodes;
    if (g->goals.target == IR_TARGET_CUDA) m->buffers = ir_find_buffers(g, m->arena);
    return plan_number_owners(m) && plan_open_memory(m, in);
}

static bool read_outputs(plan_machine *m, ir_value *out) {
    m->node = m->g->n_nodes;
    for (int k = 0; k < m->g->n_outputs; k++)
        if (!plan_read(m, m->g->outputs[k], plan_all(m->g->outputs[k]), NULL, &out[k])) {
            ir_values_free(out, k);
            return false;
        }
    return true;
}

bool plan_run(const ir_graph *planned, const ir_value *in, ir_value *out, bool *overflows, ir_diag *d) {
    plan_machine m = {.g = planned, .arena = ir_arena_new(), .d = d};
    bool ok = open_machine(&m, in) && run_nodes(&m) && read_outputs(&m, out);
    *overflows = m.overflows;
    plan_close_memory(&m);
    if (m.constants) ir_values_free(m.constants, planned->n_tensors);
    if (m.sums) ir_values_free(m.sums, planned->n_nodes);
    ir_arena_free(m.arena);
    return ok;
}

bool plan_interpret(const ir_graph *planned, const ir_value *in, ir_value *out, ir_diag *d) {
    bool overflows;
    return plan_run(planned, in, out, &overflows, d);
}
