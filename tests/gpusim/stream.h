/* stream.h: streams, events and graphs.
 *
 * Work is queued and runs only when something waits for it: a result that the program uses without waiting is
 * not there yet. GPUSIM_EAGER=1 runs it at once, the other extreme of what a device may do. What a stream
 * does not wait for does not run before it either.
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "sim.h"

#pragma GCC visibility push(default)
#include <cuda_runtime_api.h>
#pragma GCC visibility pop

/* Work on a device: a kernel, a copy, a plan. Counted, because graphs and queues share it; made with one
 * reference, which sim_enqueue takes. */
typedef struct sim_work sim_work;
struct sim_work {
    void (*run)(sim_work *w);
    void (*drop)(sim_work *w); /* frees what it holds, then itself */
    int references;
};
void sim_drop_work(sim_work *w);

typedef struct sim_capture {
    sim_work **work; /* in the order of capture, which respects every dependency */
    int count;
    struct sim_stream *origin;
    bool invalid;
} sim_capture;

typedef struct sim_entry {
    sim_work *work;
    uint64_t number; /* over all streams, in the order of calls */
} sim_entry;

typedef struct sim_stream {
    int device;
    bool blocking, destroyed, is_default;
    sim_entry *queue; /* from head on */
    size_t head, count, room;
    sim_capture *capture;
    bool unjoined; /* captured work that the capture's origin does not wait for yet */
} sim_stream;

/* Dies on a stream that was destroyed; NULL is the current device's own stream. */
sim_stream *sim_stream_of(cudaStream_t stream);
/* Takes the reference: into the stream's queue, or its capture. */
void sim_enqueue(sim_stream *s, sim_work *w);
void sim_run_stream(sim_stream *s);
void sim_run_device(int device);
/* Runs what s was given up to the entry of that number. */
void sim_run_until(sim_stream *s, uint64_t number);
/* Whether a call that must not be captured is made while anything is; marks the capture invalid. */
bool sim_refuses_capture(sim_stream *s);
bool sim_capturing(void);
/* Takes every stream out of a capture. Says whether one of them has work that the origin does not wait for.
 */
bool sim_leave_capture(sim_capture *c);

/* How every call of the runtime ends: remembers an error for cudaGetLastError and unlocks. */
cudaError_t sim_result(cudaError_t status);
/* How it begins: locks, and says whether the call shall fail. */
bool sim_begin(const char *call);
void sim_begin_safe(void);

#endif
