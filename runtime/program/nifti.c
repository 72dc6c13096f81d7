/* SPDX-License-Identifier: MIT-0 */
/* nifti.c: reading the voxels; see nifti.h. */
#ifdef VOX_WITH_NIFTI
#include "nifti.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "nifti_read.h"
#include "report.h"

enum { CHUNK = 1 << 14 };

/* ---- voxels to floats ------------------------------------------------------------------------ */

static double load_number(int type, size_t size, const unsigned char *p) {
    union {
        int8_t i8;
        uint8_t u8;
        int16_t i16;
        uint16_t u16;
        int32_t i32;
        uint32_t u32;
        int64_t i64;
        uint64_t u64;
        float f32;
        double f64;
        long double f128;
        unsigned char bytes[16];
    } v;
    memcpy(v.bytes, p, size);
    switch (type) {
    case DT_INT8:
        return v.i8;
    case DT_INT16:
        return v.i16;
    case DT_UINT16:
        return v.u16;
    case DT_INT32:
        return v.i32;
    case DT_UINT32:
        return v.u32;
    case DT_INT64:
        return (double)v.i64;
    case DT_UINT64:
        return (double)v.u64;
    case DT_FLOAT32:
        return (double)v.f32;
    case DT_FLOAT64:
        return v.f64;
    case DT_FLOAT128:
        return (double)v.f128;
    default:
        return v.u8; /* and the parts of RGB */
    }
}

static void lose(vox_lost *l, double value, size_t at) {
    if (l->count++ > 0) return;
    l->value = value;
    l->at = at;
}

/* `at`: which voxel of v. */
static float narrow(double x, vox_volume *v, size_t at) {
    if (!isfinite(x)) {
        lose(&v->not_finite, x, at);
        return 0;
    }
    if (fabs(x) > (double)FLT_MAX) {
        lose(&v->too_large, x, at);
        return 0;
    }
    float f = (float)x;
    if (f == 0 && x != 0) lose(&v->too_small, x, at);
    return f;
}

/* As the standard: slope 0 means no scaling; so does NaN, which nibabel writes. RGB is never scaled. */
static int read_slope(const vox_nifti_source *s, double *slope, double *intercept) {
    bool scale = s->per_voxel == 1 && s->h.scl_slope != 0 && !isnan(s->h.scl_slope);
    *slope = scale ? s->h.scl_slope : 1;
    *intercept = scale ? s->h.scl_inter : 0;
    if (isfinite(*slope) && isfinite(*intercept)) return 0;
    return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: scl_slope is %g, scl_inter is %g", s->path, *slope,
                    *intercept);
}

/* n voxels at `first` of the file become values in v. */
static int convert_voxels(const vox_nifti_source *s, const unsigned char *p, size_t first, size_t n,
                          vox_volume *v) {
    double slope, intercept;
    int code = read_slope(s, &slope, &intercept);
    if (code != 0) return code;
    size_t step = (size_t)(s->element / s->per_voxel);
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < s->per_voxel; c++, p += step) {
            size_t at = (size_t)c * s->voxels + first + i;
            v->data[at] = narrow(load_number(s->h.datatype, step, p) * slope + intercept, v, at);
        }
    }
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* `got`: voxels so far. */
static int cannot_read_on(const vox_nifti_source *s, size_t got) {
    int number = 0;
    const char *why = gzerror(s->file, &number);
    if (number == Z_OK || number == Z_STREAM_END || number == Z_BUF_ERROR) {
        if (got == s->voxels)
            return vox_fail(VOX_EXIT_INPUT,
                            "%s: truncated: all %zu voxels are there, but the checksum behind the compressed "
                            "data is missing",
                            s->image, got);
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: %zu of %zu voxels", s->image, got, s->voxels);
    }
    if (number == Z_ERRNO) why = strerror(errno);
    return vox_fail(VOX_EXIT_INPUT, "%s: corrupt or unreadable: %s", s->image, why);
}

/* Reading on to the end of compressed data is what checks its checksum. */
static int check_rest(const vox_nifti_source *s, unsigned char *buffer) {
    int number = 0;
    if (gzdirect(s->file)) return 0;
    while (vox_nifti_bytes(s, buffer, CHUNK) > 0) continue;
    gzerror(s->file, &number);
    return number == Z_OK || number == Z_STREAM_END ? 0 : cannot_read_on(s, s->voxels);
}

/* By reading, since pipes can't seek. */
static int skip_to_voxels(vox_nifti_source *s, unsigned char *buffer) {
    while (s->at < s->h.vox_offset) {
        int64_t left = s->h.vox_offset - s->at;
        int got = vox_nifti_bytes(s, buffer, left < CHUNK ? (unsigned)left : CHUNK);
        if (got <= 0) return cannot_read_on(s, 0);
        s->at += got;
    }
    return 0;
}

static int read_voxels(vox_nifti_source *s, unsigned char *buffer, vox_volume *v) {
    int size = 0, swap_size = 0;
    nifti_datatype_sizes(s->h.datatype, &size, &swap_size);
    int code = skip_to_voxels(s, buffer);
    for (size_t first = 0; first < s->voxels && code == 0; first += CHUNK) {
        size_t n = s->voxels - first < CHUNK ? s->voxels - first : CHUNK;
        size_t bytes = n * (size_t)s->element;
        int got = vox_nifti_bytes(s, buffer, (unsigned)bytes);
        if (got != (int)bytes)
            return cannot_read_on(s, first + (got > 0 ? (size_t)got / (size_t)s->element : 0));
        if (s->swap && swap_size > 1) nifti_swap_Nbytes((int64_t)n, swap_size, buffer);
        code = convert_voxels(s, buffer, first, n, v);
    }
    return code == 0 ? check_rest(s, buffer) : code;
}

static int read_image(vox_nifti_source *s, vox_volume *v) {
    size_t channels = (size_t)s->per_voxel, bytes = 0;
    if (__builtin_mul_overflow(s->voxels, sizeof *v->data * channels, &bytes)) bytes = SIZE_MAX;
    v->data = calloc(s->voxels, sizeof *v->data * channels);
    if (v->data == NULL) return vox_fail_memory(s->path, bytes);
    unsigned char *buffer = malloc((size_t)CHUNK * 16);
    int code = buffer != NULL ? read_voxels(s, buffer, v) : vox_fail_memory("reading", (size_t)CHUNK * 16);
    free(buffer);
    if (code == 0) return 0;
    free(v->data);
    v->data = NULL;
    return code;
}

int vox_nifti_read(const char *path, vox_volume *v, vox_geometry *g, size_t *not_finite) {
    vox_nifti_source s = {.path = path};
    nifti_set_debug_level(0); /* it would print on its own */
    *v = (vox_volume){.channels = 1};
    *not_finite = 0;
    int code = vox_nifti_open(&s, g);
    if (code == 0) code = vox_nifti_check(&s);
    if (code == 0) code = read_image(&s, v);
    if (s.file != NULL) gzclose_r(s.file);
    if (code != 0) return code;
    for (int k = 0; k < 3; k++) v->dim[k] = k < s.h.dim[0] ? (int)s.h.dim[k + 1] : 1;
    g->volumes = (int)(s.voxels / vox_volume_voxels(v));
    v->channels = s.per_voxel * g->volumes;
    *not_finite = v->not_finite.count + v->too_large.count;
    vox_nifti_geometry(&s, v->spacing, &v->unit_unknown, g);
    return 0;
}

/* ---- what was lost --------------------------------------------------------------------------- */

static void warn_lost(const char *path, const vox_volume *v, const vox_lost *l, const char *what) {
    if (l->count == 0) return;
    size_t at = l->at % vox_volume_voxels(v), nx = (size_t)v->dim[0], ny = (size_t)v->dim[1];
    vox_warn("%s: %zu voxel%s %s and count%s as 0; the first is %s at x %zu, y %zu, z %zu", path, l->count,
             l->count == 1 ? " is" : "s are", what, l->count == 1 ? "s" : "", vox_number(l->value).text,
             at % nx, at / nx % ny, at / nx / ny);
}

void vox_nifti_warn_lost(const char *path, const vox_volume *v) {
    warn_lost(path, v, &v->not_finite, "not finite (NaN or infinity)");
    warn_lost(path, v, &v->too_large, "beyond float32");
    warn_lost(path, v, &v->too_small, "not 0, but too small for float32");
}
#endif
