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

/* The device's own stream waits for the blocking ones, and they for it. */
static void run_implied(const sim_stream *s, uint64_t number) {
    if (!s->blocking) return;
    for (int i = 0; i < stream_count; i++) {
        sim_stream *other = streams[i];
        if (other != s && other->blocking && other->device == s->device &&
            (other->is_default || s->is_default))
            sim_run_until(other, number);
    }
}

static void run_first(sim_stream *s) {
    const sim_entry e = s->queue[s->head++]; /* taken off first: what it waits for may come back here */
    run_implied(s, e.number);
    e.work->run(e.work);
    sim_drop_work(e.work);
}

void sim_run_until(sim_stream *s, uint64_t number) {
    while (s->head < s->count && s->queue[s->head].number <= number) run_first(s);
    if (s->head == s->count) s->head = s->count = 0;
}

void sim_run_stream(sim_stream *s) {
    sim_run_until(s, UINT64_MAX);
    run_implied(s, s->is_default ? last_number : 0);
}

void sim_run_device(int device) {
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->device == device) sim_run_stream(streams[i]);
}

static void append(sim_capture *c, sim_work *w) {
    c->work = sim_grow(c->work, (size_t)c->count + 1, sizeof *c->work);
    c->work[c->count++] = w;
}

void sim_enqueue(sim_stream *s, sim_work *w) {
    if (s->capture) {
        append(s->capture, w);
        s->unjoined = true;
        return;
    }
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->queue = sim_grow(s->queue, s->room, sizeof *s->queue);
    }
    s->queue[s->count++] = (sim_entry){w, ++last_number};
    if (sim_setting("GPUSIM_EAGER", 0)) sim_run_stream(s);
}

bool sim_capturing(void) {
    for (int i = 0; i < stream_count; i++)
        if (streams[i]->capture) return true;
    return false;
}

bool sim_leave_capture(sim_capture *c) {
    bool unjoined = false;
    for (int i = 0; i < stream_count; i++) {
        if (streams[i]->capture != c) continue;
        unjoined = unjoined || (streams[i] != c->origin && streams[i]->unjoined);
        streams[i]->capture = NULL;
        streams[i]->unjoined = false;
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
    sim_died(SIM_STREAM);
    return sim_result(cudaSuccess);
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    if (sim_begin("cudaStreamSynchronize")) return sim_result(cudaErrorUnknown);
    sim_stream *s = sim_stream_of(stream);
    if (sim_refuses_capture(s)) return sim_result(cudaErrorStreamCaptureUnsupported);
    sim_run_stream(s);
    return sim_result(cudaSuccess);
}

cudaError_t cudaStreamQuery(cudaStream_t stream) {
    sim_begin_safe();
    const sim_stream *s = sim_stream_of(stream);
    return sim_result(s->head < s->count ? cudaErrorNotReady : cudaSuccess);
}

cudaError_t cudaDeviceSynchronize(void) {
    if (sim_begin("cudaDeviceSynchronize")) return sim_result(cudaErrorUnknown);
    if (sim_capturing()) return sim_result(cudaErrorStreamCaptureUnsupported);
    sim_run_device(sim_current_device());
    return sim_result(cudaSuccess);
}

/* ---- events -------------------------------------------------------------------------------------- */

typedef struct event {
    int references; /* the program's, and of work that is to record it */
    bool destroyed, timed, recorded;
    sim_stream *stream;   /* where it was recorded last */
    uint64_t number;      /* the stream's work up to here comes before it */
    sim_capture *capture; /* where that was captured */
    uint64_t done;        /* the number of the last recording that has run */
    double time;          /* milliseconds, when that was */
} event;

typedef struct mark {
    sim_work work;
    event *event;
    sim_stream *stream; /* to wait for; NULL: this is a recording */
    uint64_t number;
} mark;

static void release_event(event *e) {
    if (--e->references == 0) free(e);
}

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static void run_mark(sim_work *w) {
    mark *m = (mark *)w;
    if (m->stream) {
        sim_run_until(m->stream, m->number);
        return;
    }
    m->event->done = m->number;
    m->event->time = now_ms();
}

static void drop_mark(sim_work *w) {
    mark *m = (mark *)w;
    release_event(m->event);
    free(m);
}

static void enqueue_mark(sim_stream *s, event *e, sim_stream *waited, uint64_t number) {
    mark *m = sim_new(1, sizeof *m);
    *m = (mark){.work = {run_mark, drop_mark, 1}, .event = e, .stream = waited, .number = number};
    e->references++;
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
    e->capture = s->capture;
    if (!s->capture) {
        e->number = last_number + 1;
        enqueue_mark(s, e, NULL, e->number);
    }
    return sim_result(cudaSuccess);
}

/* In a capture: the order of capture is kept anyway, so all there is to do is to say who has joined. */
static cudaError_t wait_captured(sim_stream *s, event *e) {
    if (s->capture && s->capture != e->capture) {
        s->capture->invalid = true;
        return cudaErrorStreamCaptureMerge;
    }
    if (!s->capture) {
        s->capture = e->capture;
        s->unjoined = true;
    }
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
    if (e->recorded) sim_run_until(e->stream, e->number);
    return sim_result(cudaSuccess);
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
    sim_begin_safe();
    const event *e = event_of(handle);
    return sim_result(e->recorded && e->done != e->number ? cudaErrorNotReady : cudaSuccess);
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
