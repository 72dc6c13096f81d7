/* interp_data.c: interpreter, the ops that move elements without looking at them. */
#include "interp.h"

#include <math.h>
#include <string.h>

void interp_strides(const ir_tensor *t, int64_t *stride) {
    int64_t s = 1;
    for (int a = t->rank - 1; a >= 0; a--) {
        stride[a] = s;
        s *= t->dim[a];
    }
}

void interp_broadcast(const ir_tensor *x, const ir_tensor *y, int64_t *stride) {
    int64_t own[IR_MAX_RANK];
    int missing = y->rank - x->rank;
    interp_strides(x, own);
    for (int a = 0; a < y->rank; a++)
        stride[a] = a < missing || x->dim[a - missing] == 1 ? 0 : own[a - missing];
}

void interp_step(int rank, const int64_t *dim, int64_t *index, int n, int64_t *offset,
                 const int64_t (*stride)[IR_MAX_RANK]) {
    for (int a = rank - 1; a >= 0; a--) {
        for (int k = 0; k < n; k++) offset[k] += stride[k][a];
        if (++index[a] < dim[a]) return;
        for (int k = 0; k < n; k++) offset[k] -= stride[k][a] * dim[a];
        index[a] = 0;
    }
}

void interp_copy_box(int rank, const int64_t *dim, const char *x, const int64_t *xs, char *y,
                     const int64_t *ys) {
    if (rank == 0) {
        memcpy(y, x, INTERP_CELL);
    } else if (rank == 1 && xs[0] == 1 && ys[0] == 1) {
        memcpy(y, x, (size_t)dim[0] * INTERP_CELL);
    } else {
        for (int64_t i = 0; i < dim[0]; i++)
            interp_copy_box(rank - 1, dim + 1, x + i * xs[0] * INTERP_CELL, xs + 1,
                            y + i * ys[0] * INTERP_CELL, ys + 1);
    }
}

interp_axis interp_split(const ir_tensor *t, int axis) {
    interp_axis s = {1, t->dim[axis], 1};
    for (int a = 0; a < axis; a++) s.outer *= t->dim[a];
    for (int a = axis + 1; a < t->rank; a++) s.inner *= t->dim[a];
    return s;
}

/* Reshape and layout changes: the same elements in the same order. */
bool interp_same(const interp_call *c) {
    memcpy(interp_out_cells(&c->out[0]), interp_cells(&c->in[0]),
           (size_t)ir_count(c->n->out[0]) * INTERP_CELL);
    return true;
}

bool interp_concat(const interp_call *c) {
    const ir_tensor *y = c->n->out[0];
    int axis = (int)ir_int(c->n, IR_AXIS);
    int64_t xs[IR_MAX_RANK], ys[IR_MAX_RANK], at = 0;
    interp_strides(y, ys);
    for (int k = 0; k < c->n->n_in; k++) {
        const ir_tensor *x = c->n->in[k];
        interp_strides(x, xs);
        interp_copy_box(x->rank, x->dim, interp_cells(&c->in[k]), xs,
                        interp_out_cells(&c->out[0]) + at * ys[axis] * INTERP_CELL, ys);
        at += x->dim[axis];
    }
    return true;
}

bool interp_slice(const interp_call *c) {
    const ir_tensor *x = c->n->in[0], *y = c->n->out[0];
    const int64_t *begin = ir_ints(c->n, IR_BEGIN), *step = ir_ints(c->n, IR_STEP);
    int64_t xs[IR_MAX_RANK], ys[IR_MAX_RANK], start = 0;
    if (ir_count(y) == 0) return true;
    interp_strides(x, xs);
    interp_strides(y, ys);
    for (int a = 0; a < x->rank; a++) {
        start += begin[a] * xs[a];
        xs[a] *= step[a];
    }
    interp_copy_box(y->rank, y->dim, interp_cells(&c->in[0]) + start * INTERP_CELL, xs,
                    interp_out_cells(&c->out[0]), ys);
    return true;
}

bool interp_transpose(const interp_call *c) {
    const ir_tensor *x = c->n->in[0], *y = c->n->out[0];
    const int64_t *perm = ir_ints(c->n, IR_PERM);
    int64_t own[IR_MAX_RANK], xs[IR_MAX_RANK], ys[IR_MAX_RANK];
    interp_strides(x, own);
    interp_strides(y, ys);
    for (int a = 0; a < y->rank; a++) xs[a] = own[perm[a]];
    interp_copy_box(y->rank, y->dim, interp_cells(&c->in[0]), xs, interp_out_cells(&c->out[0]), ys);
    return true;
}

bool interp_expand(const interp_call *c) {
    const ir_tensor *y = c->n->out[0];
    int64_t xs[IR_MAX_RANK], ys[IR_MAX_RANK];
    interp_broadcast(c->n->in[0], y, xs);
    interp_strides(y, ys);
    interp_copy_box(y->rank, y->dim, interp_cells(&c->in[0]), xs, interp_out_cells(&c->out[0]), ys);
    return true;
}

bool interp_gather(const interp_call *c) {
    const ir_tensor *x = c->n->in[0], *index = c->n->in[1];
    interp_axis s = interp_split(x, (int)ir_int(c->n, IR_AXIS));
    int64_t n = ir_count(index);
    size_t row = (size_t)s.inner * INTERP_CELL;
    const char *from = interp_cells(&c->in[0]);
    char *to = interp_out_cells(&c->out[0]);
    for (int64_t k = 0; k < n; k++) {
        int64_t i = c->in[1].i[k];
        if (i < 0) i += s.axis;
        if (i < 0 || i >= s.axis)
            return ir_fail(c->d, IR_EXIT_INPUT, "%s: gather: index %lld is outside an axis of %lld elements",
                           c->n->name, (long long)c->in[1].i[k], (long long)s.axis);
        for (int64_t o = 0; o < s.outer; o++)
            memcpy(to + (size_t)(o * n + k) * row, from + (size_t)(o * s.axis + i) * row, row);
    }
    return true;
}

bool interp_where(const interp_call *c) {
    const ir_tensor *y = c->n->out[0];
    int64_t stride[3][IR_MAX_RANK] = {{0}}, index[IR_MAX_RANK] = {0}, at[3] = {0}, n = ir_count(y);
    for (int k = 0; k < 3; k++) interp_broadcast(c->n->in[k], y, stride[k]);
    for (int64_t i = 0; i < n; i++) {
        int from = c->in[0].i[at[0]] ? 1 : 2;
        memcpy(interp_out_cells(&c->out[0]) + i * INTERP_CELL,
               interp_cells(&c->in[from]) + at[from] * INTERP_CELL, INTERP_CELL);
        interp_step(y->rank, y->dim, index, 3, at, (const int64_t(*)[IR_MAX_RANK])stride);
    }
    return true;
}

bool interp_shape(const interp_call *c) {
    for (int a = 0; a < c->n->in[0]->rank; a++) c->out[0].i[a] = c->n->in[0]->dim[a];
    return true;
}

bool interp_range(const interp_call *c) {
    const ir_value *start = &c->in[0], *delta = &c->in[2], *y = &c->out[0];
    int64_t n = ir_count(c->n->out[0]);
    for (int64_t i = 0; i < n; i++) {
        if (y->f)
            y->f[i] = start->f[0] + (double)i * delta->f[0];
        else
            y->i[i] = (int64_t)((uint64_t)start->i[0] + (uint64_t)i * (uint64_t)delta->i[0]);
    }
    return true;
}

/* ---- pad ------------------------------------------------------------------------------------- */

static int64_t modulo(int64_t a, int64_t n) {
    return (a % n + n) % n;
}

static int64_t pad_outside(int64_t i, int64_t n) {
    (void)i, (void)n;
    return -1;
}
static int64_t pad_edge(int64_t i, int64_t n) {
    return i < 0 ? 0 : n - 1;
}
static int64_t pad_wrap(int64_t i, int64_t n) {
    return modulo(i, n);
}
/* Mirrored without repeating the border element: period 2(n - 1). */
static int64_t pad_reflect(int64_t i, int64_t n) {
    if (n == 1) return 0;
    i = modulo(i, 2 * (n - 1));
    return i < n ? i : 2 * (n - 1) - i;
}

static const struct pad_mode {
    const char *name;
    int64_t (*source)(int64_t i, int64_t n); /* of an index outside [0, n); -1: the constant */
} pad_modes[] = {{"constant", pad_outside}, {"edge", pad_edge}, {"reflect", pad_reflect}, {"wrap", pad_wrap}};

typedef struct pad_job {
    int rank;
    const int64_t *begin, *x_dim, *y_dim;
    int64_t xs[IR_MAX_RANK], ys[IR_MAX_RANK];
    const struct pad_mode *mode;
    char fill[INTERP_CELL];
} pad_job;

static void fill_box(const pad_job *j, int axis, char *y) {
    int64_t n = 1;
    for (int a = axis; a < j->rank; a++) n *= j->y_dim[a];
    for (int64_t i = 0; i < n; i++) memcpy(y + i * INTERP_CELL, j->fill, INTERP_CELL);
}

static void pad_axis(const pad_job *j, int axis, const char *x, char *y) {
    if (axis == j->rank) {
        memcpy(y, x, INTERP_CELL);
        return;
    }
    for (int64_t i = 0; i < j->y_dim[axis]; i++) {
        int64_t from = i - j->begin[axis], n = j->x_dim[axis];
        char *to = y + i * j->ys[axis] * INTERP_CELL;
        if (from < 0 || from >= n) from = n > 0 ? j->mode->source(from, n) : -1;
        if (from < 0)
            fill_box(j, axis + 1, to);
        else
            pad_axis(j, axis + 1, x + from * j->xs[axis] * INTERP_CELL, to);
    }
}

bool interp_pad(const interp_call *c) {
    const ir_tensor *x = c->n->in[0], *y = c->n->out[0];
    const ir_attr *value = ir_get(c->n, IR_VALUE);
    double f = value ? value->f[0] : 0;
    int64_t i = interp_whole(c->n->out[0]->dtype, f);
    pad_job j = {.rank = x->rank, .begin = ir_ints(c->n, IR_PAD), .x_dim = x->dim, .y_dim = y->dim};
    for (size_t m = 0; m < sizeof pad_modes / sizeof pad_modes[0]; m++)
        if (strcmp(pad_modes[m].name, ir_word(c->n, IR_MODE)) == 0) j.mode = &pad_modes[m];
    if (!j.mode) ir_die("pad: no mode %s", ir_word(c->n, IR_MODE));
    interp_strides(x, j.xs);
    interp_strides(y, j.ys);
    memcpy(j.fill, c->out[0].f ? (const void *)&f : (const void *)&i, INTERP_CELL);
    pad_axis(&j, 0, interp_cells(&c->in[0]), interp_out_cells(&c->out[0]));
    return true;
}
