/* test_around_slots.c: the compiler reserves a slot for the sums of every item that a Winograd kernel splits
 * its tiles into, whatever the size and the number of lanes. */
#include "test_graph.h"

#include "algorithm.h"
#include "around.h"
#include "vox_winograd.h"

enum { BATCH = 12 };

static void check(int depth, int width, int lanes) {
    char *text = test_format("input %%x f32[1,16,%d,9,%d]\nconst %%w f32[16,16,3,3,3] random(1)\n"
                             "%%y = conv(%%x, %%w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 "
                             "pad=[1,1,1,1,1,1] group=1 way=winograd tile=4x4x4 batch=%d -> "
                             "f32[1,16,%d,9,%d] block16\noutput %%y\n",
                             depth, width, BATCH, depth, width);
    ir_graph *g = test_graph(text);
    g->goals.lanes = lanes;
    const vox_winograd layer = {.x = {1, 16, depth, 9, width, VOX_BLOCK, 0},
                                .y = {1, 16, depth, 9, width, VOX_BLOCK, 0},
                                .tile = {4, 4, 4},
                                .dilation = {1, 1, 1},
                                .pad = {1, 1, 1},
                                .batch = BATCH,
                                .workers = cg_lanes(g, g->nodes[0])};
    const cg_sums sums = cg_sums_of(g, g->nodes[0]);
    const int items = vox_winograd_run_of(&layer, (vox_range){0, depth}).items;
    if (sums.slots < items)
        fail_msg("%d x 9 x %d, %d lanes: %d items, %lld slots", depth, width, lanes, items,
                 (long long)sums.slots);
    ir_graph_free(g);
    free(text);
}

static void every_item_has_a_slot(void **state) {
    (void)state;
    for (int lanes = 1; lanes <= 5; lanes++)
        for (int depth = 4; depth <= 40; depth += 4)
            for (int width = 4; width <= 40; width += 4) check(depth, width, lanes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_item_has_a_slot)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
