/* SPDX-License-Identifier: MIT-0 */
/* image_parts.h: what the formats of image files share. For image*.c only. All functions that return an int
 * print their error and return the exit code, 0 if all is well.
 */
#ifndef VOX_IMAGE_PARTS_H
#define VOX_IMAGE_PARTS_H

#include <stdio.h>

#include "image.h"

enum { VOX_IMAGE_AXIS = 1 << 16 /* longest axis, and most channels, that are read */ };

/* ---- values ---------------------------------------------------------------------------------- */

/* How a file stores a value: 'u' and 'i' of 1 2 4 8 bytes, 'f' of 2 4 8 16; `swap`: in the other byte order. */
typedef struct vox_stored {
    char kind;
    int bytes;
    bool swap;
} vox_stored;

/* The type and the memory for dim x channels values, laid out as [channel][z][y][x]; *at is where the bytes of
 * the file go, all of them or no further than the file has them. Refuses axes and sizes that cannot be. */
int vox_image_make(vox_image *image, const char *file, const int64_t dim[3], int64_t channels,
                   vox_stored stored, unsigned char **at);
/* [z][y][x][channel] instead. */
void vox_image_interleave(vox_image *image);
/* From what the file stores to the image's type, in place. */
void vox_image_widen(vox_image *image, vox_stored stored);
/* Of n values of a volume of floats: scaled, and 0 where no float32 can hold them; how many of these there are. */
size_t vox_image_hold(const vox_volume *v, void *values, size_t n);
/* Values that no float32 can hold, and the scaling of floats: see vox_image.volume. Among labels they are an error. */
int vox_image_finish(vox_image *image, const char *file, bool labels);
size_t vox_image_bytes(const vox_image *image); /* of all its values */
size_t vox_image_type_bytes(vox_voxel_type type);
/* The most that may be allocated for a file: this machine's memory. */
uint64_t vox_image_memory(void);

/* Where an image's voxels stand in its file. */
typedef struct vox_image_slabs {
    vox_image *image;
    vox_status (*read)(struct vox_image_slabs *s, int channel, const int begin[3], const int end[3],
                       void *to);
    void (*close)(struct vox_image_slabs *s);
    void *map; /* of the file; NULL: none */
    size_t map_bytes;
    const char *first;             /* voxel 0 in it */
    int64_t file, dataset, memory; /* HDF5's handles */
    int rank;
    double slope, intercept;
    bool told; /* of values that count as 0 */
    const char *name;
} vox_image_slabs;

/* What all of them have in common, once image->slabs is there. */
void vox_image_slabs_begin(vox_image *image);
/* The bytes of an image that was made, from `offset` of the open file on; prints its error and returns the exit code. */
int vox_image_map(vox_image *image, const char *file, int descriptor, int64_t offset);

/* ---- where the voxels lie -------------------------------------------------------------------- */

/* mm of an axis, its sizes, or none of them: `size` 0: not known. */
void vox_image_set_sizes(vox_image *image, const double size[3]);
/* Voxel i j k 1 to mm in RAS+; warns where that is no map to three directions, which then are unknown. */
void vox_image_set_affine(vox_image *image, const char *file, const double affine[3][4]);
/* From the left-posterior-superior of ITK, DICOM and 3D Slicer to RAS+, and back. */
void vox_image_turn_lps(double affine[3][4]);
/* mm of a unit of length as files name it ("mm", "um", "\\u00B5m", "micron"); 0: none that is known. */
double vox_image_unit(const char *name);

/* ---- the bytes of a file --------------------------------------------------------------------- */

typedef struct vox_source {
    const char *path;
    FILE *file;
    int64_t size;   /* bytes on disk; -1: a pipe or device, which has none to trust */
    void *inflater; /* NULL: bytes are taken as they are */
    unsigned char *buffer;
    bool ended; /* the compressed stream is */
} vox_source;

int vox_source_open(vox_source *s, const char *path);
/* What a header names, which may be a file only: nothing to wait for. */
int vox_source_open_data(vox_source *s, const char *path);
void vox_source_close(vox_source *s);
/* Up to n bytes, fewer at the end or after an error. */
size_t vox_source_read(vox_source *s, void *data, size_t n);
/* A line without its end (\n or \r\n), for headers; -1: the file ends, or there is no end within n bytes. */
int vox_source_line(vox_source *s, char *line, size_t n);
int vox_source_skip(vox_source *s, int64_t bytes);
int vox_source_inflate(vox_source *s); /* gzip or zlib data follow */
/* The header must not promise more than the file can hold: nothing is allocated for a lie. */
int vox_source_promise(const vox_source *s, uint64_t bytes, bool packed);
/* All of them, or an error; of compressed data also the checksum. */
int vox_source_voxels(vox_source *s, void *data, size_t bytes);
int vox_source_error(const vox_source *s);

/* ---- text headers and arrays ----------------------------------------------------------------- */

/* Numbers between blanks, commas and brackets, `most` at most; how many there are, -1: something else stands there. */
int vox_image_numbers(const char *text, double *numbers, int most);
char *vox_image_trim(char *text); /* without blanks around it, in place */
bool vox_image_whole(const char *text, int64_t low, int64_t high, int64_t *number);

/* numpy's axes, the last running fastest: [y][x], [z][y][x], [channel][z][y][x], also with a 1 before. */
int vox_image_axes(const char *file, int rank, const int64_t *shape, int64_t dim[3], int64_t *channels);

/* NAME in the folder of `file`; false: too long, or it leaves the folder. */
bool vox_image_beside(const char *file, const char *name, char *path);

/* Exit code 3: which package the program was built without. */
int vox_image_lacks(const char *file, const char *format, const char *package);

/* ---- formats --------------------------------------------------------------------------------- */

int vox_image_read_nifti(vox_image *image, const char *file);
int vox_image_read_tiff(vox_image *image, const char *file);
int vox_image_read_nrrd(vox_image *image, const char *file);
int vox_image_read_meta(vox_image *image, const char *file);
int vox_image_read_numpy(vox_image *image, const char *file);
int vox_image_read_hdf5(vox_image *image, const char *file);
int vox_image_read_dicom(vox_image *image, const char *folder);
bool vox_image_format_of(const char *file, vox_image_format *format);

/* How a format is written. begin gets a writer whose type and format are known; put, whole values of any number,
 * never more than are left; end comes before the file gets its name; stop also after errors. A failing step
 * prints, and leaves the clean-up to vox_image_abort. */
typedef struct vox_image_sink {
    int (*begin)(vox_image_writer *w, const vox_image *like, const vox_image_content *c);
    int (*put)(vox_image_writer *w, const void *data, size_t bytes);
    int (*end)(vox_image_writer *w);
    void (*stop)(vox_image_writer *w);
    unsigned types; /* 1 << vox_image_type */
    bool seeks;     /* no pipe will do */
    bool by_planes; /* put gets whole planes; w->planes is the one it gets */
} vox_image_sink;
extern const vox_image_sink vox_sink_nifti, vox_sink_tiff, vox_sink_nrrd, vox_sink_meta, vox_sink_numpy,
    vox_sink_hdf5;

/* For put and for headers, as they lie in memory; "cannot write". */
int vox_image_write(vox_image_writer *w, const void *data, size_t bytes);
int vox_image_write_error(const vox_image_writer *w);

/* A gzip or zlib stream on its way into a file, compressed by several threads; the bytes do not depend on how
 * many. NULL: no memory. */
typedef struct vox_deflate vox_deflate;
vox_deflate *vox_deflate_new(FILE *file, bool gzip, int threads);
bool vox_deflate_put(vox_deflate *d, const void *data, size_t bytes); /* false: errno, or no memory */
bool vox_deflate_end(vox_deflate *d);
uint64_t vox_deflate_written(const vox_deflate *d);
void vox_deflate_free(vox_deflate *d);

/* Whether this machine is little-endian. */
static inline bool vox_little(void) {
    const unsigned probe = 1;
    return *(const unsigned char *)&probe == 1;
}

/* A colour for label `number`, of content's or of the overlay's palette. */
void vox_image_colour(const vox_image_content *c, int number, unsigned char rgb[3]);

#endif
