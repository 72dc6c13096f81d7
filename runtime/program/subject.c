/* SPDX-License-Identifier: MIT-0 */
/* subject.c: see subject.h. */
#include "subject_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "file_memory.h"
#include "showing.h"
#include "vox_orient.h"

enum { MOST_GROWTH = 64 /* of a volume by resampling, without --force */ };

/* ---- what comes in --------------------------------------------------------------------------- */

/* A network of volumes learns nothing from an image: one that is a voxel thick where it takes more. */
static int refuse_images(const vox_subject *s) {
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
static int wrong_channels(const vox_subject *s, int files) {
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
static void warn_unknown(const vox_subject *s) {
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
static int refuse_growth(const vox_subject *s) {
    const int *to = s->outline.prepared;
    double now = (double)to[0] * to[1] * to[2], was = (double)vox_subject_voxels(s);
    if (s->request->force || now <= MOST_GROWTH * was) return 0;
    return vox_fail(
        VOX_EXIT_INPUT,
        "%s has voxels of %s%s; resampling would make %s of %s, %.0f times as many, %.0f bytes: check its "
        "voxel size, or give --force",
        s->name, vox_size_mm(s->volume.spacing).text,
        s->image.unit_unknown ? " (the file names no unit: taken for mm)" : "", vox_shape(3, to).text,
        vox_shape(3, s->volume.dim).text, now / was, now * sizeof(float) * s->volume.channels);
}

static int read_volume(vox_subject *s, char **files, int n) {
    int want = s->model->inputs->dim[1];
    double start = vox_seconds();
    int code = vox_subject_read(s, files, n);
    s->read_seconds = vox_seconds() - start;
    if (code != 0) return code;
    s->volume = s->image.volume;
    if (s->volume.channels == 1 && want > 1 && s->request->repeat_channel) {
        s->volume.channels = want;
        s->volume.channel = 0;
    }
    return s->volume.channels == want ? 0 : wrong_channels(s, n);
}

static int plan(vox_subject *s) {
    vox_status status = vox_segment_plan(s->model, &s->volume, &s->options, &s->outline);
    if (status != VOX_OK)
        return vox_segmenting_fail(s->model, s->name, &s->volume, &s->network->result, status);
    int code = refuse_images(s);
    if (code == 0) code = refuse_growth(s);
    if (code == 0) warn_unknown(s);
    return code;
}

int vox_subject_plan(vox_subject *s, char **files, int n) {
    int code = read_volume(s, files, n);
    return code == 0 ? plan(s) : code;
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

int vox_subject_options(const vox_context *c, const vox_subject_request *r, vox_segment_options *o) {
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

/* ---- a subject ------------------------------------------------------------------------------- */

static void on_progress(void *user, int done, int total, int step, int steps) {
    (void)step, (void)steps; /* of a network on the processor, which the runner's own executor tells */
    vox_subject *s = user;
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

static int run_network(vox_subject *s) {
    int code = s->network->host.model != NULL
                   ? 0
                   : vox_subject_open(s->context, s->request, s->network, s->outline.runs);
    if (code == 0) code = vox_subject_make_results(s);
    if (code == 0) code = vox_subject_resume(s);
    if (code != 0) return code;
    s->options.n_folds = s->network->n_folds;
    s->options.user = s;
    s->options.progress = on_progress;
    return vox_segmenting_run(s->network, s->name, &s->volume, &s->to, &s->options);
}

static void release(vox_subject *s, int code) {
    vox_image_abort(&s->labels_file);
    vox_image_abort(&s->scores_file);
    vox_showing_abort(s->request->showing);
    vox_warnings_collect(NULL);
    vox_warnings_free(&s->warnings);
    /* A disk that was full may have room the next time; what is wrong with the input stays wrong. */
    vox_unfinished_close(&s->unfinished, code != VOX_EXIT_FAILURE);
    if (s->slabs != NULL)
        vox_file_memory_free(s->labels, s->label_bytes);
    else
        free(s->labels);
    vox_subject_free_volume(s);
    free(s->scores);
}

int vox_subject_segment(const vox_context *c, const vox_subject_request *r, vox_segmenting *network,
                        char **files, int n) {
    vox_subject s = {.context = c,
                     .model = c->model,
                     .request = r,
                     .name = files[0],
                     .network = network,
                     .started = vox_seconds(),
                     .unfinished = {.file = -1}};
    vox_warnings_collect(&s.warnings);
    int code = vox_subject_options(c, r, &s.options);
    if (code == 0) code = vox_subject_open_outputs(&s, files, n);
    if (code == 0) code = vox_subject_plan(&s, files, n);
    if (code == 0) code = run_network(&s);
    if (code == 0) code = vox_subject_write(&s, files, n);
    if (code == 0 && !r->quiet) code = vox_subject_summary(&s);
    release(&s, code);
    return code;
}
