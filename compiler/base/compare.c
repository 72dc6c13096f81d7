#include "compare.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double element_value(const ir_tensor *t, const ir_value *v, int64_t i) {
    return ir_dtype_is_float(t->dtype) ? v->f[i] : (double)v->i[i];
}

static double ulp_of(double x) {
    double magnitude = fabs(x);
    if (magnitude < FLT_MIN) return (double)FLT_MIN * FLT_EPSILON;
    return ldexp(1.0, ilogb(magnitude) - 23);
}

double compare_scale(const ir_tensor *t) {
    const ir_node *n = t->producer;
    const char *act = n && ir_get(n, IR_ACT) ? ir_word(n, IR_ACT) : NULL;
    bool bounded =
        n && (n->op == IR_OP_SIGMOID || n->op == IR_OP_SOFTMAX || (act && strcmp(act, "sigmoid") == 0));
    return bounded ? 1 : 0;
}

static void compare_elements(const ir_tensor *t, const ir_value *got, const ir_value *expected,
                             const tolerance *limit, comparison *c) {
    double squares = 0, reference = 0, scale = compare_scale(t);
    double atol = limit->atol > 0 ? limit->atol : 0, rtol = limit->rtol > 0 ? limit->rtol : 0;
    for (int64_t i = 0; i < c->count; i++) {
        double a = element_value(t, got, i), b = element_value(t, expected, i);
        if (isnan(a) && isnan(b)) continue;
        if (a == b) {
            if (isfinite(b)) reference += scale > 0 ? scale * scale : b * b;
            continue;
        }
        if (!isfinite(a) || !isfinite(b)) {
            c->not_finite++;
            continue;
        }
        double error = fabs(a - b);
        if (error > c->max_abs) {
            c->max_abs = error;
            c->worst = i;
            c->worst_got = a;
            c->worst_expected = b;
        }
        c->max_ulp = fmax(c->max_ulp, error / ulp_of(b));
        c->over += error > atol + rtol * fabs(b);
        squares += error * error;
        reference += scale > 0 ? scale * scale : b * b;
    }
    if (squares > 0) c->rms = reference > 0 ? sqrt(squares / reference) : INFINITY;
}

/* Label of position p, where channels are `inner` elements apart. */
static int64_t class_at(const ir_tensor *t, const ir_value *v, int64_t p, int64_t inner, double level) {
    if (!ir_dtype_is_float(t->dtype)) return v->i[p];
    int64_t channels = t->dim[1], first = p / inner * inner * channels + p % inner, best = 0;
    if (channels == 1) return v->f[first] > level;
    for (int64_t k = 1; k < channels; k++)
        if (v->f[first + k * inner] > v->f[first + best * inner]) best = k;
    return best;
}

static double smallest_dice(const ir_tensor *t, const ir_value *got, const ir_value *expected, double level) {
    enum { LABELS = 256 };
    int64_t both[LABELS] = {0}, a_count[LABELS] = {0}, b_count[LABELS] = {0};
    bool scores = ir_dtype_is_float(t->dtype);
    if (scores && t->rank < 3) return 1;
    int64_t inner = 1, positions = ir_count(t);
    for (int a = 2; scores && a < t->rank; a++) inner *= t->dim[a];
    if (scores && t->dim[1] > 0) positions /= t->dim[1];
    for (int64_t p = 0; p < positions; p++) {
        int64_t a = class_at(t, got, p, inner, level), b = class_at(t, expected, p, inner, level);
        if (a < 0 || b < 0 || a >= LABELS || b >= LABELS) return a == b ? 1 : 0;
        a_count[a]++;
        b_count[b]++;
        both[a] += a == b;
    }
    double least = 1;
    for (int k = 0; k < LABELS; k++)
        if (a_count[k] + b_count[k] > 0)
            least = fmin(least, 2.0 * (double)both[k] / (double)(a_count[k] + b_count[k]));
    return least;
}

comparison compare(const ir_tensor *t, const ir_value *got, const ir_value *expected, double level,
                   const tolerance *limit) {
    comparison c = {.count = ir_count(t), .min_dice = 1};
    compare_elements(t, got, expected, limit, &c);
    c.min_dice = smallest_dice(t, got, expected, level);
    return c;
}

bool compare_passes(const comparison *c, const tolerance *limit) {
    if (c->not_finite > 0) return false;
    if ((limit->atol >= 0 || limit->rtol >= 0) && c->over > 0) return false;
    if (limit->max_rms >= 0 && !(c->rms <= limit->max_rms)) return false;
    if (limit->max_ulp >= 0 && c->max_ulp > limit->max_ulp) return false;
    return limit->min_dice < 0 || c->min_dice >= limit->min_dice;
}
