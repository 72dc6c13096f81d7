/* SPDX-License-Identifier: MIT-0 */
/* vox_resample.h: float32 volumes and planes from one axis-aligned grid to another.
 *
 * Axes are x y z; a volume is contiguous [z][y][x]. Coordinates are voxels, centres at whole numbers: position i of
 * the new grid lies at old coordinate i * scale + shift. Beyond the first and the last voxel their values go on.
 * Values must be finite; an axis has 1 to VOX_RESAMPLE_LARGEST voxels. Nothing can fail, nothing is allocated, and
 * results depend neither on the executor nor on the order of its tasks.
 *
 * Results are those of float64 to a few float32 roundings: within 1e-6 of the largest absolute value near a voxel
 * (linear), of the volume (cubic). Tested against scipy.ndimage.zoom and map_coordinates (mode="nearest"),
 * skimage.transform.resize (mode="edge"), nnU-Net's resample_data_or_seg, SimpleITK's ResampleImageFilter and MONAI's
 * Spacing (padding_mode="border").
 */
#ifndef VOX_RESAMPLE_H
#define VOX_RESAMPLE_H

#include "vox.h"

enum { VOX_RESAMPLE_LARGEST = 1 << 16 };

/* ---- grids ----------------------------------------------------------------------------------- */

/* Whole number of voxels of spacing_new that resample_to_spacing makes of n_old voxels of spacing_old (both above 0),
 * at least 1; a caller refuses what exceeds VOX_RESAMPLE_LARGEST. Halves round to even, and are what these compute:
 * corners, edges, spacing: n_old * (spacing_old / spacing_new), nnU-Net's compute_new_shape and scipy's zoom. first:
 * 1 / spacing_new * spacing_old * (n_old - 1) + 1, MONAI's compute_shape_offset (SimpleITK has no rule of its own). */
double vox_grid_voxels(vox_alignment align, int n_old, double spacing_old, double spacing_new);

/* Where the new voxels lie. corners, edges: the spacings do not matter, and may be 0. One new voxel of corners lies at
 * the first old one (scale 1, as scipy's), one of edges and spacing in the middle; of one old voxel, corners has
 * scale 0. */
void vox_grid_of(const vox_resampling *r, int n_old, double spacing_old, int n_new, double spacing_new,
                 double *scale, double *shift);

/* i * scale + shift. Where shift is that of outer faces that coincide, it is computed as scipy and nnU-Net do,
 * (i + 1/2) scale - 1/2: their ties of the nearest voxel are ours. */
double vox_grid_at(int i, double scale, double shift);

/* ---- a position at a time: the way back, plane by plane -------------------------------------- */

/* Between which source voxels a position lies. */
typedef struct vox_tap {
    int first, second; /* source voxels, inside the source, first <= second */
    double weight;     /* of the second, 0 <= weight < 1; 0 where both are the same */
    int inside;        /* not more than half a voxel outside of the source */
} vox_tap;

/* Taps of n positions in a source of `source` voxels. order VOX_NEAREST: the voxel at floor(coordinate + 1/2), halves
 * up, as scipy. VOX_LINEAR otherwise. */
vox_tap vox_tap_of(double coordinate, vox_interpolation order, int source);
void vox_taps_of(vox_tap *taps, int n, vox_interpolation order, int source, double scale, double shift);

/* One plane [rows][columns] of the source to [n_y][n_x] of the other grid; taps y and x. rows: 2 n_x numbers. */
typedef struct vox_plane_taps {
    int columns, n_x, n_y;
    const vox_tap *x, *y;
} vox_plane_taps;
void vox_resample_plane(const vox_plane_taps *p, const float *in, float *out, float *rows);

/* out = (1 - weight) a + weight b, n numbers; out may be a or b. */
void vox_mix(float *out, const float *a, const float *b, double weight, size_t n);

/* ---- a volume at once ------------------------------------------------------------------------ */

/* What results are limited to, since a cubic spline overshoots: to nothing, to the range of the whole input, or, before
 * slices across axis `last` are mixed, each slice's to its own range. */
typedef enum vox_limit { VOX_LIMIT_NONE, VOX_LIMIT_VOLUME, VOX_LIMIT_SLICE } vox_limit;

typedef struct vox_resample {
    int from[3], to[3];
    double scale[3], shift[3];
    vox_interpolation order[3];
    double sigma[3]; /* standard deviation in old voxels of the Gaussian that goes before; cut at 4 of them */
    int last;        /* the axis that is resampled behind the others */
    vox_limit limit;
} vox_resample;

/* What a description's resampling is for these grids; spacings of 0 are not known, and take no part in the rule of
 * anisotropy. That rule is nnU-Net's determine_do_sep_z_and_axis: with a largest edge of more than `anisotropy`
 * times the smallest, first in the old grid, else in the new one, the axis of that edge is resampled last, with
 * `across`; not where several axes have the largest edge. edges limits to the input's range, as skimage and nnU-Net
 * do: to each slice's where one axis comes last. An axis that stays as it is becomes VOX_NEAREST: it is copied. */
void vox_resample_of(vox_resample *r, const vox_resampling *how, const int from[3],
                     const double spacing_from[3], const int to[3], const double spacing_to[3]);

/* How that interpolates along an axis that does not stay as it is. */
vox_interpolation vox_resample_order(const vox_resampling *how, const double spacing_from[3],
                                     const double spacing_to[3], int axis);

/* Scratch of vox_resample_volume, aligned to 64 bytes. Linear and nearest: some planes. Cubic, or with a Gaussian:
 * these, and the volume between its passes unless `out` has room for it (last is z and to[2] >= from[2]). */
size_t vox_resample_bytes(const vox_resample *r);

/* Whether new planes need but a few old ones: nearest or linear, without a Gaussian. */
int vox_resample_is_linear(const vox_resample *r);
/* Such a resampling with taps of the caller's, of to[] positions in from[] voxels along x y z; the rest of r is not
 * looked at. planes: so many numbers. */
size_t vox_resample_taps_floats(const vox_resample *r);
void vox_resample_taps(const vox_resample *r, const vox_tap *const taps[3], const float *in, float *out,
                       float *planes, const vox_executor *e);

/* in: from[] voxels; out: to[] voxels, elsewhere. */
void vox_resample_volume(const vox_resample *r, const float *in, float *out, void *scratch,
                         const vox_executor *e);

#endif
