/* layer_check.h: what the self-test allows each layer of target c, for manifest.json. */
#ifndef VOXC_CG_LAYER_CHECK_H
#define VOXC_CG_LAYER_CHECK_H

#include "ir.h"
#include "json_write.h"

/* "check": {"tolerance": 1e-05, "of": "terms", "rounding": 2.5}: an error is at most `tolerance` of the layer's
 * RMS and of what `of` says: "terms", the sum of the absolute terms that are added; "value", the value itself;
 * "exact": no error at all. rounding: how many times a direct sum's the RMS rounding error of the algorithm is,
 * at most. */
void c_add_layer_check(vox_json *j, const ir_node *n);

#endif
