#include "pipeline.h"

#include "arguments.h"
#include "cpu_words.h"
#include "files.h"
#include "gpu_words.h"
#include "lifetime.h"
#include "memory_words.h"
#include "passes.h"
#include "plan_verify.h"
#include "unplan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* Targets, as bits. */
enum { FOR_C = 1 << IR_TARGET_C, FOR_CUDA = 1 << IR_TARGET_CUDA, FOR_ALL = FOR_C | FOR_CUDA };

/* What passes rely on, and bring about: X(symbol, what holds from then on). */
#define FACTS(X)                                                                                             \
    X(FOLDED, "constants are folded")                                                                        \
    X(NORMED, "norms are folded")                                                                            \
    X(FUSED, "nodes are fused")                                                                              \
    X(OUTPUTS, "outputs are final")                                                                          \
    X(TERMS, "norms are terms")                                                                              \
    X(NODES, "compute nodes are final")                                                                      \
    X(LAYOUTS, "layouts are chosen")                                                                         \
    X(VIEWS, "what lies in what is known")                                                                   \
    X(WAYS, "algorithms are chosen")                                                                         \
    X(EPILOGUES, "convs do pools and crops")                                                                 \
    X(LOADS, "convs do norms as they load")                                                                  \
    X(STREAMS, "streams are chosen")                                                                         \
    X(SPLITS, "work is split")                                                                               \
    X(SUMS, "convs leave sums for norms")                                                                    \
    X(RUNNERS, "it is known what runs each node")                                                            \
    X(ORDER, "the list of nodes is final")                                                                   \
    X(PLACES, "values have places")
enum fact_number {
#define X(symbol, text) NUMBER_##symbol,
    FACTS(X)
#undef X
        FACT_COUNT
};
enum fact {
#define X(symbol, text) symbol = 1 << NUMBER_##symbol,
    FACTS(X)
#undef X
};

typedef struct pass {
    const char *name;
    bool (*run)(ir_graph *g, ir_diag *d);
    unsigned targets, needs, gives; /* facts: the pass runs where all that it needs holds */
    const char *made, *why_here;    /* sentences: what the graph is like behind it */
} pass;

/* Rows that could change places have an order all the same: dumps are numbered, and bundles are the same bytes. */
/* clang-format off */
static const pass passes[] = {
    {"fold",      pass_fold,       FOR_ALL,   0, FOLDED, "no node computes from constants alone", "it is first, since the rest matches constants, not expressions"},
    {"norm",      pass_norm,       FOR_ALL,   FOLDED, NORMED, "convs have taken in batch norms, affine ops and zero padding, and a group norm is one node", "it precedes fuse, since an activation follows the norm, not the conv"},
    {"fuse",      pass_fuse,       FOR_ALL,   NORMED, FUSED, "convs do activations and (target c) sums with skips, norms do activations", "it precedes the layouts, which then have fewer values to lay out"},
    {"outputs",   pass_outputs,    FOR_ALL,   FUSED, OUTPUTS, "every output is written by a node, and is a value of its own", "it precedes the layouts, since an output is plain memory"},
    {"terms",     pass_terms,      FOR_C,     OUTPUTS, TERMS, "a norm is its terms and what is made of x by them", "it precedes layout, since the two read and write different ones"},
    {"reduce",    pass_reduce,     FOR_C,     OUTPUTS | TERMS, NODES, "a reduction goes over axes that lie side by side", "it precedes layout, since each reduction is a node"},
    {"layout",    pass_layout,     FOR_C,     NODES, LAYOUTS, "every value is plain or blocked, with conversions in between", "it precedes views, since a concat's members must share its layout"},
    {"views",     pass_views,      FOR_C,     LAYOUTS, VIEWS, "concat members and reshapes have no memory of their own", "it precedes memory, since views need no room"},
    {"algorithm", pass_algorithm,  FOR_C,     LAYOUTS | VIEWS, WAYS, "every conv has its algorithm and scratch memory", "it precedes epilogue, since only Winograd's kernel has one"},
    {"epilogue",  pass_epilogue,   FOR_C,     VIEWS | WAYS, EPILOGUES, "convs do pools and crops", "it precedes memory, since values in registers need no room"},
    {"load",      pass_load,       FOR_C,     VIEWS | WAYS | EPILOGUES, LOADS, "convs do norms as they load", "it precedes memory, since values made on load need no room"},
    {"stream",    pass_stream,     FOR_C,     VIEWS | LOADS, STREAMS, "nodes of a group take turns, with rings of planes between them", "it precedes blocking, since a step is less work than a layer"},
    {"blocking",  pass_blocking,   FOR_C,     LAYOUTS | STREAMS, SPLITS, "every direct conv has its work split", "it follows stream, since it splits what a step has to do"},
    {"gather",    pass_gather,     FOR_C,     WAYS | STREAMS | SPLITS, SUMS, "convs leave the sums that norms behind them need", "it precedes memory, since sums need room"},
    {"pack",      pass_pack,       FOR_C,     WAYS | LOADS | SUMS, ORDER, "it is listed how each constant is packed, and where it lies then", "it precedes memory, since the list of nodes is final"},
    {"gpu",       pass_gpu,        FOR_CUDA,  OUTPUTS, RUNNERS, "every node runs on cuDNN or on a kernel of our own", "it precedes channels, since each of the two has its layouts"},
    {"channels",  pass_channels,   FOR_CUDA,  RUNNERS, LAYOUTS, "every value is plain or channels last, with conversions in between; nodes have scratch memory", "it precedes members, since a concat's members share its precision"},
    {"members",   pass_members,    FOR_CUDA,  LAYOUTS, VIEWS, "concat members, reshapes and norms have no memory of their own", "it precedes slabs, since windows share no memory"},
    {"slabs",     pass_slabs,      FOR_CUDA,  VIEWS, STREAMS | ORDER, "the largest nodes run in slabs of planes, with windows between them", "it precedes memory, since windows are smaller"},
    {"memory",    pass_memory,     FOR_ALL,   ORDER, PLACES, "every value has its place in the arena", "it is last, since lifetimes are positions in the list"},
};
/* clang-format on */
enum { PASS_COUNT = sizeof passes / sizeof *passes };
_Static_assert(PASS_COUNT + 1 <= MAX_PASSES, "raise MAX_PASSES");

static bool is_for(const pass *p, ir_target target) {
    return p->targets & (1u << target);
}

/* The facts that p needs and that do not hold; 0: none. */
static unsigned lacks(const pass *p, unsigned facts) {
    return p->needs & ~facts;
}

static const char *fact_text(unsigned facts) {
    static const char *const texts[FACT_COUNT] = {
#define X(symbol, text) [NUMBER_##symbol] = (text),
        FACTS(X)
#undef X
    };
    for (int i = 0; i < FACT_COUNT; i++)
        if (facts & (1u << i)) return texts[i];
    return "";
}

const char *pipeline_swapped(ir_target target, int a, int b) {
    unsigned facts = 0;
    if (a >= PASS_COUNT || b >= PASS_COUNT) return NULL;
    for (int i = 0; i < PASS_COUNT; i++) {
        const pass *p = &passes[i == a ? b : i == b ? a : i];
        if (!is_for(p, target)) continue;
        if (lacks(p, facts)) return p->name;
        facts |= p->gives;
    }
    return NULL;
}

bool pipeline_has(ir_target target, int row) {
    return row < PASS_COUNT && is_for(&passes[row], target);
}

static const plan_count *const counts[] = {cpu_counts, gpu_counts, memory_counts};
enum { COUNT_LISTS = sizeof counts / sizeof *counts, MOST_COUNTS = 16 };

typedef struct census {
    int nodes, of_op[IR_OP_COUNT], planned[MOST_COUNTS];
} census;

static int count(const plan_count *c, const ir_graph *g) {
    int n = 0;
    for (int i = 0; c->of_node && i < g->n_nodes; i++) n += c->of_node(g->nodes[i]);
    for (int i = 0; c->of_tensor && i < g->n_tensors; i++) n += c->of_tensor(g->tensors[i]);
    return n;
}

static census take_census(const ir_graph *g) {
    census c = {.nodes = g->n_nodes};
    int at = 0;
    for (int i = 0; i < g->n_nodes; i++) c.of_op[g->nodes[i]->op]++;
    for (int i = 0; i < COUNT_LISTS; i++)
        for (const plan_count *p = counts[i]; p->text && at < MOST_COUNTS; p++) c.planned[at++] = count(p, g);
    return c;
}

static void note_change(char *text, size_t size, const char *name, int before, int after) {
    size_t used = strlen(text);
    if (before != after)
        snprintf(text + used, size - used, "%s%s %d -> %d", used ? ", " : "", name, before, after);
}

static void describe_changes(pass_report *r, const ir_graph *g, const census *a, const census *b) {
    r->nodes_before = a->nodes;
    r->nodes_after = b->nodes;
    for (int op = 0; op < IR_OP_COUNT; op++)
        note_change(r->what, sizeof r->what, ir_op_get((ir_op)op)->name, a->of_op[op], b->of_op[op]);
    int at = 0;
    for (int i = 0; i < COUNT_LISTS; i++)
        for (const plan_count *p = counts[i]; p->text && at < MOST_COUNTS; p++, at++)
            note_change(r->what, sizeof r->what, p->text, a->planned[at], b->planned[at]);
    if (strcmp(r->name, "memory") == 0)
        snprintf(r->what, sizeof r->what, "arena %lld bytes, lower bound of this order %lld",
                 (long long)g->arena_bytes, (long long)ir_memory_bound(g));
}

static bool dump(const pipeline_options *o, int number, const char *name, const char *text, bool changed,
                 ir_diag *d) {
    if (o->dump_after && strcmp(o->dump_after, name) == 0) fputs(text, stdout);
    if (!o->dump_dir) return true;
    char path[4096];
    int n = snprintf(path, sizeof path, "%s/%02d-%s.ir", o->dump_dir, number, name);
    if (n < 0 || (size_t)n >= sizeof path)
        return ir_fail(d, IR_EXIT_INPUT, "%s: the path is too long", o->dump_dir);
    if (changed) return file_write_atomic(path, text, strlen(text), d);
    return file_write_atomic(path, "(unchanged)\n", 12, d);
}

static bool check_pass_name(ir_target target, const char *name, ir_diag *d) {
    const char *names[MAX_PASSES] = {"import"};
    char list[512] = "import";
    int count = 1;
    for (int i = 0; i < PASS_COUNT; i++) {
        if (!is_for(&passes[i], target)) continue;
        names[count++] = passes[i].name;
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", i + 1 < PASS_COUNT ? ", " : " or ", passes[i].name);
    }
    for (int i = 0; i < count; i++)
        if (strcmp(name, names[i]) == 0) return true;
    const char *near = vox_suggest(name, names, count);
    return ir_fail(d, IR_EXIT_INPUT, "--dump-ir-after %s: no such pass%s%s; expected %s", name,
                   near ? ": did you mean " : "", near ? near : "", list);
}

static bool check_dumps(ir_target target, const pipeline_options *o, ir_diag *d) {
    if (o->dump_dir && mkdir(o->dump_dir, 0777) != 0 && errno != EEXIST)
        return ir_fail(d, IR_EXIT_INPUT, "%s: can't create the folder: %s", o->dump_dir, strerror(errno));
    return !o->dump_after || check_pass_name(target, o->dump_after, d);
}

static bool is_planned_node(const ir_node *n, ir_target target) {
    if (n->gpu.runner || n->op == IR_OP_TO_CHANNELS_LAST || n->op == IR_OP_FROM_CHANNELS_LAST) return true;
    bool for_cpu = n->cpu.way || n->cpu.split[0] || n->memory.stream || n->memory.scratch || n->cpu.joined ||
                   n->cpu.gathered || n->op == IR_OP_TO_BLOCK || n->op == IR_OP_FROM_BLOCK;
    return target != IR_TARGET_C && for_cpu;
}

static bool is_planned_tensor(const ir_tensor *t, ir_target target) {
    bool for_cpu = t->cpu.block || t->memory.ring || t->cpu.fused || t->cpu.on_load || t->memory.view_of ||
                   t->memory.arena_offset >= 0;
    return t->gpu.pitch || t->gpu.storage || (target != IR_TARGET_C && for_cpu);
}

/* IR text may be a dump of a later pass; only a CPU's plan can be made anew. */
static bool check_unplanned(const ir_graph *g, ir_diag *d) {
    bool planned = g->recompute;
    for (int i = 0; i < g->n_nodes; i++) planned |= is_planned_node(g->nodes[i], g->goals.target);
    for (int i = 0; i < g->n_tensors; i++) planned |= is_planned_tensor(g->tensors[i], g->goals.target);
    return !planned ||
           ir_fail(d, IR_EXIT_INPUT,
                   "%s: the graph has been planned already: give the model that it was made of", g->name);
}

/* A kernel's loops and turns count from one. */
static bool check_elements(const ir_graph *g, ir_diag *d) {
    char type[256];
    for (int i = 0; i < g->n_tensors; i++) {
        const ir_tensor *t = g->tensors[i];
        if (t->role == IR_ROLE_CONST || ir_count(t) > 0) continue;
        return ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: %%%s %s has no elements: there is nothing to compute",
                       t->producer && t->producer->source ? t->producer->source : g->name, t->name,
                       ir_type_text(t, type, sizeof type));
    }
    return true;
}

/* Passes that leave their work undone where every value is to lie in memory as a whole. */
static bool is_avoidable(const ir_graph *g, const char *name) {
    static const char *const names[] = {"epilogue", "load", "stream", "slabs"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return !g->goals.whole;
    return false;
}

/* Writes the graph that a pass could not cope with; where, or why not. It is made anew from what the passes
 * began with: they give the same each time. */
static const char *keep_evidence(const ir_graph *g, ir_graph *source, const pass *broke) {
    const char *folder = getenv("TMPDIR");
    ir_diag d = {0};
    if (!folder || !*folder) folder = ".";
    const char *path = ir_format(g->arena, "%s/voxc-before-%s.ir", folder, broke->name);
    for (const pass *p = passes; p < broke; p++)
        if (is_for(p, g->goals.target) && !p->run(source, &d)) break;
    char *text = ir_print_string(source);
    bool kept = file_write_atomic(path, text, strlen(text), &d);
    free(text);
    return kept ? ir_format(g->arena, "the graph before that pass is in %s", path)
                : ir_format(g->arena, "the graph before that pass could not be kept: %s", d.text);
}

static void must_import(const ir_graph *g) {
    ir_diag d = {0};
    if (!plan_verify(g, &d)) ir_die("after pass import: %s", d.text);
}

/* source: the graph in front of the first pass. */
static void must_verify(const ir_graph *g, const pass *after, ir_graph *source) {
    ir_diag d = {0};
    if (plan_verify(g, &d)) return;
    ir_die("after pass %s: %s; %s%s", after->name, d.text, keep_evidence(g, source, after),
           is_avoidable(g, after->name) ? "; --no-stream avoids that pass, for more memory" : "");
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

bool pipeline_run(ir_graph *g, const pipeline_options *o, pass_report *reports, int *count, ir_diag *d) {
    ir_target target = g->goals.target;
    *count = 0;
    if (!check_dumps(target, o, d) || !check_unplanned(g, d)) return false;
    must_import(g);
    forget_plan(g);
    ir_graph *source = ir_copy(g);
    bool dumping = o->dump_dir || o->dump_after;
    char *before = dumping ? ir_print_string(g) : NULL;
    bool ok = !dumping || dump(o, 0, "import", before, true, d);
    unsigned facts = 0;
    for (int i = 0; ok && i < PASS_COUNT; i++) {
        if (!is_for(&passes[i], target)) continue;
        if (lacks(&passes[i], facts))
            ir_die("pass %s stands where it does not hold yet that %s", passes[i].name,
                   fact_text(lacks(&passes[i], facts)));
        facts |= passes[i].gives;
        double start = seconds();
        census a = take_census(g);
        ok = passes[i].run(g, d);
        if (!ok) break;
        if (o->after_pass) o->after_pass(g, passes[i].name);
        must_verify(g, &passes[i], source);
        census b = take_census(g);
        pass_report *r = &reports[(*count)++];
        *r = (pass_report){.name = passes[i].name};
        describe_changes(r, g, &a, &b);
        r->changed = r->what[0] != 0;
        if (o->verbose)
            fprintf(stderr, "voxc: %-8s %7.1f ms  %s\n", r->name, 1e3 * (seconds() - start), r->what);
        if (!dumping) continue;
        char *after = ir_print_string(g);
        r->changed = strcmp(before, after) != 0;
        ok = dump(o, *count, r->name, after, r->changed, d);
        free(before);
        before = after;
    }
    free(before);
    ir_graph_free(source);
    return ok && check_elements(g, d);
}
