/* SPDX-License-Identifier: MIT-0 */
/* subject_parts.h: what is known of a volume on its way to its labels. For subject*.c only. */
#ifndef VOX_SUBJECT_PARTS_H
#define VOX_SUBJECT_PARTS_H

#include "subject.h"
#include "unfinished.h"

typedef struct vox_subject {
    const vox_context *context;
    const vox_model_info *model;
    const vox_subject_request *request;
    const char *name; /* of the first file */
    vox_image image;  /* the first file's, where there are several that are read in slabs */
    vox_image *slabs; /* [n_slabs] files that are read in slabs; NULL: the volume is in memory */
    int n_slabs;
    vox_volume volume; /* the image's, with a channel for each that the network takes */
    vox_segmenting *network;
    vox_segment_options options; /* what the user asks for */
    vox_unfinished unfinished;
    vox_segment_outline outline;
    vox_labels to;
    void *labels; /* [z][y][x], u8 or u16; behind it stands a file where the volume is read in slabs */
    size_t label_bytes;
    float *scores; /* [class][z][y][x], if they are wanted */
    vox_image_writer labels_file, scores_file;
    vox_warnings warnings;
    double started, read_seconds, write_seconds;
} vox_subject;

static inline size_t vox_subject_voxels(const vox_subject *s) {
    return (size_t)s->volume.dim[0] * (size_t)s->volume.dim[1] * (size_t)s->volume.dim[2];
}

/* All print their error and return the exit code. */
int vox_subject_options(const vox_context *c, const vox_subject_request *r, vox_segment_options *o);
int vox_subject_plan(vox_subject *s, char **files, int n); /* reads and plans */
bool vox_subject_bytes(const vox_subject *s);              /* labels are bytes, else 16 bits */
int vox_subject_read(vox_subject *s, char **files, int n); /* s->image, in memory or in slabs */
void vox_subject_free_volume(vox_subject *s);
int vox_subject_open_outputs(vox_subject *s, char **files, int n);
int vox_subject_make_results(vox_subject *s); /* memory for labels and scores */
/* Everything is written before anything gets its name. */
int vox_subject_write(vox_subject *s, char **files, int n);
int vox_subject_summary(const vox_subject *s);

/* Of all that the labels depend on; with `files` their size and time stand for the voxels, which are not read. */
int vox_subject_key(const vox_subject *s, char **files, int n, uint64_t *key);

/* Finds what an interrupted run left, and keeps what this one finishes. */
int vox_subject_resume(vox_subject *s);

#endif
