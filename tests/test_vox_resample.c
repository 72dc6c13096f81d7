/* test_vox_resample.c: resampled volumes against figures of the peers (resample_figures.h); and that results depend
 * neither on the order of tasks nor on what scratch held. tests/volumes/resample_peers.sh compares more. */
#include "test.h"

#include "resample_figures.h"

static float *volume_of(const int dim[3]) {
    float *v = malloc((size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2] * sizeof *v), *p = v;
    assert_non_null(v);
    for (int z = 0; z < dim[2]; z++) {
        for (int y = 0; y < dim[1]; y++) {
            for (int x = 0; x < dim[0]; x++) *p++ = (float)((7 * x + 13 * y + 29 * z) % 31 - 5);
        }
    }
    return v;
}

static size_t voxels(const int dim[3]) {
    return (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
}

/* Scratch is exactly as large as asked for, and holds NaN. */
static float *resampled_by(const vox_resample *r, const vox_executor *e) {
    float *in = volume_of(r->from), *before = volume_of(r->from), *out = malloc(voxels(r->to) * sizeof *out);
    size_t bytes = vox_resample_bytes(r), room = (bytes + 63) / 64 * 64;
    unsigned char *scratch = aligned_alloc(64, room + 64);
    assert_true(out != NULL && scratch != NULL);
    memset(scratch, 0xff, room + 64);
    memset(out, 0xff, voxels(r->to) * sizeof *out);
    vox_resample_volume(r, in, out, scratch, e);
    for (size_t i = bytes; i < room + 64; i++) assert_int_equal(scratch[i], 0xff);
    assert_memory_equal(in, before, voxels(r->from) * sizeof *in);
    free(in);
    free(before);
    free(scratch);
    return out;
}

/* ---- against the peers ----------------------------------------------------------------------- */

static void compare(const figures *f, const float *out) {
    size_t n = voxels(f->to), at[4] = {0, n / 3, n / 2, n > 1 ? n - 2 : 0};
    double sum = 0, weighted = 0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)out[i];
        weighted += (double)out[i] * ((double)(i * 7 % 11) - 5);
    }
    for (int k = 0; k < 4; k++) {
        if (!(fabs((double)out[at[k]] - f->value[k]) <= 25e-6)) {
            fail_msg("%s, row %td: voxel %zu is %.9g, not %.9g", f->peer, f - peers, at[k],
                     (double)out[at[k]], f->value[k]);
        }
    }
    double few = 2e-6 * sqrt((double)n) * 25;
    if (!(fabs(sum - f->sum) <= few && fabs(weighted - f->weighted) <= 5 * few)) {
        fail_msg("%s, row %td: sums %.10g and %.10g, not %.10g and %.10g", f->peer, f - peers, sum, weighted,
                 f->sum, f->weighted);
    }
}

static vox_resample plan_of(const figures *f) {
    vox_resample r;
    vox_resample_of(&r, &f->how, f->from, f->old, f->to, f->new);
    return r;
}

static void volumes_are_those_of_the_peers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        vox_resample r = plan_of(&peers[i]);
        float *out = resampled_by(&r, NULL);
        compare(&peers[i], out);
        free(out);
    }
}

/* ---- executors ------------------------------------------------------------------------------- */

static void backwards(void *pool, int tasks, vox_task_fn *fn, void *argument) {
    (void)pool;
    for (int i = tasks - 1; i >= 0; i--) fn(argument, i);
}

/* As so many threads might take turns. */
static void in_turns(void *pool, int tasks, vox_task_fn *fn, void *argument) {
    int threads = *(const int *)pool;
    for (int t = 0; t < threads; t++) {
        for (int i = t; i < tasks; i += threads) fn(argument, i);
    }
}

static void results_do_not_depend_on_the_executor(void **state) {
    (void)state;
    int two = 2, seven = 7;
    vox_pool *pool = vox_pool_create(2);
    assert_non_null(pool);
    const vox_executor executors[] = {{.parallel_for = backwards},
                                      {.parallel_for = in_turns, .pool = &two},
                                      {.parallel_for = in_turns, .pool = &seven},
                                      {.parallel_for = vox_pool_parallel_for, .pool = pool}};
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        figures f = peers[i];
        f.to[2] += 48; /* more than one task of a linear volume */
        vox_resample r = plan_of(&f);
        float *alone = resampled_by(&r, NULL);
        for (size_t k = 0; k < sizeof executors / sizeof *executors; k++) {
            float *out = resampled_by(&r, &executors[k]);
            assert_memory_equal(out, alone, voxels(f.to) * sizeof *out);
            free(out);
        }
        free(alone);
    }
    vox_pool_destroy(pool);
}

/* ---- grids ----------------------------------------------------------------------------------- */

static void sizes_are_nnunets_and_monais(void **state) {
    (void)state;
    const struct {
        int n;
        double old, new;
        int nnunet, monai;
    } row[] = {{10, 5, 1, 50, 46},    {3, 5, 1, 15, 11},       {5, 1, 2, 2, 3}, {7, 1, 2, 4, 4},
               {6, 1, 2, 3, 4},       {2, 1, 2, 1, 2},         {4, 1, 2, 2, 2}, {3, .7, 1.4, 2, 2},
               {31, 1.25, 3, 13, 13}, {512, .7, 1.5, 239, 239}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        for (vox_alignment a = VOX_CORNERS; a <= VOX_FIRST; a++) {
            double n = vox_grid_voxels(a, row[i].n, row[i].old, row[i].new);
            assert_int_equal((int)n, a == VOX_FIRST ? row[i].monai : row[i].nnunet);
        }
    }
    assert_int_equal((int)vox_grid_voxels(VOX_EDGES, 1, 1, 9), 1); /* nnU-Net would make none */
    assert_true(vox_grid_voxels(VOX_EDGES, 512, 1, 1e-6) > 5e8);
}

/* Positions of the new grid's first and last voxels, in the old one. */
static void check_ends(vox_alignment align, int n, double s, int m, double t, double first, double last) {
    const vox_resampling how = {.align = align};
    double scale, shift;
    vox_grid_of(&how, n, s, m, t, &scale, &shift);
    double a = vox_grid_at(0, scale, shift), b = vox_grid_at(m - 1, scale, shift);
    if (!(fabs(a - first) < 1e-12 && fabs(b - last) < 1e-12)) {
        fail_msg("alignment %d, %d to %d: from %g to %g, not from %g to %g", (int)align, n, m, a, b, first,
                 last);
    }
}

static void alignments_are_what_they_say(void **state) {
    (void)state;
    check_ends(VOX_CORNERS, 5, 0, 9, 0, 0, 4);
    check_ends(VOX_CORNERS, 5, 0, 1, 0, 0, 0);
    check_ends(VOX_CORNERS, 1, 0, 5, 0, 0, 0);
    check_ends(VOX_EDGES, 5, 0, 10, 0, -0.25, 4.25);
    check_ends(VOX_EDGES, 5, 0, 1, 0, 2, 2);
    check_ends(VOX_EDGES, 1, 0, 5, 0, -0.4, 0.4);
    check_ends(VOX_SPACING, 5, 1, 4, 1.5, -0.25, 4.25);
    check_ends(VOX_SPACING, 5, 1, 1, 7, 2, 2);
    check_ends(VOX_SPACING, 1, 5, 5, 1, -0.4, 0.4);
    check_ends(VOX_FIRST, 5, 1, 4, 1.5, 0, 4.5);
    check_ends(VOX_FIRST, 5, 1, 1, 7, 0, 0);
}

static void separate_axis_is_nnunets(void **state) {
    (void)state;
    const struct {
        double old[3], new[3];
        int axis; /* -1: not separate */
    } row[] = {{{1, 1, 1}, {1, 1, 1}, -1}, {{1, 1, 3}, {1, 1, 1}, -1}, {{1, 1, 3.1}, {1, 1, 1}, 2},
               {{1, 4, 1}, {1, 1, 1}, 1},  {{5, 1, 1}, {1, 1, 9}, 0},  {{4, 4, 1}, {1, 1, 9}, -1},
               {{1, 1, 2}, {1, 9, 1}, 1},  {{1, 1, 1}, {9, 9, 1}, -1}, {{.5, .7, 5}, {1, 1, 1}, 2},
               {{0, 1, 9}, {1, 1, 1}, -1} /* not known */};
    const vox_resampling how = {VOX_CUBIC, VOX_LINEAR, VOX_EDGES, 3, 0};
    const int from[3] = {5, 6, 7}, to[3] = {6, 7, 8};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        vox_resample r;
        vox_resample_of(&r, &how, from, row[i].old, to, row[i].new);
        for (int k = 0; k < 3; k++) assert_int_equal(r.order[k], k == row[i].axis ? VOX_LINEAR : VOX_CUBIC);
        assert_int_equal(r.last, row[i].axis < 0 ? 2 : row[i].axis);
        assert_int_equal(r.limit, row[i].axis < 0 ? VOX_LIMIT_VOLUME : VOX_LIMIT_SLICE);
    }
}

/* ---- taps and planes ------------------------------------------------------------------------- */

static void nearest_rounds_halves_up(void **state) {
    (void)state;
    vox_tap t[8];
    const int at[8] = {0, 0, 1, 1, 2, 2, 2, 2}; /* of -0.5, 0, 0.5, 1, 1.5, 2, 2.5, 3 in three voxels */
    vox_taps_of(t, 8, VOX_NEAREST, 3, 0.5, -0.5);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(t[i].first, at[i]);
        assert_int_equal(t[i].second, at[i]);
        assert_true(t[i].weight == 0);
        assert_int_equal(t[i].inside, i < 7);
    }
}

static void linear_taps_end_with_the_source(void **state) {
    (void)state;
    vox_tap t[8];
    vox_taps_of(t, 8, VOX_LINEAR, 3, 0.75, -1);
    const double at[8] = {0, 0, 0.5, 1.25, 2, 2, 2, 2};
    const int inside[8] = {0, 1, 1, 1, 1, 0, 0, 0};
    for (int i = 0; i < 8; i++) {
        assert_true(t[i].first + t[i].weight == at[i]);
        assert_int_equal(t[i].second, t[i].first + (t[i].weight > 0));
        assert_int_equal(t[i].inside, inside[i]);
    }
}

/* Some of scipy's ties of (i + 1/2) scale - 1/2 go the other way as i * scale + shift. skimage.transform.resize,
 * order 0, of 0, 1, ... */
static void ties_are_scipys(void **state) {
    (void)state;
    const struct {
        int n, m, at, nearest;
    } row[] = {{4, 14, 10, 3}, {6, 7, 3, 3}, {6, 9, 7, 5}, {2, 49, 24, 0}, {6, 21, 10, 3}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        vox_tap t[64];
        double scale, shift;
        vox_grid_of(&(vox_resampling){.align = VOX_EDGES}, row[i].n, 0, row[i].m, 0, &scale, &shift);
        vox_taps_of(t, row[i].m, VOX_NEAREST, row[i].n, scale, shift);
        assert_int_equal(t[row[i].at].first, row[i].nearest);
    }
}

static void planes_mixed_are_the_volume(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        vox_resample r = plan_of(&peers[i]);
        if (peers[i].how.order == VOX_CUBIC || peers[i].how.antialias) continue;
        size_t plane = (size_t)r.to[0] * (size_t)r.to[1], old = (size_t)r.from[0] * (size_t)r.from[1];
        float *in = volume_of(r.from), *out = resampled_by(&r, NULL);
        float *work = malloc((2 * plane + 2 * (size_t)r.to[0]) * sizeof *work);
        vox_tap t[3][64];
        assert_non_null(work);
        for (int k = 0; k < 3; k++) vox_taps_of(t[k], r.to[k], r.order[k], r.from[k], r.scale[k], r.shift[k]);
        const vox_plane_taps p = {r.from[0], r.to[0], r.to[1], t[0], t[1]};
        for (int z = 0; z < r.to[2]; z++) {
            float *a = work, *b = work + plane;
            vox_resample_plane(&p, in + (size_t)t[2][z].first * old, a, b + plane);
            vox_resample_plane(&p, in + (size_t)t[2][z].second * old, b, b + plane);
            vox_mix(a, a, b, t[2][z].weight, plane);
            assert_memory_equal(a, out + (size_t)z * plane, plane * sizeof *a);
        }
        free(in);
        free(out);
        free(work);
    }
}

/* ---- properties ------------------------------------------------------------------------------ */

static void the_same_grid_is_copied(void **state) {
    (void)state;
    const int dim[3] = {37, 5, 9};
    const double spacing[3] = {1, 2, 9};
    for (vox_alignment a = VOX_CORNERS; a <= VOX_FIRST; a++) {
        for (vox_interpolation o = VOX_NEAREST; o <= VOX_CUBIC; o++) {
            const vox_resampling how = {o, o, a, a == VOX_EDGES ? 3 : 0, 1};
            vox_resample r;
            vox_resample_of(&r, &how, dim, spacing, dim, spacing);
            float *in = volume_of(dim), *out = resampled_by(&r, NULL);
            assert_memory_equal(in, out, voxels(dim) * sizeof *in);
            free(in);
            free(out);
        }
    }
}

static void only_edges_keeps_a_spline_in_the_range(void **state) {
    (void)state;
    const int from[3] = {9, 8, 7}, to[3] = {20, 21, 22};
    const double spacing[3] = {1, 1, 1};
    for (int edges = 0; edges < 2; edges++) {
        const vox_resampling how = {.order = VOX_CUBIC, .align = edges ? VOX_EDGES : VOX_CORNERS};
        vox_resample r;
        vox_resample_of(&r, &how, from, spacing, to, spacing);
        float *out = resampled_by(&r, NULL), low = 0, high = 0;
        for (size_t i = 0; i < voxels(to); i++) {
            low = fminf(low, out[i]);
            high = fmaxf(high, out[i]);
        }
        if (edges) assert_true(low == -5 && high == 25);
        if (!edges) assert_true(low < -6 && high > 26);
        free(out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(volumes_are_those_of_the_peers),
        cmocka_unit_test(results_do_not_depend_on_the_executor),
        cmocka_unit_test(sizes_are_nnunets_and_monais),
        cmocka_unit_test(alignments_are_what_they_say),
        cmocka_unit_test(separate_axis_is_nnunets),
        cmocka_unit_test(nearest_rounds_halves_up),
        cmocka_unit_test(linear_taps_end_with_the_source),
        cmocka_unit_test(ties_are_scipys),
        cmocka_unit_test(planes_mixed_are_the_volume),
        cmocka_unit_test(the_same_grid_is_copied),
        cmocka_unit_test(only_edges_keeps_a_spline_in_the_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
