/* plan_interp_owner.c: numbers for everything that a byte can hold. 0: nothing. Then for each tensor its
 * elements, its filler (lanes or channels behind C) and "being computed"; then the claims of each node.
 */
#include "plan_interp_machine.h"

#include <inttypes.h>
#include <string.h>

enum { FILLER, PENDING, EXTRAS };

int plan_tensor_number(const plan_machine *m, const ir_tensor *t) {
    int at = ir_index_find(&m->index, t);
    if (at < 0) ir_die("plan: %%%s is not in its graph", t->name);
    return at;
}

int plan_node_number(const plan_machine *m, const ir_node *n) {
    for (int i = 0; i < m->g->n_nodes; i++)
        if (m->g->nodes[i] == n) return i;
    ir_die("plan: '%s' is not in its graph", n->name);
}

bool plan_number_owners(plan_machine *m) {
    const ir_graph *g = m->g;
    uint64_t next = PLAN_NOBODY + 1;
    m->index = ir_index_tensors(g, m->arena);
    m->first = ir_alloc(m->arena, (size_t)g->n_tensors + 1, sizeof *m->first);
    for (int i = 0; i < g->n_tensors; i++) {
        m->first[i] = (uint32_t)next;
        next += (uint64_t)ir_count(g->tensors[i]) + EXTRAS;
        if (next > UINT32_MAX / 2)
            return ir_fail(m->d, IR_EXIT_FAILURE,
                           "%s: too large to interpret its plan: choose a smaller input", g->name);
    }
    m->first[g->n_tensors] = m->first_claim = (uint32_t)next;
    return true;
}

/* ---- where values come from -------------------------------------------------------------------- */

bool plan_is_placed(const ir_node *concat, int k) {
    return ir_is_in_place(concat, k);
}

bool plan_is_free(const ir_node *n) {
    if (ir_is_joined(n) || n->out[0]->cpu.on_load) return true;
    if (n->op == IR_OP_RESHAPE) return n->out[0]->memory.view_of == n->in[0];
    bool placed = n->op == IR_OP_CONCAT;
    for (int k = 0; k < n->n_in && placed; k++) placed = plan_is_placed(n, k);
    return placed;
}

/* The member that element *i of a concat's result is of; *i becomes the element of that one. */
static int member_of(const ir_node *n, int64_t *i) {
    const ir_tensor *y = n->out[0];
    int axis = (int)ir_int(n, IR_AXIS), k = 0;
    int64_t inner = 1;
    for (int a = axis + 1; a < y->rank; a++) inner *= y->dim[a];
    int64_t outer = *i / inner / y->dim[axis], at = *i / inner % y->dim[axis];
    for (; at >= n->in[k]->dim[axis]; k++) at -= n->in[k]->dim[axis];
    *i = (outer * n->in[k]->dim[axis] + at) * inner + *i % inner;
    return k;
}

uint32_t plan_owner(const plan_machine *m, const ir_tensor *t, int64_t i) {
    for (const ir_node *n = t->producer; n; n = t->producer) {
        int64_t inside = i;
        if (n->op == IR_OP_RESHAPE && plan_is_free(n)) {
            t = n->in[0];
            continue;
        }
        int k = n->op == IR_OP_CONCAT ? member_of(n, &inside) : -1;
        if (k < 0 || !plan_is_placed(n, k)) break;
        t = n->in[k];
        i = inside;
    }
    return m->first[plan_tensor_number(m, t)] + (uint32_t)i;
}

static uint32_t extra(const plan_machine *m, const ir_tensor *t, uint32_t kind) {
    return m->first[plan_tensor_number(m, t)] + (uint32_t)ir_count(t) + kind;
}

uint32_t plan_filler(const plan_machine *m, const ir_tensor *t) {
    return extra(m, t, FILLER);
}
uint32_t plan_pending(const plan_machine *m, const ir_tensor *t) {
    return extra(m, t, PENDING);
}
uint32_t plan_claimed(const plan_machine *m, int node, plan_claim claim) {
    return m->first_claim + (uint32_t)node * PLAN_CLAIMS + claim;
}

/* ---- and back ---------------------------------------------------------------------------------- */

static const ir_tensor *tensor_of(const plan_machine *m, uint32_t owner) {
    int i = 0;
    while (m->first[i + 1] <= owner) i++;
    return m->g->tensors[i];
}

static const ir_tensor *outermost(const ir_tensor *t) {
    while (t->memory.view_of) t = t->memory.view_of;
    return t;
}

bool plan_is_akin(const plan_machine *m, uint32_t owner, const ir_tensor *t) {
    if (owner == PLAN_NOBODY || owner >= m->first_claim) return false;
    const ir_tensor *by = tensor_of(m, owner);
    return owner != plan_pending(m, by) && outermost(by) == outermost(t);
}

static const char *element_text(const plan_machine *m, const ir_tensor *t, int64_t i) {
    int64_t index[IR_MAX_RANK];
    const char *text = "";
    for (int a = t->rank - 1; a >= 0; a--) {
        index[a] = i % t->dim[a];
        i /= t->dim[a];
    }
    for (int a = 0; a < t->rank; a++)
        text = ir_format(m->arena, "%s%s%" PRId64, text, a ? "," : "", index[a]);
    return ir_format(m->arena, "element [%s] of %%%s", text, t->name);
}

const char *plan_owner_text(const plan_machine *m, uint32_t owner) {
    static const char *const claims[PLAN_CLAIMS] = {"scratch memory", "sums", "cuDNN's workspace"};
    if (owner == PLAN_NOBODY) return "nothing";
    if (owner >= m->first_claim) {
        uint32_t claim = owner - m->first_claim;
        return ir_format(m->arena, "%s of '%s'", claims[claim % PLAN_CLAIMS],
                         m->g->nodes[claim / PLAN_CLAIMS]->name);
    }
    const ir_tensor *t = tensor_of(m, owner);
    if (owner == plan_filler(m, t)) return ir_format(m->arena, "what lies behind C of %%%s", t->name);
    if (owner == plan_pending(m, t)) return ir_format(m->arena, "%%%s, which is being computed", t->name);
    return element_text(m, t, owner - m->first[plan_tensor_number(m, t)]);
}
