/* SPDX-License-Identifier: MIT-0 */
/* image_values.c: from what a file stores to values that a network can take; see image_parts.h. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image_parts.h"
#include "vox_half.h"
#include "report.h"

size_t vox_image_type_bytes(vox_voxel_type type) {
    static const unsigned char bytes[VOX_VOXEL_TYPES] = {
        [VOX_VOXEL_U8] = 1,  [VOX_VOXEL_I8] = 1,  [VOX_VOXEL_U16] = 2, [VOX_VOXEL_I16] = 2,
        [VOX_VOXEL_U32] = 4, [VOX_VOXEL_I32] = 4, [VOX_VOXEL_F32] = 4, [VOX_VOXEL_F64] = 8};
    return bytes[type];
}

static size_t count(const vox_image *image) {
    const vox_volume *v = &image->volume;
    return (size_t)v->channels * (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2];
}

size_t vox_image_bytes(const vox_image *image) {
    return count(image) * vox_image_type_bytes(image->volume.type);
}

uint64_t vox_image_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (uint64_t)pages * (uint64_t)bytes : UINT64_MAX;
}

/* ---- types ----------------------------------------------------------------------------------- */

static vox_voxel_type type_of(vox_stored s) {
    if (s.kind == 'f') return s.bytes <= 4 ? VOX_VOXEL_F32 : VOX_VOXEL_F64;
    bool u = s.kind == 'u';
    switch (s.bytes) {
    case 1:
        return u ? VOX_VOXEL_U8 : VOX_VOXEL_I8;
    case 2:
        return u ? VOX_VOXEL_U16 : VOX_VOXEL_I16;
    case 4:
        return u ? VOX_VOXEL_U32 : VOX_VOXEL_I32;
    default:
        return VOX_VOXEL_F64;
    }
}

static void set_layout(vox_volume *v) {
    ptrdiff_t step = (ptrdiff_t)vox_image_type_bytes(v->type);
    for (int k = 0; k < 3; k++) {
        v->stride[k] = step;
        step *= v->dim[k];
    }
    v->channel = step;
}

void vox_image_interleave(vox_image *image) {
    vox_volume *v = &image->volume;
    v->channel = (ptrdiff_t)vox_image_type_bytes(v->type);
    ptrdiff_t step = v->channel * v->channels;
    for (int k = 0; k < 3; k++) {
        v->stride[k] = step;
        step *= v->dim[k];
    }
}

static int make_slabs(vox_image *image, const char *file, vox_stored s, unsigned char **at) {
    *at = NULL;
    set_layout(&image->volume);
    if ((size_t)s.bytes == vox_image_type_bytes(image->volume.type) && !s.swap &&
        (s.bytes < 8 || s.kind == 'f'))
        return 0;
    return vox_fail(
        VOX_EXIT_UNSUPPORTED,
        "%s cannot be read in slabs: its values are of another type or byte order than volumes in memory",
        file);
}

int vox_image_make(vox_image *image, const char *file, const int64_t dim[3], int64_t channels,
                   vox_stored stored, unsigned char **at) {
    vox_volume *v = &image->volume;
    for (int k = 0; k < 4; k++) {
        int64_t n = k < 3 ? dim[k] : channels;
        if (n >= 1 && n <= VOX_IMAGE_AXIS) continue;
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: %lld %s%s (1 to %d can be read)", file,
                        (long long)n, k < 3 ? "voxels along " : "channels",
                        k < 3 ? (const char *[]){"x", "y", "z"}[k] : "", VOX_IMAGE_AXIS);
    }
    v->type = type_of(stored);
    v->channels = (int)channels;
    for (int k = 0; k < 3; k++) v->dim[k] = (int)dim[k];
    v->slope = 1;
    v->intercept = 0;
    image->colours = 1;
    image->series = v->channels;
    if (image->in_slabs) return make_slabs(image, file, stored, at);
    size_t wide = vox_image_type_bytes(v->type), held = (size_t)stored.bytes,
           most = wide > held ? wide : held;
    uint64_t n = (uint64_t)dim[0] * (uint64_t)dim[1] * (uint64_t)dim[2], bytes = 0; /* 2^48 at most */
    if (__builtin_mul_overflow(n, (uint64_t)channels, &n) ||
        __builtin_mul_overflow(n, (uint64_t)most, &bytes) || bytes > vox_image_memory() ||
        bytes > PTRDIFF_MAX - 64) {
        return vox_fail(VOX_EXIT_INPUT,
                        "%s: %s voxels, %d channel%s of %zu bytes: more than this machine's memory", file,
                        vox_shape(3, v->dim).text, v->channels, v->channels == 1 ? "" : "s", most);
    }
    free(image->memory);
    image->memory = aligned_alloc(64, ((size_t)bytes + 63) / 64 * 64);
    if (image->memory == NULL) return vox_fail_memory(file, (size_t)bytes);
    v->data = image->memory;
    set_layout(v);
    /* What grows in place stands at the end before. */
    *at = (unsigned char *)image->memory + (wide > held ? (size_t)n * (wide - held) : 0);
    return 0;
}

static void swap_values(unsigned char *p, size_t n, size_t size) {
    if (size == 2) {
        for (size_t i = 0; i < n; i++) {
            uint16_t x;
            memcpy(&x, p + 2 * i, 2);
            x = __builtin_bswap16(x);
            memcpy(p + 2 * i, &x, 2);
        }
    } else if (size == 4) {
        for (size_t i = 0; i < n; i++) {
            uint32_t x;
            memcpy(&x, p + 4 * i, 4);
            x = __builtin_bswap32(x);
            memcpy(p + 4 * i, &x, 4);
        }
    } else if (size == 8) {
        for (size_t i = 0; i < n; i++) {
            uint64_t x;
            memcpy(&x, p + 8 * i, 8);
            x = __builtin_bswap64(x);
            memcpy(p + 8 * i, &x, 8);
        }
    }
}

/* volume.data as what may be written. */
static unsigned char *first_voxel(const vox_image *image) {
    unsigned char *memory = image->memory;
    return memory + ((const unsigned char *)image->volume.data - memory);
}

void vox_image_widen(vox_image *image, vox_stored s) {
    unsigned char *to = first_voxel(image);
    size_t n = count(image), wide = vox_image_type_bytes(image->volume.type), held = (size_t)s.bytes;
    const unsigned char *from = to + (wide > held ? n * (wide - held) : 0);
    if (s.swap) swap_values(to + (from - to), n, held);
    if (held == wide && !(held == 8 && s.kind != 'f')) return;
    for (size_t i = 0; i < n; i++) { /* each is written at or before where it is read */
        union {
            int64_t i64;
            uint64_t u64;
            uint16_t f16;
            long double f128;
        } v = {0};
        memcpy(&v, from + i * held, held < sizeof v ? held : sizeof v);
        if (held == 2) {
            float x = vox_from_half(v.f16);
            memcpy(to + i * wide, &x, sizeof x);
        } else {
            double x = s.kind == 'i' ? (double)v.i64 : s.kind == 'u' ? (double)v.u64 : (double)v.f128;
            memcpy(to + i * wide, &x, sizeof x);
        }
    }
}

/* ---- what no float32 can hold ---------------------------------------------------------------- */

typedef struct lost {
    size_t count;
    int at[3];
    double value;
} lost;

typedef struct losses {
    lost not_finite, too_large, too_small;
} losses;

static void lose(lost *l, double value, int i, int j, int k) {
    if (l->count++ > 0) return;
    l->value = value;
    l->at[0] = i;
    l->at[1] = j;
    l->at[2] = k;
}

static bool holds(double x) {
    return fabs(x) <= (double)FLT_MAX && (x == 0 || (float)x != 0); /* NaN is not <= */
}

static double load(const vox_volume *v, const unsigned char *p) {
    if (v->type == VOX_VOXEL_F64) {
        double x;
        memcpy(&x, p, sizeof x);
        return x * v->slope + v->intercept;
    }
    float x;
    memcpy(&x, p, sizeof x);
    return (double)x * v->slope + v->intercept;
}

static void store(const vox_volume *v, unsigned char *p, double x) {
    if (v->type == VOX_VOXEL_F64) {
        memcpy(p, &x, sizeof x);
    } else {
        float f = (float)x;
        memcpy(p, &f, sizeof f);
    }
}

/* In the order of memory, which is the fast one. */
static bool all_hold(const vox_volume *v, const unsigned char *p, size_t n) {
    bool plain = v->slope == 1 && v->intercept == 0;
    if (plain && v->type == VOX_VOXEL_F32) {
        uint32_t bad = 0;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, p + 4 * i, sizeof bits);
            bad |= (bits & 0x7f800000u) == 0x7f800000u;
        }
        return bad == 0;
    }
    size_t step = vox_image_type_bytes(v->type);
    for (size_t i = 0; i < n; i++) {
        if (!holds(load(v, p + i * step))) return false;
    }
    return true;
}

static void replace_row(const vox_volume *v, unsigned char *row, int j, int k, losses *l) {
    for (int i = 0; i < v->dim[0]; i++) {
        unsigned char *p = row + i * v->stride[0];
        double x = load(v, p);
        if (!holds(x)) {
            lose(!isfinite(x)                ? &l->not_finite
                 : fabs(x) > (double)FLT_MAX ? &l->too_large
                                             : &l->too_small,
                 x, i, j, k);
            x = 0;
        }
        store(v, p, x);
    }
}

size_t vox_image_hold(const vox_volume *v, void *values, size_t n) {
    size_t step = vox_image_type_bytes(v->type), dropped = 0;
    unsigned char *p = values;
    if (all_hold(v, p, n) && v->slope == 1 && v->intercept == 0) return 0;
    for (size_t i = 0; i < n; i++, p += step) {
        double x = load(v, p);
        dropped += !holds(x);
        store(v, p, holds(x) ? x : 0);
    }
    return dropped;
}

static void replace(vox_image *image, losses *l) {
    const vox_volume *v = &image->volume;
    unsigned char *voxel_0 = first_voxel(image);
    for (int c = 0; c < v->channels; c++) {
        for (int k = 0; k < v->dim[2]; k++) {
            for (int j = 0; j < v->dim[1]; j++)
                replace_row(v, voxel_0 + c * v->channel + k * v->stride[2] + j * v->stride[1], j, k, l);
        }
    }
}

static void warn_lost(const char *file, const lost *l, const char *what) {
    if (l->count == 0) return;
    vox_warn("%s: %zu voxel%s %s and count%s as 0; the first is %s at x %d, y %d, z %d", file, l->count,
             l->count == 1 ? " is" : "s are", what, l->count == 1 ? "s" : "", vox_number(l->value).text,
             l->at[0], l->at[1], l->at[2]);
}

int vox_image_no_label(const char *file, double value, const int at[3]) {
    return vox_fail(VOX_EXIT_INPUT,
                    "%s: %s is not a label (x %d, y %d, z %d); labels are whole numbers from 0 to 65535; "
                    "--binary takes what is above 0 as one label",
                    file, vox_number(value).text, at[0], at[1], at[2]);
}

static int check_whole(const vox_volume *v, const char *file) {
    double largest = ldexp(1, 8 * (int)vox_image_type_bytes(v->type));
    if (fabs(v->slope) * largest + fabs(v->intercept) <= (double)FLT_MAX) return 0;
    return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: slope %g and intercept %g lead beyond float32", file,
                    v->slope, v->intercept);
}

/* The first value that no float32 can hold, in the order of i, j, k; labels are one channel. */
static int refuse_lost(const vox_volume *v, const char *file) {
    const unsigned char *p = v->data;
    for (int k = 0; k < v->dim[2]; k++) {
        for (int j = 0; j < v->dim[1]; j++) {
            for (int i = 0; i < v->dim[0]; i++) {
                double x = load(v, p + i * v->stride[0] + j * v->stride[1] + k * v->stride[2]);
                if (!holds(x)) return vox_image_no_label(file, x, (int[]){i, j, k});
            }
        }
    }
    return 0;
}

int vox_image_finish(vox_image *image, const char *file, bool labels) {
    vox_volume *v = &image->volume;
    if (v->type != VOX_VOXEL_F32 && v->type != VOX_VOXEL_F64) return check_whole(v, file);
    int code = labels && !all_hold(v, v->data, count(image)) ? refuse_lost(v, file) : 0;
    if (code != 0) return code;
    losses l = {.not_finite = {.count = 0}};
    if (!all_hold(v, v->data, count(image)) || v->slope != 1 || v->intercept != 0) replace(image, &l);
    v->slope = 1;
    v->intercept = 0;
    warn_lost(file, &l.not_finite, "not finite (NaN or infinity)");
    warn_lost(file, &l.too_large, "beyond float32");
    warn_lost(file, &l.too_small, "not 0, but too small for float32");
    return 0;
}
