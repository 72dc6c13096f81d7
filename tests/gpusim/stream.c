/* stream.c: streams as queues that run when waited for. */
#include "stream.h"

#include <stdlib.h>
#include <time.h>

static sim_stream **streams;
static int stream_count;
static sim_stream *defaults[SIM_MAX_DEVICES];
static uint64_t last_number;
static _Thread_local cudaError_t last_error;

bool sim_begin(const char *call) {
    sim_lock();
    return sim_fails(call);
}
void sim_begin_safe(void) {
    sim_lock();
}

cudaError_t sim_result(cudaError_t status) {
    if (status != cudaSuccess && status != cudaErrorNotReady) last_error = status;
    sim_unlock();
    return status;
}

cudaError_t cudaPeekAtLastError(void) {
    return last_error;
}
cudaError_t cudaGetLastError(void) {
    const cudaError_t status = last_error;
    last_error = cudaSuccess;
    return status;
}

void sim_drop_work(sim_work *w) {
    if (--w->references == 0) w->drop(w);
}

static sim_stream *add_stream(int device, bool blocking) {
    sim_stream *s = sim_new(1, sizeof *s);
    s->device = device;
    s->blocking = blocking;
    for (int i = 0; i < SIM_LANES; i++) s->strands[i] = -1;
    streams = sim_grow(streams, (size_t)stream_count + 1, sizeof *streams);
    return streams[stream_count++] = s;
}

sim_stream *sim_stream_of(cudaStream_t stream) {
    if (stream == NULL || stream == cudaStreamLegacy || stream == cudaStreamPerThread) {
        sim_stream **own = &defaults[sim_current_device()];
        if (!*own) {
            *own = add_stream(sim_current_device(), true);
            (*own)->is_default = true;
        }
        return *own;
    }
    for (int i = 0; i < stream_count; i++) {
        if (streams[i] != (sim_stream *)stream) continue;
        if (streams[i]->destroyed) sim_die("a stream is used after it was destroyed");
        return streams[i];
    }
    sim_die("%p is no stream", (void *)stream);
}

/* ---- order --------------------------------------------------------------------------------------- */

/* What an event has recorded: shared by the event and by all that waits for it. */
typedef struct recording {
    int references;
    sim_clock clock; /* once it has run */
} recording;

static void release_recording(recording *r) {
    if (r && --r->references == 0) free(r);
}

typedef struct event {
    int references; /* the program's, and of work that is to record it */
    bool destroyed, timed, recorded;
    sim_stream *stream;   /* where it was recorded last */
    uint64_t number;      /* the stream's work up to here comes before it */
    recording *recording; /* of that */
    uint64_t capture;     /* the id of the one where that was captured; 0: none */
    sim_set last;         /* the nodes there that it comes after */
    uint64_t done;        /* the number of the last recording that has run */
    double time;          /* milliseconds, when that was */
} event;

typedef struct mark {
    sim_work work;
    event *event;
    recording *recording;
    sim_stream *stream; /* to wait for; NULL: this is a recording */
    uint64_t number;
} mark;

static sim_clock host; /* what the program has waited for */

static void host_knows(const sim_clock *clock) {
    bool idle = true;
    sim_join_clock(&host, clock);
    for (int i = 0; i < stream_count; i++) {
        idle = idle && streams[i]->head == streams[i]->count;
        for (int k = 0; k < SIM_STRANDS; k++) idle = idle && streams[i]->now.at[k] <= host.at[k];
    }
    if (idle) sim_forget_accesses();
}

void sim_host_waited(const sim_stream *s) {
    host_knows(&s->now);
}

static bool is_mark(const sim_work *w);

/* Whether other has work before the number. */
static bool is_behind(const sim_stream *other, uint64_t number) {
    return other->head < other->count && other->queue[other->head].number <= number;
}

/* What must go on before the stream's first entry may: an event's stream, or, as the device's own stream
 * waits for the blocking ones and they for it, one of those. NULL: nothing. */
static sim_stream *blocker_of(const sim_stream *s, uint64_t *number) {
    const sim_entry *e = &s->queue[s->head];
    *number = e->number;
    for (int i = 0; s->blocking && i < stream_count; i++) {
        sim_stream *o = streams[i];
        if (o != s && o->blocking && o->device == s->device && (o->is_default || s->is_default) &&
            is_behind(o, e->number))
            return o;
    }
    const mark *m = e->work && is_mark(e->work) ? (const mark *)e->work : NULL;
    if (!m || !m->stream) return NULL;
    *number = m->number;
    return m->stream != s && is_behind(m->stream, m->number) ? m->stream : NULL;
}

static void join_implied(sim_stream *s) {
    for (int i = 0; s->blocking && i < stream_count; i++) {
        const sim_stream *o = streams[i];
        if (o != s && o->blocking && o->device == s->device && (o->is_default || s->is_default))
            sim_join_clock(&s->now, &o->now);
    }
}

static int strand_of(sim_stream *s, int lane) {
    if (lane >= SIM_LANES) sim_die("a graph of more than %d branches", SIM_LANES);
    if (s->strands[lane] < 0) s->strands[lane] = sim_new_strand();
    return s->strands[lane];
}

/* ---- chance -------------------------------------------------------------------------------------- */

/* A number below n: GPUSIM_SEED decides (xorshift, Marsaglia 2003). */
static int chance(int n) {
    static uint64_t state;
    if (!state) state = 0x9e3779b97f4a7c15u * (uint64_t)sim_setting("GPUSIM_SEED", 1);
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (int)(state >> 33) % n;
}

/* ---- running ------------------------------------------------------------------------------------- */

static bool is_ready(const sim_run *r, int node) {
    for (int i = 0; i < r->nodes[node].after.count; i++)
        if (!r->done[r->nodes[node].after.node[i]]) return false;
    return !r->done[node];
}

static int pick_node(const sim_run *r) {
    int found = -1, seen = 0;
    for (int i = 0; i < r->count; i++) {
        if (!is_ready(r, i)) continue;
        if (!sim_noting) return i;
        if (chance(++seen) == 0) found = i;
    }
    return found;
}

static void run_node(sim_stream *s, sim_run *r) {
    const int i = pick_node(r);
    const sim_node *n = &r->nodes[i];
    sim_clock *clock = &r->clocks[i];
    *clock = s->now;
    for (int k = 0; k < n->after.count; k++) sim_join_clock(clock, &r->clocks[n->after.node[k]]);
    sim_tick(clock, strand_of(s, n->lane));
    n->work->run(n->work);
    sim_check_races(clock, strand_of(s, n->lane), n->work->name);
    r->done[i] = true;
    r->left--;
}

static void end_run(sim_stream *s, sim_run *r) {
    for (int i = 0; i < r->count; i++) sim_join_clock(&s->now, &r->clocks[i]);
    sim_free_nodes(r->nodes, r->count);
    free(r->clocks);
    free(r->done);
    free(r);
}

static void run_work(sim_stream *s, sim_work *w) {
    const mark *m = is_mark(w) ? (const mark *)w : NULL;
    if (m && m->stream) sim_join_clock(&s->now, &m->recording->clock);
    sim_tick(&s->now, strand_of(s, 0));
    if (m && !m->stream) m->recording->clock = s->now;
    w->run(w);
    sim_check_races(&s->now, strand_of(s, 0), w->name);
    sim_drop_work(w);
}

/* The stream's first entry, or a node of it if that is a graph; nothing may block it. */
static void go_on(sim_stream *s) {
    sim_entry *e = &s->queue[s->head];
    sim_join_clock(&s->now, &e->after);
    join_implied(s);
    if (e->run && e->run->left > 0) run_node(s, e->run);
    if (e->run && e->run->left > 0) return;
    const sim_entry over = *e;
    s->head++;
    if (over.run)
        end_run(s, over.run);
    else
        run_work(s, over.work);
    if (s->head == s->count) s->head = s->count = 0;
}

/* Any stream that may. */
static void go_on_anywhere(void) {
    sim_stream *found = NULL;
    int seen = 0;
    for (int i = 0; i < stream_count; i++) {
        uint64_t number;
        sim_stream *s = streams[i];
        if (s->head == s->count || blocker_of(s, &number)) continue;
        if (chance(++seen) == 0) found = s;
    }
    if (found) go_on(found);
}

void sim_run_until(sim_stream *s, uint64_t number) {
    while (is_behind(s, number)) {
        uint64_t until;
        sim_stream *blocker = sim_noting ? NULL : blocker_of(s, &until);
        if (blocker)
            sim_run_until(blocker, until);
        else if (sim_noting)
            go_on_anywhere();
        else
            go_on(s);
    }
}

void sim_run_stream(sim_stream *s) {
    sim_run_until(s, UINT64_MAX);
    for (int i = 0; s->is_default && i < stream_count; i++)
        if (streams[i]->blocking && streams[i]->device == s->device) sim_run_until(streams[i], last_number);
    join_implied(s);
}

void sim_run_device(int device) {
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->device == device) sim_run_stream(streams[i]);
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->device == device) sim_host_waited(streams[i]);
}

/* ---- queues and captures ------------------------------------------------------------------------- */

void sim_join_set(sim_set *to, const sim_set *more) {
    for (int i = 0; i < more->count; i++) {
        int k = 0;
        while (k < to->count && to->node[k] != more->node[i]) k++;
        if (k < to->count) continue;
        to->node = sim_grow(to->node, (size_t)to->count + 1, sizeof *to->node);
        to->node[to->count++] = more->node[i];
    }
}

static void append(sim_stream *s, sim_work *w) {
    sim_capture *c = s->capture;
    c->nodes = sim_grow(c->nodes, (size_t)c->count + 1, sizeof *c->nodes);
    c->nodes[c->count] = (sim_node){.work = w, .lane = s->lane};
    sim_join_set(&c->nodes[c->count].after, &s->last);
    s->last.count = 0;
    sim_join_set(&s->last, &(sim_set){&c->count, 1});
    c->count++;
    s->unjoined = true;
}

static void queue(sim_stream *s, sim_work *w, sim_run *r) {
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->queue = sim_grow(s->queue, s->room, sizeof *s->queue);
    }
    s->queue[s->count++] = (sim_entry){w, r, ++last_number, host};
    if (sim_setting("GPUSIM_EAGER", 0)) sim_run_stream(s);
    while (sim_noting && chance(2)) go_on_anywhere(); /* the device does not wait for the host */
}

void sim_enqueue(sim_stream *s, sim_work *w) {
    if (s->capture)
        append(s, w);
    else
        queue(s, w, NULL);
}

/* In a capture, one node after the other. */
void sim_enqueue_graph(sim_stream *s, const sim_node *nodes, int count) {
    sim_run *r = NULL;
    if (!s->capture) {
        r = sim_new(1, sizeof *r);
        *r = (sim_run){.nodes = sim_new((size_t)count, sizeof *nodes),
                       .clocks = sim_new((size_t)count, sizeof *r->clocks),
                       .done = sim_new((size_t)count, sizeof *r->done),
                       .count = count,
                       .left = count};
    }
    for (int i = 0; i < count; i++) {
        nodes[i].work->references++;
        if (!r) {
            append(s, nodes[i].work);
            continue;
        }
        r->nodes[i] = (sim_node){.work = nodes[i].work, .lane = nodes[i].lane};
        sim_join_set(&r->nodes[i].after, &nodes[i].after);
    }
    if (r) queue(s, NULL, r);
}

bool sim_capturing(void) {
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->capture) return true;
    return false;
}

bool sim_captures_blocking(void) {
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->capture && streams[i]->blocking) return true;
    return false;
}

void sim_invalidate_captures(void) {
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->capture) streams[i]->capture->invalid = true;
}

static _Thread_local enum cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

bool sim_is_unsafe(void) {
    bool unsafe = false;
    for (int i = 0; thread_mode != cudaStreamCaptureModeRelaxed && i < stream_count; i++) {
        sim_capture *c = streams[i]->capture;
        if (!c || c->mode == cudaStreamCaptureModeRelaxed) continue;
        c->invalid = unsafe = true;
    }
    return unsafe;
}

cudaError_t cudaThreadExchangeStreamCaptureMode(enum cudaStreamCaptureMode *mode) {
    const enum cudaStreamCaptureMode before = thread_mode;
    sim_begin_safe();
    thread_mode = *mode;
    *mode = before;
    return sim_result(cudaSuccess);
}

bool sim_leave_capture(sim_capture *c) {
    bool unjoined = false;
    for (int i = 0; i < stream_count; i++) {
        if (streams[i]->capture != c) continue;
        unjoined = unjoined || (streams[i] != c->origin && streams[i]->unjoined);
        streams[i]->capture = NULL;
        streams[i]->unjoined = false;
        streams[i]->last.count = 0;
    }
    return unjoined;
}

bool sim_refuses_capture(sim_stream *s) {
    if (s->capture) {
        s->capture->invalid = true;
        return true;
    }
    return false;
}

/* ---- streams ------------------------------------------------------------------------------------- */

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *stream, unsigned int flags) {
    if (sim_begin("cudaStreamCreateWithFlags")) return sim_result(cudaErrorMemoryAllocation);
    if (!stream || flags & ~(unsigned)cudaStreamNonBlocking) return sim_result(cudaErrorInvalidValue);
    *stream = (cudaStream_t)add_stream(sim_current_device(), !(flags & cudaStreamNonBlocking));
    sim_born(SIM_STREAM);
    return sim_result(cudaSuccess);
}

cudaError_t cudaStreamCreate(cudaStream_t *stream) {
    return cudaStreamCreateWithFlags(stream, 0);
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    sim_begin_safe();
    if (!stream) return sim_result(cudaErrorInvalidResourceHandle);
    sim_stream *s = sim_stream_of(stream);
    sim_run_stream(s);
    s->destroyed = true;
    for (int i = 0; i < SIM_LANES; i++) sim_free_strand(s->strands[i]);
    sim_died(SIM_STREAM);
    return sim_result(cudaSuccess);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (sim_begin("cudaStreamSynchronize")) return sim_result(cudaErrorUnknown);
    sim_stream *s = sim_stream_of(stream);
    if (sim_refuses_capture(s)) return sim_result(cudaErrorStreamCaptureUnsupported);
    sim_run_stream(s);
    sim_host_waited(s);
    return sim_result(cudaSuccess);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    sim_begin_safe();
    const sim_stream *s = sim_stream_of(stream);
    if (s->head < s->count) return sim_result(cudaErrorNotReady);
    sim_host_waited(s);
    return sim_result(cudaSuccess);
}

cudaError_t cudaDeviceSynchronize(void) {
    if (sim_begin("cudaDeviceSynchronize")) return sim_result(cudaErrorUnknown);
    if (sim_capturing()) {
        sim_invalidate_captures();
        return sim_result(cudaErrorStreamCaptureUnsupported);
    }
    sim_run_device(sim_current_device());
    return sim_result(cudaSuccess);
}

/* ---- events -------------------------------------------------------------------------------------- */

static void release_event(event *e) {
    if (--e->references > 0) return;
    release_recording(e->recording);
    free(e->last.node);
    free(e);
}

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void run_record(sim_work *w) {
    mark *m = (mark *)w;
    m->event->done = m->number;
    m->event->time = now_ms();
}

/* The stream has come so far: blocker_of. */
static void run_wait(sim_work *w) {
    (void)w;
}

static bool is_mark(const sim_work *w) {
    return w->run == run_record || w->run == run_wait;
}

static void drop_mark(sim_work *w) {
    mark *m = (mark *)w;
    release_event(m->event);
    release_recording(m->recording);
    free(m);
}

static void enqueue_mark(sim_stream *s, event *e, sim_stream *waited, uint64_t number) {
    mark *m = sim_new(1, sizeof *m);
    *m = (mark){.work = {waited ? run_wait : run_record, drop_mark, 1, waited ? "a wait" : "an event"},
                .event = e,
                .recording = e->recording,
                .stream = waited,
                .number = number};
    e->references++;
    e->recording->references++;
    sim_enqueue(s, &m->work);
}

static event *event_of(cudaEvent_t handle) {
    event *e = (event *)handle;
    if (!e || e->destroyed) sim_die("%p is no event, or a destroyed one", (void *)handle);
    return e;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *handle, unsigned int flags) {
    if (sim_begin("cudaEventCreateWithFlags")) return sim_result(cudaErrorMemoryAllocation);
    event *e = sim_new(1, sizeof *e);
    *e = (event){.references = 1, .timed = !(flags & cudaEventDisableTiming)};
    *handle = (cudaEvent_t)e;
    sim_born(SIM_EVENT);
    return sim_result(cudaSuccess);
}

cudaError_t cudaEventCreate(cudaEvent_t *handle) {
    return cudaEventCreateWithFlags(handle, 0);
}

cudaError_t cudaEventDestroy(cudaEvent_t handle) {
    sim_begin_safe();
    if (!handle) return sim_result(cudaErrorInvalidResourceHandle);
    event *e = event_of(handle);
    e->destroyed = true;
    release_event(e);
    sim_died(SIM_EVENT);
    return sim_result(cudaSuccess);
}

cudaError_t cudaEventRecord(cudaEvent_t handle, cudaStream_t stream) {
    if (sim_begin("cudaEventRecord")) return sim_result(cudaErrorUnknown);
    event *e = event_of(handle);
    sim_stream *s = sim_stream_of(stream);
    e->recorded = true;
    e->stream = s;
    e->capture = s->capture ? s->capture->id : 0;
    e->last.count = 0;
    if (s->capture) {
        sim_join_set(&e->last, &s->last);
        return sim_result(cudaSuccess);
    }
    release_recording(e->recording);
    e->recording = sim_new(1, sizeof *e->recording);
    e->recording->references = 1;
    e->number = last_number + 1;
    enqueue_mark(s, e, NULL, e->number);
    return sim_result(cudaSuccess);
}

/* In a capture: s comes after what the event was recorded behind, and joins the capture. */
static cudaError_t wait_captured(sim_stream *s, const event *e) {
    sim_capture *c = e->stream->capture;
    if (!c || c->id != e->capture) return cudaErrorCapturedEvent; /* that capture has ended */
    if (s->capture && s->capture != c) {
        s->capture->invalid = true;
        return cudaErrorStreamCaptureMerge;
    }
    if (!s->capture) {
        s->capture = c;
        s->lane = ++c->lanes;
        s->unjoined = true;
    }
    sim_join_set(&s->last, &e->last);
    if (e->stream != s) e->stream->unjoined = false;
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t handle, unsigned int flags) {
    (void)flags;
    if (sim_begin("cudaStreamWaitEvent")) return sim_result(cudaErrorUnknown);
    sim_stream *s = sim_stream_of(stream);
    event *e = event_of(handle);
    if (!e->recorded) return sim_result(cudaSuccess);
    if (e->capture) return sim_result(wait_captured(s, e));
    if (s->capture) {
        s->capture->invalid = true;
        return sim_result(cudaErrorStreamCaptureIsolation);
    }
    enqueue_mark(s, e, e->stream, e->number);
    return sim_result(cudaSuccess);
}

cudaError_t cudaEventSynchronize(cudaEvent_t handle) {
    if (sim_begin("cudaEventSynchronize")) return sim_result(cudaErrorUnknown);
    event *e = event_of(handle);
    if (e->capture) return sim_result(cudaErrorCapturedEvent);
    if (e->recorded) {
        sim_run_until(e->stream, e->number);
        host_knows(&e->recording->clock);
    }
    return sim_result(cudaSuccess);
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
    sim_begin_safe();
    const event *e = event_of(handle);
    if (sim_is_unsafe()) return sim_result(cudaErrorStreamCaptureUnsupported);
    if (e->recorded && e->done != e->number) return sim_result(cudaErrorNotReady);
    if (e->recorded) host_knows(&e->recording->clock);
    return sim_result(cudaSuccess);
}

cudaError_t cudaEventElapsedTime(float *ms, cudaEvent_t start, cudaEvent_t end) {
    if (sim_begin("cudaEventElapsedTime")) return sim_result(cudaErrorUnknown);
    const event *a = event_of(start), *b = event_of(end);
    if (!a->recorded || !b->recorded || !a->timed || !b->timed)
        return sim_result(cudaErrorInvalidResourceHandle);
    if (a->done != a->number || b->done != b->number) return sim_result(cudaErrorNotReady);
    *ms = (float)(b->time - a->time);
    return sim_result(cudaSuccess);
}
