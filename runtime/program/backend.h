/* SPDX-License-Identifier: MIT-0 */
/* backend.h: where the program runs its model: the processor, or what a bundle brings besides. */
#ifndef VOX_BACKEND_H
#define VOX_BACKEND_H

#include "host.h"
#include "options.h"

/* What a verb needs of its model. */
typedef struct vox_request {
    const char *weights; /* file; NULL: beside the program */
    int threads;         /* of the processor; 0: one for each */
    int selftest;        /* the model will test itself */
    int runs;            /* as many will be submitted one behind another; 0: unknown */
    const vox_settings *settings;
} vox_request;

/* Functions that can fail print their error and return the exit code. open leaves h as it was if it fails;
 * h->backend and h->model are set before it is called. The rest is NULL where the processor runs the model.
 */
struct vox_backend {
    const char *name; /* as --device takes it */
    const vox_model_info *model;
    const void *data;       /* the backend's own */
    int unchecked;          /* layers that its self-test does not recompute */
    int (*available)(void); /* whether this machine has it */
    int (*open)(vox_host *h, const vox_request *r);
    void (*close)(vox_host *h);
    int (*submit)(vox_host *h);  /* takes h->inputs, which may then be changed */
    int (*collect)(vox_host *h); /* waits for the oldest submitted run; fills h->outputs */
    vox_status (*selftest)(vox_host *h, const char **first_bad_layer, double *worst_error);
    int (*time_run)(vox_host *h, double *seconds);    /* of one run without copies */
    int (*time_layers)(vox_host *h, double *seconds); /* adds the time of each layer in one run */
    int (*print_plans)(vox_host *h);                  /* what bench says about the choices made */
};

vox_backend vox_cpu_backend(const vox_model_info *model);

/* Among `n` backends; NULL if there is none of that name. */
const vox_backend *vox_backend_named(const vox_backend *backends, int n, const char *name);
/* The backend that --device names, else the first that this machine has, else the first; NULL: none of that
 * name (printed). */
const vox_backend *vox_backend_of(const vox_context *c);
/* Opens h on it; close with vox_host_close. */
int vox_backend_open(vox_host *h, const vox_context *c, const vox_request *r);

#endif
