/* SPDX-License-Identifier: MIT-0 */
/* nifti.c: reading; see nifti.h. */
#ifdef VOX_WITH_NIFTI
#include "nifti.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nifti2_io.h>
#include <zlib.h>

#include "report.h"

enum {
    LARGEST_AXIS = 1 << 16,
    CHUNK = 1 << 14,
    DEFLATE_LIMIT = 1032 /* zlib's best ratio, zlib.net/zlib_tech.html */
};

_Static_assert(sizeof(nifti_2_header) == VOX_NIFTI_HEADER, "header layout");
_Static_assert(sizeof(nifti_1_header) == 348, "header layout");

typedef struct source {
    const char *path; /* as the user named it */
    char image[PATH_MAX];
    nifti_2_header h; /* the fields of either version */
    bool swap;
    int element;   /* bytes of a voxel */
    size_t voxels; /* x y z t u */
    int per_voxel; /* channels within one: 3 for RGB */
} source;

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* ---- which files ----------------------------------------------------------------------------- */

/* path with its ending `from` (and .gz) replaced by `to`, else that with .gz; false if neither exists. */
static bool sibling(const char *path, const char *from, const char *to, char out[PATH_MAX]) {
    size_t n = strlen(path);
    if (ends_with(path, ".gz")) n -= 3;
    if (n < strlen(from) || strncmp(path + n - strlen(from), from, strlen(from)) != 0) return false;
    n -= strlen(from);
    if (snprintf(out, PATH_MAX, "%.*s%s", (int)n, path, to) < PATH_MAX && access(out, F_OK) == 0) return true;
    return snprintf(out, PATH_MAX, "%.*s%s.gz", (int)n, path, to) < PATH_MAX && access(out, F_OK) == 0;
}

static int read_start(const char *path, unsigned char *buffer, size_t want, size_t *got) {
    struct stat s;
    if (stat(path, &s) != 0) return vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    if (S_ISDIR(s.st_mode)) return vox_fail(VOX_EXIT_INPUT, "cannot read %s: it is a folder", path);
    if (S_ISREG(s.st_mode) && s.st_size == 0) return vox_fail(VOX_EXIT_INPUT, "%s: the file is empty", path);
    gzFile f = gzopen(path, "rb");
    if (f == NULL) return vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
    int n = gzread(f, buffer, (unsigned)want);
    gzclose_r(f);
    if (n < 0) return vox_fail(VOX_EXIT_INPUT, "%s: corrupt compressed data", path);
    *got = (size_t)n;
    return 0;
}

/* ---- header ---------------------------------------------------------------------------------- */

static void widen(const nifti_1_header *a, nifti_2_header *b) {
    *b = (nifti_2_header){.datatype = a->datatype,
                          .vox_offset = (int64_t)fmin(fmax((double)a->vox_offset, -1), 1e15)};
    if (!isfinite(a->vox_offset)) b->vox_offset = -1;
    for (int i = 0; i < 8; i++) {
        b->dim[i] = a->dim[i];
        b->pixdim[i] = (double)a->pixdim[i];
    }
    b->scl_slope = (double)a->scl_slope;
    b->scl_inter = (double)a->scl_inter;
    b->qform_code = a->qform_code;
    b->sform_code = a->sform_code;
    b->quatern_b = (double)a->quatern_b;
    b->quatern_c = (double)a->quatern_c;
    b->quatern_d = (double)a->quatern_d;
    for (int i = 0; i < 4; i++) {
        b->srow_x[i] = (double)a->srow_x[i];
        b->srow_y[i] = (double)a->srow_y[i];
        b->srow_z[i] = (double)a->srow_z[i];
    }
    b->xyzt_units = a->xyzt_units;
}

static int read_header(source *s, vox_geometry *g) {
    char path[PATH_MAX];
    size_t got = 0;
    bool pair = sibling(s->path, ".img", ".hdr", path);
    if (!pair) snprintf(path, sizeof path, "%s", s->path);
    memset(g, 0, sizeof *g);
    int code = read_start(path, g->raw, sizeof g->raw, &got);
    if (code != 0) return code;
    if (got < sizeof(nifti_1_header)) {
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated in the header or not NIfTI (%zu bytes)", path, got);
    }
    g->version = nifti_header_version((const char *)g->raw, got);
    if (g->version == 0) {
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "%s: an ANALYZE 7.5 header without NIfTI's geometry: convert the volume", path);
    }
    if ((g->version != 1 && g->version != 2) || (g->version == 2 && got < sizeof(nifti_2_header))) {
        return vox_fail(VOX_EXIT_INPUT, "%s: not a NIfTI-1 or NIfTI-2 file", path);
    }
    int32_t size;
    memcpy(&size, g->raw, sizeof size);
    s->swap = size != 348 && size != 540;
    if (s->swap) swap_nifti_header(g->raw, g->version);
    const char *magic = (const char *)g->raw + (g->version == 1 ? 344 : 4);
    if (g->version == 1) {
        nifti_1_header h;
        memcpy(&h, g->raw, sizeof h);
        widen(&h, &s->h);
    } else {
        memcpy(&s->h, g->raw, sizeof s->h);
    }
    bool single = magic[1] == '+';
    if (single) {
        snprintf(s->image, sizeof s->image, "%s", path);
    } else if (!sibling(path, ".hdr", ".img", s->image)) {
        return vox_fail(VOX_EXIT_INPUT, "%s: a header whose voxels stand in an .img file, which is not there",
                        path);
    }
    if (s->h.vox_offset < (single ? (g->version == 1 ? 348 : 540) : 0) || s->h.vox_offset > (int64_t)1
                                                                                                << 40) {
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: the voxels begin at %lld", path,
                        (long long)s->h.vox_offset);
    }
    return 0;
}

static int check_dims(const source *s) {
    const int64_t *dim = s->h.dim;
    if (dim[0] < 1 || dim[0] > 7) {
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: %lld dimensions", s->path, (long long)dim[0]);
    }
    for (int i = 1; i <= dim[0]; i++) {
        if (dim[i] < 1 || dim[i] > LARGEST_AXIS) {
            return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: dim[%d] is %lld (1 to %d can be read)",
                            s->path, i, (long long)dim[i], LARGEST_AXIS);
        }
    }
    for (int i = 6; i <= dim[0]; i++) {
        if (dim[i] != 1)
            return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: a volume of more than 5 dimensions", s->path);
    }
    if (dim[0] >= 5 && dim[4] != 1 && dim[5] != 1) {
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: both time (%lld) and vector (%lld) axes: keep one",
                        s->path, (long long)dim[4], (long long)dim[5]);
    }
    return 0;
}

static int check_type(source *s) {
    static const int types[] = {DT_UINT8,  DT_INT16, DT_INT32,  DT_FLOAT32,  DT_FLOAT64, DT_INT8,  DT_UINT16,
                                DT_UINT32, DT_INT64, DT_UINT64, DT_FLOAT128, DT_RGB24,   DT_RGBA32};
    int swap_size = 0;
    nifti_datatype_sizes(s->h.datatype, &s->element, &swap_size);
    s->per_voxel = s->h.datatype == DT_RGB24 ? 3 : s->h.datatype == DT_RGBA32 ? 4 : 1;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (s->h.datatype != types[i]) continue;
        if (types[i] == DT_FLOAT128 && (sizeof(long double) != 16 || s->swap)) break;
        return 0;
    }
    return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: voxels of type %d (%s) cannot be read", s->path, s->h.datatype,
                    nifti_datatype_string(s->h.datatype));
}

/* The header must not promise more than the file can hold: nothing is allocated for a lie. */
static int check_size(source *s) {
    size_t bytes = (size_t)s->element;
    s->voxels = 1;
    for (int i = 1; i <= s->h.dim[0]; i++) {
        if (__builtin_mul_overflow(s->voxels, (size_t)s->h.dim[i], &s->voxels)) s->voxels = SIZE_MAX;
    }
    if (__builtin_mul_overflow(bytes, s->voxels, &bytes) ||
        __builtin_add_overflow(bytes, (size_t)s->h.vox_offset, &bytes)) {
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: the size overflows", s->path);
    }
    struct stat file;
    if (stat(s->image, &file) != 0) {
        return vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", s->image, strerror(errno));
    }
    unsigned char magic[2] = {0};
    FILE *f = S_ISREG(file.st_mode) ? fopen(s->image, "rb") : NULL;
    bool gz = f != NULL && fread(magic, 1, 2, f) == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
    if (f != NULL) fclose(f);
    size_t size = (size_t)file.st_size,
           most = gz && size < SIZE_MAX / DEFLATE_LIMIT ? size * DEFLATE_LIMIT : size;
    if (f != NULL && bytes > most) {
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: the header promises %zu bytes, the file has %zu%s",
                        s->image, bytes, size, gz ? " (compressed)" : "");
    }
    return 0;
}

/* ---- voxels ---------------------------------------------------------------------------------- */

static double load(int type, const unsigned char *p) {
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
    int size = 0, swap = 0;
    nifti_datatype_sizes(type, &size, &swap);
    memcpy(v.bytes, p, (size_t)size);
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

/* n voxels at `first` of the file become values in v. */
static void convert(const source *s, const unsigned char *p, size_t first, size_t n, vox_volume *v,
                    size_t *not_finite) {
    /* As the standard: slope 0 means no scaling; so does NaN, which nibabel writes. */
    bool scale = isfinite(s->h.scl_slope) && s->h.scl_slope != 0 && s->per_voxel == 1;
    double slope = scale ? s->h.scl_slope : 1,
           intercept = scale && isfinite(s->h.scl_inter) ? s->h.scl_inter : 0;
    int step = s->element / s->per_voxel;
    for (size_t i = 0; i < n; i++) {
        for (int c = 0; c < s->per_voxel; c++, p += step) {
            float x = (float)(load(s->h.datatype, p) * slope + intercept);
            if (!isfinite(x)) {
                x = 0;
                (*not_finite)++;
            }
            v->data[(size_t)c * s->voxels + first + i] = x;
        }
    }
}

static int cannot_read_on(const source *s, gzFile f, size_t voxels) {
    int number = 0;
    const char *why = gzerror(f, &number);
    if (number == Z_OK || number == Z_STREAM_END || number == Z_BUF_ERROR) {
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: %zu of %zu voxels", s->image, voxels, s->voxels);
    }
    if (number == Z_ERRNO) why = strerror(errno);
    return vox_fail(VOX_EXIT_INPUT, "%s: corrupt or unreadable: %s", s->image, why);
}

/* Reading on to the end of compressed data is what checks its checksum. */
static int check_rest(const source *s, gzFile f, unsigned char *buffer) {
    int number = 0;
    if (gzdirect(f)) return 0;
    while (gzread(f, buffer, CHUNK) > 0) continue;
    gzerror(f, &number);
    return number == Z_OK || number == Z_STREAM_END ? 0 : cannot_read_on(s, f, s->voxels);
}

static int read_voxels(const source *s, gzFile f, vox_volume *v, size_t *not_finite) {
    unsigned char *buffer = malloc((size_t)CHUNK * 16);
    if (buffer == NULL) return vox_fail_memory("reading", (size_t)CHUNK * 16);
    int code = 0, size = 0, swap_size = 0;
    nifti_datatype_sizes(s->h.datatype, &size, &swap_size);
    for (size_t first = 0; first < s->voxels && code == 0; first += CHUNK) {
        size_t n = s->voxels - first < CHUNK ? s->voxels - first : CHUNK;
        size_t bytes = n * (size_t)s->element;
        int got = gzread(f, buffer, (unsigned)bytes);
        if (got != (int)bytes) {
            code = cannot_read_on(s, f, first + (got > 0 ? (size_t)got / (size_t)s->element : 0));
            break;
        }
        if (s->swap && swap_size > 1) nifti_swap_Nbytes((int64_t)n, swap_size, buffer);
        convert(s, buffer, first, n, v, not_finite);
    }
    if (code == 0) code = check_rest(s, f, buffer);
    free(buffer);
    return code;
}

static int read_image(const source *s, vox_volume *v, size_t *not_finite) {
    v->data = calloc(s->voxels, sizeof *v->data * (size_t)s->per_voxel);
    if (v->data == NULL) return vox_fail_memory(s->path, s->voxels);
    gzFile f = gzopen(s->image, "rb");
    int code = 0;
    if (f == NULL) {
        code = vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", s->image, strerror(errno));
    } else if (gzseek(f, (z_off_t)s->h.vox_offset, SEEK_SET) < 0) {
        code = vox_fail(VOX_EXIT_INPUT, "%s: truncated before the voxels", s->image);
    } else {
        code = read_voxels(s, f, v, not_finite);
    }
    if (f != NULL) gzclose_r(f);
    if (code == 0) return 0;
    free(v->data);
    v->data = NULL;
    return code;
}

/* ---- geometry -------------------------------------------------------------------------------- */

static void spacing(const nifti_2_header *h, double mm[3]) {
    double unit = XYZT_TO_SPACE(h->xyzt_units) == NIFTI_UNITS_METER    ? 1000
                  : XYZT_TO_SPACE(h->xyzt_units) == NIFTI_UNITS_MICRON ? 0.001
                                                                       : 1;
    for (int k = 0; k < 3; k++) {
        double d = fabs(h->pixdim[k + 1]) * unit;
        mm[k] = isfinite(d) ? d : 0;
    }
}

/* The sform is preferred, then the qform, as most viewers do. */
static void orientation(const nifti_2_header *h, vox_geometry *g) {
    nifti_dmat44 m = {{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
    if (h->sform_code > 0) {
        memcpy(m.m[0], h->srow_x, sizeof h->srow_x);
        memcpy(m.m[1], h->srow_y, sizeof h->srow_y);
        memcpy(m.m[2], h->srow_z, sizeof h->srow_z);
    } else if (h->qform_code > 0) {
        m = nifti_quatern_to_dmat44(h->quatern_b, h->quatern_c, h->quatern_d, 0, 0, 0, 1, 1, 1,
                                    h->pixdim[0] < 0 ? -1 : 1);
    }
    int code[3] = {0};
    nifti_dmat44_to_orientation(m, &code[0], &code[1], &code[2]);
    for (int k = 0; k < 3; k++) {
        bool known = code[k] >= NIFTI_L2R && code[k] <= NIFTI_S2I;
        g->world[k] = known ? (code[k] - NIFTI_L2R) / 2 : k;
        g->flipped[k] = known ? (code[k] - NIFTI_L2R) % 2 : 0;
    }
}

int vox_nifti_read(const char *path, vox_volume *v, vox_geometry *g, size_t *not_finite) {
    source s = {.path = path};
    nifti_set_debug_level(0); /* it would print on its own */
    *v = (vox_volume){.channels = 1};
    *not_finite = 0;
    int code = read_header(&s, g);
    if (code == 0) code = check_dims(&s);
    if (code == 0) code = check_type(&s);
    if (code == 0) code = check_size(&s);
    if (code == 0) code = read_image(&s, v, not_finite);
    if (code != 0) return code;
    for (int k = 0; k < 3; k++) v->dim[k] = k < s.h.dim[0] ? (int)s.h.dim[k + 1] : 1;
    v->channels = s.per_voxel * (int)(s.voxels / vox_volume_voxels(v));
    spacing(&s.h, v->spacing);
    orientation(&s.h, g);
    return 0;
}
#endif
