/* SPDX-License-Identifier: MIT-0 */
/* vox_weights.c: see vox_weights.h. */
#include "vox_weights.h"

#include <math.h>
#include <string.h>

#include "vox_hash.h"

uint64_t vox_weights_checksum(const void *file, size_t bytes) {
    vox_weights_header header;
    memcpy(&header, file, sizeof header);
    header.checksum = 0;
    return vox_hash(vox_hash(0, &header, sizeof header), (const unsigned char *)file + sizeof header,
                    bytes - sizeof header);
}

/* ---- checking -------------------------------------------------------------------------------- */

static int finite_floats(const unsigned char *p, size_t count) {
    uint32_t bits;
    for (size_t i = 0; i < count; i++) {
        memcpy(&bits, p + i * sizeof bits, sizeof bits);
        if ((bits & 0x7f800000u) == 0x7f800000u) return 0;
    }
    return 1;
}

/* What is only copied are operands, such as masks: those may hold anything. */
static int finite_weight(const unsigned char *file, const vox_weight *w) {
    if (w->dtype != VOX_F32 || w->pack == VOX_PACK_COPY) return 1;
    for (int i = 0; i < 4; i++)
        if (w->file[i] && !finite_floats(file + w->file[i], w->count)) return 0;
    return 1;
}

vox_status vox_weights_check(const void *file, size_t bytes, uint64_t graph_hash, size_t expected_bytes,
                             const vox_weight *weights, int count) {
    vox_weights_header header;
    if (bytes < sizeof header) return VOX_E_WEIGHTS_SIZE;
    memcpy(&header, file, sizeof header);
    if (memcmp(header.magic, VOX_WEIGHTS_MAGIC, sizeof header.magic) != 0) return VOX_E_WEIGHTS_MAGIC;
    if (header.version != VOX_WEIGHTS_VERSION) return VOX_E_WEIGHTS_VERSION;
    if (header.graph_hash != graph_hash) return VOX_E_WEIGHTS_MODEL;
    if (header.bytes != bytes || bytes != expected_bytes) return VOX_E_WEIGHTS_SIZE;
    const unsigned char *p = file;
    if (vox_weights_checksum(file, bytes) != header.checksum) return VOX_E_WEIGHTS_CHECKSUM;
    for (int i = 0; i < count; i++)
        if (!finite_weight(p, &weights[i])) return VOX_E_WEIGHTS_NOT_FINITE;
    return VOX_OK;
}

/* ---- packing --------------------------------------------------------------------------------- */

static size_t blocks_of(int channels) {
    return ((size_t)channels + VOX_BLOCK - 1) / VOX_BLOCK;
}

static float read_float(const unsigned char *from, size_t index) {
    float value;
    memcpy(&value, from + index * sizeof value, sizeof value);
    return value;
}

static void pack_vector(const unsigned char *from, const vox_weight *w, float *to) {
    int channels = w->oc / w->group;
    for (int g = 0; g < w->group; g++)
        for (int c = 0; c < channels; c++)
            to[(size_t)g * blocks_of(channels) * VOX_BLOCK + (size_t)c] =
                read_float(from, w->count == 1 ? 0 : (size_t)(g * channels + c));
}

static void pack_norm(const unsigned char *file, const vox_weight *w, float *to) {
    for (size_t c = 0; c < w->count; c++) {
        double scale = (double)read_float(file + w->file[0], c);
        double variance = (double)read_float(file + w->file[1], c);
        double factor = scale / sqrt(variance + w->eps);
        if (w->pack == VOX_PACK_NORM_BIAS)
            to[c] = (float)((double)read_float(file + w->file[2], c) -
                            (double)read_float(file + w->file[3], c) * factor);
        else
            to[c] = (float)factor;
    }
}

/* Position of weight (o, i, k) of a group in the file. */
static size_t conv_index(const vox_weight *w, int group, int o, int i, int k) {
    size_t oc = (size_t)(w->oc / w->group), ic = (size_t)(w->ic / w->group), g = (size_t)group;
    if (w->pack == VOX_PACK_CONV)
        return ((g * oc + (size_t)o) * ic + (size_t)i) * (size_t)w->kernel + (size_t)k;
    return ((g * ic + (size_t)i) * oc + (size_t)o) * (size_t)w->kernel + (size_t)k;
}

static void pack_conv_group(const unsigned char *from, const vox_weight *w, int group, float *to) {
    int oc = w->oc / w->group, ic = w->ic / w->group;
    for (int o = 0; o < oc; o++)
        for (int k = 0; k < w->kernel; k++)
            for (int i = 0; i < ic; i++) {
                size_t row =
                    ((size_t)(o / VOX_BLOCK) * (size_t)w->kernel + (size_t)k) * (size_t)ic + (size_t)i;
                to[row * VOX_BLOCK + (size_t)(o % VOX_BLOCK)] =
                    read_float(from, conv_index(w, group, o, i, k));
            }
}

static void pack_conv(const unsigned char *from, const vox_weight *w, float *to) {
    size_t stride = blocks_of(w->oc / w->group) * VOX_BLOCK * (size_t)(w->ic / w->group) * (size_t)w->kernel;
    for (int g = 0; g < w->group; g++) pack_conv_group(from, w, g, to + (size_t)g * stride);
}

/* Winograd's weights: G g along each axis, for the points 0, +-1, infinity (4) or 0, +-2/3, +-3/2, infinity
 * (6); see vox_winograd_transform.h. A tile of 1 leaves the taps as they are. */
static const double points_3[][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
static const double points_4[][3] = {{1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double points_6[][3] = {{1, 0, 0},
                                     {-81.0 / 130, -27.0 / 65, -18.0 / 65},
                                     {-81.0 / 130, 27.0 / 65, -18.0 / 65},
                                     {8.0 / 65, 12.0 / 65, 18.0 / 65},
                                     {8.0 / 65, -12.0 / 65, 18.0 / 65},
                                     {0, 0, 1}};

/* One axis: from [outer][3][inner] to [outer][tile + 2][inner], a block of channels each. */
static void winograd_axis(int tile, int outer, int inner, double (*from)[VOX_BLOCK],
                          double (*to)[VOX_BLOCK]) {
    const double(*points)[3] = tile == 1 ? points_3 : tile == 2 ? points_4 : points_6;
    for (int o = 0; o < outer; o++, from += 3 * inner)
        for (int p = 0; p < tile + 2; p++)
            for (int i = 0; i < inner; i++, to++)
                for (int l = 0; l < VOX_BLOCK; l++)
                    (*to)[l] = points[p][0] * from[i][l] + points[p][1] * from[inner + i][l] +
                               points[p][2] * from[2 * inner + i][l];
}

/* Every tap of input channel i, for the output channels from `o` on; zeros above OC. */
static void winograd_read(const unsigned char *from, const vox_weight *w, int o, int i,
                          double (*to)[VOX_BLOCK]) {
    memset(to, 0, 27 * sizeof *to);
    for (int l = 0; l < VOX_BLOCK && o + l < w->oc; l++)
        for (int k = 0; k < 27; k++)
            to[k][l] = (double)read_float(from, (((size_t)o + (size_t)l) * (size_t)w->ic + (size_t)i) * 27 +
                                                    (size_t)k);
}

/* Which of an input channel's taps are >= 0, and which <= 0. */
static void winograd_signs(double (*taps)[VOX_BLOCK], float *to) {
    uint32_t words[2][VOX_BLOCK] = {{0}};
    for (int k = 0; k < 27; k++)
        for (int l = 0; l < VOX_BLOCK; l++) {
            words[0][l] |= (uint32_t)(taps[k][l] >= 0) << k;
            words[1][l] |= (uint32_t)(taps[k][l] <= 0) << k;
        }
    memcpy(to, words, sizeof words);
}

static void pack_winograd(const unsigned char *from, const vox_weight *w, float *to) {
    double a[6 * 6 * 6][VOX_BLOCK], b[6 * 6 * 3][VOX_BLOCK];
    const int nd = w->tile[0] + 2, nh = w->tile[1] + 2, nw = w->tile[2] + 2;
    float *signs = to + blocks_of(w->oc) * (size_t)(nd * nh * nw) * (size_t)w->ic * VOX_BLOCK;
    for (int o = 0; o < w->oc; o += VOX_BLOCK, to += (size_t)(nd * nh * nw) * (size_t)w->ic * VOX_BLOCK)
        for (int i = 0; i < w->ic; i++, signs += 2 * VOX_BLOCK) {
            winograd_read(from, w, o, i, b);
            winograd_signs(b, signs);
            winograd_axis(w->tile[0], 1, 9, b, a);
            winograd_axis(w->tile[1], nd, 3, a, b);
            winograd_axis(w->tile[2], nd * nh, 1, b, a);
            for (size_t p = 0; p < (size_t)(nd * nh * nw); p++)
                for (size_t l = 0; l < VOX_BLOCK; l++)
                    to[(p * (size_t)w->ic + (size_t)i) * VOX_BLOCK + l] = (float)a[p][l];
        }
}

static void pack_tensor(const unsigned char *file, const vox_weight *w, unsigned char *prepared) {
    const unsigned char *from = file + w->file[0];
    float *to = (float *)(void *)(prepared + w->prepared);
    if (w->pack != VOX_PACK_WINOGRAD) memset(to, 0, w->packed);
    switch (w->pack) {
    case VOX_PACK_COPY:
        memcpy(to, from, w->packed);
        break;
    case VOX_PACK_VECTOR:
        pack_vector(from, w, to);
        break;
    case VOX_PACK_CONV:
    case VOX_PACK_CONV_TRANSPOSE:
        pack_conv(from, w, to);
        break;
    case VOX_PACK_WINOGRAD:
        pack_winograd(from, w, to);
        break;
    case VOX_PACK_NORM_SCALE:
    case VOX_PACK_NORM_BIAS:
        pack_norm(file, w, to);
        break;
    }
}

/* Of the prepared buffer's header, as if its checksum were 0, and table. */
static uint64_t prepared_checksum(const void *prepared, int count) {
    vox_prepared_header header;
    memcpy(&header, prepared, sizeof header);
    header.checksum = 0;
    return vox_hash(vox_hash(0, &header, sizeof header), (const unsigned char *)prepared + sizeof header,
                    (size_t)count * sizeof(uint64_t));
}

static unsigned char *checksum_at(void *prepared, int index) {
    return (unsigned char *)prepared + sizeof(vox_prepared_header) + (size_t)index * sizeof(uint64_t);
}

void vox_weights_pack(const void *file, uint64_t graph_hash, const vox_weight *weights, int count,
                      void *prepared, size_t prepared_bytes) {
    for (int i = 0; i < count; i++) {
        pack_tensor(file, &weights[i], prepared);
        uint64_t hash = vox_hash(0, (unsigned char *)prepared + weights[i].prepared, weights[i].packed);
        memcpy(checksum_at(prepared, i), &hash, sizeof hash);
    }
    vox_prepared_header header = {.version = VOX_WEIGHTS_VERSION,
                                  .tensors = (uint32_t)count,
                                  .graph_hash = graph_hash,
                                  .bytes = prepared_bytes};
    memcpy(header.magic, VOX_PREPARED_MAGIC, sizeof header.magic);
    memcpy(prepared, &header, sizeof header);
    header.checksum = prepared_checksum(prepared, count);
    memcpy(prepared, &header, sizeof header);
}

int vox_prepared_ok(const void *prepared, uint64_t graph_hash, int count, size_t prepared_bytes) {
    vox_prepared_header header;
    memcpy(&header, prepared, sizeof header);
    return memcmp(header.magic, VOX_PREPARED_MAGIC, sizeof header.magic) == 0 &&
           header.version == VOX_WEIGHTS_VERSION && header.tensors == (uint32_t)count &&
           header.graph_hash == graph_hash && header.bytes == prepared_bytes &&
           header.checksum == prepared_checksum(prepared, count);
}

int vox_prepared_tensor_ok(const void *prepared, const vox_weight *weights, int index) {
    const unsigned char *base = prepared;
    uint64_t hash;
    memcpy(&hash, base + sizeof(vox_prepared_header) + (size_t)index * sizeof hash, sizeof hash);
    return hash == vox_hash(0, base + weights[index].prepared, weights[index].packed);
}
