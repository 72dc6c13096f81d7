/* SPDX-License-Identifier: MIT-0 */
/* image_tiff.c: TIFF stacks as images, through libtiff: the pages are planes along z; see image_parts.h. */
#include "image_tiff.h"
#include "image_parts.h"
#include "report.h"

#ifdef VOX_WITH_TIFF
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- libtiff on a file of ours --------------------------------------------------------------- */

static tmsize_t read_bytes(thandle_t handle, void *data, tmsize_t n) {
    vox_tiff_file *f = handle;
    size_t got = 0;
    while (n > 0 && got < (size_t)n) {
        errno = 0;
        size_t more = fread((char *)data + got, 1, (size_t)n - got, f->file);
        got += more;
        if (more > 0) continue;
        if (!ferror(f->file) || errno != EINTR) break;
        clearerr(f->file);
    }
    return (tmsize_t)got;
}

static tmsize_t write_bytes(thandle_t handle, void *data, tmsize_t n) {
    vox_tiff_file *f = handle;
    return (tmsize_t)fwrite(data, 1, (size_t)n, f->file);
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    vox_tiff_file *f = handle;
    if (fseeko(f->file, (off_t)offset, whence) != 0) return (toff_t)-1;
    return (toff_t)ftello(f->file);
}

static toff_t size_of(thandle_t handle) {
    vox_tiff_file *f = handle;
    struct stat s;
    fflush(f->file);
    return fstat(fileno(f->file), &s) == 0 ? (toff_t)s.st_size : 0;
}

static int keep_open(thandle_t handle) {
    (void)handle;
    return 0;
}

static void note(thandle_t handle, const char *module, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));
static void note(thandle_t handle, const char *module, const char *format, va_list arguments) {
    vox_tiff_file *f = handle;
    (void)module;
    if (f != NULL && f->message[0] == 0) vsnprintf(f->message, sizeof f->message, format, arguments);
}

TIFF *vox_tiff_open(vox_tiff_file *f, const char *path, const char *mode) {
    TIFFSetErrorHandler(NULL); /* they would print */
    TIFFSetWarningHandler(NULL);
    TIFFSetErrorHandlerExt(note);
    return TIFFClientOpen(path, mode, f, read_bytes, write_bytes, seek, keep_open, size_of, NULL, NULL);
}

/* ---- a page ---------------------------------------------------------------------------------- */

typedef struct page {
    uint32_t width, height;
    uint16_t bits, samples, format, planar, photometric, compression;
} page;

typedef struct stack {
    const char *path;
    vox_tiff_file file;
    TIFF *tiff;
    page first;
    vox_stored stored;
    size_t row, plane; /* bytes: of a row of all samples that lie together, of a page */
    int64_t pages;     /* in the file, or in what ImageJ wrote behind the only one */
    unsigned char *tile;
    size_t tile_bytes;
} stack;

static int corrupt(const stack *s) {
    return vox_fail(VOX_EXIT_INPUT, "%s: truncated or corrupt: %s", s->path,
                    s->file.message[0] != 0 ? s->file.message : "libtiff cannot read it");
}

static page page_of(TIFF *t) {
    page p = {.width = 0};
    TIFFGetField(t, TIFFTAG_IMAGEWIDTH, &p.width);
    TIFFGetField(t, TIFFTAG_IMAGELENGTH, &p.height);
    TIFFGetFieldDefaulted(t, TIFFTAG_BITSPERSAMPLE, &p.bits);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLESPERPIXEL, &p.samples);
    TIFFGetFieldDefaulted(t, TIFFTAG_SAMPLEFORMAT, &p.format);
    TIFFGetFieldDefaulted(t, TIFFTAG_PLANARCONFIG, &p.planar);
    TIFFGetFieldDefaulted(t, TIFFTAG_COMPRESSION, &p.compression);
    if (!TIFFGetField(t, TIFFTAG_PHOTOMETRIC, &p.photometric)) p.photometric = PHOTOMETRIC_MINISBLACK;
    return p;
}

static int read_kind(stack *s) {
    const page *p = &s->first;
    uint32_t depth = 1;
    TIFFGetField(s->tiff, TIFFTAG_IMAGEDEPTH, &depth);
    bool whole =
        p->format == SAMPLEFORMAT_UINT || p->format == SAMPLEFORMAT_INT || p->format == SAMPLEFORMAT_VOID;
    bool real = p->format == SAMPLEFORMAT_IEEEFP;
    bool sized = p->bits == 8 || p->bits == 16 || p->bits == 32 || p->bits == 64;
    if (!sized || !(whole || (real && p->bits >= 16)) || depth > 1)
        return vox_fail(
            VOX_EXIT_UNSUPPORTED,
            "%s: values of %d bits, sample format %d, cannot be read: save it as 8, 16 or 32 bits", s->path,
            p->bits, p->format);
    if (p->photometric != PHOTOMETRIC_MINISBLACK && p->photometric != PHOTOMETRIC_RGB &&
        p->photometric != PHOTOMETRIC_PALETTE)
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "%s: photometric interpretation %d cannot be read: save it as grey values or RGB",
                        s->path, p->photometric);
    if (!TIFFIsCODECConfigured(p->compression))
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: this libtiff cannot unpack compression %d", s->path,
                        p->compression);
    s->stored = (vox_stored){real ? 'f' : p->format == SAMPLEFORMAT_INT ? 'i' : 'u', p->bits / 8, false};
    if (p->width == 0 || p->height == 0 || p->width > VOX_IMAGE_AXIS || p->height > VOX_IMAGE_AXIS ||
        p->samples == 0)
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt: a page of %ux%u pixels (1 to %d can be read)", s->path,
                        p->width, p->height, VOX_IMAGE_AXIS);
    size_t together = p->planar == PLANARCONFIG_SEPARATE ? 1 : p->samples;
    s->row = p->width * together * (size_t)s->stored.bytes;                         /* 2^35 at most */
    s->plane = (size_t)p->width * p->height * p->samples * (size_t)s->stored.bytes; /* 2^51 */
    return 0;
}

static bool same_page(const page *a, const page *b) {
    return a->width == b->width && a->height == b->height && a->bits == b->bits && a->samples == b->samples &&
           a->format == b->format && a->planar == b->planar;
}

/* The rows of one sample, or of all that lie together. */
static int read_strips(stack *s, uint32_t first, unsigned char *to) {
    uint32_t rows = 0;
    TIFFGetFieldDefaulted(s->tiff, TIFFTAG_ROWSPERSTRIP, &rows);
    if (rows == 0 || rows > s->first.height) rows = s->first.height;
    for (uint32_t y = 0; y < s->first.height; y += rows) {
        uint32_t left = s->first.height - y;
        tmsize_t want = (tmsize_t)((left < rows ? left : rows) * s->row);
        if (TIFFReadEncodedStrip(s->tiff, first + y / rows, to + y * s->row, want) != want) return corrupt(s);
    }
    return 0;
}

static int read_tiles(stack *s, uint16_t sample, unsigned char *to) {
    uint32_t width = 0, height = 0;
    TIFFGetField(s->tiff, TIFFTAG_TILEWIDTH, &width);
    TIFFGetField(s->tiff, TIFFTAG_TILELENGTH, &height);
    const size_t pixel = s->row / s->first.width, bytes = (size_t)width * height * pixel;
    if (width == 0 || height == 0 || width > VOX_IMAGE_AXIS || height > VOX_IMAGE_AXIS ||
        TIFFTileSize64(s->tiff) != bytes)
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt: tiles of %ux%u pixels", s->path, width, height);
    if (bytes > s->tile_bytes) {
        if (bytes > vox_image_memory()) return vox_fail_memory(s->path, bytes);
        free(s->tile);
        s->tile = malloc(bytes);
        s->tile_bytes = s->tile != NULL ? bytes : 0;
        if (s->tile == NULL) return vox_fail_memory(s->path, bytes);
    }
    for (uint32_t y = 0; y < s->first.height; y += height) {
        for (uint32_t x = 0; x < s->first.width; x += width) {
            uint32_t columns = s->first.width - x < width ? s->first.width - x : width;
            uint32_t rows = s->first.height - y < height ? s->first.height - y : height;
            if (TIFFReadTile(s->tiff, s->tile, x, y, 0, sample) != (tmsize_t)bytes) return corrupt(s);
            for (uint32_t r = 0; r < rows; r++)
                memcpy(to + (y + r) * s->row + x * pixel, s->tile + r * width * pixel, columns * pixel);
        }
    }
    return 0;
}

static int read_page(stack *s, unsigned char *to) {
    const bool apart = s->first.planar == PLANARCONFIG_SEPARATE;
    const uint16_t parts = apart ? s->first.samples : 1;
    const bool tiled = TIFFIsTiled(s->tiff) != 0;
    const uint32_t strips = tiled ? 0 : TIFFNumberOfStrips(s->tiff) / parts;
    int code = 0;
    for (uint16_t p = 0; p < parts && code == 0; p++) {
        unsigned char *part = to + p * (s->plane / parts);
        code = tiled ? read_tiles(s, p, part) : read_strips(s, p * strips, part);
    }
    return code;
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* Nothing is allocated for a lie: how much more a byte can unpack to. */
static int check_size(const stack *s) {
    uint64_t most = 1 << 16, bytes;
    if (s->first.compression == COMPRESSION_NONE) most = 1;
    if (s->first.compression == COMPRESSION_DEFLATE || s->first.compression == COMPRESSION_ADOBE_DEFLATE)
        most = 1032;
    if (s->first.compression == COMPRESSION_LZW) most = 4096;
    if (!__builtin_mul_overflow(s->plane, (uint64_t)s->pages, &bytes) &&
        bytes / most <= (uint64_t)s->file.size)
        return 0;
    return vox_fail(VOX_EXIT_INPUT, "%s: truncated: %lld pages of %zu bytes are promised, the file has %lld",
                    s->path, (long long)s->pages, s->plane, (long long)s->file.size);
}

static int read_pages(stack *s, unsigned char *at) {
    for (int64_t n = 0; n < s->pages; n++) {
        if (n > 0 && TIFFReadDirectory(s->tiff) == 0) return corrupt(s);
        const page p = page_of(s->tiff);
        if (!same_page(&p, &s->first))
            return vox_fail(VOX_EXIT_UNSUPPORTED,
                            "%s: page %lld is %ux%u of %d bits, page 1 %ux%u of %d: pages must be alike",
                            s->path, (long long)n + 1, p.width, p.height, p.bits, s->first.width,
                            s->first.height, s->first.bits);
        if (!TIFFIsCODECConfigured(p.compression))
            return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: this libtiff cannot unpack compression %d", s->path,
                            p.compression);
        int code = read_page(s, at + (size_t)n * s->plane);
        if (code != 0) return code;
    }
    if (TIFFLastDirectory(s->tiff) != 0) return 0;
    return vox_fail(VOX_EXIT_INPUT, "%s: truncated: the file ends before page %lld", s->path,
                    (long long)s->pages + 1);
}

/* ImageJ's stacks above 4 GiB, and those that tifffile truncates: one page, the others' voxels behind its own. */
static int read_behind(stack *s, unsigned char *at) {
    uint64_t offset = TIFFGetStrileOffset(s->tiff, 0);
    size_t bytes = s->plane * (size_t)s->pages;
    if (offset == 0 || offset > (uint64_t)s->file.size || bytes > (uint64_t)s->file.size - offset)
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: the voxels of %lld images end beyond the file",
                        s->path, (long long)s->pages);
    if (fseeko(s->file.file, (off_t)offset, SEEK_SET) != 0 ||
        read_bytes(&s->file, at, (tmsize_t)bytes) != (tmsize_t)bytes)
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: the voxels of %lld images", s->path,
                        (long long)s->pages);
    s->stored.swap = s->stored.bytes > 1 && TIFFIsByteSwapped(s->tiff);
    return 0;
}

/* How many of each, and how far it is from one to the next in pages. */
typedef struct order {
    int64_t z, c, t, step_z, step_c, step_t;
} order;

static int read_order(const stack *s, const vox_tiff_text *d, order *o) {
    const char *axes = d->ome && strlen(d->order) == 5 ? d->order + 2 : d->imagej ? "CZT" : "ZCT";
    *o = (order){d->z > 0 ? d->z : 1, d->c > 0 ? d->c : 1, d->t > 0 ? d->t : 1, 0, 0, 0};
    if (d->ome && o->c % s->first.samples == 0) o->c /= s->first.samples; /* OME counts colours as channels */
    if (!d->ome && !d->imagej) o->z = s->pages;
    if (d->shaped == 4 && d->shape[0] * d->shape[1] == (double)s->pages && d->shape[0] >= 1) {
        o->c = (int64_t)d->shape[0]; /* at most the pages */
        o->z = s->pages / o->c;
    }
    int64_t step = 1;
    for (int i = 0; i < 3; i++) {
        int64_t *n = axes[i] == 'Z' ? &o->z : axes[i] == 'C' ? &o->c : &o->t;
        *(axes[i] == 'Z' ? &o->step_z : axes[i] == 'C' ? &o->step_c : &o->step_t) = step;
        if (__builtin_mul_overflow(step, *n, &step)) step = INT64_MAX;
    }
    if (step != s->pages)
        return vox_fail(VOX_EXIT_INPUT,
                        "%s: its description speaks of %lld slices, %lld channels and %lld times, but there "
                        "are %lld pages",
                        s->path, (long long)o->z, (long long)o->c, (long long)o->t, (long long)s->pages);
    if ((o->c > 1) + (o->t > 1) + (s->first.samples > 1) > 1)
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "%s: more than one of channels (%lld), times (%lld) and colours (%d): keep one",
                        s->path, (long long)o->c, (long long)o->t, s->first.samples);
    return 0;
}

static void set_strides(vox_image *image, const stack *s, const order *o) {
    vox_volume *v = &image->volume;
    const ptrdiff_t value = (ptrdiff_t)vox_image_type_bytes(v->type);
    const ptrdiff_t plane = (ptrdiff_t)s->plane / s->stored.bytes * value;
    const bool apart = s->first.planar == PLANARCONFIG_SEPARATE;
    v->stride[0] = apart ? value : value * s->first.samples;
    v->stride[1] = v->stride[0] * v->dim[0];
    v->stride[2] = o->step_z * plane;
    v->channel = o->c > 1 ? o->step_c * plane : o->t > 1 ? o->step_t * plane : plane;
    if (s->first.samples > 1) {
        v->channel = apart ? v->stride[1] * v->dim[1] : value;
        image->colours = s->first.samples;
        image->series = 1;
    }
}

static int read_stack(vox_image *image, stack *s) {
    char *text = NULL;
    vox_tiff_text d;
    order o;
    unsigned char *at = NULL;
    float per_unit[2] = {0};
    uint16_t unit = RESUNIT_INCH;
    s->first = page_of(s->tiff);
    int code = read_kind(s);
    if (code != 0) return code;
    TIFFGetField(s->tiff, TIFFTAG_IMAGEDESCRIPTION, &text);
    TIFFGetField(s->tiff, TIFFTAG_XRESOLUTION, &per_unit[0]);
    TIFFGetField(s->tiff, TIFFTAG_YRESOLUTION, &per_unit[1]);
    TIFFGetFieldDefaulted(s->tiff, TIFFTAG_RESOLUTIONUNIT, &unit);
    vox_tiff_describe(&d, text, (double[2]){(double)per_unit[0], (double)per_unit[1]});
    for (int k = 0; k < 2 && !d.ome && !d.imagej;
         k++) /* inches are what printers and screens are measured in */
        d.size[k] = unit == RESUNIT_CENTIMETER && per_unit[k] > 0 ? 10 / (double)per_unit[k] : 0;
    s->pages = (int64_t)TIFFNumberOfDirectories(s->tiff);
    bool behind = d.imagej && s->pages == 1 && d.images > 1 && s->first.compression == COMPRESSION_NONE &&
                  !TIFFIsTiled(s->tiff);
    if (behind) s->pages = d.images;
    code = read_order(s, &d, &o);
    if (code == 0) code = check_size(s);
    const int64_t dim[3] = {s->first.width, s->first.height, o.z};
    if (code == 0) code = vox_image_make(image, s->path, dim, o.c * o.t * s->first.samples, s->stored, &at);
    if (code == 0 && !behind && TIFFSetDirectory(s->tiff, 0) == 0) code = corrupt(s);
    if (code == 0) code = behind ? read_behind(s, at) : read_pages(s, at);
    if (code != 0) return code;
    vox_image_widen(image, s->stored);
    set_strides(image, s, &o);
    vox_image_set_sizes(image, d.size);
    image->unit_unknown = d.unit_unknown;
    return 0;
}

int vox_image_read_tiff(vox_image *image, const char *file) {
    vox_source source;
    stack s = {.path = file};
    int code = vox_source_open(&source, file);
    if (code == 0 && source.size < 0)
        code = vox_fail(VOX_EXIT_INPUT, "%s: TIFF cannot be read from a pipe", file);
    if (code == 0) {
        s.file.file = source.file;
        s.file.size = source.size;
        s.tiff = vox_tiff_open(&s.file, file, "rm");
        if (s.tiff == NULL) code = vox_fail(VOX_EXIT_INPUT, "%s: not a TIFF file: %s", file, s.file.message);
    }
    if (code == 0) code = read_stack(image, &s);
    if (s.tiff != NULL) TIFFClose(s.tiff);
    free(s.tile);
    vox_source_close(&source);
    return code;
}
#else
int vox_image_read_tiff(vox_image *image, const char *file) {
    (void)image;
    return vox_image_lacks(file, "TIFF", "libtiff-dev");
}
#endif
