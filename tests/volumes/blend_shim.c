/* blend_shim.c: vox_segment for blend_peers.py, with a network that Python computes. */
#include "vox_tiles.h"
#include "vox_volume.h"

#include <stdlib.h>

typedef void shim_network(const float *input, float *scores);

typedef struct shim_case {
    int channels, classes, tile[3], dim[3]; /* D H W */
    double overlap;
    int placement, window, half, mirror_axes;
    const float *volume;   /* [channel][D][H][W] */
    unsigned char *labels; /* [D][H][W] */
    shim_network *network;
} shim_case;

vox_status shim_segment(const shim_case *c);
int shim_places(int placement, double overlap, int volume, int tile, int *places, int most);

static vox_status run(const void *prepared, const void *const *inputs, void *const *outputs, void *arena,
                      size_t arena_bytes, const vox_executor *e) {
    const shim_case *c = prepared;
    (void)arena, (void)arena_bytes, (void)e;
    c->network(inputs[0], outputs[0]);
    return VOX_OK;
}

vox_status shim_segment(const shim_case *c) {
    const int *t = c->tile, *n = c->dim;
    const vox_port in = {"image", VOX_F32, 5, {1, c->channels, t[0], t[1], t[2]}};
    const vox_port out = {"scores", VOX_F32, 5, {1, c->classes, t[0], t[1], t[2]}};
    const vox_volume_info info = {.axes = "zyx",
                                  .border = VOX_BORDER_ZERO,
                                  .overlap = c->overlap,
                                  .placement = (vox_placement)c->placement,
                                  .window = (vox_window)c->window,
                                  .half = c->half,
                                  .mirror_axes = c->mirror_axes,
                                  .restore = {.order = VOX_LINEAR, .align = VOX_EDGES}};
    const vox_model_info model = {.abi = 1,
                                  .name = "shim",
                                  .n_inputs = 1,
                                  .n_outputs = 1,
                                  .inputs = &in,
                                  .outputs = &out,
                                  .volume = &info,
                                  .run = run};
    const ptrdiff_t row = n[2], plane = row * n[1];
    const vox_volume volume = {.data = c->volume,
                               .type = VOX_VOXEL_F32,
                               .channels = c->channels,
                               .dim = {n[2], n[1], n[0]},
                               .stride = {4, 4 * row, 4 * plane},
                               .channel = 4 * plane * n[0],
                               .slope = 1};
    const vox_labels labels = {c->labels, VOX_VOXEL_U8, {1, row, plane}};
    vox_segment_options o = {.arena_bytes = vox_segment_bytes(&model, &volume, NULL)};
    o.arena = aligned_alloc(VOX_SEGMENT_ALIGN, o.arena_bytes);
    vox_status status = o.arena == NULL ? VOX_E_MEMORY : vox_segment(&model, c, &volume, &labels, &o, NULL);
    free(o.arena);
    return status;
}

/* Where tiles begin along an axis; how many there are, negative: a status. */
int shim_places(int placement, double overlap, int volume, int tile, int *places, int most) {
    const vox_volume_info info = {
        .border = VOX_BORDER_ZERO, .overlap = overlap, .placement = (vox_placement)placement};
    const int n[3] = {volume, 1, 1}, t[3] = {tile, 1, 1};
    vox_tiles tiles;
    vox_status status = vox_tiles_plan(&tiles, &info, n, t, t);
    if (status != VOX_OK) return -(int)status;
    for (int i = 0; i < tiles.axis[0].count && i < most; i++) places[i] = vox_tile_begin(&tiles.axis[0], i);
    return tiles.axis[0].count;
}
