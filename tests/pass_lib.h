/* pass_lib.h: passes on graphs in text form. */
#ifndef PASS_LIB_H
#define PASS_LIB_H

#include "plan_verify.h"
#include "test_graph.h"

static TEST_UNUSED ir_graph *parse(const char *text) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(text, "test", NULL, NULL, &d);
    if (!g) fail_msg("%s\n%s", text, d.text);
    return g;
}

/* The pass runs and leaves a sound graph. */
static TEST_UNUSED void must(bool (*pass)(ir_graph *, ir_diag *), ir_graph *g) {
    ir_diag d = {0};
    if (!pass(g, &d)) fail_msg("%s", d.text);
    if (!plan_verify(g, &d)) fail_msg("%s", d.text);
}

static TEST_UNUSED void expect(ir_graph *g, const char *line) {
    char *text = ir_print_string(g);
    if (!strstr(text, line)) fail_msg("expected\n%s\nin\n%s", line, text);
    free(text);
}

static TEST_UNUSED void expect_not(ir_graph *g, const char *words) {
    char *text = ir_print_string(g);
    if (strstr(text, words)) fail_msg("did not expect %s in\n%s", words, text);
    free(text);
}

#endif
