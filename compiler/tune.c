#include "tune.h"

#include "bundle.h"
#include "files.h"
#include "json.h"
#include "process.h"
#include "verbs.h"
#include "way.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t MAX_JSON = (size_t)16 << 20;

typedef struct trial {
    const options *o;
    ir_graph *g;
    const char *temp;
    ir_arena *arena;
    int count; /* convolutions */
    ir_tuned *tuned;
    double *best; /* milliseconds of each; INFINITY: none yet */
    int n_tries;
    cg_choice tries[CG_WAYS * CG_MOST_TRIES]; /* batches not set */
} trial;

static void list_tries(trial *t) {
    for (int i = 0; i < CG_WAYS; i++)
        for (int k = 0; k < cg_ways[i]->n_tries; k++) {
            cg_choice *c = &t->tries[t->n_tries++];
            *c = (cg_choice){.way = cg_ways[i]};
            memcpy(c->tile, cg_ways[i]->tries[k], sizeof c->tile);
        }
}

static void set_entry(ir_tuned *entry, const cg_choice *c) {
    entry->way = c->way->tuned;
    memcpy(entry->tile, c->tile, sizeof entry->tile);
}

static ir_tuned *entry_of(const trial *t, const char *layer) {
    for (int i = 0; i < t->count; i++)
        if (strcmp(t->tuned[i].layer, layer) == 0) return &t->tuned[i];
    return NULL;
}

/* Lists the convolutions under the names that they have in the end, each with the cost model's choice. */
static bool list_layers(trial *t, ir_diag *d) {
    ir_graph *copy = ir_copy(t->g);
    pass_report reports[MAX_PASSES];
    int passes;
    bool ok = pipeline_run(copy, &(pipeline_options){0}, reports, &passes, d);
    t->tuned = ir_alloc(t->g->arena, (size_t)copy->n_nodes + 1, sizeof *t->tuned);
    t->best = ir_alloc(t->arena, (size_t)copy->n_nodes + 1, sizeof *t->best);
    for (int i = 0; ok && i < copy->n_nodes; i++) {
        const ir_node *n = copy->nodes[i];
        if (n->op != IR_OP_CONV) continue;
        t->best[t->count] = INFINITY;
        ir_tuned *entry = &t->tuned[t->count++];
        const cg_choice c = cg_choice_of(n);
        entry->layer = ir_strdup(t->g->arena, n->out[0]->name);
        set_entry(entry, &c);
    }
    ir_graph_free(copy);
    return ok;
}

/* Every conv is to be computed that way, where it can be. */
static void force(const trial *t, ir_graph *copy, const cg_choice *c) {
    ir_tuned *all = ir_alloc(copy->arena, (size_t)t->count + 1, sizeof *all);
    for (int i = 0; i < t->count; i++) {
        all[i].layer = t->tuned[i].layer;
        set_entry(&all[i], c);
    }
    copy->goals.tuned = all;
    copy->goals.n_tuned = t->count;
}

static double milliseconds(const json_value *bench, const char *layer) {
    const json_value *layers = json_get(bench, "layers");
    for (int i = 0; layers && i < layers->count; i++) {
        const json_value *name = json_get(&layers->item[i], "name"), *ms = json_get(&layers->item[i], "ms");
        if (name && ms && name->kind == JSON_STRING && strcmp(name->string, layer) == 0) return ms->number;
    }
    return -1;
}

static bool is_computed_so(const ir_node *n, const cg_choice *c) {
    if (n->op != IR_OP_CONV) return false;
    const cg_choice now = cg_choice_of(n);
    return strcmp(now.way->tuned, c->way->tuned) == 0 && memcmp(now.tile, c->tile, sizeof now.tile) == 0;
}

static void record(trial *t, const ir_graph *planned, const json_value *bench, const cg_choice *c) {
    for (int i = 0; i < planned->n_nodes; i++) {
        const ir_node *n = planned->nodes[i];
        ir_tuned *entry = is_computed_so(n, c) ? entry_of(t, n->out[0]->name) : NULL;
        double ms = entry ? milliseconds(bench, entry->layer) : -1;
        if (ms < 0 || ms >= t->best[entry - t->tuned]) continue;
        t->best[entry - t->tuned] = ms;
        set_entry(entry, c);
    }
}

static const json_value *run_bench(trial *t, const char *dir, ir_diag *d) {
    const char *log = ir_format(t->arena, "%s.json", dir);
    const char *argv[] = {ir_format(t->arena, "%s/%s", dir, t->g->name), "bench", "--layers", "--json", NULL};
    int code = process_run(argv, log);
    size_t n;
    if (code) {
        ir_fail(d, IR_EXIT_FAILURE, "--tune: %s bench: exit code %d: %s", t->g->name, code,
                process_log_tail(log, t->arena));
        return NULL;
    }
    char *text = file_read(log, MAX_JSON, &n, d);
    const json_value *bench = text ? json_parse(t->arena, text, n, log, d) : NULL;
    free(text);
    return bench;
}

static bool try_way(trial *t, int number, ir_diag *d) {
    const cg_choice *c = &t->tries[number];
    const char *dir = ir_format(t->arena, "%s/%d", t->temp, number);
    ir_graph *copy = ir_copy(t->g);
    copy->goals.whole = true;
    force(t, copy, c);
    const json_value *bench = NULL;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "voxc: tuning %d of %d: %s\n", number + 1, t->n_tries, cg_choice_text(c, t->arena));
    options plain = {.verb = VERB_COMPILE, .model = t->o->model}; /* a trial writes nothing but its bundle */
    if (write_graph(&plain, copy, dir, d) &&
        bundle_build(dir, t->o->cc, ir_format(t->arena, "%s.log", dir), d))
        bench = run_bench(t, dir, d);
    if (bench) record(t, copy, bench, c);
    ir_graph_free(copy);
    return bench != NULL;
}

bool tune(const options *o, ir_graph *g, ir_diag *d) {
    process_temp temp;
    if (!process_temp_begin(&temp, false, d)) return false;
    trial t = {.o = o, .g = g, .temp = temp.path, .arena = ir_arena_new()};
    list_tries(&t);
    bool ok = list_layers(&t, d);
    for (int i = 0; ok && i < t.n_tries; i++) ok = try_way(&t, i, d);
    g->goals.tuned = t.tuned;
    g->goals.n_tuned = t.count;
    process_temp_end(&temp);
    ir_arena_free(t.arena);
    return ok;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_ints(const json_value *list, int count, int64_t *to) {
    if (!list || list->kind != JSON_LIST || list->count != count) return false;
    for (int i = 0; i < count; i++) {
        if (!list->item[i].is_integer) return false;
        to[i] = list->item[i].integer;
    }
    return true;
}

/* Tables of before ways had names: the tile, and the batch, 0 for weights transformed on the way. */
static bool read_unnamed(const json_value *list, ir_tuned *to) {
    int64_t v[4];
    if (!read_ints(list, 4, v)) return false;
    to->way = !v[0]       ? cg_way_direct.tuned
              : v[2] == 1 ? cg_way_few.tuned
              : v[3]      ? cg_way_winograd.tuned
                          : cg_way_deep.tuned;
    memcpy(to->tile, v, sizeof to->tile);
    return true;
}

static const char *tuned_name(const json_value *word, ir_arena *arena, ir_diag *d) {
    const char *names = "";
    if (!word || word->kind != JSON_STRING) return NULL;
    for (int i = 0; i < CG_WAYS; i++) {
        const char *name = cg_ways[i]->tuned;
        if (strcmp(name, word->string) == 0) return name;
        if (cg_ways[i]->n_tries) names = ir_format(arena, "%s%s%s", names, *names ? ", " : "", name);
    }
    ir_fail(d, IR_EXIT_INPUT, "there is no way '%s' to compute a convolution; expected one of %s",
            word->string, names);
    return NULL;
}

static bool read_entry(const json_value *from, ir_arena *arena, ir_tuned *to, ir_diag *d) {
    const json_value *layer = json_get(from, "layer"), *unnamed = json_get(from, "winograd");
    if (!layer || layer->kind != JSON_STRING) return false;
    to->layer = ir_strdup(arena, layer->string);
    if (unnamed) return read_unnamed(unnamed, to);
    to->way = tuned_name(json_get(from, "way"), arena, d);
    return to->way && read_ints(json_get(from, "tile"), 3, to->tile);
}

bool tune_read(const char *path, ir_graph *g, ir_diag *d) {
    size_t n;
    struct stat s;
    if (stat(path, &s) == 0 && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode))
        return ir_fail(d, IR_EXIT_INPUT, "--tuning %s: not a regular file; it is read once for each target",
                       path);
    char *text = file_read(path, MAX_JSON, &n, d);
    if (!text) return false;
    ir_arena *arena = ir_arena_new();
    const json_value *manifest = json_parse(arena, text, n, path, d);
    const json_value *table = json_get(manifest, "tuning");
    bool ok = table && table->kind == JSON_LIST;
    ir_tuned *tuned = ir_alloc(g->arena, ok ? (size_t)table->count + 1 : 1, sizeof *tuned);
    for (int i = 0; ok && i < table->count; i++) {
        ok = read_entry(&table->item[i], g->arena, &tuned[i], d);
        if (!ok) ir_fail_in(d, "--tuning %s: layer %s", path, tuned[i].layer);
    }
    if (ok) g->goals.tuned = tuned, g->goals.n_tuned = table->count;
    if (!ok && !d->code)
        ir_fail(d, IR_EXIT_INPUT,
                "--tuning %s: expected the manifest.json of a bundle that was compiled with --tune", path);
    free(text);
    ir_arena_free(arena);
    return ok;
}
