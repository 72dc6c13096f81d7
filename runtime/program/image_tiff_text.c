/* SPDX-License-Identifier: MIT-0 */
/* image_tiff_text.c: what stacks say of their pages, as ImageJ (lines "slices=20"), OME
 * (docs.openmicroscopy.org/ome-model) and tifffile ({"shape": [20, 256, 256]}) do; see image_tiff.h. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "image_tiff.h"

static const char shape_begins[] = "{\"shape\": [";

/* ---- reading --------------------------------------------------------------------------------- */

/* The value of a line "key=value"; false: there is none. */
static bool line_of(const char *text, const char *key, char *value, size_t room) {
    size_t n = strlen(key);
    for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) != 0 || line[n] != '=') continue;
        snprintf(value, room, "%.*s", (int)strcspn(line + n + 1, "\r\n"), line + n + 1);
        return true;
    }
    return false;
}

static int64_t count_of(const char *text, const char *key) {
    char value[32];
    int64_t n = 0;
    return line_of(text, key, value, sizeof value) && vox_image_whole(value, 1, INT32_MAX, &n) ? n : 0;
}

static void read_imagej(vox_tiff_text *d, const char *text, const double per_unit[2]) {
    char value[64], unit[64] = "";
    d->imagej = true;
    d->images = count_of(text, "images");
    d->c = count_of(text, "channels");
    d->z = count_of(text, "slices");
    d->t = count_of(text, "frames");
    if (d->z == 0 && d->c == 0 && d->t == 0) d->z = d->images;
    bool has_unit = line_of(text, "unit", unit, sizeof unit);
    double mm = has_unit ? vox_image_unit(unit) : 0;
    if (has_unit && strncmp(unit, "pixel", 5) == 0) return;
    d->unit_unknown = mm == 0;
    if (mm == 0) mm = 1;
    for (int k = 0; k < 2; k++) d->size[k] = per_unit[k] > 0 ? mm / per_unit[k] : 0;
    if (line_of(text, "spacing", value, sizeof value)) {
        d->size[2] = fabs(strtod(value, NULL)) * mm;
    } else if (has_unit) {
        d->size[2] = mm; /* ImageJ leaves a spacing of 1 out */
    }
}

/* An attribute of the tag that begins at `tag`. */
static bool attribute(const char *tag, const char *name, char *value, size_t room) {
    size_t n = strlen(name), end = strcspn(tag, ">");
    for (const char *p = tag; (p = strstr(p, name)) != NULL && (size_t)(p - tag) < end; p += n) {
        if (!isspace((unsigned char)p[-1]) || p[n] != '=' || (p[n + 1] != '"' && p[n + 1] != '\'')) continue;
        const char quote[2] = {p[n + 1], 0};
        snprintf(value, room, "%.*s", (int)strcspn(p + n + 2, quote), p + n + 2);
        return true;
    }
    return false;
}

static const char *pixels_tag(const char *text) {
    for (const char *p = text; (p = strstr(p, "Pixels")) != NULL; p += 6) {
        if (p > text && (p[-1] == '<' || p[-1] == ':') && isspace((unsigned char)p[6])) return p;
    }
    return NULL;
}

static void read_ome(vox_tiff_text *d, const char *tag) {
    static const char *const counts[] = {"SizeZ", "SizeC", "SizeT"};
    static const char *const sizes[] = {"PhysicalSizeX", "PhysicalSizeY", "PhysicalSizeZ"};
    int64_t *const n[] = {&d->z, &d->c, &d->t};
    char value[64], name[32];
    d->ome = true;
    for (int k = 0; k < 3; k++) {
        *n[k] = 0;
        if (attribute(tag, counts[k], value, sizeof value)) vox_image_whole(value, 1, INT32_MAX, n[k]);
        if (!attribute(tag, sizes[k], value, sizeof value)) continue;
        double mm = 1e-3; /* the schema's default: micrometres */
        d->size[k] = strtod(value, NULL);
        snprintf(name, sizeof name, "%sUnit", sizes[k]);
        if (attribute(tag, name, value, sizeof value)) mm = vox_image_unit(value);
        d->unit_unknown = d->unit_unknown || mm == 0;
        d->size[k] *= mm == 0 ? 1 : mm;
    }
    attribute(tag, "DimensionOrder", d->order, sizeof d->order);
}

static void read_shape(vox_tiff_text *d, const char *list) {
    char numbers[128];
    snprintf(numbers, sizeof numbers, "%.*s", (int)strcspn(list, "]"), list);
    int n = vox_image_numbers(numbers, d->shape, sizeof d->shape / sizeof *d->shape);
    d->shaped = n > 0 ? n : 0;
}

void vox_tiff_describe(vox_tiff_text *d, const char *text, const double per_unit[2]) {
    *d = (vox_tiff_text){.ome = false};
    if (text == NULL) return;
    const char *tag = strstr(text, "<OME") != NULL || strstr(text, ":OME") != NULL ? pixels_tag(text) : NULL;
    if (tag != NULL) {
        read_ome(d, tag);
    } else if (strncmp(text, "ImageJ=", 7) == 0) {
        read_imagej(d, text, per_unit);
    } else if (strncmp(text, shape_begins, sizeof shape_begins - 1) == 0) {
        read_shape(d, text + sizeof shape_begins - 1);
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

typedef struct builder {
    char *text;
    size_t n, room;
} builder;

static void add(builder *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(builder *b, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int n = b->n < b->room ? vsnprintf(b->text + b->n, b->room - b->n, format, arguments) : 0;
    va_end(arguments);
    b->n += n > 0 ? (size_t)n : 0;
}

static void add_escaped(builder *b, const char *text) {
    for (; *text != 0; text++) {
        const unsigned char c = (unsigned char)*text;
        if (c == '<' || c == '>' || c == '&' || c == '"' || c == '\'')
            add(b, "&#%d;", c);
        else if (c >= ' ')
            add(b, "%c", c);
    }
}

char *vox_tiff_imagej(const vox_image *like) {
    builder b = {.room = 512};
    b.text = malloc(b.room);
    if (b.text == NULL) return NULL;
    const vox_volume *v = &like->volume;
    add(&b, "ImageJ=1.53t\nimages=%d\nslices=%d\n", v->dim[2], v->dim[2]);
    if (v->spacing[0] > 0 && !like->unit_unknown) add(&b, "unit=mm\n");
    if (v->spacing[2] > 0) add(&b, "spacing=%.17g\n", v->spacing[2]);
    add(&b, "loop=false\n");
    return b.text;
}

char *vox_tiff_shape(const vox_image *like, int channels) {
    builder b = {.room = 128};
    b.text = malloc(b.room);
    if (b.text == NULL) return NULL;
    const int *dim = like->volume.dim;
    add(&b, "%s%d, %d, %d, %d]}", shape_begins, channels, dim[2], dim[1], dim[0]);
    return b.text;
}

static const char *channel_name(const vox_image_content *c, int i) {
    return i < c->n_names && c->names[i] != NULL ? c->names[i] : "";
}

char *vox_tiff_ome(const vox_image *like, const vox_image_content *content, const char *type) {
    static const char axes[] = "XYZ";
    const vox_volume *v = &like->volume;
    builder b = {.room = 2048};
    for (int i = 0; i < content->channels; i++) b.room += 128 + 6 * strlen(channel_name(content, i));
    b.text = malloc(b.room);
    if (b.text == NULL) return NULL;
    add(&b,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        "<OME xmlns=\"http://www.openmicroscopy.org/Schemas/OME/2016-06\" "
        "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
        "xsi:schemaLocation=\"http://www.openmicroscopy.org/Schemas/OME/2016-06 "
        "http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd\"><Image ID=\"Image:0\"><Description>");
    add_escaped(&b, content->description != NULL ? content->description : "");
    add(&b, "</Description><Pixels ID=\"Pixels:0\" DimensionOrder=\"XYZCT\" Type=\"%s\" BigEndian=\"%s\"",
        type, vox_little() ? "false" : "true");
    add(&b, " SizeX=\"%d\" SizeY=\"%d\" SizeZ=\"%d\" SizeC=\"%d\" SizeT=\"1\"", v->dim[0], v->dim[1],
        v->dim[2], content->channels);
    for (int k = 0; k < 3; k++) {
        if (v->spacing[k] > 0 && !like->unit_unknown)
            add(&b, " PhysicalSize%c=\"%.17g\" PhysicalSize%cUnit=\"mm\"", axes[k], v->spacing[k], axes[k]);
    }
    add(&b, ">");
    for (int i = 0; i < content->channels; i++) {
        add(&b, "<Channel ID=\"Channel:0:%d\" Name=\"", i);
        add_escaped(&b, channel_name(content, i));
        add(&b, "\" SamplesPerPixel=\"1\"/>");
    }
    add(&b, "<TiffData/></Pixels></Image></OME>");
    return b.text;
}
