/* ptx_decode.c: from a kernel's text to ptx_insn. First all statements are taken apart and labels noted, then
 * each is decoded. */
#include "ptx_text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of the slots that ptx_run.c fills. */
static const char *const specials[] = {
    "%tid.x",           "%tid.y",       "%tid.z",
    "%ntid.x",          "%ntid.y",      "%ntid.z",
    "%ctaid.x",         "%ctaid.y",     "%ctaid.z",
    "%nctaid.x",        "%nctaid.y",    "%nctaid.z",
    "%laneid",          "%warpid",      "%nwarpid",
    "%lanemask_eq",     "%lanemask_le", "%lanemask_lt",
    "%lanemask_ge",     "%lanemask_gt", "%dynamic_smem_size",
    "%total_smem_size", "WARP_SZ",
};

void ptx_unknown(const ptx_decoder *d, const char *what) {
    const ptx_statement *s = d->now;
    sim_die("%s, PTX line %d: %s not supported: %s %s%s%s", d->kernel->name, s->line, what, s->opcode,
            s->operands > 0 ? s->operand[0] : "", s->operands > 1 ? ", " : "",
            s->operands > 1 ? s->operand[1] : "");
}

/* ---- operands ------------------------------------------------------------------------------------ */

static int take_slots(ptx_kernel *k, int n) {
    k->slots += n;
    return k->slots - n;
}

static int constant(ptx_kernel *k, bool wide, uint64_t value) {
    for (int i = 0; i < k->constant_count; i++)
        if (k->constants[i].wide == wide && k->constants[i].value == value) return k->constants[i].slot;
    k->constants = sim_grow(k->constants, (size_t)k->constant_count + 1, sizeof *k->constants);
    const int slot = take_slots(k, wide ? 2 : 1);
    k->constants[k->constant_count].slot = slot;
    k->constants[k->constant_count].wide = wide;
    k->constants[k->constant_count++].value = value;
    return slot;
}

static int slot_of(ptx_kernel *k, ptx_name *n) {
    if (n->value < 0) n->value = take_slots(k, n->bits == 64 ? 2 : 1);
    return (int)n->value;
}

/* False: not a number. */
static bool number(const char *text, uint64_t *v) {
    char *end;
    if (text[0] == '0' && strchr("fFdD", text[1]) && text[1]) {
        *v = strtoull(text + 2, &end, 16);
    } else if (*text == '-') {
        *v = (uint64_t)strtoll(text, &end, 0);
    } else if (isdigit((unsigned char)*text)) {
        *v = strtoull(text, &end, 0);
    } else {
        return false;
    }
    return *end == 0 || strcmp(end, "U") == 0;
}

static ptx_name *find_name(const ptx_decoder *d, const char *text) {
    ptx_name *n = ptx_get_name(&d->names, text);
    return n ? n : ptx_get_name(&d->kernel->module->names, text);
}

/* Shared variables of unknown size lie behind all others, where a launch's dynamic memory is. */
static int64_t address_of(const ptx_decoder *d, const ptx_name *n) {
    return n->space == PTX_SHARED && n->value < 0 ? (int64_t)d->kernel->shared_bytes : n->value;
}

int ptx_operand(ptx_decoder *d, const char *text, ptx_type type) {
    const bool wide = type != PTX_NONE && ptx_type_bytes(type) == 8;
    uint64_t v;
    if (type == PTX_NONE) return PTX_SPECIALS;
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (strcmp(text, specials[i]) == 0) return (int)i;
    if (number(text, &v))
        return constant(d->kernel, wide, type == PTX_PRED ? (v ? ~0u : 0) : wide ? v : (uint32_t)v);
    ptx_name *n = find_name(d, text);
    if (!n) ptx_unknown(d, "an operand");
    if (n->kind == PTX_REGISTER) return slot_of(d->kernel, n);
    return constant(d->kernel, wide, (uint64_t)address_of(d, n));
}

void ptx_register_bits(ptx_decoder *d, const char *text, int *bits) {
    const ptx_name *n = find_name(d, text);
    if (n && n->kind == PTX_REGISTER) *bits = n->bits;
}

int ptx_destination(ptx_decoder *d, const char *text, int *bits) {
    if (bits) *bits = 32;
    if (strcmp(text, "_") == 0) return -1;
    ptx_name *n = find_name(d, text);
    if (!n || n->kind != PTX_REGISTER) ptx_unknown(d, "a destination");
    if (bits) *bits = n->bits;
    return slot_of(d->kernel, n);
}

void ptx_pair(ptx_decoder *d, char *text, ptx_insn *in) {
    char *bar = strchr(text, '|');
    if (bar) *bar = 0;
    in->d[0] = ptx_destination(d, ptx_trim(text), NULL);
    in->d[1] = bar ? ptx_destination(d, ptx_trim(bar + 1), NULL) : -1;
}

/* ---- statements ---------------------------------------------------------------------------------- */

static void declare_registers(ptx_decoder *d, char *text) {
    char *type = strtok(text, " \t\n\r"); /* ".reg" */
    type = strtok(NULL, " \t\n\r");
    char *list = strtok(NULL, "");
    char *part[64];
    if (!type || !list) return;
    const ptx_type t = ptx_type_named(type + 1);
    const int bits = t == PTX_PRED ? 1 : 8 * ptx_type_bytes(t);
    const int n = ptx_split(list, part, 64);
    for (int i = 0; i < n; i++) {
        char *range = strchr(part[i], '<');
        if (!range) {
            ptx_add_name(&d->names,
                         (ptx_name){.text = part[i], .kind = PTX_REGISTER, .bits = bits, .value = -1});
            continue;
        }
        *range = 0;
        const long count = strtol(range + 1, NULL, 10);
        const size_t room = strlen(part[i]) + 12;
        char *texts = sim_new((size_t)count, room);
        d->kernel->texts = sim_grow(d->kernel->texts, (size_t)d->kernel->text_count + 1, sizeof(char *));
        d->kernel->texts[d->kernel->text_count++] = texts;
        for (long k = 0; k < count; k++) {
            char *name = texts + (size_t)k * room;
            snprintf(name, room, "%s%ld", part[i], k);
            ptx_add_name(&d->names,
                         (ptx_name){.text = name, .kind = PTX_REGISTER, .bits = bits, .value = -1});
        }
    }
}

static void declare_memory(ptx_decoder *d, char *text, ptx_space space) {
    ptx_kernel *k = d->kernel;
    size_t bytes, align;
    int element;
    char *name = ptx_declarator(text, &bytes, &align, &element);
    if (!name) return;
    size_t *used = space == PTX_SHARED ? &k->shared_bytes : &k->local_bytes;
    *used = ptx_aligned(*used, align);
    ptx_add_name(
        &d->names,
        (ptx_name){
            .text = name, .kind = PTX_ADDRESS, .space = space, .value = (int64_t)*used, .size = bytes});
    *used += bytes;
}

/* ".branchtargets a, b" or ".branchtargets" behind a label: the labels are looked up once all are known. */
static void add_targets(ptx_decoder *d, const char *label, char *text) {
    ptx_kernel *k = d->kernel;
    char *part[256];
    const int n = ptx_split(text + strlen(".branchtargets"), part, 256);
    k->tables = sim_grow(k->tables, (size_t)k->table_count + 1, sizeof *k->tables);
    k->tables[k->table_count] = (ptx_table){.count = n, .targets = sim_new((size_t)n, sizeof(int))};
    k->table_names = sim_grow(k->table_names, (size_t)k->table_count + 1, sizeof *k->table_names);
    k->table_names[k->table_count] = sim_new((size_t)n, sizeof(char *));
    memcpy(k->table_names[k->table_count], part, (size_t)n * sizeof(char *));
    ptx_add_name(&d->names, (ptx_name){.text = label, .kind = PTX_LIST, .value = k->table_count++});
}

static void directive(ptx_decoder *d, const char *label, char *text) {
    if (strncmp(text, ".reg", 4) == 0) {
        declare_registers(d, text);
    } else if (strncmp(text, ".shared", 7) == 0) {
        declare_memory(d, text + 7, PTX_SHARED);
    } else if (strncmp(text, ".local", 6) == 0) {
        declare_memory(d, text + 6, PTX_LOCAL);
    } else if (strncmp(text, ".branchtargets", 14) == 0) {
        add_targets(d, label, text);
    }
}

static void add_statement(ptx_decoder *d, char *text, int line) {
    if (d->count == d->room) {
        d->room = d->room ? 2 * d->room : 256;
        d->statement = sim_grow(d->statement, (size_t)d->room, sizeof *d->statement);
    }
    ptx_statement *s = &d->statement[d->count++];
    *s = (ptx_statement){.line = line};
    ptx_take_apart(text, s);
}

/* The end of a label ("name:") at p, or NULL. */
static char *label_end(char *p) {
    char *q = p;
    while (isalnum((unsigned char)*q) || *q == '_' || *q == '$' || *q == '%') q++;
    return q > p && *q == ':' ? q : NULL;
}

static void read_body(ptx_decoder *d, char *p) {
    const ptx_module *m = d->kernel->module;
    const char *counted = p;
    int line = ptx_line(m, p);
    const char *label = "";
    while (*(p = ptx_skip_space(p))) {
        char *colon;
        if (*p == '{' || *p == '}') {
            p++;
            continue;
        }
        if (strncmp(p, ".loc", 4) == 0 && isspace((unsigned char)p[4])) { /* of -lineinfo */
            p += strcspn(p, "\n");
            continue;
        }
        if ((colon = label_end(p))) {
            *colon = 0;
            label = p;
            ptx_add_name(&d->names, (ptx_name){.text = p, .kind = PTX_LABEL, .value = d->count});
            p = colon + 1;
            continue;
        }
        for (; counted < p; counted++) line += m->pristine[counted - m->text] == '\n';
        char *const end = p + strcspn(p, ";");
        char *const next = *end ? end + 1 : end;
        *end = 0;
        if (*p == '.')
            directive(d, label, p);
        else
            add_statement(d, p, line);
        p = next;
    }
}

/* ---- instructions -------------------------------------------------------------------------------- */

static void decode_simple(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    static const char *const dropped[] = {"rn", "ftz", "approx", "full", "uni", "noftz"};
    char name[64] = "";
    ptx_type types[5];
    for (int i = 0; i < words; i++) {
        bool drop = false;
        for (size_t k = 0; i > 0 && k < sizeof dropped / sizeof *dropped; k++)
            drop = drop || strcmp(word[i], dropped[k]) == 0;
        if (drop || strlen(name) + strlen(word[i]) + 2 > sizeof name) continue;
        if (i > 0) strcat(name, ".");
        strcat(name, word[i]);
    }
    in->run = ptx_simple_op(name, types);
    if (!in->run || d->now->operands < 1) ptx_unknown(d, "an instruction");
    in->d[0] = ptx_destination(d, d->now->operand[0], NULL);
    int *const slots[4] = {&in->a, &in->b, &in->c, &in->e};
    for (int i = 0; i < 4; i++) {
        if (types[i + 1] == PTX_NONE) continue;
        if (d->now->operands < i + 2) ptx_unknown(d, "an instruction");
        *slots[i] = ptx_operand(d, d->now->operand[i + 1], types[i + 1]);
    }
}

static bool decode_control(ptx_decoder *d, ptx_insn *in, char **word) {
    const ptx_statement *s = d->now;
    if (strcmp(word[0], "bra") == 0) {
        const ptx_name *n = s->operands == 1 ? ptx_get_name(&d->names, s->operand[0]) : NULL;
        if (!n || n->kind != PTX_LABEL) ptx_unknown(d, "a branch");
        in->flow = PTX_BRANCH;
        in->target = (int)n->value;
    } else if (strcmp(word[0], "brx") == 0) {
        const ptx_name *n = s->operands == 2 ? ptx_get_name(&d->names, s->operand[1]) : NULL;
        if (!n || n->kind != PTX_LIST) ptx_unknown(d, "a branch");
        in->flow = PTX_INDEXED;
        in->a = ptx_operand(d, s->operand[0], PTX_U32);
        in->target = (int)n->value;
    } else if (strcmp(word[0], "ret") == 0 || strcmp(word[0], "exit") == 0) {
        in->flow = PTX_EXIT;
    } else if (strcmp(word[0], "trap") == 0 || strcmp(word[0], "brkpt") == 0) {
        in->flow = PTX_TRAP;
    } else {
        return false;
    }
    return true;
}

static void decode(ptx_decoder *d, const ptx_statement *s, ptx_insn *in) {
    char text[96], *word[PTX_WORDS];
    int words = 0;
    d->now = s;
    if (strlen(s->opcode) >= sizeof text) ptx_unknown(d, "an instruction");
    strcpy(text, s->opcode);
    for (char *w = strtok(text, "."); w && words < PTX_WORDS; w = strtok(NULL, ".")) word[words++] = w;
    *in = (ptx_insn){.run = ptx_nothing,
                     .predicate = -1,
                     .d = {-1, -1, -1, -1},
                     .line = s->line,
                     .text = s->opcode,
                     .a = PTX_SPECIALS,
                     .b = PTX_SPECIALS,
                     .c = PTX_SPECIALS,
                     .e = PTX_SPECIALS,
                     .vector = 1};
    if (s->guard) in->predicate = ptx_operand(d, s->guard, PTX_PRED);
    in->negated = s->negated;
    if (decode_control(d, in, word) || ptx_decode_memory(d, in, word, words) ||
        ptx_decode_sync(d, in, word, words) || ptx_decode_value(d, in, word, words))
        return;
    decode_simple(d, in, word, words);
}

static void resolve_tables(ptx_decoder *d) {
    ptx_kernel *k = d->kernel;
    for (int i = 0; i < k->table_count; i++) {
        for (int t = 0; t < k->tables[i].count; t++) {
            const ptx_name *n = ptx_get_name(&d->names, k->table_names[i][t]);
            if (!n || n->kind != PTX_LABEL)
                sim_die("%s: branch target %s is no label", k->name, k->table_names[i][t]);
            k->tables[i].targets[t] = (int)n->value;
        }
        free(k->table_names[i]);
    }
    free(k->table_names);
    k->table_names = NULL;
}

/* Shared variables declared outside kernels get their place in each kernel that names them. */
static void place_shared(ptx_decoder *d, const char *operand) {
    ptx_kernel *k = d->kernel;
    char name[256];
    operand += *operand == '[';
    const size_t n = strcspn(operand, "]+ \t");
    if (n >= sizeof name) return;
    memcpy(name, operand, n);
    name[n] = 0;
    const ptx_name *outer = ptx_get_name(&k->module->names, name);
    if (!outer || outer->space != PTX_SHARED || outer->value < 0 || ptx_get_name(&d->names, name)) return;
    ptx_name here = *outer;
    here.value = (int64_t)ptx_aligned(k->shared_bytes, 16);
    k->shared_bytes = (size_t)here.value + outer->size;
    ptx_add_name(&d->names, here);
}

void ptx_prepare(ptx_kernel *k) {
    if (k->decoded) return;
    ptx_decoder d = {.kernel = k};
    k->slots = PTX_SPECIALS + 2;
    read_body(&d, k->body);
    resolve_tables(&d);
    for (int i = 0; i < d.count; i++)
        for (int o = 0; o < d.statement[i].operands; o++) place_shared(&d, d.statement[i].operand[o]);
    k->shared_bytes = ptx_aligned(k->shared_bytes, 16);
    k->code = sim_new((size_t)d.count + 1, sizeof *k->code);
    int accesses = 0;
    for (int i = 0; i < d.count; i++) {
        decode(&d, &d.statement[i], &k->code[i]);
        k->code[i].bytes = (unsigned)ptx_type_bytes((ptx_type)k->code[i].type);
        if (k->code[i].run == ptx_load || k->code[i].run == ptx_store || k->code[i].run == ptx_atomic)
            k->code[i].cache = accesses++ % PTX_CACHE;
    }
    k->code[d.count] = (ptx_insn){.run = ptx_nothing, .flow = PTX_EXIT, .predicate = -1, .text = "end"};
    k->count = d.count + 1;
    k->decoded = true;
    free(d.statement);
    ptx_free_names(&d.names);
}
