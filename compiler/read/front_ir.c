/* front_ir.c: see front_ir.h. What a graph in text form may break is its author's error,
 * not the compiler's. */
#include "front_ir.h"

#include "files.h"

#include <stdlib.h>
#include <string.h>

static const size_t MAX_TEXT = (size_t)64 << 20;

/* The number of the line that holds text[at]. */
static int line_at(const char *text, size_t at) {
    int line = 1;
    for (size_t i = 0; i < at; i++) line += text[i] == '\n';
    return line;
}

/* ---- where ----------------------------------------------------------------------------------- */

static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

/* The line that declares input or constant `name`; 0: none. */
static int line_of_declaration(const char *text, const char *name) {
    size_t n = strlen(name);
    for (const char *p = text; (p = strchr(p, '%')); p++) {
        bool declares =
            (p - text >= 6 && strncmp(p - 6, "input ", 6) == 0 && (p - text == 6 || p[-7] == '\n')) ||
            (p - text >= 6 && strncmp(p - 6, "const ", 6) == 0 && (p - text == 6 || p[-7] == '\n'));
        if (declares && strncmp(p + 1, name, n) == 0 && !is_name(p[1 + n]))
            return line_at(text, (size_t)(p - text));
    }
    return 0;
}

static const char *place_of_tensor(const ir_graph *g, const char *path, const char *text, const char *name) {
    const ir_tensor *t = ir_find_tensor(g, name);
    if (!t) return NULL;
    if (t->producer) return t->producer->source;
    int line = line_of_declaration(text, name);
    return line ? ir_format(g->arena, "%s:%d", path, line) : NULL;
}

static const char *place_of_node(const ir_graph *g, const char *name) {
    for (int i = 0; i < g->n_nodes; i++)
        if (strcmp(g->nodes[i]->name, name) == 0) return g->nodes[i]->source;
    return NULL;
}

/* The place of the first %tensor or 'node' that a message names; else the text's last line. */
static const char *place_of(const ir_graph *g, const char *path, const char *text, const char *message) {
    for (const char *p = message; *p; p++) {
        size_t n = 0;
        const char *place = NULL;
        while (*p == '%' && is_name(p[1 + n])) n++;
        if (n) place = place_of_tensor(g, path, text, ir_format(g->arena, "%.*s", (int)n, p + 1));
        const char *end = *p == '\'' ? strchr(p + 1, '\'') : NULL;
        if (end) place = place_of_node(g, ir_format(g->arena, "%.*s", (int)(end - p - 1), p + 1));
        if (place) return place;
    }
    size_t size = strlen(text);
    return ir_format(g->arena, "%s:%d", path,
                     line_at(text, size && text[size - 1] == '\n' ? size - 1 : size));
}

/* ---- reading --------------------------------------------------------------------------------- */

static ir_graph *parse_sound(const char *path, const char *text, ir_sound *sound, ir_diag *d) {
    ir_diag why = {0};
    ir_graph *g = ir_parse(text, path, NULL, NULL, d);
    if (!g || sound(g, &why)) return g;
    ir_fail(d, IR_EXIT_INPUT, "%s: this graph cannot be: %s", place_of(g, path, text, why.text), why.text);
    ir_graph_free(g);
    return NULL;
}

ir_graph *ir_load(const char *path, ir_sound *sound, ir_diag *d) {
    size_t n;
    char *text = file_read(path, MAX_TEXT, &n, d);
    if (!text) return NULL;
    ir_graph *g = NULL;
    size_t length = strlen(text);
    if (length < n)
        ir_fail(d, IR_EXIT_INPUT, "%s:%d: a NUL byte: this is no text", path, line_at(text, length));
    else
        g = parse_sound(path, text, sound, d);
    free(text);
    return g;
}
