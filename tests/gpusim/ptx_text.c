/* ptx_text.c: names, words and operands of PTX text. */
#include "ptx_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static size_t hash(const char *text) {
    size_t h = 14695981039346656037u;
    for (; *text; text++) h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

static ptx_name *place(const ptx_names *names, const char *text) {
    size_t i = hash(text) & (names->room - 1);
    while (names->entry[i].text && strcmp(names->entry[i].text, text) != 0) i = (i + 1) & (names->room - 1);
    return &names->entry[i];
}

static void enlarge(ptx_names *names) {
    ptx_names larger = {.room = names->room ? 2 * names->room : 256};
    larger.entry = sim_new(larger.room, sizeof *larger.entry);
    for (size_t i = 0; i < names->room; i++)
        if (names->entry[i].text) *place(&larger, names->entry[i].text) = names->entry[i];
    larger.count = names->count;
    free(names->entry);
    *names = larger;
}

ptx_name *ptx_add_name(ptx_names *names, ptx_name name) {
    if (2 * names->count >= names->room) enlarge(names);
    ptx_name *n = place(names, name.text);
    if (!n->text) names->count++;
    *n = name;
    return n;
}

ptx_name *ptx_get_name(const ptx_names *names, const char *text) {
    if (names->room == 0) return NULL;
    ptx_name *n = place(names, text);
    return n->text ? n : NULL;
}

void ptx_free_names(ptx_names *names) {
    free(names->entry);
    *names = (ptx_names){0};
}

char *ptx_skip_space(char *p) {
    while (isspace((unsigned char)*p)) p++;
    return p;
}

char *ptx_trim(char *text) {
    text = ptx_skip_space(text);
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) text[--n] = 0;
    return text;
}

int ptx_split(char *text, char **part, int most) {
    int n = 0, depth = 0;
    char *start = text;
    for (char *p = text;; p++) {
        if (*p == '{' || *p == '[' || *p == '(') depth++;
        if (*p == '}' || *p == ']' || *p == ')') depth--;
        if (*p != 0 && (*p != ',' || depth > 0)) continue;
        const bool last = *p == 0;
        *p = 0;
        start = ptx_trim(start);
        if (*start && n < most) part[n++] = start;
        if (last) return n;
        start = p + 1;
    }
}

void ptx_take_apart(char *text, ptx_statement *s) {
    char *p = ptx_skip_space(text);
    if (*p == '@') {
        s->negated = p[1] == '!';
        s->guard = p + 1 + s->negated;
        p = s->guard;
        while (*p && !isspace((unsigned char)*p)) p++;
        if (*p) *p++ = 0;
        p = ptx_skip_space(p);
    }
    s->opcode = p;
    while (*p && !isspace((unsigned char)*p)) p++;
    if (*p) *p++ = 0;
    s->operands = ptx_split(p, s->operand, PTX_OPERANDS);
}

int ptx_vector(char *text, char *part[4]) {
    if (*text != '{') {
        part[0] = text;
        return 1;
    }
    char *end = strrchr(text, '}');
    if (end) *end = 0;
    return ptx_split(text + 1, part, 4);
}

size_t ptx_aligned(size_t n, size_t align) {
    return (n + align - 1) / align * align;
}

char *ptx_declarator(char *text, size_t *bytes, size_t *align, int *element) {
    char *name = NULL;
    size_t count = 1;
    *element = 1;
    *align = 0;
    for (char *word = strtok(text, " \t\n\r"); word; word = strtok(NULL, " \t\n\r")) {
        if (strcmp(word, ".align") == 0) {
            const char *value = strtok(NULL, " \t\n\r");
            if (value) *align = strtoul(value, NULL, 10);
        } else if (*word == '.' && ptx_type_named(word + 1) != PTX_NONE) {
            *element = ptx_type_bytes(ptx_type_named(word + 1));
        } else if (*word != '.') {
            name = word;
        }
    }
    if (!name) return NULL;
    for (char *bracket = strchr(name, '['); bracket; bracket = strchr(bracket + 1, '[')) {
        count *= strtoul(bracket + 1, NULL, 0);
        *bracket = 0;
    }
    *bytes = count * (size_t)*element;
    if (*align == 0) *align = (size_t)*element;
    return name;
}

static const struct {
    const char *word;
    ptx_type type;
    int bytes;
} types[] = {
    {"u8", PTX_U8, 1},     {"s8", PTX_S8, 1},      {"b8", PTX_U8, 1},     {"u16", PTX_U16, 2},
    {"s16", PTX_S16, 2},   {"b16", PTX_U16, 2},    {"u32", PTX_U32, 4},   {"s32", PTX_S32, 4},
    {"b32", PTX_U32, 4},   {"u64", PTX_U64, 8},    {"s64", PTX_S64, 8},   {"b64", PTX_U64, 8},
    {"f16", PTX_F16, 2},   {"bf16", PTX_BF16, 2},  {"f32", PTX_F32, 4},   {"f64", PTX_F64, 8},
    {"f16x2", PTX_U32, 4}, {"bf16x2", PTX_U32, 4}, {"pred", PTX_PRED, 4},
};

ptx_type ptx_type_named(const char *word) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].word, word) == 0) return types[i].type;
    return PTX_NONE;
}

int ptx_type_bytes(ptx_type t) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].type == t) return types[i].bytes;
    return 0;
}
