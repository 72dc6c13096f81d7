/* SPDX-License-Identifier: MIT-0 */
/* page_parts.h: what the page is made of. For page*.c only. */
#ifndef VOX_PAGE_PARTS_H
#define VOX_PAGE_PARTS_H

#include <stdbool.h>
#include <stdio.h>

#include "picture_view.h"
#include "segment_report.h"

extern const char vox_page_style[], vox_page_viewer[], vox_page_script[];

/* The voxels that a page holds: the view's, reduced by a whole factor along each axis. Greys are means of the voxels
 * that one stands for, labels those of the middle one. */
typedef struct vox_page_grid {
    const vox_view *view;
    int factor[3], dim[3];
    int levels;      /* greys: 256, or 128 or 64 where noise would make the page too large */
    int labels;      /* different ones above 0 that occur, 1, 2, ... in the page */
    uint16_t *index; /* [VOX_VIEW_LABELS] of each label, 0: none */
    int label_bytes; /* 1, or 2 where there are more than 255 */
} vox_page_grid;

/* Prints its error and returns the exit code; vox_page_grid_free also then. */
int vox_page_grid_plan(vox_page_grid *g, const vox_view *view);
void vox_page_grid_free(vox_page_grid *g);

/* Both put base64 of a zlib stream of the values [z][y][x]. Greys: 0 to levels - 1; what is left of each, modulo levels, after the median
 * of left, above and left + above - the one between them is taken off, within the slice (0 outside): the predictor of
 * LOCO-I (Weinberger, Seroussi, Sapiro 2000). Labels: indices; with two bytes each slice's low ones, then its high ones.
 * Print their error and return the exit code; those of the file stay with it (ferror). */
int vox_page_put_greys(const vox_page_grid *g, FILE *to);
int vox_page_put_labels(const vox_page_grid *g, FILE *to);

/* Base64 (RFC 4648) in lines, as data come. */
typedef struct vox_base64 {
    FILE *to;
    int n, column; /* bytes that wait for a third; characters on the line */
    unsigned char waiting[3];
} vox_base64;
void vox_base64_put(vox_base64 *b, const void *data, size_t n);
void vox_base64_end(vox_base64 *b);

/* Text with &, <, > and quotes as HTML names them, and what is not plain (utf8.h) as the character for what cannot
 * be shown. */
void vox_page_put_text(FILE *to, const char *text);

/* The tables below the slices. */
void vox_page_put_legend(FILE *to, const vox_page_grid *g, const vox_report *r);
void vox_page_put_run(FILE *to, const vox_report *r);

#endif
