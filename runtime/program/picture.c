/* SPDX-License-Identifier: MIT-0 */
/* picture.c: see picture.h. */
#ifdef VOX_WITH_NIFTI
#include "picture.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "picture_canvas.h"
#include "picture_view.h"
#include "report.h"
#include "whole.h"

enum {
    SHORTEST_SIDE = 384, /* pixels */
    LONGEST_SIDE = 1024,
    GAP = 8,
    TEXT = 2, /* scale */
    LINE = (VOX_GLYPH_HEIGHT + 2) * TEXT,
    MOST_ENTRIES = 48, /* of the legend */
    MONTAGE_SLICES = 64,
    MONTAGE_SIDE = 192 /* pixels of a slice's longer side */
};

/* ---- a slice --------------------------------------------------------------------------------- */

/* Columns run along the view's axis u, rows along v. */
typedef struct panel {
    int through, u, v, slice;
    int left, top, width, height; /* pixels */
} panel;

static panel panel_through(int axis, int slice) {
    return (panel){.through = axis, .u = axis == 0 ? 1 : 0, .v = axis == 2 ? 1 : 2, .slice = slice};
}

/* Its voxels as they are seen: [dim v][dim u]. */
typedef struct slice {
    int columns, rows;
    float *values;
    uint16_t *labels;
} slice;

static int load_slice(slice *s, const vox_view *view, const panel *p) {
    int begin[3] = {0}, end[3];
    memcpy(end, view->volume.dim, sizeof end);
    begin[p->through] = p->slice;
    end[p->through] = p->slice + 1;
    s->columns = end[p->u];
    s->rows = end[p->v];
    const size_t n = (size_t)s->columns * (size_t)s->rows;
    s->values = malloc(n * sizeof *s->values);
    s->labels = malloc(n * sizeof *s->labels);
    if (s->values == NULL || s->labels == NULL)
        return vox_fail_memory("a picture", n * (sizeof *s->values + sizeof *s->labels));
    /* u < v always, and the box is one voxel thick: its order is that of the slice. */
    vox_view_box_of(view, begin, end, s->values, s->labels);
    return 0;
}

static void free_slice(slice *s) {
    free(s->values);
    free(s->labels);
}

/* Voxel coordinate under the middle of pixel i of n. */
static double under(int i, int n, int voxels) {
    return fmin(fmax((i + 0.5) * voxels / n - 0.5, 0), voxels - 1);
}

static double interpolate(const slice *s, double u, double v) {
    const int u0 = (int)u, v0 = (int)v, u1 = u0 + (u0 < s->columns - 1), v1 = v0 + (v0 < s->rows - 1);
    const float *a = s->values + (size_t)v0 * (size_t)s->columns;
    const float *b = s->values + (size_t)v1 * (size_t)s->columns;
    u -= u0;
    v -= v0;
    return (1 - v) * ((1 - u) * (double)a[u0] + u * (double)a[u1]) +
           v * ((1 - u) * (double)b[u0] + u * (double)b[u1]);
}

static int label_at(const slice *s, const panel *p, int x, int y) {
    if (x < 0 || y < 0 || x >= p->width || y >= p->height) return 0;
    const int u = (int)(under(x, p->width, s->columns) + 0.5);
    const int v = (int)(under(y, p->height, s->rows) + 0.5);
    return s->labels[(size_t)v * (size_t)s->columns + (size_t)u];
}

static void draw_slice(const vox_canvas *c, const vox_view *view, const panel *p, const slice *s) {
    for (int y = 0; y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            const double value = interpolate(s, under(x, p->width, s->columns), under(y, p->height, s->rows));
            const double grey = vox_view_grey(view, value);
            const int label = label_at(s, p, x, y);
            /* A line one pixel wide where the label ends, a veil inside. */
            const bool edge = label_at(s, p, x - 1, y) != label || label_at(s, p, x + 1, y) != label ||
                              label_at(s, p, x, y - 1) != label || label_at(s, p, x, y + 1) != label;
            const double veil = label == 0 ? 0 : edge ? 1 : 0.35;
            unsigned char colour[3] = {0};
            if (label != 0) vox_view_colour(view, label, colour);
            for (int k = 0; k < 3; k++)
                colour[k] = (unsigned char)((1 - veil) * grey + veil * colour[k] + 0.5);
            vox_canvas_pixel(c, p->left + x, p->top + y, colour);
        }
    }
}

static int draw_panel(const vox_canvas *c, const vox_view *view, const panel *p) {
    slice s = {0};
    const int code = load_slice(&s, view, p);
    if (code == 0) draw_slice(c, view, p, &s);
    free_slice(&s);
    return code;
}

/* Where the sides of the panel lie in the patient, as far as there is room. */
static void draw_letters(const vox_canvas *c, const vox_view *view, const panel *p) {
    static const char begin[] = "RAS", end[] = "LPI";
    const int wide = VOX_GLYPH_WIDTH * TEXT, high = (VOX_GLYPH_HEIGHT - 1) * TEXT, margin = 4;
    if (!view->directed) return;
    const int middle_x = p->left + (p->width - wide) / 2, middle_y = p->top + (p->height - high) / 2;
    if (p->width >= 4 * wide) {
        vox_canvas_text(c, p->left + margin, middle_y, TEXT, (char[]){begin[p->u], 0});
        vox_canvas_text(c, p->left + p->width - wide - margin, middle_y, TEXT, (char[]){end[p->u], 0});
    }
    if (p->height >= 4 * high) {
        vox_canvas_text(c, middle_x, p->top + margin, TEXT, (char[]){begin[p->v], 0});
        vox_canvas_text(c, middle_x, p->top + p->height - high - margin, TEXT, (char[]){end[p->v], 0});
    }
}

/* ---- legend ---------------------------------------------------------------------------------- */

typedef struct legend {
    int entries, columns, rows, column_width, height;
    int more; /* labels that have no place */
    int label[MOST_ENTRIES];
} legend;

/* "3 Hippocampus_L" and "7.47 ml", "" where voxel sizes are not known. */
typedef struct entry {
    char name[120], volume[40];
} entry;

static entry entry_of(const vox_view *view, int label) {
    entry e = {.volume = ""};
    const char *name = vox_view_name(view, label);
    const double ml = (double)view->count[label] * vox_view_voxel(view) / 1000;
    snprintf(e.name, sizeof e.name, "%d%s%.96s", label, name ? " " : "", name ? name : "");
    if (ml > 0) snprintf(e.volume, sizeof e.volume, "%.*f ml", ml < 0.1 ? 3 : ml < 10 ? 2 : 1, ml);
    return e;
}

static legend plan_legend(const vox_view *view, int width) {
    legend g = {.more = view->n_labels};
    for (int l = 1; l < VOX_VIEW_LABELS && g.entries < MOST_ENTRIES; l++) {
        if (view->count[l] == 0) continue;
        g.label[g.entries++] = l;
        const entry e = entry_of(view, l);
        const int wide =
            vox_canvas_text_width(e.name, TEXT) + vox_canvas_text_width(e.volume, TEXT) + LINE + 5 * GAP;
        if (wide > g.column_width) g.column_width = wide;
    }
    g.more -= g.entries;
    if (g.entries == 0) return g;
    g.columns = (int)vox_whole((double)(width - GAP) / g.column_width, 1, g.entries);
    g.rows = (g.entries + g.columns - 1) / g.columns;
    g.height = (g.rows + (g.more > 0)) * LINE + GAP;
    return g;
}

static void draw_legend(const vox_canvas *c, const vox_view *view, const legend *g, int top) {
    char text[32];
    for (int i = 0; i < g->entries; i++) {
        const int x = GAP + i / g->rows * g->column_width, y = top + i % g->rows * LINE;
        unsigned char colour[3];
        vox_view_colour(view, g->label[i], colour);
        vox_canvas_fill(c, x, y, (VOX_GLYPH_HEIGHT - 1) * TEXT, (VOX_GLYPH_HEIGHT - 1) * TEXT, colour);
        const entry e = entry_of(view, g->label[i]);
        vox_canvas_text(c, x + LINE, y, TEXT, e.name);
        vox_canvas_text(c, x + g->column_width - 3 * GAP - vox_canvas_text_width(e.volume, TEXT), y, TEXT,
                        e.volume);
    }
    if (g->more == 0) return;
    snprintf(text, sizeof text, "and %d more", g->more);
    vox_canvas_text(c, GAP, top + g->rows * LINE, TEXT, text);
}

/* A bar of 1, 2 or 5 times a power of ten mm, at most a third of the panel, at its lower right. */
static void draw_bar(const vox_canvas *c, const vox_view *view, const panel *p) {
    static const unsigned char black[3] = {0, 0, 0}, white[3] = {255, 255, 255};
    if (!view->sized) return;
    const double per_mm = p->width / (view->size[p->u] * view->volume.dim[p->u]);
    const double most = p->width / 3.0 / per_mm, ten = pow(10, floor(log10(most)));
    const double mm = most >= 5 * ten ? 5 * ten : most >= 2 * ten ? 2 * ten : ten;
    const int length = (int)(mm * per_mm + 0.5), x = p->left + p->width - length - GAP;
    const int y = p->top + p->height - GAP;
    char text[48];
    snprintf(text, sizeof text, mm < 0.01 ? "%g um" : "%g mm", mm < 0.01 ? mm * 1000 : mm);
    if (length < vox_canvas_text_width(text, TEXT) || p->height < 3 * LINE) return;
    vox_canvas_fill(c, x - 1, y - 4, length + 2, 4, black);
    vox_canvas_fill(c, x, y - 3, length, 2, white);
    vox_canvas_text(c, p->left + p->width - GAP - vox_canvas_text_width(text, TEXT), y - 4 - LINE, TEXT,
                    text);
}

static int put_png(const vox_output *file, const vox_canvas *c) {
    const int error = vox_canvas_png(c, file->file);
    if (error == 0) return 0;
    errno = error;
    return error == ENOMEM ? vox_fail_memory("a picture", 0) : vox_output_error(file);
}

/* ---- three slices ---------------------------------------------------------------------------- */

static int pixels(const vox_view *view, int axis, double scale) {
    return (int)vox_whole(rint(view->size[axis] * view->volume.dim[axis] * scale), 1, LONGEST_SIDE);
}

/* Side by side; *height is that of the tallest. Returns the width of all. */
static int place_panels(panel panels[3], const vox_view *view, int *height) {
    double shortest = INFINITY, longest = 0;
    for (int a = 0; a < 3; a++) {
        const double side = view->size[a] * view->volume.dim[a];
        shortest = fmin(shortest, side);
        longest = fmax(longest, side);
    }
    const double scale = fmin(SHORTEST_SIDE / shortest, LONGEST_SIDE / longest);
    int width = GAP;
    *height = 0;
    for (int i = 0; i < 3; i++) {
        panel *p = &panels[i];
        *p = panel_through(i, view->centre[i]);
        p->width = pixels(view, p->u, scale);
        p->height = pixels(view, p->v, scale);
        p->left = width;
        width += p->width + GAP;
        if (p->height > *height) *height = p->height;
    }
    for (int i = 0; i < 3; i++) panels[i].top = GAP + (*height - panels[i].height) / 2;
    return width;
}

static int draw_overlay(vox_canvas *c, const vox_view *view) {
    panel panels[3];
    int height;
    const int width = place_panels(panels, view, &height);
    const legend g = plan_legend(view, width);
    int code = vox_canvas_new(c, width, height + 2 * GAP + g.height);
    for (int i = 0; i < 3 && code == 0; i++) {
        code = draw_panel(c, view, &panels[i]);
        draw_letters(c, view, &panels[i]);
    }
    if (code != 0) return code;
    draw_bar(c, view, &panels[2]);
    draw_legend(c, view, &g, height + 2 * GAP);
    return 0;
}

/* ---- many slices ----------------------------------------------------------------------------- */

static void draw_number(const vox_canvas *c, const vox_view *view, const panel *p) {
    char text[32];
    snprintf(text, sizeof text, "%c %d", "ijk"[view->axes.source[2]], vox_view_file_index(view, 2, p->slice));
    vox_canvas_text(c, p->left + 4, p->top + 4, 1, text);
}

/* Those with labels and a tenth more on either side; all where there are few, or none has labels. */
static void labelled_slices(const vox_view *view, int *first, int *n) {
    const int *dim = view->volume.dim;
    int low = dim[2], high = -1;
    for (int z = 0; z < dim[2]; z++) {
        bool some = false;
        for (int y = 0; y < dim[1] && !some; y++) {
            const uint16_t *label = view->labels + z * view->label_stride[2] + y * view->label_stride[1];
            for (int x = 0; x < dim[0] && !some; x++) some = label[x * view->label_stride[0]] != 0;
        }
        if (!some) continue;
        if (low > z) low = z;
        high = z;
    }
    *first = 0;
    *n = dim[2];
    if (high < 0 || dim[2] <= MONTAGE_SLICES) return;
    const int more = (high - low + 1) / 10;
    *first = low > more ? low - more : 0;
    *n = (high + more < dim[2] ? high + more + 1 : dim[2]) - *first;
}

static int draw_montage(vox_canvas *c, const vox_view *view) {
    const double wide = view->size[0] * view->volume.dim[0], high = view->size[1] * view->volume.dim[1];
    int first, slices;
    labelled_slices(view, &first, &slices);
    const int n = slices < MONTAGE_SLICES ? slices : MONTAGE_SLICES;
    panel p = panel_through(2, 0);
    p.width = pixels(view, 0, MONTAGE_SIDE / fmax(wide, high));
    p.height = pixels(view, 1, MONTAGE_SIDE / fmax(wide, high));
    /* About three wide to two high. */
    const int columns = (int)vox_whole(ceil(sqrt(1.5 * n * p.height / p.width)), 1, n);
    const int rows = (n + columns - 1) / columns;
    const int width = GAP + columns * (p.width + GAP), height = GAP + rows * (p.height + GAP);
    const legend g = plan_legend(view, width);
    int code = vox_canvas_new(c, width, height + g.height);
    for (int i = 0; i < n && code == 0; i++) {
        p.slice = first + (int)((2 * (int64_t)i + 1) * slices / (2 * n));
        p.left = GAP + i % columns * (p.width + GAP);
        p.top = GAP + i / columns * (p.height + GAP);
        code = draw_panel(c, view, &p);
        if (i == 0) draw_letters(c, view, &p);
        draw_number(c, view, &p);
    }
    if (code == 0) draw_legend(c, view, &g, height);
    return code;
}

static int write_picture(const vox_output *file, const vox_picture *p,
                         int (*draw)(vox_canvas *c, const vox_view *view)) {
    vox_view view;
    vox_canvas c = {0};
    int code = vox_view_open(&view, p);
    if (code == 0) code = draw(&c, &view);
    if (code == 0) code = put_png(file, &c);
    vox_canvas_free(&c);
    vox_view_free(&view);
    return code;
}

int vox_overlay_write(const vox_output *file, const vox_picture *p) {
    return write_picture(file, p, draw_overlay);
}

int vox_montage_write(const vox_output *file, const vox_picture *p) {
    return write_picture(file, p, draw_montage);
}
#endif
