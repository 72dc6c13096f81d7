/* tile_volume.h: the volume that a tile is chosen for, and what the bundle's program needs for it besides the network. */
#ifndef VOXC_TILE_VOLUME_H
#define VOXC_TILE_VOLUME_H

#include "ir.h"

/* Along the oriented axes x y z. */
typedef struct tile_volume {
    int size[3];       /* voxels */
    double spacing[3]; /* of the volume as it is stored, in mm; 0: `size` is that of the prepared grid */
} tile_volume;

/* Whether text looks like "512x512x300": numbers with x between them, and not like a file's name. */
bool tile_is_volume(const char *text);
/* "512x512x300", or "512x512x300@0.7x0.7x1.5" with voxels of so many mm. */
bool tile_parse_volume(const char *text, tile_volume *v, ir_diag *d);

/* A network's input and output, their spatial axes, D H W. */
typedef struct tile_shape {
    int in[3], out[3];
} tile_shape;

/* Whether g is a network of one input [1, C, D, H, W] of f32 and one output of scores or labels whose volume section
 * cuts volumes into tiles; the message says what it lacks. */
bool tile_shape_of(const ir_graph *g, tile_shape *s, ir_diag *d);

typedef struct tile_need {
    int tiles[3];    /* along D H W */
    int64_t runs;    /* of the network, for the whole volume */
    int64_t bytes;   /* the volume on its way, sums of scores, the network's input and output, labels */
    int prepared[3]; /* voxels of the prepared grid along D H W */
} tile_need;

/* Of g with input and output of that shape, as the runtime plans it (runtime/volume/vox_volume.h: vox_segment_plan) for
 * the program's verb segment. */
bool tile_need_of(const ir_graph *g, const tile_shape *s, const tile_volume *v, tile_need *n, ir_diag *d);

/* Tiles along axis k, by the runtime's own placement; 0: no such tile can be placed. */
int tile_count(const vox_volume_info *info, int k, int voxels, int in, int out);

/* NULL where labels do not depend on the tile. Otherwise why they do: "layer e0.conv (conv) pads". */
const char *tile_bound_to(const ir_graph *g);

#endif
