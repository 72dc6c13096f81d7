/* SPDX-License-Identifier: MIT-0 */
/* backend.h: where the program runs its model: the processor, or what a bundle brings besides. */
#ifndef VOX_BACKEND_H
#define VOX_BACKEND_H

#include "host.h"
#include "verb_options.h"

/* What a verb needs of its model. */
typedef struct vox_request {
    const char *weights; /* file; NULL: beside the program */
    int threads;         /* of the processor; 0: one for each */
    int selftest;        /* the model will test itself */
    int runs;            /* as many will be submitted one behind another; 0: unknown */
    const vox_settings *settings;
} vox_request;

vox_backend vox_cpu_backend(const vox_model_info *model);

/* The backend that --device names, else the first that this machine has, else the first; NULL: none of that
 * name (printed). */
const vox_backend *vox_backend_of(const vox_context *c);
/* Opens h on it; close with vox_host_close. */
int vox_backend_open(vox_host *h, const vox_context *c, const vox_request *r);

#endif
