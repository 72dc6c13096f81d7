// flags: -O0 -fsanitize=address
/* What the compiler believes about the kernels: the sizes of their scratch memory and the number of their
 * tasks and slots, over random convolutions; and how large a layer they take, which runs here on a stack
 * whose every array is watched. */
#include "test_graph.h"

#include "algorithm.h"
#include "around.h"
#include "blocking.h"
#include "codegen.h"
#include "passes.h"
#include "vox_conv.h"
#include "vox_winograd_deep.h"
#include "vox_winograd_few.h"

static uint64_t seed = 1;
static int any(int low, int high) {
    return low + (int)(test_random_bits(&seed) % (uint64_t)(high - low + 1));
}

/* A convolution as both sides see it. */
typedef struct pair {
    ir_graph *g;
    ir_node *n;
    vox_winograd kernel;
} pair;

static pair random_conv(const cg_way *way, int ic, int oc, const int tile[3], int batch) {
    const int block = way == &cg_way_few ? 0 : VOX_BLOCK;
    int size[3], dilation[3], pad[6], out[3];
    pair p;
    for (int a = 0; a < 3; a++) {
        dilation[a] = any(0, 3) ? 1 : any(1, 4);
        pad[a] = any(0, 3), pad[3 + a] = any(0, 3);
        size[a] = any(1, 40) + 2 * dilation[a];
        out[a] = size[a] + pad[a] + pad[3 + a] - 2 * dilation[a];
    }
    const char *layout = block ? " block16" : "";
    char *text = test_format(
        "input %%x f32[1,%d,%d,%d,%d]\nconst %%w f32[%d,%d,3,3,3] opaque\n%%r = relu(%%x) -> "
        "f32[1,%d,%d,%d,%d]%s\n%%y = conv(%%r, %%w) kernel=3x3x3 stride=1x1x1 dilation=%dx%dx%d "
        "pad=[%d,%d,%d,%d,%d,%d] group=1 way=%s tile=%dx%dx%d batch=%d%s -> f32[1,%d,%d,%d,%d]%s\noutput "
        "%%y\n",
        ic, size[0], size[1], size[2], oc, ic, ic, size[0], size[1], size[2], layout, dilation[0],
        dilation[1], dilation[2], pad[0], pad[1], pad[2], pad[3], pad[4], pad[5], way->name, tile[0], tile[1],
        tile[2], batch, way->whole ? " whole" : "", oc, out[0], out[1], out[2], layout);
    p.g = test_graph(text);
    p.g->goals.lanes = any(1, 8);
    p.n = p.g->nodes[1];
    p.kernel = (vox_winograd){.x = {1, ic, size[0], size[1], size[2], block, 0},
                              .y = {1, oc, out[0], out[1], out[2], block, 0},
                              .batch = batch,
                              .workers = cg_lanes(p.g, p.n)};
    for (int a = 0; a < 3; a++)
        p.kernel.tile[a] = tile[a], p.kernel.dilation[a] = dilation[a], p.kernel.pad[a] = pad[a];
    free(text);
    return p;
}

static void same(const char *what, int64_t compiler, int64_t runtime) {
    if (compiler != runtime)
        fail_msg("%s: the compiler says %lld, the runtime %lld", what, (long long)compiler,
                 (long long)runtime);
}

enum { CASES = 1500 };

static void scratch_of_winograd_few(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        pair p = random_conv(&cg_way_few, any(1, 20), any(1, VOX_FEW_MOST), (const int[]){4, 4, 1}, 1);
        same("bytes of a lane", cg_lane_bytes(p.n), (int64_t)vox_winograd_few_scratch(&p.kernel) * 4);
        ir_graph_free(p.g);
    }
}

static void random_tile(int tile[3]) {
    for (int a = 0; a < 3; a++) tile[a] = any(0, 1) ? 4 : 2;
}

static void scratch_and_slots_of_winograd(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        int tile[3], batch = any(1, 48);
        random_tile(tile);
        pair p = random_conv(&cg_way_winograd, any(1, 80), any(1, 80), tile, batch);
        same("bytes of a lane", cg_lane_bytes(p.n), (int64_t)vox_winograd_scratch(&p.kernel) * 4);
        const vox_winograd_run r = vox_winograd_run_of(&p.kernel, (vox_range){0, p.kernel.y.d});
        const cg_sums sums = cg_sums_of(p.g, p.n);
        const int lanes = p.kernel.workers, even = vox_parts(r.items, VOX_EVEN) * VOX_EVEN;
        const int exact = lanes == 1 || (r.total >= 4 * lanes * VOX_TILE_W && even <= r.total);
        if (exact ? sums.slots != r.items : sums.slots < r.items) same("slots", sums.slots, r.items);
        same("bytes of sums", sums.bytes,
             sums.total * vox_parts(p.kernel.y.c, VOX_BLOCK) * VOX_SUMS * (int64_t)sizeof(double));
        ir_graph_free(p.g);
    }
}

static void scratch_and_slots_of_winograd_deep(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        int tile[3];
        random_tile(tile);
        pair p = random_conv(&cg_way_deep, any(1, 300), any(1, 80), tile, any(1, VOX_BATCH_MOST));
        const cg_choice c = cg_choice_of(p.n);
        const vox_range range = {0, (int)c.way->planes(p.n, &c)};
        same("bytes of a lane", cg_lane_bytes(p.n), (int64_t)vox_winograd_deep_scratch(&p.kernel) * 4);
        same("bytes for all lanes", cg_shared_bytes(p.n),
             (int64_t)vox_winograd_deep_shared(&p.kernel, range) * 4);
        same("slots", cg_sums_of(p.g, p.n).slots, vox_deep_of(&p.kernel, range, NULL).groups);
        ir_graph_free(p.g);
    }
}

static void tasks_and_slots_of_direct(void **state) {
    (void)state;
    for (int i = 0; i < CASES; i++) {
        pair p = random_conv(&cg_way_winograd, any(1, 200), any(1, 200), (const int[]){4, 4, 4}, 1);
        cg_set_choice(p.g, p.n, &(cg_choice){.way = &cg_way_direct});
        const cg_blocking b = cg_blocking_of(p.n);
        const vox_conv g = {.x = p.kernel.x,
                            .y = p.kernel.y,
                            .group = 1,
                            .task_oc = (int)b.task_oc,
                            .task_d = (int)b.task_d,
                            .task_h = (int)b.task_h};
        const int tasks = vox_conv_tasks(&g, (vox_range){0, g.y.d}),
                  pairs = vox_parts(vox_parts(g.y.c, VOX_BLOCK), g.task_oc);
        same("tasks", b.tasks, tasks);
        same("slots", cg_sums_of(p.g, p.n).slots, tasks / pairs);
        ir_graph_free(p.g);
    }
}

/* ---- how large a layer they take ------------------------------------------------------------- */

static bool loads(int channels) {
    char *text = test_format(
        "input %%x f32[1,%d,4,4,4]\nconst %%s f32[%d] splat(1)\nconst %%b f32[%d] splat(0)\n"
        "const %%w f32[16,%d,1,1,1] opaque\n%%i = to_block(%%x) -> f32[1,%d,4,4,4] block16\n"
        "%%a = relu(%%i) -> f32[1,%d,4,4,4] block16\n%%t = norm_terms(%%a, %%s, %%b) eps=0.1\n"
        "%%n = normalise(%%a, %%t) -> f32[1,%d,4,4,4] block16\n"
        "%%y = conv(%%n, %%w) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1\n"
        "output %%y\n",
        channels, channels, channels, channels, channels, channels, channels);
    ir_graph *g = test_graph(text);
    ir_diag d = {0};
    if (!pass_load(g, &d)) fail_msg("%s", d.text);
    bool any_loaded = false;
    for (int i = 0; i < g->n_tensors; i++) any_loaded |= g->tensors[i]->cpu.on_load;
    ir_graph_free(g);
    free(text);
    return any_loaded;
}

static float *floats(size_t n, uint64_t random) {
    float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
    test_fill(x, n, random);
    return x;
}

/* The pointwise convolution of so many channels, its input normalised on load; the sum of its outputs. */
static double run_loading(int channels) {
    enum { SIDE = 4, OC = 16 };
    const vox_conv g = {.x = {1, channels, SIDE, SIDE, SIDE, VOX_BLOCK, 0},
                        .y = {1, OC, SIDE, SIDE, SIDE, VOX_BLOCK, 0},
                        .kernel = {1, 1, 1},
                        .stride = {1, 1, 1},
                        .dilation = {1, 1, 1},
                        .group = 1,
                        .task_oc = 1,
                        .task_d = SIDE,
                        .task_h = SIDE,
                        .chunk_ic = channels};
    const size_t voxels = SIDE * SIDE * SIDE, blocks = (size_t)vox_parts(channels, VOX_BLOCK);
    float *x = floats(voxels * blocks * VOX_BLOCK, 1), *w = floats((size_t)channels * VOX_BLOCK, 2),
          *terms = floats(3 * (size_t)channels, 3), *y = floats(voxels * OC, 4);
    const vox_conv_operands o = {
        .x = x, .weights = w, .y = y, .around = {.terms = terms, .ep = {VOX_ACT_RELU, 0, 0}}};
    for (int task = 0; task < vox_conv_tasks(&g, (vox_range){0, SIDE}); task++)
        vox_f32_conv(&g, o, (vox_range){0, SIDE}, task);
    double error = 0;
    for (size_t v = 0; v < voxels; v++) {
        double want = 0;
        for (int c = 0; c < channels; c++) {
            const double value =
                ((double)x[((size_t)(c / VOX_BLOCK) * voxels + v) * VOX_BLOCK + (size_t)(c % VOX_BLOCK)] -
                 (double)terms[c]) *
                    (double)terms[channels + c] +
                (double)terms[2 * channels + c];
            want += fmax(value, 0) * (double)w[(size_t)c * VOX_BLOCK];
        }
        error = fmax(error, fabs(want - (double)y[v * VOX_BLOCK]));
    }
    free(x), free(w), free(terms), free(y);
    return error;
}

static void pointwise_convs_normalise_up_to_their_most_channels(void **state) {
    (void)state;
    static const int counts[] = {16, VOX_AROUND_MOST - 1, VOX_AROUND_MOST, VOX_AROUND_MOST + 1, 300, 512};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const int c = counts[i];
        if (loads(c) != (c <= VOX_AROUND_MOST)) fail_msg("%d channels: %d", c, loads(c));
        if (loads(c)) assert_true(run_loading(c) < 1e-4);
    }
}

static bool admits_few(int oc) {
    char *text = test_format("input %%x f32[1,2,12,12,48]\nconst %%w f32[%d,2,3,3,3] opaque\n"
                             "%%y = conv(%%x, %%w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 "
                             "pad=[1,1,1,1,1,1] group=1\noutput %%y\n",
                             oc);
    ir_graph *g = test_graph(text);
    cg_algorithm list[CG_MAX_ALGORITHMS];
    bool found = false;
    for (int i = cg_algorithms(g, g->nodes[0], list); i-- > 0;) found |= list[i].choice.way == &cg_way_few;
    ir_graph_free(g);
    free(text);
    return found;
}

/* Whether pass layout leaves such a layer's result plain. */
static bool stays_plain(int oc) {
    char *text = test_format("input %%x f32[1,2,12,12,48]\nconst %%w f32[%d,2,3,3,3] opaque\n"
                             "%%y = conv(%%x, %%w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 "
                             "pad=[1,1,1,1,1,1] group=1\n%%z = relu(%%y)\noutput %%z\n",
                             oc);
    ir_graph *g = test_graph(text);
    ir_diag d = {0};
    if (!pass_layout(g, &d)) fail_msg("%s", d.text);
    bool plain = !g->nodes[0]->out[0]->cpu.block;
    ir_graph_free(g);
    free(text);
    return plain;
}

/* Rows of every number of channels, whose sums lie in registers or on the stack. */
static void run_few(int oc) {
    enum { W = 48 };
    const vox_conv g = {.x = {1, 1, 1, 1, W, 0, 0},
                        .y = {1, oc, 1, 1, W, 0, 0},
                        .kernel = {1, 1, 3},
                        .stride = {1, 1, 1},
                        .dilation = {1, 1, 1},
                        .pad = {0, 0, 1},
                        .group = 1,
                        .task_oc = 1,
                        .task_d = 1,
                        .task_h = 1,
                        .chunk_ic = 1};
    float *x = floats(W, 1), *w = floats(3 * VOX_BLOCK, 2), *y = floats((size_t)oc * W, 3);
    vox_f32_conv(&g, (vox_conv_operands){.x = x, .weights = w, .y = y}, (vox_range){0, 1}, 0);
    for (int c = 0; c < oc; c++)
        for (int i = 0; i < W; i++) {
            double want = 0;
            for (int k = 0; k < 3; k++)
                if (i + k >= 1 && i + k <= W) want += (double)w[k * VOX_BLOCK + c] * (double)x[i + k - 1];
            assert_true(fabs(want - (double)y[c * W + i]) < 1e-5);
        }
    free(x), free(w), free(y);
}

/* The most channels of a register tile. */
static int largest_few_tile(void) {
    int most = 0;
#define LARGER(oc, vectors) most = (oc) > most ? (oc) : most;
    VOX_FEW_TILES(LARGER)
#undef LARGER
    return most;
}

static void few_channels_end_where_their_tiles_end(void **state) {
    (void)state;
    assert_int_equal(largest_few_tile(), VOX_FEW_MOST);
    for (int oc = 1; oc <= 16; oc++) {
        assert_int_equal(vox_few_pays(oc, 48), oc <= VOX_FEW_MOST);
        if (admits_few(oc) != (oc <= VOX_FEW_MOST)) fail_msg("%d channels: %d", oc, admits_few(oc));
        if (stays_plain(oc) != (oc <= VOX_FEW_MOST)) fail_msg("%d channels: %d", oc, stays_plain(oc));
        run_few(oc);
    }
}

static void blocks_are_as_wide_on_both_sides(void **state) {
    (void)state;
    same("channels of a block", IR_BLOCK, VOX_BLOCK);
    same("rank", IR_MAX_RANK, VOX_MAX_RANK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scratch_of_winograd_few),
        cmocka_unit_test(scratch_and_slots_of_winograd),
        cmocka_unit_test(scratch_and_slots_of_winograd_deep),
        cmocka_unit_test(tasks_and_slots_of_direct),
        cmocka_unit_test(pointwise_convs_normalise_up_to_their_most_channels),
        cmocka_unit_test(few_channels_end_where_their_tiles_end),
        cmocka_unit_test(blocks_are_as_wide_on_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
