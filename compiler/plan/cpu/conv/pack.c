/* pack.c: see pack.h. */
#include "pack.h"

#include "counts.h"

int64_t cg_packed_bytes(const cg_packing *p) {
    enum { SIGNS = 2 }; /* words beside the points of a transform */
    const int64_t group_oc = p->group ? cg_blocks(p->oc / p->group) * IR_BLOCK : 0;
    int64_t floats = p->group * group_oc;
    if (p->pack == CG_CONV || p->pack == CG_CONV_TRANSPOSE) floats *= p->kernel * (p->ic / p->group);
    if (p->pack == CG_WINOGRAD) floats = group_oc * (cg_tile_points(p->tile) + SIGNS) * p->ic;
    return floats * (int64_t)sizeof(float);
}
