/* SPDX-License-Identifier: MIT-0 */
/* image_nrrd.c: NRRD files, attached and detached, raw and gzip (teem.sourceforge.net/nrrd/format.html); see
 * image_parts.h. Read here and not by teem, whose reader allocates what a header promises before it looks at the
 * file. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "image_parts.h"
#include "report.h"

enum { MOST_AXES = 16, LINE = 1 << 16, MOST_LINES = 1 << 16 };

typedef struct header {
    const char *file;
    vox_stored stored;
    int rank, space_rank;
    int64_t size[MOST_AXES];
    bool range[MOST_AXES];     /* not an axis of space: colours, channels */
    double spacing[MOST_AXES]; /* 0: not given */
    double direction[MOST_AXES][3];
    bool has_direction, has_spacing; /* any of them */
    double origin[3];
    char space[64];
    double mm; /* of the units; 0: none is given */
    bool little, has_endian, packed;
    int64_t byte_skip, line_skip;
    char data[PATH_MAX]; /* "": behind the header */
} header;

static int bad(const header *h, const char *field, const char *value) {
    return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: %s: %.80s", h->file, field, value);
}

/* ---- fields ---------------------------------------------------------------------------------- */

static int read_type(header *h, const char *name) {
    static const struct {
        const char *name;
        char kind;
        int bytes;
    } types[] = {{"signed char", 'i', 1},
                 {"int8", 'i', 1},
                 {"int8_t", 'i', 1},
                 {"uchar", 'u', 1},
                 {"unsigned char", 'u', 1},
                 {"uint8", 'u', 1},
                 {"uint8_t", 'u', 1},
                 {"short", 'i', 2},
                 {"short int", 'i', 2},
                 {"signed short", 'i', 2},
                 {"signed short int", 'i', 2},
                 {"int16", 'i', 2},
                 {"int16_t", 'i', 2},
                 {"ushort", 'u', 2},
                 {"unsigned short", 'u', 2},
                 {"unsigned short int", 'u', 2},
                 {"uint16", 'u', 2},
                 {"uint16_t", 'u', 2},
                 {"int", 'i', 4},
                 {"signed int", 'i', 4},
                 {"int32", 'i', 4},
                 {"int32_t", 'i', 4},
                 {"uint", 'u', 4},
                 {"unsigned int", 'u', 4},
                 {"uint32", 'u', 4},
                 {"uint32_t", 'u', 4},
                 {"longlong", 'i', 8},
                 {"long long", 'i', 8},
                 {"long long int", 'i', 8},
                 {"signed long long", 'i', 8},
                 {"signed long long int", 'i', 8},
                 {"int64", 'i', 8},
                 {"int64_t", 'i', 8},
                 {"ulonglong", 'u', 8},
                 {"unsigned long long", 'u', 8},
                 {"unsigned long long int", 'u', 8},
                 {"uint64", 'u', 8},
                 {"uint64_t", 'u', 8},
                 {"float", 'f', 4},
                 {"double", 'f', 8}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcasecmp(types[i].name, name) != 0) continue;
        h->stored.kind = types[i].kind;
        h->stored.bytes = types[i].bytes;
        return 0;
    }
    return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: voxels of type %.80s cannot be read", h->file, name);
}

static int read_sizes(header *h, const char *value) {
    double sizes[MOST_AXES];
    int n = vox_image_numbers(value, sizes, MOST_AXES);
    if (n != h->rank) return bad(h, "sizes", value);
    for (int a = 0; a < n; a++) {
        if (!(sizes[a] >= 1 && sizes[a] <= VOX_IMAGE_AXIS) || sizes[a] != floor(sizes[a]))
            return bad(h, "sizes", value);
        h->size[a] = (int64_t)sizes[a];
    }
    return 0;
}

/* One "(x,y,z)" or "none" per axis. */
static int read_directions(header *h, const char *value) {
    const char *p = value;
    for (int a = 0; a < h->rank; a++) {
        char vector[256];
        p += strspn(p, " \t");
        if (strncmp(p, "none", 4) == 0) {
            h->range[a] = true;
            p += 4;
            continue;
        }
        size_t n = strcspn(p, ")");
        if (*p != '(' || p[n] != ')' || n >= sizeof vector) return bad(h, "space directions", value);
        memcpy(vector, p, n);
        vector[n] = 0;
        if (vox_image_numbers(vector, h->direction[a], 3) != h->space_rank)
            return bad(h, "space directions", value);
        h->has_direction = true;
        p += n + 1;
    }
    return 0;
}

static int read_spacings(header *h, char *value) {
    char *rest = NULL;
    int a = 0;
    for (char *word = strtok_r(value, " \t", &rest); word != NULL; word = strtok_r(NULL, " \t", &rest)) {
        double x = strtod(word, NULL);
        if (a == h->rank) return bad(h, "spacings", word);
        if (isfinite(x)) h->has_spacing = true;
        h->spacing[a++] = isfinite(x) ? fabs(x) : 0;
    }
    return 0;
}

/* Axes of colours and of vectors are told from those of space by their kinds. */
static void read_kinds(header *h, char *value) {
    static const char *const space[] = {"domain", "space", "???", "none"};
    char *rest = NULL;
    int a = 0;
    for (char *word = strtok_r(value, " \t", &rest); word != NULL && a < h->rank; a++) {
        bool found = false;
        for (size_t i = 0; i < sizeof space / sizeof *space; i++)
            found = found || strcasecmp(word, space[i]) == 0;
        h->range[a] = h->range[a] || !found;
        word = strtok_r(NULL, " \t", &rest);
    }
}

/* The first "unit" in quotes that is one of length. */
static void read_units(header *h, char *value) {
    char *rest = NULL;
    for (char *word = strtok_r(value, " \t\"", &rest); word != NULL && h->mm == 0;
         word = strtok_r(NULL, " \t\"", &rest))
        h->mm = vox_image_unit(word);
}

static int read_space(header *h, const char *value) {
    snprintf(h->space, sizeof h->space, "%s", value);
    h->space_rank = 3;
    if (strstr(value, "time") == NULL && strlen(value) != 4) return 0;
    return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: a space with an axis of time", h->file);
}

static int read_encoding(header *h, const char *value) {
    h->packed = strcasecmp(value, "gzip") == 0 || strcasecmp(value, "gz") == 0;
    if (h->packed || strcasecmp(value, "raw") == 0) return 0;
    return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: encoding %.40s cannot be read: raw or gzip is expected",
                    h->file, value);
}

static int read_data_file(header *h, const char *value) {
    if (strncmp(value, "LIST", 4) == 0 || strchr(value, '%') != NULL)
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: voxels in several files cannot be read: put them into one",
                        h->file);
    if (!vox_image_beside(h->file, value, h->data))
        return vox_fail(VOX_EXIT_INPUT, "%s: its data file %.80s is not in its folder", h->file, value);
    return 0;
}

static int read_dimension(header *h, const char *value) {
    int64_t n = 0;
    if (!vox_image_whole(value, 1, MOST_AXES, &n)) return bad(h, "dimension", value);
    h->rank = (int)n;
    return 0;
}

/* Fields of which the format allows any order except that dimension comes before what it counts. */
static int read_field(header *h, const char *field, char *value) {
    if (strcasecmp(field, "type") == 0) return read_type(h, value);
    if (strcasecmp(field, "dimension") == 0) return read_dimension(h, value);
    if (strcasecmp(field, "encoding") == 0) return read_encoding(h, value);
    if (strcasecmp(field, "space") == 0) return read_space(h, value);
    if (strcasecmp(field, "data file") == 0 || strcasecmp(field, "datafile") == 0)
        return read_data_file(h, value);
    if (strcasecmp(field, "sizes") == 0) return read_sizes(h, value);
    if (strcasecmp(field, "spacings") == 0) return read_spacings(h, value);
    if (strcasecmp(field, "space directions") == 0) return read_directions(h, value);
    if (strcasecmp(field, "kinds") == 0) read_kinds(h, value);
    if (strcasecmp(field, "units") == 0 || strcasecmp(field, "space units") == 0) read_units(h, value);
    if (strcasecmp(field, "endian") == 0) {
        h->has_endian = true;
        h->little = strcasecmp(value, "little") == 0;
        if (!h->little && strcasecmp(value, "big") != 0) return bad(h, field, value);
    }
    if (strcasecmp(field, "space dimension") == 0) {
        int64_t n = 0;
        if (!vox_image_whole(value, 1, 3, &n)) return bad(h, field, value);
        h->space_rank = (int)n;
    }
    if (strcasecmp(field, "space origin") == 0 && vox_image_numbers(value, h->origin, 3) != h->space_rank)
        return bad(h, field, value);
    if (strcasecmp(field, "byte skip") == 0 || strcasecmp(field, "byteskip") == 0)
        return vox_image_whole(value, -1, INT64_MAX / 2, &h->byte_skip) ? 0 : bad(h, field, value);
    if (strcasecmp(field, "line skip") == 0 || strcasecmp(field, "lineskip") == 0)
        return vox_image_whole(value, 0, MOST_LINES, &h->line_skip) ? 0 : bad(h, field, value);
    return 0;
}

static int read_header(header *h, vox_source *s, char *line) {
    if (vox_source_line(s, line, LINE) < 8 || strncmp(line, "NRRD000", 7) != 0)
        return vox_fail(VOX_EXIT_INPUT, "%s: not a NRRD file", s->path);
    for (int n = 0;; n++) {
        int length = vox_source_line(s, line, LINE);
        if (length == 0 || (length < 0 && h->data[0] != 0)) break;
        if (length < 0 || n == MOST_LINES)
            return vox_fail(VOX_EXIT_INPUT, "%s: truncated in the header: no empty line ends it", s->path);
        char *colon = strchr(line, ':');
        if (line[0] == '#' || (colon != NULL && colon[1] == '=')) continue;
        if (colon == NULL) return bad(h, "no field", line);
        *colon = 0;
        int code = read_field(h, vox_image_trim(line), vox_image_trim(colon + 1));
        if (code != 0) return code;
    }
    if (h->rank == 0 || h->size[0] == 0 || h->stored.bytes == 0)
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: dimension, sizes or type is missing", s->path);
    if (h->stored.bytes > 1 && !h->has_endian)
        return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: it does not say the endian of its voxels",
                        s->path);
    h->stored.swap = h->stored.bytes > 1 && h->little != vox_little();
    return 0;
}

/* ---- the image ------------------------------------------------------------------------------- */

/* Which axes are x y z, and which one the channels'; -1: none is. */
static int sort_axes(const header *h, int axis[3], int *channel) {
    int space = 0;
    *channel = -1;
    for (int a = 0; a < h->rank; a++) {
        if (h->size[a] == 1 && h->range[a]) continue;
        if (!h->range[a] && space < 3) {
            axis[space++] = a;
        } else if (*channel < 0) {
            *channel = a;
        } else if (h->size[a] > 1) {
            return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: more than one axis besides those of space", h->file);
        }
    }
    for (; space < 3; space++) axis[space] = -1;
    return 0;
}

static void set_strides(vox_image *image, const header *h, const int axis[3], int channel) {
    ptrdiff_t step = (ptrdiff_t)vox_image_type_bytes(image->volume.type);
    for (int a = 0; a < h->rank; a++) {
        for (int k = 0; k < 3; k++) {
            if (axis[k] == a) image->volume.stride[k] = step;
        }
        if (channel == a) image->volume.channel = step;
        step *= (ptrdiff_t)h->size[a];
    }
}

/* 1: the space is RAS+, -1: LPS, 2: LAS, 0: none of a patient. */
static int turn_of(const char *space) {
    static const struct {
        const char *name;
        int turn;
    } spaces[] = {{"right-anterior-superior", 1}, {"RAS", 1}, {"left-posterior-superior", -1}, {"LPS", -1},
                  {"left-anterior-superior", 2},  {"LAS", 2}};
    for (size_t i = 0; i < sizeof spaces / sizeof *spaces; i++) {
        if (strcasecmp(spaces[i].name, space) == 0) return spaces[i].turn;
    }
    return 0;
}

static void set_grid(vox_image *image, const header *h, const int axis[3]) {
    const int turn = turn_of(h->space);
    const double mm = h->mm > 0 ? h->mm : 1;
    double affine[3][4] = {{0}}, size[3] = {0};
    image->unit_unknown = h->mm == 0 && turn == 0; /* patients are measured in mm */
    for (int k = 0; k < 3; k++) {
        if (axis[k] < 0) continue;
        for (int r = 0; r < 3; r++) affine[r][k] = h->direction[axis[k]][r] * mm;
        size[k] = h->spacing[axis[k]] * mm;
        if (h->has_direction) size[k] = hypot(hypot(affine[0][k], affine[1][k]), affine[2][k]);
        affine[k][3] = 0;
    }
    for (int r = 0; r < 3; r++) affine[r][3] = h->origin[r] * mm;
    if (turn == -1) vox_image_turn_lps(affine);
    for (int k = 0; k < 4 && turn == 2; k++) affine[0][k] = affine[0][k] == 0 ? 0 : -affine[0][k];
    if (turn != 0 && h->has_direction && axis[2] >= 0) {
        vox_image_set_affine(image, h->file, affine);
    } else {
        vox_image_set_sizes(image, size);
    }
}

static int read_voxels(const header *h, vox_source *s, unsigned char *at, size_t bytes, char *line) {
    for (int64_t n = 0; n < h->line_skip; n++) {
        if (vox_source_line(s, line, LINE) < 0)
            return vox_fail(VOX_EXIT_INPUT, "%s: truncated: the file ends before its voxels", s->path);
    }
    int code = h->packed ? vox_source_inflate(s) : 0;
    if (code == 0 && h->byte_skip > 0) code = vox_source_skip(s, h->byte_skip);
    if (code == 0 && h->byte_skip < 0) {
        if (h->packed || s->size < (int64_t)bytes)
            return vox_fail(VOX_EXIT_INPUT, "%s: truncated: fewer than %zu bytes of voxels", s->path, bytes);
        if (fseeko(s->file, (off_t)(s->size - (int64_t)bytes), SEEK_SET) != 0) return vox_source_error(s);
    }
    if (code == 0 && !h->packed) code = vox_source_promise(s, bytes, false);
    return code == 0 ? vox_source_voxels(s, at, bytes) : code;
}

static int make_image(vox_image *image, const header *h, vox_source *s, char *line) {
    int axis[3], channel;
    int64_t dim[3];
    unsigned char *at = NULL;
    int code = sort_axes(h, axis, &channel);
    if (code != 0) return code;
    for (int k = 0; k < 3; k++) dim[k] = axis[k] >= 0 ? h->size[axis[k]] : 1;
    uint64_t bytes = (uint64_t)h->stored.bytes * (uint64_t)(channel >= 0 ? h->size[channel] : 1);
    for (int k = 0; k < 3; k++) {
        if (__builtin_mul_overflow(bytes, (uint64_t)dim[k], &bytes))
            return vox_fail(VOX_EXIT_INPUT, "%s: corrupt header: the size overflows", h->file);
    }
    code = vox_source_promise(s, bytes, h->packed);
    if (code == 0)
        code = vox_image_make(image, h->file, dim, channel >= 0 ? h->size[channel] : 1, h->stored, &at);
    if (code == 0) code = read_voxels(h, s, at, (size_t)bytes, line);
    if (code != 0) return code;
    vox_image_widen(image, h->stored);
    set_strides(image, h, axis, channel);
    if (channel == 0 && h->range[0]) {
        image->colours = image->volume.channels;
        image->series = 1;
    }
    set_grid(image, h, axis);
    return 0;
}

int vox_image_read_nrrd(vox_image *image, const char *file) {
    vox_source s, data = {.path = NULL};
    header h = {.file = file};
    char *line = malloc(LINE);
    if (line == NULL) return vox_fail_memory(file, LINE);
    int code = vox_source_open(&s, file);
    if (code == 0) code = read_header(&h, &s, line);
    if (code == 0 && h.data[0] != 0) code = vox_source_open_data(&data, h.data);
    if (code == 0) code = make_image(image, &h, h.data[0] != 0 ? &data : &s, line);
    vox_source_close(&s);
    vox_source_close(&data);
    free(line);
    return code;
}
