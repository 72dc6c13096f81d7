/* verify.h: what the files of the verifier share. Internal to ir/. */
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

/* Records "invariant NAME: ..." with IR_EXIT_FAILURE. Returns false. */
bool verify_broken(verifier *v, const char *name, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

bool verify_is_output(const verifier *v, const ir_tensor *t);

/* Who reads each tensor, as it says itself (verify_uses.c). */
bool verify_uses(verifier *v);

/* How a view's bytes relate to those of the tensor that it lives in. */
typedef enum verify_view {
    VERIFY_NO_VIEW,
    VERIFY_PART,    /* the same values: concat member, reshape either way */
    VERIFY_IN_PLACE /* one of the two is computed from the other, where that lies */
} verify_view;
verify_view verify_view_kind(const ir_tensor *t);

/* Layouts, views and fused values (verify_place.c); they rely on a sound structure. */
bool verify_layouts(verifier *v);
bool verify_views(verifier *v);
bool verify_fused(verifier *v);
/* What convs do for norms: values normalised on load, sums gathered (verify_norm.c). */
bool verify_norms(verifier *v);
/* Groups of nodes that stream, and the rings between them (verify_stream.c). */
bool verify_streams(verifier *v);
/* The first and the last node of the group of node `at`; both `at` if it is in none. */
int verify_group_first(const verifier *v, int at);
int verify_group_last(const verifier *v, int at);
/* What runs each node on a GPU (verify_gpu.c); relies on sound streams. */
bool verify_gpu(verifier *v);
/* The memory plan (verify_memory.c); relies on sound views. */
bool verify_memory(verifier *v);
/* Per operand of a concat the byte of the result at which it begins, inside a voxel where that is channels
 * last; -1: it is not one piece of it (verify_place.c). */
int64_t *verify_places_in(const ir_node *concat, ir_arena *arena);
/* Whose bytes each node reads (verify_content.c); relies on a sound memory plan. */
bool verify_content(verifier *v);

#endif
