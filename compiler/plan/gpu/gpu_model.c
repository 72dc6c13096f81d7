#include "gpu_model.h"
#include "integers.h"

#include <stdlib.h>

/* Operations per byte of bandwidth. Nominal figures are 12 (A100) to 80 (RTX 4090) for fused multiply-adds
 * and 200 (T4, A100) to 300 (H100) for fp16 on tensor cores; a convolution with few channels on one side, and
 * only such are weighed against each other here, keeps about a third of the tensor cores busy. */
static const double FMA_RATE = 12, TENSOR_RATE = 60;
enum {
    GEMM_TILE = 64,     /* output channels that cuDNN's kernels compute together */
    WEIGHT_ALIGN = 256, /* of each tensor of weights */
    NORM_VOXELS = 1024,
    NORM_SPLITS = 256 /* as vox_norm.cuh: runs of voxels whose statistics are taken apart */
};

typedef struct precision_info {
    const char *name;
    ir_storage storage;
    int64_t channels;
} precision_info;
static const precision_info precisions[IR_PRECISION_COUNT] = {
#define X(sym, name, storage, channels) [IR_##sym] = {(name), IR_STORE_##storage, (channels)},
    IR_PRECISIONS(X)
#undef X
};

ir_storage cg_gpu_storage(ir_precision p) {
    return precisions[p].storage;
}

const char *cg_gpu_precision_name(ir_precision p) {
    return precisions[p].name;
}

int64_t cg_gpu_padded(int64_t channels, ir_precision p) {
    return precisions[p].channels ? ir_round_up(channels, precisions[p].channels) : channels;
}

/* ---- time ------------------------------------------------------------------------------------ */

static double longer(double a, double b) {
    return a > b ? a : b;
}

static double voxels(const ir_tensor *t) {
    return t->dim[1] ? (double)(ir_count(t) / t->dim[1]) : 0;
}

static double bytes_per_element(ir_precision p) {
    return precisions[p].storage == IR_STORE_OWN ? 4 : 2;
}

/* Bytes of t as plain floats, and channels last with `pitch`. */
static double plain_bytes(const ir_tensor *t) {
    return 4 * (double)ir_count(t);
}
static double last_bytes(const ir_tensor *t, int64_t pitch, ir_precision p) {
    return voxels(t) * (double)pitch * bytes_per_element(p);
}
static double padded_bytes(const ir_tensor *t, ir_precision p) {
    return last_bytes(t, cg_gpu_padded(t->dim[1], p), p);
}

static double own_time(const ir_node *n, double bytes) {
    return longer(2 * (double)ir_macs(n) / FMA_RATE, bytes);
}

/* By cuDNN, with c channels in memory for the operand and k for the result. */
static double cudnn_time(const ir_node *n, int64_t c, int64_t k, ir_precision p) {
    const ir_tensor *x = n->in[0], *y = n->out[0];
    int64_t unit = precisions[p].channels;
    bool tensor = unit && c % unit == 0 && k % unit == 0;
    double rate = !tensor ? FMA_RATE : TENSOR_RATE * 2 / bytes_per_element(p);
    double work = 2 * (double)ir_macs(n) * (double)c / (double)x->dim[1] * (double)ir_round_up(k, GEMM_TILE) /
                  (double)y->dim[1];
    return longer(work / rate, last_bytes(x, c, p) + last_bytes(y, k, p));
}

static double padded_time(const ir_node *n, ir_precision p) {
    return cudnn_time(n, cg_gpu_padded(n->in[0]->dim[1], p), cg_gpu_padded(n->out[0]->dim[1], p), p);
}

double cg_gpu_first_conv_time(const ir_node *n, ir_precision p) {
    return own_time(n, plain_bytes(n->in[0]) + padded_bytes(n->out[0], p));
}

double cg_gpu_converted_conv_time(const ir_node *n, ir_precision p) {
    return plain_bytes(n->in[0]) + padded_bytes(n->in[0], p) + padded_time(n, p);
}

double cg_gpu_last_conv_time(const ir_node *n, ir_precision p) {
    return own_time(n, padded_bytes(n->in[0], p) + plain_bytes(n->out[0]));
}

double cg_gpu_conv_converted_time(const ir_node *n, ir_precision p) {
    return padded_time(n, p) + padded_bytes(n->out[0], p) + plain_bytes(n->out[0]);
}

static bool is_grouped(const ir_node *n) {
    return ir_get(n, IR_GROUP) && ir_int(n, IR_GROUP) != 1;
}

/* The channels that cuDNN wants together stand on t's side of the convolution; the other side is as it should
 * be. */
static double side_time(const ir_node *n, const ir_tensor *t, int64_t pitch, ir_precision p) {
    int64_t c = cg_gpu_padded(n->in[0]->dim[1], p), k = cg_gpu_padded(n->out[0]->dim[1], p);
    return n->in[0] == t ? cudnn_time(n, pitch, k, p) : cudnn_time(n, c, pitch, p);
}

static int ascending(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

bool cg_gpu_pays_to_pad(const ir_graph *g, const ir_tensor *t) {
    ir_precision p = g->goals.precision;
    int64_t wide = cg_gpu_padded(t->dim[1], p);
    double gain = 0;
    ir_arena *a = ir_arena_new();
    int *at = ir_alloc(a, (size_t)t->n_users + 1, sizeof *at), count = 0;
    if (t->producer) at[count++] = ir_position(g, t->producer);
    for (int i = 0; i < t->n_users; i++) at[count++] = ir_position(g, t->users[i]);
    qsort(at, (size_t)count, sizeof *at, ascending); /* sums of floats have an order */
    bool grouped = false;
    for (int i = 0; i < count; i++) {
        const ir_node *n = g->nodes[at[i]];
        if (i && at[i] == at[i - 1]) continue;
        grouped |= is_grouped(n); /* each group's channels would have to be padded */
        if (ir_macs(n) && n->gpu.runner != IR_GPU_KERNEL)
            gain += side_time(n, t, t->dim[1], p) - side_time(n, t, wide, p);
        else
            gain += last_bytes(t, t->dim[1], p) - last_bytes(t, wide, p);
    }
    ir_arena_free(a);
    return gain > 0 && !grouped;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static int64_t taps(const ir_node *n) {
    int64_t product = 1;
    for (int i = 0; i < ir_get(n, IR_KERNEL)->count; i++) product *= ir_ints(n, IR_KERNEL)[i];
    return product;
}

/* What the 1x1x1 convolution writes for the kernel that scatters it. */
static int64_t product_bytes(const ir_node *n, ir_precision p) {
    const ir_tensor *x = n->in[0];
    return (int64_t)voxels(x) * cg_gpu_padded(n->out[0]->dim[1] * taps(n), p) * (int64_t)bytes_per_element(p);
}

static int64_t norm_bytes(const ir_tensor *x) {
    int64_t of_one = x->dim[0] ? (int64_t)voxels(x) / x->dim[0] : 0;
    int64_t splits = (of_one + NORM_VOXELS - 1) / NORM_VOXELS;
    if (splits > NORM_SPLITS) splits = NORM_SPLITS;
    return 8 * x->dim[0] * (splits + 1) * ir_round_up(x->gpu.pitch ? cg_gpu_own_channels(x) : x->dim[1], 16);
}

int64_t cg_gpu_scratch(const ir_node *n, ir_precision p) {
    if (n->gpu.runner == IR_GPU_GEMM_SCATTER) return product_bytes(n, p);
    return n->op == IR_OP_INSTANCE_NORM ? norm_bytes(n->in[0]) : 0;
}

int64_t cg_gpu_slab_scratch(const ir_node *n, ir_precision p, int64_t planes) {
    int64_t bytes = cg_gpu_scratch(n, p);
    return n->gpu.runner == IR_GPU_GEMM_SCATTER ? bytes / n->in[0]->dim[2] * planes : bytes;
}

int64_t cg_gpu_plane_bytes(const ir_tensor *t) {
    int64_t bytes = t->gpu.pitch * ir_element_bytes(t);
    for (int a = t->rank > 4 ? t->rank - 2 : 2; a < t->rank; a++) bytes *= t->dim[a];
    return bytes;
}

bool cg_gpu_takes_slab(const ir_node *n, ir_planes made, int64_t x_first, int64_t y_first) {
    if (n->gpu.runner != IR_GPU_CUDNN && n->gpu.runner != IR_GPU_GEMM_SCATTER) return true;
    const ir_planes read = ir_planes_read(n, 0, made);
    if (read.begin >= read.end) return false;
    if ((read.begin - x_first) * cg_gpu_plane_bytes(n->in[0]) % CG_GPU_PLAN_ALIGN) return false;
    return n->gpu.runner != IR_GPU_CUDNN ||
           (made.begin - y_first) * cg_gpu_plane_bytes(n->out[0]) % CG_GPU_PLAN_ALIGN == 0;
}

int64_t cg_gpu_free_from(const ir_graph *g, const ir_buffers *b, int node) {
    const ir_span now = ir_time_of(g, node);
    int64_t top = 0;
    for (int i = 0; i < b->count; i++)
        for (int k = 0; k < b->list[i].n_pieces; k++) {
            const ir_piece *p = &b->list[i].pieces[k];
            const int64_t end = ir_buffer_offset(&b->list[i]) + p->at + p->bytes;
            if (ir_spans_meet(p->alive, now) && end > top) top = end;
        }
    return top;
}

/* What ends at which byte of the arena. */
typedef struct ending {
    int64_t end;
    ir_span alive;
} ending;

static int highest_first(const void *a, const void *b) {
    const ending *x = a, *y = b;
    return (x->end < y->end) - (x->end > y->end);
}

static ending *sort_endings(const ir_buffers *b, ir_arena *arena, int *count) {
    size_t room = 1;
    for (int i = 0; i < b->count; i++) room += (size_t)b->list[i].n_pieces;
    ending *list = ir_alloc(arena, room, sizeof *list);
    *count = 0;
    for (int i = 0; i < b->count; i++)
        for (int k = 0; k < b->list[i].n_pieces; k++) {
            const ir_piece *p = &b->list[i].pieces[k];
            list[(*count)++] = (ending){ir_buffer_offset(&b->list[i]) + p->at + p->bytes, p->alive};
        }
    qsort(list, (size_t)*count, sizeof *list, highest_first);
    return list;
}

/* The first node from `at` on that has no top yet; what is passed is skipped the next time. */
static int next_open(int *skip, int at) {
    int open = at;
    while (skip[open] != open) open = skip[open];
    while (skip[at] != open) {
        int next = skip[at];
        skip[at] = open;
        at = next;
    }
    return open;
}

int64_t *cg_gpu_free_from_each(const ir_graph *g, const ir_buffers *b, ir_arena *arena) {
    int64_t *top = ir_alloc(arena, (size_t)g->n_nodes + 1, sizeof *top);
    int *skip = ir_alloc(arena, (size_t)g->n_nodes + 1, sizeof *skip), count;
    const ending *list = sort_endings(b, arena, &count);
    for (int i = 0; i <= g->n_nodes; i++) skip[i] = i;
    for (int i = 0; i < count; i++)
        for (int at = next_open(skip, list[i].alive.first); at <= list[i].alive.last && at < g->n_nodes;
             at = next_open(skip, at)) {
            top[at] = list[i].end;
            skip[at] = at + 1;
        }
    for (int first = 0, last; first < g->n_nodes; first = last + 1) { /* a group's nodes take turns */
        int64_t most = 0;
        last = ir_group_end(g, first);
        for (int i = first; i <= last; i++) most = top[i] > most ? top[i] : most;
        for (int i = first; i <= last; i++) top[i] = most;
    }
    return top;
}

int64_t cg_gpu_own_channels(const ir_tensor *t) {
    int64_t before = 0;
    const ir_tensor *root = t;
    for (; root->memory.view_of; root = root->memory.view_of) before += root->memory.view_offset;
    before = before / ir_element_bytes(t) % t->gpu.pitch;
    return before + t->dim[1] == root->dim[1] ? t->gpu.pitch - before : t->dim[1];
}

static bool by_cudnn(const ir_node *n) {
    return n->gpu.runner == IR_GPU_CUDNN || n->gpu.runner == IR_GPU_GEMM_SCATTER ||
           n->gpu.runner == IR_GPU_DGRAD;
}

/* Weights (operand 1) with the channels that they meet in memory; other operands one value per channel. */
static int64_t operand_bytes(const ir_node *n, int k, ir_precision p) {
    const ir_tensor *t = n->in[k];
    if (!by_cudnn(n)) return ir_bytes(t);
    int64_t c = cg_gpu_padded(n->in[0]->dim[1], p), o = cg_gpu_padded(n->out[0]->dim[1], p);
    int64_t elements = k == 1 ? c * o * taps(n) / ir_int(n, IR_GROUP) : o;
    return elements * (int64_t)bytes_per_element(p);
}

int64_t cg_gpu_weight_bytes(const ir_graph *g) {
    int64_t sum = 0;
    for (int i = 0; i < g->n_nodes; i++)
        for (int k = 0; k < g->nodes[i]->n_in; k++)
            if (g->nodes[i]->in[k] && g->nodes[i]->in[k]->role == IR_ROLE_CONST)
                sum += ir_round_up(operand_bytes(g->nodes[i], k, g->goals.precision), WEIGHT_ALIGN);
    return sum;
}

/* ---- launches -------------------------------------------------------------------------------- */

static bool has_slopes(const ir_node *n) {
    return n->n_in > 3 && n->in[3];
}

static int copied_members(const ir_node *concat) {
    int count = 0;
    for (int k = 0; k < concat->n_in; k++) count += !ir_is_in_place(concat, k);
    return count;
}

int cg_gpu_launches_of(const ir_graph *g, const ir_node *n) {
    switch (n->gpu.runner) {
    case IR_GPU_NONE:
    case IR_GPU_COUNT:
        return 0;
    case IR_GPU_CUDNN:
        return has_slopes(n) ? 2 : 1; /* no plan takes slopes: a kernel applies them in place */
    case IR_GPU_GEMM_SCATTER:
    case IR_GPU_DGRAD:
        return 2;
    case IR_GPU_KERNEL:
        break;
    }
    if (n->op == IR_OP_CONCAT) return copied_members(n);
    if (cg_gpu_is_taken_along(g, n)) return 0;
    return n->op == IR_OP_INSTANCE_NORM ? 3 : 1; /* parts of the statistics, their sum, the application */
}

int cg_gpu_launches_between(const ir_graph *g, int first, int last) {
    int sum = 0;
    ir_arena *a = ir_arena_new();
    for (int i = first, end; i <= last; i = end + 1) {
        int count;
        end = ir_group_end(g, i);
        if (!g->nodes[i]->memory.stream) {
            sum += cg_gpu_launches_of(g, g->nodes[i]);
            continue;
        }
        int *each = ir_alloc(a, (size_t)(end - i) + 1, sizeof *each);
        for (int k = i; k <= end; k++) each[k - i] = cg_gpu_launches_of(g, g->nodes[k]);
        const ir_step *steps = ir_group_steps(g, i, end, g->nodes[i]->memory.slab, a, &count);
        for (int s = 0; s < count; s++) sum += each[steps[s].node - i];
    }
    ir_arena_free(a);
    return sum;
}

int cg_gpu_launches(const ir_graph *g) {
    return cg_gpu_launches_between(g, 0, g->n_nodes - 1);
}
