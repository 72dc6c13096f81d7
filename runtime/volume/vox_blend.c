/* SPDX-License-Identifier: MIT-0 */
/* vox_blend.c: see vox_blend.h. */
#include "vox_blend.h"

#include <math.h>
#include <string.h>

#include "vox_half.h"
#include "vox_parallel.h"

enum { JUDGED = 256 }; /* voxels at a time: a row of each class stays in the cache */

static size_t plane_voxels(const vox_blend *b) {
    return (size_t)b->tiles->axis[1].volume * (size_t)b->tiles->axis[2].volume;
}

static size_t element(const vox_blend *b) {
    return b->half ? sizeof(uint16_t) : sizeof(float);
}

/* Index of the first voxel of plane d of channel `c`: class of a fold, or 0 of the weights. */
static size_t plane_at(const vox_blend *b, size_t c, int d) {
    return (c * (size_t)b->ring + (size_t)(d % b->ring)) * plane_voxels(b);
}

/* SIZE_MAX where the product is more. */
static size_t times(size_t a, size_t b) {
    return a > 0 && b > SIZE_MAX / a ? SIZE_MAX : a * b;
}

size_t vox_blend_bytes(const vox_blend *b, size_t *weights) {
    size_t plane = times(times(plane_voxels(b), element(b)), (size_t)b->ring);
    *weights = b->tiles->adds ? plane : 0;
    return times(plane, times((size_t)b->classes, (size_t)b->folds));
}

/* ---- planes begin and end -------------------------------------------------------------------- */

typedef struct planes_task {
    const vox_blend *b;
    int first, count;
} planes_task;

static float background_of(const vox_blend *b, size_t class) {
    return b->background[class > 0];
}

/* Sums begin at 0, scores of tiles that only touch at what they are where no tile is run. */
static void clear_plane(void *argument, int i) {
    const planes_task *t = argument;
    const vox_blend *b = t->b;
    size_t n = plane_voxels(b);
    int d = t->first + i % t->count, c = i / t->count, channels = b->classes * b->folds;
    char *to = c < channels ? (char *)b->sum + plane_at(b, (size_t)c, d) * element(b)
                            : (char *)b->weights + plane_at(b, 0, d) * element(b);
    if (b->tiles->adds) {
        memset(to, 0, n * element(b));
        return;
    }
    float *score = (float *)b->sum + plane_at(b, (size_t)c, d), value = background_of(b, (size_t)c);
    for (size_t v = 0; v < n; v++) score[v] = value;
}

void vox_blend_begin(vox_blend *b, int end, const vox_executor *e) {
    int volume = b->tiles->axis[0].volume, channels = b->classes * b->folds + (b->tiles->adds != 0);
    if (end > volume) end = volume;
    planes_task t = {.b = b, .first = b->begun, .count = end - b->begun};
    if (t.count <= 0) return;
    vox_parallel(e, t.count * channels, clear_plane, &t);
    b->begun = end;
}

static void divide_row(float *sum, const float *weight, float background, size_t n) {
    for (size_t w = 0; w < n; w++) sum[w] = weight[w] > 0 ? sum[w] / weight[w] : background;
}

static void divide_half_row(uint16_t *sum, const uint16_t *weight, float background, size_t n) {
    for (size_t w = 0; w < n; w++) {
        float by = vox_from_half(weight[w]);
        sum[w] = vox_to_half(by > 0 ? vox_from_half(sum[w]) / by : background);
    }
}

/* The mean of all folds goes to the first: nnU-Net's additions in float16, then its division. */
static void mean_of_folds(const vox_blend *b, size_t c, int d) {
    size_t n = plane_voxels(b);
    uint16_t *to = (uint16_t *)b->sum + plane_at(b, c, d);
    for (int fold = 1; fold < b->folds; fold++) {
        const uint16_t *from = (uint16_t *)b->sum + plane_at(b, (size_t)(fold * b->classes) + c, d);
        for (size_t i = 0; i < n; i++) to[i] = vox_to_half(vox_from_half(to[i]) + vox_from_half(from[i]));
    }
    for (size_t i = 0; i < n; i++) to[i] = vox_to_half(vox_from_half(to[i]) / (float)b->folds);
}

/* All folds of a class, since their mean is taken. */
static void finish_plane(void *argument, int i) {
    const planes_task *t = argument;
    const vox_blend *b = t->b;
    int d = t->first + i % t->count;
    size_t c = (size_t)(i / t->count), n = plane_voxels(b), weight = plane_at(b, 0, d);
    for (int fold = 0; fold < b->folds; fold++) {
        size_t at = plane_at(b, (size_t)(fold * b->classes) + c, d);
        if (b->half)
            divide_half_row((uint16_t *)b->sum + at, (const uint16_t *)b->weights + weight,
                            background_of(b, c), n);
        else
            divide_row((float *)b->sum + at, (const float *)b->weights + weight, background_of(b, c), n);
    }
    if (b->folds > 1) mean_of_folds(b, c, d);
}

static float score_at(const vox_blend *b, size_t at) {
    return b->half ? vox_from_half(((const uint16_t *)b->sum)[at]) : ((const float *)b->sum)[at];
}

static void put_score(const vox_blend *b, size_t at, float x) {
    if (b->half)
        ((uint16_t *)b->sum)[at] = vox_to_half(x);
    else
        ((float *)b->sum)[at] = x;
}

/* Of the voxel `first` of class 0, `step` apart from class to class. */
static void softmax(const vox_blend *b, size_t first, size_t step) {
    float most = score_at(b, first), sum = 0;
    for (int c = 1; c < b->classes; c++) most = fmaxf(most, score_at(b, first + (size_t)c * step));
    for (int c = 0; c < b->classes; c++) sum += expf(score_at(b, first + (size_t)c * step) - most);
    for (int c = 0; c < b->classes; c++) {
        size_t at = first + (size_t)c * step;
        put_score(b, at, expf(score_at(b, at) - most) / sum);
    }
}

static void activate_plane(void *argument, int i) {
    const planes_task *t = argument;
    const vox_blend *b = t->b;
    size_t n = plane_voxels(b), step = n * (size_t)b->ring, first = plane_at(b, 0, t->first + i);
    if (b->activation == VOX_SOFTMAX) {
        for (size_t v = 0; v < n; v++) softmax(b, first + v, step);
        return;
    }
    for (int c = 0; c < b->classes; c++) {
        size_t at = first + (size_t)c * step;
        for (size_t v = 0; v < n; v++) put_score(b, at + v, 1 / (1 + expf(-score_at(b, at + v))));
    }
}

/* Whether interpolated scores have to be looked at: not where every source has the same class, whose score exceeds any
 * other, s > t, by more than (|s| + |t|) / 512. This holds for means of them as well, and is more than they lose by
 * rounding, to float16 even. Scores that are not finite are nobody's. */
static void judge(const vox_blend *b, size_t first, int n, uint16_t *sure) {
    float x[JUDGED], best[JUDGED], second[JUDGED], odd[JUDGED], class[JUDGED];
    size_t step = plane_voxels(b) * (size_t)b->ring;
    for (int i = 0; i < n; i++) {
        best[i] = second[i] = -INFINITY;
        odd[i] = class[i] = 0;
    }
    for (int c = 0; c < b->classes; c++) {
        size_t at = first + (size_t)c * step;
        const float *score = b->half ? x : (const float *)b->sum + at;
        for (int i = 0; i < n && b->half; i++)
            x[i] = vox_from_half(((const uint16_t *)b->sum)[at + (size_t)i]);
        for (int i = 0; i < n; i++) {
            float s = score[i], low = s < best[i] ? s : best[i];
            odd[i] += s - s;
            class[i] = s > best[i] ? (float)c : class[i];
            best[i] = s > best[i] ? s : best[i];
            second[i] = low > second[i] ? low : second[i];
        }
    }
    for (int i = 0; i < n; i++) {
        float least = (fabsf(best[i]) + fabsf(second[i])) * 0x1p-9f + 0x1p-20f;
        sure[i] = (uint16_t)(best[i] - second[i] > least && odd[i] == 0 ? class[i] + 1 : 0);
    }
}

static void judge_plane(void *argument, int i) {
    const planes_task *t = argument;
    const vox_blend *b = t->b;
    size_t n = plane_voxels(b), first = plane_at(b, 0, t->first + i);
    for (size_t v = 0; v < n; v += JUDGED)
        judge(b, first + v, n - v < JUDGED ? (int)(n - v) : JUDGED, b->sure + first + v);
}

void vox_blend_finish(vox_blend *b, int end, const vox_executor *e) {
    planes_task t = {.b = b, .first = b->finished, .count = end - b->finished};
    if (t.count <= 0) return;
    if (b->tiles->adds) vox_parallel(e, t.count * b->classes, finish_plane, &t);
    if (b->activation != VOX_AS_THEY_ARE) vox_parallel(e, t.count, activate_plane, &t);
    if (b->sure != NULL) vox_parallel(e, t.count, judge_plane, &t);
    b->finished = end;
}

/* ---- tiles ----------------------------------------------------------------------------------- */

typedef struct tile_task {
    const vox_blend *b;
    const float *scores;
    int fold, weigh;
    int begin[3], low[3], high[3]; /* the part of the tile that lies in the volume, and is its own */
} tile_task;

static void add_row(float *sum, const float *score, const float *weight, size_t n) {
    for (size_t w = 0; w < n; w++) sum[w] += score[w] * weight[w];
}

static void add_half_row(uint16_t *sum, const float *score, const float *weight, size_t n) {
    for (size_t w = 0; w < n; w++) sum[w] = vox_to_half(vox_from_half(sum[w]) + score[w] * weight[w]);
}

static void add_weights(const vox_blend *b, size_t at, const float *weight, size_t n) {
    if (b->half) {
        uint16_t *to = (uint16_t *)b->weights + at;
        for (size_t w = 0; w < n; w++) to[w] = vox_to_half(vox_from_half(to[w]) + weight[w]);
    } else {
        float *to = (float *)b->weights + at;
        for (size_t w = 0; w < n; w++) to[w] += weight[w];
    }
}

static void add_plane(void *argument, int i) {
    const tile_task *t = argument;
    const vox_blend *b = t->b;
    const vox_axis_tiles *a = b->tiles->axis;
    int planes = t->high[0] - t->low[0], d = t->low[0] + i % planes, c = i / planes;
    size_t n = (size_t)(t->high[2] - t->low[2]);
    bool weights = c == b->classes;
    size_t plane = plane_at(b, weights ? 0 : (size_t)(t->fold * b->classes + c), t->begin[0] + d);
    for (int h = t->low[1]; h < t->high[1]; h++) {
        size_t in_tile = ((size_t)d * (size_t)a[1].out + (size_t)h) * (size_t)a[2].out + (size_t)t->low[2];
        size_t of_class = (size_t)c * (size_t)a[0].out * (size_t)a[1].out * (size_t)a[2].out;
        size_t at =
            plane + (size_t)(t->begin[1] + h) * (size_t)a[2].volume + (size_t)(t->begin[2] + t->low[2]);
        if (weights)
            add_weights(b, at, b->weight + in_tile, n);
        else if (!b->tiles->adds)
            memcpy((float *)b->sum + at, t->scores + of_class + in_tile, n * sizeof(float));
        else if (b->half)
            add_half_row((uint16_t *)b->sum + at, t->scores + of_class + in_tile, b->weight + in_tile, n);
        else
            add_row((float *)b->sum + at, t->scores + of_class + in_tile, b->weight + in_tile, n);
    }
}

void vox_blend_add(vox_blend *b, int fold, int weigh, const int begin[3], const float *scores,
                   const vox_executor *e) {
    tile_task t = {.b = b, .scores = scores, .fold = fold, .weigh = weigh};
    for (int k = 0; k < 3; k++) {
        const vox_axis_tiles *a = &b->tiles->axis[k];
        bool last = begin[k] + a->out >= a->volume;
        int own = b->tiles->adds || last ? a->out : a->owned;
        t.begin[k] = begin[k];
        t.low[k] = begin[k] < 0 ? -begin[k] : 0;
        t.high[k] = begin[k] + own > a->volume ? a->volume - begin[k] : own;
    }
    int channels = b->classes + (b->tiles->adds && weigh);
    vox_parallel(e, (t.high[0] - t.low[0]) * channels, add_plane, &t);
}

size_t vox_blend_sure_bytes(const vox_blend *b) {
    return times(times(plane_voxels(b), sizeof *b->sure), (size_t)b->ring);
}

const uint16_t *vox_blend_sure_row(const vox_blend *b, int d, int h) {
    return b->sure + plane_at(b, 0, d) + (size_t)h * (size_t)b->tiles->axis[2].volume;
}

const float *vox_blend_row(const vox_blend *b, int class, int d, int h, const vox_range *part, float *row) {
    size_t n = (size_t)b->tiles->axis[2].volume, at = plane_at(b, (size_t) class, d) + (size_t)h * n;
    if (!b->half) return (const float *)b->sum + at;
    const uint16_t *from = (const uint16_t *)b->sum + at;
    for (int w = part->begin; w < part->end; w++) row[w] = vox_from_half(from[w]);
    return row;
}
