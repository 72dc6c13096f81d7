/* SPDX-License-Identifier: MIT-0 */
/* vox_intensity.h: steps that change a volume's values and leave its grid: the intensity kinds of VOX_PREPARES.
 *
 * Values are n float32, all finite, changed in place: one channel, or several that share their statistics.
 * Statistics are computed in double over fixed parts that are joined in a fixed order, so that they are the
 * same for any executor. On any status but VOX_OK the values are as they were.
 *
 * `floor`: what is divided by is at least this. With 0, values that are all the same, or none that counts, are
 * VOX_E_EQUAL. Where none counts and there is a floor, the mean is 0 (of those above the mean: the mean of all).
 *
 * nnU-Net's schemes (default_normalization_schemes.py of v2):
 *   CTNormalization          vox_ct(percentile_00_5, percentile_99_5, mean, max(std, 1e-8))
 *   ZScoreNormalization      vox_z_score, floor 1e-8; with use_mask_for_norm vox_z_score_inside, floor 1e-8
 *   RescaleTo01Normalization vox_min_max, floor 1e-8
 *   RGBTo01Normalization     vox_ct(-FLT_MAX, FLT_MAX, 0, 255), for values from 0 to 255 (vox_measure tells)
 *   NoNormalization          nothing
 * MONAI's transforms:
 *   ScaleIntensity                 vox_min_max, then vox_scale(maxv - minv, minv)
 *   ScaleIntensityRange            vox_scale by vox_scale_range; with clip, then vox_clip(b_min, b_max)
 *   ScaleIntensityRangePercentiles vox_percentiles for a_min and a_max, then the same
 *   NormalizeIntensity             vox_z_score; nonzero: vox_z_score_nonzero with VOX_REST_STAYS; channel_wise: one
 *                                  call a channel, otherwise one for all
 */
#ifndef VOX_INTENSITY_H
#define VOX_INTENSITY_H

#include "vox.h"
#include "vox_mask.h"

/* Which values count. */
typedef enum vox_counted { VOX_COUNT_ALL, VOX_COUNT_ABOVE, VOX_COUNT_NONZERO, VOX_COUNT_INSIDE } vox_counted;
typedef struct vox_selection {
    vox_counted which;
    double above; /* ABOVE: values larger than this */
    const vox_mask
        *mask; /* INSIDE: where the mask is 1. The values are [z][y][x] voxels of dim, whose first is */
    int dim[3], begin[3]; /* the mask's voxel begin; what lies outside the mask's grid is not inside */
} vox_selection;

typedef struct vox_statistics {
    size_t count; /* 0: the others are 0 */
    double minimum, maximum, mean, deviation;
} vox_statistics;
/* The deviation is the population's. */
vox_statistics vox_measure(const float *x, size_t n, const vox_selection *s, const vox_executor *e);

/* The same of n values that come one piece after another. `s`: not INSIDE. */
typedef struct vox_moments {
    size_t count;
    float minimum, maximum;
    double mean, squares; /* of the deviations from the mean */
} vox_moments;
enum { VOX_MEASURE_BLOCK = 4096 };
typedef struct vox_measuring {
    vox_selection s;
    size_t n, at; /* at: before the block */
    int task;
    vox_moments part, all;
    size_t filled;
    float block[VOX_MEASURE_BLOCK];
} vox_measuring;
void vox_measure_begin(vox_measuring *m, size_t n, const vox_selection *s);
void vox_measure_add(vox_measuring *m, const float *x, size_t n);
vox_statistics vox_measure_end(vox_measuring *m); /* after n values */

/* value[i] = the percentile percent[i], 0 to 100, of n >= 1 values, for i = 0, 1: numpy.percentile's linear
 * interpolation between neighbours, of the values taken as float64. scratch: VOX_PERCENTILES_BYTES, aligned to 64. */
enum { VOX_PERCENTILES_BYTES = 64 * 4 * 2048 * 4 };
void vox_percentiles(const float *x, size_t n, const double percent[2], double value[2], void *scratch,
                     const vox_executor *e);

void vox_clip(float *x, size_t n, double low, double high, const vox_executor *e);
/* To the values of two percentiles; scratch as vox_percentiles'. */
void vox_clip_percentiles(float *x, size_t n, const double percent[2], void *scratch, const vox_executor *e);

/* What statistics make of the steps below: (x - sub) / by, in float32 (narrow) or in double and then rounded. */
typedef struct vox_standard {
    int narrow;
    double sub, by;
} vox_standard;
vox_status vox_standard_of_maximum(const vox_statistics *s, vox_standard *to);
vox_status vox_standard_of_range(const vox_statistics *s, double floor, vox_standard *to);
vox_status vox_standard_of_deviation(const vox_statistics *s, double floor, vox_standard *to);
void vox_standardise(const vox_standard *how, float *x, size_t n, const vox_executor *e);

/* VOX_E_MAXIMUM: it is not above 0. */
vox_status vox_divide_by_maximum(float *x, size_t n, const vox_executor *e);
/* (x - minimum) / (maximum - minimum), in float32, as nnU-Net and MONAI compute it. */
vox_status vox_min_max(float *x, size_t n, double floor, const vox_executor *e);

/* What becomes of values that do not count: they are shifted and scaled as those that do, or left as they are. */
typedef enum vox_rest { VOX_REST_TOO, VOX_REST_STAYS } vox_rest;
/* (x - mean) / deviation, of the values that count: all; those above the mean of all; those that are not 0. */
vox_status vox_z_score(float *x, size_t n, double floor, const vox_executor *e);
vox_status vox_z_score_above_mean(float *x, size_t n, double floor, const vox_executor *e);
vox_status vox_z_score_nonzero(float *x, size_t n, double floor, vox_rest rest, const vox_executor *e);
/* Those inside of a mask (nnU-Net: seg >= 0, which is crop_to_nonzero's mask with its holes filled); the others
 * become 0. x: [z][y][x] of dim, whose first voxel is the mask's voxel begin. */
vox_status vox_z_score_inside(float *x, const int dim[3], const vox_mask *mask, const int begin[3],
                              double floor, const vox_executor *e);

/* Clip to [value[0], value[1]], then (x - value[2]) / value[3], in float32, as nnU-Net computes it. */
void vox_ct(float *x, size_t n, const double value[4], const vox_executor *e);
/* x * factor + summand, in double, then rounded. */
void vox_scale(float *x, size_t n, double factor, double summand, const vox_executor *e);
/* The factor and the summand of x -> (x - a[0]) / (a[1] - a[0]) * (b[1] - b[0]) + b[0]; a[0] and a[1] differ. */
void vox_scale_range(const double a[2], const double b[2], double *factor, double *summand);

#endif
