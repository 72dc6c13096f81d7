/* SPDX-License-Identifier: MIT-0 */
/* image_write.c: images on their way into a file of any format; see image.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "colours.h"
#include "file_names.h"
#include "image_parts.h"
#include "vox_half.h"
#include "report.h"
#include "temporary.h"
#include "whole.h"

static const struct {
    const char *name;
    size_t bytes;
} types[] = {[VOX_IMAGE_U8] = {"uint8", 1},
             [VOX_IMAGE_U16] = {"uint16", 2},
             [VOX_IMAGE_F32] = {"float32", 4},
             [VOX_IMAGE_F16] = {"float16", 2}};

/* NULL, with the error printed and its exit code in *code: there is none. */
static const vox_image_sink *sink_of(const char *file, vox_image_format format, int *code) {
    (void)file, (void)code; /* used where a library is missing */
    switch (format) {
    case VOX_IMAGE_NIFTI:
#ifdef VOX_WITH_NIFTI
        return &vox_sink_nifti;
#else
        *code = vox_image_lacks(file, "NIfTI", "libnifti2-dev, libpng-dev and zlib1g-dev");
        return NULL;
#endif
    case VOX_IMAGE_TIFF:
#ifdef VOX_WITH_TIFF
        return &vox_sink_tiff;
#else
        *code = vox_image_lacks(file, "TIFF", "libtiff-dev");
        return NULL;
#endif
    case VOX_IMAGE_HDF5:
#ifdef VOX_WITH_HDF5
        return &vox_sink_hdf5;
#else
        *code = vox_image_lacks(file, "HDF5", "libhdf5-dev");
        return NULL;
#endif
    case VOX_IMAGE_NRRD:
        return &vox_sink_nrrd;
    case VOX_IMAGE_META:
        return &vox_sink_meta;
    default:
        return &vox_sink_numpy;
    }
}

static int format_of(const char *file, vox_image_format *format) {
    static const char *const halves[] = {".hdr", ".img", ".hdr.gz", ".img.gz", ".nhdr", ".mhd"};
    bool known = vox_image_format_of(file, format);
    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++)
        known = known && !vox_name_ends(file, halves[i]);
    if (known) return 0;
    *format = VOX_IMAGE_NIFTI;
    if (strncmp(file, "/dev/", 5) == 0) return 0;
    return vox_fail(VOX_EXIT_INPUT,
                    "cannot write %s: the name must end in .nii, .nii.gz, .tif, .nrrd, .seg.nrrd, .mha, .npy "
                    "or .h5:/path",
                    file);
}

static int check_type(const char *file, const vox_image_sink *sink, vox_image_type type) {
    bool ome = vox_name_ends(file, ".ome.tif") || vox_name_ends(file, ".ome.tiff");
    if ((sink->types & 1u << type) != 0 && !(ome && type == VOX_IMAGE_F16)) return 0;
    return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: its format has no %s: write .tif, .npy or .h5", file,
                    types[type].name);
}

int vox_image_check_name(const char *file, vox_image_type type) {
    vox_image_format format;
    int code = format_of(file, &format);
    if (code != 0) return code;
    const vox_image_sink *sink = sink_of(file, format, &code);
    return sink != NULL ? check_type(file, sink, type) : code;
}

int vox_image_create(vox_image_writer *w, const char *file) {
    *w = (vox_image_writer){.output = {.temporary = -1}};
    int code = format_of(file, &w->format);
    const vox_image_sink *sink = code == 0 ? sink_of(file, w->format, &code) : NULL;
    if (sink == NULL) return code;
    char *path = vox_image_file(file);
    if (path == NULL) return vox_fail_memory(file, strlen(file));
    const char *dataset = strlen(file) > strlen(path) + 1 ? file + strlen(path) + 1 : "/data";
    w->ome = vox_name_ends(path, ".ome.tif") || vox_name_ends(path, ".ome.tiff");
    w->segments = vox_name_ends(path, ".seg.nrrd");
    w->dataset = strdup(dataset);
    code = w->dataset != NULL ? vox_output_open(&w->output, path) : vox_fail_memory(file, strlen(file));
    free(path);
    if (code == 0 && sink->seeks && w->output.temporary < 0)
        code =
            vox_fail(VOX_EXIT_INPUT, "cannot write %s: this format needs a file, not a pipe or device", file);
    if (code == 0) {
        w->sink = sink;
        return 0;
    }
    vox_output_abort(&w->output);
    free(w->dataset);
    w->dataset = NULL;
    return code;
}

void vox_image_abort(vox_image_writer *w) {
    if (w->sink == NULL) return;
    if (w->sink->stop != NULL) w->sink->stop(w);
    vox_output_abort(&w->output);
    free(w->dataset);
    free(w->plane);
    *w = (vox_image_writer){.output = {.temporary = -1}};
}

static int stop_on(vox_image_writer *w, int code) {
    if (code != 0) vox_image_abort(w);
    return code;
}

int vox_image_write(vox_image_writer *w, const void *data, size_t bytes) {
    errno = 0;
    return fwrite(data, 1, bytes, w->output.file) == bytes ? 0 : vox_output_error(&w->output);
}

int vox_image_write_error(const vox_image_writer *w) {
    return vox_output_error(&w->output);
}

const char *vox_image_temporary(const vox_image_writer *w) {
    return w->shared != NULL ? w->shared : vox_temp_path(w->output.temporary);
}

void vox_image_colour(const vox_image_content *c, int number, unsigned char rgb[3]) {
    rgb[0] = rgb[1] = rgb[2] = 0;
    if (c->colours != NULL && number < c->n_names) {
        memcpy(rgb, c->colours[number], 3);
    } else if (number > 0) {
        vox_overlay_colour(number, rgb);
    }
}

int vox_image_begin(vox_image_writer *w, const vox_image *like, const vox_image_content *c) {
    const vox_volume *v = &like->volume;
    int code = check_type(w->output.path, w->sink, c->type);
    if (code != 0) return stop_on(w, code);
    w->type = c->type;
    memcpy(w->dim, v->dim, sizeof w->dim);
    w->channels = c->channels;
    w->plane_bytes = (size_t)v->dim[0] * (size_t)v->dim[1] * types[c->type].bytes;
    w->left = w->plane_bytes * (size_t)v->dim[2] * (size_t)c->channels;
    if (w->sink->by_planes) {
        w->plane = malloc(w->plane_bytes);
        if (w->plane == NULL) return stop_on(w, vox_fail_memory(w->output.path, w->plane_bytes));
    }
    return stop_on(w, w->sink->begin(w, like, c));
}

/* Whole planes go on without a copy. */
static int put_planes(vox_image_writer *w, const unsigned char *from, size_t bytes) {
    int code = 0;
    while (bytes > 0 && code == 0) {
        const unsigned char *plane = from;
        size_t n = w->plane_bytes - w->filled < bytes ? w->plane_bytes - w->filled : bytes;
        if (n < w->plane_bytes) {
            memcpy(w->plane + w->filled, from, n);
            plane = w->plane;
        }
        w->filled += n;
        from += n;
        bytes -= n;
        if (w->filled < w->plane_bytes) break;
        code = w->sink->put(w, plane, w->plane_bytes);
        w->planes++;
        w->filled = 0;
    }
    return code;
}

int vox_image_put(vox_image_writer *w, const void *data, size_t bytes) {
    if (bytes > w->left)
        return stop_on(w, vox_fail(VOX_EXIT_FAILURE, "%s: more values than the image has", w->output.path));
    w->left -= bytes;
    return stop_on(w, w->sink->by_planes ? put_planes(w, data, bytes) : w->sink->put(w, data, bytes));
}

int vox_image_put_labels(vox_image_writer *w, const uint16_t *labels, size_t n) {
    unsigned char part[4096];
    if (w->type == VOX_IMAGE_U16) return vox_image_put(w, labels, n * sizeof *labels);
    int code = 0;
    for (size_t at = 0; at < n && code == 0; at += sizeof part) {
        size_t m = n - at < sizeof part ? n - at : sizeof part;
        for (size_t i = 0; i < m; i++) part[i] = (unsigned char)labels[at + i];
        code = vox_image_put(w, part, m);
    }
    return code;
}

int vox_image_put_scores(vox_image_writer *w, const float *scores, size_t n) {
    uint16_t halves[2048];
    unsigned char *bytes = (unsigned char *)halves;
    const size_t room = sizeof halves / sizeof *halves;
    if (w->type == VOX_IMAGE_F32) return vox_image_put(w, scores, n * sizeof *scores);
    int code = 0;
    for (size_t at = 0; at < n && code == 0; at += room) {
        size_t m = n - at < room ? n - at : room;
        for (size_t i = 0; i < m; i++) {
            if (w->type == VOX_IMAGE_F16)
                halves[i] = vox_to_half(scores[at + i]);
            else
                bytes[i] = (unsigned char)vox_whole(rint(255 * (double)scores[at + i]), 0, 255);
        }
        code = vox_image_put(w, halves, m * types[w->type].bytes);
    }
    return code;
}

int vox_image_commit(vox_image_writer *w) {
    if (w->left > 0)
        return stop_on(
            w, vox_fail(VOX_EXIT_FAILURE, "%s: %zu bytes of values are missing", w->output.path, w->left));
    int code = w->sink->end != NULL ? w->sink->end(w) : 0;
    if (code != 0) return stop_on(w, code);
    if (w->sink->stop != NULL) w->sink->stop(w);
    w->state = NULL;
    code = vox_output_commit(&w->output);
    free(w->dataset);
    free(w->plane);
    *w = (vox_image_writer){.output = {.temporary = -1}};
    return code;
}
