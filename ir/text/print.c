/* print.c: a graph as text. The format is specified in IR.md; parse.c reads it back. */
#include "text.h"
#include "words.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* structure: leave out what passes decide and what constants hold, for ir_hash_graph. */
typedef struct printer {
    FILE *f;
    bool structure;
} printer;

/* ---- numbers and strings --------------------------------------------------------------------- */

static const double plain_below = 1e6; /* whole numbers up to here need no exponent: 100, not 1e+02 */

static char *special(double v, char *buf) {
    return strcpy(buf, isnan(v) ? "nan" : v > 0 ? "inf" : "-inf");
}

char *text_double(double v, char *buf) {
    if (!isfinite(v)) return special(v, buf);
    if (fabs(v) < plain_below && v == floor(v)) return snprintf(buf, 32, "%.0f", v), buf;
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(buf, 32, "%.*g", digits, v);
        if (strtod(buf, NULL) == v) break;
    }
    return buf;
}

char *text_float(float v, char *buf) {
    if (!isfinite(v) || (fabsf(v) < (float)plain_below && v == floorf(v))) return text_double((double)v, buf);
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(buf, 32, "%.*g", digits, (double)v);
        if (strtof(buf, NULL) == v) break;
    }
    return buf;
}

static void put_string(printer *p, const char *s) {
    uint32_t code;
    fputc('"', p->f);
    for (size_t n; *s; s += n) {
        bool plain = vox_char(s, &n, &code) == VOX_CHAR_PLAIN;
        if (*s == '"' || *s == '\\') fputc('\\', p->f);
        if (plain) fwrite(s, 1, n, p->f);
        for (size_t i = 0; !plain && i < n; i++) fprintf(p->f, "\\x%02x", (unsigned)(unsigned char)s[i]);
    }
    fputc('"', p->f);
}

static void put_type(printer *p, const ir_tensor *t) {
    char text[256];
    fputs(ir_type_text(t, text, sizeof text), p->f);
}

/* ---- constants ------------------------------------------------------------------------------- */

static void put_element(printer *p, const ir_tensor *t, int64_t i) {
    char text[32];
    if (t->dtype == IR_F32)
        fputs(text_float(((const float *)t->data)[i], text), p->f);
    else if (t->dtype == IR_F64)
        fputs(text_double(((const double *)t->data)[i], text), p->f);
    else
        fprintf(p->f, "%lld", (long long)ir_const_int(t, i));
}

/* All elements have the same bits, and a text that reads back as them. */
static bool is_splat(const ir_tensor *t, int64_t count) {
    size_t size = ir_dtype_bytes(t->dtype);
    const char *data = t->data;
    if (ir_dtype_is_float(t->dtype) && isnan(ir_const_float(t, 0))) return false;
    for (int64_t i = 1; i < count; i++)
        if (memcmp(data, data + (size_t)i * size, size)) return false;
    return true;
}

static void put_data(printer *p, const ir_tensor *t) {
    int64_t count = ir_count(t);
    if (!t->data && !t->hash) {
        fputs(" opaque", p->f);
    } else if (!t->data || (count > TEXT_INLINE && !is_splat(t, count))) {
        fprintf(p->f, " blob(0x%016llx)", (unsigned long long)t->hash);
    } else if (count > TEXT_INLINE) {
        fputs(" splat(", p->f);
        put_element(p, t, 0);
        fputc(')', p->f);
    } else {
        fputs(" {", p->f);
        for (int64_t i = 0; i < count; i++) {
            if (i) fputs(", ", p->f);
            put_element(p, t, i);
        }
        fputc('}', p->f);
    }
}

/* ---- nodes ----------------------------------------------------------------------------------- */

/* Sizes along axes read best as 3x3x3; a list with a negative value cannot. */
static bool reads_as_product(const ir_attr *a) {
    if (a->key != IR_KERNEL && a->key != IR_STRIDE && a->key != IR_DILATION && a->key != IR_OUTPUT_PAD &&
        a->key != IR_SIZE)
        return false;
    for (int i = 0; i < a->count; i++)
        if (a->i[i] < 0) return false;
    return a->count > 0;
}

static void put_attribute(printer *p, const ir_attr *a) {
    bool product = reads_as_product(a);
    ir_kind kind = ir_key_kind(a->key);
    bool list = !product && (kind == IR_KIND_INTS || kind == IR_KIND_FLOATS);
    char text[32];
    fprintf(p->f, " %s=", ir_key_name(a->key));
    if (kind == IR_KIND_WORD) {
        fputs(a->word, p->f);
        return;
    }
    if (list) fputc('[', p->f);
    for (int i = 0; i < a->count; i++) {
        if (i) fputc(product ? 'x' : ',', p->f);
        if (a->i)
            fprintf(p->f, "%lld", (long long)a->i[i]);
        else
            fputs(text_double(a->f[i], text), p->f);
    }
    if (list) fputc(']', p->f);
}

static void put_words(printer *p, const ir_plan_word *const *lists, const ir_node *n) {
    for (; !p->structure && *lists; lists++)
        for (const ir_plan_word *w = *lists; w->name; w++)
            if (w->put) w->put(p->f, n);
}

static void put_node(printer *p, const ir_node *n) {
    fprintf(p->f, "%%%s = %s(", n->out[0]->name, ir_op_get(n->op)->name);
    for (int i = 0; i < n->n_in; i++)
        fprintf(p->f, "%s%s%s", i ? ", " : "", n->in[i] ? "%" : "", n->in[i] ? n->in[i]->name : "_");
    fputc(')', p->f);
    for (int i = 0; i < n->n_attr; i++) put_attribute(p, &n->attr[i]);
    if (strcmp(n->name, n->out[0]->name)) {
        fputs(" name=", p->f);
        put_string(p, n->name);
    }
    put_words(p, ir_attribute_words, n);
    fputs(" -> ", p->f);
    put_type(p, n->out[0]);
    put_words(p, ir_place_words, n);
    fputc('\n', p->f);
}

/* ---- the graph ------------------------------------------------------------------------------- */

static void put_graph(printer *p, const ir_graph *g) {
    fprintf(p->f, "graph %s\n", g->name);
    if (g->arena_bytes >= 0 && !p->structure) fprintf(p->f, "arena %lld\n", (long long)g->arena_bytes);
    if (g->recompute && !p->structure) fputs("recompute\n", p->f);
    for (int i = 0; i < g->n_labels; i++) {
        fputs("label ", p->f);
        put_string(p, g->labels[i]);
        fputc('\n', p->f);
    }
    if (g->volume.present) text_volume(p->f, &g->volume.info);
    for (int i = 0; i < g->n_inputs; i++) {
        fprintf(p->f, "input %%%s ", g->inputs[i]->name);
        put_type(p, g->inputs[i]);
        fputc('\n', p->f);
    }
    for (int i = 0; i < g->n_tensors; i++) {
        const ir_tensor *t = g->tensors[i];
        if (t->role != IR_ROLE_CONST) continue;
        fprintf(p->f, "const %%%s ", t->name);
        put_type(p, t);
        if (!p->structure) put_data(p, t);
        fputc('\n', p->f);
    }
    for (int i = 0; i < g->n_nodes; i++) put_node(p, g->nodes[i]);
    for (int i = 0; i < g->n_outputs; i++) fprintf(p->f, "output %%%s\n", g->outputs[i]->name);
}

bool ir_print(const ir_graph *g, FILE *f) {
    put_graph(&(printer){f, false}, g);
    return !ferror(f);
}

/* The text in memory; *size without the final NUL. fclose() does not tell when its last reallocation failed:
 * the text is missing then. */
static char *print_memory(const ir_graph *g, bool structure, size_t *size) {
    char *text = NULL;
    FILE *f = open_memstream(&text, size);
    if (f) put_graph(&(printer){f, structure}, g);
    if (!f || ferror(f) || fclose(f) || !text) ir_no_memory("a graph's text");
    return text;
}

char *ir_print_string(const ir_graph *g) {
    size_t size;
    return print_memory(g, false, &size);
}

uint64_t ir_hash_graph(const ir_graph *g) {
    size_t size;
    char *text = print_memory(g, true, &size);
    uint64_t h = ir_hash(text, size);
    free(text);
    return h;
}
