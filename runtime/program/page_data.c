/* SPDX-License-Identifier: MIT-0 */
/* page_data.c: a volume's greys and labels as a page holds them; see page_parts.h. */
#ifdef VOX_WITH_NIFTI
#include "page_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "report.h"

enum {
    LONGEST_AXIS = 320,
    MOST_VOXELS = 20000000, /* some 40 MB in a browser, and 10 in a file of a head */
    MOST_BYTES = 10000000,  /* of packed greys: 13 MB of base64 */
    LEAST_LEVELS = 64,
    SAMPLES = 16, /* slices that tell how well greys pack */
    LINE = 4096,  /* of base64: editors dislike longer ones */
    MEMORY_LEVEL = 9,
    BLOCK = 1 << 16
};

/* ---- the grid -------------------------------------------------------------------------------- */

static void choose_factors(vox_page_grid *g) {
    const vox_view *view = g->view;
    for (;;) {
        int longest = 0;
        size_t n = 1;
        for (int a = 0; a < 3; a++) {
            g->dim[a] = (view->volume.dim[a] + g->factor[a] - 1) / g->factor[a];
            n *= (size_t)g->dim[a];
            if (g->dim[a] > g->dim[longest]) longest = a;
        }
        if (g->dim[longest] <= LONGEST_AXIS && n <= MOST_VOXELS) break;
        g->factor[longest]++;
    }
}

void vox_page_grid_free(vox_page_grid *g) {
    free(g->index);
    g->index = NULL;
}

/* The view's voxels that voxel `at` of the page stands for. */
static void range_of(const vox_page_grid *g, int axis, int at, int *begin, int *end) {
    *begin = at * g->factor[axis];
    *end = *begin + g->factor[axis];
    if (*end > g->view->volume.dim[axis]) *end = g->view->volume.dim[axis];
}

/* ---- base64 ---------------------------------------------------------------------------------- */

static void put_three(vox_base64 *b) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *w = b->waiting;
    const char text[4] = {digits[w[0] >> 2], digits[(w[0] & 3) << 4 | w[1] >> 4],
                          b->n > 1 ? digits[(w[1] & 15) << 2 | w[2] >> 6] : '=',
                          b->n > 2 ? digits[w[2] & 63] : '='};
    fwrite(text, 1, sizeof text, b->to);
    b->n = 0;
    memset(b->waiting, 0, sizeof b->waiting);
    b->column += (int)sizeof text;
    if (b->column < LINE) return;
    fputc('\n', b->to);
    b->column = 0;
}

void vox_base64_put(vox_base64 *b, const void *data, size_t n) {
    const unsigned char *p = data;
    for (size_t i = 0; i < n; i++) {
        b->waiting[b->n++] = p[i];
        if (b->n == 3) put_three(b);
    }
}

void vox_base64_end(vox_base64 *b) {
    if (b->n > 0) put_three(b);
}

/* ---- compressing ----------------------------------------------------------------------------- */

typedef struct packer {
    z_stream z;
    vox_base64 text;
    unsigned char block[BLOCK];
} packer;

static packer *open_packer(FILE *to, int strategy) {
    packer *p = calloc(1, sizeof *p);
    if (p == NULL) return NULL;
    p->text.to = to;
    if (deflateInit2(&p->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS, MEMORY_LEVEL, strategy) == Z_OK)
        return p;
    free(p);
    return NULL;
}

static void pack(packer *p, unsigned char *data, size_t n, int flush) {
    p->z.next_in = data;
    p->z.avail_in = (uInt)n;
    do {
        p->z.next_out = p->block;
        p->z.avail_out = BLOCK;
        deflate(&p->z, flush);
        vox_base64_put(&p->text, p->block, BLOCK - p->z.avail_out);
    } while (p->z.avail_out == 0);
}

static void close_packer(packer *p) {
    pack(p, p->block, 0, Z_FINISH);
    vox_base64_end(&p->text);
    deflateEnd(&p->z);
    free(p);
}

/* ---- greys ----------------------------------------------------------------------------------- */

/* slab: the view's rows of one slice of the page, [z][y][x], `deep` voxels thick. */
static void reduce_slice(const vox_page_grid *g, const float *slab, int deep, unsigned char *grey) {
    const int *full = g->view->volume.dim;
    for (int y = 0; y < g->dim[1]; y++) {
        for (int x = 0; x < g->dim[0]; x++) {
            int x0, x1, y0, y1;
            double sum = 0;
            range_of(g, 0, x, &x0, &x1);
            range_of(g, 1, y, &y0, &y1);
            for (int c = 0; c < deep; c++) {
                for (int b = y0; b < y1; b++) {
                    const float *row = slab + ((size_t)c * (size_t)full[1] + (size_t)b) * (size_t)full[0];
                    for (int a = x0; a < x1; a++) sum += (double)row[a];
                }
            }
            const double mean = sum / ((double)deep * (x1 - x0) * (y1 - y0));
            *grey++ = (unsigned char)((vox_view_grey(g->view, mean) * (g->levels - 1) + 127) / 255);
        }
    }
}

static void predict(const vox_page_grid *g, const unsigned char *grey, unsigned char *rest) {
    const int *dim = g->dim;
    const size_t width = (size_t)dim[0];
    for (int y = 0; y < dim[1]; y++) {
        for (int x = 0; x < dim[0]; x++, grey++) {
            const int a = x > 0 ? grey[-1] : 0, b = y > 0 ? *(grey - width) : 0;
            const int c = x > 0 && y > 0 ? *(grey - width - 1) : 0;
            const int low = a < b ? a : b, high = a < b ? b : a;
            const int expected = c >= high ? low : c <= low ? high : a + b - c;
            *rest++ = (unsigned char)((unsigned)(*grey - expected) & (unsigned)(g->levels - 1));
        }
    }
}

/* Where slices of greys are made. */
typedef struct greys {
    size_t n;             /* of a slice of the page */
    float *slab;          /* the view's voxels that it stands for */
    unsigned char *bytes; /* [2][n]: the slice, what the predictor leaves of it */
} greys;

static int open_greys(greys *s, const vox_page_grid *g) {
    const int *full = g->view->volume.dim;
    const size_t voxels = (size_t)full[0] * (size_t)full[1] * (size_t)g->factor[2];
    s->n = (size_t)g->dim[0] * (size_t)g->dim[1];
    s->slab = malloc(voxels * sizeof *s->slab);
    s->bytes = malloc(2 * s->n);
    if (s->slab != NULL && s->bytes != NULL) return 0;
    return vox_fail_memory("the page", voxels * sizeof *s->slab + 2 * s->n);
}

static void close_greys(greys *s) {
    free(s->slab);
    free(s->bytes);
}

/* What the predictor leaves of a slice. */
static unsigned char *rest_of(greys *s, const vox_page_grid *g, int z) {
    int begin[3] = {0}, end[3] = {g->view->volume.dim[0], g->view->volume.dim[1], 0};
    range_of(g, 2, z, &begin[2], &end[2]);
    vox_view_box_of(g->view, begin, end, s->slab, NULL);
    reduce_slice(g, s->slab, end[2] - begin[2], s->bytes);
    predict(g, s->bytes, s->bytes + s->n);
    return s->bytes + s->n;
}

/* Noise does not pack, but hides that there are fewer greys: each halving saves a bit a voxel of it. */
static void choose_levels(greys *s, vox_page_grid *g) {
    for (g->levels = 256; g->levels > LEAST_LEVELS; g->levels /= 2) {
        const int step = g->dim[2] / SAMPLES > 0 ? g->dim[2] / SAMPLES : 1;
        size_t count[256] = {0}, all = 0;
        for (int z = step / 2; z < g->dim[2]; z += step, all += s->n) {
            const unsigned char *rest = rest_of(s, g, z);
            for (size_t i = 0; i < s->n; i++) count[rest[i]]++;
        }
        double bits = 0; /* entropy of a voxel */
        for (int i = 0; i < 256; i++) {
            const double share = (double)count[i] / (double)all;
            if (count[i] > 0) bits -= share * log2(share);
        }
        if (bits / 8 * (double)s->n * g->dim[2] <= MOST_BYTES) return;
    }
}

int vox_page_put_greys(const vox_page_grid *g, FILE *to) {
    greys s;
    int code = open_greys(&s, g);
    packer *p = code == 0 ? open_packer(to, Z_RLE) : NULL;
    for (int z = 0; z < g->dim[2] && p != NULL; z++) pack(p, rest_of(&s, g, z), s.n, Z_NO_FLUSH);
    if (code == 0 && p == NULL) code = vox_fail_memory("the page", sizeof *p);
    if (p != NULL) close_packer(p);
    close_greys(&s);
    return code;
}

/* ---- labels ---------------------------------------------------------------------------------- */

static void index_slice(const vox_page_grid *g, int z, unsigned char *bytes) {
    const vox_view *view = g->view;
    const size_t n = (size_t)g->dim[0] * (size_t)g->dim[1];
    int middle[3];
    for (int y = 0; y < g->dim[1]; y++) {
        for (int x = 0; x < g->dim[0]; x++, bytes++) {
            const int at[3] = {x, y, z};
            const uint16_t *label = view->labels;
            for (int a = 0; a < 3; a++) {
                middle[a] = at[a] * g->factor[a] + g->factor[a] / 2;
                if (middle[a] >= view->volume.dim[a]) middle[a] = view->volume.dim[a] - 1;
                label += middle[a] * view->label_stride[a];
            }
            const unsigned index = g->index[*label];
            *bytes = (unsigned char)(index & 255);
            if (g->label_bytes == 2) bytes[n] = (unsigned char)(index >> 8);
        }
    }
}

int vox_page_put_labels(const vox_page_grid *g, FILE *to) {
    const size_t n = (size_t)g->dim[0] * (size_t)g->dim[1] * (size_t)g->label_bytes;
    unsigned char *bytes = malloc(n);
    packer *p = bytes != NULL ? open_packer(to, Z_DEFAULT_STRATEGY) : NULL;
    for (int z = 0; z < g->dim[2] && p != NULL; z++) {
        index_slice(g, z, bytes);
        pack(p, bytes, n, Z_NO_FLUSH);
    }
    if (p != NULL) close_packer(p);
    free(bytes);
    return p != NULL ? 0 : vox_fail_memory("the page", n);
}

/* ---- all of it ------------------------------------------------------------------------------- */

int vox_page_grid_plan(vox_page_grid *g, const vox_view *view) {
    greys s = {0};
    *g = (vox_page_grid){.view = view, .factor = {1, 1, 1}};
    choose_factors(g);
    g->index = calloc(VOX_VIEW_LABELS, sizeof *g->index);
    if (g->index == NULL) return vox_fail_memory("the page", VOX_VIEW_LABELS * sizeof *g->index);
    for (int l = 1; l < VOX_VIEW_LABELS; l++)
        if (view->count[l] > 0) g->index[l] = (uint16_t)++g->labels;
    g->label_bytes = g->labels > 255 ? 2 : 1;
    const int code = open_greys(&s, g);
    if (code == 0) choose_levels(&s, g);
    close_greys(&s);
    return code;
}
#endif
