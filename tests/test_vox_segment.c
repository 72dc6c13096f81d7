/* test_vox_segment.c: the one call from a volume to its labels: any storage order and type, parts of it, executors and
 * hooks. Networks by hand: segment_lib.h. */
#include "segment_lib.h"

/* ---- storage --------------------------------------------------------------------------------- */

enum { NX = 9, NY = 11, NZ = 7, VOXELS = NX * NY * NZ };
static const int world_dim[3] = {NX, NY, NZ};
static const net point = {.kind = NET_POINT, .channels = 1, .classes = 7, .in = {4, 4, 4}, .out = {4, 4, 4}};
static const net padded = {
    .kind = NET_PADDED, .channels = 1, .classes = 7, .in = {4, 6, 5}, .out = {4, 6, 5}};

static void put_voxel(void *to, vox_voxel_type type, double v) {
    switch (type) {
    case VOX_VOXEL_U8:
        *(uint8_t *)to = (uint8_t)v;
        return;
    case VOX_VOXEL_I8:
        *(int8_t *)to = (int8_t)v;
        return;
    case VOX_VOXEL_U16:
        *(uint16_t *)to = (uint16_t)v;
        return;
    case VOX_VOXEL_I16:
        *(int16_t *)to = (int16_t)v;
        return;
    case VOX_VOXEL_U32:
        *(uint32_t *)to = (uint32_t)v;
        return;
    case VOX_VOXEL_I32:
        *(int32_t *)to = (int32_t)v;
        return;
    case VOX_VOXEL_F32:
        *(float *)to = (float)v;
        return;
    default:
        *(double *)to = v;
        return;
    }
}

/* The head, 0 to 60 in whole numbers, x y z being the world's. */
static double world_voxel(const int at[3]) {
    return floor((double)head_at(world_dim, at[0], at[1], at[2], 60));
}

/* One of the ways to store it. */
typedef struct storage {
    int order[3];  /* the world axis along i, j, k */
    int reversed;  /* bits: i, j, k run against the world's axis */
    int backwards; /* bits: strides along i, j, k are negative */
    vox_voxel_type type;
    int labels_u16, gap; /* labels are this many numbers apart */
} storage;

static void world_of(const storage *t, const int ijk[3], int world[3]) {
    for (int a = 0; a < 3; a++) {
        int axis = t->order[a];
        world[axis] = (t->reversed >> a & 1) != 0 ? world_dim[axis] - 1 - ijk[a] : ijk[a];
    }
}

/* Sets the volume's and the labels' geometry over memory of 2 VOXELS numbers each. */
static void store(const storage *t, scene *s, unsigned char *data, unsigned char *labels) {
    static const double world_spacing[3] = {1, 1.5, 2.25};
    size_t size = vox_voxel_bytes(t->type), label = t->labels_u16 ? 2 : 1;
    ptrdiff_t stride = (ptrdiff_t)size, apart = (ptrdiff_t)label * t->gap;
    s->volume.type = t->type;
    s->volume.data = data;
    s->volume.slope = 0.1;
    s->labels = (vox_labels){labels, t->labels_u16 ? VOX_VOXEL_U16 : VOX_VOXEL_U8, {0}};
    memset(s->volume.direction, 0, sizeof s->volume.direction);
    unsigned char *first_label = labels;
    const unsigned char *first = data;
    for (int a = 0; a < 3; a++) {
        int n = world_dim[t->order[a]];
        bool back = (t->backwards >> a & 1) != 0;
        s->volume.dim[a] = n;
        s->volume.spacing[a] = world_spacing[t->order[a]];
        s->volume.direction[t->order[a]][a] = (t->reversed >> a & 1) != 0 ? -1 : 1;
        s->volume.stride[a] = back ? -stride : stride;
        s->labels.stride[a] = back ? apart : -apart;
        if (back) first += stride * (n - 1);
        if (!back) first_label += apart * (n - 1);
        stride *= n;
        apart *= n;
    }
    s->volume.data = first;
    s->labels.data = first_label;
    for (int i = 0; i < VOXELS; i++) {
        int ijk[3] = {i % s->volume.dim[0], i / s->volume.dim[0] % s->volume.dim[1],
                      i / (s->volume.dim[0] * s->volume.dim[1])},
            world[3];
        world_of(t, ijk, world);
        ptrdiff_t at = first - data;
        for (int a = 0; a < 3; a++) at += ijk[a] * s->volume.stride[a];
        put_voxel(data + at, t->type, world_voxel(world));
    }
}

static int label_at(const scene *s, const int ijk[3]) {
    const char *at = s->labels.data;
    for (int a = 0; a < 3; a++) at += ijk[a] * s->labels.stride[a];
    return s->labels.type == VOX_VOXEL_U8 ? *(const uint8_t *)at : *(const uint16_t *)(const void *)at;
}

/* Runs it, and fills the labels of the world's voxels. What lies between labels must stay. */
static void labels_of(const storage *t, scene *s, unsigned char world_labels[VOXELS]) {
    static unsigned char data[VOXELS * 8] __attribute__((aligned(8)));
    static unsigned char labels[VOXELS * 6] __attribute__((aligned(8)));
    memset(labels, 0xee, sizeof labels);
    store(t, s, data, labels);
    assert_int_equal(scene_run(s, NULL), VOX_OK);
    size_t label = t->labels_u16 ? 2 : 1;
    for (size_t i = 0; i < sizeof labels; i++) {
        bool between = i / label % (size_t)t->gap != 0 || i >= VOXELS * label * (size_t)t->gap;
        if (between && labels[i] != 0xee) fail_msg("byte %zu between the labels was written", i);
    }
    for (int i = 0; i < VOXELS; i++) {
        int ijk[3] = {i % s->volume.dim[0], i / s->volume.dim[0] % s->volume.dim[1],
                      i / (s->volume.dim[0] * s->volume.dim[1])},
            world[3];
        world_of(t, ijk, world);
        world_labels[(world[2] * NY + world[1]) * NX + world[0]] = (unsigned char)label_at(s, ijk);
    }
}

static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};

static void labels_do_not_depend_on_how_a_volume_is_stored(void **state) {
    (void)state;
    static const vox_prepare_step step[] = {
        {VOX_PREPARE_RESAMPLE_SPACING, -1, {1.25, 1.25, 1.5}, 0, {VOX_LINEAR, VOX_LINEAR, VOX_EDGES, 0, 0}}};
    unsigned char first[VOXELS], other[VOXELS];
    int classes = 0, runs = 0;
    for (int i = 0; i < 48; i++) {
        for (int type = 0; type < VOX_VOXEL_TYPES; type++, runs++) {
            storage t = {.reversed = i % 8, .backwards = (i * 5 + type) % 8, .type = (vox_voxel_type)type};
            memcpy(t.order, orders[i / 8], sizeof t.order);
            t.labels_u16 = (i + type) % 2;
            t.gap = 1 + (i + type) % 3;
            scene s;
            scene_of(&s, &padded, NULL, world_dim, NULL);
            s.info.orientation = "PIR";
            s.info.axes = "yzx";
            s.info.steps = step;
            s.info.n_steps = 1;
            s.info.overlap = 0.5;
            s.info.window = VOX_WINDOW_GAUSSIAN;
            labels_of(&t, &s, runs == 0 ? first : other);
            if (runs > 0 && memcmp(first, other, VOXELS) != 0)
                fail_msg("storage %d, type %d differs", i, type);
        }
    }
    for (int c = 0; c < padded.classes; c++) classes += memchr(first, c, VOXELS) != NULL;
    assert_in_range(classes, 4, padded.classes);
}

/* Without an orientation in the description the axes are the volume's own, whatever its direction. */
static void labels_follow_the_voxels_of_a_point_network(void **state) {
    (void)state;
    for (int i = 0; i < 48; i++) {
        storage t = {.reversed = i % 8, .backwards = i * 3 % 8, .type = VOX_VOXEL_F64, .gap = 2};
        memcpy(t.order, orders[i / 8], sizeof t.order);
        unsigned char labels[VOXELS];
        scene s;
        scene_of(&s, &point, NULL, world_dim, NULL);
        if (i % 2 == 1) s.info.orientation = "LPI";
        labels_of(&t, &s, labels);
        for (int v = 0; v < VOXELS; v++) {
            int at[3] = {v % NX, v / NX % NY, v / (NX * NY)};
            double x = world_voxel(at) * 0.1, nearest = ceil(x - 0.5); /* the first of equals */
            if (labels[v] != (int)fmax(nearest, 0)) fail_msg("%g has label %d", x, labels[v]);
        }
    }
}

/* ---- parts of a volume ----------------------------------------------------------------------- */

typedef struct seen {
    const scene *s;
    int finished, calls, cancel_at, total, runs, step;
    float *scores; /* [class][k][j][i] */
} seen;

static void on_finished(void *user, int begin, int end) {
    seen *n = user;
    assert_int_equal(begin, n->finished);
    assert_in_range(end, begin + 1, 1000);
    n->finished = end;
}

static void on_scores(void *user, int class, const int at[3], const int step[3], const float *values, int n) {
    seen *to = user;
    const int *dim = to->s->volume.dim;
    for (int i = 0; i < n; i++) {
        int ijk[3];
        for (int a = 0; a < 3; a++) {
            ijk[a] = at[a] + i * step[a];
            assert_in_range(ijk[a], 0, dim[a] - 1);
        }
        to->scores[((size_t)(class * dim[2] + ijk[2]) * (size_t)dim[1] + (size_t)ijk[1]) * (size_t)dim[0] +
                   (size_t)ijk[0]] = values[i];
    }
}

static void on_progress(void *user, int done, int total, int step, int steps) {
    seen *n = user;
    /* before each run, and after its only step */
    assert_int_equal(done, n->runs);
    assert_int_equal(steps, 1);
    assert_int_equal(step, n->step);
    n->step = 1 - step;
    n->runs += step;
    n->total = total;
}

static int on_cancelled(void *user) {
    seen *n = user;
    return n->calls++ == n->cancel_at;
}

enum { HX = 13, HY = 17, HZ = 15, HEAD = HX * HY * HZ };
static const int head_dim[3] = {HX, HY, HZ};
static const net wide = {.kind = NET_PADDED, .channels = 1, .classes = 5, .in = {8, 6, 7}, .out = {8, 6, 7}};
static const net again = {
    .kind = NET_PADDED, .channels = 1, .classes = 5, .in = {8, 6, 7}, .out = {8, 6, 7}, .bias = 0.3f};

/* Everything at once: resampled, overlapping, two folds, mirrored. */
static void whole_scene(scene *s, const float *voxels, unsigned char *labels, int half) {
    static const vox_prepare_step step[] = {
        {VOX_PREPARE_RESAMPLE_SPACING, -1, {0.8, 1.1, 0.7}, 0, {VOX_LINEAR, VOX_LINEAR, VOX_EDGES, 0, 0}}};
    static const void *const folds[] = {&again};
    scene_of(s, &wide, voxels, head_dim, labels);
    s->info.steps = step;
    s->info.n_steps = 1;
    s->info.overlap = 0.5;
    s->info.window = VOX_WINDOW_GAUSSIAN;
    s->info.mirror_axes = 5;
    s->info.half = half;
    s->options.folds = folds;
    s->options.n_folds = 1;
}

/* Labels of planes on their own, and their scores, are those of the whole run. */
static void planes_are_what_the_whole_run_gives(void **state) {
    (void)state;
    float *voxels = head_of(head_dim, 6);
    static unsigned char whole[HEAD], part[HEAD];
    static float whole_scores[5 * HEAD], part_scores[5 * HEAD];
    uint64_t seed = 3;
    for (int half = 0; half < 2; half++) {
        scene s;
        seen n = {.s = &s, .cancel_at = -1, .scores = whole_scores};
        whole_scene(&s, voxels, whole, half);
        s.options.user = &n;
        s.options.finished = on_finished;
        s.options.scores = on_scores;
        s.options.progress = on_progress;
        assert_int_equal(scene_run(&s, NULL), VOX_OK);
        assert_int_equal(n.finished, HZ);
        assert_int_equal(n.runs, n.total);
        assert_int_equal(n.runs, s.result.runs);
        for (int i = 0; i < HEAD; i++) {
            int best = 0;
            for (int c = 1; c < 5; c++) {
                if (whole_scores[c * HEAD + i] > whole_scores[best * HEAD + i]) best = c;
            }
            assert_int_equal(whole[i], best);
        }
        for (int split = 0; split < 8; split++) {
            memset(part, 0xee, sizeof part);
            n = (seen){.s = &s, .scores = part_scores};
            s.labels.data = part;
            s.options.progress = NULL;
            s.options.set = VOX_SET_PLANES;
            for (int begin = 0, end; begin < HZ; begin = end) {
                end = begin + 1 + (int)(test_random_bits(&seed) % (unsigned)(split + 1));
                if (end > HZ) end = HZ;
                s.options.planes[0] = begin;
                s.options.planes[1] = end;
                assert_int_equal(scene_run(&s, NULL), VOX_OK);
                for (int i = end * HX * HY; i < HEAD; i++) assert_int_equal(part[i], 0xee);
            }
            assert_int_equal(n.finished, HZ);
            assert_memory_equal(whole, part, sizeof whole);
            assert_memory_equal(whole_scores, part_scores, sizeof whole_scores);
        }
    }
    free(voxels);
}

static void no_planes_are_nothing_to_do(void **state) {
    (void)state;
    float *voxels = head_of(head_dim, 6);
    unsigned char labels[HEAD];
    scene s;
    whole_scene(&s, voxels, labels, 0);
    memset(labels, 0xee, sizeof labels);
    s.options.set = VOX_SET_PLANES;
    s.options.planes[0] = s.options.planes[1] = 4;
    assert_int_equal(scene_run(&s, NULL), VOX_OK);
    assert_int_equal(s.result.runs, 0);
    for (int i = 0; i < HEAD; i++) assert_int_equal(labels[i], 0xee);
    free(voxels);
}

static void every_question_can_cancel(void **state) {
    (void)state;
    float *voxels = head_of(head_dim, 6);
    unsigned char labels[HEAD];
    scene s;
    seen n = {.cancel_at = -1};
    whole_scene(&s, voxels, labels, 0);
    s.info.overlap = 0.25;
    s.info.mirror_axes = 0;
    s.options.user = &n;
    s.options.cancelled = on_cancelled;
    assert_int_equal(scene_run(&s, NULL), VOX_OK);
    /* before each run, in each run, before each plane */
    int questions = n.calls;
    assert_int_equal(questions, 2 * s.result.runs + HZ);
    for (int i = 0; i < questions; i++) {
        n = (seen){.cancel_at = i};
        assert_int_equal(scene_run(&s, NULL), VOX_E_CANCELLED);
        assert_int_equal(n.calls, i + 1);
    }
    free(voxels);
}

static void labels_do_not_depend_on_threads(void **state) {
    (void)state;
    float *voxels = head_of(head_dim, 6);
    unsigned char labels[3][HEAD];
    vox_pool *pool = vox_pool_create(3);
    const vox_executor back = {.parallel_for = run_backwards},
                       three = {.parallel_for = vox_pool_parallel_for, .pool = pool},
                       *const executors[] = {NULL, &back, &three};
    for (int half = 0; half < 2; half++) {
        for (int i = 0; i < 3; i++) {
            scene s;
            whole_scene(&s, voxels, labels[i], half);
            assert_int_equal(scene_run(&s, executors[i]), VOX_OK);
            assert_memory_equal(labels[0], labels[i], HEAD);
        }
    }
    vox_pool_destroy(pool);
    free(voxels);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_do_not_depend_on_how_a_volume_is_stored),
        cmocka_unit_test(labels_follow_the_voxels_of_a_point_network),
        cmocka_unit_test(planes_are_what_the_whole_run_gives),
        cmocka_unit_test(no_planes_are_nothing_to_do),
        cmocka_unit_test(every_question_can_cancel),
        cmocka_unit_test(labels_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
