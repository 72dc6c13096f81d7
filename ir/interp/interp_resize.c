/* interp_resize.c: interpreter, ONNX Resize (operator specification, opset 19), nearest and n-dimensional
 * linear.
 *
 * Along each axis an output position comes from one input position (nearest) or from a weighted pair
 * (linear); the weights of an output element are the products over the axes. Positions outside are clamped to
 * the border, or, in tf_crop_and_resize, make the element the extrapolation value. exclude_outside gives the
 * same as clamping here: of a pair at most one lies outside, and the other then gets the whole weight.
 */
#include "interp.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- coordinates ----------------------------------------------------------------------------- */

/* The order of operations is that of runtime/cpu/vox_resize.h, and what is added to a product stands in
 * another statement, so that no compiler fuses the two: interpreter and kernels round alike, and decide alike
 * at the edge of extrapolation and halfway between voxels. */

typedef struct axis_map {
    double in, out, scale, roi_begin, roi_end; /* extents and scale along the axis */
} axis_map;

static double half_pixel(const axis_map *m, double x) {
    return (x + 0.5) / m->scale - 0.5;
}

/* Keeps the centre in place when the output length is not in * scale. */
static double half_pixel_symmetric(const axis_map *m, double x) {
    double adjustment = m->out / (m->scale * m->in);
    double offset = m->in / 2 * (1 - adjustment);
    return offset + (x + 0.5) / m->scale - 0.5;
}

static double pytorch_half_pixel(const axis_map *m, double x) {
    return m->out > 1 ? half_pixel(m, x) : 0;
}

/* The output's length before rounding down counts, as in ONNX's reference implementation. */
static double align_corners(const axis_map *m, double x) {
    double length = m->scale * m->in;
    return m->out > 1 && m->in > 1 ? x * (m->in - 1) / (length - 1) : 0;
}

static double asymmetric(const axis_map *m, double x) {
    return x / m->scale;
}
static double tf_half_pixel_for_nn(const axis_map *m, double x) {
    return (x + 0.5) / m->scale;
}

static double tf_crop_and_resize(const axis_map *m, double x) {
    if (m->out <= 1) return 0.5 * (m->roi_begin + m->roi_end) * (m->in - 1);
    double begin = m->roi_begin * (m->in - 1);
    return begin + x * (m->roi_end - m->roi_begin) * (m->in - 1) / (m->out - 1);
}

static const struct coordinates {
    const char *name;
    double (*original)(const axis_map *m, double x);
    bool extrapolates;
} coordinates[] = {
    {"half_pixel", half_pixel, false},
    {"half_pixel_symmetric", half_pixel_symmetric, false},
    {"pytorch_half_pixel", pytorch_half_pixel, false},
    {"align_corners", align_corners, false},
    {"asymmetric", asymmetric, false},
    {"tf_half_pixel_for_nn", tf_half_pixel_for_nn, false},
    {"tf_crop_and_resize", tf_crop_and_resize, true},
};

static double prefer_floor(double x) {
    return ceil(x - 0.5);
}
static double prefer_ceil(double x) {
    return floor(x + 0.5);
}

static const struct {
    const char *name;
    double (*round)(double x);
} roundings[] = {{"round_prefer_floor", prefer_floor},
                 {"round_prefer_ceil", prefer_ceil},
                 {"floor", floor},
                 {"ceil", ceil}};

static const struct coordinates *find_coordinates(const char *word) {
    for (size_t k = 0; k < sizeof coordinates / sizeof coordinates[0]; k++)
        if (strcmp(word, coordinates[k].name) == 0) return &coordinates[k];
    ir_die("resize: no coordinates %s", word);
}

static double round_by_word(const char *word, double x) {
    for (size_t k = 0; k < sizeof roundings / sizeof roundings[0]; k++)
        if (strcmp(word, roundings[k].name) == 0) return roundings[k].round(x);
    ir_die("resize: no nearest %s", word);
}

/* ---- taps ------------------------------------------------------------------------------------ */

enum { FIRST_SPACE = 2 }; /* N C come before */

/* Where an output position of one axis comes from: x[at[0]] * weight[0] + x[at[1]] * weight[1]. */
typedef struct tap {
    int64_t at[2];
    double weight[2];
    bool outside; /* takes the extrapolation value */
} tap;

static int64_t clamped_index(double x, int64_t n) {
    return !(x > 0) ? 0 : x > (double)(n - 1) ? n - 1 : (int64_t)x;
}

/* N and C that keep their size are no part of the space that is resized: tf_half_pixel_for_nn would shift
 * them by half a channel. */
static tap find_tap(const ir_node *n, int axis, int64_t o) {
    const ir_attr *roi = ir_get(n, IR_ROI);
    int rank = n->in[0]->rank;
    int64_t in = n->in[0]->dim[axis];
    axis_map m = {(double)in, (double)n->out[0]->dim[axis], ir_floats(n, IR_SCALE)[axis],
                  roi ? roi->f[axis] : 0, roi ? roi->f[rank + axis] : 1};
    const struct coordinates *how = find_coordinates(ir_word(n, IR_COORDINATES));
    bool keeps = axis < FIRST_SPACE && m.scale == 1 && in == n->out[0]->dim[axis] && !how->extrapolates;
    double x = keeps ? (double)o : how->original(&m, (double)o);
    tap t = {{0, 0}, {1, 0}, how->extrapolates && (x < 0 || x > (double)(in - 1))};
    if (strcmp(ir_word(n, IR_MODE), "nearest") == 0) {
        t.at[0] = t.at[1] = clamped_index(round_by_word(ir_word(n, IR_NEAREST), x), in);
    } else {
        t.at[0] = clamped_index(floor(x), in);
        t.at[1] = clamped_index(floor(x) + 1, in);
        t.weight[1] = x - floor(x);
        t.weight[0] = 1 - t.weight[1];
    }
    return t;
}

/* ---- values ---------------------------------------------------------------------------------- */

typedef struct resize_job {
    int rank;
    const ir_tensor *y;
    const tap *taps[IR_MAX_RANK]; /* per axis, dim[axis] of them */
    int64_t xs[IR_MAX_RANK];
    double extrapolation;
} resize_job;

/* The interpolated value at the output's index. Axes whose second weight is 0 cost nothing. */
static double value_at(const resize_job *j, const ir_value *x, const int64_t *index, int axis, int64_t at) {
    if (axis == j->rank) return x->f ? x->f[at] : (double)x->i[at];
    const tap *t = &j->taps[axis][index[axis]];
    double v =
        t->weight[0] == 0 ? 0 : t->weight[0] * value_at(j, x, index, axis + 1, at + t->at[0] * j->xs[axis]);
    if (t->weight[1] != 0) v += t->weight[1] * value_at(j, x, index, axis + 1, at + t->at[1] * j->xs[axis]);
    return v;
}

static bool is_outside(const resize_job *j, const int64_t *index) {
    for (int a = 0; a < j->rank; a++)
        if (j->taps[a][index[a]].outside) return true;
    return false;
}

typedef struct resize_task {
    const resize_job *j;
    const interp_call *c;
} resize_task;

/* One position of the first two axes. */
static void resize_plane(void *ctx, int64_t task, int thread) {
    const resize_task *r = ctx;
    const resize_job *j = r->j;
    int lead = j->rank < 2 ? 0 : 2;
    int64_t index[IR_MAX_RANK] = {0}, n = 1, offset;
    (void)thread;
    for (int a = lead; a < j->rank; a++) n *= j->y->dim[a];
    if (lead) {
        index[0] = task / j->y->dim[1];
        index[1] = task % j->y->dim[1];
    }
    for (int64_t i = 0; i < n; i++) {
        double v = is_outside(j, index) ? j->extrapolation : value_at(j, &r->c->in[0], index, 0, 0);
        if (r->c->out[0].f)
            r->c->out[0].f[task * n + i] = v;
        else
            r->c->out[0].i[task * n + i] = interp_whole(j->y->dtype, v);
        interp_step(j->rank - lead, j->y->dim + lead, index + lead, 0, &offset, NULL);
    }
}

bool interp_resize(const interp_call *c) {
    const ir_node *n = c->n;
    const ir_attr *extrapolation = ir_get(n, IR_EXTRAPOLATION);
    resize_job j = {
        .rank = n->in[0]->rank, .y = n->out[0], .extrapolation = extrapolation ? extrapolation->f[0] : 0};
    tap *taps[IR_MAX_RANK] = {NULL};
    bool ok = true;
    interp_strides(n->in[0], j.xs);
    for (int a = 0; a < j.rank; a++) {
        int64_t extent = j.y->dim[a];
        j.taps[a] = taps[a] = calloc((size_t)extent + 1, sizeof(tap));
        ok = ok && taps[a];
        for (int64_t o = 0; o < extent && ok; o++) taps[a][o] = find_tap(n, a, o);
    }
    if (ok)
        interp_parallel(c->threads, j.rank < 2 ? 1 : j.y->dim[0] * j.y->dim[1], resize_plane,
                        &(resize_task){&j, c});
    for (int a = 0; a < j.rank; a++) free(taps[a]);
    return ok || ir_fail(c->d, IR_EXIT_FAILURE, "%s: out of memory", n->name);
}
