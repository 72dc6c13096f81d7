/* sim_stream.c: streams as queues that run when waited for. */
#include "sim_stream.h"

#include <stdlib.h>

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

int sim_stream_count(void) {
    return stream_count;
}
sim_stream *sim_stream_at(int i) {
    return streams[i];
}
uint64_t sim_last_number(void) {
    return last_number;
}

/* ---- order --------------------------------------------------------------------------------------- */

static sim_clock host; /* what the program has waited for */

void sim_host_knows(const sim_clock *clock) {
    bool idle = true;
    sim_join_clock(&host, clock);
    for (int i = 0; i < stream_count; i++) {
        idle = idle && streams[i]->head == streams[i]->count;
        for (int k = 0; k < SIM_STRANDS; k++) idle = idle && streams[i]->now.at[k] <= host.at[k];
    }
    if (idle) sim_forget_accesses();
}

void sim_host_waited(const sim_stream *s) {
    sim_host_knows(&s->now);
}

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
    const sim_marker *m = e->work && sim_is_mark(e->work) ? (const sim_marker *)e->work : NULL;
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
    const sim_marker *m = sim_is_mark(w) ? (const sim_marker *)w : NULL;
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

/* ---- queues ------------------------------------------------------------------------- */

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
        sim_append(s, w);
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
            sim_append(s, nodes[i].work);
            continue;
        }
        r->nodes[i] = (sim_node){.work = nodes[i].work, .lane = nodes[i].lane};
        sim_join_set(&r->nodes[i].after, &nodes[i].after);
    }
    if (r) queue(s, NULL, r);
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
