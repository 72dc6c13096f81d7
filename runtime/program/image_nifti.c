/* SPDX-License-Identifier: MIT-0 */
/* image_nifti.c: NIfTI-1 and -2 as images; see image_parts.h and nifti_read.h. */
#include "image_parts.h"
#include "owner.h"
#include "report.h"

#ifdef VOX_WITH_NIFTI
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef VOX_WITH_DEFLATE
#include <libdeflate.h>
#endif

#include "nifti_read.h"

enum { CHUNK = 1 << 20 };

static vox_stored stored_as(const vox_nifti_source *s) {
    int size = s->element / s->per_voxel;
    switch (s->h.datatype) {
    case DT_INT8:
    case DT_INT16:
    case DT_INT32:
    case DT_INT64:
        return (vox_stored){'i', size, s->swap};
    case DT_FLOAT32:
    case DT_FLOAT64:
    case DT_FLOAT128:
        return (vox_stored){'f', size, s->swap};
    default:
        return (vox_stored){'u', size, s->swap};
    }
}

/* As the standard: slope 0 means no scaling; so does NaN, which nibabel writes. RGB is never scaled. */
static int read_slope(const vox_nifti_source *s, vox_volume *v) {
    bool scale = s->per_voxel == 1 && s->h.scl_slope != 0 && !isnan(s->h.scl_slope);
    v->slope = scale ? s->h.scl_slope : 1;
    v->intercept = scale ? s->h.scl_inter : 0;
    if (isfinite(v->slope) && isfinite(v->intercept)) return 0;
    return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: scl_slope is %g, scl_inter is %g", s->path, v->slope,
                    v->intercept);
}

/* ---- the voxels ------------------------------------------------------------------------------ */

/* `got`: bytes so far. */
static int cannot_read_on(const vox_nifti_source *s, size_t got) {
    int number = 0;
    const char *why = gzerror(s->file, &number);
    size_t voxels = got / (size_t)s->element;
    if (number == Z_OK || number == Z_STREAM_END || number == Z_BUF_ERROR) {
        if (voxels == s->voxels)
            return vox_fail(VOX_EXIT_INPUT,
                            "%s: truncated: all %zu voxels are there, but the checksum behind the compressed "
                            "data is missing",
                            s->image, voxels);
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: %zu of %zu voxels", s->image, voxels, s->voxels);
    }
    if (number == Z_ERRNO) why = strerror(errno);
    return vox_fail(VOX_EXIT_INPUT, "%s: corrupt or unreadable: %s", s->image, why);
}

/* By reading, since pipes can't seek. */
static int skip_to_voxels(vox_nifti_source *s) {
    unsigned char rest[4096];
    while (s->at < s->h.vox_offset) {
        int64_t left = s->h.vox_offset - s->at;
        int got = vox_nifti_bytes(s, rest, left < (int64_t)sizeof rest ? (unsigned)left : sizeof rest);
        if (got <= 0) return cannot_read_on(s, 0);
        s->at += got;
    }
    return 0;
}

/* Reading on to the end of compressed data is what checks its checksum. */
static int check_rest(const vox_nifti_source *s, size_t bytes) {
    unsigned char rest[4096];
    int number = 0;
    if (gzdirect(s->file)) return 0;
    while (vox_nifti_bytes(s, rest, sizeof rest) > 0) continue;
    gzerror(s->file, &number);
    return number == Z_OK || number == Z_STREAM_END ? 0 : cannot_read_on(s, bytes);
}

static int read_voxels(vox_nifti_source *s, unsigned char *to, size_t bytes) {
    int code = skip_to_voxels(s);
    for (size_t at = 0; at < bytes && code == 0;) {
        size_t part = bytes - at < CHUNK ? bytes - at : CHUNK;
        int got = vox_nifti_bytes(s, to + at, (unsigned)part);
        if (got != (int)part) return cannot_read_on(s, at + (got > 0 ? (size_t)got : 0));
        at += part;
    }
    return code == 0 ? check_rest(s, bytes) : code;
}

#ifdef VOX_WITH_DEFLATE
static void *whole_file(const char *path, size_t size) {
    unsigned char *data = malloc(size);
    FILE *f = data != NULL ? fopen(path, "rb") : NULL;
    bool ok = f != NULL && fread(data, 1, size, f) == size;
    if (f != NULL) fclose(f);
    if (ok) return data;
    free(data);
    return NULL;
}

/* All members of a gzip file at once, which takes half of zlib's time. False: anything out of the ordinary,
 * which zlib then reads again and names. */
static bool unpack_at_once(const vox_nifti_source *s, vox_image *image, size_t bytes) {
    enum { LARGEST = 1 << 30 };
    const size_t before = (size_t)s->h.vox_offset, held = (size_t)s->element / (size_t)s->per_voxel;
    if (s->size < 0 || s->size > LARGEST || gzdirect(s->file) || before > 1 << 16 || before % held != 0 ||
        vox_image_bytes(image) != bytes)
        return false;
    size_t packed = (size_t)s->size, in = 0, out = 0, room = before + bytes;
    unsigned char *data = whole_file(s->image, packed), *whole = aligned_alloc(64, (room + 63) / 64 * 64);
    struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
    bool ok = data != NULL && whole != NULL && d != NULL;
    while (ok && in < packed) {
        size_t used = 0, made = 0;
        ok = libdeflate_gzip_decompress_ex(d, data + in, packed - in, whole + out, room - out, &used,
                                           &made) == LIBDEFLATE_SUCCESS &&
             used > 0;
        in += used;
        out += made;
    }
    libdeflate_free_decompressor(d);
    free(data);
    if (!ok || out != room) {
        free(whole);
        return false;
    }
    free(image->memory);
    image->memory = whole;
    image->volume.data = whole + before;
    return true;
}
#else
static bool unpack_at_once(const vox_nifti_source *s, vox_image *image, size_t bytes) {
    (void)s, (void)image, (void)bytes;
    return false;
}
#endif

/* ---- the grid -------------------------------------------------------------------------------- */

/* pixdim gives the sizes, the sform or else the qform the directions. */
static void set_grid(const vox_nifti_source *s, vox_image *image, vox_geometry *g) {
    vox_volume *v = &image->volume;
    vox_nifti_geometry(s, v->spacing, &image->unit_unknown, g);
    memcpy(image->affine, g->affine, sizeof image->affine);
    image->directed = g->form != VOX_FORM_NONE;
    for (int k = 0; k < 3 && image->directed; k++) {
        double size = hypot(hypot(g->affine[0][k], g->affine[1][k]), g->affine[2][k]);
        for (int r = 0; r < 3; r++) v->direction[r][k] = g->affine[r][k] / size;
    }
    image->nifti_version = g->version;
    _Static_assert(sizeof image->nifti == sizeof g->raw, "header layout");
    memcpy(image->nifti, g->raw, sizeof image->nifti);
}

/* [volume][z][y][x][colour] has no stride from channel to channel: planes of colours instead. */
static int part_colours(vox_image *image, const char *file, size_t voxels, size_t colours) {
    unsigned char *planes = aligned_alloc(64, (voxels * colours + 63) / 64 * 64);
    if (planes == NULL) return vox_fail_memory(file, voxels * colours);
    const unsigned char *from = image->volume.data;
    for (size_t i = 0; i < voxels; i++) {
        for (size_t c = 0; c < colours; c++) planes[c * voxels + i] = from[i * colours + c];
    }
    free(image->memory);
    image->memory = planes;
    image->volume.data = planes;
    return 0;
}

static int map_voxels(const vox_nifti_source *s, vox_image *image) {
    int file;
    VOX_RETRY(file, open(s->image, O_RDONLY | O_CLOEXEC));
    if (file < 0) return vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", s->image, strerror(errno));
    int code = vox_image_map(image, s->path, file, s->h.vox_offset);
    close(file);
    return code;
}

static int read_image(vox_nifti_source *s, vox_image *image, vox_geometry *g) {
    int64_t dim[3], volumes = (int64_t)s->voxels;
    for (int k = 0; k < 3; k++) {
        dim[k] = k < s->h.dim[0] ? s->h.dim[k + 1] : 1;
        volumes /= dim[k];
    }
    unsigned char *at = NULL;
    vox_stored stored = stored_as(s);
    const size_t bytes = s->voxels * (size_t)s->element; /* vox_nifti_check has seen that it fits */
    int code = vox_image_make(image, s->path, dim, volumes * s->per_voxel, stored, &at);
    if (code == 0) code = read_slope(s, &image->volume);
    if (code != 0) return code;
    image->colours = s->per_voxel;
    image->series = (int)volumes;
    if (image->in_slabs) {
        if (gzdirect(s->file) && s->size >= 0 && s->per_voxel == 1) code = map_voxels(s, image);
        set_grid(s, image, g);
        return code;
    }
    if (!unpack_at_once(s, image, bytes)) code = read_voxels(s, at, bytes);
    if (code != 0) return code;
    vox_image_widen(image, stored);
    if (s->per_voxel > 1 && volumes == 1) vox_image_interleave(image);
    if (s->per_voxel > 1 && volumes > 1) code = part_colours(image, s->path, s->voxels, (size_t)s->per_voxel);
    if (code == 0) set_grid(s, image, g);
    return code;
}

int vox_image_read_nifti(vox_image *image, const char *file) {
    vox_nifti_source s = {.path = file};
    vox_geometry g;
    nifti_set_debug_level(0); /* it would print on its own */
    int code = vox_nifti_open(&s, &g);
    if (code == 0) code = vox_nifti_check(&s);
    if (code == 0) code = read_image(&s, image, &g);
    if (s.file != NULL) gzclose_r(s.file);
    return code;
}
#else
int vox_image_read_nifti(vox_image *image, const char *file) {
    (void)image;
    return vox_image_lacks(file, "NIfTI", "libnifti2-dev, libpng-dev and zlib1g-dev");
}
#endif
