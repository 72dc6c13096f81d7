/* SPDX-License-Identifier: MIT-0 */
/* nifti_header.c: which files a volume is in, and what its header promises; see nifti_read.h. */
#ifdef VOX_WITH_NIFTI
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_names.h"
#include "nifti_read.h"
#include "owner.h"
#include "report.h"
#include "whole.h"

enum { LARGEST_AXIS = 1 << 16, DEFLATE_LIMIT = 1032 /* zlib's best ratio, zlib.net/zlib_tech.html */ };
static const int64_t FARTHEST = (int64_t)1 << 40; /* byte where voxels may begin */

_Static_assert(sizeof(nifti_2_header) == VOX_NIFTI_HEADER, "header layout");
_Static_assert(sizeof(nifti_1_header) == 348, "header layout");

/* ---- which files ----------------------------------------------------------------------------- */

/* The file that has the ending `to` (or `capitals`) in place of path's `from`, packed or not. */
static bool sibling(const char *path, const char *from, const char *to, const char *capitals, char *out) {
    static const char *const packed[] = {"", ".gz", ".GZ"};
    size_t n = strlen(path), m = strlen(from);
    if (vox_name_ends(path, ".gz")) n -= 3;
    char stem[PATH_MAX];
    if (n < m || snprintf(stem, sizeof stem, "%.*s", (int)n, path) >= PATH_MAX || !vox_name_ends(stem, from))
        return false;
    bool small = strcmp(stem + n - m, from) == 0; /* then the other is looked for in small letters first */
    stem[n - m] = 0;
    for (int i = 0; i < 6; i++) {
        const char *end = (i < 3) == small ? to : capitals;
        if (snprintf(out, PATH_MAX, "%s%s%s", stem, end, packed[i % 3]) < PATH_MAX && access(out, F_OK) == 0)
            return true;
    }
    return false;
}

static bool header_of(const char *image, char *out) {
    return sibling(image, ".img", ".hdr", ".HDR", out);
}

static bool image_of(const char *header, char *out) {
    return sibling(header, ".hdr", ".img", ".IMG", out);
}

bool vox_nifti_partner(const char *path, char *other) {
    return header_of(path, other) || image_of(path, other);
}

static int open_file(vox_nifti_source *s, const char *path) {
    struct stat file;
    int fd;
    VOX_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0 || fstat(fd, &file) != 0) {
        int code = vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
        if (fd >= 0) close(fd);
        return code;
    }
    int code = 0;
    if (S_ISDIR(file.st_mode)) {
        code = vox_fail(VOX_EXIT_INPUT, "cannot read %s: it is a folder", path);
    } else if (S_ISREG(file.st_mode) && file.st_size == 0) {
        code = vox_fail(VOX_EXIT_INPUT, "%s: the file is empty", path);
    } else if ((s->file = gzdopen(fd, "rb")) == NULL) {
        code = vox_fail_memory(path, 0);
    }
    if (code != 0) close(fd);
    s->at = 0;
    s->size = S_ISREG(file.st_mode) ? (int64_t)file.st_size : -1;
    return code;
}

/* ---- header ---------------------------------------------------------------------------------- */

static void widen(const nifti_1_header *a, nifti_2_header *b) {
    double offset = (double)a->vox_offset;
    *b = (nifti_2_header){.datatype = a->datatype,
                          .vox_offset = offset == floor(offset) ? vox_whole(offset, -1, FARTHEST + 1) : -1};
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
    b->qoffset_x = (double)a->qoffset_x;
    b->qoffset_y = (double)a->qoffset_y;
    b->qoffset_z = (double)a->qoffset_z;
    for (int i = 0; i < 4; i++) {
        b->srow_x[i] = (double)a->srow_x[i];
        b->srow_y[i] = (double)a->srow_y[i];
        b->srow_z[i] = (double)a->srow_z[i];
    }
    b->xyzt_units = a->xyzt_units;
}

/* zlib gives up where a signal comes between, and may lose what it had: from the start once more, which only
 * a file can. */
static bool start_again(const vox_nifti_source *s, z_off_t at) {
    if (s->size < 0) return false;
    gzclearerr(s->file);
    return gzrewind(s->file) == 0 && gzseek(s->file, at, SEEK_SET) == at;
}

int vox_nifti_bytes(const vox_nifti_source *s, void *data, unsigned bytes) {
    enum { MOST_ATTEMPTS = 8 };
    const z_off_t at = gztell(s->file);
    for (int attempt = 1;; attempt++) {
        int number = 0;
        errno = 0;
        const int got = gzread(s->file, data, bytes), error = errno;
        gzerror(s->file, &number);
        if (number != Z_ERRNO || error != EINTR || attempt == MOST_ATTEMPTS || !start_again(s, at)) {
            errno = error;
            return got;
        }
    }
}

/* The 348 bytes of NIfTI-1, or the 540 of NIfTI-2, and not one more: a pipe can't go back. */
static int read_raw(vox_nifti_source *s, const char *path, vox_geometry *g) {
    int32_t size = 0, other = sizeof(nifti_2_header);
    nifti_swap_4bytes(1, &other);
    int got = vox_nifti_bytes(s, g->raw, sizeof(nifti_1_header));
    memcpy(&size, g->raw, sizeof size);
    if (got == sizeof(nifti_1_header) && (size == sizeof(nifti_2_header) || size == other)) {
        int more = vox_nifti_bytes(s, g->raw + got, sizeof(nifti_2_header) - sizeof(nifti_1_header));
        got = more < 0 ? more : got + more;
    }
    if (got < 0) return vox_fail(VOX_EXIT_INPUT, "%s: corrupt compressed data, or it cannot be read", path);
    s->at = got;
    if (got < (int)sizeof(nifti_1_header)) {
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated in the header or not NIfTI (%d bytes)", path, got);
    }
    g->version = nifti_header_version((const char *)g->raw, (size_t)got);
    if (g->version == 0) {
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "%s: an ANALYZE 7.5 header without NIfTI's geometry: convert the volume", path);
    }
    if ((g->version != 1 && g->version != 2) || (g->version == 2 && got < (int)sizeof(nifti_2_header))) {
        return vox_fail(VOX_EXIT_INPUT, "%s: not a NIfTI-1 or NIfTI-2 file%s", path,
                        vox_name_ends(path, ".img") ? ", and no .hdr file beside it describes it" : "");
    }
    memcpy(&size, g->raw, sizeof size);
    s->swap = size != sizeof(nifti_1_header) && size != sizeof(nifti_2_header);
    if (s->swap) swap_nifti_header(g->raw, g->version);
    return 0;
}

/* Whether the voxels stand behind the header ("n+1") or in a file of their own ("ni1"). */
static bool in_one_file(const vox_geometry *g) {
    return g->raw[(g->version == 1 ? 344 : 4) + 1] == '+';
}

static int find_image(vox_nifti_source *s, const char *header, bool given_image, const vox_geometry *g) {
    if (in_one_file(g)) {
        snprintf(s->image, sizeof s->image, "%s", header);
        return 0;
    }
    gzclose_r(s->file);
    s->file = NULL;
    if (given_image) {
        snprintf(s->image, sizeof s->image, "%s", s->path);
    } else if (!image_of(header, s->image)) {
        return vox_fail(VOX_EXIT_INPUT, "%s: a header whose voxels stand in an .img file, which is not there",
                        header);
    }
    return open_file(s, s->image);
}

int vox_nifti_open(vox_nifti_source *s, vox_geometry *g) {
    char header[PATH_MAX];
    bool given_image = header_of(s->path, header);
    if (!given_image) snprintf(header, sizeof header, "%s", s->path);
    memset(g, 0, sizeof *g);
    int code = open_file(s, header);
    if (code == 0) code = read_raw(s, header, g);
    if (code != 0) return code;
    double offset;
    int first = in_one_file(g) ? (int)s->at : 0; /* byte where voxels can begin at the earliest */
    if (g->version == 1) {
        nifti_1_header h;
        memcpy(&h, g->raw, sizeof h);
        widen(&h, &s->h);
        offset = (double)h.vox_offset;
    } else {
        memcpy(&s->h, g->raw, sizeof s->h);
        offset = (double)s->h.vox_offset;
    }
    if (s->h.vox_offset < first || s->h.vox_offset > FARTHEST) {
        return vox_fail(VOX_EXIT_INPUT,
                        "%s: corrupt header: the voxels begin at byte %s; a whole number from %d is "
                        "expected",
                        header, vox_number(offset).text, first);
    }
    return find_image(s, header, given_image, g);
}

/* ---- what it promises ------------------------------------------------------------------------ */

static int check_dims(const vox_nifti_source *s) {
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

static int check_datatype(vox_nifti_source *s) {
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
static int check_size(vox_nifti_source *s) {
    int64_t bytes, voxels = 1, most = s->size;
    bool overflow = false;
    for (int i = 1; i <= s->h.dim[0]; i++)
        overflow = overflow || __builtin_mul_overflow(voxels, s->h.dim[i], &voxels);
    if (overflow || __builtin_mul_overflow(voxels, (int64_t)s->element, &bytes) ||
        __builtin_add_overflow(bytes, s->h.vox_offset, &bytes)) {
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: the size overflows", s->path);
    }
    s->voxels = (size_t)voxels;
    bool packed = !gzdirect(s->file);
    if (packed && most < INT64_MAX / DEFLATE_LIMIT) most *= DEFLATE_LIMIT;
    if (s->size >= 0 && bytes > most) {
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: the header promises %lld bytes, the file has %lld%s",
                        s->image, (long long)bytes, (long long)s->size, packed ? " (compressed)" : "");
    }
    return 0;
}

int vox_nifti_check(vox_nifti_source *s) {
    int code = check_dims(s);
    if (code == 0) code = check_datatype(s);
    return code == 0 ? check_size(s) : code;
}
#endif
