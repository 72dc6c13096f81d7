/* SPDX-License-Identifier: MIT-0 */
/* vox_volume.h: from a volume to its labels in one call.
 *
 *     bytes = vox_segment_bytes(model, &volume, &options)    memory that it takes, whatever the voxels are
 *     vox_segment(model, prepared, &volume, &labels, &options, executor)
 *
 * does what the description's volume section says (vox_volume_info.h): turns the volume to the network's orientation,
 * resamples and normalises it, runs the network over tiles, adds their scores up, brings them back to the volume's own
 * grid and decides there. classes x volume never exists: planes of labels are finished one after the other.
 *
 * A volume that does not fit into memory is read in slabs (vox_volume's `read`), and its labels go out plane by plane
 * (vox_labels): what exists at a time are the planes that a row of tiles needs, their sums, and one tile.
 * vox_segment_bytes tells how much that is, the labels are the same bit for bit. Steps that need the whole volume are
 * VOX_E_STREAM: smooth, clip_percentiles, crop_to_nonzero, z_score_inside, and resampling with cubic splines or
 * anti-aliasing.
 *
 * The caller owns all memory: the volume, the labels, one arena. Nothing here prints, allocates, or has state of its
 * own; vox.h's words on concurrency hold. Labels are the same for any number of threads.
 *
 * World axes are the scanner's, in NIfTI's order: x to the Right, y to the Anterior, z to the Superior. Oriented axes
 * x, y, z are what the description's `orientation` makes of the volume's i, j, k: the same, where it says nothing.
 */
#ifndef VOX_VOLUME_H
#define VOX_VOLUME_H

#include "../core/vox.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum vox_voxel_type {
    VOX_VOXEL_U8,
    VOX_VOXEL_I8,
    VOX_VOXEL_U16,
    VOX_VOXEL_I16,
    VOX_VOXEL_U32,
    VOX_VOXEL_I32,
    VOX_VOXEL_F32,
    VOX_VOXEL_F64,
    VOX_VOXEL_TYPES
} vox_voxel_type;
size_t vox_voxel_bytes(vox_voxel_type type);

/* A volume as the caller has it, axes i, j, k of any order and direction. A value is slope * stored +
 * intercept; it must be finite and within float32. */
typedef struct vox_volume {
    const void
        *data; /* voxel 0, 0, 0 of channel 0, aligned to its type; NULL where only the grid is asked for */
    vox_voxel_type type;
    int channels;
    int dim[3];          /* voxels along i, j, k */
    ptrdiff_t stride[3]; /* bytes from voxel to voxel along i, j, k; may be negative */
    ptrdiff_t channel;   /* bytes from channel to channel */
    double slope, intercept;
    double spacing[3];      /* millimetres along i, j, k; 0: not known */
    double direction[3][3]; /* [world axis][i, j, k]: unit vectors; all 0: not known */
    /* Where `data` is NULL: puts voxels begin <= i, j, k < end of a channel to `to`, i running fastest, then j. Slabs of
     * planes are asked for, on the calling thread: once or more often for statistics, then for the tiles in the order
     * of D. Anything but VOX_OK ends the call, which returns it. Strides are not looked at. */
    vox_status (*read)(void *user, int channel, const int begin[3], const int end[3], void *to);
    void *user; /* of read */
} vox_volume;

/* Where the labels of the volume's voxels go: u8 or u16. With a stride of 0 along the axis that D is, each plane takes
 * the place of the one before: options' `finished` must take it away. */
typedef struct vox_labels {
    void *data;
    vox_voxel_type type;
    ptrdiff_t stride[3]; /* bytes, as vox_volume's */
} vox_labels;

/* Runs tiles elsewhere than on the processor: a GPU. */
typedef struct vox_runner {
    void *user;
    int at_once;                                /* tiles that it takes before the first is collected, >= 1 */
    float *input;                               /* a tile's input, filled before submit */
    const void *output;                         /* its output, after collect */
    vox_status (*submit)(void *user, int fold); /* takes the input, which may then be changed */
    vox_status (*collect)(void *user);          /* waits for the oldest */
} vox_runner;

/* What became of a volume, for people. */
typedef struct vox_segment_result {
    int runs, skipped; /* of the network; tiles that were empty */
    int step;    /* of the description's preparation, where the status says that a step failed; -1: none */
    int channel; /* and the channel that it failed for */
    size_t not_finite, too_large,
        too_small; /* voxels, all channels: NaN or infinite; beyond float32; other than 0, but
                                              * 0 in float32 */
    size_t
        first_lost; /* the first of the worst kind there is, in this order: i + dim[0] * (j + dim[1] * (k + dim[2] * channel)) */
} vox_segment_result;

enum { VOX_SET_LEVEL = 1, VOX_SET_OVERLAP = 2, VOX_SET_MIRROR_AXES = 4, VOX_SET_PLANES = 8 };

/* Zeroed but for the arena: what the description says. */
typedef struct vox_segment_options {
    void *arena; /* aligned to VOX_SEGMENT_ALIGN; vox_segment_bytes of it */
    size_t arena_bytes;
    const void *const
        *folds; /* more prepared weights of the same code, whose scores are averaged with the first's */
    int n_folds;
    int set;         /* which of these replace the description's */
    double level;    /* VOX_SET_LEVEL */
    double overlap;  /* VOX_SET_OVERLAP */
    int mirror_axes; /* VOX_SET_MIRROR_AXES */
    int planes
        [2]; /* VOX_SET_PLANES: only labels of these, begin <= plane < end, of the oriented axis along D; they
                      * are what a run over all planes gives */
    const vox_runner *runner;   /* NULL: the processor */
    vox_segment_result *result; /* NULL: nobody asks */
    /* Called on the calling thread, NULL: nobody asks.
     * progress: `done` of `total` runs of the network, and the step within the next.
     * finished: labels of planes begin <= d < end of the oriented axis along D stand; planes come one by one, in their
     *   order.
     * scores: scores of class `channel` along a row of the volume before `finished` is called for its plane: values[n]
     *   belongs to the voxel at[] + n * step[] (i, j, k). */
    void (*progress)(void *user, int done, int total, int step, int steps);
    void (*finished)(void *user, int begin, int end);
    void (*scores)(void *user, int channel, const int at[3], const int step[3], const float *values, int n);
    int (*cancelled)(void *user); /* non-zero: the call ends with VOX_E_CANCELLED */
    void *user;
} vox_segment_options;
enum { VOX_SEGMENT_ALIGN = 64 };

/* How a volume is segmented: what vox_segment does, without doing it. */
typedef struct vox_segment_outline {
    int classes, labels;         /* classes; 1: the network gives labels itself */
    int tile_in[3], tile_out[3]; /* D H W */
    int source[3], reversed[3];  /* the volume's axis along x, y, z, and whether backwards */
    int prepared[3];    /* voxels of the prepared grid along x, y, z; at most so many with crop_to_nonzero */
    double spacing[3];  /* its voxels in mm */
    int tiles[3], runs; /* tiles along D, H, W; runs of the network over all of them */
    size_t bytes;       /* of the arena */
} vox_segment_outline;

/* Statuses of all three:
 *   VOX_E_ARGUMENT      a pointer is NULL, a size below 1, an option out of range
 *   VOX_E_NETWORK       the model has no volume section, or is no segmentation network of one input and output
 *   VOX_E_CHANNELS      the volume has not as many channels as the network's input
 *   VOX_E_ORIENTATION   the description names an orientation, but the volume's direction is not known
 *   VOX_E_SPACING       the description asks for a voxel size, but the volume's is not known
 *   VOX_E_STREAM        the volume is to be read in slabs, and a step needs all of it
 *   VOX_E_TILE          one tile must hold the volume, and does not
 *   VOX_E_SIZE          the volume is too large for this machine's addresses, or takes more than 2^31 - 1 runs
 * and of vox_segment: VOX_E_ARENA_SIZE, VOX_E_ARENA_ALIGN, VOX_E_VOXELS, VOX_E_EQUAL, VOX_E_SCORES, VOX_E_LABELS,
 * VOX_E_CANCELLED, and what the model's run gives.
 * On anything but VOX_OK the labels are undefined. */
vox_status vox_segment_plan(const vox_model_info *model, const vox_volume *volume,
                            const vox_segment_options *options, vox_segment_outline *outline);
size_t vox_segment_bytes(const vox_model_info *model, const vox_volume *volume,
                         const vox_segment_options *options); /* 0: see vox_segment_plan */
vox_status vox_segment(const vox_model_info *model, const void *prepared, const vox_volume *volume,
                       const vox_labels *labels, const vox_segment_options *options,
                       const vox_executor *executor);

#ifdef __cplusplus
}
#endif
#endif
