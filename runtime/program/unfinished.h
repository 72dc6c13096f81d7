/* SPDX-License-Identifier: MIT-0 */
/* unfinished.h: finished planes of labels on disk, so that a run that was stopped need not begin anew.
 *
 * The file OUTPUT.part lies beside the output and is removed once that has its name; signals, kill -9 and failing disks
 * leave it. A process holds a lock (flock) on it while it works. In it, in this machine's byte order:
 *
 *   header   8 bytes "voxcpart"
 *            8 bytes key: a hash of all that the labels depend on (vox_hash.h)
 *            8 bytes of a plane
 *   then plane 0, 1, 2 ... along the network's D, in the order in which they are finished:
 *            its labels, uint8 or uint16, the volume's faster axis (i before j before k) running fastest
 *            8 bytes: their hash, with the header's key and the planes before as its seed
 *
 * What follows the last plane whose hash is right was being written when the process ended, and is cut off.
 */
#ifndef VOX_UNFINISHED_H
#define VOX_UNFINISHED_H

#include <stdbool.h>
#include <stdint.h>

#include "vox_volume.h"

typedef struct vox_unfinished {
    char *path;                       /* NULL: nothing is kept */
    int file;                         /* -1: not there yet */
    uint64_t key;                     /* of what the labels depend on */
    uint64_t hash;                    /* of the planes so far */
    vox_labels to;                    /* of the volume */
    int dim[3];                       /* its voxels */
    int axis;                         /* of it, along D */
    bool reversed;                    /* D runs against it */
    int begin, end;                   /* the planes that are this file's; end 0: all */
    void (*taken)(void *user, int d); /* a plane that was there stands in the labels; NULL: nobody asks */
    void *user;
    int planes;  /* below this are finished, from begin on */
    void *plane; /* one, packed */
    size_t plane_bytes;
} vox_unfinished;

/* Of labels that go to the file `output`; key, to, dim, axis and reversed are set, the rest is 0. With `resume` the
 * planes that are there and belong to the key go to the labels, u->planes of them; without it the file of an earlier
 * run is removed. Nothing is kept for devices and pipes. Prints its error and returns the exit code: another process is
 * at work on the same output. */
int vox_unfinished_open(vox_unfinished *u, const char *output, bool resume);

/* Planes begin <= d < end stand in the labels. What cannot be written is warned of once and then not kept. */
void vox_unfinished_add(vox_unfinished *u, int begin, int end);

/* Removes the file, if the output is there or will never be; else leaves it. */
void vox_unfinished_close(vox_unfinished *u, bool remove);

#endif
