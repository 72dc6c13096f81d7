/* cuda_tables.c: the tables of <m>_cuda.c that are not in another file of the target. */
#include "bundle_text.h"
#include "cuda.h"
#include "slots.h"

#include <inttypes.h>

const char *cu_texts(const cg_model *m, const cu_list *list) {
    cg_text s = {.arena = m->arena};
    for (int i = 0; i < list->count; i++) cg_add(&s, "%s%s", i ? "\n    " : "", list->text[i]);
    return list->count ? cg_string(&s) : "{0},";
}

const char *cu_layer_functions(const cu_model *u) {
    cg_text s = {.arena = u->m->arena};
    for (int i = 0; i < u->m->n_layers; i++)
        cg_add(&s, "%s%s,", i ? "\n    " : "",
               cu_needs_kernel(u->m->g, u->m->layers[i].node) ? u->m->layers[i].function : "nullptr");
    return cg_string(&s);
}

static void add_tensor_row(cg_text *s, const cu_model *u, const ir_tensor *t) {
    cg_add(s, "%s{", s->size ? "\n    " : "");
    cg_add_c_string(s, t->name);
    cg_add(s, ", %s, %d, %s, %" PRId64 ", %d, %s, %" PRId64 "u},", cu_store_name(t), t->rank,
           t->rank ? cg_list(s->arena, t->rank, t->dim) : "{0}", t->gpu.pitch, t->memory.ring,
           cu_place_text(u, t, 0), ir_bytes(t));
}

const char *cu_tensor_table(const cu_model *u) {
    cg_text s = {.arena = u->m->arena};
    for (int i = 0; i < u->n_tensors; i++) add_tensor_row(&s, u, u->tensors[i]);
    return u->n_tensors ? cg_string(&s) : "{0},";
}
