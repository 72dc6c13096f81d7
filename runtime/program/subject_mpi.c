/* SPDX-License-Identifier: MIT-0 */
/* subject_mpi.c: one volume by many processes; see subject.h. What all of them would say alike is said by the first: it
 * goes ahead, and the others follow where it succeeded. */
#include "report.h"
#include "subject_parts.h"

#if defined VOX_WITH_MPI && defined VOX_WITH_HDF5
#include <hdf5.h>
#include <limits.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "results.h"

typedef struct share {
    vox_subject s;
    vox_subject_request request;
    vox_segmenting network;
    char **files;
    int n, rank, ranks, axis, code;
    bool reversed;
    char path[PATH_MAX],
        part[PATH_MAX]; /* of the output while it is written; of what names the finished planes */
    void *plane;
} share;

typedef int step_fn(share *h);

/* The first process' code, or else the largest of all. */
static int in_turn(share *h, step_fn *step) {
    int code = h->rank == 0 ? step(h) : 0, all;
    MPI_Bcast(&code, 1, MPI_INT, 0, MPI_COMM_WORLD);
    if (code == 0 && h->rank > 0) code = step(h);
    MPI_Allreduce(&code, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return all;
}

static int together(share *h, step_fn *step) {
    int code = step(h), all;
    MPI_Allreduce(&code, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    return all;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static int open_volume(share *h) {
    const char *const results[] = {h->request.labels};
    int code = vox_subject_options(h->s.context, &h->request, &h->s.options);
    if (code == 0) code = vox_results_check(h->s.model, h->request.weights, results, 1, h->files, h->n);
    if (code == 0) code = vox_subject_plan(&h->s, h->files, h->n);
    if (code == 0 && h->rank == 0) {
        code = vox_image_create(&h->s.labels_file, h->request.labels);
        if (code == 0 && h->s.labels_file.format != VOX_IMAGE_HDF5)
            code =
                vox_fail(VOX_EXIT_INPUT, "--mpi writes HDF5: -o %s must be FILE.h5:/path", h->request.labels);
    }
    return code == 0 ? vox_subject_open(h->s.context, &h->request, &h->network, h->s.outline.runs) : code;
}

/* All processes at once. */
static int open_labels(share *h) {
    vox_image_writer *w = &h->s.labels_file;
    char dataset[PATH_MAX] = "";
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (h->rank == 0) {
        snprintf(h->path, sizeof h->path, "%s", vox_image_temporary(w));
        snprintf(dataset, sizeof dataset, "%s", w->dataset);
    }
    MPI_Bcast(h->path, PATH_MAX, MPI_CHAR, 0, MPI_COMM_WORLD);
    MPI_Bcast(dataset, PATH_MAX, MPI_CHAR, 0, MPI_COMM_WORLD);
    if (h->rank > 0) {
        *w = (vox_image_writer){.output = {.path = strdup(h->path), .temporary = -1},
                                .format = VOX_IMAGE_HDF5,
                                .sink = &vox_sink_hdf5,
                                .dataset = strdup(dataset)};
    }
    w->shared = h->path;
    w->access = access;
    H5Pset_fapl_mpio(access, MPI_COMM_WORLD, MPI_INFO_NULL);
    const vox_image_content content = {.type = vox_subject_bytes(&h->s) ? VOX_IMAGE_U8 : VOX_IMAGE_U16,
                                       .labels = true,
                                       .channels = 1,
                                       .names = h->s.model->labels,
                                       .n_names = h->s.model->n_labels};
    int code = vox_image_begin(w, &h->s.image, &content);
    H5Pclose(access);
    return code;
}

static void put_plane(void *user, int d) {
    share *h = user;
    const int *dim = h->s.volume.dim;
    int begin[3] = {0, 0, 0}, end[3] = {dim[0], dim[1], dim[2]};
    begin[h->axis] = h->reversed ? dim[h->axis] - 1 - d : d;
    end[h->axis] = begin[h->axis] + 1;
    if (h->code == 0) h->code = vox_image_put_box(&h->s.labels_file, begin, end, h->plane);
}

static void on_finished(void *user, int begin, int end) {
    share *h = user;
    vox_unfinished_add(&h->s.unfinished, begin, end);
    for (int d = begin; d < end; d++) put_plane(h, d);
}

static int on_cancelled(void *user) {
    return ((share *)user)->code != 0;
}

static void on_progress(void *user, int done, int total, int step, int steps) {
    (void)step, (void)steps;
    vox_segmenting_at(&((share *)user)->network, done, total);
}

/* The labels of a plane at a time: all of them stand nowhere. */
static int make_plane(share *h) {
    const int *dim = h->s.volume.dim, a = h->s.model->volume->axes[0] - 'x';
    h->axis = h->s.outline.source[a];
    h->reversed = h->s.outline.reversed[a] != 0;
    bool bytes = vox_subject_bytes(&h->s);
    ptrdiff_t stride = bytes ? 1 : 2;
    h->s.to.type = bytes ? VOX_VOXEL_U8 : VOX_VOXEL_U16;
    for (int k = 0; k < 3; k++) {
        h->s.to.stride[k] = k == h->axis ? 0 : stride;
        if (k != h->axis) stride *= dim[k];
    }
    h->s.to.data = h->plane = malloc((size_t)stride);
    return h->plane != NULL ? 0 : vox_fail_memory("a plane of labels", (size_t)stride);
}

static int open_unfinished(share *h, int begin, int end) {
    vox_unfinished *u = &h->s.unfinished;
    *u = (vox_unfinished){.file = -1,
                          .to = h->s.to,
                          .axis = h->axis,
                          .reversed = h->reversed,
                          .begin = begin,
                          .end = end,
                          .taken = put_plane,
                          .user = h};
    memcpy(u->dim, h->s.volume.dim, sizeof u->dim);
    char *file = vox_image_file(h->request.labels);
    snprintf(h->part, sizeof h->part, "%s.rank%dof%d", file != NULL ? file : "", h->rank, h->ranks);
    free(file);
    int code = vox_subject_key(&h->s, h->files, h->n, &u->key);
    return code == 0 ? vox_unfinished_open(u, h->part, h->request.resume != 0) : code;
}

static int segment_share(share *h) {
    int code = make_plane(h), all = h->s.volume.dim[h->axis];
    const int begin = (int)((long long)all * h->rank / h->ranks);
    const int end = (int)((long long)all * (h->rank + 1) / h->ranks);
    if (code != 0 || begin == end) return code;
    code = open_unfinished(h, begin, end);
    if (code == 0) code = h->code;
    if (code != 0) return code;
    vox_segment_options *o = &h->s.options;
    o->set |= VOX_SET_PLANES;
    o->planes[0] = h->s.unfinished.planes > begin ? h->s.unfinished.planes : begin;
    o->planes[1] = end;
    o->user = h;
    o->progress = on_progress;
    o->finished = on_finished;
    o->cancelled = on_cancelled;
    if (h->s.unfinished.planes > begin && !h->request.quiet)
        vox_note("%s: goes on behind plane %d of %d", h->request.labels, h->s.unfinished.planes, end);
    if (o->planes[0] < end) code = vox_segmenting_run(&h->network, h->s.name, &h->s.volume, &h->s.to, o);
    return h->code != 0 ? h->code : code;
}

/* The first process gives the file its name once all have closed it. */
static int commit(share *h) {
    vox_image_writer *w = &h->s.labels_file;
    int code = w->sink->end(w), all;
    MPI_Allreduce(&code, &all, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    w->left = 0;
    if (all == 0 && h->rank == 0) all = vox_image_commit(w);
    MPI_Bcast(&all, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return all;
}

static int run(share *h) {
    int code = in_turn(h, open_volume);
    if (code == 0) code = together(h, open_labels);
    if (code == 0) code = together(h, segment_share);
    if (code == 0) code = commit(h);
    if (code == 0 && h->rank == 0 && !h->request.quiet)
        printf("%s: %s voxels, %d processes\n", h->request.labels, vox_shape(3, h->s.volume.dim).text,
               h->ranks);
    return code;
}

int vox_subject_segment_mpi(const vox_context *c, const vox_subject_request *r, char **files, int n) {
    int got;
    share h = {.request = *r, .files = files, .n = n};
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &got) != MPI_SUCCESS)
        return vox_fail(VOX_EXIT_FAILURE, "MPI cannot be started");
    MPI_Comm_rank(MPI_COMM_WORLD, &h.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &h.ranks);
    hid_t access = H5Pcreate(H5P_FILE_ACCESS); /* each reads for itself */
    H5Pset_fapl_mpio(access, MPI_COMM_SELF, MPI_INFO_NULL);
    h.request.access = access;
    h.request.stream = 1;
    if (h.rank > 0) h.request.quiet = 1;
    h.s = (vox_subject){.context = c,
                        .model = c->model,
                        .request = &h.request,
                        .name = files[0],
                        .network = &h.network,
                        .unfinished = {.file = -1}};
    int code = run(&h);
    vox_image_abort(&h.s.labels_file);
    vox_unfinished_close(&h.s.unfinished, code != VOX_EXIT_FAILURE);
    vox_subject_free_volume(&h.s);
    vox_segmenting_close(&h.network);
    free(h.plane);
    H5Pclose(access);
    MPI_Finalize();
    return code;
}
#else
int vox_subject_segment_mpi(const vox_context *c, const vox_subject_request *r, char **files, int n) {
    (void)r, (void)files, (void)n;
    return vox_fail(
        VOX_EXIT_UNSUPPORTED,
        "%s was built without MPI: install openmpi-bin, libopenmpi-dev and libhdf5-openmpi-dev, and build it "
        "with make MPI=1",
        c->model->name);
}
#endif
