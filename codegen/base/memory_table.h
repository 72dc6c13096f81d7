/* memory_table.h: what lies where and when, as the memory reports show it. */
#ifndef VOXC_CG_MEMORY_TABLE_H
#define VOXC_CG_MEMORY_TABLE_H

#include "model.h"

/* X(symbol, name in reports, how pictures name several of them) */
#define CG_MEMORY_KINDS(X)                                                                                   \
    X(VALUE, "value", "values")                                                                              \
    X(MEMBER, "member", "concat members")                                                                    \
    X(SCRATCH, "scratch", "scratch")                                                                         \
    X(INPUT, "input", "inputs")                                                                              \
    X(OUTPUT, "output", "outputs")                                                                           \
    X(PREPARED, "prepared", "prepared weights")
typedef enum cg_memory_kind {
#define X(sym, name, plural) CG_MEMORY_##sym,
    CG_MEMORY_KINDS(X)
#undef X
        CG_MEMORY_KIND_COUNT
} cg_memory_kind;

typedef struct cg_memory {
    cg_memory_kind kind;
    const char *name;
    const ir_tensor *tensor; /* NULL for scratch */
    const char *in;          /* of a member: the buffer that holds it; else NULL */
    int64_t offset; /* bytes into the arena, or of prepared weights into that buffer; -1: caller's memory */
    int64_t bytes;
    int first, last; /* layers that need it, both included */
} cg_memory;

typedef struct cg_memory_table {
    int count;
    cg_memory *list;     /* the arena's by buffer and offset, then inputs, outputs, prepared weights */
    int64_t *live;       /* per layer: bytes of the arena in use */
    int64_t lower_bound; /* the largest of them: no plan of this order of layers needs less */
} cg_memory_table;

extern const char *const cg_memory_kind_names[];
extern const char *const cg_memory_kind_plurals[];

/* Requires every weight to be registered. Lives in m->arena. */
cg_memory_table cg_memory_list(const cg_model *m);
bool cg_in_arena(const cg_memory *e);
const char *cg_layer_name(const cg_model *m, int layer);
/* "246.3 MiB", "1.5 KiB", "64 bytes" */
const char *cg_amount(ir_arena *arena, int64_t bytes);

/* The reports, as text in m->arena. */
const char *cg_memory_json(const cg_model *m);
const char *cg_memory_trace(const cg_model *m);
const char *cg_memory_svg(const cg_model *m);

#endif
