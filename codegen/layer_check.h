/* layer_check.h: what the self-test allows each layer of target c, for manifest.json. */
#ifndef VOXC_CG_LAYER_CHECK_H
#define VOXC_CG_LAYER_CHECK_H

#include "cg_text.h"
#include "ir.h"

/* Deepest stack of the library's part of a bundle in bytes, without libc's and the host's own; nothing in it
 * is recursive. tests/stack.sh measures it. */
enum { CG_STACK_BYTES = 96 * 1024 };

/* {"tolerance": 1e-05, "of": "terms", "rounding": 2.5}: an error is at most `tolerance` of the layer's RMS
 * and of what `of` says: "terms", the sum of the absolute terms that are added; "value", the value itself;
 * "exact": no error at all. rounding: how many times a direct sum's the RMS rounding error of the algorithm
 * is, at most. */
void cg_add_layer_check(cg_text *s, const ir_node *n);

#endif
