/* SPDX-License-Identifier: MIT-0 */
/* image_meta.c: MetaImage files, .mha and .mhd with its data file, raw and zlib; world axes are LPS, as ITK
 * writes them (docs.itk.org, MetaIO). See image_parts.h. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image_parts.h"
#include "report.h"

enum { MOST_AXES = 5, LINE = 1 << 12, MOST_LINES = 1 << 12 };

typedef struct header {
    const char *file;
    vox_stored stored;
    int rank;
    double size[MOST_AXES], spacing[MOST_AXES], element[MOST_AXES], origin[MOST_AXES];
    double matrix[MOST_AXES * MOST_AXES]; /* [axis][world] */
    int sizes, spacings, elements, origins, matrices;
    int64_t channels, skip; /* skip -1: the voxels are the file's last bytes */
    double mm;
    bool big, packed, text;
    char data[PATH_MAX]; /* "": behind the header */
    bool has_data;
} header;

static int bad(const header *h, const char *field, const char *value) {
    return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: %s = %.80s", h->file, field, value);
}

static int read_type(header *h, const char *name) {
    static const struct {
        const char *name;
        char kind;
        int bytes;
    } types[] = {{"MET_CHAR", 'i', 1},       {"MET_UCHAR", 'u', 1}, {"MET_SHORT", 'i', 2},
                 {"MET_USHORT", 'u', 2},     {"MET_INT", 'i', 4},   {"MET_UINT", 'u', 4},
                 {"MET_LONG", 'i', 4},       {"MET_ULONG", 'u', 4}, {"MET_LONG_LONG", 'i', 8},
                 {"MET_ULONG_LONG", 'u', 8}, {"MET_FLOAT", 'f', 4}, {"MET_DOUBLE", 'f', 8}};
    size_t n = strlen(name);
    if (n > 6 && strcmp(name + n - 6, "_ARRAY") == 0) n -= 6;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strlen(types[i].name) != n || strncmp(types[i].name, name, n) != 0) continue;
        h->stored.kind = types[i].kind;
        h->stored.bytes = types[i].bytes;
        return 0;
    }
    return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: voxels of type %.80s cannot be read", h->file, name);
}

static int read_data_file(header *h, const char *value) {
    h->has_data = true;
    if (strcasecmp(value, "LOCAL") == 0) return 0;
    if (strncmp(value, "LIST", 4) == 0 || strchr(value, '%') != NULL)
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: voxels in several files cannot be read: put them into one",
                        h->file);
    if (!vox_image_beside(h->file, value, h->data))
        return vox_fail(VOX_EXIT_INPUT, "%s: its data file %.80s is not in its folder", h->file, value);
    return 0;
}

static bool is_any(const char *word, const char *a, const char *b, const char *c) {
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static int read_numbers(header *h, const char *field, const char *value, double *numbers, int *n) {
    *n = vox_image_numbers(value, numbers,
                           field[0] == 'T' || field[0] == 'R' || strcmp(field, "Orientation") == 0
                               ? MOST_AXES * MOST_AXES
                               : MOST_AXES);
    return *n > 0 ? 0 : bad(h, field, value);
}

static int read_field(header *h, const char *field, const char *value) {
    const bool yes = value[0] == 'T' || value[0] == 't' || value[0] == '1';
    if (strcmp(field, "DimSize") == 0) return read_numbers(h, field, value, h->size, &h->sizes);
    if (strcmp(field, "ElementSpacing") == 0) return read_numbers(h, field, value, h->spacing, &h->spacings);
    if (strcmp(field, "ElementSize") == 0) return read_numbers(h, field, value, h->element, &h->elements);
    if (is_any(field, "Offset", "Position", "Origin"))
        return read_numbers(h, field, value, h->origin, &h->origins);
    if (is_any(field, "TransformMatrix", "Rotation", "Orientation"))
        return read_numbers(h, field, value, h->matrix, &h->matrices);
    if (strcmp(field, "ElementType") == 0) return read_type(h, value);
    if (strcmp(field, "ElementDataFile") == 0) return read_data_file(h, value);
    if (is_any(field, "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "")) h->big = yes;
    if (strcmp(field, "CompressedData") == 0) h->packed = yes;
    if (strcmp(field, "BinaryData") == 0) h->text = !yes;
    if (strcmp(field, "DistanceUnits") == 0) h->mm = vox_image_unit(value);
    if (strcmp(field, "ElementNumberOfChannels") == 0)
        return vox_image_whole(value, 1, VOX_IMAGE_AXIS, &h->channels) ? 0 : bad(h, field, value);
    if (strcmp(field, "HeaderSize") == 0)
        return vox_image_whole(value, -1, INT64_MAX / 2, &h->skip) ? 0 : bad(h, field, value);
    if (strcmp(field, "NDims") == 0) {
        int64_t n = 0;
        if (!vox_image_whole(value, 2, MOST_AXES, &n)) return bad(h, field, value);
        h->rank = (int)n;
    }
    return 0;
}

static int read_header(header *h, vox_source *s, char *line) {
    for (int n = 0; !h->has_data; n++) {
        int length = vox_source_line(s, line, LINE);
        char *equals = length > 0 ? strchr(line, '=') : NULL;
        if (length < 0 || n == MOST_LINES || (n == 0 && equals == NULL))
            return vox_fail(VOX_EXIT_INPUT,
                            "%s: not a MetaImage file, or truncated: no ElementDataFile ends its header",
                            s->path);
        if (equals == NULL) continue;
        *equals = 0;
        int code = read_field(h, vox_image_trim(line), vox_image_trim(equals + 1));
        if (code != 0) return code;
    }
    if (h->rank == 0 || h->sizes != h->rank || h->stored.bytes == 0)
        return vox_fail(VOX_EXIT_INPUT,
                        "%s: corrupt header: NDims, DimSize or ElementType is missing or wrong", s->path);
    if (h->text) return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: voxels as text cannot be read", s->path);
    for (int a = 0; a < h->rank; a++) {
        if (!(h->size[a] >= 1 && h->size[a] <= VOX_IMAGE_AXIS) || h->size[a] != floor(h->size[a]))
            return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: DimSize has %g (1 to %d can be read)",
                            s->path, h->size[a], VOX_IMAGE_AXIS);
    }
    h->stored.swap = h->stored.bytes > 1 && h->big == vox_little();
    return 0;
}

/* Without a matrix the file says nothing about directions. */
static void set_grid(vox_image *image, const header *h) {
    double affine[3][4] = {{0}}, size[3] = {0};
    const double *spacing = h->spacings > 0 ? h->spacing : h->element;
    const int n = h->rank < 3 ? h->rank : 3, known = h->spacings > 0 ? h->spacings : h->elements;
    for (int k = 0; k < n; k++) {
        size[k] = k < known ? spacing[k] * h->mm : 0;
        for (int r = 0; r < 3; r++) affine[r][k] = r < h->rank ? h->matrix[k * h->rank + r] * size[k] : 0;
        affine[k][3] = k < h->origins ? h->origin[k] * h->mm : 0;
    }
    if (n < 3 || h->matrices != h->rank * h->rank || known < 3) {
        vox_image_set_sizes(image, size);
        return;
    }
    vox_image_turn_lps(affine);
    vox_image_set_affine(image, h->file, affine);
}

static int make_image(vox_image *image, const header *h, vox_source *s) {
    int64_t dim[3], series = 1;
    unsigned char *at = NULL;
    for (int k = 0; k < 3; k++) dim[k] = k < h->rank ? (int64_t)h->size[k] : 1;
    for (int a = 3; a < h->rank; a++) series *= (int64_t)h->size[a];
    if (series > 1 && h->channels > 1)
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: both a series and channels: keep one", h->file);
    uint64_t bytes = (uint64_t)h->stored.bytes * (uint64_t)h->channels;
    bool overflow = __builtin_mul_overflow(bytes, (uint64_t)series, &bytes);
    for (int k = 0; k < 3; k++)
        overflow = overflow || __builtin_mul_overflow(bytes, (uint64_t)dim[k], &bytes);
    if (overflow) return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: the size overflows", h->file);
    int code = vox_source_promise(s, bytes, h->packed);
    if (code == 0) code = vox_image_make(image, h->file, dim, series * h->channels, h->stored, &at);
    if (code != 0) return code;
    if (h->skip < 0) {
        if (h->packed || s->size < (int64_t)bytes)
            return vox_fail(VOX_EXIT_INPUT, "%s: truncated: fewer than %llu bytes of voxels", s->path,
                            (unsigned long long)bytes);
        if (fseeko(s->file, (off_t)(s->size - (int64_t)bytes), SEEK_SET) != 0) return vox_source_error(s);
    } else {
        code = vox_source_skip(s, h->skip);
    }
    if (code == 0 && h->packed) code = vox_source_inflate(s);
    if (code == 0) code = vox_source_promise(s, bytes, h->packed);
    if (code == 0) code = vox_source_voxels(s, at, (size_t)bytes);
    if (code != 0) return code;
    vox_image_widen(image, h->stored);
    if (h->channels > 1) {
        vox_image_interleave(image);
        image->colours = (int)h->channels;
        image->series = 1;
    }
    set_grid(image, h);
    return 0;
}

int vox_image_read_meta(vox_image *image, const char *file) {
    char line[LINE];
    vox_source s, data = {.path = NULL};
    header h = {.file = file, .channels = 1, .mm = 1};
    int code = vox_source_open(&s, file);
    if (code == 0) code = read_header(&h, &s, line);
    if (code == 0 && h.mm == 0) image->unit_unknown = true;
    if (h.mm == 0) h.mm = 1;
    if (code == 0 && h.data[0] != 0) code = vox_source_open_data(&data, h.data);
    if (code == 0) code = make_image(image, &h, h.data[0] != 0 ? &data : &s);
    vox_source_close(&s);
    vox_source_close(&data);
    return code;
}
