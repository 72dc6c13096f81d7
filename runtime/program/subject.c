/* SPDX-License-Identifier: MIT-0 */
/* subject.c: see subject.h. */
#include "subject.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_names.h"
#include "image.h"
#include "results.h"
#include "unfinished.h"
#include "vox_hash.h"
#include "vox_orient.h"

enum { MOST_GROWTH = 64 /* of a volume by resampling, without --force */, ONE_BYTE = 256 };

typedef struct segmentation {
    const vox_context *context;
    const vox_model_info *model;
    const vox_subject_request *request;
    const char *name; /* of the first file */
    vox_image image;
    vox_volume volume; /* the image's, with a channel for each that the network takes */
    vox_segmenting *network;
    vox_segment_options options; /* what the user asks for */
    vox_unfinished unfinished;
    vox_segment_outline outline;
    vox_labels to;
    void *labels;  /* [z][y][x], u8 or u16 */
    float *scores; /* [class][z][y][x], if they are wanted */
    vox_image_writer labels_file, scores_file;
    vox_warnings warnings;
    double started, read_seconds, write_seconds;
} segmentation;

static size_t voxels(const segmentation *s) {
    return (size_t)s->volume.dim[0] * (size_t)s->volume.dim[1] * (size_t)s->volume.dim[2];
}

/* ---- what comes in --------------------------------------------------------------------------- */

/* A network of volumes learns nothing from an image: one that is a voxel thick where it takes more. */
static int refuse_images(const segmentation *s) {
    for (int k = 0; k < 3; k++) {
        int a = s->model->volume->axes[k] - 'x', source = s->outline.source[a];
        if (s->outline.tile_in[k] == 1 || s->volume.dim[source] > 1) continue;
        return vox_fail(VOX_EXIT_INPUT,
                        "%s is a 2-D image (%s voxels), one voxel thick along %c; %s takes volumes", s->name,
                        vox_shape(3, s->volume.dim).text, "xyz"[source], s -> model -> name);
    }
    return 0;
}

/* How many channels the files have and how many were needed. */
static int wrong_channels(const segmentation *s, int files) {
    const vox_model_info *m = s->model;
    int want = m->inputs->dim[1], have = s->volume.channels;
    const char *repeat = have == 1 ? ", or --repeat-channel" : "";
    char holds[64];
    if (files > 1) {
        return vox_fail(VOX_EXIT_INPUT, "%d files hold %d channels in all; %s takes %d (%s)", files, have,
                        m->name, want, vox_shape(5, m->inputs->dim).text);
    }
    if (s->image.series > 1) {
        snprintf(holds, sizeof holds, "%d volumes (a series?)", s->image.series);
    } else {
        snprintf(holds, sizeof holds, have == 1 ? "%d channel" : "%d channels (colours)", have);
    }
    if (want == 1) return vox_fail(VOX_EXIT_INPUT, "%s holds %s; this network takes 1", s->name, holds);
    return vox_fail(VOX_EXIT_INPUT,
                    "%s holds %s; this network takes %d (%s): give a 4-D file of %d volumes or %d "
                    "files%s",
                    s->name, holds, want, vox_shape(5, m->inputs->dim).text, want, want, repeat);
}

static bool resamples_to_spacing(const vox_volume_info *v) {
    for (int i = 0; i < v->n_steps; i++) {
        if (v->steps[i].kind == VOX_PREPARE_RESAMPLE_SPACING) return true;
    }
    return false;
}

/* What a result rests on that the file does not say, or says otherwise than the description. */
static void warn_unknown(const segmentation *s) {
    const vox_volume_info *v = s->model->volume;
    char code[4];
    if (s->image.unit_unknown && resamples_to_spacing(v))
        vox_warn("%s names no unit for its voxel size %s: taken for mm", s->name,
                 vox_size_mm(s->volume.spacing).text);
    vox_showing_warn(s->request->showing, s->name, &s->image);
    if (v->orientation != NULL || v->stored == NULL) return;
    if (!vox_code_of_direction(s->volume.direction, code))
        vox_warn("%s does not say where left and right are; %s was trained on volumes stored %s", s->name,
                 s->model->name, v->stored);
    else if (strcmp(code, v->stored) != 0)
        vox_warn("%s is stored %s, but %s was trained on volumes stored %s: give its description "
                 "`orientation: %s`",
                 s->name, code, s->model->name, v->stored, v->stored);
}

/* A resampling to many times as many voxels is a wrong unit more often than it is meant. */
static int refuse_growth(const segmentation *s) {
    const int *to = s->outline.prepared;
    double now = (double)to[0] * to[1] * to[2], was = (double)voxels(s);
    if (s->request->force || now <= MOST_GROWTH * was) return 0;
    return vox_fail(
        VOX_EXIT_INPUT,
        "%s has voxels of %s%s; resampling would make %s of %s, %.0f times as many, %.0f bytes: check its "
        "voxel size, or give --force",
        s->name, vox_size_mm(s->volume.spacing).text,
        s->image.unit_unknown ? " (the file names no unit: taken for mm)" : "", vox_shape(3, to).text,
        vox_shape(3, s->volume.dim).text, now / was, now * sizeof(float) * s->volume.channels);
}

static int read_volume(segmentation *s, char **files, int n) {
    int want = s->model->inputs->dim[1];
    double start = vox_seconds();
    int code = vox_image_read_channels(&s->image, files, n);
    s->read_seconds = vox_seconds() - start;
    if (code != 0) return code;
    s->volume = s->image.volume;
    if (s->volume.channels == 1 && want > 1 && s->request->repeat_channel) {
        s->volume.channels = want;
        s->volume.channel = 0;
    }
    return s->volume.channels == want ? 0 : wrong_channels(s, n);
}

static int plan(segmentation *s) {
    vox_status status = vox_segment_plan(s->model, &s->volume, &s->options, &s->outline);
    if (status != VOX_OK)
        return vox_segmenting_fail(s->model, s->name, &s->volume, &s->network->result, status);
    int code = refuse_images(s);
    if (code == 0) code = refuse_growth(s);
    if (code == 0) warn_unknown(s);
    return code;
}

/* ---- options --------------------------------------------------------------------------------- */

/* "DHW" or a part of it, "none". */
static int read_mirror_axes(const vox_context *c, const char *text, int *axes) {
    *axes = 0;
    if (strcmp(text, "none") == 0) return 0;
    for (const char *p = text; *p != '\0'; p++) {
        const char *at = strchr("DHW", *p);
        if (at == NULL || (*axes & 1 << (at - "DHW")) != 0)
            return vox_usage_error(c, "--mirror-axes: expected some of D, H, W (DHW), or none, not %s", text);
        *axes |= 1 << (at - "DHW");
    }
    return 0;
}

static int take_options(const vox_context *c, const vox_subject_request *r, vox_segment_options *o) {
    if (!isnan(r->level)) {
        if (c->model->volume->rule == VOX_ARGMAX)
            return vox_usage_error(c, "--level: %s has no threshold", c->model->name);
        o->level = r->level;
        o->set |= VOX_SET_LEVEL;
    }
    if (!isnan(r->overlap)) {
        o->overlap = r->overlap;
        o->set |= VOX_SET_OVERLAP;
    }
    if (r->mirror_axes == NULL) return 0;
    o->set |= VOX_SET_MIRROR_AXES;
    return read_mirror_axes(c, r->mirror_axes, &o->mirror_axes);
}

/* ---- what goes out --------------------------------------------------------------------------- */

static int open_outputs(segmentation *s, char **files, int n) {
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
    segmentation *s = user;
    const int *dim = s->volume.dim;
    ptrdiff_t row = dim[0], plane = row * dim[1];
    float *to = s->scores + (size_t) class * voxels(s) + at[0] + row * at[1] + plane * at[2];
    ptrdiff_t stride = step[0] + row * step[1] + plane * step[2];
    for (int i = 0; i < n; i++) to[i * stride] = values[i];
}

/* The largest label that there can be. */
static int most_label(const segmentation *s) {
    const vox_volume_info *v = s->model->volume;
    int most = s->outline.labels ? ONE_BYTE : v->rule == VOX_THRESHOLD ? 1 : s->outline.classes - 1;
    for (int i = 0; i < v->n_regions; i++) most = v->region_label[i] > most ? v->region_label[i] : most;
    return most;
}

static int make_results(segmentation *s) {
    bool bytes = most_label(s) < ONE_BYTE;
    size_t n = voxels(s), each = bytes ? 1 : sizeof(uint16_t);
    s->labels = malloc(n * each);
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

static unsigned label_at(const segmentation *s, size_t i) {
    return s->to.type == VOX_VOXEL_U8 ? ((const unsigned char *)s->labels)[i]
                                      : ((const uint16_t *)s->labels)[i];
}

/* In the smallest type that holds the labels there are; a network's own may be beyond a byte. */
static int write_labels(segmentation *s, const char *description) {
    bool bytes = s->to.type == VOX_VOXEL_U8;
    size_t n = voxels(s);
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

static int write_scores(segmentation *s, const char *description) {
    vox_image_content content = {
        .type = s->request->scores_type, .channels = s->outline.classes, .description = description};
    int code = vox_image_begin(&s->scores_file, &s->image, &content);
    return code != 0
               ? code
               : vox_image_put_scores(&s->scores_file, s->scores, voxels(s) * (size_t)s->outline.classes);
}

/* Pictures and the report take labels of two bytes. */
static uint16_t *wide_labels(const segmentation *s) {
    size_t n = voxels(s);
    uint16_t *wide = malloc(n * sizeof *wide);
    for (size_t i = 0; wide != NULL && i < n; i++) wide[i] = (uint16_t)label_at(s, i);
    return wide;
}

static int hash_files(vox_report_file *to, char **files, int n) {
    int code = 0;
    for (int i = 0; i < n && code == 0; i++) code = vox_report_hash(&to[i], files[i]);
    return code;
}

static int show(segmentation *s, const vox_report_file *inputs, const vox_report_file *weights, int n) {
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
    if (labels == NULL) return vox_fail_memory("pictures", voxels(s) * sizeof *labels);
    int code = vox_showing_write(r->showing, &report, labels);
    free(labels);
    return code;
}

/* With hashes of what was read, if something is to be shown. */
static int show_with_hashes(segmentation *s, char **files, int n) {
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
static int write_outputs(segmentation *s, char **files, int n) {
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

static int print_summary(const segmentation *s) {
    size_t n = voxels(s), *count = calloc(65536, sizeof *count);
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

/* ---- what an interrupted run left ------------------------------------------------------------- */

/* Of all voxels, row by row: strides may leave gaps. */
static uint64_t hash_voxels(const vox_volume *v, uint64_t hash) {
    const size_t each = vox_voxel_bytes(v->type), row = each * (size_t)v->dim[0];
    const bool rows = v->stride[0] == (ptrdiff_t)each;
    for (int c = 0; c < (v->channel != 0 ? v->channels : 1); c++) {
        for (int k = 0; k < v->dim[2]; k++) {
            for (int j = 0; j < v->dim[1]; j++) {
                const char *p = (const char *)v->data + c * v->channel + k * v->stride[2] + j * v->stride[1];
                if (rows) hash = vox_hash(hash, p, row);
                for (int i = 0; i < v->dim[0] && !rows; i++, p += v->stride[0])
                    hash = vox_hash(hash, p, each);
            }
        }
    }
    return hash;
}

/* All that the labels depend on. */
static int key_of(const segmentation *s, uint64_t *key) {
    const vox_volume *v = &s->volume;
    const vox_segment_options *o = &s->options;
    const vox_model_info *m = s->model;
    char text[1024];
    size_t n = (size_t)snprintf(text, sizeof text, "%s %s %s %d %a %a %d %d %d %d %d %d %a %a",
                                m->voxc_version, m->graph_hash, vox_host_where(&s->network->host), o->set,
                                o->level, o->overlap, o->mirror_axes, (int)v->type, v->channels, v->dim[0],
                                v->dim[1], v->dim[2], v->slope, v->intercept);
    if (n >= sizeof text) n = sizeof text - 1;
    uint64_t hash = vox_hash(0, text, n);
    hash = vox_hash(hash, v->spacing, sizeof v->spacing);
    hash = vox_hash(hash, v->direction, sizeof v->direction);
    uint64_t weights = 0;
    int code = vox_segmenting_weights(s->network, &weights);
    hash = vox_hash(hash, &weights, sizeof weights);
    *key = hash_voxels(v, hash);
    return code;
}

static void on_finished(void *user, int begin, int end) {
    segmentation *s = user;
    vox_unfinished_add(&s->unfinished, begin, end);
}

/* Scores are not kept: with them a run cannot be taken up again. */
static int find_unfinished(segmentation *s) {
    int a = s->model->volume->axes[0] - 'x';
    if (s->request->scores != NULL) return 0;
    vox_unfinished *u = &s->unfinished;
    *u = (vox_unfinished){
        .file = -1, .to = s->to, .axis = s->outline.source[a], .reversed = s->outline.reversed[a] != 0};
    memcpy(u->dim, s->volume.dim, sizeof u->dim);
    int code = key_of(s, &u->key);
    if (code == 0) code = vox_unfinished_open(u, s->request->labels, s->request->resume != 0);
    if (code != 0 || u->path == NULL) return code;
    s->options.finished = on_finished;
    if (u->planes == 0) return 0;
    s->options.set |= VOX_SET_PLANES;
    s->options.planes[0] = u->planes;
    s->options.planes[1] = u->dim[u->axis];
    if (!s->request->quiet)
        vox_note("%s: goes on behind plane %d of %d", s->request->labels, u->planes, u->dim[u->axis]);
    return 0;
}

/* ---- a subject ------------------------------------------------------------------------------- */

static void on_progress(void *user, int done, int total, int step, int steps) {
    (void)step, (void)steps; /* of a network on the processor, which the runner's own executor tells */
    segmentation *s = user;
    vox_segmenting_at(s->network, done, total);
}

int vox_subject_open(const vox_context *c, const vox_subject_request *r, vox_segmenting *network, int runs) {
    vox_segmenting_request request = {.context = c,
                                      .weights = r->weights,
                                      .folds = r->folds,
                                      .threads = r->threads,
                                      .runs = runs,
                                      .quiet = r->quiet != 0};
    return vox_segmenting_open(network, &request);
}

static int run_network(segmentation *s) {
    int code = s->network->host.model != NULL
                   ? 0
                   : vox_subject_open(s->context, s->request, s->network, s->outline.runs);
    if (code == 0) code = make_results(s);
    if (code == 0) code = find_unfinished(s);
    if (code != 0) return code;
    s->options.user = s;
    s->options.progress = on_progress;
    return vox_segmenting_run(s->network, s->name, &s->volume, &s->to, &s->options);
}

static void release(segmentation *s, int code) {
    vox_image_abort(&s->labels_file);
    vox_image_abort(&s->scores_file);
    vox_showing_abort(s->request->showing);
    vox_warnings_collect(NULL);
    vox_warnings_free(&s->warnings);
    /* A disk that was full may have room the next time; what is wrong with the input stays wrong. */
    vox_unfinished_close(&s->unfinished, code != VOX_EXIT_FAILURE);
    vox_image_free(&s->image);
    free(s->labels);
    free(s->scores);
}

int vox_subject_segment(const vox_context *c, const vox_subject_request *r, vox_segmenting *network,
                        char **files, int n) {
    segmentation s = {.context = c,
                      .model = c->model,
                      .request = r,
                      .name = files[0],
                      .network = network,
                      .started = vox_seconds(),
                      .unfinished = {.file = -1}};
    vox_warnings_collect(&s.warnings);
    int code = take_options(c, r, &s.options);
    if (code == 0) code = open_outputs(&s, files, n);
    if (code == 0) code = read_volume(&s, files, n);
    if (code == 0) code = plan(&s);
    if (code == 0) code = run_network(&s);
    if (code == 0) code = write_outputs(&s, files, n);
    if (code == 0 && !r->quiet) code = print_summary(&s);
    release(&s, code);
    return code;
}
