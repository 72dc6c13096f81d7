/* copy.c: allocation, copies and fills. */
#include "sim_stream.h"

#include <stdlib.h>
#include <string.h>

static cudaError_t allocate(void **p, size_t n, bool pinned) {
    if (!p) return cudaErrorInvalidValue;
    *p = NULL;
    if (sim_is_unsafe()) return cudaErrorStreamCaptureUnsupported;
    if (n == 0) return cudaSuccess;
    *p = sim_allocate(pinned ? -1 : sim_current_device(), n);
    if (!*p) return cudaErrorMemoryAllocation;
    sim_born(pinned ? SIM_PINNED_MEMORY : SIM_DEVICE_MEMORY);
    return cudaSuccess;
}

/* Waits for everything first, as the runtime does. */
static cudaError_t release(void *p, bool pinned) {
    if (!p) return cudaSuccess;
    if (sim_is_unsafe()) return cudaErrorStreamCaptureUnsupported;
    const sim_buffer *b = sim_buffer_at(p);
    if (b && b->device >= 0 && b->device < SIM_MAX_DEVICES)
        sim_run_device(b->device);
    else
        for (int i = 0; i < sim_device_count(); i++) sim_run_device(i);
    char text[200];
    if (!sim_release(p, pinned))
        sim_die("%s: %p cannot be freed: %s", pinned ? "cudaFreeHost" : "cudaFree", p,
                sim_where((uintptr_t)p, text, sizeof text));
    sim_died(pinned ? SIM_PINNED_MEMORY : SIM_DEVICE_MEMORY);
    return cudaSuccess;
}

cudaError_t cudaMalloc(void **p, size_t n) {
    if (sim_begin("cudaMalloc")) return sim_result(cudaErrorMemoryAllocation);
    return sim_result(allocate(p, n, false));
}
cudaError_t cudaMallocHost(void **p, size_t n) {
    if (sim_begin("cudaMallocHost")) return sim_result(cudaErrorMemoryAllocation);
    return sim_result(allocate(p, n, true));
}
cudaError_t cudaHostAlloc(void **p, size_t n, unsigned int flags) {
    (void)flags;
    return cudaMallocHost(p, n);
}
cudaError_t cudaFree(void *p) {
    sim_begin_safe();
    return sim_result(release(p, false));
}
cudaError_t cudaFreeHost(void *p) {
    sim_begin_safe();
    return sim_result(release(p, true));
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
    if (sim_begin("cudaMemGetInfo")) return sim_result(cudaErrorUnknown);
    const int d = sim_current_device();
    *total = (size_t)sim_get_device(d)->memory;
    *available = *total - sim_device_bytes_used(d);
    return sim_result(cudaSuccess);
}

/* ---- copies -------------------------------------------------------------------------------------- */

typedef struct copy {
    sim_work work;
    const char *call;
    void *to;
    const void *from;
    void *staged; /* what a pageable source held when the call was made; owned, or NULL */
    size_t bytes;
    bool to_device, from_device;
} copy;

static bool is_device(const void *p) {
    const sim_buffer *b = sim_find((uintptr_t)p);
    return b && b->device >= 0;
}
static bool is_pinned(const void *p) {
    const sim_buffer *b = sim_find((uintptr_t)p);
    return b && b->device < 0;
}

static void run_copy(sim_work *w) {
    const copy *c = (const copy *)w;
    const void *from = c->staged ? c->staged : c->from;
    if (c->from_device)
        sim_check_device(c->call, from, c->bytes, true);
    else if (!c->staged)
        sim_check_host(c->call, from, c->bytes);
    if (c->to_device) {
        sim_check_device(c->call, c->to, c->bytes, false);
        sim_mark_written(c->to, c->bytes);
    } else {
        sim_check_host(c->call, c->to, c->bytes);
    }
    if (c->from_device || is_pinned(from)) sim_touch((uintptr_t)from, c->bytes, false);
    if (c->to_device || is_pinned(c->to)) sim_touch((uintptr_t)c->to, c->bytes, true);
    memmove(c->to_device ? sim_bytes((uintptr_t)c->to) : c->to,
            c->from_device ? sim_bytes((uintptr_t)from) : from, c->bytes);
}

static void drop_copy(sim_work *w) {
    copy *c = (copy *)w;
    free(c->staged);
    free(c);
}

/* NULL: the kind is none. */
static copy *new_copy(const char *call, void *to, const void *from, size_t n, enum cudaMemcpyKind kind) {
    if (kind < cudaMemcpyHostToHost || kind > cudaMemcpyDefault) return NULL;
    copy *c = sim_new(1, sizeof *c);
    *c = (copy){.work = {run_copy, drop_copy, 1, call}, .call = call, .to = to, .from = from, .bytes = n};
    const bool known = kind != cudaMemcpyDefault;
    c->to_device = known ? kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice : is_device(to);
    c->from_device =
        known ? kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice : is_device(from);
    return c;
}

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t n, enum cudaMemcpyKind kind,
                            cudaStream_t stream) {
    if (sim_begin("cudaMemcpyAsync")) return sim_result(cudaErrorUnknown);
    sim_stream *s = sim_stream_of(stream);
    copy *c = n ? new_copy("cudaMemcpyAsync", to, from, n, kind) : NULL;
    if (!c) return sim_result(n ? cudaErrorInvalidMemcpyDirection : cudaSuccess);
    const bool pageable_from = !c->from_device && !is_pinned(from),
               pageable_to = !c->to_device && !is_pinned(to);
    if (pageable_from && !s->capture) { /* the runtime reads it before it returns */
        sim_check_host(c->call, from, n);
        c->staged = sim_new(n, 1);
        memcpy(c->staged, from, n);
    }
    sim_enqueue(s, &c->work);
    if (pageable_to && !s->capture) { /* and waits for what it writes */
        sim_run_stream(s);
        sim_host_waited(s);
    }
    return sim_result(cudaSuccess);
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t n, enum cudaMemcpyKind kind) {
    if (sim_begin("cudaMemcpy")) return sim_result(cudaErrorUnknown);
    if (sim_capturing()) {
        sim_invalidate_captures();
        return sim_result(cudaErrorStreamCaptureImplicit);
    }
    sim_stream *s = sim_stream_of(NULL);
    copy *c = n ? new_copy("cudaMemcpy", to, from, n, kind) : NULL;
    if (!c) return sim_result(n ? cudaErrorInvalidMemcpyDirection : cudaSuccess);
    sim_enqueue(s, &c->work);
    sim_run_stream(s);
    sim_host_waited(s);
    return sim_result(cudaSuccess);
}

/* ---- fills --------------------------------------------------------------------------------------- */

typedef struct fill {
    sim_work work;
    void *to;
    int value;
    size_t bytes;
} fill;

static void run_fill(sim_work *w) {
    const fill *f = (const fill *)w;
    sim_check_device("cudaMemsetAsync", f->to, f->bytes, false);
    memset(sim_bytes((uintptr_t)f->to), f->value, f->bytes);
    sim_mark_written(f->to, f->bytes);
    sim_touch((uintptr_t)f->to, f->bytes, true);
}

static void drop_fill(sim_work *w) {
    free(w);
}

static void enqueue_fill(sim_stream *s, void *to, int value, size_t n) {
    fill *f = sim_new(1, sizeof *f);
    *f = (fill){.work = {run_fill, drop_fill, 1, "cudaMemsetAsync"}, .to = to, .value = value, .bytes = n};
    sim_enqueue(s, &f->work);
}

cudaError_t cudaMemsetAsync(void *to, int value, size_t n, cudaStream_t stream) {
    if (sim_begin("cudaMemsetAsync")) return sim_result(cudaErrorUnknown);
    if (n) enqueue_fill(sim_stream_of(stream), to, value, n);
    return sim_result(cudaSuccess);
}

cudaError_t cudaMemset(void *to, int value, size_t n) {
    if (sim_begin("cudaMemset")) return sim_result(cudaErrorUnknown);
    if (sim_capturing()) {
        sim_invalidate_captures();
        return sim_result(cudaErrorStreamCaptureImplicit);
    }
    if (n) enqueue_fill(sim_stream_of(NULL), to, value, n);
    return sim_result(cudaSuccess);
}
