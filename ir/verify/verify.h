/* verify.h: what the files of the verifiers share: ir/verify checks what a graph is, the rooms of
 * compiler/plan what their passes made of it. */
#ifndef VOXC_IR_VERIFY_H
#define VOXC_IR_VERIFY_H

#include "index.h"

typedef struct verifier {
    const ir_graph *g;
    ir_arena *scratch;
    ir_index index; /* tensor -> position in g->tensors */
    int *born;      /* per tensor: the node that writes it, -1 for inputs and constants */
    ir_diag *d;
} verifier;

/* Of g; its arena is the caller's to free. */
verifier verifier_of(const ir_graph *g, ir_diag *d);

/* Records "invariant NAME: ..." with IR_EXIT_FAILURE. Returns false. */
bool verify_broken(verifier *v, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

bool verify_is_output(const verifier *v, const ir_tensor *t);

/* Who reads each tensor, as it says itself (verify_uses.c). */
bool verify_uses(verifier *v);

/* Names, nodes, types and uses: all that holds whatever passes decide. */
bool verify_structure(verifier *v);

#endif
