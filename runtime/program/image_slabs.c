/* SPDX-License-Identifier: MIT-0 */
/* image_slabs.c: voxels that stay in their file until they are asked for; see image_parts.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "image_parts.h"
#include "report.h"

static vox_status read_mapped(vox_image_slabs *s, int channel, const int begin[3], const int end[3],
                              void *to) {
    const vox_volume *v = &s->image->volume;
    const size_t row = (size_t)(end[0] - begin[0]) * vox_image_type_bytes(v->type);
    char *at = to;
    for (int k = begin[2]; k < end[2]; k++) {
        for (int j = begin[1]; j < end[1]; j++, at += row)
            memcpy(at,
                   s->first + channel * v->channel + k * v->stride[2] + j * v->stride[1] +
                       begin[0] * v->stride[0],
                   row);
    }
    return VOX_OK;
}

static void unmap(vox_image_slabs *s) {
    munmap(s->map, s->map_bytes);
}

static vox_status read_slab(void *user, int channel, const int begin[3], const int end[3], void *to) {
    vox_image_slabs *s = user;
    vox_volume v = s->image->volume;
    size_t n = 1;
    vox_status status = s->read(s, channel, begin, end, to);
    if (status != VOX_OK || (v.type != VOX_VOXEL_F32 && v.type != VOX_VOXEL_F64)) return status;
    for (int a = 0; a < 3; a++) n *= (size_t)(end[a] - begin[a]);
    v.slope = s->slope;
    v.intercept = s->intercept;
    if (vox_image_hold(&v, to, n) > 0 && !s->told) {
        vox_warn("%s: voxels that float32 cannot hold (NaN, infinity, beyond it) count as 0", s->name);
        s->told = true;
    }
    return VOX_OK;
}

void vox_image_slabs_begin(vox_image *image) {
    vox_volume *v = &image->volume;
    vox_image_slabs *s = image->slabs;
    s->slope = v->slope;
    s->intercept = v->intercept;
    v->data = NULL;
    v->read = read_slab;
    v->user = s;
    if (v->type != VOX_VOXEL_F32 && v->type != VOX_VOXEL_F64) return;
    v->slope = 1; /* read_slab scales, as reading all of it does */
    v->intercept = 0;
}

int vox_image_map(vox_image *image, const char *file, int descriptor, int64_t offset) {
    struct stat at;
    vox_image_slabs *s = calloc(1, sizeof *s);
    const uint64_t bytes = vox_image_bytes(image);
    if (s == NULL) return vox_fail_memory(file, sizeof *s);
    *s = (vox_image_slabs){.image = image, .read = read_mapped, .close = unmap, .name = file};
    if (fstat(descriptor, &at) != 0 || offset < 0 || (uint64_t)at.st_size < bytes + (uint64_t)offset) {
        free(s);
        return vox_fail(VOX_EXIT_INPUT, "%s: truncated: the header promises %llu bytes of voxels", file,
                        (unsigned long long)bytes);
    }
    s->map_bytes = (size_t)bytes + (size_t)offset;
    s->map = mmap(NULL, s->map_bytes, PROT_READ, MAP_SHARED, descriptor, 0);
    if (s->map == MAP_FAILED) {
        free(s);
        return vox_fail(VOX_EXIT_FAILURE, "cannot map %s: %s", file, strerror(errno));
    }
    s->first = (const char *)s->map + offset;
    image->slabs = s;
    vox_image_slabs_begin(image);
    return 0;
}
