/* choose.c: see choose.h. */
#include "choose.h"

#include "fit.h"
#include "load.h"
#include "verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Other plans than the fastest are tried where that one takes so many times the room at most. */
static const double NEARLY = 1.25;

typedef struct models {
    const options *o;  /* without weights of its own: values are of no interest */
    const char *input; /* the only input's name */
    ir_arena *arena;
} models;

/* o with another input, as further --input-dim. */
static bool with_input(const options *o, const char *input, const int in[3], ir_arena *arena, options *other,
                       ir_diag *d) {
    *other = *o;
    if (o->n_input_dims + 3 > MAX_BINDINGS)
        return ir_fail(d, IR_EXIT_INPUT, "--input-dim is given more than %d times beside --volume-size",
                       MAX_BINDINGS - 3);
    for (int k = 0; k < 3; k++)
        other->input_dim[other->n_input_dims++] = ir_format(arena, "%s.%c=%d", input, "DHW"[k], in[k]);
    other->n_chosen_dims = 3;
    return true;
}

static ir_graph *load_with(const models *m, const int in[3]) {
    options o;
    ir_diag d = {0};
    return with_input(m->o, m->input, in, m->arena, &o, &d) ? load_model(&o, LOAD_SHAPES, &d) : NULL;
}

static double macs_with(void *ctx, const int in[3], int out[3]) {
    ir_graph *g = load_with(ctx, in);
    double macs = 0;
    if (!g) return -1;
    const ir_tensor *y = g->outputs[0];
    for (int k = 0; k < 3; k++) out[k] = (int)y->dim[y->rank - 3 + k];
    for (int i = 0; i < g->n_nodes; i++) macs += (double)ir_macs(g->nodes[i]);
    ir_graph_free(g);
    return macs;
}

/* The fastest plan that fits the room; else the fastest. */
static bool plan_with(void *ctx, const int in[3], int64_t room, tile_row *row) {
    const models *m = ctx;
    ir_graph *g = load_with(m, in);
    ir_diag d = {0};
    bool any = false;
    if (!g) return false;
    bool ok = set_goals(m->o, IR_TARGET_C, g, &d);
    for (int t = 0; ok && t < IR_THRIFT_COUNT; t++) {
        const fit_point p = fit_measure(g, (ir_thrift)t);
        ok = p.ok;
        const int64_t bytes = p.arena + p.prepared;
        bool fits = room < 0 || bytes <= room;
        if (ok && (!any || fits)) {
            row->network = bytes;
            row->cycles = p.cycles + p.transposed;
            row->thrift = (ir_thrift)t;
        }
        any = any || ok;
        if (fits || (double)bytes > NEARLY * (double)room) break;
    }
    ir_graph_free(g);
    return any;
}

static bool refuse(const ir_graph *g, const tile_choice *c, ir_diag *d) {
    int64_t least = INT64_MAX;
    const tile_row *r = c->row;
    for (int i = 0; i < c->n; i++) {
        const int64_t bytes = c->row[i].network + c->row[i].need.bytes;
        if (bytes >= least) continue;
        least = bytes;
        r = &c->row[i];
    }
    return ir_fail(d, IR_EXIT_INPUT,
                   "--max-memory: no tile of %s fits: for this volume the program needs %" PRId64
                   " bytes with the tile %dx%dx%d, of which the network takes %" PRId64
                   ", and the limit is %" PRId64 ": raise it%s%s",
                   g->name, least, r->shape.in[0], r->shape.in[1], r->shape.in[2], r->network, c->limit,
                   c->bound_to ? "; no other tile may be taken: " : "", c->bound_to ? c->bound_to : "");
}

static bool search(const options *o, const ir_graph *g, tile_choice *c, options *chosen, ir_diag *d) {
    options bare = *o;
    bare.verb = VERB_INSPECT;
    bare.weights = bare.init = NULL;
    tile_shape given;
    ir_goals goals;
    if (!tile_parse_volume(o->volume_size, &c->volume, d) || !tile_shape_of(g, &given, d) ||
        !options_goals(o, IR_TARGET_C, &goals, d))
        return false;
    c->limit = goals.max_memory;
    const char *bound_to = tile_bound_to(g);
    if (bound_to) c->bound_to = ir_format(g->arena, "labels depend on it, as %s", bound_to);
    bare.max_memory = NULL;
    models m = {.o = &bare, .input = g->inputs[0]->name, .arena = g->arena};
    const tile_network network = {.ctx = &m, .macs = macs_with, .plan = plan_with};
    if (!tile_search(g, &given, &network, c, d)) return false;
    if (c->chosen < 0) return refuse(g, c, d);
    const tile_row *r = &c->row[c->chosen];
    *chosen = *o;
    if (!r->given && !with_input(o, m.input, r->shape.in, g->arena, chosen, d)) return false;
    if (c->limit) chosen->network_memory = c->limit - r->need.bytes;
    return true;
}

bool choose_tile(const options *o, options *chosen, tile_choice **found, ir_graph **g, ir_diag *d) {
    options bare = *o;
    bare.verb = VERB_INSPECT;
    bare.weights = bare.init = NULL;
    *found = NULL;
    *g = load_model(&bare, LOAD_SHAPES, d);
    if (!*g) return false;
    *found = calloc(1, sizeof **found);
    if (!*found) ir_no_memory("tiles");
    return search(o, *g, *found, chosen, d);
}

/* ---- what was found -------------------------------------------------------------------------- */

/* Seconds of a core that does one multiply-add of 16 channels in each cycle of 3 GHz. */
static double seconds(double cycles) {
    return cycles / 3e9;
}

static void text_of(const int v[3], char *text, size_t n) {
    snprintf(text, n, "%dx%dx%d", v[0], v[1], v[2]);
}

static double waste(const tile_choice *c, const tile_row *r) {
    return c->least > 0 ? r->macs / c->least : 0;
}

static void print_row(const tile_choice *c, const tile_row *r, FILE *f) {
    char in[40], out[40], tiles[40], more[24];
    text_of(r->shape.in, in, sizeof in);
    text_of(r->shape.out, out, sizeof out);
    text_of(r->need.tiles, tiles, sizeof tiles);
    snprintf(more, sizeof more, c->least > 0 ? "%.2fx" : "-", waste(c, r));
    bool chosen = c->chosen >= 0 && r == &c->row[c->chosen];
    fprintf(f, "  %-13s %-13s %-10s %6" PRId64 " %10.1f %7s %9.1f s %9.1f %9.1f  %s%s%s\n", in, out, tiles,
            r->need.runs, r->macs / 1e9, more, seconds(r->cycles), (double)r->network / 1e6,
            (double)(r->network + r->need.bytes) / 1e6,
            chosen    ? "<- chosen"
            : r->fits ? ""
                      : "over --max-memory",
            r->given ? (chosen    ? ", as written"
                        : r->fits ? "as written"
                                  : ", as written")
                     : "",
            r->fits && r->thrift ? (chosen ? ", thrifty plan" : "thrifty plan") : "");
}

void choose_print(const tile_choice *c, FILE *f) {
    enum { MOST = 16 };
    const int *v = c->volume.size;
    fprintf(f, "\ntiles for %dx%dx%d voxels along x, y, z%s", v[0], v[1], v[2],
            c->volume.spacing[0] > 0 ? "" : " of the prepared grid");
    if (c->limit) fprintf(f, ", program in %.1f MB", (double)c->limit / 1e6);
    fprintf(f, "\n  %-13s %-13s %-10s %6s %10s %7s %11s %9s %9s\n", "tile D H W", "output", "tiles", "runs",
            "GMAC", "waste", "core time", "network", "MB in all");
    for (int i = 0; i < c->n; i++)
        if (i < MOST || i <= c->chosen || c->row[i].given) print_row(c, &c->row[i], f);
    if (c->bound_to) fprintf(f, "  the tile stays as written: %s\n", c->bound_to);
    if (c->slower)
        fprintf(f, "  %d more shapes: their arithmetic alone takes longer than the chosen tile\n", c->slower);
    if (c->larger)
        fprintf(f, "  %d more shapes: need more memory than shapes that are over --max-memory\n", c->larger);
    if (c->left) fprintf(f, "  %d more shapes: not planned, after %d that were\n", c->left, c->n);
    fprintf(f, "  waste: arithmetic beyond that of one tile without borders; core time: of convolutions, "
               "estimated for a "
               "core of 3 GHz with 512-bit vectors\n");
}

static void add_three(vox_json *j, const char *key, const int v[3]) {
    vox_json_begin(j, key, "[");
    for (int k = 0; k < 3; k++) vox_json_int(j, NULL, v[k]);
    vox_json_end(j);
}

void choose_json(const tile_choice *c, vox_json *j) {
    vox_json_begin(j, "tiles", "{\n");
    add_three(j, "volume", c->volume.size);
    vox_json_members(j,
                     "limit=%" PRId64
                     " bound_to=%s shapes=%d not_planned_slower=%d not_planned_larger=%d not_planned=%d",
                     c->limit, c->bound_to, c->shapes, c->slower, c->larger, c->left);
    vox_json_begin(j, "rows", "[\n");
    for (int i = 0; i < c->n; i++) {
        const tile_row *r = &c->row[i];
        vox_json_begin(j, NULL, "{");
        add_three(j, "input", r->shape.in);
        add_three(j, "output", r->shape.out);
        add_three(j, "tiles", r->need.tiles);
        vox_json_members(j, "runs=%" PRId64 " macs=%.0f waste=%.4f cycles=%.0f", r->need.runs, r->macs,
                         waste(c, r), r->cycles);
        vox_json_members(j, "network_bytes=%" PRId64 " program_bytes=%" PRId64, r->network,
                         r->network + r->need.bytes);
        vox_json_bool(j, "fits", r->fits);
        vox_json_bool(j, "chosen", i == c->chosen);
        vox_json_end(j);
    }
    vox_json_end(j);
    vox_json_end(j);
}
