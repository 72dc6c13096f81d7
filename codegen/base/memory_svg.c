/* memory_svg.c: the memory plan as a picture: layers from left to right, addresses of the arena upwards, a
 * rectangle for each piece of memory; below, what is alive at each layer; beside it, what lies outside. */
#include "memory_table.h"
#include "utf8.h"

#include <inttypes.h>
#include <string.h>

/* Pixels. */
enum {
    WIDTH = 1200,
    LEFT = 84,
    TOP = 76,
    PLOT_WIDTH = 780,
    PLOT_HEIGHT = 500,
    BARS_TOP = TOP + PLOT_HEIGHT + 18,
    BARS_HEIGHT = 70,
    NAMES_TOP = BARS_TOP + BARS_HEIGHT + 8,
    NAMES_HEIGHT = 96,
    HEIGHT = NAMES_TOP + NAMES_HEIGHT,
    LIST_LEFT = LEFT + PLOT_WIDTH + 24,
    LIST_RIGHT = WIDTH - 12,
    ROW = 15,
    LETTER = 7 /* at least as wide as a letter of a label, on average */
};

typedef struct picture {
    cg_text s;
    const cg_model *m;
    cg_memory_table t;
} picture;

static const char style[] =
    "<style>\n"
    "text{font:11px sans-serif;fill:#333}\n"
    ".title{font-size:17px;font-weight:bold}.head{font-weight:bold}.dim{fill:#777}.end{text-anchor:end}"
    ".mid{text-anchor:middle}\n"
    ".value{fill:#dbe8fb;stroke:#5b86c4}.member{fill:#d9f0dc;stroke:#4f9b60}"
    ".scratch{fill:#fde6c8;stroke:#c98a34}\n"
    ".prepared{fill:#e8e1f5;stroke:#8a74b8}.input{fill:#eeeeee;stroke:#888}.output{fill:#eeeeee;stroke:#888}"
    "\n"
    "rect:hover{stroke-width:2.5}\n"
    ".peak{fill:#fbe3e1}.bar{fill:#b9c7d9}.top{fill:#e08a80}.grid{stroke:#e4e4e4}.axis{stroke:#999}\n"
    ".used{stroke:#c0392b;stroke-dasharray:6 3}.bound{stroke:#2c6e49;stroke-dasharray:2 3}\n"
    "</style>\n";

/* What XML or UTF-8 does not allow becomes '?'. */
static void add_escaped(picture *p, const char *s) {
    for (size_t n; *s; s += n) {
        uint32_t code;
        if (vox_char(s, &n, &code) != VOX_CHAR_PLAIN && *s != '\n')
            cg_add_string(&p->s, "?");
        else if (strchr("&<>\"", *s))
            cg_add(&p->s, "&#%d;", *s);
        else
            cg_add(&p->s, "%.*s", (int)n, s);
    }
}

static void add_text(picture *p, double x, double y, const char *class, const char *text) {
    cg_add(&p->s, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    add_escaped(p, text);
    cg_add_string(&p->s, "</text>\n");
}

static void add_line(picture *p, double x1, double y1, double x2, double y2, const char *class) {
    cg_add(&p->s, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2,
           class);
}

static void begin_rect(picture *p, double x, double y, double width, double height, const char *class) {
    cg_add(&p->s, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"", x, y, width,
           height, class);
}

/* ---- scales ---------------------------------------------------------------------------------- */

static double x_of(const picture *p, int layer) {
    return LEFT + (double)PLOT_WIDTH * layer / (p->m->n_layers ? p->m->n_layers : 1);
}

static double y_of(const picture *p, int64_t address) {
    double whole = p->m->g->arena_bytes ? (double)p->m->g->arena_bytes : 1;
    return TOP + PLOT_HEIGHT * (1 - (double)address / whole);
}

/* 1, 2 or 5 times a power of 10 (of the unit that amounts are shown in), at most ten of them in the arena. */
static int64_t tick_step(int64_t bytes) {
    int64_t unit = bytes < 1024 ? 1 : bytes < 1024 * 1024 ? 1024 : 1024 * 1024;
    static const int factors[] = {1, 2, 5};
    for (int64_t power = 1;; power *= 10)
        for (int i = 0; i < 3; i++)
            if (bytes / unit <= 10 * power * factors[i]) return unit * power * factors[i];
}

static void add_axes(picture *p) {
    int64_t bytes = p->m->g->arena_bytes, step = tick_step(bytes);
    for (int64_t at = 0; at <= bytes; at += step) {
        double y = y_of(p, at);
        add_line(p, LEFT, y, LEFT + PLOT_WIDTH, y, "grid");
        add_text(p, LEFT - 6, y + 4, "end dim", cg_amount(p->s.arena, at));
    }
}

/* ---- rectangles ------------------------------------------------------------------------------ */

static void add_tooltip(picture *p, const cg_memory *e) {
    char type[256];
    cg_text s = {.arena = p->s.arena};
    cg_add(&s, "%s%s%s%s: %s\n", e->name, e->in ? " in " : "", e->in ? e->in : "",
           e->kind == CG_MEMORY_SCRATCH ? " (scratch)" : "",
           e->tensor ? ir_type_text(e->tensor, type, sizeof type) : "memory that this layer alone needs");
    cg_add(&s, "%" PRId64 " bytes (%s)", e->bytes, cg_amount(p->s.arena, e->bytes));
    if (e->offset >= 0)
        cg_add(&s, " at %s + %" PRId64, e->kind == CG_MEMORY_PREPARED ? "prepared" : "arena", e->offset);
    cg_add(&s, "\nlayers %d (%s) to %d (%s)", e->first, cg_layer_name(p->m, e->first), e->last,
           cg_layer_name(p->m, e->last));
    cg_add_string(&p->s, "<title>");
    add_escaped(p, cg_string(&s));
    cg_add_string(&p->s, "</title>");
}

static void add_label(picture *p, const cg_memory *e, double x, double y, double width, double height) {
    const char *amount = cg_amount(p->s.arena, e->bytes);
    double middle = x + width / 2;
    bool fits = (double)(LETTER * strlen(e->name)) <= width - 4;
    bool amount_fits = fits && height >= 30 && (double)(LETTER * strlen(amount)) <= width - 4;
    if (fits && height >= 13) {
        add_text(p, middle, y + height / 2 + (amount_fits ? -2 : 4), "mid", e->name);
        if (amount_fits) add_text(p, middle, y + height / 2 + 12, "mid dim", amount);
    } else if (width >= 13 && (double)(LETTER * strlen(e->name)) <= height - 4) {
        cg_add(&p->s, "<text transform=\"translate(%.1f %.1f) rotate(-90)\" class=\"mid\">", middle + 4,
               y + height / 2);
        add_escaped(p, e->name);
        cg_add_string(&p->s, "</text>\n");
    }
}

static void add_piece(picture *p, const cg_memory *e) {
    double x = x_of(p, e->first), y = y_of(p, e->offset + e->bytes);
    double width = x_of(p, e->last + 1) - x, height = y_of(p, e->offset) - y;
    if (e->last < e->first) return;
    begin_rect(p, x, y, width, height < 0.5 ? 0.5 : height, cg_memory_kind_names[e->kind]);
    cg_add_string(&p->s, ">");
    add_tooltip(p, e);
    cg_add_string(&p->s, "</rect>\n");
    add_label(p, e, x, y, width, height);
}

static void add_peak_columns(picture *p) {
    for (int i = 0; i < p->m->n_layers; i++) {
        if (p->t.live[i] != p->t.lower_bound) continue;
        begin_rect(p, x_of(p, i), TOP, x_of(p, i + 1) - x_of(p, i), PLOT_HEIGHT, "peak");
        cg_add_string(&p->s, "/>\n");
    }
}

static void add_peak_lines(picture *p) {
    int64_t arena = p->m->g->arena_bytes, bound = p->t.lower_bound;
    double right = LEFT + PLOT_WIDTH;
    add_line(p, LEFT, y_of(p, arena), right, y_of(p, arena), "used");
    add_line(p, LEFT, y_of(p, bound), right, y_of(p, bound), "bound");
    const char *used = cg_amount(p->s.arena, arena), *least = cg_amount(p->s.arena, bound);
    if (arena == bound) {
        add_text(p, right, TOP - 6, "end", ir_format(p->s.arena, "arena and lower bound: %s", used));
        return;
    }
    add_text(p, right, TOP - 6, "end", ir_format(p->s.arena, "arena: %s", used));
    add_text(p, right - 4, y_of(p, bound) + 13, "end", ir_format(p->s.arena, "lower bound: %s", least));
}

/* ---- what is alive at each layer, and its name ----------------------------------------------- */

static void add_bars(picture *p) {
    double most = p->t.lower_bound ? (double)p->t.lower_bound : 1;
    for (int i = 0; i < p->m->n_layers; i++) {
        double height = BARS_HEIGHT * (double)p->t.live[i] / most;
        bool peak = p->t.live[i] == p->t.lower_bound;
        begin_rect(p, x_of(p, i) + 0.5, BARS_TOP + BARS_HEIGHT - height, x_of(p, i + 1) - x_of(p, i) - 1,
                   height, peak ? "top" : "bar");
        cg_add_string(&p->s, "><title>");
        add_escaped(p, ir_format(p->s.arena, "layer %d (%s): %" PRId64 " bytes alive (%s)", i,
                                 cg_layer_name(p->m, i), p->t.live[i], cg_amount(p->s.arena, p->t.live[i])));
        cg_add_string(&p->s, "</title></rect>\n");
    }
    add_line(p, LEFT, BARS_TOP + BARS_HEIGHT, LEFT + PLOT_WIDTH, BARS_TOP + BARS_HEIGHT, "axis");
    add_text(p, LEFT - 6, BARS_TOP + 10, "end dim", cg_amount(p->s.arena, p->t.lower_bound));
    add_text(p, LEFT - 6, BARS_TOP + BARS_HEIGHT - 16, "end", "alive at");
    add_text(p, LEFT - 6, BARS_TOP + BARS_HEIGHT - 3, "end", "each layer");
}

/* Every name that has room for a line of text. */
static void add_names(picture *p) {
    int step = 1;
    while (x_of(p, step) - x_of(p, 0) < 12) step++;
    for (int i = 0; i < p->m->n_layers; i += step) {
        cg_add(&p->s, "<text transform=\"translate(%.1f %d) rotate(-60)\" class=\"end\">",
               (x_of(p, i) + x_of(p, i + 1)) / 2 + 4, NAMES_TOP + 4);
        add_escaped(p, cg_layer_name(p->m, i));
        cg_add_string(&p->s, "</text>\n");
    }
}

/* ---- beside the plot ------------------------------------------------------------------------- */

static void add_key(picture *p, double *y, cg_memory_kind kind) {
    begin_rect(p, LIST_LEFT, *y - 9, 12, 10, cg_memory_kind_names[kind]);
    cg_add_string(&p->s, "/>\n");
    add_text(p, LIST_LEFT + 18, *y, "", cg_memory_kind_plurals[kind]);
    *y += ROW;
}

static const char *shortened(ir_arena *arena, const char *text, size_t most) {
    return strlen(text) <= most ? text : ir_format(arena, "%.*s...", (int)most - 3, text);
}

/* Name, type and amount in one line; the name has the room that the type leaves. */
static void add_row(picture *p, double y, const cg_memory *e) {
    enum { LETTERS = 37, LONGEST_TYPE = 26 };
    char buffer[256];
    const char *type = shortened(p->s.arena, ir_type_text(e->tensor, buffer, sizeof buffer), LONGEST_TYPE);
    cg_add_string(&p->s, "<g>");
    add_tooltip(p, e);
    add_text(p, LIST_LEFT + 18, y, "", shortened(p->s.arena, e->name, LETTERS - strlen(type)));
    add_text(p, LIST_RIGHT - 66, y, "end dim", type);
    add_text(p, LIST_RIGHT, y, "end", cg_amount(p->s.arena, e->bytes));
    cg_add_string(&p->s, "</g>\n");
}

/* The buffers of a kind, as many as `rows` allow; the rest in one line. */
static void add_list(picture *p, double *y, cg_memory_kind kind, int rows) {
    int count = 0, left_out = 0;
    int64_t bytes = 0, rest = 0;
    for (int i = 0; i < p->t.count; i++) {
        if (p->t.list[i].kind != kind) continue;
        count++;
        bytes += p->t.list[i].bytes;
    }
    if (!count) return;
    add_text(p, LIST_RIGHT, *y, "end head", cg_amount(p->s.arena, bytes));
    add_key(p, y, kind);
    bool all = count <= rows;
    for (int i = 0, shown = 0; i < p->t.count; i++) {
        const cg_memory *e = &p->t.list[i];
        if (e->kind != kind) continue;
        if (all || shown < rows - 1) {
            add_row(p, *y, e);
            *y += ROW;
            shown++;
        } else {
            left_out++;
            rest += e->bytes;
        }
    }
    if (left_out) {
        add_text(p, LIST_LEFT + 18, *y, "dim", ir_format(p->s.arena, "and %d more", left_out));
        add_text(p, LIST_RIGHT, *y, "end dim", cg_amount(p->s.arena, rest));
        *y += ROW;
    }
    *y += 6;
}

static void add_lists(picture *p) {
    double y = TOP + 4;
    add_text(p, LIST_LEFT, y, "head", "In the arena");
    y += ROW + 2;
    add_key(p, &y, CG_MEMORY_VALUE);
    add_key(p, &y, CG_MEMORY_MEMBER);
    add_key(p, &y, CG_MEMORY_SCRATCH);
    y += ROW;
    add_text(p, LIST_LEFT, y, "head", "Outside");
    y += ROW + 2;
    add_list(p, &y, CG_MEMORY_INPUT, 4);
    add_list(p, &y, CG_MEMORY_OUTPUT, 4);
    add_list(p, &y, CG_MEMORY_PREPARED, (int)((HEIGHT - 12 - y) / ROW) - 1);
}

static void add_heading(picture *p) {
    const cg_model *m = p->m;
    add_text(p, LEFT, 26, "title", ir_format(p->s.arena, "%s: the memory of a run", m->name));
    add_text(p, LEFT, 46, "dim",
             ir_format(
                 p->s.arena,
                 "%d layers from left to right, addresses of the arena upwards; point at a rectangle for its "
                 "shape, bytes and lifetime; red: the layers that need most",
                 m->n_layers));
}

const char *cg_memory_svg(const cg_model *m) {
    picture p = {.s = {.arena = m->arena}, .m = m, .t = cg_memory_list(m)};
    cg_add(&p.s,
           "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
           "role=\"img\">\n"
           "<title>%s: memory</title>\n",
           WIDTH, HEIGHT, WIDTH, HEIGHT, m->name);
    cg_add_string(&p.s, style);
    cg_add(&p.s, "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", WIDTH, HEIGHT);
    add_heading(&p);
    add_axes(&p);
    add_peak_columns(&p);
    for (int i = 0; i < p.t.count; i++)
        if (cg_in_arena(&p.t.list[i])) add_piece(&p, &p.t.list[i]);
    add_peak_lines(&p);
    add_bars(&p);
    add_names(&p);
    add_lists(&p);
    cg_add_string(&p.s, "</svg>\n");
    return cg_string(&p.s);
}
