/* verify_lib.h: graphs, and what the verifier is to say of them. */
#ifndef VERIFY_LIB_H
#define VERIFY_LIB_H

#include "test.h"

#include "ir.h"
#include "plan_verify.h"

typedef struct plan {
    const char *broken; /* the invariant, or NULL: sound */
    const char *text;   /* behind the operands */
} plan;

static TEST_UNUSED ir_graph *parse(const char *text) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(text, "t.ir", NULL, NULL, &d);
    if (!g) fail_msg("%s\n%s", text, d.text);
    return g;
}

static TEST_UNUSED void expect_sound(const ir_graph *g) {
    ir_diag d = {0};
    if (!plan_verify(g, &d)) fail_msg("%s", d.text);
    assert_int_equal(d.code, 0);
}

static TEST_UNUSED void expect_broken(const ir_graph *g, const char *name, const char *about) {
    ir_diag d = {0};
    char *want = test_format("invariant %s: ", name);
    if (plan_verify(g, &d)) fail_msg("not noticed: %s (%s)", name, about);
    if (strncmp(d.text, want, strlen(want))) fail_msg("wanted %s (%s), got %s", name, about, d.text);
    assert_int_equal(d.code, IR_EXIT_FAILURE);
    free(want);
}

#endif
