/* SPDX-License-Identifier: MIT-0 */
/* subject_read.c: a volume's files, in memory or in slabs; see subject_parts.h. */
#include <stdlib.h>
#include <sys/stat.h>

#include "image_parts.h"
#include "report.h"
#include "subject_parts.h"

/* Channel after channel, file after file. */
static vox_status read_slab(void *user, int channel, const int begin[3], const int end[3], void *to) {
    const vox_subject *s = user;
    int file = 0;
    if (s->request->repeat_channel && s->image.volume.channels == 1) channel = 0;
    while (channel >= s->slabs[file].volume.channels) channel -= s->slabs[file++].volume.channels;
    const vox_volume *v = &s->slabs[file].volume;
    return v->read(v->user, channel, begin, end, to);
}

/* Of all files; 0 where one is compressed, or no file. */
static double bytes_of(char **files, int n) {
    double bytes = 0;
    for (int i = 0; i < n; i++) {
        struct stat at;
        vox_image_format format;
        char *path = vox_image_file(files[i]);
        bool there = path != NULL && stat(path, &at) == 0 && S_ISREG(at.st_mode);
        free(path);
        if (!there || !vox_image_format_of(files[i], &format)) return 0;
        if (format != VOX_IMAGE_NIFTI && format != VOX_IMAGE_NUMPY && format != VOX_IMAGE_HDF5) return 0;
        bytes += (double)at.st_size;
    }
    return bytes;
}

static int open_slabs(vox_subject *s, char **files, int n) {
    s->slabs = calloc((size_t)n, sizeof *s->slabs);
    if (s->slabs == NULL) return vox_fail_memory("channels", (size_t)n * sizeof *s->slabs);
    int channels = 0;
    for (int i = 0; i < n; i++) {
        vox_image *image = &s->slabs[i];
        const vox_volume *first = &s->slabs[0].volume, *v = &image->volume;
        int code = vox_image_open_slabs(image, files[i], s->request->access);
        s->n_slabs = i + 1;
        if (code == 0 && i > 0) code = vox_image_same_grid(files[0], &s->slabs[0], files[i], image);
        if (code != 0) return code;
        if (v->type != first->type || v->slope != first->slope || v->intercept != first->intercept)
            return vox_fail(VOX_EXIT_UNSUPPORTED,
                            "%s cannot be read in slabs: its type or slope differs from that of %s", files[i],
                            files[0]);
        channels += v->channels;
    }
    s->image = s->slabs[0];
    s->image.slabs = NULL; /* those are the files' own */
    s->image.volume.channels = channels;
    if (n > 1) s->image.series = channels;
    s->image.volume.read = read_slab;
    s->image.volume.user = s;
    return 0;
}

int vox_subject_read(vox_subject *s, char **files, int n) {
    const double bytes = bytes_of(files, n), most = (double)vox_image_memory() / 2;
    const bool more = s->request->scores != NULL || vox_showing_any(s->request->showing);
    if (!s->request->stream && (bytes <= most || more)) return vox_image_read_channels(&s->image, files, n);
    if (more)
        return vox_fail(VOX_EXIT_INPUT,
                        "--stream gives labels alone: leave out scores, pictures, page and report");
    int code = open_slabs(s, files, n);
    if (code != 0 || s->request->stream) return code;
    if (vox_segment_plan(s->model, &s->image.volume, &s->options, &s->outline) == VOX_E_STREAM) {
        vox_subject_free_volume(s);
        return vox_image_read_channels(&s->image, files, n);
    }
    if (!s->request->quiet)
        vox_note("%s: %.1f GB, more than half of memory: it is read in slabs", files[0], bytes / 1e9);
    return 0;
}

void vox_subject_free_volume(vox_subject *s) {
    for (int i = 0; i < s->n_slabs; i++) vox_image_free(&s->slabs[i]);
    free(s->slabs);
    s->slabs = NULL;
    s->n_slabs = 0;
    vox_image_free(&s->image);
}
