/* SPDX-License-Identifier: MIT-0 */
/* vox_surface.c: see vox_surface.h.
 *
 * A label is looked at inside its box, a bit a voxel: masks, from them surfaces, 64 voxels at a time; then
 * the voxels of each surface ask for the nearest of the other. The lines of the box are shared out in PARTS
 * parts, whatever the number of threads, and what the parts found is put together in their order.
 */
#include "vox_surface.h"

#include <math.h>
#include <string.h>

#include "vox_nearest.h"
#include "vox_parallel.h"

enum { PARTS = 64, WORD = 64, ALIGN = 64 };

typedef struct part {
    size_t edges, first; /* voxels of the surface that asks; of those before this part */
    size_t within;       /* not further than the tolerance */
    double sum;
    float most;
} part;

typedef struct measuring {
    const vox_label_pair *p;
    const uint16_t *volume; /* whose mask is made */
    uint16_t label;
    int low[3], dim[3];       /* the label's box */
    size_t words, lines;      /* words of a line of bits; lines of the box */
    uint64_t *mask, *edge[2]; /* [z][y][words] of the box */
    int from;                 /* the surface that asks: 0 the labels', 1 the reference's */
    vox_nearest_tree tree;    /* of the other one */
    float *distance;          /* of each voxel of the surface that asks, in the order of voxels */
    part parts[PARTS];
} measuring;

static size_t first_line(const measuring *m, int index) {
    return m->lines / PARTS * (size_t)index + m->lines % PARTS * (size_t)index / PARTS;
}

static int count_bits(uint64_t w) {
    w -= w >> 1 & 0x5555555555555555u;
    w = (w & 0x3333333333333333u) + (w >> 2 & 0x3333333333333333u);
    w = (w + (w >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return (int)(w * 0x0101010101010101u >> 56);
}

/* ---- masks and surfaces ---------------------------------------------------------------------- */

/* Bit i says whether row[i] is the label; n up to 64. */
static uint64_t equal_bits(const uint16_t *row, int n, uint16_t label) {
    unsigned char hit[WORD] = {0};
    uint64_t bits = 0;
    for (int i = 0; i < n; i++) hit[i] = row[i] == label;
    for (int i = 0; i < WORD; i += 8) {
        uint64_t eight = 0;
        for (int k = 0; k < 8; k++) eight |= (uint64_t)hit[i + k] << 8 * k;
        /* byte k to bit 56 + k */
        bits |= eight * 0x0102040810204080u >> 56 << i;
    }
    return bits;
}

static void fill_mask(void *argument, int index) {
    const measuring *m = argument;
    for (size_t line = first_line(m, index); line < first_line(m, index + 1); line++) {
        const size_t y = (size_t)m->low[1] + line % (size_t)m->dim[1],
                     z = (size_t)m->low[2] + line / (size_t)m->dim[1];
        const uint16_t *row = m->volume + (z * (size_t)m->p->dim[1] + y) * (size_t)m->p->dim[0] + m->low[0];
        for (size_t w = 0; w < m->words; w++) {
            const int n = m->dim[0] - (int)w * WORD;
            m->mask[line * m->words + w] = equal_bits(row + w * WORD, n < WORD ? n : WORD, m->label);
        }
    }
}

static void fill_edge(void *argument, int index) {
    const measuring *m = argument;
    const size_t words = m->words, ny = (size_t)m->dim[1], plane = words * ny;
    uint64_t *edge = m->edge[m->from];
    for (size_t line = first_line(m, index); line < first_line(m, index + 1); line++) {
        const size_t y = line % ny;
        for (size_t w = 0, at = line * words; w < words; w++, at++) {
            const uint64_t *a = m->mask + at;
            uint64_t in = *a;
            in &= *a << 1 | (w > 0 ? a[-1] >> (WORD - 1) : 0);
            in &= *a >> 1 | (w + 1 < words ? a[1] << (WORD - 1) : 0);
            in &= y > 0 ? *(a - words) : 0;
            in &= y + 1 < ny ? a[words] : 0;
            in &= line >= ny ? *(a - plane) : 0;
            in &= line + ny < m->lines ? a[plane] : 0;
            edge[at] = *a & ~in;
        }
    }
}

/* ---- distances ------------------------------------------------------------------------------- */

static void count_edges(void *argument, int index) {
    measuring *m = argument;
    size_t n = 0;
    for (size_t i = first_line(m, index) * m->words; i < first_line(m, index + 1) * m->words; i++)
        n += (size_t)count_bits(m->edge[m->from][i]);
    m->parts[index].edges = n;
}

/* The voxels of a layer of leaves. */
static void plant(void *argument, int layer) {
    measuring *m = argument;
    const uint64_t *edge = m->edge[!m->from];
    for (int z = 4 * layer; z < m->dim[2] && z < 4 * layer + 4; z++) {
        for (int y = 0; y < m->dim[1]; y++) {
            const uint64_t *line = edge + ((size_t)z * (size_t)m->dim[1] + (size_t)y) * m->words;
            for (size_t w = 0; w < m->words; w++)
                for (uint64_t bits = line[w]; bits != 0; bits &= bits - 1)
                    vox_nearest_add(&m->tree, (int)w * WORD + __builtin_ctzll(bits), y, z);
        }
    }
}

static void measure_part(void *argument, int index) {
    measuring *m = argument;
    part *t = &m->parts[index];
    const uint64_t *ours = m->edge[m->from], *theirs = m->edge[!m->from];
    const float tolerance = (float)m->p->tolerance;
    float *distance = m->distance + t->first;
    int near[3] = {-1, -1, -1};
    t->within = 0, t->sum = 0, t->most = 0;
    for (size_t i = first_line(m, index) * m->words; i < first_line(m, index + 1) * m->words; i++) {
        for (uint64_t bits = ours[i]; bits != 0; bits &= bits - 1) {
            const int bit = __builtin_ctzll(bits);
            const size_t line = i / m->words, ny = (size_t)m->dim[1];
            const int at[3] = {(int)(i % m->words) * WORD + bit, (int)(line % ny), (int)(line / ny)};
            float d = 0;
            if (theirs[i] >> bit & 1)
                memcpy(near, at, sizeof near);
            else
                d = (float)sqrt(vox_nearest_find(&m->tree, at, near));
            *distance++ = d;
            t->within += d <= tolerance;
            t->sum += (double)d;
            if (d > t->most) t->most = d;
        }
    }
}

/* The k-th smallest of n numbers from 0 on, k from 0 on: their bits stand in the same order. */
static float kth(const float *x, size_t n, size_t k) {
    uint32_t found = 0, known = 0;
    for (int shift = 24; shift >= 0; shift -= 8) {
        size_t count[256] = {0}, digit = 0;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, &x[i], sizeof bits);
            if ((bits & known) == found) count[bits >> shift & 255]++;
        }
        for (; k >= count[digit]; digit++) k -= count[digit];
        found |= (uint32_t)digit << shift;
        known |= (uint32_t)255 << shift;
    }
    float value;
    memcpy(&value, &found, sizeof value);
    return value;
}

static double percentile95(const float *x, size_t n) {
    const double at = 0.95 * (double)(n - 1);
    const size_t k = (size_t)at;
    const double below = (double)kth(x, n, k), share = at - (double)k;
    return share > 0 ? below + share * ((double)kth(x, n, k + 1) - below) : below;
}

/* Asks from m->from; adds to what s says, whose mean and dice are sums as yet. */
static void measure(measuring *m, void *memory, vox_surface *s, const vox_executor *e) {
    vox_nearest_begin(&m->tree, m->dim, m->p->spacing, memory);
    vox_parallel(e, (m->dim[2] + 3) / 4, plant, m);
    vox_nearest_end(&m->tree);
    vox_parallel(e, PARTS, count_edges, m);
    size_t n = 0;
    for (int i = 0; i < PARTS; i++) {
        m->parts[i].first = n;
        n += m->parts[i].edges;
    }
    vox_parallel(e, PARTS, measure_part, m);
    for (int i = 0; i < PARTS; i++) {
        s->mean += m->parts[i].sum;
        s->dice += (double)m->parts[i].within;
        s->hausdorff = fmax(s->hausdorff, (double)m->parts[i].most);
    }
    s->hausdorff95 = fmax(s->hausdorff95, percentile95(m->distance, n));
    *(m->from == 0 ? &s->voxels : &s->reference) = n;
}

/* ---- a label --------------------------------------------------------------------------------- */

static size_t round_up(size_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

static int in_both(const vox_overlap *o) {
    return o->voxels > 0 && o->reference > 0;
}

static void box_of(const vox_overlap *o, measuring *m) {
    for (int k = 0; k < 3; k++) {
        m->low[k] = o->low[k];
        m->dim[k] = o->high[k] - o->low[k] + 1;
    }
    m->words = ((size_t)m->dim[0] + WORD - 1) / WORD;
    m->lines = (size_t)m->dim[1] * (size_t)m->dim[2];
}

static size_t bits_bytes(const measuring *m) {
    return round_up(m->words * m->lines * sizeof(uint64_t));
}

size_t vox_surface_bytes(const vox_overlap *o) {
    if (!in_both(o)) return ALIGN;
    measuring m;
    box_of(o, &m);
    const size_t most = o->voxels > o->reference ? o->voxels : o->reference;
    return 3 * bits_bytes(&m) + vox_nearest_bytes(m.dim) + round_up(most * sizeof(float));
}

static int valid(const vox_label_pair *p, const vox_overlap *o, const vox_surface *s, const void *scratch) {
    if (p == NULL || o == NULL || s == NULL || scratch == NULL) return 0;
    if (p->labels == NULL || p->reference == NULL || !(p->tolerance >= 0)) return 0;
    for (int k = 0; k < 3; k++) {
        if (!(p->spacing[k] > 0 && p->spacing[k] < INFINITY)) return 0;
        if (in_both(o) && !(o->low[k] >= 0 && o->low[k] <= o->high[k] && o->high[k] < p->dim[k])) return 0;
    }
    return o->label >= 0 && o->label < VOX_LABELS;
}

vox_status vox_surface_measure(const vox_label_pair *p, const vox_overlap *o, vox_surface *s, void *scratch,
                               size_t bytes, const vox_executor *e) {
    if (!valid(p, o, s, scratch)) return VOX_E_ARGUMENT;
    if (bytes < vox_surface_bytes(o)) return VOX_E_ARENA_SIZE;
    if ((uintptr_t)scratch % ALIGN != 0) return VOX_E_ARENA_ALIGN;
    *s = (vox_surface){0};
    if (!in_both(o)) {
        const int any = o->voxels + o->reference > 0;
        s->hausdorff = s->hausdorff95 = s->mean = any ? (double)INFINITY : (double)NAN;
        s->dice = any ? 0 : (double)NAN;
        return VOX_OK;
    }
    measuring m = {.p = p, .label = (uint16_t)o->label};
    box_of(o, &m);
    unsigned char *memory = scratch;
    m.mask = (uint64_t *)memory;
    m.edge[0] = (uint64_t *)(memory + bits_bytes(&m));
    m.edge[1] = (uint64_t *)(memory + 2 * bits_bytes(&m));
    memory += 3 * bits_bytes(&m);
    m.distance = (float *)(memory + vox_nearest_bytes(m.dim));
    for (m.from = 0; m.from < 2; m.from++) {
        m.volume = m.from == 0 ? p->labels : p->reference;
        vox_parallel(e, PARTS, fill_mask, &m);
        vox_parallel(e, PARTS, fill_edge, &m);
    }
    for (m.from = 0; m.from < 2; m.from++) measure(&m, memory, s, e);
    const double all = (double)(s->voxels + s->reference);
    s->mean /= all;
    s->dice /= all;
    return VOX_OK;
}
