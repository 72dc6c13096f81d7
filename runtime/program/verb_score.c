/* SPDX-License-Identifier: MIT-0 */
/* verb_score.c: `N score labels.nii.gz reference.nii.gz`: how far two label volumes agree. */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "holes.h"
#include "json_write.h"
#include "label_file.h"
#include "report.h"
#include "program_verbs.h"
#include "vox_surface.h"

typedef struct score_request {
    int binary, holes, json, threads;
    double tolerance;
    const char *list; /* --labels */
} score_request;

typedef struct scores {
    const vox_context *context;
    const score_request *request;
    vox_label_pair pair;
    bool unknown[3]; /* along which axes no file says how far voxels are apart */
    bool wanted[VOX_LABELS];
    int n;                /* labels wanted */
    vox_overlap *overlap; /* [n] */
    vox_surface *surface;
} scores;

/* ---- which labels ---------------------------------------------------------------------------- */

/* Those of --labels 1,2,5; returns the exit code. */
static int read_list(scores *s) {
    for (const char *p = s->request->list;; p++) {
        char *end;
        const long label = *p >= '0' && *p <= '9' ? strtol(p, &end, 10) : -1;
        if (label < 0 || label >= VOX_LABELS || (*end != ',' && *end != 0) || s->wanted[label]) {
            return vox_usage_error(
                s->context,
                "--labels %s: whole numbers from 0 to %d are expected, with commas between, each once",
                s->request->list, VOX_LABELS - 1);
        }
        s->wanted[label] = true;
        p = end;
        if (*p == 0) return 0;
    }
}

/* Those above 0 that either volume has. */
static void find_labels(scores *s) {
    const vox_label_pair *p = &s->pair;
    const size_t n = (size_t)p->dim[0] * (size_t)p->dim[1] * (size_t)p->dim[2];
    for (size_t i = 0; i < n; i++) s->wanted[p->labels[i]] = s->wanted[p->reference[i]] = true;
    s->wanted[0] = false;
}

static int allocate(scores *s) {
    for (int label = 0; label < VOX_LABELS; label++) s->n += s->wanted[label];
    if (s->n == 0) return 0;
    s->overlap = calloc((size_t)s->n, sizeof *s->overlap);
    s->surface = calloc((size_t)s->n, sizeof *s->surface);
    if (s->overlap == NULL || s->surface == NULL)
        return vox_fail_memory("scores", (size_t)s->n * (sizeof *s->overlap + sizeof *s->surface));
    for (int label = 0, i = 0; label < VOX_LABELS; label++)
        if (s->wanted[label]) s->overlap[i++].label = label;
    return 0;
}

/* ---- computing ------------------------------------------------------------------------------- */

static int measure(scores *s, void *scratch, size_t bytes, const vox_executor *e) {
    vox_progress progress = vox_progress_start();
    vox_status status = VOX_OK;
    for (int i = 0; i < s->n && status == VOX_OK; i++) {
        vox_progress_say(&progress, "label %d of %d", i + 1, s->n);
        status = vox_surface_measure(&s->pair, &s->overlap[i], &s->surface[i], scratch, bytes, e);
    }
    vox_progress_end(&progress);
    return status == VOX_OK ? 0 : vox_fail_status("measuring surfaces", status);
}

/* Memory aligned as the library wants it, instead of what stands in *scratch; returns the exit code. */
static int grow(void **scratch, size_t *bytes, size_t needed) {
    free(*scratch);
    *bytes = (needed + 63) / 64 * 64;
    *scratch = aligned_alloc(64, *bytes);
    return *scratch != NULL ? 0 : vox_fail_memory("scores", needed);
}

static int compute(scores *s, const vox_executor *e) {
    void *scratch = NULL;
    size_t bytes = 0, most = 0;
    int code = grow(&scratch, &bytes, vox_overlap_bytes(s->n));
    if (code == 0) {
        const vox_status status = vox_overlap_count(&s->pair, s->overlap, s->n, scratch, bytes, e);
        if (status != VOX_OK) code = vox_fail_status("counting", status);
    }
    for (int i = 0; code == 0 && i < s->n; i++) {
        const size_t needed = vox_surface_bytes(&s->overlap[i]);
        if (needed > most) most = needed;
    }
    if (code == 0) code = grow(&scratch, &bytes, most);
    if (code == 0) code = measure(s, scratch, bytes, e);
    free(scratch);
    return code;
}

static int compute_in_threads(scores *s) {
    if (s->n == 0) return 0;
    const int threads = s->request->threads > 0 ? s->request->threads : vox_cpu_count();
    vox_pool *pool = vox_pool_create(threads);
    if (pool == NULL) return vox_fail(VOX_EXIT_FAILURE, "cannot start %d threads", threads);
    const vox_executor e = {.parallel_for = vox_pool_parallel_for, .pool = pool};
    const int code = compute(s, &e);
    vox_pool_destroy(pool);
    return code;
}

/* ---- printing -------------------------------------------------------------------------------- */

static const char *name_of(const scores *s, int label) {
    const vox_model_info *m = s->context->model;
    return !s->request->binary && label < m->n_labels ? m->labels[label] : "";
}

static void print_table(const scores *s) {
    if (s->n == 0) {
        printf("both volumes are empty: no label above 0\n");
        return;
    }
    printf("volumes in ml, distances in mm, surface Dice at %g mm\n", s->pair.tolerance);
    printf("%5s %7s %7s %10s %10s %10s %8s %8s %8s %8s %8s  %s\n", "label", "Dice", "IoU", "volume",
           "reference", "difference", "%", "HD95", "HD", "mean", "surface", "name");
    for (int i = 0; i < s->n; i++) {
        const vox_overlap *o = &s->overlap[i];
        const vox_surface *d = &s->surface[i];
        const char *name = name_of(s, o->label);
        printf("%5d %7.4f %7.4f %10.4g %10.4g %+10.4g %+8.2f %8.3f %8.3f %8.3f %8.4f%s%s\n", o->label,
               o->dice, o->iou, o->volume, o->reference_volume, o->difference, 100 * o->relative_difference,
               d->hausdorff95, d->hausdorff, d->mean, d->dice, *name ? "  " : "", name);
    }
}

static void print_json(const scores *s) {
    vox_json j = vox_json_file(stdout);
    vox_json_begin(&j, NULL, "{\n");
    vox_json_number(&j, "tolerance_mm", 9, s->pair.tolerance);
    vox_json_begin(&j, "spacing_mm", "[");
    for (int k = 0; k < 3; k++)
        vox_json_number(&j, NULL, 9, s->unknown[k] ? (double)NAN : s->pair.spacing[k]);
    vox_json_end(&j);
    vox_json_begin(&j, "labels", "[\n");
    for (int i = 0; i < s->n; i++) {
        const vox_overlap *o = &s->overlap[i];
        const vox_surface *d = &s->surface[i];
        vox_json_object(&j, NULL,
                        "label=%d name=%s dice=%.6f iou=%.6f voxels=%zu reference_voxels=%zu ml=%.9g "
                        "reference_ml=%.9g difference_ml=%.9g relative_difference=%.6f hd95_mm=%.9g "
                        "hd_mm=%.9g mean_distance_mm=%.9g surface_dice=%.6f",
                        o->label, name_of(s, o->label), o->dice, o->iou, o->voxels, o->reference, o->volume,
                        o->reference_volume, o->difference, o->relative_difference, d->hausdorff95,
                        d->hausdorff, d->mean, d->dice);
    }
    vox_json_end(&j);
    vox_json_end(&j);
}

/* ---- the two files --------------------------------------------------------------------------- */

static int fill_holes(vox_label_file *f) {
    const size_t n = (size_t)f->dim[0] * (size_t)f->dim[1] * (size_t)f->dim[2];
    unsigned char *mask = malloc(n);
    if (mask == NULL) return vox_fail_memory("a mask", n);
    for (size_t i = 0; i < n; i++) mask[i] = f->labels[i] > 0;
    const int code = vox_fill_holes(mask, f->dim);
    for (size_t i = 0; i < n; i++) f->labels[i] = mask[i];
    free(mask);
    return code;
}

/* The distances between voxels, which both files or one of them say. */
static void choose_spacing(scores *s, char **paths, const vox_label_file *a, const vox_label_file *b) {
    bool any = false, differ = false;
    for (int k = 0; k < 3; k++) {
        const double ours = a->spacing[k], theirs = b->spacing[k];
        s->unknown[k] = !(ours > 0) && !(theirs > 0);
        s->pair.spacing[k] = theirs > 0 ? theirs : ours > 0 ? ours : 1;
        any |= s->unknown[k];
        differ |= ours > 0 && theirs > 0 && fabs(ours - theirs) > 1e-3 * theirs;
    }
    if (any)
        vox_warn("neither %s nor %s says how large voxels are: 1 mm is taken where they don't", paths[0],
                 paths[1]);
    else if (a->unit_unknown && b->unit_unknown)
        vox_warn("neither %s nor %s names a unit for its voxel size: taken for mm", paths[0], paths[1]);
    if (differ)
        vox_warn("voxels are %s in %s, but %s in %s, whose are used", vox_size_mm(a->spacing).text, paths[0],
                 vox_size_mm(b->spacing).text, paths[1]);
}

static int check_grid(char **paths, const vox_label_file *a, const vox_label_file *b) {
    if (memcmp(a->dim, b->dim, sizeof a->dim) != 0) {
        return vox_fail(VOX_EXIT_INPUT, "%s is %s voxels, but %s is %s", paths[0], vox_shape(3, a->dim).text,
                        paths[1], vox_shape(3, b->dim).text);
    }
    return vox_image_same_grid(paths[0], &a->image, paths[1], &b->image);
}

static int score(const vox_context *c, const score_request *r, char **paths) {
    vox_label_file a = {0}, b = {0};
    scores s = {.context = c, .request = r};
    int code = r->list != NULL ? read_list(&s) : 0;
    if (code == 0) code = vox_label_file_read(paths[0], r->binary, &a);
    if (code == 0) code = vox_label_file_read(paths[1], r->binary, &b);
    if (code == 0) code = check_grid(paths, &a, &b);
    if (code == 0 && r->holes) code = fill_holes(&b);
    if (code == 0) {
        s.pair = (vox_label_pair){.labels = a.labels, .reference = b.labels, .tolerance = r->tolerance};
        memcpy(s.pair.dim, a.dim, sizeof a.dim);
        choose_spacing(&s, paths, &a, &b);
        if (r->list == NULL) find_labels(&s);
        code = allocate(&s);
    }
    if (code == 0) code = compute_in_threads(&s);
    if (code == 0) (r->json ? print_json : print_table)(&s);
    free(s.overlap);
    free(s.surface);
    vox_label_file_free(&a);
    vox_label_file_free(&b);
    return code;
}

int vox_verb_score(const vox_context *c, int argc, char **argv) {
    score_request r = {.tolerance = 1};
    int operands = 0;
    const vox_option table[] = {
        {"--json", 0, VOX_OPTION_FLAG, &r.json, 0, 0, NULL,
         "as JSON, with voxels; what is no number is null"},
        {"--tolerance", 0, VOX_OPTION_REAL, &r.tolerance, 0, 1e9, "MM",
         "distance that the surface Dice forgives (default 1)"},
        {"--labels", 0, VOX_OPTION_TEXT, &r.list, 0, 0, "LIST",
         "which, as 1,2,5 (default: those above 0 in either file)"},
        {"--binary", 0, VOX_OPTION_FLAG, &r.binary, 0, 0, NULL,
         "all that is above 0 is label 1, in both files"},
        {"--fill-holes", 0, VOX_OPTION_FLAG, &r.holes, 0, 0, NULL,
         "first fill the reference's holes (6 neighbours); implies --binary"},
        {"--threads", 't', VOX_OPTION_INT, &r.threads, 0, VOX_MAX_THREADS, "N",
         "threads (default 0: one per processor)"},
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    if (code >= 0) return code;
    if (operands != 2) return vox_usage_error(c, "wants two files, not %d", operands);
    r.binary |= r.holes;
    if (r.binary && r.list != NULL)
        return vox_usage_error(c, "--labels goes with neither --binary nor --fill-holes");
    return score(c, &r, argv);
}
