/* pack.h: how constants lie in the prepared buffer. */
#ifndef VOXC_PACK_H
#define VOXC_PACK_H

#include <stdint.h>

/* The twin of vox_pack (runtime/core/vox_model.h). */
typedef enum cg_pack {
    CG_COPY,
    CG_VECTOR,
    CG_CONV,
    CG_CONV_TRANSPOSE,
    CG_WINOGRAD,
    CG_NORM_SCALE,
    CG_NORM_BIAS,
} cg_pack;

/* A packing and the sizes that it depends on. */
typedef struct cg_packing {
    cg_pack pack;
    int64_t oc, ic, kernel, group; /* channels of all groups; taps */
    int64_t tile[3];               /* CG_WINOGRAD: outputs per tile and axis */
} cg_packing;

/* Not of CG_COPY, which keeps its constant's size. */
int64_t cg_packed_bytes(const cg_packing *p);

#endif
