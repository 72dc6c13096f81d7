/* SPDX-License-Identifier: MIT-0 */
/* subject.h: one volume from its files to the file of its labels. */
#ifndef VOX_SUBJECT_H
#define VOX_SUBJECT_H

#include "image.h"
#include "segmenting.h"
#include "showing.h"

/* What the user asks for; NULL, NAN, 0: not said. */
typedef struct vox_subject_request {
    const char *labels; /* the file that they go to */
    const char *scores, *weights, *folds, *mirror_axes;
    vox_image_type scores_type;
    int threads, repeat_channel, force, quiet;
    int resume;     /* goes on from the planes that an interrupted run left (unfinished.h) */
    int64_t access; /* HDF5's, of the volume's files; 0: as usual */
    int stream; /* reads the volume in slabs; else so only where the files are larger than half of memory */
    double level, overlap;
    vox_showing *showing; /* pictures, a page, a report */
} vox_subject_request;

/* Segments the volume whose channels are n files. The network is opened first where it is not open yet; it stays open,
 * and is the caller's to close. Prints its error and returns the exit code. */
int vox_subject_segment(const vox_context *c, const vox_subject_request *r, vox_segmenting *network,
                        char **files, int n);

/* Opens the network for more than one volume. */
int vox_subject_open(const vox_context *c, const vox_subject_request *r, vox_segmenting *network, int runs);

/* The same by all processes of an MPI job, each a range of planes along the network's D, from and to one HDF5 file each:
 * the labels are those of one process. Finished planes are kept in OUTPUT.rank<r>of<n>.part; with r->resume a run of as
 * many processes goes on from them. Programs that were built without MPI say so: exit code 3. */
int vox_subject_segment_mpi(const vox_context *c, const vox_subject_request *r, char **files, int n);

#endif
