/* front_yaml_doc.c: libyaml's document as a tree with positions, and messages that point into the file. */
#include "front_yaml_doc.h"

#include "arguments.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { SHOWN_LINE = 160, MAX_NESTING = 64 };

/* ---- messages */

/* The line (from 1) of the text; its end in *end. */
static const char *find_line(const yaml_source *s, int line, const char **end) {
    const char *p = s->text, *stop = s->text + s->n;
    for (int i = 1; i < line && p < stop; i++) {
        const char *next = memchr(p, '\n', (size_t)(stop - p));
        p = next ? next + 1 : stop;
    }
    const char *e = memchr(p, '\n', (size_t)(stop - p));
    *end = e ? e : stop;
    if (*end > p && (*end)[-1] == '\r') --*end;
    return p;
}

/* "\n<source line>\n<spaces>^" into buf; "" where the line is too long to show. Columns count characters, so
 * bytes that continue a UTF-8 character take no room, and tabs stay tabs. */
static void point_at(const yaml_source *s, int line, int col, char *buf, size_t n) {
    const char *end, *p = find_line(s, line, &end);
    size_t len = (size_t)(end - p), at = 0;
    buf[0] = '\0';
    if (len > SHOWN_LINE || n < 2 * (size_t)SHOWN_LINE + 8) return;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)p[i] < 32 && p[i] != '\t') return; /* not text */
    at = (size_t)snprintf(buf, n, "\n%.*s\n", (int)len, p);
    int seen = 1;
    for (size_t i = 0; i < len && seen < col; i++) {
        if (((unsigned char)p[i] & 0xC0) == 0x80) continue;
        buf[at++] = p[i] == '\t' ? '\t' : ' ';
        seen++;
    }
    buf[at++] = '^';
    buf[at] = '\0';
}

static bool fail_at(const yaml_source *s, int line, int col, int code, ir_diag *d, const char *message) {
    char where[2 * SHOWN_LINE + 16];
    point_at(s, line, col, where, sizeof where);
    return ir_fail(d, code, "%s:%d:%d: %s%s", s->name, line, col, message, where);
}

bool yaml_fail(const yaml_source *s, const yaml_item *at, int code, ir_diag *d, const char *fmt, ...) {
    char message[1500];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    return fail_at(s, at->line, at->col, code, d, message);
}

/* ---- the tree */

static bool parser_failed(const yaml_source *s, const yaml_parser_t *p, ir_diag *d) {
    char message[400];
    const char *problem = p->problem ? p->problem : "not YAML";
    if (p->error == YAML_MEMORY_ERROR) return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory", s->name);
    if (p->error == YAML_READER_ERROR)
        return ir_fail(d, IR_EXIT_INPUT, "%s: byte %zu: %s; expected a YAML text in UTF-8", s->name,
                       p->problem_offset, problem);
    if (p->context)
        snprintf(message, sizeof message, "not YAML: %s (%s that began in line %zu)", problem, p->context,
                 p->context_mark.line + 1);
    else
        snprintf(message, sizeof message, "not YAML: %s", problem);
    return fail_at(s, (int)p->problem_mark.line + 1, (int)p->problem_mark.column + 1, IR_EXIT_INPUT, d,
                   message);
}

static void convert_item(const yaml_source *s, const yaml_node_t *from, yaml_item *all, yaml_item *to) {
    to->line = (int)from->start_mark.line + 1;
    to->col = (int)from->start_mark.column + 1;
    if (from->type == YAML_SCALAR_NODE) {
        to->kind = YAML_TEXT;
        to->text = ir_strdup(s->arena, (const char *)from->data.scalar.value);
        to->quoted = from->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    } else if (from->type == YAML_SEQUENCE_NODE) {
        const yaml_node_item_t *first = from->data.sequence.items.start;
        to->kind = YAML_LIST;
        to->count = (int)(from->data.sequence.items.top - first);
        to->item = ir_alloc(s->arena, (size_t)to->count + 1, sizeof *to->item);
        for (int i = 0; i < to->count; i++) to->item[i] = &all[first[i] - 1];
    } else {
        const yaml_node_pair_t *first = from->data.mapping.pairs.start;
        to->kind = YAML_MAP;
        to->count = (int)(from->data.mapping.pairs.top - first);
        to->key = ir_alloc(s->arena, (size_t)to->count + 1, sizeof *to->key);
        to->item = ir_alloc(s->arena, (size_t)to->count + 1, sizeof *to->item);
        for (int i = 0; i < to->count; i++) {
            to->key[i] = &all[first[i].key - 1];
            to->item[i] = &all[first[i].value - 1];
        }
    }
}

static int by_text_and_line(const void *a, const void *b) {
    const yaml_item *x = *(yaml_item *const *)a, *y = *(yaml_item *const *)b;
    int order = strcmp(x->text, y->text);
    return order ? order : (x->line > y->line) - (x->line < y->line);
}

static bool check_keys(const yaml_source *s, const yaml_item *map, ir_diag *d) {
    for (int i = 0; i < map->count; i++)
        if (map->key[i]->kind != YAML_TEXT)
            return yaml_fail(s, map->key[i], IR_EXIT_INPUT, d, "a key must be a name, this is %s",
                             yaml_kind_text(map->key[i]));
    yaml_item **sorted = ir_alloc(s->arena, (size_t)map->count + 1, sizeof *sorted);
    if (map->count) memcpy(sorted, map->key, (size_t)map->count * sizeof *sorted);
    qsort(sorted, (size_t)map->count, sizeof *sorted, by_text_and_line);
    for (int i = 1; i < map->count; i++)
        if (!strcmp(sorted[i - 1]->text, sorted[i]->text))
            return yaml_fail(s, sorted[i], IR_EXIT_INPUT, d, "%s stands here twice, first in line %d",
                             sorted[i]->text, sorted[i - 1]->line);
    return true;
}

static bool tree_from(yaml_source *s, yaml_document_t *doc, ir_diag *d) {
    int count = (int)(doc->nodes.top - doc->nodes.start);
    if (!count) return ir_fail(d, IR_EXIT_INPUT, "%s: empty; expected a network description", s->name);
    yaml_item *all = ir_alloc(s->arena, (size_t)count, sizeof *all);
    for (int i = 0; i < count; i++) {
        const yaml_node_t *from = &doc->nodes.start[i];
        convert_item(s, from, all, &all[i]);
        if (all[i].kind == YAML_TEXT && strlen(all[i].text) != from->data.scalar.length)
            return yaml_fail(s, &all[i], IR_EXIT_INPUT, d, "a zero byte (\"\\0\") can't be part of a text");
    }
    for (int i = 0; i < count; i++)
        if (all[i].kind == YAML_MAP && !check_keys(s, &all[i], d)) return false;
    s->root = &all[0];
    return true;
}

/* libyaml's time grows with the square of the nesting (200 kB of '[': two minutes), so that is bounded before
 * the tree is read. What is not YAML passes: yaml_read_tree says why. */
static bool nesting_is_sane(const yaml_source *s, ir_diag *d) {
    yaml_parser_t parser;
    yaml_event_t event;
    if (!yaml_parser_initialize(&parser)) return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory", s->name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)s->text, s->n);
    bool ok = true, more = true;
    for (int depth = 0; ok && more && yaml_parser_parse(&parser, &event);) {
        yaml_event_type_t type = event.type;
        depth += type == YAML_SEQUENCE_START_EVENT || type == YAML_MAPPING_START_EVENT;
        depth -= type == YAML_SEQUENCE_END_EVENT || type == YAML_MAPPING_END_EVENT;
        more = type != YAML_STREAM_END_EVENT;
        if (depth > MAX_NESTING)
            ok = fail_at(s, (int)event.start_mark.line + 1, (int)event.start_mark.column + 1, IR_EXIT_INPUT,
                         d, "lists and mappings are nested too deep here");
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return ok;
}

bool yaml_read_tree(yaml_source *s, ir_diag *d) {
    yaml_parser_t parser;
    yaml_document_t doc, more;
    if (!nesting_is_sane(s, d)) return false;
    if (!yaml_parser_initialize(&parser)) return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory", s->name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)s->text, s->n);
    bool ok = yaml_parser_load(&parser, &doc) ? true : parser_failed(s, &parser, d);
    if (ok) {
        ok = tree_from(s, &doc, d);
        yaml_document_delete(&doc);
    }
    if (ok) {
        ok = yaml_parser_load(&parser, &more) ? true : parser_failed(s, &parser, d);
        if (ok) {
            if (yaml_document_get_root_node(&more))
                ok = fail_at(s, (int)more.start_mark.line + 1, 1, IR_EXIT_INPUT, d,
                             "a second document begins here; expected one");
            yaml_document_delete(&more);
        }
    }
    yaml_parser_delete(&parser);
    return ok;
}

/* ---- reading it */

const yaml_item *yaml_find(const yaml_item *map, const char *key) {
    if (!map || map->kind != YAML_MAP) return NULL;
    for (int i = 0; i < map->count; i++)
        if (!strcmp(map->key[i]->text, key)) return map->item[i];
    return NULL;
}

const char *yaml_kind_text(const yaml_item *i) {
    if (i->kind == YAML_LIST) return "a list";
    if (i->kind == YAML_MAP) return "a mapping";
    return *i->text ? i->text : "nothing";
}

const char *yaml_did_you_mean(const char *word, const char *const *names, int count, char *buf, size_t n) {
    const char *near = vox_suggest(word, names, count);
    buf[0] = '\0';
    if (near) snprintf(buf, n, " (did you mean %s?)", near);
    return buf;
}

/* "a, b, c" */
static void list_names(const char *const *names, int count, char *buf, size_t n) {
    size_t at = 0;
    buf[0] = '\0';
    for (int i = 0; i < count && at < n; i++)
        at += (size_t)snprintf(buf + at, n - at, "%s%s", i ? ", " : "", names[i]);
}

bool yaml_only_keys(const yaml_source *s, const yaml_item *map, const char *what, const char *const *names,
                    int count, ir_diag *d) {
    char hint[100], all[400];
    for (int i = 0; i < map->count; i++) {
        int k = 0;
        while (k < count && strcmp(map->key[i]->text, names[k])) k++;
        if (k < count) continue;
        list_names(names, count, all, sizeof all);
        return yaml_fail(s, map->key[i], IR_EXIT_INPUT, d, "%s has no key %.60s%s; its keys are %s", what,
                         map->key[i]->text,
                         yaml_did_you_mean(map->key[i]->text, names, count, hint, sizeof hint),
                         count ? all : "none");
    }
    return true;
}

bool yaml_int(const yaml_source *s, const yaml_item *i, const char *what, int64_t low, int64_t high,
              int64_t *out, ir_diag *d) {
    char *end = NULL;
    errno = 0;
    long long v = i->kind == YAML_TEXT && !i->quoted ? strtoll(i->text, &end, 10) : 0;
    if (!end || end == i->text || *end)
        return yaml_fail(s, i, IR_EXIT_INPUT, d, "%s must be a whole number, this is %.60s", what,
                         yaml_kind_text(i));
    if (errno || v < low || v > high)
        return yaml_fail(s, i, IR_EXIT_INPUT, d, "%s must lie between %lld and %lld, this is %.60s", what,
                         (long long)low, (long long)high, i->text);
    *out = v;
    return true;
}

bool yaml_number(const yaml_source *s, const yaml_item *i, const char *what, double *out, ir_diag *d) {
    char *end = NULL;
    double v = i->kind == YAML_TEXT && !i->quoted ? strtod(i->text, &end) : 0;
    if (!end || end == i->text || *end || !isfinite(v))
        return yaml_fail(s, i, IR_EXIT_INPUT, d, "%s must be a finite number, this is %.60s", what,
                         yaml_kind_text(i));
    *out = v;
    return true;
}

bool yaml_choice(const yaml_source *s, const yaml_item *i, const char *what, const char *const *names,
                 int count, int *out, ir_diag *d) {
    char hint[100], all[300];
    for (int k = 0; i->kind == YAML_TEXT && k < count; k++)
        if (!strcmp(i->text, names[k])) {
            *out = k;
            return true;
        }
    list_names(names, count, all, sizeof all);
    hint[0] = '\0';
    if (i->kind == YAML_TEXT) yaml_did_you_mean(i->text, names, count, hint, sizeof hint);
    return yaml_fail(s, i, IR_EXIT_INPUT, d, "%s must be one of %s; this is %.60s%s", what, all,
                     yaml_kind_text(i), hint);
}
