/* SPDX-License-Identifier: MIT-0 */
/* image_write_tiff.c: TIFF stacks, a page a plane, with ImageJ's or OME's description; see image_parts.h. */
#ifdef VOX_WITH_TIFF
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "image_tiff.h"
#include "report.h"

enum { STRIP = 1 << 18 };

typedef struct pages {
    vox_tiff_file file;
    TIFF *tiff;
    char *text;
    float per_mm[2]; /* 0: not known */
    bool packed;
} pages;

static int failed(const vox_image_writer *w) {
    const pages *p = w->state;
    if (errno != 0) return vox_image_write_error(w);
    return vox_fail(VOX_EXIT_FAILURE, "cannot write %s: %s", w->output.path, p->file.message);
}

static int begin(vox_image_writer *w, const vox_image *like, const vox_image_content *c) {
    static const char *const types[] = {[VOX_IMAGE_U8] = "uint8",
                                        [VOX_IMAGE_U16] = "uint16",
                                        [VOX_IMAGE_F32] = "float",
                                        [VOX_IMAGE_F16] = "half"};
    const uint64_t classic = 4000000000u; /* offsets of 32 bits, and room for what is beside the values */
    pages *p = calloc(1, sizeof *p);
    if (p == NULL) return vox_fail_memory(w->output.path, sizeof *p);
    w->state = p;
    /* ImageJ takes channels before slices, and the values come the other way round: then OME tells, which has no
     * float16. */
    if (c->channels > 1 && c->type == VOX_IMAGE_F16)
        p->text = vox_tiff_shape(like, c->channels);
    else
        p->text = w->ome || c->channels > 1 ? vox_tiff_ome(like, c, types[c->type]) : vox_tiff_imagej(like);
    if (p->text == NULL) return vox_fail_memory(w->output.path, 0);
    for (int k = 0; k < 2; k++)
        p->per_mm[k] = like->volume.spacing[k] > 0 ? (float)(1 / like->volume.spacing[k]) : 0;
    p->packed = (c->type == VOX_IMAGE_U8 || c->type == VOX_IMAGE_U16) &&
                TIFFIsCODECConfigured(COMPRESSION_ADOBE_DEFLATE);
    p->file.file = fopen(vox_image_temporary(w), "r+b"); /* libtiff reads what it wrote */
    if (p->file.file == NULL) return vox_image_write_error(w);
    uint64_t bytes = (uint64_t)w->left;
    p->tiff = vox_tiff_open(&p->file, w->output.path, bytes > classic ? "w8" : "w");
    return p->tiff != NULL ? 0 : failed(w);
}

static void set_tags(const vox_image_writer *w, const pages *p, uint32_t rows) {
    static const int bits[] = {
        [VOX_IMAGE_U8] = 8, [VOX_IMAGE_U16] = 16, [VOX_IMAGE_F32] = 32, [VOX_IMAGE_F16] = 16};
    const bool real = w->type == VOX_IMAGE_F32 || w->type == VOX_IMAGE_F16;
    TIFF *t = p->tiff;
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, (uint32_t)w->dim[0]);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, (uint32_t)w->dim[1]);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, bits[w->type]);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, real ? SAMPLEFORMAT_IEEEFP : SAMPLEFORMAT_UINT);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
    TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, rows);
    TIFFSetField(t, TIFFTAG_COMPRESSION, p->packed ? COMPRESSION_ADOBE_DEFLATE : COMPRESSION_NONE);
    if (p->per_mm[0] > 0 && p->per_mm[1] > 0) {
        TIFFSetField(t, TIFFTAG_XRESOLUTION, (double)p->per_mm[0]);
        TIFFSetField(t, TIFFTAG_YRESOLUTION, (double)p->per_mm[1]);
        TIFFSetField(t, TIFFTAG_RESOLUTIONUNIT, RESUNIT_NONE);
    }
    if (w->planes == 0) TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, p->text);
}

static int put(vox_image_writer *w, const void *data, size_t bytes) {
    pages *p = w->state;
    const size_t row = bytes / (size_t)w->dim[1];
    size_t rows = STRIP / row > 0 ? STRIP / row : 1;
    if (rows > (size_t)w->dim[1]) rows = (size_t)w->dim[1];
    set_tags(w, p, (uint32_t)rows);
    uint32_t strip = 0;
    unsigned char *from = NULL; /* libtiff takes no const, though it changes nothing without a predictor */
    memcpy(&from, &data, sizeof from);
    errno = 0;
    for (size_t at = 0; at < bytes; at += rows * row, strip++) {
        size_t n = bytes - at < rows * row ? bytes - at : rows * row;
        if (TIFFWriteEncodedStrip(p->tiff, strip, from + at, (tmsize_t)n) != (tmsize_t)n) return failed(w);
    }
    return TIFFWriteDirectory(p->tiff) != 0 ? 0 : failed(w);
}

static int end(vox_image_writer *w) {
    pages *p = w->state;
    errno = 0;
    TIFFClose(p->tiff);
    p->tiff = NULL;
    bool bad = fflush(p->file.file) != 0 || ferror(p->file.file) != 0;
    return bad ? vox_image_write_error(w) : 0;
}

static void stop(vox_image_writer *w) {
    pages *p = w->state;
    if (p == NULL) return;
    if (p->tiff != NULL) TIFFCleanup(p->tiff); /* writes no more */
    if (p->file.file != NULL) fclose(p->file.file);
    free(p->text);
    free(p);
    w->state = NULL;
}

const vox_image_sink vox_sink_tiff = {.begin = begin,
                                      .put = put,
                                      .end = end,
                                      .stop = stop,
                                      .types = 1u << VOX_IMAGE_U8 | 1u << VOX_IMAGE_U16 |
                                               1u << VOX_IMAGE_F32 | 1u << VOX_IMAGE_F16,
                                      .seeks = true,
                                      .by_planes = true};
#endif
