/* cudnn.c: the part of cuDNN that needs a device. Descriptors, heuristics and plans are the real library's:
 * where a program gives a handle, it gets a descriptor of the simulated device's properties instead, and what
 * the program executes is computed from the finalized plan's own JSON. */
#include "plan.h"
#include "sim_stream.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#pragma GCC visibility push(default)
#include <cudnn.h>
#pragma GCC visibility pop

typedef cudnnBackendDescriptor_t descriptor;
typedef cudnnBackendAttributeName_t attribute;
typedef cudnnBackendAttributeType_t attribute_type;

/* ---- the real library ---------------------------------------------------------------------------- */

typedef struct library {
    cudnnStatus_t (*create)(cudnnBackendDescriptorType_t, descriptor *);
    cudnnStatus_t (*destroy)(descriptor);
    cudnnStatus_t (*set)(descriptor, attribute, attribute_type, int64_t, const void *);
    cudnnStatus_t (*get)(const descriptor, attribute, attribute_type, int64_t, int64_t *, void *);
    cudnnStatus_t (*finalize)(descriptor);
} library;

static void find_symbol(void *to, const char *name) {
    void *const p = dlsym(RTLD_NEXT, name);
    if (!p) sim_die("the program uses cuDNN but is not linked with it: no %s", name);
    memcpy(to, &p, sizeof p);
}

static const library *real(void) {
    static library l;
    if (l.create) return &l;
    find_symbol(&l.destroy, "cudnnBackendDestroyDescriptor");
    find_symbol(&l.set, "cudnnBackendSetAttribute");
    find_symbol(&l.get, "cudnnBackendGetAttribute");
    find_symbol(&l.finalize, "cudnnBackendFinalize");
    find_symbol(&l.create, "cudnnBackendCreateDescriptor");
    return &l;
}

/* cuDNN calls itself through the same symbols; those calls are not the program's. */
static _Thread_local int inside;

static cudnnStatus_t left(cudnnStatus_t status) {
    inside--;
    sim_unlock();
    return status;
}

/* ---- handles ------------------------------------------------------------------------------------- */

typedef struct handle {
    int device;
    cudaStream_t stream;
    bool destroyed;
    void *inner; /* memory of its own, that each execution uses: two may not run side by side */
} handle;

static handle *handle_of(cudnnHandle_t h) {
    handle *p = (handle *)h;
    if (!p || p->destroyed) sim_die("%p is no cuDNN handle, or a destroyed one", (void *)h);
    return p;
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *h) {
    sim_lock();
    inside++;
    if (sim_fails("cudnnCreate")) return left(CUDNN_STATUS_NOT_INITIALIZED);
    if (sim_device_count() == 0) return left(CUDNN_STATUS_NOT_INITIALIZED);
    handle *p = sim_new(1, sizeof *p);
    p->device = sim_current_device();
    p->inner = sim_allocate(SIM_ANY_DEVICE, 1);
    sim_buffer_at(p->inner)->kind = "cuDNN handle, as buffer";
    *h = (cudnnHandle_t)p;
    sim_born(SIM_HANDLE);
    return left(CUDNN_STATUS_SUCCESS);
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t h) {
    sim_lock();
    inside++;
    handle_of(h)->destroyed = true; /* kept, so that a later use is seen */
    sim_died(SIM_HANDLE);
    return left(CUDNN_STATUS_SUCCESS);
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t h, cudaStream_t stream) {
    sim_lock();
    inside++;
    if (sim_fails("cudnnSetStream")) return left(CUDNN_STATUS_INTERNAL_ERROR);
    const sim_stream *s = sim_stream_of(stream);
    if (s->device != handle_of(h)->device) return left(CUDNN_STATUS_BAD_PARAM);
    handle_of(h)->stream = stream;
    return left(CUDNN_STATUS_SUCCESS);
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t h, cudaStream_t *stream) {
    *stream = handle_of(h)->stream;
    return CUDNN_STATUS_SUCCESS;
}

/* A finalized descriptor of a device's properties, made once. */
static descriptor properties_of(int device) {
    static descriptor made[SIM_MAX_DEVICES];
    if (made[device]) return made[device];
    descriptor d = NULL;
    const char *json = sim_get_device(device)->json;
    const cudnnStatus_t a = real()->create(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &d);
    const cudnnStatus_t b = real()->set(d, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                                        (int64_t)strlen(json), json);
    if (a || b || real()->finalize(d)) sim_die("cuDNN refuses the description of device %d", device);
    return made[device] = d;
}

/* ---- what is known of the program's descriptors --------------------------------------------------- */

typedef struct record {
    descriptor d;
    int device;                /* of the handle that it was given, -1: none */
    cudnnPointwiseMode_t mode; /* of a pointwise descriptor */
    bool passes_nan;
    int64_t pointers, ids, id[PLAN_MOST];
    void *pointer[PLAN_MOST], *workspace;
    plan *plan; /* read at the first execution */
} record;

static record **records;
static int record_count, record_room;

static record *find_record(descriptor d) {
    for (int i = record_count - 1; i >= 0; i--)
        if (records[i]->d == d) return records[i];
    return NULL;
}

static record *record_of(descriptor d) {
    record *r = find_record(d);
    if (r) return r;
    if (record_count == record_room) {
        record_room = record_room ? 2 * record_room : 64;
        records = sim_grow(records, (size_t)record_room, sizeof *records);
    }
    r = sim_new(1, sizeof *r);
    r->d = d;
    r->device = -1;
    return records[record_count++] = r;
}

static void release_plan(plan *p) {
    if (p && --p->references == 0) sim_free_plan(p);
}

static void forget(descriptor d) {
    for (int i = 0; i < record_count; i++) {
        if (records[i]->d != d) continue;
        release_plan(records[i]->plan);
        free(records[i]);
        records[i] = records[--record_count];
        return;
    }
}

/* ---- descriptors --------------------------------------------------------------------------------- */

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type, descriptor *d) {
    if (inside) return real()->create(type, d);
    sim_lock();
    inside++;
    if (sim_fails("cudnnBackendCreateDescriptor")) return left(CUDNN_STATUS_ALLOC_FAILED);
    const cudnnStatus_t status = real()->create(type, d);
    if (status == CUDNN_STATUS_SUCCESS) sim_born(SIM_DESCRIPTOR);
    if (status == CUDNN_STATUS_SUCCESS && type == CUDNN_BACKEND_POINTWISE_DESCRIPTOR)
        record_of(*d)->mode = CUDNN_POINTWISE_ADD; /* of which there is one for each operation only */
    return left(status);
}

cudnnStatus_t cudnnBackendDestroyDescriptor(descriptor d) {
    if (inside) return real()->destroy(d);
    sim_lock();
    inside++;
    forget(d);
    if (d) sim_died(SIM_DESCRIPTOR);
    return left(real()->destroy(d));
}

/* cuDNN's ReLU gives 0 for NaN unless it is told to pass it. */
static void note_relu(descriptor d) {
    const record *r = find_record(d);
    if (r && r->mode == CUDNN_POINTWISE_RELU_FWD && !r->passes_nan) sim_relu_drops_nan = true;
}

static void note_pointwise(descriptor d, attribute a, const void *v) {
    record *r = find_record(d);
    if (r && a == CUDNN_ATTR_POINTWISE_MODE) memcpy(&r->mode, v, sizeof r->mode);
    if (!r || a != CUDNN_ATTR_POINTWISE_NAN_PROPAGATION) return;
    cudnnNanPropagation_t nan;
    memcpy(&nan, v, sizeof nan);
    r->passes_nan = nan == CUDNN_PROPAGATE_NAN;
}

cudnnStatus_t cudnnBackendFinalize(descriptor d) {
    if (inside) return real()->finalize(d);
    sim_lock();
    inside++;
    if (sim_fails("cudnnBackendFinalize")) return left(CUDNN_STATUS_INTERNAL_ERROR);
    const cudnnStatus_t status = real()->finalize(d);
    if (status == CUDNN_STATUS_SUCCESS) note_relu(d);
    return left(status);
}

cudnnStatus_t cudnnBackendGetAttribute(const descriptor d, attribute a, attribute_type t, int64_t room,
                                       int64_t *n, void *v) {
    if (inside) return real()->get(d, a, t, room, n, v);
    sim_lock();
    inside++;
    return left(real()->get(d, a, t, room, n, v));
}

/* Which property attribute a descriptor takes where the program gave it a handle,
 * or something with a handle. */
static const struct {
    attribute given, instead;
    bool is_handle; /* otherwise a graph */
} replaced[] = {
    {CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, true},
    {CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, false},
    {CUDNN_ATTR_ENGINE_OPERATION_GRAPH, CUDNN_ATTR_ENGINE_DEVICEPROP, false},
};

static cudnnStatus_t set_properties(descriptor d, attribute a, int device) {
    descriptor p = properties_of(device);
    return real()->set(d, a, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &p);
}

/* The device of a handle or of a graph's handle; -1: the program has set properties itself. */
static int device_of(const void *v, bool is_handle) {
    if (is_handle) return handle_of(*(const cudnnHandle_t *)v)->device;
    const record *r = find_record(*(const descriptor *)v);
    return r ? r->device : -1;
}

static void note_pack(descriptor d, attribute a, int64_t n, const void *v) {
    if (n > PLAN_MOST) sim_die("a variant pack of %lld tensors", (long long)n);
    if (a == CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS) {
        record_of(d)->pointers = n;
        memcpy(record_of(d)->pointer, v, (size_t)n * sizeof(void *));
    } else if (a == CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS) {
        record_of(d)->ids = n;
        memcpy(record_of(d)->id, v, (size_t)n * sizeof(int64_t));
    } else if (a == CUDNN_ATTR_VARIANT_PACK_WORKSPACE) {
        memcpy(&record_of(d)->workspace, v, sizeof(void *));
    }
}

static cudnnStatus_t set_attribute(descriptor d, attribute a, attribute_type t, int64_t n, const void *v) {
    if (a == CUDNN_ATTR_OPERATIONGRAPH_HANDLE) {
        record_of(d)->device = device_of(v, true);
        return CUDNN_STATUS_SUCCESS;
    }
    if (a == CUDNN_ATTR_POINTWISE_MODE || a == CUDNN_ATTR_POINTWISE_NAN_PROPAGATION) note_pointwise(d, a, v);
    note_pack(d, a, t == CUDNN_TYPE_VOID_PTR || a == CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS ? n : 0, v);
    for (size_t i = 0; i < sizeof replaced / sizeof *replaced; i++) {
        if (replaced[i].given != a) continue;
        const int device = device_of(v, replaced[i].is_handle);
        if (device < 0) break;
        const cudnnStatus_t status = set_properties(d, replaced[i].instead, device);
        if (status || replaced[i].is_handle) return status;
    }
    return real()->set(d, a, t, n, v);
}

cudnnStatus_t cudnnBackendSetAttribute(descriptor d, attribute a, attribute_type t, int64_t n,
                                       const void *v) {
    if (inside) return real()->set(d, a, t, n, v);
    sim_lock();
    inside++;
    return left(set_attribute(d, a, t, n, v));
}

/* ---- execution ----------------------------------------------------------------------------------- */

/* Reads the one descriptor that an attribute holds, into a new one. */
static descriptor inner(descriptor d, attribute a, cudnnBackendDescriptorType_t type) {
    descriptor e = NULL;
    int64_t n = 0;
    if (real()->create(type, &e) || real()->get(d, a, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &n, &e) || n != 1)
        sim_die("a cuDNN plan does not tell its engine");
    return e;
}

/* Floats are rounded to TF32 where the engine uses tensor cores, to halves where it says that it converts
 * down. */
static plan_operands operands_of(descriptor d) {
    cudnnBackendNumericalNote_t note[16];
    int64_t n = 0;
    descriptor config = inner(d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    descriptor engine = inner(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_BACKEND_ENGINE_DESCRIPTOR);
    real()->get(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, 16, &n, note);
    plan_operands how = PLAN_EXACT;
    for (int64_t i = 0; i < n && i < 16; i++) {
        if (note[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE && how == PLAN_EXACT) how = PLAN_TF32;
        if (note[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) how = PLAN_HALF;
    }
    real()->destroy(engine);
    real()->destroy(config);
    return how;
}

static plan *read_plan(descriptor d) {
    int64_t n = 0, bytes = 0, count = 0;
    if (real()->get(d, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &count, &bytes) ||
        real()->get(d, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, 0, &n, NULL))
        return NULL;
    char *json = sim_new((size_t)n + 1, 1);
    real()->get(d, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, n, &n, json);
    plan *p = sim_read_plan(json, (size_t)bytes, operands_of(d));
    p->references = 1;
    free(json);
    return p;
}

typedef struct plan_work {
    sim_work work;
    plan *plan;
    plan_data data;
    int device;
    void *inner; /* of the handle */
} plan_work;

static void run_plan_work(sim_work *w) {
    const plan_work *p = (const plan_work *)w;
    sim_touch((uintptr_t)p->inner, 1, true);
    sim_run_plan(p->plan, &p->data, p->device);
}

static void drop_plan_work(sim_work *w) {
    release_plan(((plan_work *)w)->plan);
    free(w);
}

static void fill_data(plan_data *data, const plan *p, const record *pack) {
    for (int i = 0; i < p->tensors; i++)
        for (int64_t k = 0; k < pack->ids; k++)
            if (pack->id[k] == p->tensor[i].id) data->tensor[i] = pack->pointer[k];
    data->workspace = p->workspace > 0 ? pack->workspace : NULL;
}

static cudnnStatus_t execute(const handle *h, descriptor d, descriptor variant) {
    record *r = record_of(d);
    const record *pack = find_record(variant);
    if (!r->plan) r->plan = read_plan(d);
    if (!r->plan || !pack || pack->pointers != pack->ids) return CUDNN_STATUS_BAD_PARAM;
    if (sim_current_device() != h->device) return CUDNN_STATUS_BAD_PARAM;
    plan_work *w = sim_new(1, sizeof *w);
    *w = (plan_work){.work = {run_plan_work, drop_plan_work, 1, "a cuDNN plan"},
                     .plan = r->plan,
                     .device = h->device,
                     .inner = h->inner};
    fill_data(&w->data, r->plan, pack);
    w->plan->references++;
    sim_enqueue(sim_stream_of(h->stream), &w->work);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t h, descriptor d, descriptor variant) {
    sim_lock();
    inside++;
    if (sim_fails("cudnnBackendExecute")) return left(CUDNN_STATUS_EXECUTION_FAILED);
    return left(execute(handle_of(h), d, variant));
}
