/* SPDX-License-Identifier: MIT-0 */
/* verb_segment.c: `N segment volume.nii.gz... -o labels.nii.gz`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "program_verbs.h"

typedef struct segment_request {
    const char *labels, *overlay, *scores, *weights;
    int threads, repeat_channel, force, quiet;
    double level;
} segment_request;

#ifdef VOX_WITH_NIFTI
#include <unistd.h>

#include "backend.h"
#include "channels.h"
#include "nifti.h"
#include "file_names.h"
#include "npy_port.h"
#include "overlay.h"
#include "results.h"
#include "scores.h"

enum { MOST_GROWTH = 64 }; /* of a volume by resampling, without --force */

/* What the network takes and gives, from its ports. */
typedef struct network {
    int channels, classes;
    bool are_labels;   /* the output is an arg_max */
    int in[3], out[3]; /* D H W */
    int axis[3];       /* the file axis along each */
} network;

typedef struct segmentation {
    const vox_context *context;
    const vox_model_info *model;
    const segment_request *request;
    network net;
    vox_geometry geometry;
    vox_volume volume; /* as read, then prepared */
    vox_volume gray;   /* channel 0 as read, if an overlay is wanted: data only then */
    int dim[3];        /* of the file's grid */
    double spacing[3];
    vox_grid grid;
    vox_tiles tiles;
    vox_host host;
    vox_scores scores; /* data NULL where tiles are labelled at once */
    vox_label_rule rule;
    uint16_t *labels; /* on the file's grid */
    vox_nifti_writer labels_file, scores_file;
    vox_output overlay_file;
    vox_progress progress;
    int tile; /* running now */
} segmentation;

/* ---- what kind of network -------------------------------------------------------------------- */

static int read_output_port(const vox_port *p, network *n) {
    n->are_labels = p->dtype == VOX_I64;
    n->classes = 1;
    if (p->rank == 5) {
        n->classes = p->dim[1];
    } else if (!(p->rank == 4 && n->are_labels)) {
        return 1;
    }
    for (int k = 0; k < 3; k++) n->out[k] = p->dim[p->rank - 3 + k];
    return (p->dtype != VOX_F32 && p->dtype != VOX_I64) || p->dim[0] != 1 ||
           (n->are_labels && n->classes != 1);
}

static int read_axis_order(const char *axes, network *n) {
    int seen[3] = {0};
    for (int k = 0; k < 3; k++) {
        if (axes[k] < 'x' || axes[k] > 'z' || seen[axes[k] - 'x']++ != 0) return 1;
        n->axis[k] = axes[k] - 'x';
    }
    return 0;
}

static int read_network(const vox_model_info *m, network *n) {
    const vox_port *in = m->inputs, *out = m->outputs;
    if (m->volume == NULL) {
        return vox_fail(
            VOX_EXIT_UNSUPPORTED,
            "%s says nothing about volumes: compile it from a description with a volume section, or use run",
            m->name);
    }
    const vox_volume_info *v = m->volume;
    if (v->orientation != NULL || v->border == VOX_BORDER_ZERO || v->mirror_axes || v->half ||
        v->activation != VOX_AS_THEY_ARE || v->rule == VOX_REGIONS) {
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "segment cannot do what %s's volume section asks for (orientation, border zero, "
                        "mirror_axes, half, an activation or regions)",
                        m->name);
    }
    if (m->n_inputs != 1 || m->n_outputs < 1 || in->rank != 5 || in->dim[0] != 1 || in->dtype != VOX_F32) {
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "segment needs a network with one float32 input of 1 x C x D x H x W, but %s has %d, "
                        "the first %s",
                        m->name, m->n_inputs, m->n_inputs > 0 ? vox_shape(in->rank, in->dim).text : "none");
    }
    n->channels = in->dim[1];
    for (int k = 0; k < 3; k++) n->in[k] = in->dim[2 + k];
    if (read_output_port(out, n) != 0) {
        return vox_fail(
            VOX_EXIT_UNSUPPORTED,
            "segment needs an output of 1 x classes x D x H x W scores, or of labels, not %s of type %s",
            vox_shape(out->rank, out->dim).text, vox_dtype_name(out->dtype));
    }
    if (m->volume->rule == VOX_THRESHOLD && (n->classes != 1 || n->are_labels)) {
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "the volume section asks for a threshold, but the output has %d classes", n->classes);
    }
    if (n->classes > 65536 || read_axis_order(m->volume->axes, n) != 0) {
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "the volume section's axes '%s' or the %d classes cannot be used", m->volume->axes,
                        n->classes);
    }
    return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* A network of volumes learns nothing from an image: one that is a voxel thick where it takes more. */
static int refuse_images(const segmentation *s, const char *file) {
    for (int k = 0; k < 3; k++) {
        if (s->net.in[k] == 1 || s->volume.dim[s->net.axis[k]] > 1) continue;
        return vox_fail(VOX_EXIT_INPUT,
                        "%s is a 2-D image (%s voxels), one voxel thick along %c; %s takes volumes", file,
                        vox_shape(3, s->volume.dim).text, "xyz"[s->net.axis[k]], s -> model -> name);
    }
    return 0;
}

/* What a result rests on that the file does not say. */
static void warn_unknown(const segmentation *s, const char *file) {
    const vox_volume *v = &s->volume;
    bool sized = v->spacing[0] > 0 && v->spacing[1] > 0 && v->spacing[2] > 0;
    for (int i = 0; i < s->model->volume->n_steps && v->unit_unknown; i++) {
        if (s->model->volume->steps[i].kind != VOX_PREPARE_RESAMPLE_SPACING) continue;
        vox_warn("%s names no unit for its voxel size %s: taken for mm", file, vox_size_mm(v->spacing).text);
        break;
    }
    if (s->request->overlay == NULL) return;
    if (!sized)
        vox_warn("%s does not say how large its voxels are (%s): the overlay draws cubes", file,
                 vox_size_mm(v->spacing).text);
    if (s->geometry.form == VOX_FORM_NONE)
        vox_warn("%s does not say where left and right are: the overlay has no letters", file);
}

static int read_volumes(segmentation *s, char **files, int n) {
    int code = vox_channels_read(s->model, s->request->repeat_channel, files, n, &s->volume, &s->geometry);
    if (code == 0) code = refuse_images(s, files[0]);
    if (code != 0) return code;
    warn_unknown(s, files[0]);
    s->volume.growth = s->request->force ? 0 : MOST_GROWTH;
    memcpy(s->dim, s->volume.dim, sizeof s->dim);
    memcpy(s->spacing, s->volume.spacing, sizeof s->spacing);
    s->gray = s->volume;
    s->gray.data = NULL;
    if (s->request->overlay != NULL) {
        size_t voxels = vox_volume_voxels(&s->volume);
        s->gray.data = malloc(voxels * sizeof *s->gray.data);
        if (s->gray.data == NULL) return vox_fail_memory("the overlay", voxels * sizeof *s->gray.data);
        memcpy(s->gray.data, s->volume.data, voxels * sizeof *s->gray.data);
        s->gray.channels = 1;
    }
    return 0;
}

/* ---- through the network --------------------------------------------------------------------- */

static void on_progress(void *user, int done, int total) {
    segmentation *s = user;
    vox_progress_say(&s->progress, "tile %d of %d, layer %d of %d", s->tile + 1, s->tiles.total, done, total);
}

static bool same_grid(const segmentation *s) {
    for (int k = 0; k < 3; k++) {
        if (s->grid.scale[k] != 1 || s->grid.shift[k] != 0 || s->dim[k] != s->volume.dim[k]) return false;
    }
    return true;
}

static int plan(segmentation *s) {
    int volume[3];
    for (int k = 0; k < 3; k++) volume[k] = s->volume.dim[s->net.axis[k]];
    int code = vox_tiles_plan(&s->tiles, volume, s->net.in, s->net.out,
                              s->model->volume->border == VOX_BORDER_MIRROR);
    if (code != 0) return code;
    /* On the file's own grid each tile becomes labels at once, and classes x volume never exists. */
    if (!same_grid(s) || s->request->scores != NULL) {
        code = vox_scores_new(&s->scores, s->net.classes, s->volume.dim, s->net.are_labels);
        if (code != 0) return code;
    }
    size_t n = (size_t)s->dim[0] * (size_t)s->dim[1] * (size_t)s->dim[2];
    s->labels = calloc(n, sizeof *s->labels);
    return s->labels != NULL ? 0 : vox_fail_memory("the labels", n * sizeof *s->labels);
}

static void fill_input(segmentation *s, int tile_number, int *index) {
    const vox_volume *v = &s->volume;
    size_t file_stride[3] = {1, (size_t)v->dim[0], (size_t)v->dim[0] * (size_t)v->dim[1]}, stride[3];
    size_t tile = (size_t)s->net.in[0] * (size_t)s->net.in[1] * (size_t)s->net.in[2];
    for (int k = 0; k < 3; k++) stride[k] = file_stride[s->net.axis[k]];
    for (int c = 0; c < s->net.channels; c++) {
        vox_tiles_fill(&s->tiles, tile_number, v->data + (size_t)c * vox_volume_voxels(v), stride, index,
                       (float *)s->host.inputs[0] + (size_t)c * tile);
    }
}

/* int64 labels become floats in place: each is written at or before where it is read. */
static void labels_to_floats(const vox_port *p, void *data) {
    size_t n = vox_array_bytes(VOX_U8, p->rank, p->dim);
    for (size_t i = 0; i < n; i++) {
        int64_t x;
        memcpy(&x, (char *)data + i * sizeof x, sizeof x);
        float f = (float)x;
        memcpy((char *)data + i * sizeof f, &f, sizeof f);
    }
}

/* As many tiles ahead of the one to be collected as the host runs at once. */
static int submit_tiles(segmentation *s, int *submitted, int *index) {
    int code = 0;
    while (code == 0 && *submitted < s->tiles.total && *submitted < s->tile + vox_host_at_once(&s->host)) {
        fill_input(s, *submitted, index);
        code = vox_host_submit(&s->host);
        ++*submitted;
    }
    return code;
}

static int run_tiles(segmentation *s) {
    int *index = calloc((size_t)s->net.in[0] + (size_t)s->net.in[1] + (size_t)s->net.in[2], sizeof *index);
    if (index == NULL)
        return vox_fail_memory("tiles", ((size_t)s->net.in[0] + (size_t)s->net.in[1] + (size_t)s->net.in[2]) *
                                            sizeof *index);
    const vox_labelling labelling = {.classes = s->net.classes,
                                     .are_labels = s->net.are_labels,
                                     .axis = s->net.axis,
                                     .dim = s->dim,
                                     .rule = s->rule};
    int code = 0, submitted = 0;
    for (s->tile = 0; s->tile < s->tiles.total && code == 0; s->tile++) {
        code = submit_tiles(s, &submitted, index);
        if (code == 0) code = vox_host_collect(&s->host);
        if (code != 0) break;
        if (s->net.are_labels) labels_to_floats(s->model->outputs, s->host.outputs[0]);
        if (s->scores.data != NULL) {
            code = vox_scores_put(&s->scores, &s->tiles, s->tile, s->net.axis, s->host.outputs[0]);
        } else {
            code = vox_tile_label(&s->tiles, s->tile, &labelling, s->host.outputs[0], s->labels);
        }
    }
    free(index);
    return code;
}

static int run_network(segmentation *s) {
    const vox_request r = {
        .weights = s->request->weights, .threads = s->request->threads, .runs = s->tiles.total};
    int code = vox_backend_open(&s->host, s->context, &r);
    if (code != 0) return code;
    s->progress = vox_progress_start();
    if (s->request->quiet) s->progress.on = false;
    s->host.executor.progress = on_progress;
    s->host.executor.user = s;
    code = run_tiles(s);
    vox_progress_end(&s->progress);
    vox_host_close(&s->host);
    if (code == 0 && s->scores.data != NULL) {
        code = vox_scores_label(&s->scores, &s->grid, s->dim, &s->rule, s->labels);
    }
    return code;
}

/* ---- writing --------------------------------------------------------------------------------- */

static int open_outputs(segmentation *s, char **files, int n) {
    const segment_request *r = s->request;
    const char *const results[] = {r->labels, r->scores, r->overlay};
    int code = vox_results_check(s->model, r->weights, results, sizeof results / sizeof *results, files, n);
    if (code == 0 && r->overlay != NULL && !vox_name_ends(r->overlay, ".png") &&
        strncmp(r->overlay, "/dev/", 5) != 0)
        return vox_fail(VOX_EXIT_INPUT, "cannot write %s: the picture is a PNG, the name must end in .png",
                        r->overlay);
    if (code == 0) code = vox_nifti_create(&s->labels_file, r->labels);
    if (code == 0 && r->scores != NULL) code = vox_nifti_create(&s->scores_file, r->scores);
    if (code == 0 && r->overlay != NULL) code = vox_output_open(&s->overlay_file, r->overlay);
    return code;
}

static int put_labels(segmentation *s, vox_nifti_type type) {
    int code = 0;
    size_t row = (size_t)s->dim[0], rows = (size_t)s->dim[1] * (size_t)s->dim[2];
    unsigned char *bytes = malloc(row);
    if (bytes == NULL) return vox_fail_memory("a row", row);
    for (size_t i = 0; i < rows && code == 0; i++) {
        const uint16_t *from = s->labels + i * row;
        for (size_t x = 0; x < row; x++) bytes[x] = (unsigned char)from[x];
        code = type == VOX_NIFTI_U8 ? vox_nifti_put(&s->labels_file, bytes, row)
                                    : vox_nifti_put(&s->labels_file, from, row * sizeof *from);
    }
    free(bytes);
    return code;
}

static int write_labels(segmentation *s, const char *description) {
    int largest = s->net.classes - 1;
    size_t n = (size_t)s->dim[0] * (size_t)s->dim[1] * (size_t)s->dim[2];
    for (size_t i = 0; i < n; i++) {
        if (s->labels[i] > largest) largest = s->labels[i];
    }
    vox_nifti_type type = largest < 256 ? VOX_NIFTI_U8 : VOX_NIFTI_U16;
    int code = vox_nifti_header(&s->labels_file, &s->geometry, type, 1, description);
    return code != 0 ? code : put_labels(s, type);
}

static int put_row(void *user, const float *values) {
    segmentation *s = user;
    return vox_nifti_put(&s->scores_file, values, (size_t)s->dim[0] * sizeof *values);
}

static int write_scores(segmentation *s, const char *description) {
    int code = vox_nifti_header(&s->scores_file, &s->geometry, VOX_NIFTI_F32, s->net.classes, description);
    for (int c = 0; c < s->net.classes && code == 0; c++) {
        code = vox_scores_rows(&s->scores, c, &s->grid, s->dim, put_row, s);
    }
    return code;
}

/* Everything is written before anything gets its name. */
static int write_outputs(segmentation *s) {
    char description[80];
    const segment_request *r = s->request;
    snprintf(description, sizeof description, "%s, compiled by voxc %s", s->model->name,
             s->model->voxc_version);
    int code = write_labels(s, description);
    if (code == 0 && r->scores != NULL) code = write_scores(s, description);
    if (code == 0 && r->overlay != NULL)
        code = vox_overlay_write(&s->overlay_file, &s->gray, &s->geometry, s->labels);
    if (code == 0) code = vox_nifti_commit(&s->labels_file);
    if (code == 0 && r->scores != NULL) code = vox_nifti_commit(&s->scores_file);
    if (code == 0 && r->overlay != NULL) code = vox_output_commit(&s->overlay_file);
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
    size_t n = (size_t)s->dim[0] * (size_t)s->dim[1] * (size_t)s->dim[2];
    size_t *count = calloc(65536, sizeof *count);
    if (count == NULL) return vox_fail_memory("counts", 65536 * sizeof *count);
    for (size_t i = 0; i < n; i++) count[s->labels[i]]++;
    double ml = s->spacing[0] * s->spacing[1] * s->spacing[2] / 1000;
    FILE *to = to_stdout(s->request) ? stderr : stdout;
    fprintf(to, "%s: %s voxels, %d tile%s\n", s->request->labels, vox_shape(3, s->dim).text, s->tiles.total,
            s->tiles.total == 1 ? "" : "s");
    for (int l = 0; l < 65536; l++) {
        if (count[l] == 0) continue;
        fprintf(to, "  label %d%s%s: %zu voxels", l, l < s->model->n_labels ? " " : "",
                l < s->model->n_labels ? s->model->labels[l] : "", count[l]);
        if (ml > 0) fprintf(to, ", %.1f ml", (double)count[l] * ml);
        fputc('\n', to);
    }
    free(count);
    return 0;
}

static int segment(const vox_context *c, const segment_request *r, char **files, int n) {
    const vox_model_info *m = c->model;
    segmentation s = {.context = c, .model = m, .request = r};
    int code = read_network(m, &s.net);
    if (code != 0) return code;
    s.rule = (vox_label_rule){.threshold = m->volume->rule == VOX_THRESHOLD,
                              .level = isnan(r->level) ? m->volume->level : r->level};
    if (!isnan(r->level) && !s.rule.threshold)
        return vox_usage_error(c, "--level: %s has no threshold", m->name);
    code = open_outputs(&s, files, n);
    if (code == 0) code = read_volumes(&s, files, n);
    if (code == 0) code = vox_prepare(&s.volume, m->volume->steps, m->volume->n_steps, &s.grid);
    if (code == 0) code = plan(&s);
    if (code == 0) code = run_network(&s);
    if (code == 0) code = write_outputs(&s);
    if (code == 0 && !r->quiet) code = print_summary(&s);
    vox_nifti_abort(&s.labels_file);
    vox_nifti_abort(&s.scores_file);
    vox_output_abort(&s.overlay_file);
    vox_scores_free(&s.scores);
    free(s.labels);
    free(s.gray.data);
    free(s.volume.data);
    return code;
}
#else
static int segment(const vox_context *c, const segment_request *r, char **files, int n) {
    (void)r;
    (void)files;
    (void)n;
    return vox_fail(VOX_EXIT_UNSUPPORTED,
                    "%s was built without NIfTI: install libnifti2-dev, libpng-dev and zlib1g-dev, then make "
                    "clean && make",
                    c->model->name);
}
#endif

int vox_verb_segment(const vox_context *c, int argc, char **argv) {
    segment_request r = {.level = (double)NAN};
    int operands = 0;
    const vox_option table[] = {
        {"--output", 'o', VOX_OPTION_TEXT, &r.labels, 0, 0, "FILE", "where the labels go: .nii or .nii.gz"},
        {"--overlay", 0, VOX_OPTION_TEXT, &r.overlay, 0, 0, "FILE",
         "also a PNG of three slices with the labels over them"},
        {"--scores", 0, VOX_OPTION_TEXT, &r.scores, 0, 0, "FILE",
         "also the network's scores on the volume's grid, float32, 4-D"},
        {"--level", 0, VOX_OPTION_REAL, &r.level, -HUGE_VAL, HUGE_VAL, "L",
         "threshold instead of the volume section's"},
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
