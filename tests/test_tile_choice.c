/* test_tile_choice.c: --volume-size. The tile that is chosen is the best of all there are, in the memory that is given, and
 * of networks whose labels depend on the tile it is their own. */
#include "test.h"

#include "choose.h"
#include "fit.h"
#include "front_yaml.h"
#include "load.h"
#include "tile_search.h"
#include "verbs.h"

/* ---- the option's text ----------------------------------------------------------------------- */

static void sizes_are_told_from_files(void **state) {
    (void)state;
    static const char *const sizes[] = {"512x512x300", "5x5x5@1x1x2.5", "512x512", "0x5x5"};
    static const char *const files[] = {"a.yaml", "512x512x300.yaml", "512", "x512", "./1x1x1"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) assert_true(tile_is_volume(sizes[i]));
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) assert_false(tile_is_volume(files[i]));
}

static void sizes_are_read(void **state) {
    (void)state;
    tile_volume v;
    ir_diag d = {0};
    assert_true(tile_parse_volume("512x300X20@0.5x0.75x3", &v, &d));
    const tile_volume expected = {.size = {512, 300, 20}, .spacing = {0.5, 0.75, 3}};
    assert_memory_equal(v.size, expected.size, sizeof v.size);
    assert_memory_equal(v.spacing, expected.spacing, sizeof v.spacing);
    assert_true(tile_parse_volume("1x2x3", &v, &d));
    assert_true(v.spacing[0] == 0);
    static const char *const bad[] = {"512x512",     "0x5x5",     "5.5x5x5", "5x5x5x5",  "5x5x5@1x1",
                                      "5x5x5@1x1x0", "70000x5x5", "5xx5",    "0x10x5x5", "5x5x5@"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ir_diag refused = {0};
        if (tile_parse_volume(bad[i], &v, &refused)) fail_msg("%s is taken", bad[i]);
        assert_int_equal(refused.code, IR_EXIT_INPUT);
        assert_non_null(strstr(refused.text, bad[i]));
    }
}

/* ---- whether labels depend on the tile ------------------------------------------------------- */

#define HEAD                                                                                                 \
    "name: t\nstatistics: running\ninputs:\n  image: {type: f32, shape: [1, 1, 12, 12, 12]}\nlayers:\n"
#define TAIL "volume:\n  axes: zyx\n  prepare: []\n  border: mirror\n  output: argmax\n"

static ir_graph *network(const char *layers) {
    char *text = test_format(HEAD "%s" TAIL, layers);
    ir_diag d = {0};
    ir_graph *g = yaml_parse(text, strlen(text), "t.yaml", NULL, &d);
    if (!g) fail_msg("%s", d.text);
    free(text);
    return g;
}

static void tiles_are_free_where_nothing_looks_beyond_them(void **state) {
    (void)state;
    static const struct {
        const char *layers, *why;
    } cases[] = {
        {"  - a: {conv: {channels: 2, kernel: 3}}\n  - b: batch_norm\n  - c: relu\n", NULL},
        {"  - a: {conv: {channels: 2, kernel: 3, padding: same}}\n  - b: {crop: {margin: 1}}\n",
         "layer a (conv) pads"},
        {"  - a: {conv: {channels: 2, kernel: 3}}\n  - b: instance_norm\n", "takes statistics of the tile"},
        {"  - a: {max_pool: {kernel: 2}}\n  - b: {conv_transpose: {channels: 2, kernel: 2, stride: 2}}\n"
         "  - c: {crop: {margin: 1}}\n",
         NULL},
        {"  - a: {max_pool: {kernel: 2}}\n  - b: {conv_transpose: {channels: 2, kernel: 3, stride: 2, "
         "padding: 1}}\n",
         NULL},
        {"  - a: {max_pool: {kernel: 2}}\n  - b: {conv_transpose: {channels: 2, kernel: 4, stride: 2, "
         "padding: 1}}\n"
         "  - c: {crop: {margin: 1}}\n",
         "layer b (conv_transpose) gives other sums"},
        {"  - a: {max_pool: {kernel: 2}}\n  - b: {resize: {scale: 2, mode: nearest}}\n  - c: {crop: {margin: "
         "1}}\n",
         NULL},
        {"  - a: {max_pool: {kernel: 2}}\n  - b: {resize: {scale: 2, mode: linear}}\n  - c: {crop: {margin: "
         "1}}\n",
         "resizes"},
        {"  - a: {max_pool: {kernel: 3, stride: 2, rounding: ceil}}\n  - b: {resize: {scale: 2, mode: "
         "nearest}}\n"
         "  - c: {crop: {margin: 1}}\n",
         "reach over the end"},
        {"  - a: {conv: {channels: 2, kernel: 3}}\n  - b: {softmax: {axis: 2}}\n", "along an axis"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ir_graph *g = network(cases[i].layers);
        const char *why = tile_bound_to(g);
        if (!cases[i].why != !why || (why && !strstr(why, cases[i].why)))
            fail_msg("%s\nis bound: %s", cases[i].layers, why ? why : "no");
        ir_graph_free(g);
    }
}

/* ---- the search, over a network that is only numbers ------------------------------------------ */

/* Sizes in 2s, 4 voxels of margin; memory grows faster than the tile, and time is a little uneven. */
enum { MARGIN = 4, LEAST = 8 };

static double fake_macs(void *ctx, const int in[3], int out[3]) {
    (void)ctx;
    for (int k = 0; k < 3; k++) {
        if (in[k] % 2 || in[k] < LEAST) return -1;
        out[k] = in[k] - MARGIN;
    }
    double whole = (double)in[0] * in[1] * in[2],
           half = (double)(in[0] / 2 - 1) * (in[1] / 2 - 1) * (in[2] / 2 - 1);
    return 27 * whole + 500 * half;
}

static int64_t fake_memory(const int in[3]) {
    const double voxels = (double)in[0] * in[1] * in[2];
    return (int64_t)(voxels * 30 + voxels * sqrt(voxels) / 8) + 64 * in[0];
}

static bool fake_plan(void *ctx, const int in[3], int64_t room, tile_row *row) {
    int out[3];
    double macs = fake_macs(ctx, in, out);
    (void)room;
    if (macs < 0) return false;
    row->network = fake_memory(in);
    row->cycles = macs * (1 + 0.005 * ((in[0] * 7 + in[1] * 5 + in[2] * 3) / 2 % 5)) / 16;
    return true;
}

static const tile_network fake = {.macs = fake_macs, .plan = fake_plan};

/* The least cycles of all sizes whatever, and whether c's choice has them and keeps to the limit. */
static void check_choice(const ir_graph *g, const tile_network *n,
                         void (*macs_out)(const int in[3], int out[3]), const tile_choice *c,
                         const int low[3], const int high[3], int step) {
    double best = INFINITY, own = 0; /* own: of the choice, with the fastest plan */
    int at[3] = {0}, in[3], volume[3], tried = 0;
    for (int k = 0; k < 3; k++) volume[k] = c->row[0].need.prepared[k];
    for (in[0] = low[0]; in[0] <= high[0]; in[0] += step) {
        for (in[1] = low[1]; in[1] <= high[1]; in[1] += step) {
            for (in[2] = low[2]; in[2] <= high[2]; in[2] += step) {
                tile_row r = {.shape = {.in = {in[0], in[1], in[2]}}};
                ir_diag d = {0};
                macs_out(in, r.shape.out);
                if (!tile_need_of(g, &r.shape, &c->volume, &r.need, &d)) continue;
                int64_t room = c->limit ? c->limit - r.need.bytes : -1;
                if (c->limit && room <= 0) continue;
                if (!n->plan(n->ctx, in, room, &r)) continue;
                if (c->chosen >= 0 && !memcmp(in, c->row[c->chosen].shape.in, sizeof at))
                    own = r.cycles * (double)r.need.runs;
                if (c->limit && r.network > room) continue;
                tried++;
                if (r.cycles * (double)r.need.runs >= best) continue;
                best = r.cycles * (double)r.need.runs;
                memcpy(at, in, sizeof at);
            }
        }
    }
    if (tried == 0) {
        assert_int_equal(c->chosen, -1);
        return;
    }
    assert_true(c->chosen >= 0);
    const tile_row *r = &c->row[c->chosen];
    assert_true(!c->limit || r->network + r->need.bytes <= c->limit);
    if (r->thrift == IR_FASTEST) assert_true(fabs(r->cycles - own) <= 1e-7 * own);
    if (r->cycles > best * 1.0000001)
        fail_msg("volume %d %d %d, limit %lld: %d %d %d takes %g, but %d %d %d takes %g", volume[0],
                 volume[1], volume[2], (long long)c->limit, r->shape.in[0], r->shape.in[1], r->shape.in[2],
                 r->cycles, at[0], at[1], at[2], best);
}

static void fake_out(const int in[3], int out[3]) {
    for (int k = 0; k < 3; k++) out[k] = in[k] - MARGIN;
}

static void the_choice_is_the_least_of_all(void **state) {
    (void)state;
    static const int volumes[][3] = {{30, 30, 30}, {41, 17, 64}, {5, 70, 33}, {64, 64, 50}, {9, 8, 7}};
    static const int64_t limits[] = {0, 8000000, 3000000, 1500000, 700000, 300000};
    ir_graph *g =
        network("  - a: {conv: {channels: 2, kernel: 3}}\n  - b: {max_pool: {kernel: 2}}\n"
                "  - c: {conv_transpose: {channels: 2, kernel: 2, stride: 2}}\n  - d: {crop: {margin: 1}}\n");
    const tile_shape given = {.in = {12, 12, 12}, .out = {8, 8, 8}};
    for (int k = 0; k < 3; k++) assert_int_equal(g->volume.info.phase[k], 2);
    for (size_t v = 0; v < sizeof volumes / sizeof *volumes; v++) {
        for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
            tile_choice c = {.limit = limits[l]};
            memcpy(c.volume.size, volumes[v], sizeof c.volume.size);
            ir_diag d = {0};
            if (!tile_search(g, &given, &fake, &c, &d)) fail_msg("%s", d.text);
            assert_true(c.n <= TILE_MOST_PLANS);
            int low[3] = {LEAST, LEAST, LEAST}, high[3];
            for (int k = 0; k < 3; k++) high[k] = volumes[v][2 - k] + MARGIN + 3;
            check_choice(g, &fake, fake_out, &c, low, high, 2);
        }
    }
    ir_graph_free(g);
}

/* ---- with the planner ------------------------------------------------------------------------ */

typedef struct planned {
    options o;
    ir_arena *arena;
} planned;

static bool real_plan(void *ctx, const int in[3], int64_t room, tile_row *row) {
    planned *p = ctx;
    options o = p->o;
    ir_diag d = {0};
    (void)room;
    for (int k = 0; k < 3; k++) o.input_dim[o.n_input_dims++] = ir_format(p->arena, "%c=%d", "DHW"[k], in[k]);
    ir_graph *g = load_model(&o, LOAD_SHAPES, &d);
    if (!g) return false;
    assert_true(set_goals(&o, IR_TARGET_C, g, &d));
    fit_point f = fit_measure(g, IR_FASTEST);
    ir_graph_free(g);
    row->network = f.arena + f.prepared;
    row->cycles = f.cycles + f.transposed;
    return f.ok;
}

static void unet_out(const int in[3], int out[3]) {
    for (int k = 0; k < 3; k++) out[k] = in[k] - 88;
}

static void a_network_of_the_paper_gets_its_best_tile(void **state) {
    (void)state;
    static const char *const limits[] = {NULL, "20M"};
    for (size_t l = 0; l < sizeof limits / sizeof *limits; l++) {
        planned p = {.o = {.verb = VERB_INSPECT, .model = "models/unet3d_small.yaml"},
                     .arena = ir_arena_new()};
        options o = p.o, chosen;
        tile_choice *c;
        ir_graph *g;
        ir_diag d = {0};
        o.volume_size = "21x17x12";
        o.max_memory = limits[l];
        if (!choose_tile(&o, &chosen, &c, &g, &d)) fail_msg("%s", d.text);
        const tile_network real = {.ctx = &p, .plan = real_plan};
        const int low[3] = {92, 92, 92}, high[3] = {116, 108, 108};
        check_choice(g, &real, unet_out, c, low, high, 8);
        assert_null(c->bound_to);
        const tile_row *r = &c->row[c->chosen];
        if (limits[l]) {
            assert_int_equal(chosen.network_memory, (20 << 20) - r->need.bytes);
            ir_graph *planned_graph = load_model(&chosen, LOAD_SHAPES, &d);
            assert_non_null(planned_graph);
            assert_true(set_goals(&chosen, IR_TARGET_C, planned_graph, &d) && fit(planned_graph, &d));
            fit_point f = fit_measure(planned_graph, planned_graph->goals.thrift);
            assert_true(f.arena + f.prepared <= chosen.network_memory);
            assert_int_equal(f.arena + f.prepared, r->network);
            ir_graph_free(planned_graph);
        } else {
            for (int k = 0; k < 3; k++) assert_int_equal(r->need.tiles[k], 1);
        }
        free(c);
        ir_graph_free(g);
        ir_arena_free(p.arena);
    }
}

/* Sizes go along x y z, the network's axes along D H W. */
static void sizes_are_of_the_volume_s_axes(void **state) {
    (void)state;
    options o = {.verb = VERB_INSPECT, .model = "models/nnunet_like.yaml", .volume_size = "256x200x160"},
            chosen;
    tile_choice *c;
    ir_graph *g;
    ir_diag d = {0};
    if (!choose_tile(&o, &chosen, &c, &g, &d)) fail_msg("%s", d.text);
    const int prepared[3] = {160, 200, 256}, tiles[3] = {2, 3, 3};
    assert_memory_equal(c->row[0].need.prepared, prepared, sizeof prepared);
    assert_memory_equal(c->row[0].need.tiles, tiles, sizeof tiles);
    assert_int_equal(c->n, 1);
    assert_int_equal(c->chosen, 0);
    assert_non_null(c->bound_to);
    assert_int_equal(chosen.n_input_dims, 0);
    free(c);
    ir_graph_free(g);
}

/* A bundle has the tile that was chosen, and says with which options. */
static void bundles_have_the_tile(void **state) {
    (void)state;
    static const struct {
        const char *model, *says, *in_manifest;
    } cases[] = {
        {"unet3d_small", "", "--volume-size 20x20x12 --max-memory 30M"},
        {"nnunet_small", "warning: models/nnunet_small.yaml: --volume-size leaves the tile at",
         "--volume-size 20x20x12"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *dir = test_tmpdir(), *out;
        char *command =
            test_format("%s compile models/%s.yaml --init 1 --volume 20x20x12 --max-memory 30M -o %s/b",
                        test_voxc(), cases[i].model, dir);
        int code = test_run(command, &out);
        if (code != 0 || !strstr(out, cases[i].says)) fail_msg("%s: exit %d: %s", command, code, out);
        char *path = test_format("%s/b/manifest.json", dir), *manifest = test_read(path, NULL);
        if (!strstr(manifest, cases[i].in_manifest) || strstr(manifest, "--input-dim"))
            fail_msg("%s", manifest);
        if (i == 0) assert_non_null(strstr(manifest, "108"));
        free(manifest);
        free(path);
        free(out);
        free(command);
        test_rmdir(dir);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_told_from_files),
        cmocka_unit_test(sizes_are_read),
        cmocka_unit_test(tiles_are_free_where_nothing_looks_beyond_them),
        cmocka_unit_test(the_choice_is_the_least_of_all),
        cmocka_unit_test(a_network_of_the_paper_gets_its_best_tile),
        cmocka_unit_test(sizes_are_of_the_volume_s_axes),
        cmocka_unit_test(bundles_have_the_tile),
    };
    return cmocka_run_group_tests_name("tile_choice", tests, NULL, NULL);
}
