/* capture.c: streams that are being captured: what comes after what, and which calls that forbids. */
#include "sim_stream.h"

void sim_join_set(sim_set *to, const sim_set *more) {
    for (int i = 0; i < more->count; i++) {
        int k = 0;
        while (k < to->count && to->node[k] != more->node[i]) k++;
        if (k < to->count) continue;
        to->node = sim_grow(to->node, (size_t)to->count + 1, sizeof *to->node);
        to->node[to->count++] = more->node[i];
    }
}

void sim_append(sim_stream *s, sim_work *w) {
    sim_capture *c = s->capture;
    c->nodes = sim_grow(c->nodes, (size_t)c->count + 1, sizeof *c->nodes);
    c->nodes[c->count] = (sim_node){.work = w, .lane = s->lane};
    sim_join_set(&c->nodes[c->count].after, &s->last);
    s->last.count = 0;
    sim_join_set(&s->last, &(sim_set){&c->count, 1});
    c->count++;
    s->unjoined = true;
}

bool sim_capturing(void) {
    for (int i = 0; i < sim_stream_count(); i++)
        if (sim_stream_at(i)->capture) return true;
    return false;
}

bool sim_captures_blocking(void) {
    for (int i = 0; i < sim_stream_count(); i++)
        if (sim_stream_at(i)->capture && sim_stream_at(i)->blocking) return true;
    return false;
}

void sim_invalidate_captures(void) {
    for (int i = 0; i < sim_stream_count(); i++)
        if (sim_stream_at(i)->capture) sim_stream_at(i)->capture->invalid = true;
}

static _Thread_local enum cudaStreamCaptureMode thread_mode = cudaStreamCaptureModeGlobal;

bool sim_is_unsafe(void) {
    bool unsafe = false;
    for (int i = 0; thread_mode != cudaStreamCaptureModeRelaxed && i < sim_stream_count(); i++) {
        sim_capture *c = sim_stream_at(i)->capture;
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
    for (int i = 0; i < sim_stream_count(); i++) {
        if (sim_stream_at(i)->capture != c) continue;
        unjoined = unjoined || (sim_stream_at(i) != c->origin && sim_stream_at(i)->unjoined);
        sim_stream_at(i)->capture = NULL;
        sim_stream_at(i)->unjoined = false;
        sim_stream_at(i)->last.count = 0;
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
