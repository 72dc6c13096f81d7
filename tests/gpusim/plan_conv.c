/* plan_conv.c: convolutions in float, forward and backward data alike: each result is the sum over taps of a
 * source voxel's channels times a matrix of weights, and only where the source lies differs between the two.
 */
#include "plan.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LANE = 16, WIDE = 2 * LANE, VOXELS = 6 };
typedef float vector __attribute__((vector_size(4 * LANE), aligned(4)));

typedef struct parallel {
    void (*f)(void *argument, int64_t i);
    void *argument;
    int64_t n, *next;
} parallel;

static void *share(void *argument) {
    const parallel *p = argument;
    for (int64_t i; (i = __atomic_fetch_add(p->next, 1, __ATOMIC_RELAXED)) < p->n;) p->f(p->argument, i);
    return NULL;
}

void sim_parallel(int64_t n, void (*f)(void *argument, int64_t i), void *argument) {
    enum { MOST = 64 };
    pthread_t threads[MOST];
    int64_t next = 0;
    parallel p = {f, argument, n, &next};
    long count = sim_setting("GPUSIM_THREADS", sysconf(_SC_NPROCESSORS_ONLN));
    count = count > MOST ? MOST : count;
    count = count > n ? (long)n : count;
    for (long i = 1; i < count; i++)
        if (pthread_create(&threads[i], NULL, share, &p) != 0) sim_die("no thread for a convolution");
    share(&p);
    for (long i = 1; i < count; i++) pthread_join(threads[i], NULL);
}

typedef struct conv {
    const plan_values *x;
    plan_values *y;
    float alpha;
    int64_t kernel[3], taps, groups;
    int64_t in, out, padded; /* channels of a group, out rounded up to WIDE */
    float *weights;          /* group, tap, in, padded */
    float *zeros;            /* in of them: what lies outside the source */
    int64_t *source[3];      /* of result o and tap t along an axis: [o * kernel + t], -1 outside */
} conv;

/* Where along an axis the tap t of result o lies. */
static int64_t source_of(const plan_node *n, int axis, bool backward, int64_t o, int64_t t, int64_t extent) {
    int64_t s = backward ? o + n->pad[axis] - t * n->dilation[axis]
                         : o * n->stride[axis] - n->pad[axis] + t * n->dilation[axis];
    if (backward) {
        if (s < 0 || s % n->stride[axis] != 0) return -1;
        s /= n->stride[axis];
    }
    return s >= 0 && s < extent ? s : -1;
}

static void find_sources(conv *c, const plan_node *n, bool backward) {
    for (int a = 0; a < 3; a++) {
        const int64_t results = c->y->dim[2 + a], k = c->kernel[a];
        c->source[a] = sim_new((size_t)(results * k), sizeof(int64_t));
        for (int64_t o = 0; o < results; o++)
            for (int64_t t = 0; t < k; t++)
                c->source[a][o * k + t] = source_of(n, a, backward, o, t, c->x->dim[2 + a]);
    }
}

/* w: element (k, c, tap) at [(k * taps + tap) * cg + c], as N D H W C says for K C/g spatial. */
static void pack_weights(conv *c, const plan_values *w, bool backward, bool flipped) {
    const int64_t k_all = w->dim[0], cg = w->dim[1], kg = k_all / c->groups;
    c->weights = sim_new((size_t)(c->groups * c->taps * c->in * c->padded), sizeof(float));
    for (int64_t k = 0; k < k_all; k++) {
        for (int64_t t = 0; t < c->taps; t++) {
            const int64_t to_tap = flipped ? c->taps - 1 - t : t;
            for (int64_t i = 0; i < cg; i++) {
                const int64_t from = backward ? k % kg : i, to = backward ? i : k % kg;
                c->weights[((k / kg * c->taps + to_tap) * c->in + from) * c->padded + to] =
                    w->v[(k * c->taps + t) * cg + i];
            }
        }
    }
}

/* Adds one tap: sums[v] += source[v][i] * weights[i]. */
static void add_tap(vector sums[VOXELS][2], const float *const source[VOXELS], const float *weights,
                    int64_t in, int64_t pitch) {
    for (int64_t i = 0; i < in; i++, weights += pitch) {
        const vector *w = (const vector *)(const void *)weights;
        for (int v = 0; v < VOXELS; v++) {
            sums[v][0] += source[v][i] * w[0];
            sums[v][1] += source[v][i] * w[1];
        }
    }
}

static const float *voxel(const conv *c, int64_t n, int64_t z, int64_t y, int64_t x) {
    const int64_t *d = c->x->dim;
    return c->x->v + (((n * d[2] + z) * d[3] + y) * d[4] + x) * d[1];
}

/* One block of voxels along a row, and of channels of a group. */
static void compute(const conv *c, int64_t n, int64_t z, int64_t y, int64_t x, int64_t group, int64_t first) {
    vector sums[VOXELS][2] = {0};
    const int64_t *k = c->kernel, width = c->y->dim[4];
    for (int64_t t = 0; t < c->taps; t++) {
        const int64_t tx = t % k[2], ty = t / k[2] % k[1], tz = t / k[2] / k[1];
        const int64_t sz = c->source[0][z * k[0] + tz], sy = c->source[1][y * k[1] + ty];
        if (sz < 0 || sy < 0) continue;
        const float *source[VOXELS];
        bool any = false;
        for (int v = 0; v < VOXELS; v++) {
            const int64_t sx = x + v < width ? c->source[2][(x + v) * k[2] + tx] : -1;
            source[v] = sx < 0 ? c->zeros : voxel(c, n, sz, sy, sx) + group * c->in;
            any = any || sx >= 0;
        }
        if (any)
            add_tap(sums, source, c->weights + ((group * c->taps + t) * c->in) * c->padded + first, c->in,
                    c->padded);
    }
    const int64_t *d = c->y->dim;
    float *to = c->y->v + (((n * d[2] + z) * d[3] + y) * d[4] + x) * d[1] + group * c->out + first;
    for (int v = 0; v < VOXELS && x + v < width; v++, to += d[1])
        for (int64_t i = 0; i < WIDE && first + i < c->out; i++)
            to[i] = c->alpha * sums[v][i / LANE][i % LANE];
}

static void compute_row(void *argument, int64_t row) {
    const conv *c = argument;
    const int64_t *d = c->y->dim;
    const int64_t y = row % d[3], z = row / d[3] % d[2], n = row / d[3] / d[2];
    for (int64_t g = 0; g < c->groups; g++)
        for (int64_t first = 0; first < c->out; first += WIDE)
            for (int64_t x = 0; x < d[4]; x += VOXELS) compute(c, n, z, y, x, g, first);
}

void sim_convolve(const plan_node *n, const plan_values *x, const plan_values *w, plan_values *y) {
    const bool backward = n->operation == PLAN_CONV_BACKWARD_DATA;
    conv c = {.x = x, .y = y, .alpha = n->alpha, .taps = 1};
    for (int a = 0; a < 3; a++) c.taps *= c.kernel[a] = w->dim[2 + a];
    c.groups = (backward ? y : x)->dim[1] / w->dim[1];
    c.in = x->dim[1] / c.groups;
    c.out = y->dim[1] / c.groups;
    c.padded = (c.out + WIDE - 1) / WIDE * WIDE;
    c.zeros = sim_new((size_t)c.in, sizeof(float));
    find_sources(&c, n, backward);
    pack_weights(&c, w, backward, n->flipped);
    sim_parallel(y->dim[0] * y->dim[2] * y->dim[3], compute_row, &c);
    for (int a = 0; a < 3; a++) free(c.source[a]);
    free(c.weights);
    free(c.zeros);
}
