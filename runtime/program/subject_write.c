/* SPDX-License-Identifier: MIT-0 */
/* subject_write.c: a volume's results; see subject_parts.h. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file_memory.h"
#include "file_names.h"
#include "results.h"
#include "showing.h"
#include "subject_parts.h"

enum { ONE_BYTE = 256 };

/* ---- what goes out --------------------------------------------------------------------------- */

int vox_subject_open_outputs(vox_subject *s, char **files, int n) {
    const vox_subject_request *r = s->request;
    const char *results[2 + VOX_SHOWN] = {r->labels, r->scores};
    vox_showing_names(r->showing, results + 2);
    int code = vox_results_check(s->model, r->weights, results, sizeof results / sizeof *results, files, n);
    if (code == 0) code = vox_image_create(&s->labels_file, r->labels);
    if (code == 0 && r->scores != NULL) code = vox_image_create(&s->scores_file, r->scores);
    return code == 0 ? vox_showing_open(r->showing) : code;
}

static void take_scores(void *user, int class, const int at[3], const int step[3], const float *values,
                        int n) {
    vox_subject *s = user;
    const int *dim = s->volume.dim;
    ptrdiff_t row = dim[0], plane = row * dim[1];
    float *to = s->scores + (size_t) class * vox_subject_voxels(s) + at[0] + row * at[1] + plane * at[2];
    ptrdiff_t stride = step[0] + row * step[1] + plane * step[2];
    for (int i = 0; i < n; i++) to[i * stride] = values[i];
}

/* The largest label that there can be. */
static int most_label(const vox_subject *s) {
    const vox_volume_info *v = s->model->volume;
    int most = s->outline.labels ? ONE_BYTE : v->rule == VOX_THRESHOLD ? 1 : s->outline.classes - 1;
    for (int i = 0; i < v->n_regions; i++) most = v->region_label[i] > most ? v->region_label[i] : most;
    return most;
}

bool vox_subject_bytes(const vox_subject *s) {
    return most_label(s) < ONE_BYTE;
}

int vox_subject_make_results(vox_subject *s) {
    bool bytes = vox_subject_bytes(s);
    size_t n = vox_subject_voxels(s), each = bytes ? 1 : sizeof(uint16_t);
    s->label_bytes = n * each;
    if (s->slabs != NULL) {
        int code = vox_file_memory(s->request->labels, s->label_bytes, &s->labels);
        if (code != 0) return code;
    } else {
        s->labels = malloc(n * each);
    }
    if (s->labels == NULL) return vox_fail_memory("the labels", n * each);
    ptrdiff_t row = s->volume.dim[0], plane = row * s->volume.dim[1], size = (ptrdiff_t)each;
    s->to = (vox_labels){.data = s->labels,
                         .type = bytes ? VOX_VOXEL_U8 : VOX_VOXEL_U16,
                         .stride = {size, size * row, size * plane}};
    if (s->request->scores == NULL) return 0;
    size_t scores = n * sizeof *s->scores * (size_t)s->outline.classes;
    s->scores = malloc(scores);
    if (s->scores == NULL) return vox_fail_memory("the scores", scores);
    s->options.scores = take_scores;
    return 0;
}

static unsigned label_at(const vox_subject *s, size_t i) {
    return s->to.type == VOX_VOXEL_U8 ? ((const unsigned char *)s->labels)[i]
                                      : ((const uint16_t *)s->labels)[i];
}

/* In the smallest type that holds the labels there are; a network's own may be beyond a byte. */
static int write_labels(vox_subject *s, const char *description) {
    bool bytes = s->to.type == VOX_VOXEL_U8;
    size_t n = vox_subject_voxels(s);
    if (!bytes) {
        unsigned most = 0;
        for (size_t i = 0; i < n; i++) most = label_at(s, i) > most ? label_at(s, i) : most;
        bytes = most < ONE_BYTE;
    }
    vox_image_content content = {.type = bytes ? VOX_IMAGE_U8 : VOX_IMAGE_U16,
                                 .labels = true,
                                 .channels = 1,
                                 .description = description,
                                 .names = s->model->labels,
                                 .n_names = s->model->n_labels};
    int code = vox_image_begin(&s->labels_file, &s->image, &content);
    if (code != 0) return code;
    if (s->to.type == VOX_VOXEL_U8) return vox_image_put(&s->labels_file, s->labels, n);
    return vox_image_put_labels(&s->labels_file, s->labels, n);
}

static int write_scores(vox_subject *s, const char *description) {
    vox_image_content content = {
        .type = s->request->scores_type, .channels = s->outline.classes, .description = description};
    int code = vox_image_begin(&s->scores_file, &s->image, &content);
    return code != 0 ? code
                     : vox_image_put_scores(&s->scores_file, s->scores,
                                            vox_subject_voxels(s) * (size_t)s->outline.classes);
}

/* Pictures and the report take labels of two bytes. */
static uint16_t *wide_labels(const vox_subject *s) {
    size_t n = vox_subject_voxels(s);
    uint16_t *wide = malloc(n * sizeof *wide);
    for (size_t i = 0; wide != NULL && i < n; i++) wide[i] = (uint16_t)label_at(s, i);
    return wide;
}

static int hash_files(vox_report_file *to, char **files, int n) {
    int code = 0;
    for (int i = 0; i < n && code == 0; i++) code = vox_report_hash(&to[i], files[i]);
    return code;
}

static int show(vox_subject *s, const vox_report_file *inputs, const vox_report_file *weights, int n) {
    const vox_subject_request *r = s->request;
    const vox_segmenting *run = s->network;
    vox_report_file outputs[] = {{.name = r->labels}, {.name = r->scores}};
    vox_report report = {.model = s->model,
                         .options = &s->options,
                         .outline = &s->outline,
                         .result = &run->result,
                         .image = &s->image,
                         .inputs = inputs,
                         .n_inputs = n,
                         .weights = weights,
                         .n_weights = weights->name != NULL,
                         .outputs = outputs,
                         .n_outputs = 1 + (r->scores != NULL),
                         .where = vox_host_where(&run->host),
                         .threads = run->threads,
                         .seconds = {s->read_seconds, run->prepare_seconds, run->network_seconds,
                                     run->seconds - run->prepare_seconds - run->network_seconds,
                                     s->write_seconds},
                         .total_seconds = vox_seconds() - s->started,
                         .warnings = &s->warnings};
    uint16_t *labels = wide_labels(s);
    if (labels == NULL) return vox_fail_memory("pictures", vox_subject_voxels(s) * sizeof *labels);
    int code = vox_showing_write(r->showing, &report, labels);
    free(labels);
    return code;
}

/* With hashes of what was read, if something is to be shown. */
static int show_with_hashes(vox_subject *s, char **files, int n) {
    char path[VOX_PATH];
    vox_report_file weights = {0}, *inputs;
    if (!vox_showing_any(s->request->showing)) return 0;
    inputs = calloc((size_t)n, sizeof *inputs);
    if (inputs == NULL) return vox_fail_memory("hashes", (size_t)n * sizeof *inputs);
    int code = hash_files(inputs, files, n);
    if (code == 0 && s->model->weights_bytes > 0 && vox_find_weights(s->model, s->request->weights, path))
        code = vox_report_hash(&weights, path);
    if (code == 0) code = show(s, inputs, &weights, n);
    free(inputs);
    return code;
}

/* Everything is written before anything gets its name. */
int vox_subject_write(vox_subject *s, char **files, int n) {
    char description[80];
    const vox_subject_request *r = s->request;
    snprintf(description, sizeof description, "%s, compiled by voxc %s", s->model->name,
             s->model->voxc_version);
    double start = vox_seconds();
    int code = write_labels(s, description);
    if (code == 0 && r->scores != NULL) code = write_scores(s, description);
    s->write_seconds = vox_seconds() - start;
    if (code == 0) code = show_with_hashes(s, files, n);
    if (code == 0) code = vox_image_commit(&s->labels_file);
    if (code == 0 && r->scores != NULL) code = vox_image_commit(&s->scores_file);
    return code == 0 ? vox_showing_commit(r->showing) : code;
}

/* Then nothing else may go there. */
static bool to_stdout(const vox_subject_request *r) {
    const char *results[2 + VOX_SHOWN] = {r->labels, r->scores};
    vox_showing_names(r->showing, results + 2);
    for (int i = 0; i < 2 + VOX_SHOWN; i++) {
        if (results[i] != NULL && vox_name_descriptor(results[i]) == STDOUT_FILENO) return true;
    }
    return false;
}

int vox_subject_summary(const vox_subject *s) {
    size_t n = vox_subject_voxels(s), *count = calloc(65536, sizeof *count);
    if (count == NULL) return vox_fail_memory("counts", 65536 * sizeof *count);
    for (size_t i = 0; i < n; i++) count[label_at(s, i)]++;
    const double *spacing = s->volume.spacing, ml = spacing[0] * spacing[1] * spacing[2] / 1000;
    FILE *to = to_stdout(s->request) ? stderr : stdout;
    const int *tiles = s->outline.tiles;
    int total = tiles[0] * tiles[1] * tiles[2];
    fprintf(to, "%s: %s voxels, %d tile%s", s->request->labels, vox_shape(3, s->volume.dim).text, total,
            total == 1 ? "" : "s");
    if (s->network->result.skipped > 0) fprintf(to, ", %d of them empty", s->network->result.skipped);
    fputc('\n', to);
    for (int l = 0; l < 65536; l++) {
        if (count[l] == 0) continue;
        bool named = l < s->model->n_labels;
        fprintf(to, "  label %d%s%s: %zu voxels", l, named ? " " : "", named ? s->model->labels[l] : "",
                count[l]);
        if (ml > 0) fprintf(to, ", %.1f ml", (double)count[l] * ml);
        fputc('\n', to);
    }
    free(count);
    return 0;
}
