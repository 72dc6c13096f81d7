/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda.h: what a generated CUDA bundle and its host share. Needs no CUDA header.
 *
 * A handle belongs to one GPU and owns that GPU's copy of the weights, the plans of the convolutions, the
 * arena unless the caller gives one, and what run_host needs. One run of a handle at a time: a second run may
 * be enqueued while the first is under way only where the stream orders it behind the first. Different
 * handles share nothing, on one GPU or on several. Nothing here prints or exits; each failed call of CUDA or
 * cuDNN becomes a status, and one line for the message callback. A handle whose call failed takes the next
 * one as if that had not been made.
 *
 * The host's own use of CUDA stays its own:
 *   - The legacy default stream is used for nothing; where the host gives no stream, the handle has its own.
 *   - A run on a stream that the host is capturing becomes part of that graph, launch by launch. Each launch
 *     of the graph is then a run of the handle, which must live as long. Whatever waits (run_host, submit's
 *     launch, self-test, measurements) on such a stream is VOX_E_ARGUMENT and leaves the capture intact;
 *     create and destroy may be called while the thread captures.
 *   - An error that was pending when a call begins (cudaGetLastError) is not taken for the call's own: it is
 *     told to the callback ("an error from before this call") and cleared, as CUDA cannot put one back. A
 *     host that wants it asks for it before. After a call that fails nothing is pending.
 *
 * Numbers: in fp16 a weight beyond 65504 is refused at create, by name (VOX_E_WEIGHTS_NOT_FINITE); a value of
 * a layer beyond it becomes infinity, as in any fp16 arithmetic, and shows as such in the outputs; choose
 * bf16 or fp32 for such a network. NaN passes through every activation, those that cuDNN fuses included.
 */
#ifndef VOX_CUDA_H
#define VOX_CUDA_H

#include "../core/vox.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct CUstream_st *vox_cuda_stream; /* cudaStream_t */
typedef struct vox_cuda vox_cuda;

enum {
    VOX_CUDA_ALIGN = 256, /* of the arena, and of every buffer of a run, bytes */
    VOX_CUDA_TILES = 4    /* most runs of one launch */
};

/* All 0: GPU 0, memory of its own, the default cap, the heuristics' choice, everything in a CUDA graph. */
typedef struct vox_cuda_options {
    int device;         /* CUDA's number of the GPU */
    void *arena;        /* device memory, aligned to VOX_CUDA_ALIGN, until destroy; NULL: create allocates */
    size_t arena_bytes; /* of it: at least _CUDA_ARENA_BYTES, with which convolutions get hardly any workspace
                           and so the slower plans; with _cuda_arena_wanted's they get what they would
                           without the caller's arena */
    int64_t workspace_cap;  /* most bytes that a convolution gets besides; 0: as compiled, negative: none */
    vox_cuda_stream stream; /* on which run_host computes; NULL: one of the handle's */
    int autotune; /* measure the plans of each convolution at create, take the fastest; those that read or
                     write the caller's memory are not measured */
    const char *plan_cache; /* file in which choices are remembered; NULL: none. With autotune only choices
                               that were measured count */
    int deterministic;      /* plans that give the same bits each time only */
    int no_graph;           /* launch step by step rather than as a CUDA graph */
    int tiles; /* runs that one launch of vox_cuda_submit does side by side, each in an arena of its own; 0:
                  one; negative: as many as memory holds, at most -tiles. One in the caller's arena */
    void (*message)(void *user,
                    const char *line); /* told what failed or is odd, without newline; NULL: nobody */
    void *user;
} vox_cuda_options;

int vox_cuda_device_count(void); /* GPUs that this process may use; 0 also without a driver */
/* Writes "NVIDIA H100 80GB HBM3, compute capability 9.0" into text, at most `bytes` with the NUL. */
vox_status vox_cuda_device_name(int device, char *text, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
