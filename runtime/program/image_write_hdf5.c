/* SPDX-License-Identifier: MIT-0 */
/* image_write_hdf5.c: a dataset of a new HDF5 file, chunked by planes, with element_size_um as PlantSeg and
 * pytorch-3dunet expect it; see image_parts.h. */
#ifdef VOX_WITH_HDF5
#include <errno.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "report.h"

enum { LEVEL = 4 };
static const hsize_t MOST_SIDE = 1024; /* of a chunk */

typedef struct place {
    hid_t file, dataset, memory;
    int rank;
} place;

static herr_t deepest(unsigned n, const H5E_error2_t *error, void *user) {
    char *text = user;
    if (n == 0 || text[0] == 0) snprintf(text, 200, "%s", error->desc != NULL ? error->desc : "");
    return 0;
}

static int failed(const vox_image_writer *w, const char *what) {
    char why[200] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, deepest, why);
    return vox_fail(VOX_EXIT_FAILURE, "cannot write %s: %s%s%s", w->output.path, what,
                    why[0] != 0 ? ": " : "", why);
}

/* As h5py stores numpy's float16. */
static hid_t half_type(void) {
    hid_t t = H5Tcopy(H5T_NATIVE_FLOAT);
    if (t >= 0 && H5Tset_fields(t, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(t, 2) >= 0 &&
        H5Tset_ebias(t, 15) >= 0)
        return t;
    return -1;
}

static hid_t type_of(vox_image_type type) {
    if (type == VOX_IMAGE_F16) return half_type();
    return H5Tcopy(type == VOX_IMAGE_U8    ? H5T_NATIVE_UINT8
                   : type == VOX_IMAGE_U16 ? H5T_NATIVE_UINT16
                                           : H5T_NATIVE_FLOAT);
}

/* ---- attributes ------------------------------------------------------------------------------ */

static bool put_attribute(hid_t at, const char *name, hid_t type, hsize_t n, const void *data) {
    hid_t space = n > 0 ? H5Screate_simple(1, &n, NULL) : H5Screate(H5S_SCALAR);
    hid_t a = space >= 0 ? H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT) : -1;
    bool ok = a >= 0 && H5Awrite(a, type, data) >= 0;
    if (a >= 0) H5Aclose(a);
    if (space >= 0) H5Sclose(space);
    return ok;
}

static bool put_texts(hid_t at, const char *name, const char *const *texts, int n) {
    size_t longest = 1;
    for (int i = 0; i < n; i++)
        longest = texts[i] != NULL && strlen(texts[i]) > longest ? strlen(texts[i]) : longest;
    char *table = calloc((size_t)n, longest + 1);
    hid_t type = H5Tcopy(H5T_C_S1);
    bool ok = table != NULL && type >= 0 && H5Tset_size(type, longest + 1) >= 0 &&
              H5Tset_cset(type, H5T_CSET_UTF8) >= 0;
    for (int i = 0; i < n && ok; i++) {
        if (texts[i] != NULL) strcpy(table + (size_t)i * (longest + 1), texts[i]);
    }
    ok = ok && put_attribute(at, name, type, (hsize_t)n, table);
    if (type >= 0) H5Tclose(type);
    free(table);
    return ok;
}

static bool put_attributes(hid_t at, const vox_image *like, const vox_image_content *c) {
    const double *mm = like->volume.spacing;
    const double um[3] = {1000 * mm[2], 1000 * mm[1], 1000 * mm[0]};
    bool sized = mm[0] > 0 && mm[1] > 0 && mm[2] > 0 && !like->unit_unknown;
    bool ok = !sized || put_attribute(at, "element_size_um", H5T_NATIVE_DOUBLE, 3, um);
    if (c->description != NULL) ok = ok && put_texts(at, "description", &c->description, 1);
    if (c->n_names > 0)
        ok = ok && put_texts(at, c->labels ? "label_names" : "channel_names", c->names, c->n_names);
    return ok;
}

/* ---- the sink -------------------------------------------------------------------------------- */

static hid_t layout(const vox_image_writer *w, int rank) {
    hsize_t chunk[4] = {1, 1, (hsize_t)w->dim[1], (hsize_t)w->dim[0]};
    for (int i = 2; i < 4; i++) chunk[i] = chunk[i] > MOST_SIDE ? MOST_SIDE : chunk[i];
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    bool packed = /* several processes write no packed chunks, each on its own */
        w->access == 0 && (w->type == VOX_IMAGE_U8 || w->type == VOX_IMAGE_U16) &&
        H5Zfilter_avail(H5Z_FILTER_DEFLATE) > 0;
    bool ok = plist >= 0 && H5Pset_chunk(plist, rank, chunk + 4 - rank) >= 0 &&
              H5Pset_obj_track_times(plist, false) >= 0;
    if (ok && packed) ok = H5Pset_deflate(plist, LEVEL) >= 0;
    if (ok) return plist;
    if (plist >= 0) H5Pclose(plist);
    return -1;
}

static bool make_dataset(vox_image_writer *w, place *p) {
    hsize_t shape[4] = {(hsize_t)w->channels, (hsize_t)w->dim[2], (hsize_t)w->dim[1], (hsize_t)w->dim[0]};
    hid_t space = H5Screate_simple(p->rank, shape + 4 - p->rank, NULL), plist = layout(w, p->rank);
    hid_t links = H5Pcreate(H5P_LINK_CREATE);
    if (links >= 0) H5Pset_create_intermediate_group(links, 1);
    p->memory = type_of(w->type);
    if (space >= 0 && plist >= 0 && links >= 0 && p->memory >= 0)
        p->dataset = H5Dcreate2(p->file, w->dataset, p->memory, space, links, plist, H5P_DEFAULT);
    if (links >= 0) H5Pclose(links);
    if (plist >= 0) H5Pclose(plist);
    if (space >= 0) H5Sclose(space);
    return p->dataset >= 0;
}

static int begin(vox_image_writer *w, const vox_image *like, const vox_image_content *c) {
    place *p = malloc(sizeof *p);
    if (p == NULL) return vox_fail_memory(w->output.path, sizeof *p);
    *p = (place){.file = -1, .dataset = -1, .memory = -1, .rank = c->channels > 1 ? 4 : 3};
    w->state = p;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    p->file = H5Fcreate(vox_image_temporary(w), H5F_ACC_TRUNC, H5P_DEFAULT, w->access);
    if (p->file < 0) return failed(w, "HDF5");
    if (!make_dataset(w, p)) return failed(w, w->dataset);
    return put_attributes(p->dataset, like, c) ? 0 : failed(w, "its attributes");
}

static int put(vox_image_writer *w, const void *data, size_t bytes) {
    const place *p = w->state;
    const hsize_t first[4] = {(hsize_t)(w->planes / w->dim[2]), (hsize_t)(w->planes % w->dim[2]), 0, 0};
    const hsize_t count[4] = {1, 1, (hsize_t)w->dim[1], (hsize_t)w->dim[0]};
    const int skip = 4 - p->rank;
    (void)bytes;
    hid_t to = H5Dget_space(p->dataset), from = H5Screate_simple(p->rank, count + skip, NULL);
    bool ok = to >= 0 && from >= 0 &&
              H5Sselect_hyperslab(to, H5S_SELECT_SET, first + skip, NULL, count + skip, NULL) >= 0 &&
              H5Dwrite(p->dataset, p->memory, from, to, H5P_DEFAULT, data) >= 0;
    if (from >= 0) H5Sclose(from);
    if (to >= 0) H5Sclose(to);
    return ok ? 0 : failed(w, "HDF5");
}

int vox_image_put_box(vox_image_writer *w, const int begin[3], const int end[3], const void *data) {
    const place *p = w->state;
    hsize_t first[4] = {0}, count[4] = {1};
    for (int k = 0; k < 3; k++) {
        first[3 - k] = (hsize_t)begin[k];
        count[3 - k] = (hsize_t)(end[k] - begin[k]);
    }
    const int skip = 4 - p->rank;
    hid_t to = H5Dget_space(p->dataset), from = H5Screate_simple(p->rank, count + skip, NULL);
    bool ok = to >= 0 && from >= 0 &&
              H5Sselect_hyperslab(to, H5S_SELECT_SET, first + skip, NULL, count + skip, NULL) >= 0 &&
              H5Dwrite(p->dataset, p->memory, from, to, H5P_DEFAULT, data) >= 0;
    if (from >= 0) H5Sclose(from);
    if (to >= 0) H5Sclose(to);
    if (!ok) return failed(w, "HDF5");
    w->left = 0; /* who writes boxes knows what is missing */
    return 0;
}

static bool close_all(place *p) {
    bool ok = true;
    if (p->memory >= 0) H5Tclose(p->memory);
    if (p->dataset >= 0) ok = H5Dclose(p->dataset) >= 0;
    if (p->file >= 0) ok = H5Fclose(p->file) >= 0 && ok;
    p->memory = p->dataset = p->file = -1;
    return ok;
}

static int end(vox_image_writer *w) {
    return close_all(w->state) ? 0 : failed(w, "HDF5");
}

static void stop(vox_image_writer *w) {
    if (w->state != NULL) close_all(w->state);
    free(w->state);
    w->state = NULL;
}

const vox_image_sink vox_sink_hdf5 = {.begin = begin,
                                      .put = put,
                                      .end = end,
                                      .stop = stop,
                                      .types = 1u << VOX_IMAGE_U8 | 1u << VOX_IMAGE_U16 |
                                               1u << VOX_IMAGE_F32 | 1u << VOX_IMAGE_F16,
                                      .seeks = true,
                                      .by_planes = true};
#endif
