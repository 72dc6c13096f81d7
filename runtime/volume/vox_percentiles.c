/* SPDX-License-Identifier: MIT-0 */
/* vox_percentiles.c: percentiles without sorting: see vox_intensity.h.
 *
 * A float's bits, with those of negative ones inverted and the others' sign set, are ordered as the floats are.
 * Three passes count by 11, 11 and 10 of these 32 bits, from the top, what begins as the values that are sought
 * do; each tells so many bits more of them.
 */
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include "vox_intensity.h"
#include "vox_parallel.h"

enum { TASKS = 64, BINS = 2048, SOUGHT = 4, GROUP = 16 };
typedef struct counts {
    uint32_t bin[SOUGHT][BINS];
} counts;
_Static_assert(VOX_PERCENTILES_BYTES == TASKS * sizeof(counts), "what the header says");

/* The value before which `rank` values lie, of those whose keys begin with `prefix`. */
typedef struct sought {
    size_t rank;
    uint32_t prefix;
} sought;

typedef struct pass {
    const float *x;
    size_t n;
    int shift, bits; /* of the keys: which this pass counts by */
    int prefixes;    /* different ones of what is sought; 0: the first pass */
    uint32_t prefix[SOUGHT];
    counts *part; /* [TASKS] */
} pass;

static uint32_t key_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits ^ ((0 - (bits >> 31)) | 0x80000000u);
}
static double value_of(uint32_t key) {
    const uint32_t bits = key ^ (((key >> 31) - 1) | 0x80000000u);
    float x;
    memcpy(&x, &bits, sizeof x);
    return (double)x;
}

/* Of everything; neighbours, which often are the same, count in different places. */
static void count_all(const pass *p, const float *x, size_t n, counts *to) {
    size_t i = 0;
    for (; i + SOUGHT <= n; i += SOUGHT) {
        for (size_t k = 0; k < SOUGHT; k++) to->bin[k][key_of(x[i + k]) >> p->shift]++;
    }
    for (; i < n; i++) to->bin[0][key_of(x[i]) >> p->shift]++;
}

static bool begins(const pass *p, uint32_t key) {
    const uint32_t first = key >> p->shift >> p->bits;
    return (first == p->prefix[0]) | (first == p->prefix[1]) | (first == p->prefix[2]) |
           (first == p->prefix[3]);
}

/* Of what begins as one of the prefixes do: most groups hold nothing of it, which vectors find out. */
static void count_some(const pass *p, const float *x, size_t n, counts *to) {
    const uint32_t last = (1u << p->bits) - 1;
    for (size_t i = 0; i < n; i += GROUP) {
        const size_t end = n - i < GROUP ? n : i + GROUP;
        int any = 0;
        for (size_t k = i; k < end; k++) any |= begins(p, key_of(x[k]));
        for (size_t k = any ? i : end; k < end; k++) {
            const uint32_t key = key_of(x[k]) >> p->shift;
            for (int b = 0; b < p->prefixes; b++) to->bin[b][key & last] += key >> p->bits == p->prefix[b];
        }
    }
}

static void count_part(void *argument, int task) {
    const pass *p = argument;
    const size_t share = p->n / TASKS, rest = p->n % TASKS, t = (size_t)task;
    const size_t at = share * t + (t < rest ? t : rest), n = share + (t < rest);
    counts *to = &p->part[task];
    memset(to, 0, sizeof *to);
    if (p->prefixes == 0) {
        count_all(p, p->x + at, n, to);
    } else {
        count_some(p, p->x + at, n, to);
    }
}

static size_t count_of(const pass *p, int k, uint32_t bin) {
    size_t sum = 0;
    for (int t = 0; t < TASKS; t++) {
        if (p->prefixes > 0) {
            sum += p->part[t].bin[k][bin];
            continue;
        }
        for (int s = 0; s < SOUGHT; s++) sum += p->part[t].bin[s][bin];
    }
    return sum;
}

/* Each value that is sought gets the bits of its bin. */
static void find_bins(const pass *p, sought *of) {
    for (int i = 0; i < SOUGHT; i++) {
        int k = 0;
        uint32_t bin = 0;
        while (p->prefixes > 0 && p->prefix[k] != of[i].prefix) k++;
        for (size_t count; (count = count_of(p, k, bin)) <= of[i].rank; bin++) of[i].rank -= count;
        of[i].prefix = of[i].prefix << p->bits | bin;
    }
}

static void set_prefixes(pass *p, const sought *of) {
    p->prefixes = 0;
    for (int i = 0; i < SOUGHT; i++) {
        int k = 0;
        while (k < p->prefixes && p->prefix[k] != of[i].prefix) k++;
        if (k == p->prefixes) p->prefix[p->prefixes++] = of[i].prefix;
    }
    for (int k = p->prefixes; k < SOUGHT; k++) p->prefix[k] = p->prefix[0];
}

void vox_percentiles(const float *x, size_t n, const double percent[2], double value[2], void *scratch,
                     const vox_executor *e) {
    static const int shift[] = {21, 10, 0}, bits[] = {11, 11, 10};
    sought of[SOUGHT] = {{0}};
    double part[2];
    for (int i = 0; i < 2; i++) {
        const double at = (double)(n - 1) * (percent[i] / 100);
        of[2 * i].rank = (size_t)at;
        of[2 * i + 1].rank = of[2 * i].rank + (of[2 * i].rank + 1 < n);
        part[i] = at - floor(at);
    }
    pass p = {.x = x, .n = n, .part = scratch};
    for (int i = 0; i < 3; i++) {
        p.shift = shift[i];
        p.bits = bits[i];
        vox_parallel(e, TASKS, count_part, &p);
        find_bins(&p, of);
        set_prefixes(&p, of);
    }
    for (int i = 0; i < 2; i++) {
        const double a = value_of(of[2 * i].prefix), b = value_of(of[2 * i + 1].prefix);
        /* numpy's two forms, each exact at its end */
        value[i] = part[i] < 0.5 ? a + (b - a) * part[i] : b - (b - a) * (1 - part[i]);
    }
}

void vox_clip_percentiles(float *x, size_t n, const double percent[2], void *scratch, const vox_executor *e) {
    double value[2];
    vox_percentiles(x, n, percent, value, scratch, e);
    vox_clip(x, n, value[0], value[1], e);
}
