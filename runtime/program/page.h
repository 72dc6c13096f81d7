/* SPDX-License-Identifier: MIT-0 */
/* page.h: a volume and its labels as one page for a browser.
 * Built only with VOX_WITH_NIFTI. */
#ifndef VOX_PAGE_H
#define VOX_PAGE_H

#include "picture.h"
#include "segment_report.h"

/* One HTML file that needs nothing else: no network (its own policy forbids that), no fonts, no scripts from
 * elsewhere. Three planes to scroll through, as in picture.h, with labels over them, a crosshair, the legend with
 * volumes, the numbers of the run. It holds the volume in 256 greys, 64 at least where noise would make it larger
 * than some 14 MB, and the labels exactly; both are reduced by whole factors where an axis is longer than 320 voxels
 * or all are more than 20 million. What it does of that it says. Browsers from 2023 on can unpack it. Writes to the
 * open file, which stays open. Prints its error and returns the exit code. */
int vox_page_write(const vox_output *file, const vox_picture *p, const vox_report *r);

#endif
