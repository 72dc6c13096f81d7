/* counts.h: blocks of channels, points of tiles. */
#ifndef VOXC_CONV_COUNTS_H
#define VOXC_CONV_COUNTS_H

#include "integers.h"
#include "ir.h"

static inline int64_t cg_blocks(int64_t channels) {
    return ir_parts(channels, IR_BLOCK);
}
/* Products of a Winograd tile F(m, 3). */
static inline int64_t cg_tile_points(const int64_t tile[3]) {
    return (tile[0] + 2) * (tile[1] + 2) * (tile[2] + 2);
}

#endif
