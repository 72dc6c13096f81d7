/* SPDX-License-Identifier: MIT-0 */
/* image_hdf5.c: datasets of HDF5 files as images: [channel][z][y][x] with the attribute element_size_um (z y x),
 * as PlantSeg and pytorch-3dunet write them; see image_parts.h. */
#include "image_parts.h"
#include "report.h"

#ifdef VOX_WITH_HDF5
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_AXES = 8 };

static herr_t deepest(unsigned n, const H5E_error2_t *error, void *user) {
    char *text = user;
    if (n == 0 || text[0] == 0) snprintf(text, 200, "%s", error->desc != NULL ? error->desc : "");
    return 0;
}

/* What the library says on its own error stack, which it must not print. */
static int failed(const char *file, const char *what) {
    char why[200] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, deepest, why);
    return vox_fail(VOX_EXIT_INPUT, "%s: %s%s%s", file, what, why[0] != 0 ? ": " : "", why);
}

/* ---- which dataset --------------------------------------------------------------------------- */

typedef struct found {
    int n;
    char first[256], names[512];
} found;

static herr_t look(hid_t group, const char *name, const H5L_info_t *link, void *user) {
    found *f = user;
    if (link->type != H5L_TYPE_HARD) return 0;
    hid_t object = H5Oopen(group, name, H5P_DEFAULT);
    if (object < 0) return 0;
    if (H5Iget_type(object) == H5I_DATASET) {
        if (f->n++ == 0) snprintf(f->first, sizeof f->first, "/%s", name);
        size_t n = strlen(f->names);
        snprintf(f->names + n, sizeof f->names - n, "%s/%s", n > 0 ? ", " : "", name);
    }
    H5Oclose(object);
    return 0;
}

/* The only one, where the name says none. */
static int choose_dataset(const char *path, hid_t file, char dataset[256]) {
    found f = {.n = 0};
    H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, look, &f);
    if (f.n == 0) return vox_fail(VOX_EXIT_INPUT, "%s holds no dataset", path);
    if (f.n > 1)
        return vox_fail(VOX_EXIT_INPUT, "%s holds %d datasets (%s): name one, as %s:%s", path, f.n, f.names,
                        path, f.first);
    snprintf(dataset, 256, "%s", f.first);
    return 0;
}

/* A link may not lead out of the file. */
static herr_t no_other_file(const char *parent, const char *group, const char *file, const char *object,
                            unsigned *flags, hid_t access, void *user) {
    (void)parent, (void)group, (void)file, (void)object, (void)flags, (void)access, (void)user;
    return -1;
}

static hid_t open_dataset(hid_t file, const char *dataset) {
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    if (access < 0) return -1;
    H5Pset_elink_cb(access, no_other_file, NULL);
    hid_t d = H5Dopen2(file, dataset, access);
    H5Pclose(access);
    return d;
}

/* ---- what it holds --------------------------------------------------------------------------- */

/* Returns the type to read as, a copy, and what that is; negative: none. */
static hid_t memory_type(hid_t type, vox_stored *s) {
    const size_t bytes = H5Tget_size(type);
    const bool is_signed = H5Tget_class(type) == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_2;
    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        *s = (vox_stored){is_signed ? 'i' : 'u', (int)bytes, false};
        if (bytes == 1) return H5Tcopy(is_signed ? H5T_NATIVE_INT8 : H5T_NATIVE_UINT8);
        if (bytes == 2) return H5Tcopy(is_signed ? H5T_NATIVE_INT16 : H5T_NATIVE_UINT16);
        if (bytes == 4) return H5Tcopy(is_signed ? H5T_NATIVE_INT32 : H5T_NATIVE_UINT32);
        return bytes == 8 ? H5Tcopy(is_signed ? H5T_NATIVE_INT64 : H5T_NATIVE_UINT64) : -1;
    case H5T_FLOAT:
        *s = (vox_stored){'f', bytes <= 4 ? 4 : 8, false};
        return H5Tcopy(bytes <= 4 ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE);
    case H5T_ENUM: /* h5py's booleans */
        *s = (vox_stored){'u', 1, false};
        return bytes == 1 ? H5Tget_native_type(type, H5T_DIR_ASCEND) : -1;
    default:
        return -1;
    }
}

/* Bytes that stand elsewhere may be anybody's. */
static int check_storage(const char *name, hid_t dataset) {
    hid_t plist = H5Dget_create_plist(dataset);
    bool elsewhere = plist < 0 || H5Pget_layout(plist) == H5D_VIRTUAL || H5Pget_external_count(plist) > 0;
    int filters = plist >= 0 ? H5Pget_nfilters(plist) : 0, code = 0;
    for (int i = 0; i < filters && code == 0; i++) {
        char filter[64] = "";
        unsigned flags, config;
        size_t n = 0;
        H5Z_filter_t id =
            H5Pget_filter2(plist, (unsigned)i, &flags, &n, NULL, sizeof filter, filter, &config);
        if (id >= 0 && H5Zfilter_avail(id) <= 0)
            code = vox_fail(VOX_EXIT_UNSUPPORTED,
                            "%s: this HDF5 library has no filter %d (%s): repack it with gzip", name, (int)id,
                            filter);
    }
    if (plist >= 0) H5Pclose(plist);
    if (code == 0 && elsewhere)
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: its values stand in other files: copy them into one",
                        name);
    return code;
}

static int read_shape(const char *name, hid_t dataset, int64_t dim[3], int64_t *channels) {
    hsize_t shape[H5S_MAX_RANK];
    int64_t wide[MOST_AXES] = {0};
    hid_t space = H5Dget_space(dataset);
    int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    if (rank >= 0 && rank <= MOST_AXES) H5Sget_simple_extent_dims(space, shape, NULL);
    if (space >= 0) H5Sclose(space);
    if (rank < 0) return failed(name, "its shape cannot be read");
    for (int i = 0; i < rank && i < MOST_AXES; i++)
        wide[i] = shape[i] <= INT64_MAX ? (int64_t)shape[i] : INT64_MAX;
    return vox_image_axes(name, rank, wide, dim, channels);
}

static void read_sizes(vox_image *image, hid_t dataset) {
    double um[3] = {0}, mm[3] = {0};
    if (H5Aexists(dataset, "element_size_um") > 0) {
        hid_t attribute = H5Aopen(dataset, "element_size_um", H5P_DEFAULT);
        hid_t space = attribute >= 0 ? H5Aget_space(attribute) : -1;
        hid_t type = attribute >= 0 ? H5Aget_type(attribute) : -1;
        bool numbers = type >= 0 && (H5Tget_class(type) == H5T_FLOAT || H5Tget_class(type) == H5T_INTEGER);
        if (numbers && space >= 0 && H5Sget_simple_extent_npoints(space) == 3 &&
            H5Aread(attribute, H5T_NATIVE_DOUBLE, um) >= 0) {
            for (int k = 0; k < 3; k++) mm[k] = um[2 - k] / 1000;
        }
        if (type >= 0) H5Tclose(type);
        if (space >= 0) H5Sclose(space);
        if (attribute >= 0) H5Aclose(attribute);
    }
    vox_image_set_sizes(image, mm);
}

/* ---- in slabs -------------------------------------------------------------------------------- */

static vox_status read_slab(vox_image_slabs *s, int channel, const int begin[3], const int end[3], void *to) {
    hsize_t first[MOST_AXES] = {0}, count[MOST_AXES];
    for (int i = 0; i < s->rank; i++) count[i] = 1;
    for (int k = 0; k < 3 && k < s->rank; k++) {
        first[s->rank - 1 - k] = (hsize_t)begin[k];
        count[s->rank - 1 - k] = (hsize_t)(end[k] - begin[k]);
    }
    if (s->rank > 3) first[s->rank - 4] = (hsize_t)channel;
    hid_t from = H5Dget_space(s->dataset), room = H5Screate_simple(s->rank, count, NULL);
    bool ok = from >= 0 && room >= 0 &&
              H5Sselect_hyperslab(from, H5S_SELECT_SET, first, NULL, count, NULL) >= 0 &&
              H5Dread(s->dataset, s->memory, room, from, H5P_DEFAULT, to) >= 0;
    if (from >= 0) H5Sclose(from);
    if (room >= 0) H5Sclose(room);
    if (ok) return VOX_OK;
    failed(s->name, "truncated or corrupt");
    return VOX_E_CANCELLED;
}

static void close_slabs(vox_image_slabs *s) {
    if (s->memory >= 0) H5Tclose(s->memory);
    if (s->dataset >= 0) H5Dclose(s->dataset);
}

/* An open dataset keeps its file open. */
static int keep_open(vox_image *image, const char *name, hid_t dataset, hid_t memory) {
    hid_t space = H5Dget_space(dataset);
    int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : -1;
    if (space >= 0) H5Sclose(space);
    vox_image_slabs *s = calloc(1, sizeof *s);
    if (s == NULL) return vox_fail_memory(name, sizeof *s);
    *s = (vox_image_slabs){
        .image = image, .read = read_slab, .close = close_slabs, .rank = rank, .name = name};
    s->memory = H5Tcopy(memory);
    H5Iinc_ref(dataset);
    s->dataset = dataset;
    image->slabs = s;
    vox_image_slabs_begin(image);
    return 0;
}

static int read_values(vox_image *image, const char *name, hid_t dataset, hid_t memory, vox_stored stored) {
    int64_t dim[3], channels = 1;
    unsigned char *at = NULL;
    int code = read_shape(name, dataset, dim, &channels);
    if (code == 0) code = check_storage(name, dataset);
    if (code == 0) code = vox_image_make(image, name, dim, channels, stored, &at);
    if (code != 0) return code;
    if (image->in_slabs) {
        read_sizes(image, dataset);
        return keep_open(image, name, dataset, memory);
    }
    if (H5Dread(dataset, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, at) < 0)
        return failed(name, "truncated or corrupt");
    vox_image_widen(image, stored);
    read_sizes(image, dataset);
    return 0;
}

static int read_dataset(vox_image *image, const char *name, hid_t dataset) {
    vox_stored stored;
    hid_t type = H5Dget_type(dataset);
    hid_t memory = type >= 0 ? memory_type(type, &stored) : -1;
    int code = memory >= 0
                   ? read_values(image, name, dataset, memory, stored)
                   : vox_fail(VOX_EXIT_UNSUPPORTED, "%s: its values are no numbers that can be read", name);
    if (memory >= 0) H5Tclose(memory);
    if (type >= 0) H5Tclose(type);
    return code;
}

static int read_file(vox_image *image, const char *name, const char *path) {
    char dataset[256] = "";
    vox_source s; /* for the messages of files that are not there */
    int code = vox_source_open(&s, path);
    vox_source_close(&s);
    if (code != 0) return code;
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, image->access);
    if (file < 0) return failed(path, "not an HDF5 file, or truncated");
    const char *given = strlen(name) > strlen(path) ? name + strlen(path) + 1 : "";
    if (given[0] == 0) {
        code = choose_dataset(path, file, dataset);
        given = dataset;
    }
    hid_t d = code == 0 ? open_dataset(file, given) : -1;
    if (code == 0 && d < 0) {
        found f = {.n = 0};
        H5Lvisit(file, H5_INDEX_NAME, H5_ITER_INC, look, &f);
        code = vox_fail(VOX_EXIT_INPUT, "%s holds no dataset %s; it holds %s", path, given,
                        f.n > 0 ? f.names : "none");
    }
    if (code == 0) code = read_dataset(image, name, d);
    if (d >= 0) H5Dclose(d);
    H5Fclose(file);
    return code;
}

int vox_image_read_hdf5(vox_image *image, const char *file) {
    char *path = vox_image_file(file);
    if (path == NULL) return vox_fail_memory(file, strlen(file));
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    int code = read_file(image, file, path);
    free(path);
    return code;
}
#else
int vox_image_read_hdf5(vox_image *image, const char *file) {
    (void)image;
    return vox_image_lacks(file, "HDF5", "libhdf5-dev");
}
#endif
