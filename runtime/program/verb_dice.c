/* SPDX-License-Identifier: MIT-0 */
/* verb_dice.c: `N dice labels.nii.gz reference.nii.gz`: how far two label volumes agree. */
#include <stdio.h>
#include <stdlib.h>

#include "json_write.h"
#include "report.h"
#include "program_verbs.h"

#ifdef VOX_WITH_NIFTI
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "holes.h"
#include "nifti.h"

enum { LABELS = 65536 };

typedef struct counts {
    size_t ours, theirs, both; /* voxels */
} counts;

static int no_label(const char *path, const vox_volume *v, size_t at, double value, int binary) {
    size_t nx = (size_t)v->dim[0], ny = (size_t)v->dim[1];
    return vox_fail(VOX_EXIT_INPUT,
                    "%s: %s is not a label (x %zu, y %zu, z %zu); labels are whole numbers from 0 to %d%s",
                    path, vox_number(value).text, at % nx, at / nx % ny, at / nx / ny, LABELS - 1,
                    binary ? "" : "; --binary takes what is above 0 as one label");
}

static int check_labels(const char *path, vox_volume *v, const vox_geometry *g, int binary) {
    if (g->volumes != 1)
        return vox_fail(VOX_EXIT_INPUT, "%s holds %d volumes (a series?); dice compares one with one", path,
                        g->volumes);
    if (v->channels != 1)
        return vox_fail(VOX_EXIT_INPUT, "%s holds colours (%d channels), not labels", path, v->channels);
    const vox_lost *lost = v->not_finite.count > 0 ? &v->not_finite : &v->too_large;
    if (lost->count > 0) return no_label(path, v, lost->at, lost->value, binary);
    if (!binary && v->too_small.count > 0)
        return no_label(path, v, v->too_small.at, v->too_small.value, binary);
    for (size_t i = 0; i < vox_volume_voxels(v); i++) {
        float x = v->data[i];
        if (binary) {
            v->data[i] = x > 0;
        } else if (!(x >= 0 && x < LABELS) || x != floorf(x)) {
            return no_label(path, v, i, (double)x, binary);
        }
    }
    return 0;
}

static int read_labels(const char *path, vox_volume *v, vox_geometry *g, int binary) {
    size_t bad = 0;
    int code = vox_nifti_read(path, v, g, &bad);
    if (code != 0) return code;
    code = check_labels(path, v, g, binary);
    if (code == 0) {
        vox_nifti_warn_lost(path, v);
        return 0;
    }
    free(v->data);
    v->data = NULL;
    return code;
}

static void print_label(const vox_model_info *m, int label, const counts *c, int binary, vox_json *json) {
    double sum = (double)(c->ours + c->theirs), both = (double)c->both;
    double dice = sum > 0 ? 2 * both / sum : 1, iou = sum > 0 ? both / (sum - both) : 1;
    const char *name = !binary && label < m->n_labels ? m->labels[label] : "";
    if (json == NULL) {
        printf("label %d%s%s: %zu voxels, reference %zu, IoU %.4f, Dice %.4f\n", label, *name ? " " : "",
               name, c->ours, c->theirs, iou, dice);
        return;
    }
    vox_json_object(json, NULL, "label=%d name=%s dice=%.6f iou=%.6f voxels=%zu reference_voxels=%zu", label,
                    name, dice, iou, c->ours, c->theirs);
}

static int compare(const vox_model_info *m, const vox_volume *a, const vox_volume *b, int binary, int json) {
    counts *table = calloc(LABELS, sizeof *table);
    if (table == NULL) return vox_fail_memory("counts", LABELS * sizeof *table);
    for (size_t i = 0; i < vox_volume_voxels(a); i++) {
        table[(int)a->data[i]].ours++;
        table[(int)b->data[i]].theirs++;
        if ((int)a->data[i] == (int)b->data[i]) table[(int)a->data[i]].both++;
    }
    int printed = 0;
    vox_json j = vox_json_file(stdout);
    if (json) vox_json_begin(&j, NULL, "[\n");
    for (int label = 1; label < LABELS; label++) {
        if (table[label].ours + table[label].theirs == 0) continue;
        print_label(m, label, &table[label], binary, json ? &j : NULL);
        printed++;
    }
    if (json) vox_json_end(&j);
    if (printed == 0 && !json) printf("both volumes are empty: no label above 0\n");
    free(table);
    return 0;
}

static int fill_holes(vox_volume *v) {
    size_t n = vox_volume_voxels(v);
    unsigned char *mask = malloc(n);
    if (mask == NULL) return vox_fail_memory("a mask", n);
    for (size_t i = 0; i < n; i++) mask[i] = v->data[i] > 0;
    int code = vox_fill_holes(mask, v->dim);
    for (size_t i = 0; i < n; i++) v->data[i] = mask[i];
    free(mask);
    return code;
}

static int dice(const vox_context *c, char **files, int binary, int holes, int json) {
    vox_volume a = {0}, b = {0};
    vox_geometry at, bt;
    int code = read_labels(files[0], &a, &at, binary);
    if (code == 0) code = read_labels(files[1], &b, &bt, binary);
    if (code == 0 && memcmp(a.dim, b.dim, sizeof a.dim) != 0) {
        code = vox_fail(VOX_EXIT_INPUT, "%s is %s voxels, but %s is %s", files[0], vox_shape(3, a.dim).text,
                        files[1], vox_shape(3, b.dim).text);
    }
    if (code == 0) code = vox_nifti_same_grid(files[1], &bt, files[0], &at);
    if (code == 0 && holes) code = fill_holes(&b);
    if (code == 0) code = compare(c->model, &a, &b, binary, json);
    free(a.data);
    free(b.data);
    return code;
}
#else
static int dice(const vox_context *c, char **files, int binary, int holes, int json) {
    (void)files;
    (void)binary;
    (void)holes;
    (void)json;
    return vox_fail(VOX_EXIT_UNSUPPORTED,
                    "%s was built without NIfTI: install libnifti2-dev, libpng-dev and zlib1g-dev, then make "
                    "clean && make",
                    c->model->name);
}
#endif

int vox_verb_dice(const vox_context *c, int argc, char **argv) {
    int binary = 0, holes = 0, json = 0, operands = 0;
    const vox_option table[] = {
        {"--binary", 0, VOX_OPTION_FLAG, &binary, 0, 0, NULL,
         "all that is above 0 is label 1, in both files"},
        {"--fill-holes", 0, VOX_OPTION_FLAG, &holes, 0, 0, NULL,
         "first fill the reference's holes (6 neighbours); implies --binary"},
        {"--json", 0, VOX_OPTION_FLAG, &json, 0, 0, NULL, "as JSON"},
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    if (code >= 0) return code;
    if (operands != 2) return vox_usage_error(c, "wants two files, not %d", operands);
    return dice(c, argv, binary || holes, holes, json);
}
