/* picture_lib.h: volumes with labels, stored in any order and type, for the tests of pictures and pages. */
#ifndef PICTURE_LIB_H
#define PICTURE_LIB_H

#include "test.h"

#include "../runtime/program/picture.h"
#include "vox_orient.h"

static char *folder;

static TEST_UNUSED int setup(void **state) {
    (void)state;
    folder = test_tmpdir();
    return 0;
}

static TEST_UNUSED int teardown(void **state) {
    (void)state;
    test_rmdir(folder);
    return 0;
}

/* Voxels of a patient: x to the right, y to anterior, z to superior. */
typedef struct patient {
    int dim[3];
    double spacing[3];
    double (*value)(int x, int y, int z);
    int (*label)(int x, int y, int z);
} patient;

static void store(vox_voxel_type type, char *at, double value) {
    switch (type) {
    case VOX_VOXEL_U8:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case VOX_VOXEL_I16:
        *(int16_t *)(void *)at = (int16_t)value;
        break;
    case VOX_VOXEL_F64:
        *(double *)(void *)at = value;
        break;
    default:
        *(float *)(void *)at = (float)value;
    }
}

/* How a file holds it: axes i, j, k of that orientation; `gap` bytes behind each voxel; rows from last to first in
 * memory where upside_down; values are 2 * stored - 10 where scaled. */
typedef struct storage {
    const char *code; /* NULL: the file does not say, and holds i, j, k along x, y, z */
    vox_voxel_type type;
    int gap;
    bool upside_down, scaled;
    vox_image_format format;
} storage;

/* The patient's voxel of the file's. */
static void patient_voxel(const patient *p, const storage *s, const int file[3], int voxel[3]) {
    vox_axes axes = {.source = {0, 1, 2}};
    if (s->code != NULL) assert_true(vox_axes_of_code(s->code, &axes));
    for (int a = 0; a < 3; a++) {
        const int w = axes.source[a];
        voxel[w] = axes.reversed[a] ? p->dim[w] - 1 - file[a] : file[a];
    }
}

typedef struct subject {
    vox_image image;
    uint16_t *labels;
    vox_picture picture;
} subject;

static TEST_UNUSED subject make_subject(const patient *p, const storage *s) {
    subject made = {.image = {.format = s->format, .colours = 1, .series = 1, .directed = s->code != NULL}};
    vox_volume *v = &made.image.volume;
    vox_axes axes = {.source = {0, 1, 2}};
    if (s->code != NULL) assert_true(vox_axes_of_code(s->code, &axes));
    *v = (vox_volume){
        .type = s->type, .channels = 1, .slope = s->scaled ? 2 : 1, .intercept = s->scaled ? -10 : 0};
    for (int a = 0; a < 3; a++) {
        const int w = axes.source[a];
        v->dim[a] = p->dim[w];
        v->spacing[a] = p->spacing[w];
        if (s->code != NULL) v->direction[w][a] = axes.reversed[a] ? -1 : 1;
        made.image.affine[w][a] = v->direction[w][a] * v->spacing[a];
        made.image.affine[w][3] = -100;
    }
    const size_t n = (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2];
    v->stride[0] = (ptrdiff_t)vox_voxel_bytes(s->type) + s->gap;
    v->stride[1] = v->stride[0] * v->dim[0];
    v->stride[2] = v->channel = v->stride[1] * v->dim[1];
    char *data = calloc(n, (size_t)v->stride[0]);
    made.image.memory = data;
    if (s->upside_down) {
        data += v->stride[1] * (v->dim[1] - 1);
        v->stride[1] = -v->stride[1];
    }
    v->data = data;
    made.labels = calloc(n, sizeof *made.labels);
    uint16_t *label = made.labels;
    for (int k = 0; k < v->dim[2]; k++) {
        for (int j = 0; j < v->dim[1]; j++) {
            for (int i = 0; i < v->dim[0]; i++) {
                int x[3];
                patient_voxel(p, s, (const int[]){i, j, k}, x);
                const double value = p->value(x[0], x[1], x[2]);
                store(s->type, data + i * v->stride[0] + j * v->stride[1] + k * v->stride[2],
                      s->scaled ? (value + 10) / 2 : value);
                *label++ = (uint16_t)p->label(x[0], x[1], x[2]);
            }
        }
    }
    return made;
}

/* Call when the subject lies where it stays. */
static TEST_UNUSED const vox_picture *picture_of(subject *s) {
    s->picture.image = &s->image;
    s->picture.labels = s->labels;
    return &s->picture;
}

static TEST_UNUSED void free_subject(subject *s) {
    free(s->image.memory);
    free(s->labels);
}

#endif
