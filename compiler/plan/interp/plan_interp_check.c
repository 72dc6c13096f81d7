/* plan_interp_check.c: what a plan computes beside what its model means. */
#include "compare.h"
#include "plan_interp.h"
#include "plan_interp_machine.h"

#include <inttypes.h>
#include <stdlib.h>

/* Values in memory are rounded to f32, or to the half precision of a GPU's channels-last values; sums are
 * not. Integers (classes) may differ where two floats are as good as equal. Below its smallest normal number
 * a format keeps no digits. */
typedef struct limits {
    double rms, integers; /* the part of them that may differ */
    double smallest;
} limits;
static const limits by_storage[IR_STORAGE_COUNT] = {[IR_STORE_OWN] = {1e-4, 0.01, 0x1p-126},
                                                    [IR_STORE_F16] = {2e-2, 0.2, 0x1p-14},
                                                    [IR_STORE_BF16] = {1e-1, 0.4, 0x1p-126}};

static limits limits_of(const ir_graph *g) {
    limits most = by_storage[IR_STORE_OWN];
    for (int i = 0; i < g->n_tensors; i++)
        if (by_storage[g->tensors[i]->gpu.storage].rms > most.rms)
            most = by_storage[g->tensors[i]->gpu.storage];
    return most;
}

/* Floats in [-1, 1), integers in [0, 8), false and true. */
static bool make_input(const ir_tensor *t, uint64_t seed, ir_value *v, ir_diag *d) {
    if (!ir_value_new(t, v, d)) return false;
    for (int64_t i = 0; i < ir_count(t); i++) {
        uint64_t bits = ir_random(seed, (uint64_t)i) >> 40;
        if (v->f)
            v->f[i] = (double)bits * 0x1p-23 - 1;
        else
            v->i[i] = (int64_t)(bits >> (t->dtype == IR_BOOL ? 23 : 21));
    }
    return true;
}

static bool same_ports(const ir_graph *a, const ir_graph *b) {
    bool same = a->n_inputs == b->n_inputs && a->n_outputs == b->n_outputs;
    for (int i = 0; same && i < a->n_inputs; i++) same = ir_same_shape(a->inputs[i], b->inputs[i]);
    for (int i = 0; same && i < a->n_outputs; i++)
        same = ir_same_shape(a->outputs[i], b->outputs[i]) && a->outputs[i]->dtype == b->outputs[i]->dtype;
    return same;
}

static bool same_integers(const ir_tensor *t, const ir_value *got, const ir_value *want, double part,
                          ir_diag *d) {
    int64_t count = ir_count(t), differ = 0, first = -1;
    for (int64_t i = 0; i < count; i++) {
        if (got->i[i] == want->i[i]) continue;
        if (first < 0) first = i;
        differ++;
    }
    if ((double)differ <= part * (double)count) return true;
    return ir_fail(d, IR_EXIT_FAILURE,
                   "plan: output %%%s: %" PRId64 " of %" PRId64 " elements differ, element %" PRId64
                   " is %" PRId64 " instead of %" PRId64,
                   t->name, differ, count, first, got->i[first], want->i[first]);
}

static bool same_output(const ir_tensor *t, const ir_value *got, const ir_value *want, limits l, ir_diag *d) {
    if (!got->f) return same_integers(t, got, want, l.integers, d);
    tolerance limit = {-1, -1, l.rms, -1, -1};
    comparison c = compare(t, got, want, 0.5, &limit);
    return compare_passes(&c, &limit) || (!c.not_finite && c.max_abs < l.smallest) ||
           ir_fail(d, IR_EXIT_FAILURE,
                   "plan: output %%%s: relative RMS error %.3g, element %" PRId64
                   " is %.9g instead of %.9g%s",
                   t->name, c.rms, c.worst, c.worst_got, c.worst_expected,
                   c.not_finite ? "; NaN or infinity on one side" : "");
}

/* Where something overflows, there is nothing to compare: the plan has been followed, and no more can be
 * said. */
static bool compare_runs(const ir_graph *source, const ir_graph *planned, const ir_value *in, ir_value *want,
                         ir_value *got, ir_diag *d) {
    bool overflows;
    if (!ir_interpret(source, in, want, 1, NULL, NULL, d) || !plan_run(planned, in, got, &overflows, d))
        return false;
    for (int k = 0; k < source->n_outputs && !overflows; k++)
        if (!same_output(source->outputs[k], &got[k], &want[k], limits_of(planned), d)) return false;
    return true;
}

bool plan_check(const ir_graph *source, const ir_graph *planned, uint64_t seed, ir_diag *d) {
    if (!same_ports(source, planned))
        return ir_fail(d, IR_EXIT_FAILURE, "plan: %s has other inputs or outputs than its source",
                       planned->name);
    size_t ins = (size_t)source->n_inputs + 1, outs = (size_t)source->n_outputs + 1;
    ir_value *in = calloc(ins, sizeof *in), *want = calloc(outs, sizeof *want),
             *got = calloc(outs, sizeof *got);
    bool ok = (in && want && got) || ir_fail(d, IR_EXIT_FAILURE, "out of memory");
    for (int k = 0; ok && k < source->n_inputs; k++)
        ok = make_input(source->inputs[k], ir_mix(seed + (uint64_t)k), &in[k], d);
    ok = ok && compare_runs(source, planned, in, want, got, d);
    if (in) ir_values_free(in, source->n_inputs);
    if (want) ir_values_free(want, source->n_outputs);
    if (got) ir_values_free(got, source->n_outputs);
    free(in);
    free(want);
    free(got);
    return ok;
}
