/* SPDX-License-Identifier: MIT-0 */
/* vox_cudnn_internal.h: what the three files behind vox_cudnn.h share. */
#ifndef VOX_CUDNN_INTERNAL_H
#define VOX_CUDNN_INTERNAL_H

#include "vox_cudnn.h"

typedef cudnnBackendDescriptor_t vox_desc;

/* ---- descriptors (vox_cudnn_graph.c) ---------------------------------------------------------- */

enum { VOX_SCOPE_MOST = 160, VOX_PROPOSALS_MOST = 64, VOX_KNOBS_MOST = 32, VOX_CANDIDATES_MOST = 16 };

/* Descriptors made on the way to something, destroyed together however it ends. After the first failure every
 * further call does nothing, so that what builds them reads straight on. Starts as {0}. */
typedef struct vox_scope {
    vox_desc made[VOX_SCOPE_MOST];
    int n;
    cudnnStatus_t status;
    const char *failed; /* what was being made */
} vox_scope;

vox_desc vox_scope_make(vox_scope *scope, cudnnBackendDescriptorType_t type, const char *what);
void vox_scope_set(vox_scope *scope, vox_desc desc, cudnnBackendAttributeName_t name,
                   cudnnBackendAttributeType_t type, int64_t count, const void *value);
/* The same, except that a NULL descriptor is left out. */
void vox_scope_link(vox_scope *scope, vox_desc desc, cudnnBackendAttributeName_t name, vox_desc to);
void vox_scope_finalize(vox_scope *scope, vox_desc desc);
/* How many elements it wrote, at most `most`; 0 after a failure. */
int64_t vox_scope_get(vox_scope *scope, vox_desc desc, cudnnBackendAttributeName_t name,
                      cudnnBackendAttributeType_t type, int64_t most, void *value);
vox_desc vox_scope_release(vox_scope *scope, vox_desc desc); /* now the caller's; NULL after a failure */
void vox_scope_end(vox_scope *scope);

/* Unique ids of the graph's tensors in memory. */
enum { VOX_UID_X = 1, VOX_UID_W, VOX_UID_Y, VOX_UID_BIAS, VOX_UID_VIRTUAL };

/* The operation graph of a convolution that vox_conv3d_check accepts; lives as long as the scope. */
vox_desc vox_conv3d_graph(vox_scope *scope, cudnnHandle_t handle, const vox_conv3d *conv);
/* NULL, or what is wrong with it. */
const char *vox_conv3d_check(const vox_conv3d *conv);

enum { VOX_CONV3D_TEXT = 360 };
/* Everything that the choice of a plan depends on, in a line. */
void vox_conv3d_text(const vox_conv3d *conv, char text[VOX_CONV3D_TEXT]);

/* Hands "<convolution>: <what>: <status>: <cuDNN's reason>" to the log; returns status. conv may be NULL. */
cudnnStatus_t vox_cudnn_fail(const vox_cudnn_log *log, const vox_conv3d *conv, cudnnStatus_t status,
                             const char *what);
void vox_cudnn_say(const vox_cudnn_log *log, const char *text);

/* ---- plans (vox_cudnn.c) ---------------------------------------------------------------------- */

typedef struct vox_knob {
    int64_t type, value;
} vox_knob;

/* An engine with its settings: what the cache remembers. */
typedef struct vox_choice {
    int64_t engine;
    int tuned; /* it has been measured against the others */
    int n_knobs;
    vox_knob knob[VOX_KNOBS_MOST];
} vox_choice;

typedef struct vox_candidate {
    vox_desc plan; /* owned */
    vox_choice choice;
    unsigned numerical, behavior; /* bit n: cuDNN's note n */
    int64_t workspace;
    const char *from;
} vox_candidate;

struct vox_plan {
    vox_conv3d conv;
    vox_plan_policy policy;
    vox_cudnn_log log;
    int n; /* >= 1; the first is the one in use */
    vox_candidate candidate[VOX_CANDIDATES_MOST];
};

/* "2:10,13:32" */
enum { VOX_KNOBS_TEXT = 16 * VOX_KNOBS_MOST };
void vox_choice_knobs_text(const vox_choice *choice, char text[VOX_KNOBS_TEXT]);

/* ---- cache (vox_cudnn_cache.c) ---------------------------------------------------------------- */

/* 1: it is remembered. */
int vox_plan_cache_find(const vox_plan_cache *cache, const vox_conv3d *conv, const vox_plan_policy *policy,
                        vox_choice *choice);

#endif
