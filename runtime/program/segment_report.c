/* SPDX-License-Identifier: MIT-0 */
/* segment_report.c: see segment_report.h. */
#include "segment_report.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vox_hash.h"
#include "vox_orient.h"

enum { LABELS = 65536 };

/* ---- labels ---------------------------------------------------------------------------------- */

static double voxel_ml(const vox_image *image) {
    const double *s = image->volume.spacing;
    return s[0] > 0 && s[1] > 0 && s[2] > 0 ? s[0] * s[1] * s[2] / 1000 : 0;
}

int vox_report_count(vox_report *r, const uint16_t *labels) {
    const int *dim = r->image->volume.dim;
    const size_t n = (size_t)dim[0] * (size_t)dim[1] * (size_t)dim[2];
    const int named = r->model->n_labels < LABELS ? r->model->n_labels : LABELS;
    size_t *count = calloc(LABELS, sizeof *count);
    if (count == NULL) return vox_fail_memory("counts", LABELS * sizeof *count);
    int some = 0;
    for (size_t i = 0; i < n; i++) count[labels[i]]++;
    for (int l = 0; l < LABELS; l++) some += l < named || count[l] > 0;
    r->labels = calloc((size_t)some + 1, sizeof *r->labels);
    if (r->labels == NULL) {
        free(count);
        return vox_fail_memory("labels", ((size_t)some + 1) * sizeof *r->labels);
    }
    r->n_labels = 0;
    for (int l = 0; l < LABELS; l++) {
        if (l >= named && count[l] == 0) continue;
        r->labels[r->n_labels++] = (vox_report_label){.label = l,
                                                      .name = l < named ? r->model->labels[l] : NULL,
                                                      .voxels = count[l],
                                                      .ml = (double)count[l] * voxel_ml(r->image)};
    }
    free(count);
    return 0;
}

void vox_report_free(vox_report *r) {
    free(r->labels);
    r->labels = NULL;
    r->n_labels = 0;
}

/* ---- files ----------------------------------------------------------------------------------- */

static int cannot_hash(const char *path) {
    return vox_fail(errno == ENOENT || errno == EACCES ? VOX_EXIT_INPUT : VOX_EXIT_FAILURE,
                    "cannot read %s: %s", path, strerror(errno));
}

static int hash_file(const char *path, uint64_t *hash) {
    struct stat s;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cannot_hash(path);
    void *data = NULL;
    const bool known = fstat(fd, &s) == 0;
    if (known && s.st_size > 0) data = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    const int code = known && data != MAP_FAILED ? 0 : cannot_hash(path);
    close(fd);
    if (code != 0) return code;
    *hash = vox_hash(0, data != NULL ? data : "", (size_t)s.st_size);
    if (data != NULL) munmap(data, (size_t)s.st_size);
    return 0;
}

static int hash_folder(const char *path, uint64_t *hash) {
    struct dirent **entry;
    const int n = scandir(path, &entry, NULL, alphasort);
    int code = n >= 0 ? 0 : cannot_hash(path);
    *hash = 0;
    for (int i = 0; i < n; i++) {
        char file[PATH_MAX];
        struct stat s;
        const int length = snprintf(file, sizeof file, "%s/%s", path, entry[i]->d_name);
        if (code == 0 && length < PATH_MAX && stat(file, &s) == 0 && S_ISREG(s.st_mode)) {
            uint64_t one = 0;
            code = hash_file(file, &one);
            *hash = vox_hash_step(*hash, one);
        }
        free(entry[i]);
    }
    if (n >= 0) free(entry);
    return code;
}

int vox_report_hash(vox_report_file *f, const char *name) {
    struct stat s;
    *f = (vox_report_file){.name = name};
    char *path = vox_image_file(name);
    if (path == NULL) return vox_fail_memory("a file name", strlen(name) + 1);
    int code = 0;
    if (stat(path, &s) != 0) {
        code = cannot_hash(path);
    } else if (S_ISREG(s.st_mode) || S_ISDIR(s.st_mode)) {
        code = S_ISDIR(s.st_mode) ? hash_folder(path, &f->hash) : hash_file(path, &f->hash);
        f->hashed = code == 0;
    }
    free(path);
    return code;
}

size_t vox_report_peak_memory(void) {
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (size_t)usage.ru_maxrss * 1024 : 0; /* Linux counts in KiB */
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void add_files(vox_json *j, const char *key, const vox_report_file *files, int n) {
    vox_json_begin(j, key, n > 0 ? "[\n" : "[");
    for (int i = 0; i < n; i++) {
        char hash[24];
        snprintf(hash, sizeof hash, "%016" PRIx64, files[i].hash);
        vox_json_begin(j, NULL, "{");
        vox_json_text(j, "file", files[i].name);
        vox_json_text(j, "hash", files[i].hashed ? hash : NULL);
        vox_json_end(j);
    }
    vox_json_end(j);
}

static void add_sizes(vox_json *j, const char *key, const double size[3]) {
    vox_json_begin(j, key, "[");
    for (int k = 0; k < 3; k++) vox_json_number(j, NULL, 17, size[k] > 0 ? size[k] : (double)NAN);
    vox_json_end(j);
}

static void add_counts(vox_json *j, const char *key, const int n[3]) {
    vox_json_begin(j, key, "[");
    for (int k = 0; k < 3; k++) vox_json_int(j, NULL, n[k]);
    vox_json_end(j);
}

static void add_grid(vox_json *j, const vox_image *image) {
    const vox_volume *v = &image->volume;
    char code[4];
    const bool known = image->directed && vox_code_of_direction(v->direction, code);
    vox_json_begin(j, "grid", "{");
    add_counts(j, "dim", v->dim);
    vox_json_int(j, "channels", v->channels);
    add_sizes(j, "spacing_mm", v->spacing);
    vox_json_text(j, "orientation", known ? code : NULL);
    vox_json_end(j);
}

static void add_tiling(vox_json *j, const vox_report *r) {
    vox_json_begin(j, "tiling", "{");
    if (r->outline != NULL) {
        add_counts(j, "prepared_dim", r->outline->prepared);
        add_sizes(j, "prepared_spacing_mm", r->outline->spacing);
        add_counts(j, "tile_in", r->outline->tile_in);
        add_counts(j, "tile_out", r->outline->tile_out);
        add_counts(j, "tiles", r->outline->tiles);
        vox_json_int(j, "runs_planned", r->outline->runs);
    }
    if (r->result != NULL) vox_json_members(j, "runs=%d skipped=%d", r->result->runs, r->result->skipped);
    vox_json_end(j);
}

static void add_mirror_axes(vox_json *j, int axes) {
    static const char *const names[] = {"D", "H", "W"};
    vox_json_begin(j, "mirror_axes", "[");
    for (int k = 0; k < 3; k++)
        if (axes >> k & 1) vox_json_text(j, NULL, names[k]);
    vox_json_end(j);
}

/* What holds: the description's, or what the caller set instead. */
static void add_options(vox_json *j, const vox_report *r) {
    const vox_volume_info *v = r->model->volume;
    const vox_segment_options *o = r->options;
    const int set = o != NULL ? o->set : 0;
    vox_json_begin(j, "options", "{");
    if (v != NULL) {
        vox_json_number(j, "overlap", 17, set & VOX_SET_OVERLAP ? o->overlap : v->overlap);
        add_mirror_axes(j, set & VOX_SET_MIRROR_AXES ? o->mirror_axes : v->mirror_axes);
        vox_json_number(j, "level", 17,
                        v->rule == VOX_ARGMAX ? (double)NAN
                        : set & VOX_SET_LEVEL ? o->level
                                              : v->level);
    }
    vox_json_int(j, "folds", 1 + (o != NULL ? o->n_folds : 0));
    vox_json_end(j);
}

static void add_labels(vox_json *j, const vox_report *r) {
    const double ml = voxel_ml(r->image);
    vox_json_begin(j, "labels", "[\n");
    for (int i = 0; i < r->n_labels; i++) {
        const vox_report_label *l = &r->labels[i];
        vox_json_object(j, NULL, "label=%d name=%s voxels=%zu ml=%.6g", l->label, l->name, l->voxels,
                        ml > 0 ? l->ml : (double)NAN);
    }
    vox_json_end(j);
}

static void add_times(vox_json *j, const vox_report *r) {
    static const char *const names[VOX_PHASES] = {"read", "prepare", "network", "restore", "write"};
    vox_json_begin(j, "seconds", "{");
    for (int i = 0; i < VOX_PHASES; i++) vox_json_number(j, names[i], 4, r->seconds[i]);
    vox_json_number(j, "total", 4, r->total_seconds > 0 ? r->total_seconds : (double)NAN);
    vox_json_end(j);
}

static void add_warnings(vox_json *j, const vox_warnings *w) {
    vox_json_begin(j, "warnings", w != NULL && w->n > 0 ? "[\n" : "[");
    for (int i = 0; w != NULL && i < w->n; i++) vox_json_text(j, NULL, w->text[i]);
    vox_json_end(j);
    if (w != NULL && w->more > 0) vox_json_int(j, "warnings_left_out", w->more);
}

void vox_report_put(vox_json *j, const char *key, const vox_report *r) {
    const vox_model_info *m = r->model;
    vox_json_begin(j, key, "{\n");
    vox_json_members(j, "program=%s voxc_version=%s graph_hash=%s compile_options=%s", m->name,
                     m->voxc_version, m->graph_hash, m->options);
    add_files(j, "weights", r->weights, r->n_weights);
    add_files(j, "inputs", r->inputs, r->n_inputs);
    vox_json_begin(j, "outputs", r->n_outputs > 0 ? "[\n" : "[");
    for (int i = 0; i < r->n_outputs; i++) vox_json_object(j, NULL, "file=%s", r->outputs[i].name);
    vox_json_end(j);
    add_grid(j, r->image);
    add_tiling(j, r);
    add_options(j, r);
    add_labels(j, r);
    add_times(j, r);
    vox_json_members(j, "where=%s threads=%d", r->where, r->threads);
    if (r->peak_bytes > 0)
        vox_json_members(j, "peak_bytes=%zu", r->peak_bytes);
    else
        vox_json_text(j, "peak_bytes", NULL);
    add_warnings(j, r->warnings);
    vox_json_end(j);
}

int vox_report_write(const vox_output *file, const vox_report *r) {
    vox_json j = vox_json_file(file->file);
    vox_report_put(&j, NULL, r);
    return ferror(file->file) == 0 ? 0 : vox_output_error(file);
}
