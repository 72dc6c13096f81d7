/* text.c: a graph's text with constants as rules instead of hashes. */
#include "fuzz_graphs.h"

#include <stdlib.h>
#include <string.h>

void specs_add(fuzz_specs *s, const char *name, const char *data) {
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? 2 * s->capacity : 64;
        fuzz_spec *longer = ir_alloc(s->arena, (size_t)s->capacity, sizeof *longer);
        if (s->count) memcpy(longer, s->list, (size_t)s->count * sizeof *longer);
        s->list = longer;
    }
    s->list[s->count++] = (fuzz_spec){ir_strdup(s->arena, name), ir_strdup(s->arena, data)};
}

const char *specs_find(const fuzz_specs *s, const char *name) {
    for (int i = s->count - 1; i >= 0; i--)
        if (strcmp(s->list[i].name, name) == 0) return s->list[i].data;
    return NULL;
}

/* The name and the data of the statement at `line`; false: it is no constant's. */
static bool split_const(const char *line, char name[64], const char **data) {
    int end = 0;
    if (sscanf(line, "const %%%63[^ ] %n", name, &end) != 1 || !end) return false;
    const char *type = line + end, *close = strchr(type, ']');
    if (!close || close[1] != ' ') return false;
    *data = close + 2;
    return true;
}

void specs_read(fuzz_specs *s, const char *text) {
    for (const char *line = text; *line;) {
        char name[64];
        const char *data, *end = line + strcspn(line, "\n");
        if (split_const(line, name, &data))
            specs_add(s, name, ir_format(s->arena, "%.*s", (int)(end - data), data));
        line = *end ? end + 1 : end;
    }
}

char *fuzz_print(const ir_graph *g, const fuzz_specs *s) {
    char *plain = ir_print_string(g), *text;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    for (const char *line = plain; *line;) {
        char name[64];
        const char *data, *end = line + strcspn(line, "\n") + 1;
        if (!split_const(line, name, &data)) {
            fwrite(line, 1, (size_t)(end - line), f);
        } else if (ir_count_uses(g, ir_find_tensor(g, name))) {
            const char *spec = specs_find(s, name);
            if (!spec) ir_die("constant %s has no data", name);
            fprintf(f, "%.*s%s\n", (int)(data - line), line, spec);
        }
        line = end;
    }
    fclose(f);
    free(plain);
    return text;
}
