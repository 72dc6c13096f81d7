/* SPDX-License-Identifier: MIT-0 */
/* verb_segment.c: `N segment volume.nii.gz... -o labels.nii.gz`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file_names.h"
#include "image.h"
#include "program_verbs.h"
#include "results.h"
#include "segmenting.h"
#include "vox_orient.h"

enum { MOST_GROWTH = 64 /* of a volume by resampling, without --force */, ONE_BYTE = 256 };

typedef struct segment_request {
    const char *labels, *overlay, *scores, *weights, *folds, *mirror_axes;
    int threads, repeat_channel, force, quiet;
    double level, overlap;
} segment_request;

typedef struct segmentation {
    const vox_context *context;
    const vox_model_info *model;
    const segment_request *request;
    const char *name; /* of the first file */
    vox_image image;
    vox_volume volume; /* the image's, with a channel for each that the network takes */
    vox_segmenting segmenting;
    vox_segment_outline outline;
    vox_labels to;
    void *labels;  /* [z][y][x], u8 or u16 */
    float *scores; /* [class][z][y][x], if they are wanted */
    vox_image_writer labels_file, scores_file;
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
    int code = vox_image_read_channels(&s->image, files, n);
    if (code != 0) return code;
    s->volume = s->image.volume;
    if (s->volume.channels == 1 && want > 1 && s->request->repeat_channel) {
        s->volume.channels = want;
        s->volume.channel = 0;
    }
    return s->volume.channels == want ? 0 : wrong_channels(s, n);
}

static int plan(segmentation *s) {
    vox_status status = vox_segment_plan(s->model, &s->volume, &s->segmenting.options, &s->outline);
    if (status != VOX_OK)
        return vox_segmenting_fail(s->model, s->name, &s->volume, &s->segmenting.result, status);
    int code = refuse_images(s);
    if (code == 0) code = refuse_growth(s);
    if (code == 0) warn_unknown(s);
    return code;
}

/* ---- options --------------------------------------------------------------------------------- */

/* "DHW" or a part of it, "none". */
static int read_mirror_axes(const segmentation *s, const char *text, int *axes) {
    *axes = 0;
    if (strcmp(text, "none") == 0) return 0;
    for (const char *p = text; *p != '\0'; p++) {
        const char *at = strchr("DHW", *p);
        if (at == NULL || (*axes & 1 << (at - "DHW")) != 0)
            return vox_usage_error(s->context,
                                   "--mirror-axes: expected some of D, H, W (DHW), or none, not %s", text);
        *axes |= 1 << (at - "DHW");
    }
    return 0;
}

static int take_options(segmentation *s) {
    const segment_request *r = s->request;
    vox_segment_options *o = &s->segmenting.options;
    if (!isnan(r->level)) {
        if (s->model->volume->rule == VOX_ARGMAX)
            return vox_usage_error(s->context, "--level: %s has no threshold", s->model->name);
        o->level = r->level;
        o->set |= VOX_SET_LEVEL;
    }
    if (!isnan(r->overlap)) {
        o->overlap = r->overlap;
        o->set |= VOX_SET_OVERLAP;
    }
    if (r->mirror_axes == NULL) return 0;
    o->set |= VOX_SET_MIRROR_AXES;
    return read_mirror_axes(s, r->mirror_axes, &o->mirror_axes);
}

/* ---- what goes out --------------------------------------------------------------------------- */

static int open_outputs(segmentation *s, char **files, int n) {
    const segment_request *r = s->request;
    const char *const results[] = {r->labels, r->scores, r->overlay};
    int code = vox_results_check(s->model, r->weights, results, sizeof results / sizeof *results, files, n);
    if (code == 0) code = vox_image_create(&s->labels_file, r->labels);
    if (code == 0 && r->scores != NULL) code = vox_image_create(&s->scores_file, r->scores);
    return code;
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
    s->segmenting.options.scores = take_scores;
    s->segmenting.options.user = s;
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
        .type = VOX_IMAGE_F32, .channels = s->outline.classes, .description = description};
    int code = vox_image_begin(&s->scores_file, &s->image, &content);
    return code != 0
               ? code
               : vox_image_put_scores(&s->scores_file, s->scores, voxels(s) * (size_t)s->outline.classes);
}

/* Everything is written before anything gets its name. */
static int write_outputs(segmentation *s) {
    char description[80];
    const segment_request *r = s->request;
    snprintf(description, sizeof description, "%s, compiled by voxc %s", s->model->name,
             s->model->voxc_version);
    int code = write_labels(s, description);
    if (code == 0 && r->scores != NULL) code = write_scores(s, description);
    if (code == 0) code = vox_image_commit(&s->labels_file);
    if (code == 0 && r->scores != NULL) code = vox_image_commit(&s->scores_file);
    return code;
}

/* Then nothing else may go there. */
static bool to_stdout(const segment_request *r) {
    const char *const results[] = {r->labels, r->scores, r->overlay};
    for (int i = 0; i < 3; i++) {
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
    if (s->segmenting.result.skipped > 0) fprintf(to, ", %d of them empty", s->segmenting.result.skipped);
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

/* ---- the verb -------------------------------------------------------------------------------- */

static int run_network(segmentation *s) {
    const segment_request *r = s->request;
    vox_segmenting_request request = {.context = s->context,
                                      .weights = r->weights,
                                      .folds = r->folds,
                                      .threads = r->threads,
                                      .runs = s->outline.runs,
                                      .quiet = r->quiet != 0};
    vox_segment_options wanted = s->segmenting.options;
    int code = vox_segmenting_open(&s->segmenting, &request);
    if (code != 0) return code;
    vox_segment_options *o = &s->segmenting.options;
    o->set = wanted.set;
    o->level = wanted.level;
    o->overlap = wanted.overlap;
    o->mirror_axes = wanted.mirror_axes;
    code = make_results(s);
    return code != 0 ? code : vox_segmenting_run(&s->segmenting, s->name, &s->volume, &s->to);
}

static int segment(const vox_context *c, const segment_request *r, char **files, int n) {
    segmentation s = {.context = c, .model = c->model, .request = r, .name = files[0]};
    if (c->model->volume == NULL) {
        return vox_fail(
            VOX_EXIT_UNSUPPORTED,
            "%s says nothing about volumes: compile it from a description with a volume section, or use run",
            c->model->name);
    }
    int code = take_options(&s);
    if (code == 0) code = open_outputs(&s, files, n);
    if (code == 0) code = read_volume(&s, files, n);
    if (code == 0) code = plan(&s);
    if (code == 0) code = run_network(&s);
    if (code == 0) code = write_outputs(&s);
    if (code == 0 && !r->quiet) code = print_summary(&s);
    vox_image_abort(&s.labels_file);
    vox_image_abort(&s.scores_file);
    vox_segmenting_close(&s.segmenting);
    vox_image_free(&s.image);
    free(s.labels);
    free(s.scores);
    return code;
}

int vox_verb_segment(const vox_context *c, int argc, char **argv) {
    segment_request r = {.level = (double)NAN, .overlap = (double)NAN};
    int operands = 0;
    const vox_option table[] = {
        {"--output", 'o', VOX_OPTION_TEXT, &r.labels, 0, 0, "FILE",
         "where the labels go; the name says the format"},
        {"--overlay", 0, VOX_OPTION_TEXT, &r.overlay, 0, 0, "FILE",
         "also a PNG of three slices with the labels over them"},
        {"--scores", 0, VOX_OPTION_TEXT, &r.scores, 0, 0, "FILE",
         "also the network's scores on the volume's grid, float32, 4-D"},
        {"--level", 0, VOX_OPTION_REAL, &r.level, -HUGE_VAL, HUGE_VAL, "L",
         "threshold instead of the volume section's"},
        {"--overlap", 0, VOX_OPTION_REAL, &r.overlap, 0, 0.95, "PART",
         "part of a tile that it shares with the next, instead of the volume section's"},
        {"--mirror-axes", 0, VOX_OPTION_TEXT, &r.mirror_axes, 0, 0, "AXES",
         "mean over mirrored runs along D, H, W (such as DHW), or none, instead of the volume section's"},
        {"--folds", 0, VOX_OPTION_TEXT, &r.folds, 0, 0, "FILE,...",
         "more weights of the same network, whose scores are averaged"},
        {"--repeat-channel", 0, VOX_OPTION_FLAG, &r.repeat_channel, 0, 0, NULL,
         "use a volume of one channel for all channels"},
        {"--force", 0, VOX_OPTION_FLAG, &r.force, 0, 0, NULL,
         "resample even if that makes the volume more than 64 times as large"},
        {"--threads", 't', VOX_OPTION_INT, &r.threads, 0, VOX_MAX_THREADS, "N",
         "threads (default 0: one per processor)"},
        {"--weights", 0, VOX_OPTION_TEXT, &r.weights, 0, 0, "FILE",
         "weight file (default: beside the program)"},
        VOX_ISA_OPTION,
        {"--quiet", 'q', VOX_OPTION_FLAG, &r.quiet, 0, 0, NULL, "no progress and no summary"},
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    if (code >= 0) return code;
    if (operands == 0) return vox_usage_error(c, "no volume");
    if (r.labels == NULL) return vox_usage_error(c, "-o labels.nii.gz is missing");
    return segment(c, &r, argv, operands);
}
