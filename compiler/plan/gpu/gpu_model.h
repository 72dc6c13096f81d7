/* gpu_model.h: what the nodes of a graph for a GPU cost there: time, launches, memory.
 *
 * Times are in bytes of device memory that could be moved meanwhile: bytes count as they are, and arithmetic
 * by what GPUs do per byte of their bandwidth (gpu_model.c). Whichever of the two takes longer counts. */
#ifndef VOXC_CG_GPU_MODEL_H
#define VOXC_CG_GPU_MODEL_H

#include "ir.h"
#include "lifetime.h"
#include "stream.h"

enum { CG_GPU_FIRST_CHANNELS = 4, CG_GPU_LAST_CHANNELS = 8 }; /* what the kernels of our own take */
enum { CG_GPU_PLAN_ALIGN = 16 };                              /* of the operands of a cuDNN plan, bytes */

ir_storage cg_gpu_storage(ir_precision p);
const char *cg_gpu_precision_name(ir_precision p);
/* `channels`, rounded up to what a tensor core takes at a time. */
int64_t cg_gpu_padded(int64_t channels, ir_precision p);

/* Of conv n, whose operand is plain, by the kernel that reads it so; or by a conversion and cuDNN. */
double cg_gpu_first_conv_time(const ir_node *n, ir_precision p);
double cg_gpu_converted_conv_time(const ir_node *n, ir_precision p);
/* Of conv n, whose result is to be plain, by the kernel that writes it so; or by cuDNN and a conversion. */
double cg_gpu_last_conv_time(const ir_node *n, ir_precision p);
double cg_gpu_conv_converted_time(const ir_node *n, ir_precision p);
/* Whether channels-last tensor t is better off with its channels rounded up for tensor cores. */
bool cg_gpu_pays_to_pad(const ir_graph *g, const ir_tensor *t);

/* Bytes of scratch memory that n's kernels use, but for what cuDNN asks for at run time. */
int64_t cg_gpu_scratch(const ir_node *n, ir_precision p);
/* The same for a node that makes no more of its result at a time than `planes` planes of its operand give. */
int64_t cg_gpu_slab_scratch(const ir_node *n, ir_precision p, int64_t planes);
/* Bytes of a plane along D of t, which is channels last. */
int64_t cg_gpu_plane_bytes(const ir_tensor *t);
/* Whether cuDNN can do what node n has it do for the planes `made` of its result: the planes that it reads,
 * of which there is one at least, and those that it writes itself begin where a plan may begin. x_first,
 * y_first: the planes that stand first in the memory of n's operand 0 and of its result. */
bool cg_gpu_takes_slab(const ir_node *n, ir_planes made, int64_t x_first, int64_t y_first);
/* The first byte above all that is alive while node number `node` runs: cuDNN's workspace begins there, or
 * higher. */
int64_t cg_gpu_free_from(const ir_graph *g, const ir_buffers *b, int node);
/* The same for every node, in an arena. */
int64_t *cg_gpu_free_from_each(const ir_graph *g, const ir_buffers *b, ir_arena *arena);
/* How many elements of each voxel whoever computes t, which is channels last, writes: all that no neighbour
 * in a concat has, those behind the last channel with it, which the last member's writer fills with 0. */
int64_t cg_gpu_own_channels(const ir_tensor *t);
/* Bytes of all weights as they are kept on the device. */
int64_t cg_gpu_weight_bytes(const ir_graph *g);
/* Kernels and cuDNN plans that are launched: for n once, for a whole run. */
int cg_gpu_launches_of(const ir_graph *g, const ir_node *n);
int cg_gpu_launches(const ir_graph *g);
/* For the nodes first to last of a run, which cut no group in two. */
int cg_gpu_launches_between(const ir_graph *g, int first, int last);

/* gpu_pairs.c: the slice that a max pool's kernel copies besides; NULL: none, or n is no max pool. */
const ir_node *cg_gpu_crop_of(const ir_graph *g, const ir_node *n);
/* Whether n is such a slice, so that nothing is launched for it. */
bool cg_gpu_is_taken_along(const ir_graph *g, const ir_node *n);

#endif
