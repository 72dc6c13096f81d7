/* SPDX-License-Identifier: MIT-0 */
/* image.c: which format a file is of, and what can be read; see image.h. */
#include "image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef VOX_WITH_ZLIB
#include <zlib.h>
#endif
#ifdef VOX_WITH_TIFF
#include <tiffio.h>
#endif
#ifdef VOX_WITH_HDF5
#include <hdf5.h>
#endif
#ifdef VOX_WITH_DEFLATE
#include <libdeflate.h>
#endif

#include "file_names.h"
#include "image_parts.h"
#include "report.h"

/* ---- names ----------------------------------------------------------------------------------- */

/* Where FILE ends in FILE.h5:/path; NULL: the name is of no such form. */
static const char *dataset_colon(const char *name) {
    static const char *const ends[] = {".h5:", ".hdf5:", ".hdf:", ".he5:"};
    for (const char *colon = strchr(name, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
            size_t n = strlen(ends[i]);
            if ((size_t)(colon + 1 - name) > n && strncasecmp(colon + 1 - n, ends[i], n) == 0) return colon;
        }
    }
    return NULL;
}

char *vox_image_file(const char *name) {
    const char *colon = dataset_colon(name);
    return colon != NULL ? strndup(name, (size_t)(colon - name)) : strdup(name);
}

bool vox_image_format_of(const char *file, vox_image_format *format) {
    static const struct {
        const char *end;
        vox_image_format format;
    } names[] = {{".nii", VOX_IMAGE_NIFTI}, {".nii.gz", VOX_IMAGE_NIFTI}, {".hdr", VOX_IMAGE_NIFTI},
                 {".img", VOX_IMAGE_NIFTI}, {".hdr.gz", VOX_IMAGE_NIFTI}, {".img.gz", VOX_IMAGE_NIFTI},
                 {".tif", VOX_IMAGE_TIFF},  {".tiff", VOX_IMAGE_TIFF},    {".btf", VOX_IMAGE_TIFF},
                 {".tf8", VOX_IMAGE_TIFF},  {".nrrd", VOX_IMAGE_NRRD},    {".nhdr", VOX_IMAGE_NRRD},
                 {".mha", VOX_IMAGE_META},  {".mhd", VOX_IMAGE_META},     {".npy", VOX_IMAGE_NUMPY},
                 {".h5", VOX_IMAGE_HDF5},   {".hdf5", VOX_IMAGE_HDF5},    {".hdf", VOX_IMAGE_HDF5},
                 {".he5", VOX_IMAGE_HDF5}};
    *format = VOX_IMAGE_HDF5;
    if (dataset_colon(file) != NULL) return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *format = names[i].format;
        if (vox_name_ends(file, names[i].end)) return true;
    }
    return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

static int read_image(vox_image *image, const char *file, bool labels) {
    static int (*const readers[])(vox_image *, const char *) = {
        [VOX_IMAGE_NIFTI] = vox_image_read_nifti, [VOX_IMAGE_TIFF] = vox_image_read_tiff,
        [VOX_IMAGE_NRRD] = vox_image_read_nrrd,   [VOX_IMAGE_META] = vox_image_read_meta,
        [VOX_IMAGE_NUMPY] = vox_image_read_numpy, [VOX_IMAGE_HDF5] = vox_image_read_hdf5,
        [VOX_IMAGE_DICOM] = vox_image_read_dicom};
    struct stat s;
    vox_image_format format = VOX_IMAGE_NIFTI;
    if (stat(file, &s) == 0 && S_ISDIR(s.st_mode)) {
        format = VOX_IMAGE_DICOM;
    } else if (!vox_image_format_of(file, &format)) {
        /* Pipes and devices have no name that tells: NIfTI, packed or not. */
        format = VOX_IMAGE_NIFTI;
        if (vox_name_ends(file, ".dcm") || vox_name_ends(file, ".ima"))
            return vox_fail(VOX_EXIT_INPUT, "%s is one file of a DICOM series: give the folder", file);
    }
    int code = readers[format](image, file);
    if (code == 0 && !image->in_slabs) code = vox_image_finish(image, file, labels);
    image->format = format;
    if (code != 0) vox_image_free(image);
    return code;
}

int vox_image_read(vox_image *image, const char *file) {
    *image = (vox_image){.memory = NULL};
    return read_image(image, file, false);
}

int vox_image_read_labels(vox_image *image, const char *file) {
    *image = (vox_image){.memory = NULL};
    return read_image(image, file, true);
}

int vox_image_open_slabs(vox_image *image, const char *file, int64_t access) {
    *image = (vox_image){.in_slabs = true, .access = access};
    int code = read_image(image, file, false);
    if (code != 0 || image->slabs != NULL) return code;
    vox_image_free(image);
    return vox_fail(VOX_EXIT_UNSUPPORTED,
                    "%s cannot be read in slabs: give an uncompressed .nii or .npy, or .h5:/path", file);
}

void vox_image_free(vox_image *image) {
    if (image->slabs != NULL) image->slabs->close(image->slabs);
    free(image->slabs);
    image->slabs = NULL;
    free(image->memory);
    image->memory = NULL;
    image->volume.data = NULL;
}

/* ---- what this program can read -------------------------------------------------------------- */

static bool in_path(const char *program) {
    const char *path = getenv("PATH");
    char name[4096];
    while (path != NULL && *path != 0) {
        size_t n = strcspn(path, ":");
        if (n > 0 && snprintf(name, sizeof name, "%.*s/%s", (int)n, path, program) < (int)sizeof name &&
            access(name, X_OK) == 0)
            return true;
        path += n + (path[n] == ':');
    }
    return false;
}

static void name_nifti(vox_image_library *l) {
#ifdef VOX_WITH_NIFTI
    snprintf(l->version, sizeof l->version, "libnifti2, zlib %s",
             zlibVersion()); /* it has no call for its own */
#ifdef VOX_WITH_DEFLATE
    size_t n = strlen(l->version);
    snprintf(l->version + n, sizeof l->version - n, ", libdeflate %s", LIBDEFLATE_VERSION_STRING);
#endif
    l->available = true;
#else
    (void)l;
#endif
}

static void name_tiff(vox_image_library *l) {
#ifdef VOX_WITH_TIFF
    const char *version = TIFFGetVersion(), *digits = strpbrk(version, "0123456789");
    if (digits == NULL) digits = "";
    snprintf(l->version, sizeof l->version, "libtiff %.*s", (int)strcspn(digits, "\n "), digits);
    l->available = true;
#else
    (void)l;
#endif
}

static void name_hdf5(vox_image_library *l) {
#ifdef VOX_WITH_HDF5
    unsigned major = 0, minor = 0, patch = 0;
    H5get_libversion(&major, &minor, &patch);
    snprintf(l->version, sizeof l->version, "HDF5 %u.%u.%u", major, minor, patch);
    l->available = true;
#else
    (void)l;
#endif
}

static void name_zlib(vox_image_library *l) {
    l->available = true;
#ifdef VOX_WITH_ZLIB
    snprintf(l->version, sizeof l->version, "zlib %s", zlibVersion());
#else
    snprintf(l->version, sizeof l->version, "uncompressed only: zlib1g-dev is missing");
#endif
}

void vox_image_libraries(vox_image_library list[VOX_IMAGE_FORMATS]) {
    static const char *const formats[][2] = {[VOX_IMAGE_NIFTI] = {"NIfTI", "libnifti2-dev"},
                                             [VOX_IMAGE_TIFF] = {"TIFF", "libtiff-dev"},
                                             [VOX_IMAGE_NRRD] = {"NRRD", NULL},
                                             [VOX_IMAGE_META] = {"MetaImage", NULL},
                                             [VOX_IMAGE_NUMPY] = {"NumPy", NULL},
                                             [VOX_IMAGE_HDF5] = {"HDF5", "libhdf5-dev"},
                                             [VOX_IMAGE_DICOM] = {"DICOM", "dcm2niix"}};
    for (int i = 0; i < VOX_IMAGE_FORMATS; i++)
        list[i] = (vox_image_library){.format = formats[i][0], .package = formats[i][1]};
    name_nifti(&list[VOX_IMAGE_NIFTI]);
    name_tiff(&list[VOX_IMAGE_TIFF]);
    name_zlib(&list[VOX_IMAGE_NRRD]);
    name_zlib(&list[VOX_IMAGE_META]);
    list[VOX_IMAGE_NUMPY].available = true;
    name_hdf5(&list[VOX_IMAGE_HDF5]);
    vox_image_library *dicom = &list[VOX_IMAGE_DICOM];
    dicom->available = list[VOX_IMAGE_NIFTI].available && in_path("dcm2niix");
    if (dicom->available) snprintf(dicom->version, sizeof dicom->version, "the program dcm2niix");
}
