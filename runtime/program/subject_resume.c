/* SPDX-License-Identifier: MIT-0 */
/* subject_resume.c: a volume's labels that an interrupted run left; see subject_parts.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "subject_parts.h"
#include "vox_hash.h"

/* Row by row: strides may leave gaps. */
static uint64_t hash_plane(const vox_volume *v, const char *plane, uint64_t hash) {
    const size_t each = vox_voxel_bytes(v->type), row = each * (size_t)v->dim[0];
    for (int j = 0; j < v->dim[1]; j++) {
        const char *p = plane + j * v->stride[1];
        bool whole = v->stride[0] == (ptrdiff_t)each;
        if (whole) hash = vox_hash(hash, p, row);
        for (int i = 0; i < v->dim[0] && !whole; i++, p += v->stride[0]) hash = vox_hash(hash, p, each);
    }
    return hash;
}

/* Of an image's voxels. What cannot be read fails again, and is said, when it is segmented. */
static uint64_t hash_voxels(const vox_volume *v, uint64_t hash) {
    void *plane = NULL;
    if (v->data == NULL) plane = malloc(vox_voxel_bytes(v->type) * (size_t)v->dim[0] * (size_t)v->dim[1]);
    for (int c = 0; c < v->channels && (v->data != NULL || plane != NULL); c++) {
        for (int k = 0; k < v->dim[2]; k++) {
            const char *from =
                v->data != NULL ? (const char *)v->data + c * v->channel + k * v->stride[2] : plane;
            if (plane != NULL && v->read(v->user, c, (int[3]){0, 0, k}, (int[3]){v->dim[0], v->dim[1], k + 1},
                                         plane) != VOX_OK)
                break;
            hash = hash_plane(v, from, hash);
        }
    }
    free(plane);
    return hash;
}

static uint64_t hash_files(char **files, int n, uint64_t hash) {
    for (int i = 0; i < n; i++) {
        struct stat at;
        char *path = vox_image_file(files[i]);
        if (path == NULL || stat(path, &at) != 0) at = (struct stat){0};
        free(path);
        const int64_t seen[] = {(int64_t)at.st_size, (int64_t)at.st_mtim.tv_sec, (int64_t)at.st_mtim.tv_nsec};
        hash = vox_hash(vox_hash(hash, seen, sizeof seen), files[i], strlen(files[i]));
    }
    return hash;
}

int vox_subject_key(const vox_subject *s, char **files, int n, uint64_t *key) {
    const vox_volume *v = &s->volume;
    const vox_segment_options *o = &s->options;
    const vox_model_info *m = s->model;
    char text[1024];
    size_t length = (size_t)snprintf(text, sizeof text, "%s %s %s %d %a %a %d %d %d %d %d %d %a %a",
                                     m->voxc_version, m->graph_hash, vox_host_where(&s->network->host),
                                     o->set, o->level, o->overlap, o->mirror_axes, (int)v->type, v->channels,
                                     v->dim[0], v->dim[1], v->dim[2], v->slope, v->intercept);
    if (length >= sizeof text) length = sizeof text - 1;
    uint64_t hash = vox_hash(0, text, length);
    hash = vox_hash(hash, v->spacing, sizeof v->spacing);
    hash = vox_hash(hash, v->direction, sizeof v->direction);
    uint64_t weights = 0;
    int code = vox_segmenting_weights(s->network, &weights);
    hash = vox_hash(hash, &weights, sizeof weights);
    *key = files != NULL ? hash_files(files, n, hash) : hash_voxels(&s->image.volume, hash);
    return code;
}

static void on_finished(void *user, int begin, int end) {
    vox_subject *s = user;
    vox_unfinished_add(&s->unfinished, begin, end);
}

/* Scores are not kept: with them a run cannot be taken up again. */
int vox_subject_resume(vox_subject *s) {
    int a = s->model->volume->axes[0] - 'x';
    if (s->request->scores != NULL) return 0;
    vox_unfinished *u = &s->unfinished;
    *u = (vox_unfinished){
        .file = -1, .to = s->to, .axis = s->outline.source[a], .reversed = s->outline.reversed[a] != 0};
    memcpy(u->dim, s->volume.dim, sizeof u->dim);
    int code = vox_subject_key(s, NULL, 0, &u->key);
    char *file = vox_image_file(s->request->labels);
    if (code == 0 && file == NULL) code = vox_fail_memory("a file name", strlen(s->request->labels));
    if (code == 0) code = vox_unfinished_open(u, file, s->request->resume != 0);
    free(file);
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
