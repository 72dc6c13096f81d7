/* fuzz_image.h: what the fuzz targets of image files share. */
#ifndef FUZZ_IMAGE_H
#define FUZZ_IMAGE_H

#include "fuzz.h"

#include <math.h>

#include "image_parts.h"

/* Every voxel lies in the image's memory, floats are finite, and the grid is one. */
static FUZZ_UNUSED void fuzz_image(int (*read)(vox_image *, const char *), const uint8_t *data, size_t size) {
    vox_image m = {.memory = NULL};
    int code = read(&m, fuzz_file(data, size));
    if (code == 0) code = vox_image_finish(&m, "fuzz", false);
    FUZZ_CHECK(code == 0 || code == IR_EXIT_INPUT || code == IR_EXIT_UNSUPPORTED, "code %d", code);
    const vox_volume *v = &m.volume;
    double sum = 0;
    for (int c = 0; code == 0 && c < v->channels; c++)
        for (int k = 0; k < v->dim[2]; k++)
            for (int j = 0; j < v->dim[1]; j++)
                for (int i = 0; i < v->dim[0]; i++) {
                    const unsigned char *p = (const unsigned char *)v->data + c * v->channel +
                                             k * v->stride[2] + j * v->stride[1] + i * v->stride[0];
                    float x = 0;
                    if (v->type == VOX_VOXEL_F32) memcpy(&x, p, sizeof x);
                    for (size_t b = 0; b < vox_image_type_bytes(v->type); b++) sum += p[b];
                    FUZZ_CHECK(isfinite(x), "a value is not finite");
                }
    FUZZ_CHECK(sum >= 0, "sum %g", sum);
    for (int k = 0; code == 0 && k < 3; k++) {
        FUZZ_CHECK(isfinite(v->spacing[k]) && v->spacing[k] >= 0, "spacing %g", v->spacing[k]);
        for (int r = 0; r < 3; r++)
            FUZZ_CHECK(fabs(v->direction[r][k]) <= 1.001, "direction %g", v->direction[r][k]);
    }
    vox_image_free(&m);
}

#endif
