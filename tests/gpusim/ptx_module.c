/* ptx_module.c: the outermost level of PTX text: variables and where kernels are. */
#include "ptx_text.h"

#include <stdlib.h>
#include <string.h>

/* Comments become spaces, so that places and line numbers stay. */
static void blank_comments(char *p) {
    while ((p = strchr(p, '/'))) {
        if (p[1] == '/') {
            while (*p && *p != '\n') *p++ = ' ';
        } else if (p[1] == '*') {
            for (; *p && !(p[0] == '*' && p[1] == '/' && p[-1] != '/'); p++)
                if (*p != '\n') *p = ' ';
            if (*p) p[0] = p[1] = ' ';
        } else {
            p++;
        }
    }
}

int ptx_line(const ptx_module *m, const char *place) {
    int line = 1;
    for (const char *p = m->pristine; p < m->pristine + (place - m->text); p++) line += *p == '\n';
    return line;
}

/* Behind the bracket that closes the one at p; a zero byte stands for an opening bracket that was cut off. */
static char *behind(char *p, char open, char close) {
    int depth = 0;
    for (; *p; p++) {
        if (*p == open) depth++;
        if (*p == close && --depth == 0) return p + 1;
    }
    return p;
}

static void add_param(ptx_kernel *k, char *text) {
    size_t bytes, align;
    int element;
    /* ".param .u64 .ptr .global .align 16 name": the alignment is the pointee's */
    char *pointer = strstr(text, ".ptr");
    if (pointer) {
        char *word = strstr(pointer, ".align");
        if (word) memset(word, ' ', strlen(".align"));
        char *digits = word ? ptx_skip_space(word) : NULL;
        while (digits && *digits >= '0' && *digits <= '9') *digits++ = ' ';
    }
    char *name = ptx_declarator(text, &bytes, &align, &element);
    if (!name || k->param_count == (int)(sizeof k->params / sizeof *k->params))
        sim_die("%s: its parameters", k->name);
    const size_t offset = ptx_aligned(k->param_bytes, align);
    k->params[k->param_count++] = (ptx_param){offset, bytes};
    k->param_bytes = offset + bytes;
    ptx_add_name(
        &k->module->names,
        (ptx_name){.text = name, .kind = PTX_ARGUMENT, .space = PTX_PARAM, .value = (int64_t)offset});
}

/* p: behind ".entry". Returns where its body ends. */
static char *add_kernel(ptx_module *m, char *p) {
    ptx_kernel *k = sim_new(1, sizeof *k);
    p = ptx_skip_space(p);
    k->name = p;
    k->module = m;
    k->max_threads = 1024;
    p += strcspn(p, "( \t\n{");
    char *const name_end = p;
    p = ptx_skip_space(p);
    if (*p == '(') {
        char *const end = behind(p, '(', ')');
        end[-1] = 0;
        char *part[64];
        const int n = ptx_split(p + 1, part, 64);
        for (int i = 0; i < n; i++) add_param(k, part[i]);
        p = end;
    }
    *name_end = 0;
    char *const body = strchr(p, '{');
    if (!body) sim_die("PTX line %d: a kernel without a body", ptx_line(m, k->name));
    *body = 0;
    const char *limit = strstr(p, ".maxntid");
    if (limit) {
        const char *q = limit + strlen(".maxntid");
        k->max_threads = 1;
        for (char *end; *q && (strtol(q, &end, 10), end != q); q = *end == ',' ? end + 1 : "")
            k->max_threads *= (int)strtol(q, NULL, 10);
    }
    *body = '{';
    char *const end = behind(body, '{', '}');
    end[-1] = 0;
    k->body = body + 1;
    m->kernels = sim_grow(m->kernels, (size_t)m->kernel_count + 1, sizeof *m->kernels);
    m->kernels[m->kernel_count++] = k;
    return end;
}

/* Initial values "{1, 2, 0f3F800000}" or one value. */
static void initialise(uint8_t *p, size_t bytes, int element, char *text) {
    text = ptx_trim(text);
    if (*text == '{') text++;
    for (size_t i = 0; *text && *text != '}' && (i + 1) * (size_t)element <= bytes; i++) {
        text = ptx_skip_space(text);
        const bool is_float =
            text[0] == '0' && (text[1] == 'f' || text[1] == 'F' || text[1] == 'd' || text[1] == 'D');
        char *end;
        const uint64_t v = is_float       ? strtoull(text + 2, &end, 16)
                           : *text == '-' ? (uint64_t)strtoll(text, &end, 0)
                                          : strtoull(text, &end, 0);
        if (end == text) sim_die("initial value \"%.40s\" of a PTX variable is not supported", text);
        memcpy(p + i * (size_t)element, &v, (size_t)element);
        text = ptx_skip_space(end);
        if (*text == ',') text++;
    }
}

/* text: a declaration without its semicolon. */
static void add_variable(ptx_module *m, char *text, ptx_space space) {
    char *values = strchr(text, '=');
    if (values) *values++ = 0;
    const bool external = strstr(text, ".extern") != NULL;
    size_t bytes, align;
    int element;
    char *name = ptx_declarator(text, &bytes, &align, &element);
    if (!name) return;
    ptx_name n = {.text = name, .kind = PTX_ADDRESS, .space = space, .size = bytes};
    if (space == PTX_SHARED) {
        n.value = external ? -1 : 0; /* a kernel lays these out */
    } else {
        uint8_t *p = sim_allocate(SIM_ANY_DEVICE, bytes);
        if (!p) sim_die("no device memory for the variable %s", name);
        sim_buffer_at(p)->constant = space == PTX_CONST;
        if (values) initialise(sim_bytes((uintptr_t)p), bytes, element, values);
        sim_mark_written(p, bytes);
        n.value = (int64_t)(uintptr_t)p;
        m->variables = sim_grow(m->variables, (size_t)m->variable_count + 1, sizeof *m->variables);
        m->variables[m->variable_count++] = p;
    }
    ptx_add_name(&m->names, n);
}

/* A declaration's first directives up to ';', '{' or '(': which kind it is. Returns behind it. */
static char *read_declaration(ptx_module *m, char *p) {
    char *const stop = p + strcspn(p, ";{(=");
    const char saved = *stop;
    if (saved == 0) return stop;
    *stop = 0;
    char *const entry = strstr(p, ".entry");
    const bool function = strstr(p, ".func") != NULL;
    const ptx_space space = strstr(p, ".shared") ? PTX_SHARED : strstr(p, ".const") ? PTX_CONST : PTX_GLOBAL;
    *stop = saved;
    if (entry) return add_kernel(m, entry + strlen(".entry"));
    if (function) { /* nvcc inlines what these kernels call; a call is refused where it is decoded */
        char *const body = p + strcspn(p, ";{");
        return *body == '{' ? behind(body, '{', '}') : body + 1;
    }
    char *const end = strchr(p, ';');
    if (!end) return p + strlen(p);
    *end = 0;
    add_variable(m, p, space);
    return end + 1;
}

ptx_module *ptx_open(const char *text) {
    ptx_module *m = sim_new(1, sizeof *m);
    m->text = strdup(text);
    if (!m->text) sim_die("the host has no memory left");
    blank_comments(m->text);
    m->pristine = strdup(m->text);
    if (!m->pristine) sim_die("the host has no memory left");
    for (char *p = ptx_skip_space(m->text); *p; p = ptx_skip_space(p)) {
        static const char *const lines[] = {".version", ".target", ".address_size", ".file", ".pragma"};
        bool line = *p != '.';
        for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
            line = line || strncmp(p, lines[i], strlen(lines[i])) == 0;
        if (line)
            p += strcspn(p, "\n");
        else
            p = read_declaration(m, p);
    }
    return m;
}

static void free_kernel(ptx_kernel *k) {
    for (int i = 0; i < k->table_count; i++) free(k->tables[i].targets);
    free(k->tables);
    for (int i = 0; i < k->text_count; i++) free(k->texts[i]);
    free(k->texts);
    free(k->constants);
    free(k->code);
    free(k);
}

void ptx_close(ptx_module *m) {
    for (int i = 0; i < m->variable_count; i++) sim_release(m->variables[i], false);
    for (int i = 0; i < m->kernel_count; i++) free_kernel(m->kernels[i]);
    ptx_free_names(&m->names);
    free(m->kernels);
    free(m->variables);
    free(m->text);
    free(m->pristine);
    free(m);
}

ptx_kernel *ptx_find(ptx_module *m, const char *name) {
    for (int i = 0; i < m->kernel_count; i++)
        if (strcmp(m->kernels[i]->name, name) == 0) return m->kernels[i];
    return NULL;
}

void *ptx_variable(ptx_module *m, const char *name) {
    const ptx_name *n = ptx_get_name(&m->names, name);
    return n && n->kind == PTX_ADDRESS && n->space != PTX_SHARED ? (void *)(uintptr_t)n->value : NULL;
}
