/* SPDX-License-Identifier: MIT-0 */
/* label_file.c: see label_file.h. */
#include "label_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "vox_load.h"

enum { LABELS = 65536 };

static int check(const char *path, const vox_image *image) {
    if (image->series != 1)
        return vox_fail(VOX_EXIT_INPUT, "%s holds %d volumes (a series?); labels are one", path,
                        image->series);
    if (image->volume.channels != 1)
        return vox_fail(VOX_EXIT_INPUT, "%s holds colours (%d channels), not labels", path,
                        image->volume.channels);
    return 0;
}

/* Rows come from one thread, as there is no executor. */
typedef struct conversion {
    const int *dim;
    bool binary;
    uint16_t *labels;
    size_t bad; /* the first that is no label; all of them: none */
    double value;
} conversion;

static void take_row(void *argument, int y, int z, int x, const float *values, int n) {
    conversion *c = argument;
    size_t at = ((size_t)z * (size_t)c->dim[1] + (size_t)y) * (size_t)c->dim[0] + (size_t)x;
    for (int i = 0; i < n; i++) {
        float v = values[i];
        bool good = c->binary || (v >= 0 && v < LABELS && v == floorf(v));
        c->labels[at + (size_t)i] = c->binary ? v > 0 : good ? (uint16_t)v : 0;
        if (good || at + (size_t)i >= c->bad) continue;
        c->bad = at + (size_t)i;
        c->value = (double)v;
    }
}

static int convert(const char *path, const vox_volume *v, bool binary, uint16_t *labels) {
    size_t nx = (size_t)v->dim[0], ny = (size_t)v->dim[1], all = nx * ny * (size_t)v->dim[2];
    conversion c = {.dim = v->dim, .binary = binary, .labels = labels, .bad = all};
    vox_volume_rows(v, 0, take_row, &c, NULL);
    if (c.bad == all) return 0;
    return vox_image_no_label(path, c.value,
                              (int[]){(int)(c.bad % nx), (int)(c.bad / nx % ny), (int)(c.bad / nx / ny)});
}

int vox_label_file_read(const char *path, bool binary, vox_label_file *f) {
    *f = (vox_label_file){.labels = NULL};
    int code = vox_image_read_labels(&f->image, path);
    const vox_volume *v = &f->image.volume;
    if (code == 0) code = check(path, &f->image);
    if (code == 0) {
        size_t bytes = (size_t)v->dim[0] * (size_t)v->dim[1] * (size_t)v->dim[2] * sizeof *f->labels;
        f->labels = malloc(bytes);
        code = f->labels != NULL ? convert(path, v, binary, f->labels) : vox_fail_memory(path, bytes);
    }
    memcpy(f->dim, v->dim, sizeof f->dim);
    memcpy(f->spacing, v->spacing, sizeof f->spacing);
    f->unit_unknown = f->image.unit_unknown;
    vox_image_free(&f->image);
    if (code != 0) vox_label_file_free(f);
    return code;
}

void vox_label_file_free(vox_label_file *f) {
    free(f->labels);
    f->labels = NULL;
}
