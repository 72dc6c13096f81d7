/* memory_json.c: the memory plan as JSON, and as a trace that Perfetto and chrome://tracing open. */
#include "memory_table.h"

#include <inttypes.h>

/* ---- memory.json ----------------------------------------------------------------------------- */

static void add_type(vox_json *j, const ir_tensor *t) {
    vox_json_text(j, "dtype", t->gpu.storage ? ir_storage_name(t->gpu.storage) : ir_dtype_name(t->dtype));
    vox_json_begin(j, "shape", "[");
    for (int i = 0; i < t->rank; i++) vox_json_int(j, NULL, t->dim[i]);
    vox_json_end(j);
}

static void add_entry(vox_json *j, const cg_model *m, const cg_memory *e) {
    vox_json_begin(j, NULL, "{");
    vox_json_members(j, "kind=%s name=%s", cg_memory_kind_names[e->kind], e->name);
    if (e->in) vox_json_text(j, "in", e->in);
    if (e->tensor) add_type(j, e->tensor);
    if (e->offset >= 0) vox_json_int(j, "offset", e->offset);
    vox_json_members(j, "bytes=%" PRId64 " first=%d last=%d first_layer=%s last_layer=%s", e->bytes, e->first,
                     e->last, cg_layer_name(m, e->first), cg_layer_name(m, e->last));
    vox_json_end(j);
}

static void add_live_bytes(vox_json *j, const cg_model *m, const cg_memory_table *t) {
    vox_json_begin(j, "peak_layers", "[");
    for (int i = 0; i < m->n_layers; i++)
        if (t->live[i] == t->lower_bound) vox_json_text(j, NULL, cg_layer_name(m, i));
    vox_json_end(j);
    vox_json_begin(j, "layers", "[\n");
    for (int i = 0; i < m->n_layers; i++) {
        vox_json_object(j, NULL, "name=%s live_bytes=%" PRId64, cg_layer_name(m, i), t->live[i]);
    }
    vox_json_end(j);
}

const char *cg_memory_json(const cg_model *m) {
    cg_memory_table t = cg_memory_list(m);
    cg_text s = {.arena = m->arena};
    vox_json j = cg_json(&s);
    vox_json_begin(&j, NULL, "{\n");
    vox_json_members(&j,
                     "model=%s arena_bytes=%" PRId64 " lower_bound_bytes=%" PRId64 " prepared_bytes=%" PRId64,
                     m->name, m->g->arena_bytes, t.lower_bound, m->prepared_bytes);
    add_live_bytes(&j, m, &t);
    vox_json_begin(&j, "buffers", "[\n");
    for (int i = 0; i < t.count; i++) add_entry(&j, m, &t.list[i]);
    vox_json_end(&j);
    vox_json_end(&j);
    return cg_string(&s);
}

/* ---- trace ----------------------------------------------------------------------------------- */

enum { MICROSECONDS = 1000 /* that a layer seems to take */, ARENA = 1, OUTSIDE = 2 /* process numbers */ };

static void begin_event(vox_json *j, const char *kind, int process, const char *name) {
    vox_json_begin(j, NULL, "{");
    vox_json_members(j, "ph=%s pid=%d name=%s", kind, process, name);
}

static void add_meta(vox_json *j, const char *what, int process, int thread, const char *name) {
    begin_event(j, "M", process, what);
    vox_json_int(j, "tid", thread);
    vox_json_object(j, "args", "name=%s", name);
    vox_json_end(j);
}

static void begin_slice(vox_json *j, int process, int thread, int first, int last, const char *name) {
    begin_event(j, "X", process, name);
    vox_json_members(j, "tid=%d ts=%d dur=%d", thread, first * MICROSECONDS,
                     (last + 1 - first) * MICROSECONDS);
}

static void add_buffer_slice(vox_json *j, const cg_memory *e, int process, int lane) {
    char type[256];
    begin_slice(j, process, lane, e->first, e->last, e->name);
    vox_json_text(j, "cat", cg_memory_kind_names[e->kind]);
    vox_json_begin(j, "args", "{");
    vox_json_int(j, "bytes", e->bytes);
    if (e->offset >= 0) vox_json_int(j, "offset", e->offset);
    if (e->tensor) vox_json_text(j, "type", ir_type_text(e->tensor, type, sizeof type));
    if (e->in) vox_json_text(j, "in", e->in);
    vox_json_end(j);
    vox_json_end(j);
}

/* Slices of one track may not overlap, so each goes to the first track that is free again. */
static void add_buffers(vox_json *j, ir_arena *arena, const cg_memory_table *t, int process) {
    int *busy = ir_alloc(arena, (size_t)t->count + 1, sizeof *busy), lanes = 1;
    for (int i = 0; i < t->count; i++) {
        const cg_memory *e = &t->list[i];
        if (cg_in_arena(e) != (process == ARENA) || e->last < e->first) continue;
        int lane = 1;
        while (lane < lanes && busy[lane] > e->first) lane++;
        if (lane == lanes) {
            add_meta(j, "thread_name", process, lane, "buffers");
            lanes++;
        }
        busy[lane] = e->last + 1;
        add_buffer_slice(j, e, process, lane);
    }
}

static void add_live(vox_json *j, int layer, int64_t bytes) {
    begin_event(j, "C", ARENA, "live bytes");
    vox_json_int(j, "ts", layer * MICROSECONDS);
    vox_json_object(j, "args", "bytes=%" PRId64, bytes);
    vox_json_end(j);
}

const char *cg_memory_trace(const cg_model *m) {
    cg_memory_table t = cg_memory_list(m);
    cg_text s = {.arena = m->arena};
    vox_json j = cg_json(&s);
    vox_json_begin(&j, NULL, "{");
    vox_json_text(&j, "displayTimeUnit", "ms");
    vox_json_object(&j, "otherData", "unit=%s", "a layer is shown as 1 ms");
    vox_json_begin(&j, "traceEvents", "[\n");
    add_meta(&j, "process_name", ARENA, 0, ir_format(m->arena, "%s: arena", m->name));
    add_meta(&j, "process_name", OUTSIDE, 0, "inputs, outputs, prepared weights");
    add_meta(&j, "thread_name", ARENA, 0, "layers");
    for (int i = 0; i < m->n_layers; i++) {
        begin_slice(&j, ARENA, 0, i, i, cg_layer_name(m, i));
        vox_json_text(&j, "cat", "layer");
        vox_json_end(&j);
        add_live(&j, i, t.live[i]);
    }
    add_live(&j, m->n_layers, 0);
    add_buffers(&j, m->arena, &t, ARENA);
    add_buffers(&j, m->arena, &t, OUTSIDE);
    vox_json_end(&j);
    vox_json_end(&j);
    return cg_string(&s);
}
