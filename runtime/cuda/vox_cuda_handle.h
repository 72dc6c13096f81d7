/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_handle.h: what stands behind a vox_cuda handle; for the runtime's own files. */
#ifndef VOX_CUDA_HANDLE_H
#define VOX_CUDA_HANDLE_H

#include "vox_cuda_model.h"

/* A captured run. */
enum { VOX_CUDA_GRAPHS = 4 };
typedef struct vox_cuda_graph {
    cudaGraphExec_t exec;  /* NULL: free */
    cudaEvent_t launched;  /* behind the last launch */
    int runs;              /* in it, side by side */
    const void **pointers; /* [runs inputs, runs outputs] that it was captured with */
} vox_cuda_graph;

/* A stream beside the handle's own, while a graph of several runs is recorded. */
typedef struct vox_cuda_side {
    cudaStream_t stream;
    cudaEvent_t joined;
} vox_cuda_side;

/* Runs from and to host memory that are launched together. */
typedef struct vox_cuda_slot {
    unsigned char *pinned, *device; /* per tile: inputs, then outputs, at multiples of VOX_CUDA_ALIGN */
    const void **inputs;            /* [tiles][n_inputs] device addresses */
    void **outputs;
    cudaEvent_t copied_in, computed, copied_out;
} vox_cuda_slot;

/* The pipeline of run_host: copies on streams of their own. */
typedef struct vox_cuda_pipe {
    int ready;
    cudaStream_t in, compute, out;
    int owns_compute;
    vox_cuda_slot slots[VOX_CUDA_SLOTS];
    int first, under_way; /* place (slot * tiles + tile) of the oldest submitted run; how many */
    int waiting;          /* the last of them, all in one slot, which are not launched yet */
    size_t *offset;       /* [inputs, outputs] into a tile's part of pinned and device */
    size_t bytes;         /* of that part */
} vox_cuda_pipe;

struct vox_cuda {
    const vox_cuda_model *model;
    vox_cuda_options options;
    cudaStream_t own;                    /* for weights, for measuring, to record graphs on */
    cudaEvent_t done;                    /* behind the last run that was no part of a capture */
    cudnnHandle_t cudnn[VOX_CUDA_TILES]; /* one per tile: they run side by side */
    unsigned char *weights, *arena;      /* device memory */
    const char *bad_weight;              /* packed most wrongly, and how much: 1 is what rounding allows */
    double weight_error;
    size_t arena_bytes; /* of one tile */
    int owns_arena;
    int tiles;          /* runs of one launch; as many arenas lie behind one another */
    vox_plan **plans;   /* [n_convs] */
    cudaEvent_t forked; /* where the others leave the handle's own stream */
    vox_cuda_side sides[VOX_CUDA_TILES - 1];
    vox_cuda_graph graphs[VOX_CUDA_GRAPHS];
    int next_graph; /* to be replaced when all are taken */
    vox_cuda_pipe pipe;
    char text[256]; /* of vox_cuda_plan_text */
};

/* ---- errors (vox_cuda_error.c) --------------------------------------------------------------- */

/* VOX_OK for cudaSuccess. Else the message callback gets "what: cudaErrorName (text)". */
vox_status vox_cuda_check_call(const vox_cuda *h, cudaError_t error, const char *what);
vox_status vox_cudnn_check_call(const vox_cuda *h, cudnnStatus_t status, const char *what);
/* Reports memory that the host could not give. */
vox_status vox_cuda_no_memory(const vox_cuda *h, const char *what);
void vox_cuda_say(const vox_cuda *h, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What a call changes of its thread. */
typedef struct vox_cuda_thread {
    int device;
    enum cudaStreamCaptureMode mode;
} vox_cuda_thread;

/* Makes the handle's GPU the thread's, and lets calls through that a capture of the host's would forbid: none
 * of them touches its streams. An error that was pending is the host's: it is told to the callback and
 * cleared, or the next launch would report it. *before is what vox_cuda_leave goes back to. */
vox_status vox_cuda_enter(const vox_cuda *h, vox_cuda_thread *before);
/* Returns status, or what went wrong on the way back if it is VOX_OK. */
vox_status vox_cuda_leave(const vox_cuda *h, vox_cuda_thread before, vox_status status);

/* Whether the host is capturing the stream. VOX_E_CUDA: its capture is broken, or cannot be asked for. */
vox_status vox_cuda_is_captured(const vox_cuda *h, cudaStream_t stream, int *captured);
/* VOX_E_ARGUMENT, with a line for the callback, where the host is: `what` cannot be part of a capture. */
vox_status vox_cuda_refuse_capture(const vox_cuda *h, cudaStream_t stream, const char *what);

/* ---- parts of create and run ----------------------------------------------------------------- */

/* vox_cuda_weights.c: checks the file and makes the device's copy. */
vox_status vox_cuda_load_weights(vox_cuda *h, const void *file, size_t bytes);
/* One weight packed into host memory of w->bytes; the file has been checked. */
void vox_cuda_pack_weight(const vox_cuda_weight *w, const unsigned char *file, unsigned char *to);
/* How far a packed weight is from the file's numbers, at samples of it: 1 is what rounding to its type
 * allows. Written without the packing's code (vox_cuda_check_weights.c). */
double vox_cuda_check_weight(const vox_cuda_weight *w, const unsigned char *file,
                             const unsigned char *packed);
/* Elements of host memory as they lie on the device, and back. */
double vox_cuda_get(vox_cuda_store store, const void *data, size_t index);
void vox_cuda_put(vox_cuda_store store, void *data, size_t index, double value);
size_t vox_cuda_store_bytes(vox_cuda_store store);

/* vox_cuda_plans.c: plans of every convolution under the caps, and the arena that they need. */
vox_status vox_cuda_build_plans(vox_cuda *h);
void vox_cuda_free_plans(vox_cuda *h);
/* Plans alone, for h->arena_bytes: nothing is allocated on the GPU. */
vox_status vox_cuda_count_arena(vox_cuda *h);

/* vox_cuda_run.c */
void *vox_cuda_address(const vox_cuda_memory *m, vox_cuda_place place);
vox_plan_operands vox_cuda_operands_of(const vox_cuda_memory *m, const vox_cuda_call *call, void *workspace);
/* A step of that tile, whose handle of cuDNN has the stream already: branches of a graph never share one. */
vox_status vox_cuda_run_step(vox_cuda *h, int tile, const vox_cuda_memory *m, int step, cudaStream_t stream);
/* Before steps of tile 0 that the caller then waits for: cuDNN's stream. VOX_E_ARGUMENT: the host captures
 * it. */
vox_status vox_cuda_use_stream(const vox_cuda *h, cudaStream_t stream);
/* Run number `tile` of a launch: in that arena, from and to the addresses at tile * n_inputs, n_outputs. */
vox_status vox_cuda_enqueue(vox_cuda *h, cudaStream_t stream, int tile, const void *const *inputs,
                            void *const *outputs);
vox_cuda_memory vox_cuda_memory_of(const vox_cuda *h, int tile, const void *const *inputs,
                                   void *const *outputs);
/* `runs` runs at once; where the host captures the stream, one, step by step into its graph. */
vox_status vox_cuda_launch(vox_cuda *h, cudaStream_t stream, int runs, const void *const *inputs,
                           void *const *outputs);

/* vox_cuda_graph.c: the same, as one launch of a graph; captured on first use of these pointers. */
vox_status vox_cuda_launch_graph(vox_cuda *h, cudaStream_t stream, int runs, const void *const *inputs,
                                 void *const *outputs);
void vox_cuda_free_graphs(vox_cuda *h);

/* vox_cuda_host.c */
vox_status vox_cuda_open_pipe(vox_cuda *h); /* does nothing where it is open */
void vox_cuda_close_pipe(vox_cuda *h);      /* waits for what is under way */
size_t vox_cuda_port_bytes(const vox_port *port);
/* Bytes of a run's inputs and outputs; where each begins (offset may be NULL). */
size_t vox_cuda_place_ports(const vox_model_info *info, size_t *offset);

#endif
