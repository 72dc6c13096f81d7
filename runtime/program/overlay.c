/* SPDX-License-Identifier: MIT-0 */
/* overlay.c: see overlay.h. */
#ifdef VOX_WITH_NIFTI
#include "overlay.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

#include "report.h"
#include "whole.h"

enum { SHORTEST_SIDE = 256, LONGEST_SIDE = 1024, GAP = 8, HISTOGRAM = 4096, LETTER_SCALE = 2 };

/* One slice. Its picture's columns and rows run along file axes u and v of the volume. */
typedef struct panel {
    int u, v, through; /* file axes */
    bool reverse_u, reverse_v;
    int slice;                    /* along `through` */
    int left, top, width, height; /* pixels */
    char letter;                  /* at the left edge; 0: none */
} panel;

typedef struct canvas {
    int width, height;
    unsigned char *rgb;
} canvas;

/* ---- where things are ------------------------------------------------------------------------ */

/* The voxel of n that a coordinate lies in. */
static int nearest_voxel(double at, int n) {
    return (int)vox_whole(round(at), 0, n - 1);
}

static void centre_of_labels(const vox_volume *v, const uint16_t *labels, int centre[3]) {
    double sum[3] = {0}, n = 0;
    for (int z = 0; z < v->dim[2]; z++) {
        for (int y = 0; y < v->dim[1]; y++) {
            for (int x = 0; x < v->dim[0]; x++) {
                if (*labels++ == 0) continue;
                sum[0] += x;
                sum[1] += y;
                sum[2] += z;
                n++;
            }
        }
    }
    for (int k = 0; k < 3; k++) centre[k] = n > 0 ? nearest_voxel(sum[k] / n, v->dim[k]) : v->dim[k] / 2;
}

/* World axes: 0 right, 1 anterior, 2 superior. Columns towards `to_u` of the world, rows downwards against
 * `up`. */
static panel plan_panel(const vox_geometry *g, int world_u, bool u_ascends, int world_v,
                        const int centre[3]) {
    panel p = {0};
    for (int k = 0; k < 3; k++) {
        if (g->world[k] == world_u) p.u = k;
        if (g->world[k] == world_v) p.v = k;
    }
    p.through = 3 - p.u - p.v;
    p.slice = centre[p.through];
    p.reverse_u = (g->flipped[p.u] == 0) != u_ascends;
    p.reverse_v = g->flipped[p.v] == 0; /* row 0 is the top: the largest world coordinate */
    p.letter = g->form == VOX_FORM_NONE ? 0 : world_u == 0 ? 'R' : 'A';
    return p;
}

static double side(const vox_volume *v, int axis) {
    bool known = v->spacing[0] > 0 && v->spacing[1] > 0 && v->spacing[2] > 0;
    return v->dim[axis] * (known ? v->spacing[axis] : 1);
}

static int pixels(double mm, double scale) {
    return (int)vox_whole(rint(mm * scale), 1, LONGEST_SIDE);
}

static canvas place_panels(panel panels[3], const vox_volume *v) {
    double shortest = INFINITY, longest = 0;
    for (int k = 0; k < 3; k++) {
        shortest = fmin(shortest, side(v, k));
        longest = fmax(longest, side(v, k));
    }
    double scale = fmin(SHORTEST_SIDE / shortest, LONGEST_SIDE / longest);
    canvas c = {.width = GAP, .height = 0};
    for (int i = 0; i < 3; i++) {
        panels[i].width = pixels(side(v, panels[i].u), scale);
        panels[i].height = pixels(side(v, panels[i].v), scale);
        panels[i].left = c.width;
        c.width += panels[i].width + GAP;
        if (panels[i].height > c.height) c.height = panels[i].height;
    }
    for (int i = 0; i < 3; i++) panels[i].top = GAP + (c.height - panels[i].height) / 2;
    c.height += 2 * GAP;
    return c;
}

/* ---- grey ------------------------------------------------------------------------------------ */

static void grey_window(const vox_volume *v, double *low, double *high) {
    size_t count[HISTOGRAM] = {0}, n = vox_volume_voxels(v), seen = 0;
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, (double)v->data[i]);
        most = fmax(most, (double)v->data[i]);
    }
    *low = least;
    *high = most;
    if (!(most > least)) return;
    for (size_t i = 0; i < n; i++) {
        double part = ((double)v->data[i] - least) / (most - least);
        count[vox_whole(part * (HISTOGRAM - 1), 0, HISTOGRAM - 1)]++;
    }
    for (int b = 0; b < HISTOGRAM; b++) {
        seen += count[b];
        if ((double)seen >= 0.995 * (double)n) {
            *high = least + (most - least) * (b + 1) / HISTOGRAM;
            return;
        }
    }
}

static size_t voxel(const vox_volume *v, const panel *p, int u, int w) {
    int at[3] = {0};
    at[p->u] = u;
    at[p->v] = w;
    at[p->through] = p->slice;
    return ((size_t)at[2] * (size_t)v->dim[1] + (size_t)at[1]) * (size_t)v->dim[0] + (size_t)at[0];
}

/* Voxel coordinate under the middle of pixel i of n. */
static double under(int i, int n, int voxels, bool reverse) {
    double at = (i + 0.5) * voxels / n - 0.5;
    at = at < 0 ? 0 : at > voxels - 1 ? voxels - 1 : at;
    return reverse ? voxels - 1 - at : at;
}

static double interpolate(const vox_volume *v, const panel *p, double u, double w) {
    int u0 = (int)vox_whole(u, 0, v->dim[p->u] - 1), w0 = (int)vox_whole(w, 0, v->dim[p->v] - 1);
    int u1 = u0 + (u0 < v->dim[p->u] - 1), w1 = w0 + (w0 < v->dim[p->v] - 1);
    double a = (double)v->data[voxel(v, p, u0, w0)], b = (double)v->data[voxel(v, p, u1, w0)];
    double c = (double)v->data[voxel(v, p, u0, w1)], d = (double)v->data[voxel(v, p, u1, w1)];
    u -= u0;
    w -= w0;
    return (1 - w) * ((1 - u) * a + u * b) + w * ((1 - u) * c + u * d);
}

/* ---- drawing --------------------------------------------------------------------------------- */

static int label_at(const vox_volume *v, const panel *p, const uint16_t *labels, int x, int y) {
    if (x < 0 || y < 0 || x >= p->width || y >= p->height) return 0;
    int u = nearest_voxel(under(x, p->width, v->dim[p->u], p->reverse_u), v->dim[p->u]);
    int w = nearest_voxel(under(y, p->height, v->dim[p->v], p->reverse_v), v->dim[p->v]);
    return labels[voxel(v, p, u, w)];
}

static void draw_panel(const canvas *c, const panel *p, const vox_volume *v, const uint16_t *labels,
                       double low, double high) {
    for (int y = 0; y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            unsigned char *rgb =
                c->rgb + 3 * ((size_t)(p->top + y) * (size_t)c->width + (size_t)(p->left + x));
            double value = interpolate(v, p, under(x, p->width, v->dim[p->u], p->reverse_u),
                                       under(y, p->height, v->dim[p->v], p->reverse_v));
            double gray = high > low ? fmin(fmax((value - low) / (high - low), 0), 1) * 255 : 0;
            int label = label_at(v, p, labels, x, y);
            /* A line one pixel wide where the label ends, a veil inside. */
            bool edge =
                label_at(v, p, labels, x - 1, y) != label || label_at(v, p, labels, x + 1, y) != label ||
                label_at(v, p, labels, x, y - 1) != label || label_at(v, p, labels, x, y + 1) != label;
            double veil = label == 0 ? 0 : edge ? 1 : 0.35;
            unsigned char colour[3] = {0};
            if (label != 0) vox_overlay_colour(label, colour);
            for (int k = 0; k < 3; k++)
                rgb[k] = (unsigned char)vox_whole(round((1 - veil) * gray + veil * colour[k]), 0, 255);
        }
    }
}

static void draw_letter(const canvas *c, const panel *p) {
    if (p->letter == 0) return;
    static const unsigned char glyphs[2][7] = {{0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11},  /* A */
                                               {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11}}; /* R */
    const unsigned char *rows = glyphs[p->letter == 'R'];
    for (int y = 0; y < 7 * LETTER_SCALE; y++) {
        for (int x = 0; x < 5 * LETTER_SCALE; x++) {
            if ((rows[y / LETTER_SCALE] >> (4 - x / LETTER_SCALE) & 1) == 0) continue;
            int row = p->top + p->height / 2 - 7 + y, column = p->left + 4 + x;
            if (row < 0 || row >= c->height || column >= c->width) continue;
            memset(c->rgb + 3 * ((size_t)row * (size_t)c->width + (size_t)column), 255, 3);
        }
    }
}

/* ---- PNG ------------------------------------------------------------------------------------- */

static void on_error(png_structp png, png_const_charp text) {
    (void)text;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static int write_png(const vox_output *file, const canvas *c) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL) {
        png_destroy_write_struct(&png, NULL);
        return vox_fail_memory("a picture", 0);
    }
    if (setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return vox_output_error(file);
    }
    png_init_io(png, file->file);
    png_set_IHDR(png, info, (png_uint_32)c->width, (png_uint_32)c->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < c->height; y++) png_write_row(png, c->rgb + 3 * (size_t)y * (size_t)c->width);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return 0;
}

int vox_overlay_write(const vox_output *file, const vox_volume *v, const vox_geometry *g,
                      const uint16_t *labels) {
    int centre[3];
    double low, high;
    centre_of_labels(v, labels, centre);
    grey_window(v, &low, &high);
    panel panels[3] = {
        plan_panel(g, 1, false, 2, centre), /* sagittal: anterior on the left */
        plan_panel(g, 0, false, 2, centre), /* coronal: the patient's right on the left */
        plan_panel(g, 0, false, 1, centre), /* axial */
    };
    canvas c = place_panels(panels, v);
    c.rgb = calloc((size_t)c.width * (size_t)c.height, 3);
    if (c.rgb == NULL) return vox_fail_memory("a picture", (size_t)c.width * (size_t)c.height * 3);
    for (int i = 0; i < 3; i++) {
        draw_panel(&c, &panels[i], v, labels, low, high);
        draw_letter(&c, &panels[i]);
    }
    int code = write_png(file, &c);
    free(c.rgb);
    return code;
}
#endif
