/* plan_interp_memory.c: from elements of tensors to bytes, as codegen/operands.c and
 * codegen/cuda/cuda_operands.c have it, and who may read and write them.
 */
#include "gpu_model.h"
#include "half.h"
#include "plan_interp_machine.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PLANE_AXIS = 2, PLANE_RANK = 5, POISON = 0xff };

/* ---- regions ----------------------------------------------------------------------------------- */

static bool open_region(plan_machine *m, plan_region *r, const char *name, int64_t size) {
    *r = (plan_region){name, malloc((size_t)size + 1), calloc((size_t)size + 1, sizeof *r->owner), size};
    if (!r->bytes || !r->owner)
        return ir_fail(m->d, IR_EXIT_FAILURE, "%s: out of memory: %" PRId64 " bytes to interpret its plan",
                       m->g->name, size);
    memset(r->bytes, POISON, (size_t)size + 1);
    return true;
}

static bool open_ports(plan_machine *m, const char *what, ir_tensor *const *ports, int count,
                       plan_region **regions) {
    *regions = ir_alloc(m->arena, (size_t)count + 1, sizeof **regions);
    for (int i = 0; i < count; i++)
        if (!open_region(m, &(*regions)[i], ir_format(m->arena, "%s %d", what, i),
                         ir_count(ports[i]) * (int64_t)ir_dtype_bytes(ports[i]->dtype)))
            return false;
    return true;
}

bool plan_open_memory(plan_machine *m, const ir_value *in) {
    const ir_graph *g = m->g;
    if (!open_region(m, &m->memory, "arena", g->arena_bytes) ||
        !open_ports(m, "input", g->inputs, g->n_inputs, &m->inputs) ||
        !open_ports(m, "output", g->outputs, g->n_outputs, &m->outputs))
        return false;
    for (int i = 0; i < g->n_inputs; i++) {
        ir_planes all = plan_all(g->inputs[i]);
        if (!plan_clear(m, g->inputs[i], all, NULL, false) ||
            !plan_write(m, g->inputs[i], all, NULL, false, &in[i]))
            return false;
    }
    return true;
}

static void close_regions(plan_region *r, int count) {
    for (int i = 0; r && i < count; i++) {
        free(r[i].bytes);
        free(r[i].owner);
    }
}

void plan_close_memory(plan_machine *m) {
    close_regions(&m->memory, 1);
    close_regions(m->inputs, m->g->n_inputs);
    close_regions(m->outputs, m->g->n_outputs);
}

/* ---- places ------------------------------------------------------------------------------------ */

typedef struct place {
    plan_region *region;
    int64_t start;               /* byte of the first element */
    int64_t stride[IR_MAX_RANK]; /* elements; of C, where it is blocked, from block to block */
    int64_t end;                 /* behind the last byte that the plan gives the tensor */
    int64_t size;                /* bytes of an element */
    int64_t window;              /* the plane that stands first */
    int64_t lanes;               /* of C, that a writer writes; rank < 2: 0 */
    bool turns;                  /* plane z stands where z mod ring does, not where z - window does */
} place;

static int port_number(ir_tensor *const *ports, int count, const ir_tensor *t) {
    for (int i = 0; i < count; i++)
        if (ports[i] == t) return i;
    return -1;
}

/* The region of the outermost tensor, and where t begins in it. */
static bool find_region(plan_machine *m, const ir_tensor *t, place *p) {
    const ir_graph *g = m->g;
    const ir_tensor *inner = t;
    for (; t->memory.view_of; t = t->memory.view_of) p->start += t->memory.view_offset;
    int output = port_number(g->outputs, g->n_outputs, t), input = port_number(g->inputs, g->n_inputs, t);
    if (t->cpu.fused || t->cpu.on_load || (output < 0 && input < 0 && t->memory.arena_offset < 0))
        return ir_fail(m->d, IR_EXIT_FAILURE, "%%%s has no place in memory", inner->name);
    p->region = output >= 0 ? &m->outputs[output] : input >= 0 ? &m->inputs[input] : &m->memory;
    if (output < 0 && input < 0) p->start += t->memory.arena_offset;
    return true;
}

static void find_strides(const ir_tensor *t, place *p) {
    int64_t step = 1;
    if (t->cpu.block) step = t->cpu.block;
    if (t->gpu.pitch) step = t->gpu.pitch;
    for (int a = t->rank - 1; a >= 0; a--) {
        int64_t extent = t->dim[a];
        if (a == PLANE_AXIS && t->memory.ring) extent = t->memory.ring;
        if (a == 1 && t->cpu.block) extent = (extent + t->cpu.block - 1) / t->cpu.block;
        if (a == 1 && t->gpu.pitch) {
            p->stride[a] = 1;
            continue;
        }
        p->stride[a] = step;
        step *= extent;
    }
}

static bool find_place(plan_machine *m, const ir_tensor *t, bool wide, place *p) {
    *p = (place){.size = ir_element_bytes(t), .turns = m->g->goals.target == IR_TARGET_C};
    if (!find_region(m, t, p)) return false;
    if (t->memory.ring && !t->gpu.pitch && !p->turns)
        return ir_fail(
            m->d, IR_EXIT_FAILURE,
            "plan: %%%s is a window of %d planes in plain memory, which kernels for a GPU take for all of "
            "it",
            t->name, t->memory.ring);
    p->end = p->start + ir_bytes(t);
    find_strides(t, p);
    if (t->memory.ring && t->producer) p->window = m->window[plan_node_number(m, t->producer)];
    p->lanes = t->rank > 1 ? t->dim[1] : 0;
    if (t->cpu.block) p->lanes = (p->lanes + t->cpu.block - 1) / t->cpu.block * t->cpu.block;
    if (t->gpu.pitch) p->lanes = wide ? t->gpu.pitch : cg_gpu_own_channels(t);
    return true;
}

static int64_t address(const ir_tensor *t, const place *p, const int64_t *index) {
    int64_t at = 0;
    for (int a = 0; a < t->rank; a++) {
        int64_t i = index[a];
        if (a == PLANE_AXIS && t->memory.ring) i = p->turns ? i % t->memory.ring : i - p->window;
        at += a == 1 && t->cpu.block ? i / t->cpu.block * p->stride[a] + i % t->cpu.block : i * p->stride[a];
    }
    return p->start + at * p->size;
}

/* ---- walks ------------------------------------------------------------------------------------- */

/* All indices in row-major order; those whose channel is behind C are no elements. */
typedef struct walk {
    int rank;
    bool more;
    int64_t begin[IR_MAX_RANK], end[IR_MAX_RANK], index[IR_MAX_RANK];
} walk;

ir_planes plan_all(const ir_tensor *t) {
    return t->rank == PLANE_RANK ? (ir_planes){0, t->dim[PLANE_AXIS]} : (ir_planes){0, -1};
}

static walk walk_of(const ir_tensor *t, ir_planes planes, int64_t lanes) {
    walk w = {.rank = t->rank, .more = true};
    for (int a = 0; a < t->rank; a++) w.end[a] = t->dim[a];
    if (t->rank > 1 && lanes > w.end[1]) w.end[1] = lanes;
    if (planes.end >= 0) w.begin[PLANE_AXIS] = planes.begin, w.end[PLANE_AXIS] = planes.end;
    for (int a = 0; a < t->rank; a++) {
        w.index[a] = w.begin[a];
        w.more = w.more && w.begin[a] < w.end[a];
    }
    return w;
}

static void next(walk *w) {
    for (int a = w->rank - 1; a >= 0; a--) {
        if (++w->index[a] < w->end[a]) return;
        w->index[a] = w->begin[a];
    }
    w->more = false;
}

static int64_t element_of(const ir_tensor *t, const int64_t *index) {
    int64_t i = 0;
    for (int a = 0; a < t->rank; a++) i = i * t->dim[a] + index[a];
    return i;
}

/* Whether whoever computes t writes that element: a concat leaves alone what its members have written in
 * place, and what lies behind its channels with them. */
static bool is_written(const plan_machine *m, const ir_tensor *t, const int64_t *index) {
    const ir_node *n = t->producer;
    if (!n || n->op != IR_OP_CONCAT) return true;
    if (t->rank > 1 && index[1] >= t->dim[1]) return !plan_is_placed(n, n->n_in - 1);
    uint32_t first = m->first[plan_tensor_number(m, t)], owner = plan_owner(m, t, element_of(t, index));
    return owner - first < (uint32_t)ir_count(t);
}

static bool is_filler(const ir_tensor *t, const int64_t *index) {
    return t->rank > 1 && index[1] >= t->dim[1];
}

/* ---- messages ---------------------------------------------------------------------------------- */

/* where: what should stand at byte `at`; if the node reads it as a part of another tensor, that is named too.
 */
static bool broken(plan_machine *m, const char *what, const char *where, const plan_region *r, int64_t at,
                   const char *why) {
    const char *who = "the caller", *part = "";
    if (m->node < m->g->n_nodes) {
        const ir_node *n = m->g->nodes[m->node];
        who = ir_format(m->arena, "%s '%s'", ir_op_get(n->op)->name, n->name);
        if (n->memory.stream)
            who = ir_format(m->arena, "%s, planes %" PRId64 " to %" PRId64 ",", who, m->planes.begin,
                            m->planes.end - 1);
    }
    if (m->reads && !strstr(where, ir_format(m->arena, " %%%s", m->reads->name)))
        part = ir_format(m->arena, ", in %%%s,", m->reads->name);
    return ir_fail(m->d, IR_EXIT_FAILURE, "plan: %s %s %s%s at %s+%" PRId64 "%s", who, what, where, part,
                   r->name, at, why);
}

/* Whether `size` bytes lie in the region, and before `end`, which the plan gives to whatever is accessed. */
static bool check_inside(plan_machine *m, const char *what, uint32_t subject, const plan_region *r,
                         int64_t at, int64_t size, int64_t end) {
    if (at < 0 || at > r->size - size)
        return broken(m, what, plan_owner_text(m, subject), r, at,
                      ir_format(m->arena, ", outside the %s of %" PRId64 " bytes", r->name, r->size));
    return at <= end - size || broken(m, what, plan_owner_text(m, subject), r, at,
                                      ir_format(m->arena, ", but its memory ends at %" PRId64, end));
}

/* Whether all these bytes have the owner `want` or `other`. */
static bool holds(plan_machine *m, const char *what, uint32_t subject, const plan_region *r, int64_t at,
                  int64_t size, uint32_t want, uint32_t other) {
    for (int64_t b = 0; b < size; b++)
        if (r->owner[at + b] != want && r->owner[at + b] != other)
            return broken(m, what, plan_owner_text(m, subject), r, at + b,
                          ir_format(m->arena, ", which holds %s", plan_owner_text(m, r->owner[at + b])));
    return true;
}

static void own(plan_region *r, int64_t at, int64_t size, uint32_t owner) {
    for (int64_t b = 0; b < size; b++) r->owner[at + b] = owner;
}

/* ---- formats ----------------------------------------------------------------------------------- */

static uint16_t bfloat_of(float f) {
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    if (isnan(f)) return 0x7fc0;
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* IEEE 754 binary16, to nearest, ties to even. */
static uint16_t half_of(float f) {
    uint16_t sign = signbit(f) ? 0x8000 : 0;
    if (isnan(f)) return 0x7e00;
    float x = fabsf(f);
    int exponent = x > 0 ? ilogbf(x) : -14;
    if (exponent < -14) exponent = -14;
    if (exponent > 15) return sign | 0x7c00;
    /* units in the last place: 1024 to 2048 of a normal number. Carries reach the exponent, and infinity. */
    int units = (int)rintf(ldexpf(x, 10 - exponent));
    return (uint16_t)(sign | ((exponent + 14) * 1024 + units));
}

static void store_element(const ir_tensor *t, unsigned char *p, const ir_value *v, int64_t i) {
    float f = v->f ? (float)v->f[i] : 0;
    uint16_t narrow = t->gpu.storage == IR_STORE_F16 ? half_of(f) : bfloat_of(f);
    int32_t whole = v->i ? (int32_t)v->i[i] : 0;
    unsigned char byte = v->i ? (unsigned char)v->i[i] : 0;
    const void *from = t->gpu.storage       ? (const void *)&narrow
                       : t->dtype == IR_F32 ? (const void *)&f
                       : t->dtype == IR_F64 ? (const void *)&v->f[i]
                       : t->dtype == IR_I64 ? (const void *)&v->i[i]
                       : t->dtype == IR_I32 ? (const void *)&whole
                                            : (const void *)&byte;
    memcpy(p, from, (size_t)ir_element_bytes(t));
}

static double float_at(const ir_tensor *t, const unsigned char *p) {
    uint16_t narrow;
    float f;
    double wide;
    memcpy(&narrow, p, sizeof narrow);
    if (t->gpu.storage)
        return (double)(t->gpu.storage == IR_STORE_F16 ? float_of_half(narrow) : float_of_bfloat(narrow));
    memcpy(&f, p, sizeof f);
    if (t->dtype == IR_F32) return (double)f;
    memcpy(&wide, p, sizeof wide);
    return wide;
}

static int64_t integer_at(const ir_tensor *t, const unsigned char *p) {
    int64_t wide;
    int32_t whole;
    if (t->dtype == IR_U8 || t->dtype == IR_BOOL) return *p;
    memcpy(&whole, p, sizeof whole);
    if (t->dtype == IR_I32) return whole;
    memcpy(&wide, p, sizeof wide);
    return wide;
}

static void load_element(const ir_tensor *t, const unsigned char *p, ir_value *v, int64_t i) {
    if (v->f)
        v->f[i] = float_at(t, p);
    else
        v->i[i] = integer_at(t, p);
}

/* ---- elements ---------------------------------------------------------------------------------- */

bool plan_read(plan_machine *m, const ir_tensor *t, ir_planes planes, const bool *needed, ir_value *v) {
    place p;
    ir_tensor part = *t;
    int64_t i = 0;
    if (planes.end >= 0) part.dim[PLANE_AXIS] = planes.end - planes.begin;
    if (!find_place(m, t, false, &p) || !ir_value_new(&part, v, m->d)) return false;
    m->reads = t;
    for (walk w = walk_of(t, planes, 0); w.more; next(&w), i++) {
        if (needed && !needed[w.index[PLANE_AXIS]]) {
            if (v->f) v->f[i] = NAN;
            continue;
        }
        int64_t at = address(t, &p, w.index);
        uint32_t want = plan_owner(m, t, element_of(t, w.index));
        if (!check_inside(m, "reads", want, p.region, at, p.size, p.end) ||
            !holds(m, "reads", want, p.region, at, p.size, want, want)) {
            ir_values_free(v, 1);
            return false;
        }
        load_element(t, p.region->bytes + at, v, i);
    }
    m->reads = NULL;
    return true;
}

bool plan_read_padding(plan_machine *m, const ir_tensor *t, ir_planes planes, const bool *needed, bool wide) {
    place p;
    if (!find_place(m, t, wide, &p)) return false;
    for (walk w = walk_of(t, planes, p.lanes); w.more; next(&w)) {
        if (!is_filler(t, w.index) || (needed && !needed[w.index[PLANE_AXIS]])) continue;
        int64_t at = address(t, &p, w.index);
        for (int64_t b = 0; b < p.size; b++) {
            uint32_t owner = at >= 0 && at + b < p.region->size ? p.region->owner[at + b] : PLAN_NOBODY;
            if (!plan_is_akin(m, owner, t))
                return broken(m, "multiplies by 0", plan_owner_text(m, plan_filler(m, t)), p.region, at + b,
                              ir_format(m->arena, ", which holds %s", plan_owner_text(m, owner)));
        }
    }
    return true;
}

/* What a writer leaves at index. */
static uint32_t subject_of(const plan_machine *m, const ir_tensor *t, const int64_t *index) {
    return is_filler(t, index) ? plan_filler(m, t) : plan_owner(m, t, element_of(t, index));
}

/* What element `index` of a result may be written over: the same element of an operand at the same place. */
typedef struct in_place {
    const ir_tensor *over;
    place p;
} in_place;

static uint32_t may_overwrite(const plan_machine *m, const in_place *o, const place *p, const int64_t *index,
                              int64_t at, uint32_t otherwise) {
    if (!o->over || o->p.region != p->region || is_filler(o->over, index)) return otherwise;
    if (address(o->over, &o->p, index) != at) return otherwise;
    return plan_owner(m, o->over, element_of(o->over, index));
}

static bool find_over(plan_machine *m, const ir_tensor *t, const ir_tensor *over, in_place *o) {
    bool can = over && over->role == IR_ROLE_VALUE && !over->cpu.on_load && ir_same_shape(t, over);
    o->over = can ? over : NULL;
    return !can || find_place(m, over, false, &o->p);
}

bool plan_clear(plan_machine *m, const ir_tensor *t, ir_planes planes, const ir_tensor *over, bool wide) {
    place p;
    in_place o;
    uint32_t pending = plan_pending(m, t);
    if (!find_place(m, t, wide, &p) || !find_over(m, t, over, &o)) return false;
    for (walk w = walk_of(t, planes, p.lanes); w.more; next(&w)) {
        int64_t at = address(t, &p, w.index);
        if (!is_written(m, t, w.index)) continue;
        if (!check_inside(m, "writes", subject_of(m, t, w.index), p.region, at, p.size, p.end)) return false;
        if (may_overwrite(m, &o, &p, w.index, at, PLAN_NOBODY)) continue;
        memset(p.region->bytes + at, POISON, (size_t)p.size);
        own(p.region, at, p.size, pending);
    }
    return true;
}

bool plan_write(plan_machine *m, const ir_tensor *t, ir_planes planes, const ir_tensor *over, bool wide,
                const ir_value *v) {
    place p;
    in_place o;
    uint32_t pending = plan_pending(m, t);
    int64_t i = 0;
    if (!find_place(m, t, wide, &p) || !find_over(m, t, over, &o)) return false;
    for (walk w = walk_of(t, planes, p.lanes); w.more; next(&w)) {
        int64_t at = address(t, &p, w.index);
        bool fills = is_filler(t, w.index);
        if (!is_written(m, t, w.index)) {
            i += !fills;
            continue;
        }
        uint32_t owner = subject_of(m, t, w.index);
        uint32_t other = may_overwrite(m, &o, &p, w.index, at, pending);
        if (!holds(m, "writes", owner, p.region, at, p.size, pending, other)) return false;
        if (fills)
            memset(p.region->bytes + at, 0, (size_t)p.size);
        else
            store_element(t, p.region->bytes + at, v, i++);
        if (!fills && v->f && isfinite(v->f[i - 1]) && !isfinite(float_at(t, p.region->bytes + at)))
            m->overflows = true;
        own(p.region, at, p.size, owner);
    }
    return true;
}

/* ---- bytes ------------------------------------------------------------------------------------- */

bool plan_take(plan_machine *m, int64_t at, int64_t bytes, int64_t planned, uint32_t owner) {
    plan_region *r = &m->memory;
    if (!check_inside(m, "takes", owner, r, at, bytes, at + planned)) return false;
    memset(r->bytes + at, POISON, (size_t)bytes);
    own(r, at, bytes, owner);
    return true;
}

bool plan_still(plan_machine *m, int64_t at, int64_t bytes, uint32_t owner) {
    return check_inside(m, "reads", owner, &m->memory, at, bytes, at + bytes) &&
           holds(m, "reads", owner, &m->memory, at, bytes, owner, owner);
}
