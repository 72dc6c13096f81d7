/* verify_parts.h: the parts of plan_verify that hold for every target, and what verifiers of passes share.
 * Each part relies on those in front of it. */
#ifndef VOXC_VERIFY_PARTS_H
#define VOXC_VERIFY_PARTS_H

#include "verify.h"

/* How a view's bytes relate to those of the tensor that it lives in. */
typedef enum verify_view {
    VERIFY_NO_VIEW,
    VERIFY_PART,    /* the same values: concat member, reshape either way */
    VERIFY_IN_PLACE /* one of the two is computed from the other, where that lies */
} verify_view;
verify_view verify_view_kind(const ir_tensor *t);

/* Which layouts of memory each operator reads and writes (verify_layouts.c), and what lies in what
 * (verify_views.c). */
bool verify_layouts(verifier *v);
bool verify_views(verifier *v);
/* Groups of nodes that stream, and the rings between them (verify_stream.c). */
bool verify_streams(verifier *v);
/* The first and the last node of the group of node `at`; both `at` if it is in none. */
int verify_group_first(const verifier *v, int at);
int verify_group_last(const verifier *v, int at);
/* The memory plan (verify_memory.c); relies on sound views. */
bool verify_memory(verifier *v);
/* Per operand of a concat the byte of the result at which it begins, inside a voxel where that is channels
 * last; -1: it is not one piece of it (verify_views.c). */
int64_t *verify_places_in(const ir_node *concat, ir_arena *arena);
/* Whose bytes each node reads (verify_content.c); relies on a sound memory plan. */
bool verify_content(verifier *v);

#endif
