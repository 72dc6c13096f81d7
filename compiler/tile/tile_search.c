/* tile_search.c: see tile_search.h. */
#include "tile_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_SIZES = 40, /* along an axis, the largest ones */
    FEW = 24         /* so many combinations are planned without guessing what fits */
};
/* Tiles whose memory is guessed to be this many times the limit are not planned. */
static const double BEYOND = 1.15;
/* A shape may need so much less time per multiply-add than the best that was planned. */
static const double QUICKER = 0.97;

typedef struct sizes {
    int n, in[MOST_SIZES], count[MOST_SIZES];
} sizes;

typedef struct combination {
    int in[3];
    double macs; /* of all runs */
} combination;

typedef struct search {
    const ir_graph *g;
    const tile_shape *given;
    const tile_network *network;
    tile_choice *c;
    int phase[3];
    double corner[8]; /* multiply-adds of given + phase along the axes of the bits */
    double ratio;     /* least cycles per multiply-add that were planned; 0: none was */
} search;

/* ---- arithmetic ------------------------------------------------------------------------------ */

static bool measure_corners(search *s) {
    for (int b = 0; b < 8; b++) {
        int in[3], out[3];
        for (int k = 0; k < 3; k++) in[k] = s->given->in[k] + (b >> k & 1) * s->phase[k];
        s->corner[b] = s->network->macs(s->network->ctx, in, out);
        if (s->corner[b] < 0) return false;
        for (int k = 0; k < 3; k++)
            if (in[k] - out[k] != s->given->in[k] - s->given->out[k]) return false;
    }
    return true;
}

/* Of one run. */
static double macs_of(const search *s, const int in[3]) {
    double sum = 0;
    for (int b = 0; b < 8; b++) {
        double part = s->corner[b];
        for (int k = 0; k < 3; k++) {
            double u = (double)(in[k] - s->given->in[k]) / s->phase[k];
            part *= b >> k & 1 ? u : 1 - u;
        }
        sum += part;
    }
    return sum;
}

/* Of an output voxel in a tile without end: the coefficient of D H W. */
static double macs_of_voxel(const search *s) {
    double sum = 0, cell = 1;
    for (int b = 0; b < 8; b++) {
        int ones = (b & 1) + (b >> 1 & 1) + (b >> 2 & 1);
        sum += ones % 2 ? s->corner[b] : -s->corner[b];
    }
    for (int k = 0; k < 3; k++) cell *= s->phase[k];
    return sum / cell;
}

/* ---- what there is to choose from ------------------------------------------------------------ */

/* Of each number of tiles along axis k the smallest size, the largest first. */
static void list_sizes(const search *s, int k, int voxels, sizes *list) {
    const vox_volume_info *info = &s->g->volume.info;
    const int phase = s->phase[k], margins = s->given->in[k] - s->given->out[k];
    int before = 0, out = s->given->out[k] % phase;
    list->n = 0;
    if (out == 0) out = phase;
    for (; before != 1; out += phase) {
        int count = tile_count(info, k, voxels, out + margins, out);
        if (count == 0 || count == before) continue;
        before = count;
        if (list->n == MOST_SIZES) {
            memmove(list->in, list->in + 1, (MOST_SIZES - 1) * sizeof *list->in);
            memmove(list->count, list->count + 1, (MOST_SIZES - 1) * sizeof *list->count);
            list->n--;
        }
        list->in[list->n] = out + margins;
        list->count[list->n++] = count;
    }
}

static int by_macs(const void *a, const void *b) {
    const combination *x = a, *y = b;
    if (x->macs != y->macs) return x->macs < y->macs ? -1 : 1;
    return memcmp(x->in, y->in, sizeof x->in);
}

static combination *combine(const search *s, const sizes list[3], int *n) {
    const int most = list[0].n * list[1].n * list[2].n;
    combination *all = ir_alloc(s->g->arena, (size_t)most + 1, sizeof *all);
    *n = 0;
    for (int i = 0; i < most; i++) {
        const int at[3] = {i % list[0].n, i / list[0].n % list[1].n, i / list[0].n / list[1].n};
        combination *c = &all[*n];
        double runs = 1;
        for (int k = 0; k < 3; k++) {
            c->in[k] = list[k].in[at[k]];
            runs *= list[k].count[at[k]];
        }
        c->macs = runs * macs_of(s, c->in);
        *n += c->macs > 0;
    }
    qsort(all, (size_t)*n, sizeof *all, by_macs);
    return all;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static double voxels_of(const int in[3]) {
    return (double)in[0] * in[1] * in[2];
}

static bool holds(const int in[3], const int part[3]) {
    return in[0] >= part[0] && in[1] >= part[1] && in[2] >= part[2];
}

/* Straight between two planned tiles on logarithmic scales; in proportion to one. */
static double between(double voxels, const tile_row *below, const tile_row *above) {
    if (!below && !above) return 0;
    if (!below || !above) {
        const tile_row *r = below ? below : above;
        return (double)r->network * voxels / voxels_of(r->shape.in);
    }
    double a = log(voxels_of(below->shape.in)), b = log(voxels_of(above->shape.in));
    double low = log((double)below->network), high = log((double)above->network);
    return exp(b > a ? low + (high - low) * (log(voxels) - a) / (b - a) : high);
}

/* Bytes of the network, guessed from the tiles next to it that were planned. */
static double guess_network(const tile_choice *c, const int in[3]) {
    const tile_row *below = NULL, *above = NULL;
    const double voxels = voxels_of(in);
    for (int i = 0; i < c->n; i++) {
        const tile_row *r = &c->row[i];
        double v = voxels_of(r->shape.in);
        if (v <= voxels && (!below || v > voxels_of(below->shape.in))) below = r;
        if (v >= voxels && (!above || v < voxels_of(above->shape.in))) above = r;
    }
    return between(voxels, below, above);
}

/* Whether c holds a tile that did not fit, or, where guesses are wanted, seems not to fit. */
static bool seems_larger(const tile_choice *c, const int in[3], int64_t others, bool guess) {
    if (c->limit == 0) return false;
    for (int i = 0; i < c->n; i++)
        if (!c->row[i].fits && holds(in, c->row[i].shape.in)) return true;
    return guess && guess_network(c, in) + (double)others > BEYOND * (double)c->limit;
}

/* ---- planning -------------------------------------------------------------------------------- */

static tile_shape shape_of(const search *s, const int in[3]) {
    tile_shape t;
    for (int k = 0; k < 3; k++) {
        t.in[k] = in[k];
        t.out[k] = in[k] - s->given->in[k] + s->given->out[k];
    }
    return t;
}

static bool same(const int a[3], const int b[3]) {
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
}

static bool planned(const search *s, const int in[3]) {
    for (int i = 0; i < s->c->n; i++)
        if (same(s->c->row[i].shape.in, in)) return true;
    return false;
}

/* Adds a row for that tile. False: the network cannot be planned so. */
static bool plan(search *s, const int in[3], const tile_need *need) {
    tile_choice *c = s->c;
    tile_row r = {.shape = shape_of(s, in), .need = *need, .given = same(in, s->given->in)};
    int64_t room = c->limit == 0 ? -1 : c->limit > need->bytes ? c->limit - need->bytes : 0;
    if (!s->network->plan(s->network->ctx, in, room, &r)) return false;
    r.fits = room < 0 || r.network <= room;
    r.cycles *= (double)need->runs;
    r.macs = (double)need->runs * macs_of(s, in);
    double ratio = r.cycles / r.macs;
    if (s->ratio == 0 || ratio < s->ratio) s->ratio = ratio;
    c->row[c->n++] = r;
    if (r.fits && (c->chosen < 0 || r.cycles < c->row[c->chosen].cycles)) c->chosen = c->n - 1;
    return true;
}

/* What the volume needs with the model's own tile, which may be too small to be placed: with the next one. */
static bool need_of_given(const search *s, tile_need *need, bool *placed, ir_diag *d) {
    ir_diag first = {0};
    *placed = tile_need_of(s->g, s->given, &s->c->volume, need, &first);
    if (*placed) return true;
    tile_shape next = *s->given;
    for (int k = 0; k < 3; k++) next.in[k] += s->phase[k], next.out[k] += s->phase[k];
    if (!s->c->bound_to && tile_need_of(s->g, &next, &s->c->volume, need, &(ir_diag){0})) return true;
    *d = first;
    return false;
}

/* Whether arithmetic alone makes c slower than what was found. */
static bool is_slower(const search *s, const combination *c) {
    return s->c->chosen >= 0 && c->macs * s->ratio * QUICKER >= s->c->row[s->c->chosen].cycles;
}

static void plan_all(search *s, const combination *all, int n) {
    for (int i = 0; i < n; i++) {
        if (planned(s, all[i].in)) continue;
        const tile_shape shape = shape_of(s, all[i].in);
        tile_need need;
        ir_diag d = {0};
        if (is_slower(s, &all[i])) {
            s->c->slower++;
        } else if (s->c->n == TILE_MOST_PLANS) {
            s->c->left++;
        } else if (!tile_need_of(s->g, &shape, &s->c->volume, &need, &d)) {
            s->c->shapes--;
        } else if (seems_larger(s->c, all[i].in, need.bytes, n > FEW)) {
            s->c->larger++;
        } else if (!plan(s, all[i].in, &need)) {
            s->c->shapes--;
        }
    }
}

static int by_cycles(const void *a, const void *b) {
    const tile_row *x = a, *y = b;
    if (x->cycles != y->cycles) return x->cycles < y->cycles ? -1 : 1;
    return memcmp(x->shape.in, y->shape.in, sizeof x->shape.in);
}

static void sort_rows(tile_choice *c) {
    qsort(c->row, (size_t)c->n, sizeof *c->row, by_cycles);
    c->chosen = -1;
    for (int i = c->n - 1; i >= 0; i--)
        if (c->row[i].fits) c->chosen = i;
}

bool tile_search(const ir_graph *g, const tile_shape *given, const tile_network *network, tile_choice *c,
                 ir_diag *d) {
    search s = {.g = g, .given = given, .network = network, .c = c};
    tile_need need;
    sizes list[3];
    c->n = c->slower = c->larger = c->left = 0;
    c->shapes = 1;
    c->chosen = -1;
    bool placed;
    for (int k = 0; k < 3; k++) s.phase[k] = g->volume.info.phase[k] > 1 ? g->volume.info.phase[k] : 1;
    if (!need_of_given(&s, &need, &placed, d)) return false;
    if (!measure_corners(&s)) {
        if (!c->bound_to) c->bound_to = "the model can be built with no other input than its own";
        int out[3];
        double macs = network->macs(network->ctx, given->in, out);
        for (int b = 0; b < 8; b++) s.corner[b] = macs;
    }
    double voxels = (double)need.prepared[0] * need.prepared[1] * need.prepared[2];
    c->least = macs_of_voxel(&s) * voxels;
    if (placed && !plan(&s, given->in, &need))
        return ir_fail(d, IR_EXIT_INPUT, "--volume-size: %s cannot be planned", g->name);
    if (!c->bound_to) {
        int n;
        for (int k = 0; k < 3; k++) list_sizes(&s, k, need.prepared[k], &list[k]);
        const combination *all = combine(&s, list, &n);
        c->shapes = n;
        plan_all(&s, all, n);
    }
    sort_rows(c);
    return true;
}
