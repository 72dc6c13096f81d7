/* SPDX-License-Identifier: MIT-0 */
/* npy.h: NumPy's .npy format, versions 1 to 3, without the data: "\x93NUMPY", major, minor, header length (2
 * or 4 bytes), a Python dict literal with the keys descr, fortran_order and shape
 * (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html). */
#ifndef VOX_NPY_H
#define VOX_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    VOX_NPY_MAX_RANK = 32, /* numpy's own limit until its version 2 */
    VOX_NPY_START = 12,    /* bytes that say how long the header is */
    VOX_NPY_TEXT = 512     /* enough for what vox_npy_write writes */
};

typedef struct vox_npy {
    char descr[16]; /* "<f4" */
    bool fortran;   /* first index fastest */
    int rank;
    int64_t dim[VOX_NPY_MAX_RANK]; /* each below 2^62; their product may overflow */
} vox_npy;

/* Where the header's text stands in a file whose first n bytes, at most VOX_NPY_START, are here. Returns
 * NULL, or what is wrong, for people; *version is then 1 to 3 unless that is what is wrong. */
const char *vox_npy_find(const void *start, size_t n, int *version, size_t *at, size_t *length);

/* Reads the header's text. Returns NULL, or what is wrong, for people. */
const char *vox_npy_read(vox_npy *h, const char *text, size_t n);

/* What a file of version 1 has in front of C-order data: VOX_NPY_TEXT bytes at most, a multiple of 64.
 * Returns how many. descr as in vox_npy; rank at most 8. */
size_t vox_npy_write(char text[VOX_NPY_TEXT], const char *descr, int rank, const int64_t *dim);

/* Copies elements of `size` bytes from Fortran's order to C's;
 * no element is there twice, none is in place. */
void vox_npy_reorder(const vox_npy *h, const void *from, void *to, size_t size);

#endif
