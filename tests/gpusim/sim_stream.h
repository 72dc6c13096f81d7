/* sim_stream.h: streams, events and graphs.
 *
 * Work is queued and runs only when something waits for it: a result that the program uses without waiting is
 * not there yet. GPUSIM_EAGER=1 runs it at once, the other extreme of what a device may do. What a stream
 * does not wait for does not run before it either. GPUSIM_SEED=N lies between: some work runs when it is
 * queued, and whenever something waits, all streams and all branches of graphs go on in a random order, of
 * those that their dependencies allow; accesses that nothing orders then end the program (race.h).
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "race.h"
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
    const char *name; /* for reports */
};
void sim_drop_work(sim_work *w);

/* Numbers of a graph's nodes. */
typedef struct sim_set {
    int *node, count;
} sim_set;
void sim_join_set(sim_set *to, const sim_set *more);

/* A node of a graph, in the order of capture, which respects every dependency. */
typedef struct sim_node {
    sim_work *work;
    int lane; /* which of the captured streams it came from; their nodes follow one another */
    sim_set after;
} sim_node;
void sim_free_nodes(sim_node *nodes, int count);

typedef struct sim_capture {
    uint64_t id; /* never used twice */
    sim_node *nodes;
    int count, lanes;
    struct sim_stream *origin;
    enum cudaStreamCaptureMode mode;
    bool invalid;
} sim_capture;

/* A graph that has been launched: its nodes run one at a time. */
typedef struct sim_run {
    sim_node *nodes;
    sim_clock *clocks; /* of those that are done */
    bool *done;
    int count, left;
} sim_run;

typedef struct sim_entry {
    sim_work *work; /* or run */
    sim_run *run;
    uint64_t number; /* over all streams, in the order of calls */
    sim_clock after; /* what the host had waited for by then */
} sim_entry;

enum { SIM_LANES = 8 };
typedef struct sim_stream {
    int device;
    bool blocking, destroyed, is_default;
    sim_entry *queue; /* from head on */
    size_t head, count, room;
    sim_clock now;          /* of the last that has run */
    int strands[SIM_LANES]; /* of the lanes of its graphs; the first is its own; -1: not yet */
    sim_capture *capture;
    int lane;      /* in it */
    sim_set last;  /* what the next node comes after */
    bool unjoined; /* captured work that the capture's origin does not wait for yet */
} sim_stream;

/* What an event has recorded: shared by the event and by all that waits for it. */
typedef struct sim_recording {
    int references;
    sim_clock clock; /* once it has run */
} sim_recording;

/* Work that records an event or waits for one (event.c). */
typedef struct sim_marker {
    sim_work work;
    void *event;
    sim_recording *recording;
    sim_stream *stream; /* to wait for; NULL: this is a recording */
    uint64_t number;    /* up to which of its work */
} sim_marker;
bool sim_is_mark(const sim_work *w);

int sim_stream_count(void);
sim_stream *sim_stream_at(int i);
/* Of the work that was queued last. */
uint64_t sim_last_number(void);

/* Dies on a stream that was destroyed; NULL is the current device's own stream. */
sim_stream *sim_stream_of(cudaStream_t stream);
/* Takes the reference: into the stream's queue, or its capture. */
void sim_enqueue(sim_stream *s, sim_work *w);
/* Takes copies of the nodes. */
void sim_enqueue_graph(sim_stream *s, const sim_node *nodes, int count);
/* What the host knows to be over when it has waited for the stream. */
void sim_host_waited(const sim_stream *s);
void sim_host_knows(const sim_clock *clock);
/* Adds a node to the stream's capture. */
void sim_append(sim_stream *s, sim_work *w);
void sim_run_stream(sim_stream *s);
void sim_run_device(int device);
/* Runs what s was given up to the entry of that number. */
void sim_run_until(sim_stream *s, uint64_t number);
/* Whether a call that must not be captured is made while anything is; marks the capture invalid. */
bool sim_refuses_capture(sim_stream *s);
bool sim_capturing(void);
/* Whether a blocking stream is being captured, which forbids the device's own stream. */
bool sim_captures_blocking(void);
/* Whether a call is made that a capture of a mode other than relaxed forbids; marks that one invalid. */
bool sim_is_unsafe(void);
void sim_invalidate_captures(void);
/* Takes every stream out of a capture. Says whether one of them has work that the
 * origin does not wait for. */
bool sim_leave_capture(sim_capture *c);

/* How every call of the runtime ends: remembers an error for cudaGetLastError and unlocks. */
cudaError_t sim_result(cudaError_t status);
/* How it begins: locks, and says whether the call shall fail. */
bool sim_begin(const char *call);
void sim_begin_safe(void);

#endif
