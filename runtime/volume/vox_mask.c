/* SPDX-License-Identifier: MIT-0 */
/* vox_mask.c: see vox_mask.h. */
#include "vox_mask.h"

#include <string.h>
#include "vox_load.h"

static size_t rows_of(const int dim[3]) {
    return (size_t)dim[1] * (size_t)dim[2];
}
static size_t words_of(const int dim[3]) {
    return ((size_t)dim[0] + 63) / 64;
}

size_t vox_mask_bytes(const int dim[3]) {
    return rows_of(dim) * words_of(dim) * sizeof(uint64_t);
}

vox_mask vox_mask_in(void *memory, const int dim[3]) {
    return (vox_mask){.dim = {dim[0], dim[1], dim[2]}, .row = words_of(dim), .bits = memory};
}

/* ---- not 0 ----------------------------------------------------------------------------------- */

/* Bit i: values[i] is not 0. Eight bytes that are 0 or 1 become bits by one product, which adds byte k to bit
 * 56 + k. */
static uint64_t pack(const float values[64]) {
    unsigned char set[64];
    uint64_t bits = 0;
    for (int i = 0; i < 64; i++) set[i] = values[i] != 0;
    for (int b = 0; b < 8; b++) {
        uint64_t eight = 0;
        for (int k = 0; k < 8; k++) eight |= (uint64_t)set[8 * b + k] << (8 * k);
        bits |= (eight * 0x0102040810204080u >> 56) << (8 * b);
    }
    return bits;
}

static void add_row(void *argument, int y, int z, int x, const float *values, int n) {
    const vox_mask *m = argument;
    uint64_t *row = m->bits + ((size_t)z * (size_t)m->dim[1] + (size_t)y) * m->row + x / 64;
    for (; n > 0; n -= 64, values += 64) {
        float last[64] = {0};
        if (n < 64) memcpy(last, values, (size_t)n * sizeof *last);
        *row++ |= pack(n < 64 ? last : values);
    }
}

void vox_mask_nonzero(const vox_mask *m, const vox_volume *v, const vox_executor *e) {
    vox_mask written = *m;
    memset(m->bits, 0, vox_mask_bytes(m->dim));
    for (int c = 0; c < v->channels; c++) vox_volume_rows(v, c, add_row, &written, e);
}

/* ---- holes ----------------------------------------------------------------------------------- */

/* Outside is flooded row by row: a row takes what its neighbours in y and z hold and spreads it along x, 64
 * voxels in a few operations. A row that grew makes its neighbours due; sweeps back and forth go over what is
 * due until nothing is. */
typedef struct flood {
    const vox_mask *m;
    uint64_t *outside;  /* as m->bits */
    unsigned char *due; /* of each row */
    uint64_t last;      /* which bits of a row's last word are voxels */
} flood;

size_t vox_mask_fill_bytes(const int dim[3]) {
    return vox_mask_bytes(dim) + rows_of(dim);
}

/* What bits of `seed` (a part of `free`) reach through bits of `free`, towards higher bits: the carry of an
 * addition runs through ones. carry: the voxel before is reached; afterwards, the last of these is. */
static uint64_t spread_up(uint64_t seed, uint64_t free, uint64_t *carry) {
    seed |= free & *carry;
    const uint64_t reached = (free & ((free + seed) ^ free)) | seed;
    *carry = reached >> 63;
    return reached;
}

/* Towards lower bits, over twice the distance in each step. */
static uint64_t spread_down(uint64_t seed, uint64_t free, uint64_t *carry) {
    seed |= free & (*carry << 63);
    for (int s = 1; s < 64; s *= 2) {
        seed |= free & (seed >> s);
        free &= free >> s;
    }
    *carry = seed & 1;
    return seed;
}

static uint64_t free_bits(const flood *f, size_t row, size_t word) {
    const uint64_t bits = ~f->m->bits[row * f->m->row + word];
    return word + 1 == f->m->row ? bits & f->last : bits;
}

/* Voxels of the volume's faces are outside, all of a row in the first or the last of y or z. */
static void begin_row(const flood *f, size_t row, bool face) {
    const size_t words = f->m->row;
    uint64_t *out = f->outside + row * words;
    if (face) {
        for (size_t w = 0; w < words; w++) out[w] = free_bits(f, row, w);
        return;
    }
    memset(out, 0, words * sizeof *out);
    out[0] = free_bits(f, row, 0) & 1;
    out[words - 1] |= free_bits(f, row, words - 1) & (f->last ^ f->last >> 1);
}

/* Whether the row grew. beside: bytes to the rows that lie beside it. */
static bool flood_row(const flood *f, size_t row, const size_t beside[4]) {
    const size_t words = f->m->row;
    uint64_t *out = f->outside + row * words, carry = 0, grew = 0;
    for (size_t w = 0; w < words; w++) {
        const uint64_t free = free_bits(f, row, w), old = out[w];
        uint64_t seed = old;
        for (int k = 0; k < 4; k++) seed |= f->outside[beside[k] * words + w];
        out[w] = spread_up(seed & free, free, &carry);
        grew |= out[w] ^ old;
    }
    carry = 0;
    for (size_t w = words; w-- > 0;) {
        const uint64_t old = out[w];
        out[w] = spread_down(old, free_bits(f, row, w), &carry);
        grew |= out[w] ^ old;
    }
    return grew != 0;
}

/* Rows of the faces are complete from the start, so that every row that can be due has four beside it. */
static bool sweep(const flood *f, bool backwards) {
    const size_t ny = (size_t)f->m->dim[1], nz = (size_t)f->m->dim[2];
    bool any = false;
    for (size_t i = 1; i + 1 < nz; i++) {
        const size_t z = backwards ? nz - 1 - i : i;
        for (size_t k = 1; k + 1 < ny; k++) {
            const size_t row = z * ny + (backwards ? ny - 1 - k : k);
            const size_t beside[4] = {row - 1, row + 1, row - ny, row + ny};
            if (!f->due[row]) continue;
            f->due[row] = 0;
            if (!flood_row(f, row, beside)) continue;
            any = true;
            for (int b = 0; b < 4; b++) f->due[beside[b]] = 1;
        }
    }
    return any;
}

void vox_mask_fill_holes(const vox_mask *m, void *scratch) {
    const size_t rows = rows_of(m->dim), ny = (size_t)m->dim[1], nz = (size_t)m->dim[2];
    const flood f = {.m = m,
                     .outside = scratch,
                     .due = (unsigned char *)scratch + vox_mask_bytes(m->dim),
                     .last = ~(uint64_t)0 >> (64 * m->row - (size_t)m->dim[0])};
    for (size_t row = 0; row < rows; row++) {
        const size_t y = row % ny, z = row / ny;
        begin_row(&f, row, y == 0 || y == ny - 1 || z == 0 || z == nz - 1);
    }
    memset(f.due, 1, rows);
    for (bool backwards = false; sweep(&f, backwards); backwards = !backwards) {
    }
    for (size_t row = 0; row < rows; row++) {
        for (size_t w = 0; w < m->row; w++) {
            const uint64_t voxels = w + 1 == m->row ? f.last : ~(uint64_t)0;
            m->bits[row * m->row + w] = voxels & ~f.outside[row * m->row + w];
        }
    }
}

/* ---- box ------------------------------------------------------------------------------------- */

/* Takes a row's lowest and highest 1 into the box; false: it has none. */
static bool widen(const uint64_t *bits, size_t words, int *begin, int *end) {
    size_t first = 0, last = words;
    while (first < words && bits[first] == 0) first++;
    if (first == words) return false;
    while (bits[last - 1] == 0) last--;
    const int low = (int)(64 * first) + __builtin_ctzll(bits[first]);
    const int high = (int)(64 * last) - __builtin_clzll(bits[last - 1]);
    if (low < *begin) *begin = low;
    if (high > *end) *end = high;
    return true;
}

bool vox_mask_box(const vox_mask *m, int begin[3], int end[3]) {
    for (int a = 0; a < 3; a++) {
        begin[a] = m->dim[a];
        end[a] = 0;
    }
    for (int z = 0; z < m->dim[2]; z++) {
        for (int y = 0; y < m->dim[1]; y++) {
            const size_t row = (size_t)z * (size_t)m->dim[1] + (size_t)y;
            if (!widen(m->bits + row * m->row, m->row, &begin[0], &end[0])) continue;
            if (y < begin[1]) begin[1] = y;
            if (y + 1 > end[1]) end[1] = y + 1;
            if (z < begin[2]) begin[2] = z;
            end[2] = z + 1;
        }
    }
    const bool found = end[2] > 0;
    for (int a = 0; a < 3 && !found; a++) {
        begin[a] = 0;
        end[a] = m->dim[a];
    }
    return found;
}
