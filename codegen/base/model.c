/* model.c: see model.h. */
#include "model.h"

#include "identifiers.h"
#include "stream.h"
#include "way.h"

#include <ctype.h>
#include <string.h>

const char *const cg_pack_names[] = {
    [CG_COPY] = "VOX_PACK_COPY",           [CG_VECTOR] = "VOX_PACK_VECTOR",
    [CG_CONV] = "VOX_PACK_CONV",           [CG_CONV_TRANSPOSE] = "VOX_PACK_CONV_TRANSPOSE",
    [CG_WINOGRAD] = "VOX_PACK_WINOGRAD",   [CG_NORM_SCALE] = "VOX_PACK_NORM_SCALE",
    [CG_NORM_BIAS] = "VOX_PACK_NORM_BIAS",
};

int64_t cg_round(int64_t bytes) {
    return (bytes + CG_ALIGN - 1) / CG_ALIGN * CG_ALIGN;
}

int64_t cg_whole_bytes(const ir_tensor *t) {
    ir_tensor whole = *t;
    whole.memory.ring = 0;
    return ir_bytes(&whole);
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *cg_upper(ir_arena *arena, const char *text) {
    char *s = ir_strdup(arena, text);
    for (char *p = s; *p; p++) *p = (char)toupper((unsigned char)*p);
    return s;
}

static bool function_taken(const cg_model *m, const char *name) {
    const cg_chains *names = &m->function_names;
    for (int i = cg_first(names, cg_hash_text(name)); i >= 0; i = cg_next(names, i))
        if (strcmp(m->layers[i].function, name) == 0) return true;
    return false;
}

/* The layer's name: its author's. A block's last node ("e1b.conv") gives way to the block ("e1b"). */
static const char *layer_name(const ir_node *n) {
    const char *block = n->out[0]->name;
    size_t length = strlen(block);
    return strncmp(n->name, block, length) == 0 && n->name[length] == '.' ? block : n->name;
}

/* Names that several layers would like, with the number that the next of them tries. */
typedef struct wanted {
    cg_chains by_name;
    const char **name;
    int *next;
} wanted;

static int *next_number(wanted *w, const char *name) {
    const uint64_t hash = cg_hash_text(name);
    for (int i = cg_first(&w->by_name, hash); i >= 0; i = cg_next(&w->by_name, i))
        if (strcmp(w->name[i], name) == 0) return &w->next[i];
    const int i = w->by_name.count;
    w->name[i] = name;
    w->next[i] = 2;
    cg_chain(&w->by_name, hash);
    return &w->next[i];
}

static const char *function_name(const cg_model *m, wanted *w, const ir_node *n) {
    const char *base = ir_format(m->arena, "%s_%s", m->name, layer_name(n));
    char *name = ir_strdup(m->arena, base);
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p)) *p = '_';
    if (strncmp(name + strlen(m->name), "_layers", 7) == 0) name = ir_format(m->arena, "%s_", name);
    if (!function_taken(m, name)) return name;
    for (int *i = next_number(w, name);;) {
        const char *numbered = ir_format(m->arena, "%s_%d", name, (*i)++);
        if (!function_taken(m, numbered)) return numbered;
    }
}

/* ---- places ---------------------------------------------------------------------------------- */

const ir_tensor *cg_root(const ir_tensor *t) {
    while (t->memory.view_of) t = t->memory.view_of;
    return t;
}

static int port_index(ir_tensor *const *list, int n, const ir_tensor *t) {
    for (int i = 0; i < n; i++)
        if (list[i] == t) return i;
    return -1;
}

cg_place cg_place_of(const cg_model *m, const ir_tensor *t) {
    int64_t offset = 0;
    for (; t->memory.view_of; t = t->memory.view_of) offset += t->memory.view_offset;
    if (t->cpu.fused || t->cpu.on_load) return (cg_place){.base = CG_NOWHERE};
    if (t->n_outputs) return (cg_place){CG_OUTPUT, port_index(m->g->outputs, m->g->n_outputs, t), offset};
    if (t->role == IR_ROLE_INPUT)
        return (cg_place){CG_INPUT, port_index(m->g->inputs, m->g->n_inputs, t), offset};
    if (t->role == IR_ROLE_CONST) ir_die("codegen: constant %s has no place", t->name);
    if (t->memory.arena_offset < 0) ir_die("codegen: %s has no arena offset", t->name);
    return (cg_place){CG_ARENA, 0, offset + t->memory.arena_offset};
}

int64_t cg_scratch_offset(const cg_model *m, const ir_node *n) {
    if (n->memory.scratch_offset < 0) ir_die("codegen: %s: '%s' has no scratch memory", m->name, n->name);
    return n->memory.scratch_offset;
}

int cg_layer_of(const cg_model *m, int node) {
    return m->layers_before[node] < m->layers_before[node + 1] ? m->layers_before[node] : -1;
}

ir_span cg_layers(const cg_model *m, ir_span nodes) {
    return (ir_span){m->layers_before[nodes.first], m->layers_before[nodes.last + 1] - 1};
}

static const ir_buffer *buffer_of(const cg_model *m, const ir_tensor *root) {
    const int at = m->buffer_of[ir_index_find(&m->index, root)];
    return at < 0 ? NULL : &m->buffers.list[at];
}

/* The first piece that ends behind byte `at`. */
static int first_piece_behind(const ir_buffer *b, int64_t at) {
    int low = 0, high = b->n_pieces;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        if (b->pieces[middle].at + b->pieces[middle].bytes > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void cg_lifetime(const cg_model *m, const ir_tensor *t, int *first, int *last) {
    int64_t at = 0, end;
    const ir_tensor *root = t;
    for (; root->memory.view_of; root = root->memory.view_of) at += root->memory.view_offset;
    end = at + ir_bytes(t);
    const ir_buffer *b = buffer_of(m, root);
    *first = *last = -1;
    for (int i = b ? first_piece_behind(b, at) : 0; b && i < b->n_pieces && b->pieces[i].at < end; i++) {
        const ir_piece *p = &b->pieces[i];
        ir_span layers = cg_layers(m, p->alive);
        if (*first < 0 || layers.first < *first) *first = layers.first;
        if (layers.last > *last) *last = layers.last;
    }
}

/* ---- weights --------------------------------------------------------------------------------- */

int64_t cg_blob_offset(const cg_model *m, const ir_tensor *t) {
    const int at = ir_index_find(&m->index, t);
    if (at >= 0 && m->blob_of[at] >= 0) return m->blobs[m->blob_of[at]].offset;
    ir_die("codegen: constant %s is not in the weight file", t->name);
}

static void place_blobs(cg_model *m) {
    int64_t offset = cg_round(64 + 32 * (int64_t)m->n_blobs);
    for (int b = 0; b < m->n_blobs; b++) {
        const ir_tensor *t = m->blobs[b].tensor;
        m->blobs[b].offset = offset;
        offset += cg_round(ir_count(t) * (int64_t)ir_dtype_bytes(t->dtype));
    }
    m->weights_bytes = offset;
}

static void collect_blobs(cg_model *m) {
    int operands = 0;
    for (int i = 0; i < m->g->n_nodes; i++) operands += m->g->nodes[i]->n_in;
    m->blobs = ir_alloc(m->arena, (size_t)operands + 1, sizeof *m->blobs);
    for (int i = 0; i < m->g->n_nodes; i++) {
        const ir_node *n = m->g->nodes[i];
        for (int k = 0; k < n->n_in; k++) {
            const ir_tensor *t = n->in[k];
            if (!t || t->role != IR_ROLE_CONST) continue;
            int *blob = &m->blob_of[ir_index_find(&m->index, t)];
            if (*blob >= 0) continue;
            *blob = m->n_blobs;
            m->blobs[m->n_blobs++].tensor = t;
        }
    }
    place_blobs(m);
}

static bool same_blob(const ir_tensor *a, const ir_tensor *b) {
    return a->hash == b->hash && a->dtype == b->dtype && ir_count(a) == ir_count(b);
}

/* The first of m's blobs like t, by the hashes of their values. */
static const cg_blob *find_blob(const cg_model *m, const cg_chains *by_hash, const ir_tensor *t) {
    for (int i = cg_first(by_hash, ir_mix(t->hash)); i >= 0; i = cg_next(by_hash, i))
        if (same_blob(m->blobs[i].tensor, t)) return &m->blobs[i];
    return NULL;
}

/* Code and weight file name each other by what both were written from:
 * the graph, and the constants' values. */
static uint64_t hash_with_values(const cg_model *m) {
    uint64_t hash = m->options->code_hash;
    if (hash) return hash;
    hash = ir_hash_graph(m->g);
    for (int i = 0; i < m->n_blobs; i++) {
        const ir_tensor *t = m->blobs[i].tensor;
        const uint64_t row[] = {hash, t->hash, (uint64_t)t->dtype, (uint64_t)ir_count(t)};
        hash = ir_hash(row, sizeof row);
    }
    return hash;
}

void cg_share_weights(cg_model *m, cg_model *other) {
    cg_blob *all = ir_alloc(m->arena, (size_t)m->n_blobs + (size_t)other->n_blobs + 1, sizeof *all);
    memcpy(all, m->blobs, (size_t)m->n_blobs * sizeof *all);
    m->blobs = all;
    cg_chains by_hash = {.arena = m->arena};
    for (int i = 0; i < m->n_blobs; i++) cg_chain(&by_hash, ir_mix(m->blobs[i].tensor->hash));
    for (int i = 0; i < other->n_blobs; i++) {
        if (find_blob(m, &by_hash, other->blobs[i].tensor)) continue;
        m->blobs[m->n_blobs++] = other->blobs[i];
        cg_chain(&by_hash, ir_mix(other->blobs[i].tensor->hash));
    }
    place_blobs(m);
    for (int i = 0; i < other->n_blobs; i++)
        other->blobs[i].offset = find_blob(m, &by_hash, other->blobs[i].tensor)->offset;
    other->weights_bytes = m->weights_bytes;
    other->graph_hash = m->graph_hash = hash_with_values(m);
}

/* ---- the model ------------------------------------------------------------------------------- */

static const char *kernel_text(ir_arena *arena, const ir_node *n) {
    cg_text text = {.arena = arena};
    const ir_attr *kernel = ir_get(n, IR_KERNEL);
    for (int i = 0; kernel && i < kernel->count; i++)
        cg_add(&text, "%s%lld", i ? "x" : " ", (long long)kernel->i[i]);
    const ir_attr *stride = ir_get(n, IR_STRIDE);
    bool strided = false;
    for (int i = 0; stride && i < stride->count; i++) strided |= stride->i[i] != 1;
    for (int i = 0; strided && i < stride->count; i++)
        cg_add(&text, "%s%lld", i ? "x" : " stride ", (long long)stride->i[i]);
    return cg_string(&text);
}

/* What runs a convolution on a GPU. */
static const char *gpu_text(const ir_node *n) {
    static const char *const texts[IR_GPU_COUNT] = {[IR_GPU_CUDNN] = ", cuDNN",
                                                    [IR_GPU_GEMM_SCATTER] = ", cuDNN and a scatter",
                                                    [IR_GPU_DGRAD] = ", cuDNN backwards",
                                                    [IR_GPU_KERNEL] = ", own kernel"};
    return texts[n->gpu.runner];
}

/* Of a convolution: ", direct", ", Winograd 4x4x4". */
static const char *algorithm_text(ir_arena *arena, const ir_node *n) {
    if (n->gpu.runner && (n->op == IR_OP_CONV || n->op == IR_OP_CONV_TRANSPOSE)) return gpu_text(n);
    if (n->op != IR_OP_CONV) return "";
    const cg_choice c = cg_choice_of(n);
    const int64_t *t = c.tile;
    if (!t[0]) return ir_format(arena, ", %s", c.way->title);
    return ir_format(arena, ", %s %lldx%lldx%lld", c.way->title, (long long)t[0], (long long)t[1],
                     (long long)t[2]);
}

static const char *title_of(ir_arena *arena, const ir_node *n) {
    const char *act = ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL, *skip = ir_skip(n) ? " + skip" : "";
    return ir_format(arena, "%s%s%s%s%s%s", ir_op_get(n->op)->name, kernel_text(arena, n), skip,
                     act ? " + " : "", act ? act : "", algorithm_text(arena, n));
}

static void collect_layers(cg_model *m) {
    const size_t room = (size_t)m->g->n_nodes + 1;
    wanted w = {.by_name.arena = m->arena};
    w.name = ir_alloc(m->arena, room, sizeof *w.name);
    w.next = ir_alloc(m->arena, room, sizeof *w.next);
    m->layers = ir_alloc(m->arena, room, sizeof *m->layers);
    m->layers_before = ir_alloc(m->arena, room, sizeof *m->layers_before);
    for (int i = 0; i < m->g->n_nodes; i++) {
        const ir_node *n = m->g->nodes[i];
        m->layers_before[i] = m->n_layers;
        if (!ir_runs_code(n)) continue;
        cg_layer layer = {n, layer_name(n), function_name(m, &w, n), title_of(m->arena, n)};
        m->layers[m->n_layers++] = layer;
        cg_chain(&m->function_names, cg_hash_text(layer.function));
    }
    m->layers_before[m->g->n_nodes] = m->n_layers;
}

/* ---- steps ----------------------------------------------------------------------------------- */

/* What the kernels take for the depth of a node's result. */
static int64_t depth_of(const ir_node *n) {
    const ir_tensor *t = n->out[0];
    return t->rank == 5 ? t->dim[2] : 1;
}

static void add_step(cg_model *m, int *capacity, cg_step step) {
    if (step.layer < 0) return;
    if (m->n_steps == *capacity) {
        cg_step *more = ir_alloc(m->arena, (size_t)*capacity * 2 + 64, sizeof *more);
        if (m->n_steps) memcpy(more, m->steps, (size_t)m->n_steps * sizeof *more);
        m->steps = more;
        *capacity = *capacity * 2 + 64;
    }
    m->steps[m->n_steps++] = step;
}

/* A layer that is in no stream: at once, or, where that would take too much scratch memory, in phases for
 * some planes after the other. */
static void add_whole(cg_model *m, int *capacity, int node) {
    const ir_node *n = m->g->nodes[node];
    const cg_choice c = n->op == IR_OP_CONV ? cg_choice_of(n) : (cg_choice){.way = NULL};
    bool parts = c.way && c.way->planes;
    int64_t depth = depth_of(n), planes = parts ? c.way->planes(n, &c) : depth;
    for (int64_t begin = 0; !begin || begin < depth; begin += planes)
        for (int phase = 0; phase < (parts ? c.way->phases : 1); phase++)
            add_step(m, capacity,
                     (cg_step){cg_layer_of(m, node), begin, begin + planes < depth ? begin + planes : depth,
                               phase});
}

static void collect_steps(cg_model *m) {
    const ir_graph *g = m->g;
    int capacity = 0;
    for (int i = 0, last; i < g->n_nodes; i = last + 1) {
        last = ir_group_end(g, i);
        if (!g->nodes[i]->memory.stream) {
            add_whole(m, &capacity, i);
            continue;
        }
        int count;
        const ir_step *steps = ir_group_steps(g, i, last, g->nodes[i]->memory.slab, m->arena, &count);
        for (int k = 0; k < count; k++)
            add_step(m, &capacity,
                     (cg_step){cg_layer_of(m, steps[k].node), steps[k].planes.begin, steps[k].planes.end, 0});
    }
}

static void index_tensors(cg_model *m) {
    size_t count = (size_t)m->g->n_tensors + 1;
    m->index = ir_index_tensors(m->g, m->arena);
    m->blob_of = ir_alloc(m->arena, count, sizeof *m->blob_of);
    m->buffer_of = ir_alloc(m->arena, count, sizeof *m->buffer_of);
    for (size_t i = 0; i < count; i++) m->blob_of[i] = m->buffer_of[i] = -1;
    m->function_names.arena = m->arena;
    if (!m->g->packed) return;
    m->n_weights = m->g->packed->count;
    m->weights = m->g->packed->list;
    m->prepared_bytes = m->g->packed->bytes;
}

static void collect_buffers(cg_model *m) {
    m->buffers = ir_find_buffers(m->g, m->arena);
    for (int i = 0; i < m->buffers.count; i++)
        if (m->buffers.list[i].tensor) m->buffer_of[ir_index_find(&m->index, m->buffers.list[i].tensor)] = i;
}

bool cg_has_data(const cg_model *m, ir_diag *d) {
    for (int i = 0; i < m->n_blobs; i++)
        if (!m->blobs[i].tensor->data)
            return ir_fail(d, IR_EXIT_INPUT, "%s: constant %s has no data; give the weights", m->name,
                           m->blobs[i].tensor->name);
    return true;
}

/* Each is a parameter of a C function. */
static bool check_ports(const ir_graph *g, ir_diag *d) {
    if (g->n_inputs + g->n_outputs <= CG_MOST_PORTS) return true;
    return ir_fail(d, IR_EXIT_UNSUPPORTED,
                   "%s: %d inputs and %d outputs; a bundle has at most %d together: join some with Concat",
                   g->name, g->n_inputs, g->n_outputs, CG_MOST_PORTS);
}

cg_model *cg_model_new(const ir_graph *g, const cg_options *options, ir_diag *d) {
    cg_model *m = ir_alloc(g->arena, 1, sizeof *m);
    *m = (cg_model){.arena = g->arena, .g = g, .options = options, .name = g->name};
    m->upper = cg_upper(m->arena, m->name);
    if (!cg_check_model_name(m->name, d) || !check_ports(g, d)) return NULL;
    m->arena_bytes = g->arena_bytes > CG_ALIGN ? g->arena_bytes : CG_ALIGN;
    index_tensors(m);
    collect_blobs(m);
    m->graph_hash = hash_with_values(m);
    collect_layers(m);
    collect_buffers(m);
    collect_steps(m);
    return m;
}
