/* test_surface.c: scores of labels: figures that others computed, brute force, and any number of threads. */
#include "test.h"

#include "vox_nearest.h"
#include "vox_surface.h"

typedef struct scored {
    vox_overlap overlap;
    vox_surface surface;
} scored;

static void *aligned(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64);
    assert_non_null(p);
    return p;
}

/* Scores labels 0..n - 1 (ascending ones, as asked); memory holds just what the library asks for. */
static void score(const vox_label_pair *p, int n, scored *out, int threads) {
    vox_pool *pool = threads > 0 ? vox_pool_create(threads) : NULL;
    const vox_executor e = {.parallel_for = vox_pool_parallel_for, .pool = pool}, *how = pool ? &e : NULL;
    vox_overlap *overlaps = calloc((size_t)n, sizeof *overlaps);
    for (int i = 0; i < n; i++) overlaps[i].label = i;
    void *scratch = aligned(vox_overlap_bytes(n));
    assert_int_equal(vox_overlap_count(p, overlaps, n, scratch, vox_overlap_bytes(n), how), VOX_OK);
    free(scratch);
    for (int i = 0; i < n; i++) {
        const size_t bytes = vox_surface_bytes(&overlaps[i]);
        scratch = aligned(bytes);
        out[i].overlap = overlaps[i];
        assert_int_equal(vox_surface_measure(p, &overlaps[i], &out[i].surface, scratch, bytes, how), VOX_OK);
        free(scratch);
    }
    free(overlaps);
    if (pool) vox_pool_destroy(pool);
}

static void close_to(const char *what, double got, double want, double relative) {
    const bool same = isnan(want)   ? isnan(got)
                      : isinf(want) ? got == want
                                    : fabs(got - want) <= relative * fmax(1e-3, fabs(want));
    if (!same) fail_msg("%s: %.9g, not %.9g", what, got, want);
}

/* ---- figures of others ----------------------------------------------------------------------- */

enum { FX = 70, FY = 17 };

/* A ball, a box at the border, and voxels by themselves. */
static void draw(uint16_t *v, int nz, int dx, int dy, int radius) {
    for (int z = 0; z < nz; z++) {
        for (int y = 0; y < FY; y++) {
            for (int x = 0; x < FX; x++) {
                const int u = x - 12 - dx, w = y - 8 - dy, t = z - nz / 2;
                const bool ball = u * u + w * w + 4 * t * t <= radius;
                const bool box = x >= 30 + dx && x < 66 - dy && y < 5 + dx && z < 4;
                *v++ = box ? 2 : ball ? 1 : 0;
            }
        }
    }
}

static void put(uint16_t *v, int x, int y, int z, uint16_t label) {
    v[(z * FY + y) * FX + x] = label;
}

/* MONAI 1.6.1: compute_dice, compute_iou, compute_hausdorff_distance, the same with percentile=95,
 * compute_average_surface_distance with symmetric=True, compute_surface_dice, with spacing. SimpleITK 2.5.7
 * gives the same Dice and Jaccard and, of the surfaces, the same Hausdorff distance, and so does scikit-image
 * 0.26.0 of those with spacing 1. The voxels of the surfaces are SciPy 1.17.1's:
 * mask & ~binary_erosion(mask). */
static void figures_of_monai_simpleitk_and_skimage(void **state) {
    (void)state;
    static const struct {
        int nz;
        double spacing[3], tolerance;
        int label;
        size_t voxels, reference, surface, reference_surface;
        double dice, iou, hausdorff, hausdorff95, mean, surface_dice;
    } cases[] = {
        {9,
         {0.7, 0.9, 2.5},
         1,
         1,
         519,
         762,
         258,
         333,
         0.7166277,
         0.5583941,
         9.21629,
         2.596151,
         1.017508,
         0.5549915},
        {9,
         {0.7, 0.9, 2.5},
         1,
         2,
         721,
         924,
         517,
         614,
         0.8024316,
         0.6700507,
         9.656604,
         1.8,
         0.4228617,
         0.8116711},
        {9,
         {1, 1, 1},
         2,
         1,
         519,
         762,
         258,
         333,
         0.7166277,
         0.5583941,
         9.110434,
         2.828427,
         0.946025,
         0.9170897},
        {9, {1, 1, 1}, 2, 2, 721, 924, 517, 614, 0.8024316, 0.6700507, 11.18034, 2, 0.4360569, 0.9991158},
        {1,
         {0.7, 0.9, 2.5},
         1,
         1,
         129,
         164,
         129,
         164,
         0.7713311,
         0.6277778,
         6.652819,
         2.1,
         0.3246121,
         0.8737201},
        {1,
         {0.7, 0.9, 2.5},
         1,
         2,
         181,
         231,
         181,
         231,
         0.8009709,
         0.6680162,
         9.656604,
         1.8,
         0.2736811,
         0.9053398},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int nz = cases[i].nz;
        uint16_t a[9 * FY * FX], b[9 * FY * FX];
        draw(a, nz, 0, 0, 40);
        draw(b, nz, 2, 1, 50);
        put(a, 69, 16, 0, 2);
        for (int x = 50; x < 53; x++) put(a, x, 10, nz - 1, 3), put(a, x, 11, nz - 1, 3);
        put(b, 40, 12, 0, 4);
        for (int x = 0; x < 3; x++) put(b, x, 16, nz - 1, 1);
        vox_label_pair p = {a, b, {FX, FY, nz}, {0}, cases[i].tolerance};
        memcpy(p.spacing, cases[i].spacing, sizeof p.spacing);
        scored s[5];
        score(&p, 5, s, 2);
        const scored *got = &s[cases[i].label];
        assert_int_equal(got->overlap.voxels, cases[i].voxels);
        assert_int_equal(got->overlap.reference, cases[i].reference);
        assert_int_equal(got->surface.voxels, cases[i].surface);
        assert_int_equal(got->surface.reference, cases[i].reference_surface);
        close_to("dice", got->overlap.dice, cases[i].dice, 1e-6);
        close_to("iou", got->overlap.iou, cases[i].iou, 1e-6);
        close_to("hausdorff", got->surface.hausdorff, cases[i].hausdorff, 1e-6);
        close_to("hausdorff95", got->surface.hausdorff95, cases[i].hausdorff95, 1e-6);
        close_to("mean", got->surface.mean, cases[i].mean, 1e-6);
        close_to("surface dice", got->surface.dice, cases[i].surface_dice, 1e-6);
        /* of one volume only */
        for (int label = 3; label < 5; label++) {
            assert_true(s[label].overlap.dice == 0 && s[label].overlap.iou == 0 &&
                        s[label].surface.dice == 0);
            assert_true(isinf(s[label].surface.hausdorff) && isinf(s[label].surface.hausdorff95));
            assert_true(isinf(s[label].surface.mean));
        }
    }
}

static void volumes_are_in_millilitres(void **state) {
    (void)state;
    uint16_t a[4000] = {0}, b[4000] = {0};
    for (int i = 0; i < 3000; i++) a[i] = 1;
    for (int i = 1000; i < 3000; i++) b[i] = 1;
    const vox_label_pair p = {a, b, {10, 20, 20}, {0.5, 1, 2}, 1};
    scored s[3];
    score(&p, 3, s, 0);
    close_to("volume", s[1].overlap.volume, 3, 1e-12);
    close_to("reference", s[1].overlap.reference_volume, 2, 1e-12);
    close_to("difference", s[1].overlap.difference, 1, 1e-12);
    close_to("relative", s[1].overlap.relative_difference, 0.5, 1e-12);
    assert_int_equal(s[1].overlap.both, 2000);
    assert_true(isnan(s[2].overlap.dice) && isnan(s[2].overlap.iou) &&
                isnan(s[2].overlap.relative_difference));
    assert_true(isnan(s[2].surface.hausdorff) && isnan(s[2].surface.hausdorff95) && isnan(s[2].surface.mean));
    assert_true(isnan(s[2].surface.dice));
    const vox_label_pair swapped = {a, a + 3000, {10, 10, 10}, {1, 1, 1}, 1};
    score(&swapped, 2, s, 0);
    assert_true(isinf(s[1].overlap.relative_difference) && s[1].overlap.relative_difference > 0);
}

/* ---- brute force ----------------------------------------------------------------------------- */

typedef struct points {
    int n, at[4096][3];
} points;

static int label_at(const vox_label_pair *p, const uint16_t *v, int x, int y, int z) {
    if (x < 0 || y < 0 || z < 0 || x >= p->dim[0] || y >= p->dim[1] || z >= p->dim[2]) return -1;
    return v[(z * p->dim[1] + y) * p->dim[0] + x];
}

static void find_surface(const vox_label_pair *p, const uint16_t *v, int label, points *s) {
    s->n = 0;
    for (int z = 0; z < p->dim[2]; z++) {
        for (int y = 0; y < p->dim[1]; y++) {
            for (int x = 0; x < p->dim[0]; x++) {
                if (label_at(p, v, x, y, z) != label) continue;
                if (label_at(p, v, x - 1, y, z) == label && label_at(p, v, x + 1, y, z) == label &&
                    label_at(p, v, x, y - 1, z) == label && label_at(p, v, x, y + 1, z) == label &&
                    label_at(p, v, x, y, z - 1) == label && label_at(p, v, x, y, z + 1) == label)
                    continue;
                int *at = s->at[s->n++];
                at[0] = x, at[1] = y, at[2] = z;
            }
        }
    }
}

static int ascending(const void *a, const void *b) {
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The 95th percentile of the distances from s to t, which are sorted; adds to what is asked of both ways. */
static double distances(const vox_label_pair *p, const points *s, const points *t, vox_surface *sum) {
    float *d = malloc((size_t)s->n * sizeof *d);
    for (int i = 0; i < s->n; i++) {
        double best = INFINITY;
        for (int j = 0; j < t->n; j++) {
            double square = 0;
            for (int k = 0; k < 3; k++) {
                const double step = (s->at[i][k] - t->at[j][k]) * p->spacing[k];
                square += step * step;
            }
            best = fmin(best, square);
        }
        d[i] = (float)sqrt(best);
        sum->mean += (double)d[i];
        sum->dice += d[i] <= (float)p->tolerance;
        sum->hausdorff = fmax(sum->hausdorff, (double)d[i]);
    }
    qsort(d, (size_t)s->n, sizeof *d, ascending);
    const double at = 0.95 * (s->n - 1);
    const int k = (int)at;
    const double value = (double)d[k] + (at - k) * (k + 1 < s->n ? (double)d[k + 1] - (double)d[k] : 0);
    free(d);
    return value;
}

static void check_by_force(const vox_label_pair *p, const scored *s) {
    points *a = malloc(sizeof *a), *b = malloc(sizeof *b);
    find_surface(p, p->labels, s->overlap.label, a);
    find_surface(p, p->reference, s->overlap.label, b);
    if (a->n > 0 && b->n > 0) {
        vox_surface want = {0};
        want.hausdorff95 = distances(p, a, b, &want);
        want.hausdorff95 = fmax(want.hausdorff95, distances(p, b, a, &want));
        close_to("hausdorff", s->surface.hausdorff, want.hausdorff, 1e-7);
        close_to("hausdorff95", s->surface.hausdorff95, want.hausdorff95, 1e-7);
        close_to("mean", s->surface.mean, want.mean / (a->n + b->n), 1e-9);
        close_to("surface dice", s->surface.dice, want.dice / (a->n + b->n), 1e-12);
        assert_int_equal(s->surface.voxels, a->n);
        assert_int_equal(s->surface.reference, b->n);
    }
    free(a);
    free(b);
}

/* Labels 0 to 3: noise, or blocks whose borders are noise. */
static void fill_random(uint16_t *v, size_t n, const int dim[3], int block, uint64_t *seed) {
    const uint64_t key = test_random_bits(seed);
    for (size_t i = 0; i < n; i++) {
        const uint64_t x = i % (size_t)dim[0], y = i / (size_t)dim[0] % (size_t)dim[1],
                       z = i / (size_t)dim[0] / (size_t)dim[1], b = (uint64_t)block;
        uint64_t place = key ^ (x / b * 73856093u ^ y / b * 19349663u ^ z / b * 83492791u);
        v[i] = (uint16_t)(test_random_bits(block > 1 && test_random_bits(seed) % 16 ? &place : seed) % 4);
    }
}

static void random_labels_against_brute_force(void **state) {
    (void)state;
    uint64_t seed = 7;
    for (int i = 0; i < 150; i++) {
        vox_label_pair p = {.tolerance = (double)(i % 5)};
        size_t n = 1;
        for (int k = 0; k < 3; k++) {
            const uint64_t most = k == i % 3 ? 140 : 5;
            p.dim[k] = 1 + (int)(test_random_bits(&seed) % most);
            p.spacing[k] = i % 4 == 0 ? 1 : 0.05 + (double)(test_random_bits(&seed) % 1000) / 300;
            n *= (size_t)p.dim[k];
        }
        uint16_t *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
        fill_random(a, n, p.dim, 1 + i % 7, &seed);
        fill_random(b, n, p.dim, 1 + i % 6, &seed);
        p.labels = a, p.reference = i % 10 == 9 ? a : b;
        scored s[4];
        score(&p, 4, s, i % 3);
        size_t voxels = 0, both = 0;
        for (int label = 0; label < 4; label++) {
            check_by_force(&p, &s[label]);
            voxels += s[label].overlap.voxels;
            both += s[label].overlap.both;
        }
        size_t same = 0;
        for (size_t v = 0; v < n; v++) same += a[v] == p.reference[v];
        assert_int_equal(voxels, n);
        assert_int_equal(both, same);
        free(a);
        free(b);
    }
}

/* The voxel that a question begins with, none or the wrongest one, changes nothing. */
static void nearest_of_a_set_of_voxels(void **state) {
    (void)state;
    const int dim[3] = {300, 90, 70};
    const double spacing[3] = {0.3, 1.7, 1};
    void *memory = aligned(vox_nearest_bytes(dim));
    uint64_t seed = 3;
    for (int round = 0; round < 20; round++) {
        vox_nearest_tree t;
        int set[40][3];
        const int n = 1 + 2 * round;
        vox_nearest_begin(&t, dim, spacing, memory);
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < 3; k++) set[i][k] = (int)(test_random_bits(&seed) % (uint64_t)dim[k]);
            vox_nearest_add(&t, set[i][0], set[i][1], set[i][2]);
        }
        vox_nearest_end(&t);
        for (int q = 0; q < 200; q++) {
            int at[3], near[3] = {-1, -1, -1};
            double best = INFINITY;
            for (int k = 0; k < 3; k++) at[k] = (int)(test_random_bits(&seed) % (uint64_t)dim[k]);
            for (int i = 0; i < n; i++) {
                double square = 0;
                for (int k = 0; k < 3; k++) square += pow((set[i][k] - at[k]) * spacing[k], 2);
                best = fmin(best, square);
            }
            if (q % 2) memcpy(near, set[q % n], sizeof near);
            close_to("square", vox_nearest_find(&t, at, near), best, 1e-12);
            double square = 0;
            for (int k = 0; k < 3; k++) square += pow((near[k] - at[k]) * spacing[k], 2);
            close_to("its voxel", square, best, 1e-12);
        }
    }
    free(memory);
}

/* ---- threads and mistakes -------------------------------------------------------------------- */

static void any_number_of_threads_gives_the_same_bits(void **state) {
    (void)state;
    uint64_t seed = 11;
    const int dim[3] = {61, 67, 37};
    const size_t n = 61 * 67 * 37;
    uint16_t *a = malloc(n * sizeof *a), *b = malloc(n * sizeof *b);
    fill_random(a, n, dim, 9, &seed);
    fill_random(b, n, dim, 8, &seed);
    vox_label_pair p = {a, b, {61, 67, 37}, {0.7, 0.9, 1.3}, 1};
    scored one[4], more[4];
    memset(one, 0, sizeof one), memset(more, 0, sizeof more);
    score(&p, 4, one, 0);
    for (int threads = 1; threads < 6; threads++) {
        score(&p, 4, more, threads);
        assert_memory_equal(one, more, sizeof one);
    }
    free(a);
    free(b);
}

static void wrong_arguments_have_their_status(void **state) {
    (void)state;
    uint16_t v[8] = {0, 1, 1, 1, 0, 1, 1, 1};
    const vox_label_pair good = {v, v, {2, 2, 2}, {1, 1, 1}, 1};
    vox_overlap o[2] = {{.label = 0}, {.label = 1}};
    const size_t bytes = vox_overlap_bytes(2);
    unsigned char *memory = aligned(bytes + 64);
    assert_int_equal(vox_overlap_bytes(0), 0);
    assert_int_equal(vox_overlap_bytes(VOX_LABELS + 1), 0);
    assert_int_equal(vox_overlap_count(&good, o, 2, memory, bytes - 1, NULL), VOX_E_ARENA_SIZE);
    assert_int_equal(vox_overlap_count(&good, o, 2, memory + 8, bytes, NULL), VOX_E_ARENA_ALIGN);
    assert_int_equal(vox_overlap_count(&good, o, 2, NULL, bytes, NULL), VOX_E_ARGUMENT);
    assert_int_equal(vox_overlap_count(NULL, o, 2, memory, bytes, NULL), VOX_E_ARGUMENT);
    o[0].label = 1;
    assert_int_equal(vox_overlap_count(&good, o, 2, memory, bytes, NULL), VOX_E_ARGUMENT);
    o[0].label = 0;
    vox_label_pair bad = good;
    bad.spacing[1] = 0;
    assert_int_equal(vox_overlap_count(&bad, o, 2, memory, bytes, NULL), VOX_E_ARGUMENT);
    bad = good, bad.dim[2] = 0;
    assert_int_equal(vox_overlap_count(&bad, o, 2, memory, bytes, NULL), VOX_E_ARGUMENT);
    assert_int_equal(vox_overlap_count(&good, o, 2, memory, bytes, NULL), VOX_OK);

    vox_surface s;
    const size_t needed = vox_surface_bytes(&o[1]);
    assert_true(needed > 0 && needed <= bytes);
    assert_int_equal(vox_surface_measure(&good, &o[1], &s, memory, needed - 1, NULL), VOX_E_ARENA_SIZE);
    assert_int_equal(vox_surface_measure(&good, &o[1], &s, memory + 8, needed, NULL), VOX_E_ARENA_ALIGN);
    assert_int_equal(vox_surface_measure(&good, &o[1], NULL, memory, needed, NULL), VOX_E_ARGUMENT);
    bad = good, bad.tolerance = -1;
    assert_int_equal(vox_surface_measure(&bad, &o[1], &s, memory, needed, NULL), VOX_E_ARGUMENT);
    bad = good, bad.dim[0] = 1;
    assert_int_equal(vox_surface_measure(&bad, &o[1], &s, memory, needed, NULL), VOX_E_ARGUMENT);
    assert_int_equal(vox_surface_measure(&good, &o[1], &s, memory, needed, NULL), VOX_OK);
    free(memory);
}

/* All 65536 labels at once leave no row for others. */
static void every_label_there_is(void **state) {
    (void)state;
    uint16_t *v = malloc(VOX_LABELS * sizeof *v);
    for (int i = 0; i < VOX_LABELS; i++) v[i] = (uint16_t)i;
    const vox_label_pair p = {v, v, {256, 256, 1}, {1, 1, 1}, 0};
    vox_overlap *o = calloc(VOX_LABELS, sizeof *o);
    for (int i = 0; i < VOX_LABELS; i++) o[i].label = i;
    void *memory = aligned(vox_overlap_bytes(VOX_LABELS));
    assert_int_equal(vox_overlap_count(&p, o, VOX_LABELS, memory, vox_overlap_bytes(VOX_LABELS), NULL),
                     VOX_OK);
    for (int i = 0; i < VOX_LABELS; i++)
        assert_true(o[i].both == 1 && o[i].dice == 1 && o[i].low[0] == i % 256);
    free(memory);
    free(o);
    free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_monai_simpleitk_and_skimage),
        cmocka_unit_test(volumes_are_in_millilitres),
        cmocka_unit_test(random_labels_against_brute_force),
        cmocka_unit_test(nearest_of_a_set_of_voxels),
        cmocka_unit_test(any_number_of_threads_gives_the_same_bits),
        cmocka_unit_test(wrong_arguments_have_their_status),
        cmocka_unit_test(every_label_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
