/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_weights.c: from the weight file to device memory: filters with channels last and padded, in the
 * type of the convolutions' operands; what own kernels read as float.
 */
#include "vox_cuda_handle.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "vox_weights.h"

/* ---- numbers --------------------------------------------------------------------------------- */

size_t vox_cuda_store_bytes(vox_cuda_store store) {
    static const size_t bytes[] = {[VOX_STORE_F32] = 4, [VOX_STORE_F16] = 2, [VOX_STORE_BF16] = 2,
                                   [VOX_STORE_I64] = 8, [VOX_STORE_I32] = 4, [VOX_STORE_U8] = 1};
    return bytes[store];
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* To nearest, ties to even; what is too large becomes infinity. */
static uint16_t to_f16(float value) {
    const uint32_t bits = bits_of(value);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000u);
    const float size = fabsf(value);
    if (isnan(value)) return (uint16_t)(sign | 0x7e00u);
    if (size >= 65520.0f) return (uint16_t)(sign | 0x7c00u);
    if (size < 0x1p-14f) return (uint16_t)(sign | (uint16_t)lrintf(size * 0x1p24f)); /* denormal */
    const uint32_t shifted = (bits & 0x7fffffffu) - ((127u - 15u) << 23);
    return (uint16_t)(sign | (shifted + 0xfffu + (shifted >> 13 & 1u)) >> 13);
}

static uint16_t to_bf16(float value) {
    const uint32_t bits = bits_of(value);
    if (isnan(value)) return (uint16_t)(bits >> 16 | 0x40u);
    return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static double from_f16(uint16_t half) {
    const int exponent = half >> 10 & 31, fraction = half & 1023;
    const double sign = half & 0x8000 ? -1 : 1;
    if (exponent == 31) return fraction ? (double)NAN : sign * (double)INFINITY;
    return sign * (exponent ? ldexp(fraction + 1024, exponent - 25) : ldexp(fraction, -24));
}

static double from_bf16(uint16_t half) {
    const uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return (double)value;
}

double vox_cuda_get(vox_cuda_store store, const void *data, size_t index) {
    switch (store) {
    case VOX_STORE_F32:
        return (double)((const float *)data)[index];
    case VOX_STORE_F16:
        return from_f16(((const uint16_t *)data)[index]);
    case VOX_STORE_BF16:
        return from_bf16(((const uint16_t *)data)[index]);
    case VOX_STORE_I64:
        return (double)((const int64_t *)data)[index];
    case VOX_STORE_I32:
        return (double)((const int32_t *)data)[index];
    case VOX_STORE_U8:
        return (double)((const uint8_t *)data)[index];
    }
    return 0;
}

void vox_cuda_put(vox_cuda_store store, void *data, size_t index, double value) {
    if (store == VOX_STORE_F32) ((float *)data)[index] = (float)value;
    if (store == VOX_STORE_F16) ((uint16_t *)data)[index] = to_f16((float)value);
    if (store == VOX_STORE_BF16) ((uint16_t *)data)[index] = to_bf16((float)value);
    if (store == VOX_STORE_I64) ((int64_t *)data)[index] = (int64_t)value;
    if (store == VOX_STORE_I32) ((int32_t *)data)[index] = (int32_t)value;
    if (store == VOX_STORE_U8) ((uint8_t *)data)[index] = (uint8_t)value;
}

/* ---- packing --------------------------------------------------------------------------------- */

static double read_float(const unsigned char *file, size_t offset, size_t index) {
    float value;
    memcpy(&value, file + offset + index * sizeof value, sizeof value);
    return (double)value;
}

/* [K][C][k] -> [rows][k][pitch] */
static void pack_filter(const vox_cuda_weight *w, const unsigned char *file, unsigned char *to) {
    const size_t c = (size_t)w->c, positions = (size_t)w->positions, pitch = (size_t)w->pitch;
    for (size_t o = 0; o < (size_t)w->k; o++)
        for (size_t i = 0; i < c; i++)
            for (size_t p = 0; p < positions; p++)
                vox_cuda_put(w->store, to, (o * positions + p) * pitch + i,
                             read_float(file, w->file[0], (o * c + i) * positions + p));
}

/* [C][K][k] -> [k][K][pitch] */
static void pack_scatter(const vox_cuda_weight *w, const unsigned char *file, unsigned char *to) {
    const size_t k = (size_t)w->k, positions = (size_t)w->positions, pitch = (size_t)w->pitch;
    for (size_t i = 0; i < (size_t)w->c; i++)
        for (size_t o = 0; o < k; o++)
            for (size_t p = 0; p < positions; p++)
                vox_cuda_put(w->store, to, (p * k + o) * pitch + i,
                             read_float(file, w->file[0], (i * k + o) * positions + p));
}

/* [K][C][kD][area] -> [kD][C][area][pitch] */
static void pack_first(const vox_cuda_weight *w, const unsigned char *file, unsigned char *to) {
    const size_t depth = (size_t)w->depth, area = (size_t)w->positions / depth, c = (size_t)w->c;
    for (size_t o = 0; o < (size_t)w->k; o++)
        for (size_t i = 0; i < c; i++)
            for (size_t d = 0; d < depth; d++)
                for (size_t p = 0; p < area; p++)
                    vox_cuda_put(w->store, to, ((d * c + i) * area + p) * (size_t)w->pitch + o,
                                 read_float(file, w->file[0], ((o * c + i) * depth + d) * area + p));
}

static void pack_vector(const vox_cuda_weight *w, const unsigned char *file, unsigned char *to) {
    for (size_t c = 0; c < (size_t)w->c; c++)
        vox_cuda_put(w->store, to, c, read_float(file, w->file[0], w->count == 1 ? 0 : c));
}

static void pack_norm(const vox_cuda_weight *w, const unsigned char *file, unsigned char *to) {
    for (size_t c = 0; c < (size_t)w->c; c++) {
        const double factor =
            read_float(file, w->file[0], c) / sqrt(read_float(file, w->file[1], c) + w->eps);
        const double value = w->pack == VOX_CUDA_PACK_NORM_SCALE
                                 ? factor
                                 : read_float(file, w->file[2], c) - read_float(file, w->file[3], c) * factor;
        vox_cuda_put(w->store, to, c, value);
    }
}

void vox_cuda_pack_weight(const vox_cuda_weight *w, const unsigned char *file, unsigned char *to) {
    memset(to, 0, w->bytes);
    switch (w->pack) {
    case VOX_CUDA_PACK_COPY:
        memcpy(to, file + w->file[0], w->count * vox_dtype_bytes(w->dtype));
        break;
    case VOX_CUDA_PACK_VECTOR:
        pack_vector(w, file, to);
        break;
    case VOX_CUDA_PACK_FILTER:
        pack_filter(w, file, to);
        break;
    case VOX_CUDA_PACK_SCATTER:
        pack_scatter(w, file, to);
        break;
    case VOX_CUDA_PACK_FIRST:
        pack_first(w, file, to);
        break;
    case VOX_CUDA_PACK_NORM_SCALE:
    case VOX_CUDA_PACK_NORM_BIAS:
        pack_norm(w, file, to);
        break;
    }
}

/* ---- checking and copying -------------------------------------------------------------------- */

/* What is only copied are operands, such as masks: those may hold anything. */
static int is_finite(const vox_cuda_weight *w, const unsigned char *file) {
    if (w->pack == VOX_CUDA_PACK_COPY) return 1;
    for (int i = 0; i < 4 && w->dtype == VOX_F32; i++)
        for (size_t k = 0; w->file[i] && k < w->count; k++)
            if (!isfinite(read_float(file, w->file[i], k))) return 0;
    return 1;
}

static vox_status check_file(const vox_cuda *h, const void *file, size_t bytes) {
    const vox_cuda_model *m = h->model;
    const char *bad = "";
    vox_status status = vox_weights_check(file, bytes, m->graph_hash, m->info->weights_bytes, NULL, 0);
    for (int i = 0; i < m->n_weights && status == VOX_OK; i++)
        if (!is_finite(&m->weights[i], file)) status = VOX_E_WEIGHTS_NOT_FINITE, bad = m->weights[i].name;
    if (status != VOX_OK)
        vox_cuda_say(h, "the weights: %s%s%s", bad, *bad ? ": " : "", vox_status_text(status));
    return status;
}

/* Whether all of a float type's exponent bits are set: infinity or NaN. */
static int is_special(vox_cuda_store store, const unsigned char *data, size_t index) {
    uint32_t word;
    uint16_t half;
    if (store == VOX_STORE_F32) {
        memcpy(&word, data + index * sizeof word, sizeof word);
        return (word & 0x7f800000u) == 0x7f800000u;
    }
    memcpy(&half, data + index * sizeof half, sizeof half);
    const unsigned bits = store == VOX_STORE_F16 ? 0x7c00u : 0x7f80u;
    return (half & bits) == bits;
}

/* What the file holds is finite but for what is copied as it is, so infinity is what the type made of it, or
 * NaN what a norm made. */
static vox_status check_range(const vox_cuda *h, const vox_cuda_weight *w, const unsigned char *packed) {
    static const double most[] = {
        [VOX_STORE_F32] = FLT_MAX, [VOX_STORE_F16] = 65504, [VOX_STORE_BF16] = 0x1.fep127};
    if (w->store > VOX_STORE_BF16 || w->pack == VOX_CUDA_PACK_COPY) return VOX_OK;
    for (size_t i = 0; i < w->bytes / vox_cuda_store_bytes(w->store); i++) {
        if (!is_special(w->store, packed, i)) continue;
        vox_cuda_say(h,
                     "the weights of %s: one is no number, or beyond %g, the largest of its type on the GPU: "
                     "compile with another --precision",
                     w->name, most[w->store]);
        return VOX_E_WEIGHTS_NOT_FINITE;
    }
    return VOX_OK;
}

static void note_error(vox_cuda *h, const vox_cuda_weight *w, double error) {
    if (error <= h->weight_error) return;
    h->weight_error = error;
    h->bad_weight = w->name;
}

/* The file is at hand only now, so this is the time to see whether it was packed rightly: the self-test
 * tells.
 */
static vox_status pack_all(vox_cuda *h, const unsigned char *file, unsigned char *packed) {
    const vox_cuda_model *m = h->model;
    vox_status status = VOX_OK;
    memset(packed, 0, m->weights_bytes);
    for (int i = 0; i < m->n_weights && status == VOX_OK; i++) {
        const vox_cuda_weight *w = &m->weights[i];
        vox_cuda_pack_weight(w, file, packed + w->offset);
        status = check_range(h, w, packed + w->offset);
        note_error(h, w, vox_cuda_check_weight(w, file, packed + w->offset));
    }
    return status;
}

static vox_status upload(vox_cuda *h, const unsigned char *packed) {
    const size_t bytes = h->model->weights_bytes;
    void *device = NULL;
    vox_status status = vox_cuda_check_call(h, cudaMalloc(&device, bytes), "cudaMalloc of the weights");
    h->weights = device;
    if (status == VOX_OK)
        status =
            vox_cuda_check_call(h, cudaMemcpyAsync(device, packed, bytes, cudaMemcpyHostToDevice, h->own),
                                "cudaMemcpyAsync of the weights");
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaStreamSynchronize(h->own), "copying the weights");
}

vox_status vox_cuda_load_weights(vox_cuda *h, const void *file, size_t bytes) {
    const vox_cuda_model *m = h->model;
    vox_status status = check_file(h, file, bytes);
    if (status != VOX_OK || !m->weights_bytes) return status;
    unsigned char *packed = malloc(m->weights_bytes);
    if (!packed) return vox_cuda_no_memory(h, "the packed weights");
    status = pack_all(h, file, packed);
    if (status == VOX_OK) status = upload(h, packed);
    free(packed);
    return status;
}
