/* safetensors.c: reads weight files. Contract: safetensors.h. */
#include "safetensors.h"
#include "files.h"
#include "half.h"
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HEADER = 64 << 20, NAMED = 5 };

typedef enum element { F64, F32, F16, BF16, OTHER } element;
static const struct {
    const char *name;
    int bytes;
    element kind;
} dtypes[] = {{"F64", 8, F64},    {"F32", 4, F32},       {"F16", 2, F16},      {"BF16", 2, BF16},
              {"I64", 8, OTHER},  {"U64", 8, OTHER},     {"I32", 4, OTHER},    {"U32", 4, OTHER},
              {"I16", 2, OTHER},  {"U16", 2, OTHER},     {"I8", 1, OTHER},     {"U8", 1, OTHER},
              {"BOOL", 1, OTHER}, {"F8_E4M3", 1, OTHER}, {"F8_E5M2", 1, OTHER}};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

typedef struct tensor_entry {
    const char *name;
    int dtype; /* row of dtypes */
    int rank;
    int64_t dim[IR_MAX_RANK], begin, end;
    bool used;
} tensor_entry;

typedef struct safetensors_file {
    const char *name;
    ir_arena *arena;
    const char *data;
    int64_t bytes;
    int count;
    tensor_entry *entry; /* by begin */
    ir_diag *d;
} safetensors_file;

/* "F32[64, 32, 3, 3, 3]" */
static const char *shape_text(const char *type, int rank, const int64_t *dim, char *buf, size_t n) {
    size_t at = (size_t)snprintf(buf, n, "%s[", type);
    for (int i = 0; i < rank && at < n; i++)
        at += (size_t)snprintf(buf + at, n - at, "%s%lld", i ? ", " : "", (long long)dim[i]);
    if (at < n) snprintf(buf + at, n - at, "]");
    return buf;
}

static const char *entry_text(const tensor_entry *e, char *buf, size_t n) {
    return shape_text(dtypes[e->dtype].name, e->rank, e->dim, buf, n);
}

/* ---- the header */

static bool bad_entry(safetensors_file *w, const char *name, const char *what) {
    return ir_fail(w->d, IR_EXIT_INPUT, "%s: tensor %.200s: %s", w->name, name, what);
}

static bool read_dtype(safetensors_file *w, tensor_entry *e, const json_value *v) {
    for (int i = 0; v && v->kind == JSON_STRING && i < DTYPES; i++)
        if (!strcmp(dtypes[i].name, v->string)) {
            e->dtype = i;
            return true;
        }
    return ir_fail(w->d, IR_EXIT_UNSUPPORTED,
                   "%s: tensor %.200s: dtype %.40s is unknown; expected F32, F16, BF16 or F64", w->name,
                   e->name, v && v->kind == JSON_STRING ? v->string : "(missing)");
}

static bool read_shape(safetensors_file *w, tensor_entry *e, const json_value *v) {
    if (!v || v->kind != JSON_LIST || v->count > IR_MAX_RANK)
        return bad_entry(w, e->name, "shape must be a list of at most 8 sizes");
    for (int i = 0; i < v->count; i++) {
        if (!v->item[i].is_integer || v->item[i].integer < 0)
            return bad_entry(w, e->name, "shape holds something else than sizes");
        e->dim[i] = v->item[i].integer;
    }
    e->rank = v->count;
    return true;
}

static bool read_offsets(safetensors_file *w, tensor_entry *e, const json_value *v) {
    int64_t count;
    char shape[200];
    if (!v || v->kind != JSON_LIST || v->count != 2 || !v->item[0].is_integer || !v->item[1].is_integer)
        return bad_entry(w, e->name, "data_offsets must be two whole numbers");
    e->begin = v->item[0].integer;
    e->end = v->item[1].integer;
    if (e->begin < 0 || e->end < e->begin || e->end > w->bytes)
        return ir_fail(w->d, IR_EXIT_INPUT,
                       "%s: tensor %.200s lies at bytes %lld to %lld of the data, and the file holds %lld: "
                       "is it truncated?",
                       w->name, e->name, (long long)e->begin, (long long)e->end, (long long)w->bytes);
    if (!ir_shape_count(e->rank, e->dim, &count) || count > INT64_MAX / 8 ||
        count * dtypes[e->dtype].bytes != e->end - e->begin)
        return ir_fail(w->d, IR_EXIT_INPUT,
                       "%s: tensor %.200s: %s does not take the %lld bytes that data_offsets gives it",
                       w->name, e->name, entry_text(e, shape, sizeof shape), (long long)(e->end - e->begin));
    return true;
}

static int by_begin(const void *a, const void *b) {
    const tensor_entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* The format allows neither overlaps nor gaps. */
static bool check_layout(safetensors_file *w) {
    int64_t at = 0;
    qsort(w->entry, (size_t)w->count, sizeof *w->entry, by_begin);
    for (int i = 0; i < w->count; i++) {
        if (w->entry[i].begin != at)
            return bad_entry(w, w->entry[i].name,
                             w->entry[i].begin < at ? "its bytes overlap another tensor's"
                                                    : "bytes in front of it belong to no tensor");
        at = w->entry[i].end;
    }
    return at == w->bytes || ir_fail(w->d, IR_EXIT_INPUT, "%s: %lld bytes at the end belong to no tensor",
                                     w->name, (long long)(w->bytes - at));
}

static bool read_entries(safetensors_file *w, const json_value *root) {
    if (root->kind != JSON_OBJECT)
        return ir_fail(w->d, IR_EXIT_INPUT, "%s: the header must be a JSON object", w->name);
    w->entry = ir_alloc(w->arena, (size_t)root->count + 1, sizeof *w->entry);
    for (int i = 0; i < root->count; i++) {
        const json_value *v = &root->item[i];
        if (!strcmp(root->key[i], "__metadata__")) continue;
        tensor_entry *e = &w->entry[w->count++];
        e->name = root->key[i];
        if (v->kind != JSON_OBJECT) return bad_entry(w, e->name, "expected {dtype, shape, data_offsets}");
        if (!read_dtype(w, e, json_get(v, "dtype")) || !read_shape(w, e, json_get(v, "shape")) ||
            !read_offsets(w, e, json_get(v, "data_offsets")))
            return false;
    }
    return check_layout(w);
}

static bool read_header(safetensors_file *w, const char *bytes, size_t n) {
    uint64_t length = 0;
    if (n < 8)
        return ir_fail(w->d, IR_EXIT_INPUT,
                       "%s: %zu bytes are too few for a .safetensors file: empty or truncated", w->name, n);
    for (int i = 0; i < 8; i++) length |= (uint64_t)(unsigned char)bytes[i] << (8 * i);
    if (length > n - 8)
        return ir_fail(
            w->d, IR_EXIT_INPUT,
            "%s: its header claims %llu bytes and %zu follow: truncated, or not a .safetensors file", w->name,
            (unsigned long long)length, n - 8);
    if (length > MAX_HEADER)
        return ir_fail(w->d, IR_EXIT_INPUT,
                       "%s: its header claims %llu bytes, more than the %d that are read", w->name,
                       (unsigned long long)length, MAX_HEADER);
    w->data = bytes + 8 + length;
    w->bytes = (int64_t)(n - 8 - (size_t)length);
    const json_value *root = json_parse(w->arena, bytes + 8, (size_t)length, w->name, w->d);
    return root && read_entries(w, root);
}

/* ---- conversion to f32 */

static uint64_t little_endian(const unsigned char *p, int bytes) {
    uint64_t v = 0;
    for (int i = bytes; i-- > 0;) v = v << 8 | p[i];
    return v;
}

static float element_as_float(element kind, const unsigned char *p) {
    double wide;
    uint64_t bits;
    switch (kind) {
    case F64:
        bits = little_endian(p, 8);
        memcpy(&wide, &bits, sizeof wide);
        return (float)wide;
    case F32:
        return float_of_bits((uint32_t)little_endian(p, 4));
    case F16:
        return float_of_half((uint16_t)little_endian(p, 2));
    case BF16:
        return float_of_bfloat((uint16_t)little_endian(p, 2));
    case OTHER:
        break;
    }
    ir_die("convert: element kind %d", (int)kind);
}

static bool fill_tensor(safetensors_file *w, ir_graph *g, ir_tensor *t, const tensor_entry *e) {
    int64_t count = ir_count(t);
    float *data = ir_alloc(g->arena, (size_t)count, sizeof *data);
    const unsigned char *p = (const unsigned char *)w->data + e->begin;
    for (int64_t i = 0; i < count; i++, p += dtypes[e->dtype].bytes) {
        data[i] = element_as_float(dtypes[e->dtype].kind, p);
        if (!isfinite(data[i]))
            return ir_fail(w->d, IR_EXIT_INPUT,
                           "%s: tensor %s: element %lld is %s; a trained network has finite weights", w->name,
                           e->name, (long long)i, isnan(data[i]) ? "NaN" : "infinite (in 32 bits)");
    }
    t->data = data;
    t->hash = ir_hash(data, (size_t)count * sizeof *data);
    return true;
}

/* ---- matching names */

static tensor_entry *find_entry(const safetensors_file *w, const char *name) {
    for (int i = 0; i < w->count; i++)
        if (!strcmp(w->entry[i].name, name)) return &w->entry[i];
    return NULL;
}

/* Equal but for axes of size 1 at the end. */
static bool same_shape(const ir_tensor *t, const tensor_entry *e) {
    for (int i = 0; i < t->rank || i < e->rank; i++)
        if ((i < t->rank ? t->dim[i] : 1) != (i < e->rank ? e->dim[i] : 1)) return false;
    return true;
}

static bool lacks_data(const ir_tensor *t) {
    return t->role == IR_ROLE_CONST && !t->data;
}

static bool take_tensor(safetensors_file *w, ir_graph *g, ir_tensor *t) {
    char have[200], want[200];
    tensor_entry *e = find_entry(w, t->name);
    if (!e) return true; /* reported together */
    if (!same_shape(t, e))
        return ir_fail(w->d, IR_EXIT_INPUT, "%s: tensor %s is %s, and the network's is %s", w->name, e->name,
                       entry_text(e, have, sizeof have),
                       shape_text("F32", t->rank, t->dim, want, sizeof want));
    if (dtypes[e->dtype].kind == OTHER)
        return ir_fail(w->d, IR_EXIT_UNSUPPORTED,
                       "%s: tensor %s is %s; weights must be F32, F16, BF16 or F64", w->name, e->name,
                       entry_text(e, have, sizeof have));
    e->used = true;
    return fill_tensor(w, g, t, e);
}

/* ", "-separated names with shapes, at most NAMED of them. */
typedef struct name_list {
    int count;
    char text[700];
} name_list;

static void list_name(name_list *l, const char *name, const char *shape) {
    size_t at = strlen(l->text);
    if (l->count++ < NAMED)
        snprintf(l->text + at, sizeof l->text - at, "%s%.80s %.50s", at ? ", " : "", name, shape);
    else if (l->count == NAMED + 1)
        snprintf(l->text + at, sizeof l->text - at, ", ...");
}

static bool has_tail(const char *s, const char *tail, size_t *stem) {
    size_t n = strlen(s), k = strlen(tail);
    *stem = n < k ? 0 : n - k;
    return n > k && !strcmp(s + *stem, tail);
}

/* What a file of a norm layer holds besides what this graph reads (it may normalise with the tile's
 * statistics). */
static bool may_be_left(const ir_graph *g, const tensor_entry *e) {
    static const char *const tails[] = {".running_mean", ".running_var", ".num_batches_tracked"};
    size_t stem;
    for (int i = 0; i < 3; i++) {
        if (!has_tail(e->name, tails[i], &stem)) continue;
        char weight[300];
        snprintf(weight, sizeof weight, "%.*s.weight", (int)(stem < 280 ? stem : 280), e->name);
        return ir_find_tensor(g, weight) != NULL;
    }
    return false;
}

static bool report_unmatched(safetensors_file *w, const ir_graph *g) {
    name_list missing = {0}, extra = {0};
    char shape[200];
    for (int i = 0; i < g->n_tensors; i++) {
        const ir_tensor *t = g->tensors[i];
        if (lacks_data(t))
            list_name(&missing, t->name, shape_text("F32", t->rank, t->dim, shape, sizeof shape));
    }
    for (int i = 0; i < w->count; i++) {
        const tensor_entry *e = &w->entry[i];
        if (!e->used && !may_be_left(g, e)) list_name(&extra, e->name, entry_text(e, shape, sizeof shape));
    }
    if (!missing.count && !extra.count) return true;
    if (!extra.count)
        return ir_fail(w->d, IR_EXIT_INPUT, "%s: lacks %d tensor%s of the network: %s", w->name,
                       missing.count, missing.count == 1 ? "" : "s", missing.text);
    if (!missing.count)
        return ir_fail(w->d, IR_EXIT_INPUT, "%s: holds %d tensor%s that the network does not have: %s",
                       w->name, extra.count, extra.count == 1 ? "" : "s", extra.text);
    return ir_fail(w->d, IR_EXIT_INPUT,
                   "%s: lacks %d tensor%s of the network: %s; and holds %d that it does not have: %s",
                   w->name, missing.count, missing.count == 1 ? "" : "s", missing.text, extra.count,
                   extra.text);
}

bool weights_parse(ir_graph *g, const char *bytes, size_t n, const char *name, ir_diag *d) {
    safetensors_file w = {.name = name, .arena = ir_arena_new(), .d = d};
    bool ok = read_header(&w, bytes, n);
    for (int i = 0; ok && i < g->n_tensors; i++)
        if (lacks_data(g->tensors[i])) ok = take_tensor(&w, g, g->tensors[i]);
    ok = ok && report_unmatched(&w, g);
    ir_arena_free(w.arena);
    return ok;
}

bool weights_read(ir_graph *g, const char *path, ir_diag *d) {
    size_t n, max = sizeof(size_t) > 4 ? (size_t)1 << 36 : SIZE_MAX / 2;
    char *bytes = file_read(path, max, &n, d);
    bool ok = bytes && weights_parse(g, bytes, n, path, d);
    free(bytes);
    return ok;
}
