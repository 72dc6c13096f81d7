/* SPDX-License-Identifier: MIT-0 */
/* picture_view.c: see picture_view.h. */
#ifdef VOX_WITH_NIFTI
#include "picture_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "colours.h"
#include "report.h"
#include "vox_intensity.h"
#include "vox_load.h"
#include "whole.h"

enum { MOST_SAMPLES = 1 << 22 }; /* voxels that the window is taken from */

/* ---- axes ------------------------------------------------------------------------------------ */

static void turn(vox_view *v) {
    const vox_image *image = v->picture->image;
    const vox_volume *from = &image->volume;
    v->directed = image->directed && vox_axes_towards(from->direction, "LPI", &v->axes);
    if (!v->directed) {
        const bool nifti = image->format == VOX_IMAGE_NIFTI;
        v->axes = (vox_axes){.source = {0, 1, 2}, .reversed = {nifti, nifti, nifti}};
    }
    v->volume = vox_view_axes(from, v->axes.source, v->axes.reversed);
    v->labels = v->picture->labels;
    const ptrdiff_t stride[3] = {1, from->dim[0], (ptrdiff_t)from->dim[0] * from->dim[1]};
    for (int a = 0; a < 3; a++) {
        const int s = v->axes.source[a];
        v->label_stride[a] = v->axes.reversed[a] ? -stride[s] : stride[s];
        if (v->axes.reversed[a]) v->labels += (from->dim[s] - 1) * stride[s];
    }
    v->sized = from->spacing[0] > 0 && from->spacing[1] > 0 && from->spacing[2] > 0;
    for (int a = 0; a < 3; a++) v->size[a] = v->sized ? v->volume.spacing[a] : 1;
}

int vox_view_file_index(const vox_view *v, int axis, int at) {
    return v->axes.reversed[axis] ? v->volume.dim[axis] - 1 - at : at;
}

/* ---- what the labels are --------------------------------------------------------------------- */

static int measure_labels(vox_view *v) {
    const int *dim = v->picture->image->volume.dim;
    const uint16_t *label = v->picture->labels;
    double sum[3] = {0}, n = 0;
    v->count = calloc(VOX_VIEW_LABELS, sizeof *v->count);
    if (v->count == NULL) return vox_fail_memory("counts", VOX_VIEW_LABELS * sizeof *v->count);
    for (int k = 0; k < dim[2]; k++) {
        for (int j = 0; j < dim[1]; j++, label += dim[0]) {
            size_t row = 0, along = 0;
            for (int i = 0; i < dim[0]; i++) {
                v->count[label[i]]++;
                row += label[i] != 0;
                along += label[i] != 0 ? (size_t)i : 0;
            }
            sum[0] += (double)along;
            sum[1] += (double)row * j;
            sum[2] += (double)row * k;
            n += (double)row;
        }
    }
    for (int l = 1; l < VOX_VIEW_LABELS; l++) v->n_labels += v->count[l] > 0;
    for (int a = 0; a < 3; a++) {
        const int s = v->axes.source[a];
        const int at = n > 0 ? (int)vox_whole(round(sum[s] / n), 0, dim[s] - 1) : dim[s] / 2;
        v->centre[a] = vox_view_file_index(v, a, at); /* the way there is the way back */
    }
    return 0;
}

const char *vox_view_name(const vox_view *v, int label) {
    const vox_picture *p = v->picture;
    const char *name = label < p->n_names ? p->names[label] : NULL;
    return name != NULL && *name != 0 ? name : NULL;
}

void vox_view_colour(const vox_view *v, int label, unsigned char rgb[3]) {
    const vox_picture *p = v->picture;
    if (p->colours != NULL && label < p->n_names) {
        memcpy(rgb, p->colours[label], 3);
    } else {
        vox_overlay_colour(label, rgb);
    }
}

double vox_view_voxel(const vox_view *v) {
    return v->sized ? v->size[0] * v->size[1] * v->size[2] : 0;
}

/* ---- grey ------------------------------------------------------------------------------------ */

/* From an even lattice of the voxels, all of them where they are few. */
static int measure_window(vox_view *v) {
    vox_volume lattice = v->volume;
    size_t n;
    for (int step = 1;; step++) {
        n = 1;
        for (int a = 0; a < 3; a++) {
            lattice.dim[a] = (v->volume.dim[a] + step - 1) / step;
            lattice.stride[a] = v->volume.stride[a] * step;
            n *= (size_t)lattice.dim[a];
        }
        if (n <= MOST_SAMPLES) break;
    }
    const bool given = v->picture->window[0] != 0 || v->picture->window[1] != 0;
    const double usual[2] = {0.5, 99.5};
    double value[2];
    float *x = malloc(n * sizeof *x);
    void *scratch = aligned_alloc(64, VOX_PERCENTILES_BYTES);
    if (x == NULL || scratch == NULL) {
        free(x);
        free(scratch);
        return vox_fail_memory("a picture", n * sizeof *x + VOX_PERCENTILES_BYTES);
    }
    vox_losses lost = {0};
    vox_volume_load(&lattice, 0, x, &lost, NULL);
    vox_percentiles(x, n, given ? v->picture->window : usual, value, scratch, NULL);
    if (!(value[1] > value[0])) { /* nearly all of one value: then what else there is shows */
        const double all[2] = {0, 100};
        vox_percentiles(x, n, all, value, scratch, NULL);
    }
    v->black = value[0];
    v->white = value[1];
    free(x);
    free(scratch);
    return 0;
}

unsigned char vox_view_grey(const vox_view *v, double value) {
    const double part = v->white > v->black ? (value - v->black) / (v->white - v->black) : 0;
    return (unsigned char)vox_whole(part * 255 + 0.5, 0, 255);
}

/* ---- all of it ------------------------------------------------------------------------------- */

int vox_view_open(vox_view *v, const vox_picture *p) {
    *v = (vox_view){.picture = p};
    turn(v);
    int code = measure_labels(v);
    if (code == 0) code = measure_window(v);
    return code;
}

void vox_view_free(vox_view *v) {
    free(v->count);
    v->count = NULL;
}

void vox_view_box_of(const vox_view *v, const int begin[3], const int end[3], float *values,
                     uint16_t *labels) {
    vox_losses lost = {0};
    if (values != NULL) {
        const vox_volume box = vox_view_box(&v->volume, begin, end);
        vox_volume_load(&box, 0, values, &lost, NULL);
    }
    if (labels == NULL) return;
    for (int z = begin[2]; z < end[2]; z++) {
        for (int y = begin[1]; y < end[1]; y++) {
            const uint16_t *from = v->labels + z * v->label_stride[2] + y * v->label_stride[1];
            for (int x = begin[0]; x < end[0]; x++) *labels++ = from[x * v->label_stride[0]];
        }
    }
}
#endif
