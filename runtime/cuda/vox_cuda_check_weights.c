/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_check_weights.c: packed weights against the file's numbers, element by element as they lie in
 * memory. Written without the packing's code: the layouts are those that vox_cuda_model.h states.
 */
#include "vox_cuda_handle.h"

#include <math.h>
#include <string.h>

#include "vox_model.h"

enum { SAMPLES = 512 };

static double file_number(const unsigned char *file, size_t offset, size_t index) {
    float value;
    memcpy(&value, file + offset + index * sizeof value, sizeof value);
    return (double)value;
}

/* Of output channel o, input channel i, position p; zero where there is none of these. */
static double tap(const vox_cuda_weight *w, const unsigned char *file, size_t o, size_t i, size_t p) {
    const size_t k = (size_t)w->k, c = (size_t)w->c, positions = (size_t)w->positions;
    if (o >= k || i >= c || p >= positions) return 0;
    const size_t pair = w->pack == VOX_CUDA_PACK_SCATTER ? i * k + o : o * c + i;
    return file_number(file, w->file[0], pair * positions + p);
}

static double channel(const vox_cuda_weight *w, const unsigned char *file, size_t c) {
    if (c >= (size_t)w->c) return 0;
    if (w->pack == VOX_CUDA_PACK_VECTOR) return file_number(file, w->file[0], w->count == 1 ? 0 : c);
    const double factor = file_number(file, w->file[0], c) / sqrt(file_number(file, w->file[1], c) + w->eps);
    if (w->pack == VOX_CUDA_PACK_NORM_SCALE) return factor;
    return file_number(file, w->file[2], c) - file_number(file, w->file[3], c) * factor;
}

/* What element `index` of the packed weight must be. */
static double wanted_value(const vox_cuda_weight *w, const unsigned char *file, size_t index) {
    const size_t pitch = w->pitch ? (size_t)w->pitch : 1, row = index / pitch, column = index % pitch;
    const size_t positions = w->positions ? (size_t)w->positions : 1;
    const size_t area = w->depth ? positions / (size_t)w->depth : 1;
    switch (w->pack) {
    case VOX_CUDA_PACK_FILTER:
        return tap(w, file, row / positions, column, row % positions);
    case VOX_CUDA_PACK_SCATTER:
        return tap(w, file, row % (size_t)w->k, column, row / (size_t)w->k);
    case VOX_CUDA_PACK_FIRST:
        return tap(w, file, column, row / area % (size_t)w->c, row / area / (size_t)w->c * area + row % area);
    case VOX_CUDA_PACK_COPY:
        return 0; /* compared as bytes */
    case VOX_CUDA_PACK_VECTOR:
    case VOX_CUDA_PACK_NORM_SCALE:
    case VOX_CUDA_PACK_NORM_BIAS:
        return channel(w, file, index);
    }
    return 0;
}

/* Half a unit in the last place of `want` in its type, and half the smallest number's step. */
static double rounding(vox_cuda_store store, double want) {
    const int bits = store == VOX_STORE_F32 ? 24 : store == VOX_STORE_F16 ? 11 : 8;
    const int smallest = store == VOX_STORE_F16 ? -25 : -150;
    int exponent = 0;
    frexp(want, &exponent);
    const int half = exponent - 1 - bits;
    return want == 0 || half < smallest ? ldexp(1, smallest) : ldexp(1, half);
}

double vox_cuda_check_weight(const vox_cuda_weight *w, const unsigned char *file,
                             const unsigned char *packed) {
    const size_t bytes = w->count * vox_dtype_bytes(w->dtype);
    if (w->pack == VOX_CUDA_PACK_COPY)
        return memcmp(packed, file + w->file[0], bytes) == 0 ? 0 : (double)INFINITY;
    const size_t count = w->bytes / vox_cuda_store_bytes(w->store);
    uint64_t random = 1;
    double worst = 0;
    for (size_t i = 0; i < SAMPLES && i < count; i++) {
        const size_t index = count <= SAMPLES ? i : (size_t)(vox_random(&random) % count);
        const double want = wanted_value(w, file, index), got = vox_cuda_get(w->store, packed, index);
        const double error = fabs(got - want) / rounding(w->store, want);
        worst = fmax(worst, isnan(error) ? (double)INFINITY : error);
    }
    return worst;
}
