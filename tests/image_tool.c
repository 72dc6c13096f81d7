/* image_tool.c: what voxc reads of an image, and its copy in another format, for tests/formats_peers.py.
 *
 *     image_tool read FILE VALUES           prints the grid as JSON; VALUES: float64, [channel][z][y][x]
 *     image_tool write FILE OUT KIND        KIND: u8 u16 (labels), f32 f16 p8 (scores)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image.h"
#include "image_parts.h"
#include "report.h"

static double load(const vox_volume *v, int c, int k, int j, int i) {
    const unsigned char *p = (const unsigned char *)v->data + c * v->channel + k * v->stride[2] +
                             j * v->stride[1] + i * v->stride[0];
    double x = 0;
    switch (v->type) {
    case VOX_VOXEL_U8:
        x = *p;
        break;
    case VOX_VOXEL_I8:
        x = *(const signed char *)p;
        break;
    case VOX_VOXEL_U16:
        x = *(const uint16_t *)(const void *)p;
        break;
    case VOX_VOXEL_I16:
        x = *(const int16_t *)(const void *)p;
        break;
    case VOX_VOXEL_U32:
        x = *(const uint32_t *)(const void *)p;
        break;
    case VOX_VOXEL_I32:
        x = *(const int32_t *)(const void *)p;
        break;
    case VOX_VOXEL_F32:
        x = (double)*(const float *)(const void *)p;
        break;
    default:
        memcpy(&x, p, sizeof x);
    }
    return x * v->slope + v->intercept;
}

static double *values_of(const vox_volume *v, size_t *n) {
    *n = (size_t)v->channels * (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2];
    double *values = malloc(*n * sizeof *values), *to = values;
    for (int c = 0; c < v->channels; c++)
        for (int k = 0; k < v->dim[2]; k++)
            for (int j = 0; j < v->dim[1]; j++)
                for (int i = 0; i < v->dim[0]; i++) *to++ = load(v, c, k, j, i);
    return values;
}

static int print(const vox_image *m, const char *path) {
    static const char *const types[] = {"uint8",  "int8",  "uint16",  "int16",
                                        "uint32", "int32", "float32", "float64"};
    const vox_volume *v = &m->volume;
    size_t n;
    double *values = values_of(v, &n);
    FILE *f = fopen(path, "wb");
    int bad = f == NULL || fwrite(values, sizeof *values, n, f) != n || fclose(f) != 0;
    free(values);
    printf("{\"type\": \"%s\", \"channels\": %d, \"dim\": [%d, %d, %d], \"spacing\": [%.17g, %.17g, %.17g], ",
           types[v->type], v->channels, v->dim[0], v->dim[1], v->dim[2], v->spacing[0], v->spacing[1],
           v->spacing[2]);
    printf("\"directed\": %d, \"unit_unknown\": %d, \"colours\": %d, \"series\": %d, \"affine\": [",
           m->directed, m->unit_unknown, m->colours, m->series);
    for (int r = 0; r < 3; r++)
        printf("%s[%.17g, %.17g, %.17g, %.17g]", r > 0 ? ", " : "", m->affine[r][0], m->affine[r][1],
               m->affine[r][2], m->affine[r][3]);
    printf("]}\n");
    return bad;
}

static int copy(const vox_image *m, const char *out, const char *kind) {
    static const char *const names[] = {"background", "one & two", "\xc3\xa9tage", "four"};
    vox_image_content c = {.type = strcmp(kind, "u8") == 0 || strcmp(kind, "p8") == 0 ? VOX_IMAGE_U8
                                   : strcmp(kind, "u16") == 0                         ? VOX_IMAGE_U16
                                   : strcmp(kind, "f16") == 0                         ? VOX_IMAGE_F16
                                                                                      : VOX_IMAGE_F32,
                           .labels = kind[0] == 'u',
                           .channels = m->volume.channels,
                           .description = "a test",
                           .names = names,
                           .n_names = 4};
    vox_image_writer w;
    int code = vox_image_create(&w, out);
    if (code == 0) code = vox_image_begin(&w, m, &c);
    size_t n;
    double *values = values_of(&m->volume, &n);
    for (size_t i = 0; i < n && code == 0; i++) {
        uint16_t label = kind[0] == 'u' ? (uint16_t)values[i] : 0;
        float score = (float)values[i];
        code = c.labels ? vox_image_put_labels(&w, &label, 1) : vox_image_put_scores(&w, &score, 1);
    }
    free(values);
    if (code == 0) code = vox_image_commit(&w);
    return code;
}

int main(int argc, char **argv) {
    vox_image m;
    if (argc < 4) return 64;
    int code = vox_image_read(&m, argv[2]);
    if (code != 0) return code;
    code = strcmp(argv[1], "read") == 0 ? print(&m, argv[3]) : copy(&m, argv[3], argv[4]);
    vox_image_free(&m);
    return code;
}
