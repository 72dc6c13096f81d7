/* SPDX-License-Identifier: MIT-0 */
/* image_channels.c: several files as the channels of one image; see image.h. */
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "report.h"

/* A value as a float; integers keep their slope out of it. */
static double load(vox_voxel_type type, const unsigned char *p) {
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        float f32;
        double f64;
    } v;
    memcpy(&v, p, vox_image_type_bytes(type));
    switch (type) {
    case VOX_VOXEL_U8:
        return v.u8;
    case VOX_VOXEL_I8:
        return v.i8;
    case VOX_VOXEL_U16:
        return v.u16;
    case VOX_VOXEL_I16:
        return v.i16;
    case VOX_VOXEL_U32:
        return v.u32;
    case VOX_VOXEL_I32:
        return v.i32;
    case VOX_VOXEL_F32:
        return (double)v.f32;
    default:
        return v.f64;
    }
}

static const unsigned char *row_of(const vox_volume *v, int c, int k, int j) {
    return (const unsigned char *)v->data + c * v->channel + k * v->stride[2] + j * v->stride[1];
}

/* Channel c as [z][y][x], in the type of `to`: its own, or float32. */
static void copy_channel(const vox_volume *v, int c, vox_voxel_type to, unsigned char *out) {
    const size_t held = vox_image_type_bytes(v->type), row = held * (size_t)v->dim[0];
    for (int k = 0; k < v->dim[2]; k++) {
        for (int j = 0; j < v->dim[1]; j++) {
            const unsigned char *p = row_of(v, c, k, j);
            if (to == v->type && v->stride[0] == (ptrdiff_t)held) {
                memcpy(out, p, row);
                out += row;
                continue;
            }
            for (int i = 0; i < v->dim[0]; i++, p += v->stride[0]) {
                if (to == v->type) {
                    memcpy(out, p, held);
                    out += held;
                } else {
                    float x = (float)(load(v->type, p) * v->slope + v->intercept);
                    memcpy(out, &x, sizeof x);
                    out += sizeof x;
                }
            }
        }
    }
}

/* Whether the values of all mean the same: one type, one slope. */
static bool alike(const vox_image *parts, int n) {
    for (int i = 1; i < n; i++) {
        const vox_volume *a = &parts[0].volume, *b = &parts[i].volume;
        if (a->type != b->type || a->slope != b->slope || a->intercept != b->intercept) return false;
    }
    return true;
}

static int join(vox_image *image, const vox_image *parts, int n) {
    *image = parts[0];
    vox_volume *v = &image->volume;
    const bool same = alike(parts, n);
    const vox_voxel_type type = same ? v->type : VOX_VOXEL_F32;
    const size_t size = vox_image_type_bytes(type),
                 voxels = (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2];
    size_t channels = 0, bytes = 0;
    for (int i = 0; i < n; i++) channels += (size_t)parts[i].volume.channels;
    image->memory = NULL;
    v->data = NULL;
    if (__builtin_mul_overflow(voxels * size, channels, &bytes) || bytes > PTRDIFF_MAX - 64)
        return vox_fail_memory("all channels", SIZE_MAX);
    image->memory = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (image->memory == NULL) return vox_fail_memory("all channels", bytes);
    unsigned char *out = image->memory;
    for (int i = 0; i < n; i++) {
        for (int c = 0; c < parts[i].volume.channels; c++, out += voxels * size)
            copy_channel(&parts[i].volume, c, type, out);
    }
    v->data = image->memory;
    v->type = type;
    v->channels = (int)channels;
    if (!same) v->slope = 1;
    if (!same) v->intercept = 0;
    v->stride[0] = (ptrdiff_t)size;
    v->stride[1] = v->stride[0] * v->dim[0];
    v->stride[2] = v->stride[1] * v->dim[1];
    v->channel = v->stride[2] * v->dim[2];
    image->colours = 1;
    image->series = v->channels;
    return 0;
}

int vox_image_read_channels(vox_image *image, char **files, int n) {
    if (n == 1) return vox_image_read(image, files[0]);
    *image = (vox_image){.memory = NULL};
    vox_image *parts = calloc((size_t)n, sizeof *parts);
    if (parts == NULL) return vox_fail_memory("channels", (size_t)n * sizeof *parts);
    int code = 0;
    for (int i = 0; i < n && code == 0; i++) {
        code = vox_image_read(&parts[i], files[i]);
        if (code == 0 && i > 0) code = vox_image_same_grid(files[0], &parts[0], files[i], &parts[i]);
    }
    if (code == 0) code = join(image, parts, n);
    for (int i = 0; i < n; i++) vox_image_free(&parts[i]);
    free(parts);
    return code;
}
