/* SPDX-License-Identifier: MIT-0 */
/* segmenting.h: volumes in memory through vox_segment, one after another, on the backend of a program. */
#ifndef VOX_SEGMENTING_H
#define VOX_SEGMENTING_H

#include "backend.h"
#include "report.h"
#include "vox_volume.h"

/* Where a volume stands among several, for the time that is left: by their sizes, in any unit. */
typedef struct vox_series {
    int number, count; /* number: from 1; count 0: there is but one */
    double before, now, after;
    double started; /* vox_seconds */
} vox_series;

typedef struct vox_segmenting {
    vox_host host;
    vox_segment_result result; /* of the last volume */
    vox_pool *pool;            /* NULL: the host's */
    void **folds;              /* prepared weights, the first one's the host's own */
    int n_folds;
    void *arena;
    size_t arena_bytes;
    vox_progress progress;
    bool quiet;
    int threads;
    /* Of the last volume: all of vox_segment; up to the first tile; and the network. */
    double seconds, prepare_seconds, network_seconds;
    vox_series series;
    const char *weights, *fold_names;
    uint64_t weights_hash; /* 0: not known yet */
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

/* Labels of a volume. name: of its file, for messages; wanted: without arena, runner, folds and result. Prints its error
 * and returns the exit code. */
int vox_segmenting_run(vox_segmenting *s, const char *name, const vox_volume *volume,
                       const vox_labels *labels, const vox_segment_options *wanted);

/* For the `progress` of what is wanted: the line on a terminal; else one a minute. */
void vox_segmenting_at(vox_segmenting *s, int done, int total);

/* Hash of all weight files, the folds' too. Prints its error and returns the exit code. */
int vox_segmenting_weights(vox_segmenting *s, uint64_t *hash);

/* Prints what a status of vox_segment, or of vox_segment_plan, means for a file; returns the exit code. */
int vox_segmenting_fail(const vox_model_info *m, const char *name, const vox_volume *volume,
                        const vox_segment_result *result, vox_status status);

#endif
