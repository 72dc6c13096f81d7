/* SPDX-License-Identifier: MIT-0 */
/* vox_intensity.c: see vox_intensity.h. */
#include "vox_intensity.h"

#include <float.h>
#include <math.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif
#include "vox_parallel.h"

/* Values are worked on in blocks that stay in the first-level cache; task t of TASKS has the t-th part of them. */
enum { TASKS = 64, BLOCK = VOX_MEASURE_BLOCK, LANES = 8 };

static size_t first_of(size_t n, int task) {
    const size_t blocks = n / BLOCK + (n % BLOCK != 0), at = blocks * (size_t)task / TASKS * BLOCK;
    return at < n ? at : n;
}

/* ---- which values count ---------------------------------------------------------------------- */

/* A piece of one of the volume's rows, seen in the mask's grid. */
typedef struct place {
    const uint64_t *row; /* NULL: it lies outside of the grid */
    int x, n;            /* its first voxel; how many */
} place;

static place place_of(const vox_selection *s, size_t at, size_t left) {
    const size_t nx = (size_t)s->dim[0], x = at % nx, rows = at / nx;
    const int y = (int)(rows % (size_t)s->dim[1]) + s->begin[1],
              z = (int)(rows / (size_t)s->dim[1]) + s->begin[2];
    const vox_mask *m = s->mask;
    place p = {.x = (int)x + s->begin[0], .n = (int)(nx - x < left ? nx - x : left)};
    if (y >= 0 && y < m->dim[1] && z >= 0 && z < m->dim[2])
        p.row = m->bits + ((size_t)z * (size_t)m->dim[1] + (size_t)y) * m->row;
    return p;
}

/* What of the piece lies in one word of the mask, or outside of its grid: from its voxel i on, *n voxels; bit k
 * of the result is that of voxel i + k. */
static uint64_t inside_bits(const vox_selection *s, const place *p, int i, int *n) {
    const int x = p->x + i, left = p->n - i, nx = s->mask->dim[0];
    *n = left;
    if (x < 0 && x + left > 0) *n = -x;
    if (p->row == NULL || x < 0 || x >= nx) return 0;
    *n = 64 - x % 64; /* bits behind a row's end are 0 */
    if (*n > left) *n = left;
    const uint64_t bits = p->row[x / 64] >> (x % 64);
    return *n < 64 ? bits & (((uint64_t)1 << *n) - 1) : bits;
}
static bool all_of(uint64_t bits, int n) {
    return bits != 0 && bits == ~(uint64_t)0 >> (64 - n); /* more than 64 voxels are all outside */
}

static size_t take_inside(const vox_selection *s, const float *x, size_t at, size_t n, float *to) {
    size_t taken = 0;
    for (size_t done = 0; done < n;) {
        const place p = place_of(s, at + done, n - done);
        const float *from = x + at + done;
        for (int i = 0, m; i < p.n; i += m) {
            const uint64_t bits = inside_bits(s, &p, i, &m);
            if (all_of(bits, m)) {
                memcpy(to + taken, from + i, (size_t)m * sizeof *to);
                taken += (size_t)m;
                continue;
            }
            for (int k = 0; bits != 0 && k < m; k++) {
                to[taken] = from[i + k];
                taken += bits >> k & 1;
            }
        }
        done += (size_t)p.n;
    }
    return taken;
}

/* Copies those of the n values from `at` on that count to to[], a voxel too many at most; how many. */
static size_t take(const vox_selection *s, const float *x, size_t at, size_t n, float *to) {
    size_t taken = 0;
    if (s->which == VOX_COUNT_INSIDE) return take_inside(s, x, at, n, to);
    for (size_t i = at; i < at + n; i++) {
        to[taken] = x[i];
        taken += s->which == VOX_COUNT_ABOVE ? (double)x[i] > s->above : x[i] != 0;
    }
    return taken;
}

/* ---- statistics ------------------------------------------------------------------------------ */

typedef vox_moments moments;

/* T. Chan, G. Golub, R. LeVeque: Updating formulae and a pairwise algorithm for computing sample variances
 * (1979), formulae 2.1. */
static void join(moments *a, const moments *b) {
    if (b->count == 0) return;
    if (a->count == 0) {
        *a = *b;
        return;
    }
    const double na = (double)a->count, nb = (double)b->count, apart = b->mean - a->mean;
    a->count += b->count;
    a->mean += apart * (nb / (na + nb));
    a->squares += b->squares + apart * apart * (na * nb / (na + nb));
    a->minimum = b->minimum < a->minimum ? b->minimum : a->minimum;
    a->maximum = b->maximum > a->maximum ? b->maximum : a->maximum;
}

/* One register of any x86-64 or AArch64 processor; compilers make none of sums in double of float32. */
typedef double pair __attribute__((vector_size(16)));
enum { PAIRS = LANES / 2 };

static pair pair_at(const float *x) {
#if defined(__SSE2__) /* gcc converts what follows one by one */
    return (pair)_mm_cvtps_pd(_mm_castsi128_ps(_mm_loadl_epi64((const void *)x)));
#else
    return (pair){(double)x[0], (double)x[1]};
#endif
}
static double sum_of(const pair lane[PAIRS]) {
    const pair sum = (lane[0] + lane[1]) + (lane[2] + lane[3]);
    return sum[0] + sum[1];
}

static double mean_of(const float *x, size_t n) {
    const size_t whole = n / LANES * LANES;
    pair sum[PAIRS] = {{0}};
    double rest = 0;
    for (size_t i = 0; i < whole; i += LANES) {
        for (size_t l = 0; l < PAIRS; l++) sum[l] += pair_at(x + i + 2 * l);
    }
    for (size_t i = whole; i < n; i++) rest += (double)x[i];
    return (sum_of(sum) + rest) / (double)n;
}

static double squares_of(const float *x, size_t n, double mean) {
    const size_t whole = n / LANES * LANES;
    pair sum[PAIRS] = {{0}};
    double rest = 0;
    for (size_t i = 0; i < whole; i += LANES) {
        for (size_t l = 0; l < PAIRS; l++) {
            const pair d = pair_at(x + i + 2 * l) - mean;
            sum[l] += d * d;
        }
    }
    for (size_t i = whole; i < n; i++) rest += ((double)x[i] - mean) * ((double)x[i] - mean);
    return sum_of(sum) + rest;
}

/* Many lanes, so that compilers see a loop to make vectors of. */
static void find_extremes(const float *x, size_t n, float *minimum, float *maximum) {
    enum { MANY = 32 };
    float low[MANY], high[MANY];
    const size_t whole = n / MANY * MANY;
    for (size_t l = 0; l < MANY; l++) low[l] = high[l] = x[0];
    for (size_t i = 0; i < whole; i += MANY) {
        for (size_t l = 0; l < MANY; l++) {
            const float v = x[i + l];
            low[l] = v < low[l] ? v : low[l];
            high[l] = v > high[l] ? v : high[l];
        }
    }
    for (size_t l = 0; l < MANY; l++) {
        const float v = x[whole + l < n ? whole + l : 0];
        low[0] = v < low[0] ? v : low[0];
        high[0] = v > high[0] ? v : high[0];
        low[0] = low[l] < low[0] ? low[l] : low[0];
        high[0] = high[l] > high[0] ? high[l] : high[0];
    }
    *minimum = low[0];
    *maximum = high[0];
}

/* Of a block, in three passes: all but the first find it in the cache. */
static moments moments_of(const float *x, size_t n) {
    if (n == 0) return (moments){0};
    moments m = {.count = n, .mean = mean_of(x, n)};
    m.squares = squares_of(x, n, m.mean);
    find_extremes(x, n, &m.minimum, &m.maximum);
    return m;
}

static vox_statistics statistics_of(const moments *all) {
    vox_statistics r = {.count = all->count};
    if (all->count == 0) return r;
    r.minimum = (double)all->minimum;
    r.maximum = (double)all->maximum;
    r.mean = all->mean;
    r.deviation = sqrt(all->squares / (double)all->count);
    return r;
}

typedef struct measuring {
    const float *x;
    size_t n;
    const vox_selection *s;
    moments part[TASKS];
} measuring;

static void measure_part(void *argument, int task) {
    measuring *m = argument;
    moments all = {0};
    for (size_t at = first_of(m->n, task), end = first_of(m->n, task + 1); at < end; at += BLOCK) {
        const size_t n = end - at < BLOCK ? end - at : BLOCK;
        float taken[BLOCK + 1];
        const bool every = m->s->which == VOX_COUNT_ALL;
        const moments block =
            every ? moments_of(m->x + at, n) : moments_of(taken, take(m->s, m->x, at, n, taken));
        join(&all, &block);
    }
    m->part[task] = all;
}

vox_statistics vox_measure(const float *x, size_t n, const vox_selection *s, const vox_executor *e) {
    measuring m = {.x = x, .n = n, .s = s};
    moments all = {0};
    vox_parallel(e, TASKS, measure_part, &m);
    for (int t = 0; t < TASKS; t++) join(&all, &m.part[t]);
    return statistics_of(&all);
}

static vox_statistics measure_all(const float *x, size_t n, const vox_executor *e) {
    return vox_measure(x, n, &(vox_selection){.which = VOX_COUNT_ALL}, e);
}

/* The same blocks, joined in the same order. */
static void end_block(vox_measuring *m) {
    float taken[BLOCK + 1];
    const bool every = m->s.which == VOX_COUNT_ALL;
    while (m->task + 1 < TASKS && m->at >= first_of(m->n, m->task + 1)) {
        join(&m->all, &m->part);
        m->part = (moments){0};
        m->task++;
    }
    const moments block = every ? moments_of(m->block, m->filled)
                                : moments_of(taken, take(&m->s, m->block, 0, m->filled, taken));
    join(&m->part, &block);
    m->at += m->filled;
    m->filled = 0;
}

void vox_measure_begin(vox_measuring *m, size_t n, const vox_selection *s) {
    m->s = *s;
    m->n = n;
    m->at = m->filled = 0;
    m->task = 0;
    m->part = m->all = (moments){0};
}

void vox_measure_add(vox_measuring *m, const float *x, size_t n) {
    while (n > 0) {
        const size_t room = BLOCK - m->filled, some = n < room ? n : room;
        memcpy(m->block + m->filled, x, some * sizeof *x);
        m->filled += some;
        x += some;
        n -= some;
        if (m->filled == BLOCK) end_block(m);
    }
}

vox_statistics vox_measure_end(vox_measuring *m) {
    if (m->filled > 0) end_block(m);
    join(&m->all, &m->part);
    return statistics_of(&m->all);
}

/* ---- what is done to each value -------------------------------------------------------------- */

typedef struct change change;
typedef void change_fn(const change *c, float *x, size_t n);
struct change {
    float *x;
    size_t n;
    change_fn *run;
    double a, b;              /* change_fn's */
    float low, high, sub, by; /* change_fn's */
    const vox_selection *s;   /* change_inside's */
};

static void change_part(void *argument, int task) {
    const change *c = argument;
    const size_t at = first_of(c->n, task);
    c->run(c, c->x + at, first_of(c->n, task + 1) - at);
}

static void apply(change *c, float *x, size_t n, change_fn *run, const vox_executor *e) {
    c->x = x;
    c->n = n;
    c->run = run;
    vox_parallel(e, TASKS, change_part, c);
}

static float clipped(float x, float low, float high) {
    x = x < low ? low : x;
    return x > high ? high : x;
}

static void change_clip(const change *c, float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = clipped(x[i], c->low, c->high);
}
static void change_ct(const change *c, float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (clipped(x[i], c->low, c->high) - c->sub) / c->by;
}
static void change_linear(const change *c, float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (float)((double)x[i] * c->a + c->b);
}
static void change_z(const change *c, float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = (float)(((double)x[i] - c->a) / c->b);
}
static void change_z_nonzero(const change *c, float *x, size_t n) {
    for (size_t i = 0; i < n; i++) x[i] = x[i] != 0 ? (float)(((double)x[i] - c->a) / c->b) : 0.0f;
}
static void change_z_inside(const change *c, float *x, size_t n) {
    for (size_t done = 0; done < n;) {
        const place p = place_of(c->s, (size_t)(x - c->x) + done, n - done);
        for (int i = 0, m; i < p.n; i += m) {
            const uint64_t bits = inside_bits(c->s, &p, i, &m);
            float *v = x + done + (size_t)i;
            if (bits == 0) {
                memset(v, 0, (size_t)m * sizeof *v);
                continue;
            }
            change_z(c, v, (size_t)m);
            for (int k = 0; !all_of(bits, m) && k < m; k++) v[k] = bits >> k & 1 ? v[k] : 0.0f;
        }
        done += (size_t)p.n;
    }
}

/* A number as float32: what does not fit is its largest. */
static float narrow(double v) {
    return v > FLT_MAX ? FLT_MAX : v < -FLT_MAX ? -FLT_MAX : (float)v;
}

void vox_clip(float *x, size_t n, double low, double high, const vox_executor *e) {
    change c = {.low = narrow(low), .high = narrow(high)};
    apply(&c, x, n, change_clip, e);
}

void vox_ct(float *x, size_t n, const double value[4], const vox_executor *e) {
    change c = {
        .low = narrow(value[0]), .high = narrow(value[1]), .sub = narrow(value[2]), .by = narrow(value[3])};
    apply(&c, x, n, change_ct, e);
}

void vox_scale(float *x, size_t n, double factor, double summand, const vox_executor *e) {
    change c = {.a = factor, .b = summand};
    apply(&c, x, n, change_linear, e);
}

void vox_scale_range(const double a[2], const double b[2], double *factor, double *summand) {
    *factor = (b[1] - b[0]) / (a[1] - a[0]);
    *summand = b[0] - a[0] * *factor;
}

/* ---- steps with statistics ------------------------------------------------------------------- */

vox_status vox_standard_of_maximum(const vox_statistics *s, vox_standard *to) {
    *to = (vox_standard){.narrow = 1, .by = s->maximum};
    return s->maximum > 0 ? VOX_OK : VOX_E_MAXIMUM;
}

vox_status vox_standard_of_range(const vox_statistics *s, double floor, vox_standard *to) {
    const double range = fmax(s->maximum - s->minimum, floor);
    /* Beyond it differences of float32 would overflow. */
    *to = (vox_standard){.narrow = range <= FLT_MAX, .sub = s->minimum, .by = range};
    return range > 0 ? VOX_OK : VOX_E_EQUAL;
}

vox_status vox_standard_of_deviation(const vox_statistics *s, double floor, vox_standard *to) {
    *to = (vox_standard){.sub = s->mean, .by = fmax(s->deviation, floor)};
    return to->by > 0 ? VOX_OK : VOX_E_EQUAL;
}

void vox_standardise(const vox_standard *how, float *x, size_t n, const vox_executor *e) {
    if (how->narrow) {
        vox_ct(x, n, (double[]){-FLT_MAX, FLT_MAX, how->sub, how->by}, e);
    } else {
        change c = {.a = how->sub, .b = how->by};
        apply(&c, x, n, change_z, e);
    }
}

/* Once the status says that it can be. */
static vox_status standardised(vox_status status, const vox_standard *how, float *x, size_t n,
                               const vox_executor *e) {
    if (status == VOX_OK) vox_standardise(how, x, n, e);
    return status;
}

vox_status vox_divide_by_maximum(float *x, size_t n, const vox_executor *e) {
    const vox_statistics s = measure_all(x, n, e);
    vox_standard how;
    return standardised(vox_standard_of_maximum(&s, &how), &how, x, n, e);
}

vox_status vox_min_max(float *x, size_t n, double floor, const vox_executor *e) {
    const vox_statistics s = measure_all(x, n, e);
    vox_standard how;
    return standardised(vox_standard_of_range(&s, floor, &how), &how, x, n, e);
}

vox_status vox_z_score(float *x, size_t n, double floor, const vox_executor *e) {
    const vox_statistics s = measure_all(x, n, e);
    vox_standard how;
    return standardised(vox_standard_of_deviation(&s, floor, &how), &how, x, n, e);
}

vox_status vox_z_score_above_mean(float *x, size_t n, double floor, const vox_executor *e) {
    const vox_statistics all = measure_all(x, n, e);
    vox_statistics s = vox_measure(x, n, &(vox_selection){.which = VOX_COUNT_ABOVE, .above = all.mean}, e);
    vox_standard how;
    if (s.count == 0) s.mean = all.mean; /* all are the same */
    return standardised(vox_standard_of_deviation(&s, floor, &how), &how, x, n, e);
}

static vox_status z_score(const vox_statistics *s, double floor, change *c) {
    vox_standard how;
    const vox_status status = vox_standard_of_deviation(s, floor, &how);
    c->a = how.sub;
    c->b = how.by;
    return status;
}

vox_status vox_z_score_nonzero(float *x, size_t n, double floor, vox_rest rest, const vox_executor *e) {
    const vox_statistics s = vox_measure(x, n, &(vox_selection){.which = VOX_COUNT_NONZERO}, e);
    change c = {0};
    const vox_status status = z_score(&s, floor, &c);
    if (status == VOX_OK) apply(&c, x, n, rest == VOX_REST_STAYS ? change_z_nonzero : change_z, e);
    return status;
}

vox_status vox_z_score_inside(float *x, const int dim[3], const vox_mask *mask, const int begin[3],
                              double floor, const vox_executor *e) {
    const size_t n = (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
    vox_selection inside = {.which = VOX_COUNT_INSIDE, .mask = mask};
    memcpy(inside.dim, dim, sizeof inside.dim);
    memcpy(inside.begin, begin, sizeof inside.begin);
    const vox_statistics s = vox_measure(x, n, &inside, e);
    change c = {.s = &inside};
    const vox_status status = z_score(&s, floor, &c);
    if (status == VOX_OK) apply(&c, x, n, change_z_inside, e);
    return status;
}
