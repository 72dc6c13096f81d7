/* counts.h: how often one number fits into another. */
#ifndef VOXC_CONV_COUNTS_H
#define VOXC_CONV_COUNTS_H

#include "ir.h"

static inline int64_t cg_parts(int64_t n, int64_t size) {
    return (n + size - 1) / size;
}
static inline int64_t cg_blocks(int64_t channels) {
    return cg_parts(channels, IR_BLOCK);
}
/* Products of a Winograd tile F(m, 3). */
static inline int64_t cg_tile_points(const int64_t tile[3]) {
    return (tile[0] + 2) * (tile[1] + 2) * (tile[2] + 2);
}

#endif
