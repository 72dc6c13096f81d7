/* cuda_weights.c: the weights as they lie on the device; see cuda.h. */
#include "bundle_text.h"
#include "cuda.h"
#include "integers.h"
#include "slots.h"

#include <inttypes.h>
#include <string.h>

static const char *const pack_names[] = {
    [CU_COPY] = "COPY",          [CU_VECTOR] = "VECTOR", [CU_FILTER] = "FILTER",
    [CU_SCATTER] = "SCATTER",    [CU_FIRST] = "FIRST",   [CU_NORM_SCALE] = "NORM_SCALE",
    [CU_NORM_BIAS] = "NORM_BIAS"};

cu_model cu_model_of(cg_model *m) {
    const cg_chains none = {.arena = m->arena};
    return (cu_model){.m = m, .weights_by_source = none, .tensors_by_address = none, .calls.by_text = none};
}

static int64_t element_bytes(const cu_weight *w) {
    if (w->pack == CU_COPY) return (int64_t)ir_dtype_bytes(w->source[0]->dtype);
    return w->store == IR_STORE_OWN ? 4 : 2;
}

static int64_t elements(const cu_weight *w) {
    if (w->pack == CU_COPY) return ir_count(w->source[0]);
    if (w->pack == CU_FILTER || w->pack == CU_SCATTER)
        return w->rows * (w->pack == CU_FILTER ? w->positions : 1) * w->pitch;
    return w->pack == CU_FIRST ? w->c * w->positions * w->pitch : w->pitch;
}

static bool same_weight(const cu_weight *a, const cu_weight *b) {
    return a->pack == b->pack && memcmp(a->source, b->source, sizeof a->source) == 0 &&
           a->store == b->store && a->k == b->k && a->c == b->c && a->depth == b->depth &&
           a->positions == b->positions && a->rows == b->rows && a->pitch == b->pitch && a->eps == b->eps;
}

int64_t cu_weights_bytes(const cu_model *u) {
    if (!u->n_weights) return 0;
    const cu_weight *last = &u->weights[u->n_weights - 1];
    return last->offset + ir_round_up(last->bytes, CU_ALIGN);
}

int cu_use_weight(cu_model *u, const cu_weight *want) {
    const uint64_t hash = cg_hash_address(want->source[0]);
    for (int i = cg_first(&u->weights_by_source, hash); i >= 0; i = cg_next(&u->weights_by_source, i))
        if (same_weight(&u->weights[i], want)) return i;
    if (u->n_weights == u->cap_weights) {
        cu_weight *more = ir_alloc(u->m->arena, (size_t)u->cap_weights * 2 + 64, sizeof *more);
        if (u->n_weights) memcpy(more, u->weights, (size_t)u->n_weights * sizeof *more);
        u->weights = more;
        u->cap_weights = u->cap_weights * 2 + 64;
    }
    cu_weight *w = &u->weights[u->n_weights];
    *w = *want;
    w->bytes = elements(w) * element_bytes(w);
    w->offset = cu_weights_bytes(u);
    cg_chain(&u->weights_by_source, hash);
    return u->n_weights++;
}

int cu_vector(cu_model *u, const ir_tensor *t, int64_t channels, int64_t pitch, ir_storage store) {
    return cu_use_weight(
        u, &(cu_weight){
               .pack = CU_VECTOR, .source = {t}, .c = t ? channels : 0, .pitch = pitch, .store = store});
}

static const char *store_text(const cu_weight *w) {
    return w->pack == CU_COPY ? cg_vox_store(w->source[0]->dtype, IR_STORE_OWN)
                              : cg_vox_store(IR_F32, w->store);
}

static void add_row(cg_text *s, const cu_model *u, const cu_weight *w) {
    const ir_tensor *t = w->source[0];
    cg_add(s, "%s{", s->size ? "\n    " : "");
    cg_add_c_string(s, t ? t->name : "zeros");
    cg_add(s, ", VOX_CUDA_PACK_%s, %s, %s, %" PRId64 "u, {", pack_names[w->pack],
           t ? cg_vox_dtype(t->dtype) : "VOX_F32", store_text(w), t ? ir_count(t) : 0);
    for (int k = 0; k < 4; k++)
        cg_add(s, "%s%" PRId64 "u", k ? ", " : "", w->source[k] ? cg_blob_offset(u->m, w->source[k]) : 0);
    cg_add(s,
           "}, %" PRId64 "u, %" PRId64 "u, %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
           ", %" PRId64 ", %s},",
           w->offset, w->bytes, w->k, w->c, w->depth, w->positions, w->rows, w->pitch,
           cg_double(s->arena, w->eps));
}

const char *cu_weight_table(const cu_model *u) {
    cg_text s = {.arena = u->m->arena};
    for (int i = 0; i < u->n_weights; i++) add_row(&s, u, &u->weights[i]);
    return u->n_weights ? cg_string(&s) : "{0},";
}
