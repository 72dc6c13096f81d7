/* layer_check.c: see layer_check.h. */
#include "layer_check.h"

#include "slots.h"
#include "vox_limits.h"
#include "way.h"

#include <string.h>

/* By template, which is by family of kernels; others: "value". As vox_check.h judges them. */
static const struct {
    const char *template_file, *of;
} measures[] = {
    {"conv.c.in", "terms"},       {"winograd.c.in", "terms"}, {"norm.c.in", "terms"},
    {"norm_terms.c.in", "terms"}, {"reduce.c.in", "terms"},   {"concat.c.in", "exact"},
    {"copy.c.in", "exact"},       {"pad.c.in", "exact"},      {"gather.c.in", "exact"},
    {"relayout.c.in", "exact"},
};

static const char *measure_of(const ir_node *n) {
    const cg_kernel k = cg_kernel_for(n);
    for (size_t i = 0; k.slots && i < sizeof measures / sizeof *measures; i++)
        if (strcmp(k.template_file, measures[i].template_file) == 0) return measures[i].of;
    return "value";
}

static double rounding_of(const ir_node *n) {
    if (n->op != IR_OP_CONV) return 1;
    const cg_choice c = cg_choice_of(n);
    return c.way->rounding ? c.way->rounding(&c) : 1;
}

void c_add_layer_check(vox_json *j, const ir_node *n) {
    const char *of = measure_of(n);
    vox_json_begin(j, "check", "{");
    vox_json_number(j, "tolerance", 6, strcmp(of, "exact") == 0 ? 0 : VOX_CHECK_TOLERANCE);
    vox_json_text(j, "of", of);
    if (n->op == IR_OP_CONV || n->op == IR_OP_CONV_TRANSPOSE)
        vox_json_number(j, "rounding", 3, rounding_of(n));
    vox_json_end(j);
}
