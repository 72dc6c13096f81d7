/* memory_json.c: the memory plan as JSON, and as a trace that Perfetto and chrome://tracing open. */
#include "memory_table.h"

#include <inttypes.h>

/* ---- memory.json ----------------------------------------------------------------------------- */

static void add_type(cg_text *s, const ir_tensor *t) {
    cg_add(s, ", \"dtype\": \"%s\", \"shape\": [",
           t->storage ? ir_storage_name(t->storage) : ir_dtype_name(t->dtype));
    for (int i = 0; i < t->rank; i++) cg_add(s, "%s%" PRId64, i ? ", " : "", t->dim[i]);
    cg_add_string(s, "]");
}

static void add_name(cg_text *s, const char *key, const char *name) {
    cg_add(s, ", \"%s\": ", key);
    cg_add_json(s, name);
}

static void add_entry(cg_text *s, const cg_model *m, const cg_memory *e) {
    cg_add(s, "    {\"kind\": \"%s\"", cg_memory_kind_names[e->kind]);
    add_name(s, "name", e->name);
    if (e->in) add_name(s, "in", e->in);
    if (e->tensor) add_type(s, e->tensor);
    if (e->offset >= 0) cg_add(s, ", \"offset\": %" PRId64, e->offset);
    cg_add(s, ", \"bytes\": %" PRId64 ", \"first\": %d, \"last\": %d", e->bytes, e->first, e->last);
    add_name(s, "first_layer", cg_layer_name(m, e->first));
    add_name(s, "last_layer", cg_layer_name(m, e->last));
    cg_add_string(s, "}");
}

static void add_peak(cg_text *s, const cg_model *m, const cg_memory_table *t) {
    const char *gap = "";
    cg_add_string(s, "  \"peak_layers\": [");
    for (int i = 0; i < m->n_layers; i++) {
        if (t->live[i] != t->lower_bound) continue;
        cg_add_string(s, gap);
        cg_add_json(s, cg_layer_name(m, i));
        gap = ", ";
    }
    cg_add_string(s, "],\n");
}

const char *cg_memory_json(const cg_model *m) {
    cg_memory_table t = cg_memory_list(m);
    cg_text s = {.arena = m->arena};
    cg_add(&s, "{\n  \"model\": \"%s\",\n  \"arena_bytes\": %" PRId64 ",\n  \"lower_bound_bytes\": %" PRId64,
           m->name, m->g->arena_bytes, t.lower_bound);
    cg_add(&s, ",\n  \"prepared_bytes\": %" PRId64 ",\n", m->prepared_bytes);
    add_peak(&s, m, &t);
    cg_add_string(&s, "  \"layers\": [");
    for (int i = 0; i < m->n_layers; i++) {
        cg_add(&s, "%s    {\"name\": ", i ? ",\n" : "\n");
        cg_add_json(&s, cg_layer_name(m, i));
        cg_add(&s, ", \"live_bytes\": %" PRId64 "}", t.live[i]);
    }
    cg_add_string(&s, "\n  ],\n  \"buffers\": [");
    for (int i = 0; i < t.count; i++) {
        cg_add_string(&s, i ? ",\n" : "\n");
        add_entry(&s, m, &t.list[i]);
    }
    cg_add_string(&s, "\n  ]\n}\n");
    return cg_string(&s);
}

/* ---- trace ----------------------------------------------------------------------------------- */

enum { MICROSECONDS = 1000 /* that a layer seems to take */, ARENA = 1, OUTSIDE = 2 /* process numbers */ };

static void add_meta(cg_text *s, const char *what, int process, int thread, const char *name) {
    cg_add(s,
           ",\n  {\"ph\": \"M\", \"pid\": %d, \"tid\": %d, \"name\": \"%s\", \"args\": {\"name\": ", process,
           thread, what);
    cg_add_json(s, name);
    cg_add_string(s, "}}");
}

static void begin_slice(cg_text *s, int process, int thread, int first, int last, const char *name) {
    cg_add(s, ",\n  {\"ph\": \"X\", \"pid\": %d, \"tid\": %d, \"ts\": %d, \"dur\": %d", process, thread,
           first * MICROSECONDS, (last + 1 - first) * MICROSECONDS);
    add_name(s, "name", name);
}

static void add_buffer_slice(cg_text *s, const cg_memory *e, int process, int lane) {
    char type[256];
    begin_slice(s, process, lane, e->first, e->last, e->name);
    cg_add(s, ", \"cat\": \"%s\", \"args\": {\"bytes\": %" PRId64, cg_memory_kind_names[e->kind], e->bytes);
    if (e->offset >= 0) cg_add(s, ", \"offset\": %" PRId64, e->offset);
    if (e->tensor) cg_add(s, ", \"type\": \"%s\"", ir_type_text(e->tensor, type, sizeof type));
    if (e->in) add_name(s, "in", e->in);
    cg_add_string(s, "}}");
}

/* Slices of one track may not overlap, so each goes to the first track that is free again. */
static void add_buffers(cg_text *s, const cg_memory_table *t, int process) {
    int *busy = ir_alloc(s->arena, (size_t)t->count + 1, sizeof *busy), lanes = 1;
    for (int i = 0; i < t->count; i++) {
        const cg_memory *e = &t->list[i];
        if (cg_in_arena(e) != (process == ARENA) || e->last < e->first) continue;
        int lane = 1;
        while (lane < lanes && busy[lane] > e->first) lane++;
        if (lane == lanes) {
            add_meta(s, "thread_name", process, lane, "buffers");
            lanes++;
        }
        busy[lane] = e->last + 1;
        add_buffer_slice(s, e, process, lane);
    }
}

static void add_live(cg_text *s, int layer, int64_t bytes) {
    cg_add(s,
           ",\n  {\"ph\": \"C\", \"pid\": %d, \"ts\": %d, \"name\": \"live bytes\", \"args\": {\"bytes\": "
           "%" PRId64 "}}",
           ARENA, layer * MICROSECONDS, bytes);
}

const char *cg_memory_trace(const cg_model *m) {
    cg_memory_table t = cg_memory_list(m);
    cg_text s = {.arena = m->arena};
    cg_add(&s,
           "{\"displayTimeUnit\": \"ms\", \"otherData\": {\"unit\": \"a layer is shown as 1 ms\"}, "
           "\"traceEvents\": [\n"
           "  {\"ph\": \"M\", \"pid\": %d, \"tid\": 0, \"name\": \"process_name\", \"args\": {\"name\": "
           "\"%s: arena\"}}",
           ARENA, m->name);
    add_meta(&s, "process_name", OUTSIDE, 0, "inputs, outputs, prepared weights");
    add_meta(&s, "thread_name", ARENA, 0, "layers");
    for (int i = 0; i < m->n_layers; i++) {
        begin_slice(&s, ARENA, 0, i, i, cg_layer_name(m, i));
        add_name(&s, "cat", "layer");
        cg_add_string(&s, "}");
        add_live(&s, i, t.live[i]);
    }
    add_live(&s, m->n_layers, 0);
    add_buffers(&s, &t, ARENA);
    add_buffers(&s, &t, OUTSIDE);
    cg_add_string(&s, "\n]}\n");
    return cg_string(&s);
}
