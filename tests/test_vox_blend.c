/* test_vox_blend.c: tiles that overlap against a plain sliding window in double, tiles that touch against one pass over
 * the whole; float16. The references here know nothing of the library's rows, rings and planes. */
#include "segment_lib.h"

/* ---- float16 --------------------------------------------------------------------------------- */

/* IEEE 754 binary16 in arithmetic: rounded to a multiple of the unit in the last place. */
static double half_of(double x) {
    if (isnan(x) || isinf(x) || x == 0) return x;
    int exponent;
    frexp(x, &exponent); /* 0.5 <= |m| < 1 */
    double unit = ldexp(1, exponent - 11 < -24 ? -24 : exponent - 11);
    double rounded = nearbyint(x / unit) * unit;
    return fabs(rounded) > 65504 ? copysign(INFINITY, x) : rounded;
}

static double half_value(unsigned h) {
    int exponent = (int)(h >> 10 & 31), fraction = (int)(h & 1023);
    double x = exponent == 0    ? ldexp(fraction, -24)
               : exponent == 31 ? (fraction != 0 ? (double)NAN : (double)INFINITY)
                                : ldexp(1024 + fraction, exponent - 25);
    return (h & 0x8000) != 0 ? -x : x;
}

static void float16_is_ieee_754s(void **state) {
    (void)state;
    for (unsigned h = 0; h < 65536; h++) {
        double x = half_value(h), y = (double)vox_from_half((uint16_t)h);
        if (isnan(x)) {
            assert_true(isnan(y) && isnan(vox_from_half(vox_to_half((float)y))));
            continue;
        }
        if (x != y || signbit(x) != signbit(y)) fail_msg("%#x is %a, not %a", h, y, x);
        assert_int_equal(vox_to_half((float)x), h);
    }
    uint64_t seed = 5;
    for (int i = 0; i < 2000000; i++) {
        uint32_t bits = (uint32_t)test_random_bits(&seed);
        /* every second one within float16's range, every fourth halfway between two, or next to it */
        if (i % 2 == 0) bits = (bits & 0x807fffffu) | (100u + (bits >> 23 & 0xff) % 46u) << 23;
        if (i % 4 == 0) bits = ((bits & ~0x1fffu) | 0x1000u) + (uint32_t)(i / 4 % 3) - 1;
        float x = vox_float(bits);
        if (isnan(x)) continue;
        double expected = half_of((double)x), y = (double)vox_from_half(vox_to_half(x));
        if (expected != y || signbit(expected) != signbit(y))
            fail_msg("%a gives %a, not %a", (double)x, y, expected);
    }
}

/* ---- a sliding window ------------------------------------------------------------------------ */

enum { MOST_TILES = 64 };

/* nnU-Net's compute_steps_for_sliding_window, or MONAI's dense_patch_slices; below 0 where the tile is larger. */
static int places(const scene *s, int volume, int tile, int place[MOST_TILES]) {
    double part = 1 - s->info.overlap;
    if (volume <= tile) {
        place[0] = -((tile - volume) / 2);
        return 1;
    }
    if (s->info.placement == VOX_EVENLY) {
        int n = (int)ceil((volume - tile) / (tile * part)) + 1;
        for (int i = 0; i < n; i++) place[i] = (int)nearbyint((volume - tile) / (double)(n - 1) * i);
        return n;
    }
    int n = 0, pace = tile * part < 1 ? 1 : (int)(tile * part);
    do {
        place[n] = n * pace + tile > volume ? volume - tile : n * pace;
    } while (place[n++] + tile < volume);
    return n;
}

static void gauss(vox_window window, int n, double *w) {
    double sigma = n / 8.0, centre = window == VOX_WINDOW_GAUSSIAN ? n / 2 : (n - 1) / 2.0;
    for (int i = 0; i < n; i++) {
        double off = (i - centre) / sigma;
        bool cut = window == VOX_WINDOW_GAUSSIAN && fabs(i - centre) > floor(4 * sigma + 0.5);
        w[i] = window == VOX_WINDOW_CONSTANT ? 1 : cut ? 0 : exp(-0.5 * off * off);
    }
}

/* The window of a tile: what is 0 in it becomes its least other number. */
static void window_of(const scene *s, const int n[3], float *window) {
    double w[3][64], least = INFINITY, scale = s->info.window == VOX_WINDOW_GAUSSIAN ? 10 : 1;
    for (int k = 0; k < 3; k++) gauss(s->info.window, n[k], w[k]);
    for (int pass = 0; pass < 2; pass++) {
        for (int d = 0, i = 0; d < n[0]; d++) {
            for (int h = 0; h < n[1]; h++) {
                for (int v = 0; v < n[2]; v++, i++) {
                    double x = (double)(float)(w[0][d] * w[1][h] * w[2][v] * scale);
                    if (s->info.half) x = half_of(x);
                    if (pass == 0 && x > 0 && x < least) least = x;
                    window[i] = (float)fmax(x, pass == 0 ? 0 : least);
                }
            }
        }
        if (s->info.window == VOX_WINDOW_CENTRED) least = fmax(least, (double)1e-3f);
    }
}

/* Sums of one fold over the whole volume, and its activated mean. */
typedef struct window_run {
    const scene *s;
    int dim[3]; /* of the volume, D H W */
    float *window, *input, *scores;
    double *mean;
} window_run;

static double volume_voxel(const window_run *r, int channel, const int at[3]) {
    size_t i = 0;
    for (int k = 0; k < 3; k++) {
        int v = at[k], n = r->dim[k];
        while (r->s->info.border == VOX_BORDER_MIRROR && n > 1 && (v < 0 || v >= n))
            v = v < 0 ? -v : 2 * (n - 1) - v;
        if (r->s->info.border == VOX_BORDER_MIRROR && n == 1) v = 0;
        if (v < 0 || v >= n) return 0;
        i = i * (size_t)n + (size_t)v;
    }
    return (double)((const float *)r->s->volume.data)[(size_t)channel * count3(r->dim) + i];
}

/* The tile's mean over all ways to turn it around, [class][D][H][W]; false: its input is 0. */
static bool tile_mean(window_run *r, const net *n, const int begin[3]) {
    bool any = false;
    int ways = 0, tile[3] = {n->in[0], n->in[1], n->in[2]};
    size_t voxels = count3(tile);
    memset(r->mean, 0, voxels * (size_t)n->classes * sizeof *r->mean);
    /* nnU-Net's order, since sums in float32 depend on it */
    static const int order[8] = {0, 1, 2, 4, 3, 5, 6, 7};
    for (int f = 0; f < 8; f++) {
        if ((order[f] & ~r->s->info.mirror_axes) != 0) continue;
        for (size_t i = 0; i < voxels * (size_t)n->channels; i++) {
            size_t v = i % voxels, along[3] = {v / (size_t)(tile[1] * tile[2]),
                                               v / (size_t)tile[2] % (size_t)tile[1], v % (size_t)tile[2]};
            int at[3];
            for (int k = 0; k < 3; k++)
                at[k] = begin[k] + ((order[f] >> k & 1) != 0 ? tile[k] - 1 - (int)along[k] : (int)along[k]);
            r->input[i] = (float)volume_voxel(r, (int)(i / voxels), at);
            any |= r->input[i] != 0;
        }
        net_run(n, r->input, r->scores);
        for (size_t i = 0; i < voxels * (size_t)n->classes; i++) {
            size_t v = i % voxels, along[3] = {v / (size_t)(tile[1] * tile[2]),
                                               v / (size_t)tile[2] % (size_t)tile[1], v % (size_t)tile[2]};
            for (int k = 0; k < 3; k++) {
                if ((order[f] >> k & 1) != 0) along[k] = (size_t)tile[k] - 1 - along[k];
            }
            double *to =
                &r->mean[i - v + (along[0] * (size_t)tile[1] + along[1]) * (size_t)tile[2] + along[2]];
            *to = r->s->info.half ? (double)((float)*to + r->scores[i]) : *to + (double)r->scores[i];
        }
        ways++;
    }
    for (size_t i = 0; i < voxels * (size_t)n->classes; i++)
        r->mean[i] = r->s->info.half ? (double)((float)r->mean[i] / (float)ways) : r->mean[i] / ways;
    return any;
}

static double in_half(const window_run *r, double x) {
    return r->s->info.half ? half_of((double)(float)x) : x;
}

/* Adds the tile to sum[class][voxel] and weight[voxel]. */
static void add_tile(window_run *r, const net *n, const int begin[3], double *sum, double *weight) {
    size_t voxels = count3(n->out), i = 0;
    for (int d = 0; d < n->out[0]; d++) {
        for (int h = 0; h < n->out[1]; h++) {
            for (int w = 0; w < n->out[2]; w++, i++) {
                int at[3] = {begin[0] + d, begin[1] + h, begin[2] + w};
                bool inside = true;
                for (int k = 0; k < 3; k++) inside &= at[k] >= 0 && at[k] < r->dim[k];
                if (!inside) continue;
                size_t v =
                    ((size_t)at[0] * (size_t)r->dim[1] + (size_t)at[1]) * (size_t)r->dim[2] + (size_t)at[2];
                for (int c = 0; c < n->classes; c++) {
                    double *to = &sum[(size_t)c * count3(r->dim) + v], x = r->mean[(size_t)c * voxels + i];
                    double product = x * (double)r->window[i];
                    *to = in_half(r, *to + (r->s->info.half ? (double)(float)product : product));
                }
                weight[v] = in_half(r, weight[v] + (double)r->window[i]);
            }
        }
    }
}

static void activate(const window_run *r, double *score, int classes) {
    size_t n = count3(r->dim);
    for (size_t v = 0; v < n; v++) {
        double sum = 0;
        for (int c = 0; c < classes; c++) sum += exp(score[(size_t)c * n + v]);
        for (int c = 0; c < classes && r->s->info.activation != VOX_AS_THEY_ARE; c++) {
            double *x = &score[(size_t)c * n + v];
            *x = r->s->info.activation == VOX_SOFTMAX ? exp(*x) / sum : 1 / (1 + exp(-*x));
        }
    }
}

/* Scores of the volume, malloc'd [class][D][H][W]; voxels that no tile touched are NaN. */
static double *sliding_window(const scene *s) {
    const net *n = &s->net;
    window_run r = {.s = s, .dim = {s->volume.dim[2], s->volume.dim[1], s->volume.dim[0]}};
    size_t voxels = count3(r.dim), all = voxels * (size_t)n->classes;
    double *sum = calloc(all, sizeof *sum), *weight = calloc(voxels, sizeof *weight),
           *mean = calloc(all, sizeof *mean);
    int place[3][MOST_TILES], count[3], folds = 1 + s->options.n_folds;
    r.window = malloc(count3(n->in) * sizeof(float));
    r.input = malloc(count3(n->in) * (size_t)n->channels * sizeof(float));
    r.scores = malloc(count3(n->in) * (size_t)n->classes * sizeof(float));
    r.mean = malloc(count3(n->in) * (size_t)n->classes * sizeof(double));
    for (int k = 0; k < 3; k++) count[k] = places(s, r.dim[k], n->in[k], place[k]);
    window_of(s, n->out, r.window);
    for (int f = 0; f < folds; f++) {
        const net *of_fold = f == 0 ? n : s->options.folds[f - 1];
        memset(sum, 0, all * sizeof *sum);
        memset(weight, 0, voxels * sizeof *weight);
        for (int i = 0; i < count[0] * count[1] * count[2]; i++) {
            int begin[3] = {place[0][i / (count[1] * count[2])], place[1][i / count[2] % count[1]],
                            place[2][i % count[2]]};
            bool any = tile_mean(&r, of_fold, begin);
            if (any || !s->info.skip_empty) add_tile(&r, of_fold, begin, sum, weight);
        }
        for (size_t i = 0; i < all; i++)
            mean[i] = in_half(&r, mean[i] + in_half(&r, sum[i] / weight[i % voxels]));
    }
    for (size_t i = 0; i < all; i++) mean[i] = in_half(&r, mean[i] / folds);
    activate(&r, mean, n->classes);
    free(r.window), free(r.input), free(r.scores), free(r.mean), free(sum), free(weight);
    return mean;
}

/* ---- the library's, beside it ---------------------------------------------------------------- */

typedef struct kept {
    const int *dim;
    float *score;
} kept;

static void keep_scores(void *user, int class, const int at[3], const int step[3], const float *values,
                        int n) {
    const kept *k = user;
    assert_int_equal(step[0], 1);
    memcpy(k->score +
               (((size_t) class * (size_t)k->dim[2] + (size_t)at[2]) * (size_t)k->dim[1] + (size_t)at[1]) *
                   (size_t)k->dim[0],
           values, (size_t)n * sizeof *values);
}

/* What the rule makes of a voxel's scores. */
static int label_of(const scene *s, const float *score, size_t v) {
    size_t n = count3(s->volume.dim);
    int label = 0;
    for (int c = 0; c < s->net.classes; c++) {
        float x = score[(size_t)c * n + v];
        if (s->info.rule == VOX_ARGMAX)
            label = x > score[(size_t)label * n + v] ? c : label;
        else if (x > (float)s->info.level)
            label = s->info.rule == VOX_REGIONS ? s->info.region_label[c] : 1;
    }
    return label;
}

static void compare(scene *s, int number) {
    size_t voxels = count3(s->volume.dim), all = voxels * (size_t)s->net.classes;
    float *score = malloc(all * sizeof *score);
    unsigned char *labels = malloc(voxels);
    kept k = {s->volume.dim, score};
    s->labels.data = labels;
    s->options.scores = keep_scores;
    s->options.user = &k;
    assert_int_equal(scene_run(s, NULL), VOX_OK);
    double *expected = sliding_window(s), largest = 0;
    for (size_t i = 0; i < all; i++) largest = fmax(largest, isnan(expected[i]) ? 0 : fabs(expected[i]));
    for (size_t i = 0; i < all; i++) {
        double off = fabs((double)score[i] - expected[i]), limit = s->info.half ? 0 : 2e-6 * largest;
        if (s->info.half && s->info.activation != VOX_AS_THEY_ARE) limit = 1e-3;
        if (off > limit)
            fail_msg("case %d: score %zu is %a, not %a", number, i, (double)score[i], expected[i]);
    }
    for (size_t v = 0; v < voxels; v++) {
        int label = isnan(expected[v]) ? 0 : label_of(s, score, v);
        if (labels[v] != label)
            fail_msg("case %d: voxel %zu has label %d, not %d", number, v, labels[v], label);
    }
    free(expected), free(labels), free(score);
}

static int within(uint64_t *seed, int low, int high) {
    return low + (int)(test_random_bits(seed) % (unsigned)(high - low + 1));
}

static void overlapping_tiles_are_a_plain_sliding_window(void **state) {
    (void)state;
    static const double overlaps[] = {0.5, 0.25, 0.75, 0.01, 0.625};
    static const int region[] = {3, 1, 200, 7};
    for (int i = 0; i < 400; i++) {
        uint64_t seed = (uint64_t)i;
        net n = {.kind = NET_PADDED, .channels = within(&seed, 1, 2), .classes = within(&seed, 1, 4)}, other;
        int dim[3];
        for (int k = 0; k < 3; k++) {
            n.in[k] = n.out[k] = within(&seed, 2, 8);
            dim[k] = within(&seed, 1, 14);
        }
        float *voxels = malloc(count3(dim) * (size_t)n.channels * sizeof *voxels);
        test_fill(voxels, count3(dim) * (size_t)n.channels, seed);
        for (size_t v = 0; v < count3(dim) * (size_t)n.channels; v++)
            voxels[v] *= v < count3(dim) / 2 ? 0 : 3;
        other = n;
        other.bias = 0.7f;
        const void *const folds[] = {&other, &n};
        scene s;
        scene_of(&s, &n, voxels, dim, NULL);
        s.info.overlap = overlaps[within(&seed, 0, 4)];
        s.info.placement = (vox_placement)within(&seed, 0, 1);
        s.info.window = (vox_window)within(&seed, 0, 2);
        s.info.border = within(&seed, 0, 1) ? VOX_BORDER_MIRROR : VOX_BORDER_ZERO;
        s.info.mirror_axes = within(&seed, 0, 2) ? 0 : within(&seed, 1, 7);
        s.info.half = within(&seed, 0, 2) == 0 && s.info.window != VOX_WINDOW_CENTRED;
        s.info.activation = (vox_activation)within(&seed, 0, 2);
        s.info.skip_empty = within(&seed, 0, 1);
        s.info.rule = n.classes == 1 ? VOX_THRESHOLD : within(&seed, 0, 1) ? VOX_REGIONS : VOX_ARGMAX;
        if (s.info.rule != VOX_ARGMAX && s.info.activation == VOX_SOFTMAX) s.info.activation = VOX_SIGMOID;
        s.info.level = s.info.activation == VOX_AS_THEY_ARE ? -0.5 : 0.4;
        s.info.n_regions = n.classes;
        s.info.region_label = region;
        s.options.folds = folds;
        s.options.n_folds = s.info.half && s.info.mirror_axes ? 0 : within(&seed, 0, 2);
        compare(&s, i);
        free(voxels);
    }
}

/* ---- tiles that touch ------------------------------------------------------------------------ */

/* Scores of one pass over the whole volume, with its mirrored margin. */
static void any_tile_of_a_valid_network_gives_the_same(void **state) {
    (void)state;
    for (int i = 0; i < 150; i++) {
        uint64_t seed = (uint64_t)i + 1000;
        int dim[3], phase = within(&seed, 1, 4), margin = phase * within(&seed, 1, 2);
        net whole = {.kind = NET_POOLED, .channels = 1, .classes = 4, .phase = phase}, tile;
        for (int k = 0; k < 3; k++) dim[k] = within(&seed, 1, 19);
        for (int k = 0; k < 3; k++) { /* a multiple of the phase, so that each block is whole */
            whole.out[k] = (dim[2 - k] + phase - 1) / phase * phase;
            whole.in[k] = whole.out[k] + 2 * margin;
        }
        tile = whole;
        for (int k = 0; k < 3; k++) {
            tile.out[k] = within(&seed, phase, 9);
            tile.in[k] = (tile.out[k] + 2 * margin);
        }
        float *voxels = malloc(count3(dim) * sizeof *voxels);
        unsigned char *one = malloc(count3(dim)), *tiled = malloc(count3(dim));
        test_fill(voxels, count3(dim), seed);
        for (size_t v = 0; v < count3(dim); v++) voxels[v] = 3 * fabsf(voxels[v]);
        scene a, b;
        scene_of(&a, &whole, voxels, dim, one);
        a.info.border = VOX_BORDER_MIRROR;
        assert_int_equal(scene_run(&a, NULL), VOX_OK);
        assert_int_equal(a.result.runs, 1);
        scene_of(&b, &tile, voxels, dim, tiled);
        b.info.border = VOX_BORDER_MIRROR;
        for (int k = 0; k < 3; k++) b.info.phase[k] = phase;
        assert_int_equal(scene_run(&b, NULL), VOX_OK);
        if (memcmp(one, tiled, count3(dim)) != 0) fail_msg("case %d: labels depend on the tile", i);
        free(voxels), free(one), free(tiled);
    }
}

/* Labels that the network itself gives; tiles of nothing are label 0 by any rule. */
static void networks_may_give_labels(void **state) {
    (void)state;
    static const net n = {.kind = NET_LABELS, .channels = 1, .classes = 1, .in = {3, 4, 5}, .out = {3, 4, 5}};
    const int dim[3] = {7, 9, 8};
    float voxels[7 * 9 * 8];
    uint16_t labels[7 * 9 * 8];
    for (int i = 0; i < 7 * 9 * 8; i++) voxels[i] = (float)(i < 200 ? 0 : i * 131 % 65536);
    scene s;
    scene_of(&s, &n, voxels, dim, NULL);
    s.labels = (vox_labels){labels, VOX_VOXEL_U16, {2, 2 * 7, 2 * 63}};
    for (s.info.skip_empty = 0; s.info.skip_empty < 2; s.info.skip_empty++) {
        memset(labels, 0xee, sizeof labels);
        assert_int_equal(scene_run(&s, NULL), VOX_OK);
        assert_int_equal(s.result.skipped > 0, s.info.skip_empty);
        for (int i = 0; i < 7 * 9 * 8; i++) assert_int_equal(labels[i], (int)voxels[i]);
    }
    voxels[3] = 65536;
    assert_int_equal(scene_run(&s, NULL), VOX_E_LABELS);
    voxels[3] = -1;
    assert_int_equal(scene_run(&s, NULL), VOX_E_LABELS);
}

static void skipped_tiles_are_label_0_by_any_rule(void **state) {
    (void)state;
    static const int region[] = {5};
    net n = {.kind = NET_POINT, .channels = 1, .classes = 1, .in = {4, 4, 4}, .out = {4, 4, 4}};
    const int dim[3] = {4, 4, 12};
    float voxels[192] = {0};
    unsigned char labels[192];
    for (int i = 64; i < 128; i++) voxels[i] = 2;
    for (int i = 0; i < 24; i++) {
        scene s;
        scene_of(&s, &n, voxels, dim, labels);
        s.info.skip_empty = 1;
        s.info.overlap = i % 2 * 0.01; /* tiles at 0, 3, 5, 8 along k, or at 0, 4, 8 */
        int low = 64 - i % 2 * 16, high = 128 + i % 2 * 16;
        s.info.half = i / 2 % 2;
        s.info.activation = (vox_activation)(i / 4 % 3);
        s.info.rule = i / 12 == 0 ? VOX_THRESHOLD : VOX_REGIONS;
        s.info.n_regions = 1;
        s.info.region_label = region;
        s.info.level = s.info.activation == VOX_AS_THEY_ARE ? -1 : 0.25;
        if (s.info.activation == VOX_SOFTMAX) continue; /* of one class says nothing */
        assert_int_equal(scene_run(&s, NULL), VOX_OK);
        assert_int_equal(s.result.skipped, 2);
        assert_int_equal(s.result.runs, 1 + i % 2);
        for (int v = 0; v < 192; v++)
            assert_int_equal(labels[v], v < low || v >= high ? 0 : s.info.rule == VOX_REGIONS ? 5 : 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float16_is_ieee_754s),
        cmocka_unit_test(overlapping_tiles_are_a_plain_sliding_window),
        cmocka_unit_test(any_tile_of_a_valid_network_gives_the_same),
        cmocka_unit_test(networks_may_give_labels),
        cmocka_unit_test(skipped_tiles_are_label_0_by_any_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
