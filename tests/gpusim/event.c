/* event.c: events, and what is queued to record them and to wait for them. */
#include "sim_stream.h"

#include <stdlib.h>
#include <time.h>

static void release_recording(sim_recording *r) {
    if (r && --r->references == 0) free(r);
}

typedef struct event {
    int references; /* the program's, and of work that is to record it */
    bool destroyed, timed, recorded;
    sim_stream *stream;       /* where it was recorded last */
    uint64_t number;          /* the stream's work up to here comes before it */
    sim_recording *recording; /* of that */
    uint64_t capture;         /* the id of the one where that was captured; 0: none */
    sim_set last;             /* the nodes there that it comes after */
    uint64_t done;            /* the number of the last recording that has run */
    double time;              /* milliseconds, when that was */
} event;

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
    sim_marker *m = (sim_marker *)w;
    ((event *)m->event)->done = m->number;
    ((event *)m->event)->time = now_ms();
}

/* The stream has come so far: blocker_of. */
static void run_wait(sim_work *w) {
    (void)w;
}

bool sim_is_mark(const sim_work *w) {
    return w->run == run_record || w->run == run_wait;
}

static void drop_mark(sim_work *w) {
    sim_marker *m = (sim_marker *)w;
    release_event(m->event);
    release_recording(m->recording);
    free(m);
}

static void enqueue_mark(sim_stream *s, event *e, sim_stream *waited, uint64_t number) {
    sim_marker *m = sim_new(1, sizeof *m);
    *m = (sim_marker){.work = {waited ? run_wait : run_record, drop_mark, 1, waited ? "a wait" : "an event"},
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
    e->number = sim_last_number() + 1;
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
        sim_host_knows(&e->recording->clock);
    }
    return sim_result(cudaSuccess);
}

cudaError_t cudaEventQuery(cudaEvent_t handle) {
    sim_begin_safe();
    const event *e = event_of(handle);
    if (sim_is_unsafe()) return sim_result(cudaErrorStreamCaptureUnsupported);
    if (e->recorded && e->done != e->number) return sim_result(cudaErrorNotReady);
    if (e->recorded) sim_host_knows(&e->recording->clock);
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
