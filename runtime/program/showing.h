/* SPDX-License-Identifier: MIT-0 */
/* showing.h: what shows a result besides its labels, each a file of its own: pictures, a page, a report. */
#ifndef VOX_SHOWING_H
#define VOX_SHOWING_H

#include "output.h"
#include "segment_report.h"

enum { VOX_SHOWN = 4 };

typedef struct vox_showing {
    const char *overlay, *montage, *page, *report; /* their files; NULL: not wanted */
    vox_output file[VOX_SHOWN];
} vox_showing;

/* Their names, NULL where there is none. */
void vox_showing_names(const vox_showing *s, const char *names[VOX_SHOWN]);
bool vox_showing_any(const vox_showing *s);
/* What pictures would lack that the volume's file does not say. */
void vox_showing_warn(const vox_showing *s, const char *name, const vox_image *image);

/* In this order; all print their error and return the exit code. write draws and writes, commit gives the files their
 * names. labels: [z][y][x] of the report's image. abort may be called at any time. */
int vox_showing_open(vox_showing *s);
int vox_showing_write(vox_showing *s, vox_report *report, const uint16_t *labels);
int vox_showing_commit(vox_showing *s);
void vox_showing_abort(vox_showing *s);

#endif
