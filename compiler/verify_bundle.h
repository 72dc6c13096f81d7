/* verify_bundle.h: one run of a bundle beside the interpreter. */
#ifndef VOXC_VERIFY_BUNDLE_H
#define VOXC_VERIFY_BUNDLE_H

#include "compare.h"
#include "file_tensor.h"
#include "json_write.h"
#include "options.h"

#include <stdio.h>

typedef struct verify_run {
    const options *o;
    ir_graph *reference; /* what the interpreter runs: as imported, or a bundle's own graph */
    ir_graph *planned;   /* what the bundle was written from */
    const char *bundle;  /* its folder, built */
    const char *temp;    /* folder for tensors and logs */
    FILE *report;        /* what is found, as text or (o->json) as JSON: */
    vox_json json;
    int threads;
    tolerance limit;
    ir_value *inputs;         /* reference->n_inputs */
    ir_value *got, *expected; /* reference->n_outputs */
} verify_run;

/* Graph inputs that code generation needs as constants (a conv's weights) become constants with the data of
 * dir/input_N.pb (dir NULL: none do). numbers: room for n_inputs; receives the original number of each input
 * left. */
bool verify_bind_constants(ir_graph *g, const char *dir, int *numbers, ir_diag *d);
/* inputs: from --input, --test-data-dir, or seeded random. */
bool verify_inputs(verify_run *r, const int *numbers, ir_diag *d);
/* Runs <m> run; got. */
bool verify_execute(verify_run *r, ir_diag *d);
/* --expected, --test-data-dir or the interpreter; expected. */
bool verify_expect(verify_run *r, ir_diag *d);
/* Interprets `planned` layer by layer against the bundle's --dump; reports a line per layer, or the member
 * "layers" of a JSON object. *bad counts layers out of tolerance. */
bool verify_layers(verify_run *r, int *bad, ir_diag *d);
void verify_free(verify_run *r);

#endif
