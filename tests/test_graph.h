/* test_graph.h: graphs as text for tests of the interpreter and the passes. Header only. */
#ifndef VOXC_TEST_GRAPH_H
#define VOXC_TEST_GRAPH_H

#include "test.h"

#include "ir.h"
#include "plan_verify.h"

/* Parses `text` behind a "graph t" line; a text with an error fails the test. */
static TEST_UNUSED ir_graph *test_graph(const char *text) {
    char *whole = test_format("graph t\n%s", text);
    ir_diag d = {0};
    ir_graph *g = ir_parse(whole, "test", NULL, NULL, &d);
    if (!g) fail_msg("%s\n%s", d.text, whole);
    free(whole);
    return g;
}

/* Values for g's inputs, the same for every graph whose inputs have these sizes: multiples of 2^-23 in [-1,
 * 1), for integers in [0, 8). */
static TEST_UNUSED ir_value *test_inputs(const ir_graph *g) {
    ir_value *v = calloc((size_t)g->n_inputs + 1, sizeof *v);
    uint64_t state = 7;
    if (!v) abort();
    for (int k = 0; k < g->n_inputs; k++) {
        int64_t n = ir_count(g->inputs[k]);
        void *cells = calloc((size_t)n + 1, sizeof(double));
        if (!cells) abort();
        bool floats = ir_dtype_is_float(g->inputs[k]->dtype);
        if (floats)
            v[k].f = cells;
        else
            v[k].i = cells;
        for (int64_t i = 0; i < n; i++) {
            float r = test_random(&state);
            if (floats)
                v[k].f[i] = r;
            else
                v[k].i[i] = (int64_t)((r + 1) * 4);
        }
    }
    return v;
}

/* The outputs of g on those inputs. Free with ir_values_free and free. */
static TEST_UNUSED ir_value *test_interpret(const ir_graph *g, int threads) {
    ir_value *in = test_inputs(g), *out = calloc((size_t)g->n_outputs + 1, sizeof *out);
    ir_diag d = {0};
    if (!out) abort();
    if (!ir_interpret(g, in, out, threads, NULL, NULL, &d)) fail_msg("%s", d.text);
    ir_values_free(in, g->n_inputs);
    free(in);
    return out;
}

static TEST_UNUSED double test_cell(const ir_value *v, int64_t i) {
    return v->f ? v->f[i] : (double)v->i[i];
}

/* Fails unless output k of a and of b have the same elements, to `tolerance` relative to their size (at least
 * 1). */
static TEST_UNUSED void test_same_values(const ir_graph *g, const ir_value *a, const ir_value *b,
                                         double tolerance) {
    for (int k = 0; k < g->n_outputs; k++)
        for (int64_t i = 0; i < ir_count(g->outputs[k]); i++) {
            double x = test_cell(&a[k], i), y = test_cell(&b[k], i);
            if (!(fabs(x - y) <= tolerance * fmax(1, fabs(y))) && x != y)
                fail_msg("output %d, element %lld: %.17g and %.17g", k, (long long)i, x, y);
        }
}

/* A pass, or several in order. */
typedef bool test_pass(ir_graph *g, ir_diag *d);

/* Fails unless g prints as the graph of text `want` does; NULL: any text will do. */
static TEST_UNUSED void test_check_text(const char *name, const ir_graph *g, const char *want) {
    ir_graph *other = want ? test_graph(want) : NULL;
    char *text = ir_print_string(g), *expected = other ? ir_print_string(other) : NULL;
    if (expected && strcmp(text, expected) != 0)
        fail_msg("%s: became\n%s\nexpected\n%s", name, text, expected);
    free(text);
    free(expected);
    ir_graph_free(other);
}

/* Runs `pass` on `before`. Its text must become `after` (NULL: any text), and its outputs keep their names,
 * types and, to `tolerance`, their values on random inputs. */
static TEST_UNUSED void test_check_pass(const char *name, test_pass *pass, const char *before,
                                        const char *after, double tolerance) {
    ir_graph *old = test_graph(before), *g = test_graph(before);
    ir_diag d = {0};
    if (!pass(g, &d)) fail_msg("%s: %s", name, d.text);
    if (!plan_verify(g, &d)) fail_msg("%s: %s", name, d.text);
    test_check_text(name, g, after);
    assert_int_equal(old->n_outputs, g->n_outputs);
    for (int k = 0; k < g->n_outputs; k++) {
        assert_string_equal(old->outputs[k]->name, g->outputs[k]->name);
        assert_true(ir_same_shape(old->outputs[k], g->outputs[k]));
    }
    ir_value *a = test_interpret(old, 1), *b = test_interpret(g, 1);
    test_same_values(g, b, a, tolerance);
    ir_values_free(a, g->n_outputs);
    ir_values_free(b, g->n_outputs);
    free(a);
    free(b);
    ir_graph_free(old);
    ir_graph_free(g);
}

#endif
