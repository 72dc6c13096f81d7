/* memory_table.c: see memory_table.h. */
#include "memory_table.h"

#include <inttypes.h>

const char *const cg_memory_kind_names[] = {
#define X(sym, name, plural) (name),
    CG_MEMORY_KINDS(X)
#undef X
};
const char *const cg_memory_kind_plurals[] = {
#define X(sym, name, plural) (plural),
    CG_MEMORY_KINDS(X)
#undef X
};

const char *cg_amount(ir_arena *arena, int64_t bytes) {
    if (bytes < 1024) return ir_format(arena, "%" PRId64 " bytes", bytes);
    bool small = bytes < 1024 * 1024;
    return ir_format(arena, "%.1f %s", (double)bytes / (small ? 1024.0 : 1048576.0), small ? "KiB" : "MiB");
}

const char *cg_layer_name(const cg_model *m, int layer) {
    return layer >= 0 && layer < m->n_layers ? m->layers[layer].name : "";
}

bool cg_in_arena(const cg_memory *e) {
    return e->kind == CG_MEMORY_VALUE || e->kind == CG_MEMORY_MEMBER || e->kind == CG_MEMORY_SCRATCH;
}

static cg_memory *add_memory(cg_memory_table *t, cg_memory_kind kind, const char *name,
                             const ir_tensor *tensor) {
    cg_memory *e = &t->list[t->count++];
    *e = (cg_memory){.kind = kind, .name = name, .tensor = tensor, .offset = -1};
    return e;
}

static void push_piece(const cg_model *m, cg_memory_table *t, const ir_buffer *b, const ir_piece *p) {
    bool member = p->tensor != b->tensor && p->bytes < b->bytes;
    cg_memory_kind kind = !b->tensor ? CG_MEMORY_SCRATCH : member ? CG_MEMORY_MEMBER : CG_MEMORY_VALUE;
    /* Interleaved members have bytes of every voxel: all of it is the concat's. */
    const ir_tensor *of = p->tensor && ir_is_interleaved(p->tensor) ? b->tensor : p->tensor;
    cg_memory *e = add_memory(t, kind, b->tensor ? of->name : b->node->out[0]->name, of);
    ir_span layers = cg_layers(m, p->alive);
    if (member) e->in = b->tensor->name;
    e->offset = ir_buffer_offset(b) + p->at;
    e->bytes = p->bytes;
    e->first = layers.first;
    e->last = layers.last;
    if (e->first > e->last) return;
    t->live[e->first] += e->bytes; /* what begins and ends here, for now */
    t->live[e->last + 1] -= e->bytes;
}

/* Per tensor of the graph: the last layer that reads it or what lives in it; the first if none does. */
static int *find_last_readers(const cg_model *m) {
    int *last = ir_alloc(m->arena, (size_t)m->g->n_tensors + 1, sizeof *last);
    for (int i = 0; i < m->n_layers; i++) {
        const ir_node *n = m->layers[i].node;
        for (int k = 0; k < n->n_in; k++)
            for (const ir_tensor *x = n->in[k]; x; x = x->memory.view_of)
                last[ir_index_find(&m->index, x)] = i;
    }
    return last;
}

static int writer(const cg_model *m, const ir_tensor *t) {
    const ir_node *n = t->producer;
    if (ir_is_joined(n)) n = n->in[0]->producer;
    int layer = cg_layer_of(m, ir_position(m->g, n));
    return layer < 0 ? 0 : layer;
}

/* An input is the caller's from before the first layer on, an output until after the last. */
static void push_ports(const cg_model *m, cg_memory_table *t, const int *last_reader) {
    for (int i = 0; i < m->g->n_inputs; i++) {
        const ir_tensor *x = m->g->inputs[i];
        cg_memory *e = add_memory(t, CG_MEMORY_INPUT, x->name, x);
        e->bytes = ir_bytes(x);
        e->last = last_reader[ir_index_find(&m->index, x)];
    }
    for (int i = 0; i < m->g->n_outputs; i++) {
        const ir_tensor *y = m->g->outputs[i];
        cg_memory *e = add_memory(t, CG_MEMORY_OUTPUT, y->name, y);
        e->bytes = ir_bytes(y);
        e->first = writer(m, y);
        e->last = m->n_layers - 1;
    }
}

static void push_weights(const cg_model *m, cg_memory_table *t, const int *last_reader) {
    for (int i = 0; i < m->n_weights; i++) {
        const cg_weight *w = &m->weights[i];
        cg_memory *e = add_memory(t, CG_MEMORY_PREPARED, w->source[0]->name, w->source[0]);
        e->offset = w->prepared;
        e->bytes = w->bytes;
        e->first = cg_layer_of(m, w->node);
        e->last = last_reader[ir_index_find(&m->index, w->source[0])];
        if (e->last < e->first) e->last = e->first;
    }
}

cg_memory_table cg_memory_list(const cg_model *m) {
    int count = m->g->n_inputs + m->g->n_outputs + m->n_weights;
    for (int i = 0; i < m->buffers.count; i++) count += m->buffers.list[i].n_pieces;
    cg_memory_table t = {.list = ir_alloc(m->arena, (size_t)count + 1, sizeof *t.list),
                         .live = ir_alloc(m->arena, (size_t)m->n_layers + 1, sizeof *t.live)};
    for (int i = 0; i < m->buffers.count; i++)
        for (int k = 0; k < m->buffers.list[i].n_pieces; k++)
            push_piece(m, &t, &m->buffers.list[i], &m->buffers.list[i].pieces[k]);
    for (int i = 0; i < m->n_layers; i++) {
        if (i > 0) t.live[i] += t.live[i - 1];
        if (t.live[i] > t.lower_bound) t.lower_bound = t.live[i];
    }
    const int *last_reader = find_last_readers(m);
    push_ports(m, &t, last_reader);
    push_weights(m, &t, last_reader);
    return t;
}
