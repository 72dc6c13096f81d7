/* SPDX-License-Identifier: MIT-0 */
/* vox_volume_info.h: what a description's `volume:` section says, for the compiler that reads it and the
 * runtime that does it: how a volume is prepared for the network, cut into tiles, and what its labels are. */
#ifndef VOX_VOLUME_INFO_H
#define VOX_VOLUME_INFO_H

typedef enum vox_interpolation { VOX_NEAREST, VOX_LINEAR, VOX_CUBIC } vox_interpolation;

/* Where the voxels of a resampled grid lie, with n old and m new voxels of size s and t along an axis:
 *   corners   centres of the first and of the last voxels coincide: new voxel i lies at old i (n-1) / (m-1)
 *             (scipy.ndimage.zoom)
 *   edges     outer faces coincide: (i + 1/2) n/m - 1/2 (scipy.ndimage.zoom with grid_mode, skimage, nnU-Net)
 *   spacing   the new voxel is exactly as large as asked for, and the grids' centres coincide:
 *             (i - (m-1)/2) t/s + (n-1)/2
 *   first     exactly as large, and the centres of the first voxels coincide: i t/s (MONAI, torchio, SimpleITK
 *             with the input's origin) */
typedef enum vox_alignment { VOX_CORNERS, VOX_EDGES, VOX_SPACING, VOX_FIRST } vox_alignment;

/* One resampling. Where the largest voxel edge is more than `anisotropy` times the smallest (0: nowhere), the
 * slices are resampled with `order`, then across them with `across`: nnU-Net's separate z. */
typedef struct vox_resampling {
    vox_interpolation order, across;
    vox_alignment align;
    double anisotropy;
    int antialias; /* a Gaussian of (s - 1) / 2 voxels goes before a reduction by s > 1 (skimage) */
} vox_resampling;

/* X(symbol, name in descriptions, numbers, meaning). Statistics are those of the step's channel; deviations
 * are of the population. */
#define VOX_PREPARES(X)                                                                                      \
    X(RESAMPLE_SHAPE, "resample_to_shape", 3, "to this many voxels")                                         \
    X(RESAMPLE_SPACING, "resample_to_spacing", 3, "to voxels of this size in millimetres")                   \
    X(SMOOTH, "smooth", 1, "Gaussian of this standard deviation in voxels")                                  \
    X(CROP_OR_PAD, "crop_or_pad", 3, "centred, to this many voxels; the new ones are 0")                     \
    X(CROP_NONZERO, "crop_to_nonzero", 0,                                                                    \
      "to the box of what is not 0 in any channel; labels outside are 0")                                    \
    X(CLIP, "clip", 2, "to [low, high]")                                                                     \
    X(CLIP_PERCENTILES, "clip_percentiles", 2, "to the values of these percentiles [low, high]")             \
    X(DIVIDE_BY_MAXIMUM, "divide_by_maximum", 0, "by the volume's largest value")                            \
    X(MIN_MAX, "min_max", 0, "to [0, 1]")                                                                    \
    X(Z_SCORE, "z_score", 0, "(x - mean) / deviation over all voxels")                                       \
    X(Z_SCORE_ABOVE_MEAN, "z_score_above_mean", 0,                                                           \
      "z_score with the statistics of the voxels above the mean")                                            \
    X(Z_SCORE_NONZERO, "z_score_nonzero", 0, "z_score with the statistics of the voxels that are not 0")     \
    X(Z_SCORE_INSIDE, "z_score_inside", 0,                                                                   \
      "z_score of what crop_to_nonzero found, holes filled; the rest becomes 0")                             \
    X(CT, "ct", 4, "clip to [first, second], then (x - third) / fourth")                                     \
    X(SCALE, "scale", 2, "x * first + second")

typedef enum vox_prepare_kind {
#define X(symbol, name, n, text) VOX_PREPARE_##symbol,
    VOX_PREPARES(X)
#undef X
        VOX_PREPARE_COUNT
} vox_prepare_kind;

typedef struct vox_prepare_step {
    vox_prepare_kind kind;
    int channel;     /* intensity steps: the channel, -1 for each */
    double value[4]; /* lengths and voxels: of the oriented axes x y z */
    double floor; /* z_score*, min_max: what is divided by is at least this; 0: an equal volume is an error */
    vox_resampling sampling; /* resample_to_* */
} vox_prepare_step;

/* none: one tile holds the prepared volume. mirror, zero: any volume; what lies outside of it is its mirror
 * image (the border voxel is not repeated), or 0. */
typedef enum vox_border { VOX_BORDER_NONE, VOX_BORDER_MIRROR, VOX_BORDER_ZERO } vox_border;
/* Where tiles that overlap lie: spread evenly over the volume, none further from the next than the overlap says
 * (nnU-Net), or at that distance, the last moved inwards (MONAI). */
typedef enum vox_placement { VOX_EVENLY, VOX_LAST_INWARDS } vox_placement;
/* How scores of tiles that overlap are weighted: equally; by a Gaussian of an eighth of the tile around voxel
 * n/2, cut at 4 deviations (nnU-Net); by the same around (n-1)/2, not cut, at least 0.001 (MONAI). */
typedef enum vox_window { VOX_WINDOW_CONSTANT, VOX_WINDOW_GAUSSIAN, VOX_WINDOW_CENTRED } vox_window;
/* What is done to scores once tiles, mirrored runs and folds are averaged, before they are resampled to the
 * volume's own grid. */
typedef enum vox_activation { VOX_AS_THEY_ARE, VOX_SOFTMAX, VOX_SIGMOID } vox_activation;
/* argmax: the class of the largest score, the first of equals. threshold: 1 where the only channel exceeds
 * the level. regions: channel after channel, its label where it exceeds the level, later over earlier. */
typedef enum vox_rule { VOX_ARGMAX, VOX_THRESHOLD, VOX_REGIONS } vox_rule;

typedef struct vox_volume_info {
    const char *axes; /* oriented axes along D, H, W: "xyz", "zyx", ... */
    const char
        *orientation;   /* what x, y, z run to: "RAS", ...; NULL: they are the volume's as it is stored */
    const char *stored; /* how the volumes were stored that the network was trained on; NULL: not said */
    int n_steps;
    const vox_prepare_step *steps;
    vox_border border;
    double
        overlap; /* of neighbouring output tiles, as a part of a tile: 0 <= overlap < 1; 0: they only touch */
    int phase
        [3]; /* touching tiles begin at multiples of this along D H W: the network's strides, so that a voxel's
                     * scores do not depend on the tile that it lies in */
    vox_placement placement;
    vox_window window;
    int mirror_axes; /* test-time mirroring: 1 along D, 2 along H, 4 along W; the mean of all combinations */
    int skip_empty;  /* tiles whose input is 0 everywhere are not run: label 0 */
    int half;        /* scores are added up in float16, in nnU-Net's order, for labels equal to its own */
    vox_activation activation;
    vox_resampling restore; /* of the scores, to the volume's own grid */
    vox_rule rule;
    double level; /* threshold, regions: of the activated score */
    int n_regions;
    const int *region_label; /* of each channel */
} vox_volume_info;

#endif
