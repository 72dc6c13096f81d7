/* SPDX-License-Identifier: MIT-0 */
/* image_numpy.c: numpy's .npy files as images: no grid, [channel][z][y][x]; see image_parts.h. */
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "npy_port.h"
#include "report.h"

static int read_descr(const char *file, const char *descr, vox_stored *s) {
    const char order = descr[0], kind = order != 0 ? descr[1] : 0;
    int bytes = kind != 0 && descr[2] >= '1' && descr[2] <= '9' ? atoi(descr + 2) : 0;
    bool whole = (kind == 'i' || kind == 'u') && (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
    bool real =
        kind == 'f' && (bytes == 2 || bytes == 4 || bytes == 8 || (bytes == 16 && sizeof(long double) == 16));
    s->swap = bytes > 1 && order == (vox_little() ? '>' : '<');
    if (strchr("<>=|", order) == NULL || !(whole || real || (kind == 'b' && bytes == 1)) ||
        (s->swap && bytes == 16))
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: values of type %s cannot be read", file, descr);
    s->kind = kind == 'b' ? 'u' : kind;
    s->bytes = bytes;
    return 0;
}

/* First index fastest: the same axes with other strides. */
static void transpose(vox_image *image) {
    vox_volume *v = &image->volume;
    ptrdiff_t step = (ptrdiff_t)vox_image_type_bytes(v->type);
    v->channel = step;
    step *= v->channels;
    for (int k = 2; k >= 0; k--) {
        v->stride[k] = step;
        step *= v->dim[k];
    }
}

static int read_array(vox_image *image, vox_source *s) {
    vox_npy h;
    vox_stored stored;
    int64_t dim[3], channels = 1;
    unsigned char *at = NULL;
    char more;
    int code = vox_npy_read_header(s->path, s->file, &h);
    if (code == 0) code = read_descr(s->path, h.descr, &stored);
    if (code == 0) code = vox_image_axes(s->path, h.rank, h.dim, dim, &channels);
    if (code != 0) return code;
    code = vox_image_make(image, s->path, dim, channels, stored, &at);
    if (code != 0) return code;
    if (image->in_slabs) {
        if (!h.fortran && s->size >= 0)
            code = vox_image_map(image, s->path, fileno(s->file), ftello(s->file));
        vox_image_set_sizes(image, (double[3]){0, 0, 0});
        return code;
    }
    size_t bytes = vox_image_bytes(image) / vox_image_type_bytes(image->volume.type) * (size_t)stored.bytes;
    code = vox_source_promise(s, bytes, false);
    if (code == 0) code = vox_source_voxels(s, at, bytes);
    if (code == 0 && vox_source_read(s, &more, 1) > 0)
        code = vox_fail(VOX_EXIT_INPUT, "%s: more data than its header says: corrupt", s->path);
    if (code != 0) return code;
    vox_image_widen(image, stored);
    if (h.fortran) transpose(image);
    vox_image_set_sizes(image, (double[3]){0, 0, 0});
    return 0;
}

int vox_image_read_numpy(vox_image *image, const char *file) {
    vox_source s;
    int code = vox_source_open(&s, file);
    if (code == 0) code = read_array(image, &s);
    vox_source_close(&s);
    return code;
}
