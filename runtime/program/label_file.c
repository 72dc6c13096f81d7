/* SPDX-License-Identifier: MIT-0 */
/* label_file.c: see label_file.h. */
#include "label_file.h"

#ifdef VOX_WITH_NIFTI
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

enum { LABELS = 65536 };

static int no_label(const char *path, const vox_volume *v, size_t at, double value, bool binary) {
    size_t nx = (size_t)v->dim[0], ny = (size_t)v->dim[1];
    return vox_fail(VOX_EXIT_INPUT,
                    "%s: %s is not a label (x %zu, y %zu, z %zu); labels are whole numbers from 0 to %d%s",
                    path, vox_number(value).text, at % nx, at / nx % ny, at / nx / ny, LABELS - 1,
                    binary ? "" : "; --binary takes what is above 0 as one label");
}

/* What the file's own type held is no label, though float32 holds something like it. */
static int check(const char *path, const vox_volume *v, const vox_geometry *g, bool binary) {
    if (g->volumes != 1)
        return vox_fail(VOX_EXIT_INPUT, "%s holds %d volumes (a series?); labels are one", path, g->volumes);
    if (v->channels != 1)
        return vox_fail(VOX_EXIT_INPUT, "%s holds colours (%d channels), not labels", path, v->channels);
    const vox_lost *lost = v->not_finite.count > 0 ? &v->not_finite : &v->too_large;
    if (lost->count > 0) return no_label(path, v, lost->at, lost->value, binary);
    if (!binary && v->too_small.count > 0)
        return no_label(path, v, v->too_small.at, v->too_small.value, binary);
    return 0;
}

static int convert(const char *path, const vox_volume *v, bool binary, uint16_t *labels) {
    for (size_t i = 0; i < vox_volume_voxels(v); i++) {
        const float x = v->data[i];
        if (!binary && (!(x >= 0 && x < LABELS) || x != floorf(x)))
            return no_label(path, v, i, (double)x, binary);
        labels[i] = binary ? x > 0 : (uint16_t)x;
    }
    return 0;
}

int vox_label_file_read(const char *path, bool binary, vox_label_file *f) {
    vox_volume v;
    size_t lost = 0;
    *f = (vox_label_file){0};
    int code = vox_nifti_read(path, &v, &f->geometry, &lost);
    if (code != 0) return code;
    code = check(path, &v, &f->geometry, binary);
    if (code == 0) {
        const size_t bytes = vox_volume_voxels(&v) * sizeof *f->labels;
        f->labels = malloc(bytes);
        code = f->labels != NULL ? convert(path, &v, binary, f->labels) : vox_fail_memory(path, bytes);
    }
    if (code == 0) vox_nifti_warn_lost(path, &v);
    memcpy(f->dim, v.dim, sizeof f->dim);
    memcpy(f->spacing, v.spacing, sizeof f->spacing);
    f->unit_unknown = v.unit_unknown;
    free(v.data);
    if (code != 0) vox_label_file_free(f);
    return code;
}

void vox_label_file_free(vox_label_file *f) {
    free(f->labels);
    f->labels = NULL;
}
#endif
