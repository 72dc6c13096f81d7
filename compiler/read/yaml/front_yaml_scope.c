/* front_yaml_scope.c: names of layers, and the $parameters of blocks. */
#include "front_yaml_build.h"

#include <ctype.h>
#include <string.h>

enum { MAX_HOPS = 64 };

/* A parameter's value: what the use gives (read in the caller's scope), else the block's default. */
static bool parameter(const yaml_scope *s, const char *name, yaml_value *v) {
    const yaml_item *given = yaml_find(s->args, name);
    if (given) {
        *v = (yaml_value){given, s->caller};
        return true;
    }
    const yaml_item *declared = yaml_find(yaml_find(s->block, "parameters"), name);
    if (!declared) return false;
    *v = (yaml_value){declared, s};
    return true;
}

bool yaml_resolve(yaml_build *b, yaml_value *v) {
    for (int hops = 0; v->item->kind == YAML_TEXT && !v->item->quoted && v->item->text[0] == '$'; hops++) {
        const yaml_item *at = v->item;
        if (!v->scope->block)
            return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d,
                             "%.60s is a parameter, and only the layers of a block have parameters",
                             at->text);
        if (hops == MAX_HOPS)
            return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "%.60s refers to itself", at->text);
        if (!parameter(v->scope, at->text + 1, v))
            return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d,
                             "block %s has no parameter %.60s; declare it under `parameters:`",
                             v->scope->block_name, at->text + 1);
    }
    return true;
}

bool yaml_check_name(yaml_build *b, const yaml_item *name) {
    const char *p = name->text;
    bool ok = name->kind == YAML_TEXT && (isalpha((unsigned char)*p) || *p == '_');
    for (; ok && *p; p++) ok = isalnum((unsigned char)*p) || *p == '_';
    if (ok && strlen(name->text) <= 60) return true;
    return yaml_fail(
        b->src, name, IR_EXIT_INPUT, b->d,
        "a name must be at most 60 letters, digits and _ and not begin with a digit, this is %.70s",
        yaml_kind_text(name));
}

static yaml_name *find_name(const yaml_build *b, const char *full) {
    for (int i = 0; i < b->n_names; i++)
        if (!strcmp(b->names[i].full, full)) return &b->names[i];
    return NULL;
}

bool yaml_name_is_free(yaml_build *b, const char *full, const yaml_item *at) {
    const yaml_name *old = find_name(b, full);
    if (!old) return true;
    return yaml_fail(b->src, at, IR_EXIT_INPUT, b->d, "%s is the name of another layer or input, in line %d",
                     full, old->at->line);
}

bool yaml_add_name(yaml_build *b, const char *full, const yaml_item *at, ir_tensor *t) {
    if (!yaml_name_is_free(b, full, at)) return false;
    if (b->n_names == b->cap_names) {
        int cap = b->cap_names ? 2 * b->cap_names : 64;
        yaml_name *more = ir_alloc(b->g->arena, (size_t)cap, sizeof *more);
        if (b->n_names) memcpy(more, b->names, (size_t)b->n_names * sizeof *more);
        b->names = more;
        b->cap_names = cap;
    }
    b->names[b->n_names++] = (yaml_name){full, at, t};
    return true;
}

ir_tensor *yaml_lookup(yaml_build *b, yaml_value v) {
    char hint[100];
    if (!yaml_resolve(b, &v)) return NULL;
    if (v.item->kind != YAML_TEXT) {
        yaml_fail(b->src, v.item, IR_EXIT_INPUT, b->d, "expected the name of a layer, this is %s",
                  yaml_kind_text(v.item));
        return NULL;
    }
    const yaml_name *n = find_name(b, ir_format(b->g->arena, "%s%s", v.scope->prefix, v.item->text));
    if (n) return n->tensor;
    size_t skip = strlen(v.scope->prefix);
    const char **near = ir_alloc(b->g->arena, (size_t)b->n_names + 1, sizeof *near);
    int count = 0;
    for (int i = 0; i < b->n_names; i++)
        if (!strncmp(b->names[i].full, v.scope->prefix, skip)) near[count++] = b->names[i].full + skip;
    yaml_did_you_mean(v.item->text, near, count, hint, sizeof hint);
    yaml_fail(b->src, v.item, IR_EXIT_INPUT, b->d, "no layer or input above is named %.60s%s", v.item->text,
              hint);
    return NULL;
}
