/* SPDX-License-Identifier: MIT-0 */
/* vox_weights.h: the weight file, and how its tensors become what the kernels read.
 *
 * The file, little-endian: vox_weights_header, then one vox_weights_entry per tensor, then the tensors, each
 * at a multiple of 64 bytes, row-major as in the graph (conv: O I D H W, transposed conv: I O D H W), zeros
 * between.
 *
 * The prepared buffer: vox_prepared_header, then a checksum per packed tensor, then the packed tensors, each
 * at a multiple of 64 bytes. It holds no pointers: it may be written to a file and mapped.
 */
#ifndef VOX_WEIGHTS_H
#define VOX_WEIGHTS_H

#include "vox.h"

#define VOX_WEIGHTS_MAGIC  "VOXCWGT1"
#define VOX_PREPARED_MAGIC "VOXCPREP"
enum { VOX_WEIGHTS_VERSION = 2 };

typedef struct vox_weights_header { /* 64 bytes */
    char magic[8];
    uint32_t version, tensors;
    uint64_t graph_hash; /* of the graph that the code was written from, with its constants' values */
    uint64_t bytes;      /* of the whole file */
    uint64_t checksum;   /* vox_weights_checksum */
    uint64_t zero[3];
} vox_weights_header;

typedef struct vox_weights_entry {
    uint64_t hash, offset, bytes, zero; /* hash: vox_hash of the tensor */
} vox_weights_entry;

typedef struct vox_prepared_header { /* 64 bytes */
    char magic[8];
    uint32_t version, tensors;
    uint64_t graph_hash, bytes;
    uint64_t checksum; /* vox_hash of this header, with 0 here, then of the checksum table */
    uint64_t zero[3];
} vox_prepared_header;

/* What prepare makes of a tensor. OC and IC count all groups, b is VOX_BLOCK. */
typedef enum vox_pack {
    VOX_PACK_COPY,   /* the same bytes */
    VOX_PACK_VECTOR, /* [group][OC/group] -> [group][OC/group rounded up to b]; one number serves all */
    VOX_PACK_CONV,   /* [OC][IC/group][k] -> [group][OC/group/b][k][IC/group][b] */
    VOX_PACK_CONV_TRANSPOSE, /* [IC][OC/group][k] -> the same */
    VOX_PACK_WINOGRAD,   /* [OC][IC][3][3][3] -> transformed, [OC/b][points][IC][b]; points of tile[] + 2 per
                            axis; then signs, [OC/b][IC][2][b] 32-bit words: bit (kd*3+kh)*3+kw set where the
                            weight is >= 0, and <= 0 */
    VOX_PACK_NORM_SCALE, /* batch norm: vector of scale / sqrt(variance + eps); scale, variance */
    VOX_PACK_NORM_BIAS /* vector of bias - mean * scale / sqrt(variance + eps); scale, variance, bias, mean */
} vox_pack;

typedef struct vox_weight {
    const char *name;
    vox_pack pack;
    int layer; /* the first that reads it */
    vox_dtype dtype;
    size_t count;              /* elements in the file */
    size_t file[4];            /* bytes into the weight file; more than one for batch norms only */
    size_t prepared;           /* bytes into the prepared buffer */
    size_t packed;             /* bytes there */
    int oc, ic, kernel, group; /* kernel: positions */
    double eps;
    int tile[3]; /* Winograd: outputs per tile, 1, 2 or 4, along D H W */
} vox_weight;

/* vox_hash of the header, with 0 for the checksum, then of the rest; bytes: at least a header's. */
uint64_t vox_weights_checksum(const void *file, size_t bytes);

/* Checks every byte of a weight file, and that what is packed otherwise than by copying is finite. */
vox_status vox_weights_check(const void *file, size_t bytes, uint64_t graph_hash, size_t expected_bytes,
                             const vox_weight *weights, int count);
/* Writes the prepared buffer from a checked file. */
void vox_weights_pack(const void *file, uint64_t graph_hash, const vox_weight *weights, int count,
                      void *prepared, size_t prepared_bytes);
int vox_prepared_ok(const void *prepared, uint64_t graph_hash, int count, size_t prepared_bytes);
/* Whether a packed tensor still is what pack wrote. */
int vox_prepared_tensor_ok(const void *prepared, const vox_weight *weights, int index);

#endif
