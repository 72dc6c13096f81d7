/* SPDX-License-Identifier: MIT-0 */
/* image.h: image files of every format in and out.
 *
 * What is what, by the name: .nii .nii.gz .hdr .img (NIfTI-1 and -2), .tif .tiff (stacks, BigTIFF, ImageJ, OME),
 * .nrrd .seg.nrrd .nhdr, .mha .mhd (MetaImage), .npy, .h5 .hdf5 .hdf (FILE:/path/to/dataset; without a path the
 * file's only dataset), a folder (a DICOM series, through dcm2niix). Formats whose library was not there when
 * the program was built are refused in one line that names the package (exit code 3).
 *
 * Axes i j k of a volume are x y z of the file, x being the one that numpy lists last. Values stay in the
 * file's own type and order; only where vox_volume has no such type they widen: 64-bit integers and 128-bit
 * floats become float64, float16 becomes float32, booleans uint8. Files of the other byte order are swapped in place.
 * World axes are RAS+ and mm, whatever the file's own are (LPS in NRRD, MetaImage and DICOM).
 */
#ifndef VOX_IMAGE_H
#define VOX_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "output.h"
#include "vox_volume.h"

typedef enum vox_image_format {
    VOX_IMAGE_NIFTI,
    VOX_IMAGE_TIFF,
    VOX_IMAGE_NRRD,
    VOX_IMAGE_META,
    VOX_IMAGE_NUMPY,
    VOX_IMAGE_HDF5,
    VOX_IMAGE_DICOM,
    VOX_IMAGE_FORMATS
} vox_image_format;

enum { VOX_IMAGE_NIFTI_HEADER = 540 }; /* bytes of a NIfTI-2 header; NIfTI-1's 348 fit too */

typedef struct vox_image {
    /* Of floats slope is 1 and intercept 0, and every value is finite and within float32: what was not is 0
     * and was warned of. Directions are all 0 where the file does not say. */
    vox_volume volume;
    double affine[3][4]; /* voxel i j k 1 to mm; not directed: the voxel sizes, 0 where unknown */
    bool directed;       /* the file says where left and right are */
    bool unit_unknown;   /* the file names no unit of spacing: it is taken for mm */
    int colours;         /* channels within a voxel: 3 for RGB, else 1 */
    int series;          /* 3-D volumes: channels / colours */
    vox_image_format format;
    int nifti_version;                           /* 0: the file was none */
    unsigned char nifti[VOX_IMAGE_NIFTI_HEADER]; /* its header in this machine's byte order */
    void *memory;                                /* what volume.data points into; NULL: nothing */
    bool in_slabs;                               /* the voxels stay in the file: see vox_image_open_slabs */
    int64_t access;                /* HDF5's property list of how files are opened; 0: as usual */
    struct vox_image_slabs *slabs; /* NULL: there is no such file */
} vox_image;

/* Reads a file. Warns of what contradicts itself and of values that became 0. Prints its error and returns the
 * exit code: 2 a file that is not there, truncated, corrupt or larger than this machine's memory; 3 what is
 * sound, but cannot be read here. The image is vox_image_free's, also after an error. */
int vox_image_read(vox_image *image, const char *file);
/* A value that float32 cannot hold is an error (2) instead. */
int vox_image_read_labels(vox_image *image, const char *file);
/* Says that a voxel is no label; returns 2. */
int vox_image_no_label(const char *file, double value, const int at[3]);
void vox_image_free(vox_image *image);

/* The same of a file whose voxels stay where they are: volume.read gives them in slabs, as long as the image is not
 * freed or moved. NIfTI and NumPy that are not compressed, and HDF5, with values of one of vox_voxel_type's types in
 * this machine's byte order, [channel][z][y][x]; others are exit code 3. Values that no float32 can hold count as 0, of
 * which there is one warning. */
int vox_image_open_slabs(vox_image *image, const char *file, int64_t access);

/* Reads n files, all on one grid, as the channels of one image, in their order; the rest is the first's. Files
 * of several types become float32. */
int vox_image_read_channels(vox_image *image, char **files, int n);

/* Fails (exit code 2, both affines named) where two images of as many voxels do not lie on one grid, to within
 * a thousandth of a voxel per voxel and of a mm; warns where one of them says nothing about directions. */
int vox_image_same_grid(const char *a_file, const vox_image *a, const char *b_file, const vox_image *b);

/* The file in FILE:/path/to/dataset: malloc'd, NULL: no memory. Any other name is its own file. */
char *vox_image_file(const char *name);

/* ---- writing --------------------------------------------------------------------------------- */

typedef enum vox_image_type { VOX_IMAGE_U8, VOX_IMAGE_U16, VOX_IMAGE_F32, VOX_IMAGE_F16 } vox_image_type;

typedef struct vox_image_content {
    vox_image_type type;
    bool labels;  /* else scores; uint8 scores are probabilities times 255 */
    int channels; /* 1 for labels; a channel is a volume of its own in the file */
    const char *description;
    const char *const *names; /* of the labels from 0 on, or of the channels */
    int n_names;
    const unsigned char (*colours)[3]; /* n_names RGB; NULL: the writer's own */
    int threads;                       /* that compress; 0: one per processor */
} vox_image_content;

typedef struct vox_image_writer {
    vox_output output;
    vox_image_format format;
    const struct vox_image_sink *sink; /* how the format is written; NULL: nothing is open */
    void *state;                       /* the sink's own */
    char *dataset;                     /* HDF5: where in the file */
    int64_t access;                    /* and its property list of how that is opened; 0: as usual */
    const char *shared; /* the file that another process made, whose planes this one writes; NULL: its own */
    bool ome, segments; /* by the name: .ome.tif, .seg.nrrd */
    vox_image_type type;
    int dim[3], channels;
    size_t left;          /* bytes still to be put */
    unsigned char *plane; /* one that is not whole yet, for sinks that take planes */
    size_t plane_bytes, filled;
    int planes; /* put so far */
} vox_image_writer;

/* Opened before a long computation, so that a wrong name is found early; then begin (once), then the data in
 * one or more parts in the order of [channel][z][y][x], then commit. `like` gives grid and geometry: an image
 * that was read. Files appear whole or not at all. A failing step prints, cleans up, and returns the exit code (3:
 * the format has no such type); after it abort may be called, and does nothing. */
int vox_image_create(vox_image_writer *w, const char *file);
int vox_image_begin(vox_image_writer *w, const vox_image *like, const vox_image_content *content);
int vox_image_put(vox_image_writer *w, const void *data, size_t bytes); /* of the content's type */
int vox_image_put_labels(vox_image_writer *w, const uint16_t *labels, size_t n);
/* Rounded to the type; uint8: times 255, from 0 to 255. */
int vox_image_put_scores(vox_image_writer *w, const float *scores, size_t n);
/* HDF5 alone: voxels begin <= i, j, k < end, i running fastest, in any order instead of put. */
int vox_image_put_box(vox_image_writer *w, const int begin[3], const int end[3], const void *data);
int vox_image_commit(vox_image_writer *w);
/* The path under which the file that was created is written, for other processes. */
const char *vox_image_temporary(const vox_image_writer *w);
void vox_image_abort(vox_image_writer *w);

/* Whether a name says what an output's format is, and that format can hold the type: else prints, as create and
 * begin would. For checks before anything is opened. */
int vox_image_check_name(const char *file, vox_image_type type);

/* ---- what this program can read -------------------------------------------------------------- */

typedef struct vox_image_library {
    const char *format; /* "NIfTI" */
    bool available;     /* false: `package` was missing when this program was built (DICOM: is missing now) */
    const char *package; /* Debian's, NULL: none is needed */
    char version[64];    /* "libtiff 4.5.0"; "" where no library is needed */
} vox_image_library;
/* One row a format, in vox_image_format's order. */
void vox_image_libraries(vox_image_library list[VOX_IMAGE_FORMATS]);

#endif
