/* SPDX-License-Identifier: MIT-0 */
/* segmenting.h: volumes in memory through vox_segment, one after another, on the backend of a program. */
#ifndef VOX_SEGMENTING_H
#define VOX_SEGMENTING_H

#include "backend.h"
#include "report.h"
#include "vox_volume.h"

typedef struct vox_segmenting {
    vox_host host;
    vox_segment_options options; /* what the user asks for; the arena and the runner are set here */
    vox_segment_result result;   /* of the last volume */
    vox_pool *pool;              /* NULL: the host's */
    void **folds;                /* prepared weights, the first one's the host's own */
    int n_folds;
    void *arena;
    size_t arena_bytes;
    vox_progress progress;
    bool quiet;
    double seconds[2]; /* of the last volume: all of vox_segment, and the network in it */
    /* of a run */
    vox_runner runner;
    int code; /* a message was printed with it */
    int done, total;
    double started, told;
} vox_segmenting;

typedef struct vox_segmenting_request {
    const vox_context *context;
    const char *weights; /* NULL: beside the program */
    const char *folds;   /* more of them, FILE,FILE,...; NULL: none */
    int threads, runs;   /* vox_request's */
    bool quiet;
} vox_segmenting_request;

/* Prepares the weights. Prints its error and returns the exit code; close it in any case. */
int vox_segmenting_open(vox_segmenting *s, const vox_segmenting_request *r);
void vox_segmenting_close(vox_segmenting *s);

/* Labels of a volume. name: of its file, for messages. Prints its error and returns the exit code. */
int vox_segmenting_run(vox_segmenting *s, const char *name, const vox_volume *volume,
                       const vox_labels *labels);

/* Prints what a status of vox_segment, or of vox_segment_plan, means for a file; returns the exit code. */
int vox_segmenting_fail(const vox_model_info *m, const char *name, const vox_volume *volume,
                        const vox_segment_result *result, vox_status status);

#endif
