/* SPDX-License-Identifier: MIT-0 */
/* image_write_nifti.c: NIfTI-1 and -2, with the header of the image that was read where that was one; see
 * image_parts.h and nifti_geometry.h. */
#ifdef VOX_WITH_NIFTI
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <nifti2_io.h>

#include "file_names.h"
#include "image_parts.h"
#include "nifti_geometry.h"
#include "report.h"

static void patch_1(unsigned char raw[VOX_NIFTI_HEADER], const vox_nifti_voxels *v) {
    nifti_1_header h;
    memcpy(&h, raw, sizeof h);
    h.sizeof_hdr = sizeof h;
    for (int i = 1; i < 8; i++) {
        if (i > 3 || i > h.dim[0]) h.dim[i] = 1;
    }
    h.dim[0] = v->channels > 1 ? 4 : 3;
    h.dim[4] = (short)v->channels;
    h.datatype = (short)v->type;
    h.bitpix = (short)(8 * v->bytes);
    h.vox_offset = 352;
    h.scl_slope = (float)v->slope;
    h.scl_inter = h.cal_min = h.cal_max = h.intent_p1 = h.intent_p2 = h.intent_p3 = 0;
    h.intent_code = (short)v->intent;
    memset(h.intent_name, 0, sizeof h.intent_name);
    memset(h.aux_file, 0, sizeof h.aux_file);
    memset(h.descrip, 0, sizeof h.descrip);
    memcpy(h.descrip, v->description, strnlen(v->description, sizeof h.descrip - 1));
    memcpy(h.magic, "n+1", 4);
    memcpy(raw, &h, sizeof h);
}

static void patch_2(unsigned char raw[VOX_NIFTI_HEADER], const vox_nifti_voxels *v) {
    nifti_2_header h;
    memcpy(&h, raw, sizeof h);
    h.sizeof_hdr = sizeof h;
    for (int i = 1; i < 8; i++) {
        if (i > 3 || i > h.dim[0]) h.dim[i] = 1;
    }
    h.dim[0] = v->channels > 1 ? 4 : 3;
    h.dim[4] = v->channels;
    h.datatype = (int16_t)v->type;
    h.bitpix = (int16_t)(8 * v->bytes);
    h.vox_offset = 544;
    h.scl_slope = v->slope;
    h.scl_inter = h.cal_min = h.cal_max = h.intent_p1 = h.intent_p2 = h.intent_p3 = 0;
    h.intent_code = v->intent;
    memset(h.intent_name, 0, sizeof h.intent_name);
    memset(h.aux_file, 0, sizeof h.aux_file);
    memset(h.descrip, 0, sizeof h.descrip);
    memcpy(h.descrip, v->description, strnlen(v->description, sizeof h.descrip - 1));
    memcpy(h.magic, "n+2\0\r\n\032\n", 8);
    memcpy(raw, &h, sizeof h);
}

void vox_nifti_patch(unsigned char raw[VOX_NIFTI_HEADER], int version, const vox_nifti_voxels *v) {
    if (version == 1) {
        patch_1(raw, v);
    } else {
        patch_2(raw, v);
    }
}

/* ---- of images that were no NIfTI ------------------------------------------------------------ */

/* Columns at right angles, which is all that a qform can say. */
static bool square(const double a[3][4]) {
    for (int k = 0; k < 3; k++) {
        int l = (k + 1) % 3;
        double dot = 0, x = 0, y = 0;
        for (int r = 0; r < 3; r++) {
            dot += a[r][k] * a[r][l];
            x += a[r][k] * a[r][k];
            y += a[r][l] * a[r][l];
        }
        if (!(fabs(dot) <= 1e-5 * sqrt(x * y))) return false;
    }
    return true;
}

static void fill_header(nifti_2_header *h, const vox_image *like) {
    const vox_volume *v = &like->volume;
    *h = (nifti_2_header){.sizeof_hdr = sizeof *h, .dim = {3}};
    h->pixdim[0] = 1;
    for (int k = 0; k < 3; k++) {
        h->dim[k + 1] = v->dim[k];
        h->pixdim[k + 1] = v->spacing[k] > 0 ? v->spacing[k] : 1;
    }
    for (int k = 4; k < 8; k++) h->dim[k] = 1;
    for (int k = 4; k < 8; k++) h->pixdim[k] = 1;
    bool sized = v->spacing[0] > 0 && v->spacing[1] > 0 && v->spacing[2] > 0;
    h->xyzt_units = sized && !like->unit_unknown ? NIFTI_UNITS_MM : NIFTI_UNITS_UNKNOWN;
    if (!like->directed) return;
    nifti_dmat44 m = {{{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 1}}};
    for (int r = 0; r < 3; r++) memcpy(m.m[r], like->affine[r], sizeof m.m[r]);
    memcpy(h->srow_x, m.m[0], sizeof h->srow_x);
    memcpy(h->srow_y, m.m[1], sizeof h->srow_y);
    memcpy(h->srow_z, m.m[2], sizeof h->srow_z);
    h->sform_code = NIFTI_XFORM_SCANNER_ANAT;
    if (!square(like->affine)) return;
    double size[3];
    nifti_dmat44_to_quatern(m, &h->quatern_b, &h->quatern_c, &h->quatern_d, &h->qoffset_x, &h->qoffset_y,
                            &h->qoffset_z, &size[0], &size[1], &size[2], &h->pixdim[0]);
    h->qform_code = NIFTI_XFORM_SCANNER_ANAT;
}

static void narrow(const nifti_2_header *b, nifti_1_header *a) {
    *a = (nifti_1_header){.sizeof_hdr = sizeof *a, .regular = 'r'};
    for (int i = 0; i < 8; i++) {
        a->dim[i] = (short)b->dim[i];
        a->pixdim[i] = (float)b->pixdim[i];
    }
    a->qform_code = (short)b->qform_code;
    a->sform_code = (short)b->sform_code;
    a->quatern_b = (float)b->quatern_b;
    a->quatern_c = (float)b->quatern_c;
    a->quatern_d = (float)b->quatern_d;
    a->qoffset_x = (float)b->qoffset_x;
    a->qoffset_y = (float)b->qoffset_y;
    a->qoffset_z = (float)b->qoffset_z;
    for (int i = 0; i < 4; i++) {
        a->srow_x[i] = (float)b->srow_x[i];
        a->srow_y[i] = (float)b->srow_y[i];
        a->srow_z[i] = (float)b->srow_z[i];
    }
    a->xyzt_units = (char)b->xyzt_units;
}

/* Returns the version of the header that is made: NIfTI-1 unless its 16 bits are too few for an axis. */
static int make_header(unsigned char raw[VOX_NIFTI_HEADER], const vox_image *like) {
    const int *dim = like->volume.dim;
    nifti_2_header wide;
    nifti_1_header small;
    fill_header(&wide, like);
    if (dim[0] > INT16_MAX || dim[1] > INT16_MAX || dim[2] > INT16_MAX) {
        memcpy(raw, &wide, sizeof wide);
        return 2;
    }
    narrow(&wide, &small);
    memcpy(raw, &small, sizeof small);
    return 1;
}

/* ---- the sink -------------------------------------------------------------------------------- */

static int begin(vox_image_writer *w, const vox_image *like, const vox_image_content *c) {
    static const int types[][2] = {
        [VOX_IMAGE_U8] = {DT_UINT8, 1}, [VOX_IMAGE_U16] = {DT_UINT16, 2}, [VOX_IMAGE_F32] = {DT_FLOAT32, 4}};
    static const char no_extension[4] = {0};
    unsigned char raw[VOX_NIFTI_HEADER] = {0};
    int version = like->nifti_version;
    const vox_nifti_voxels v = {.type = types[c->type][0],
                                .bytes = types[c->type][1],
                                .intent = c->labels ? NIFTI_INTENT_LABEL : NIFTI_INTENT_NONE,
                                .channels = c->channels,
                                .slope = !c->labels && c->type == VOX_IMAGE_U8 ? 1.0 / 255 : 1,
                                .description = c->description != NULL ? c->description : ""};
    if (version != 0) {
        memcpy(raw, like->nifti, sizeof raw);
    } else {
        version = make_header(raw, like);
    }
    if (version == 1 && c->channels > INT16_MAX)
        return vox_fail(VOX_EXIT_UNSUPPORTED, "%s: NIfTI-1 holds at most %d channels, not %d", w->output.path,
                        INT16_MAX, c->channels);
    vox_nifti_patch(raw, version, &v);
    if (vox_name_ends(w->output.path, ".gz")) {
        w->state = vox_deflate_new(w->output.file, true, c->threads);
        if (w->state == NULL) return vox_fail_memory(w->output.path, 0);
    }
    int code = w->sink->put(w, raw, version == 1 ? sizeof(nifti_1_header) : sizeof(nifti_2_header));
    return code != 0 ? code : w->sink->put(w, no_extension, sizeof no_extension);
}

static int put(vox_image_writer *w, const void *data, size_t bytes) {
    if (w->state == NULL) return vox_image_write(w, data, bytes);
    return vox_deflate_put(w->state, data, bytes) ? 0 : vox_image_write_error(w);
}

static int end(vox_image_writer *w) {
    return w->state == NULL || vox_deflate_end(w->state) ? 0 : vox_image_write_error(w);
}

static void stop(vox_image_writer *w) {
    vox_deflate_free(w->state);
}

const vox_image_sink vox_sink_nifti = {.begin = begin,
                                       .put = put,
                                       .end = end,
                                       .stop = stop,
                                       .types =
                                           1u << VOX_IMAGE_U8 | 1u << VOX_IMAGE_U16 | 1u << VOX_IMAGE_F32};
#endif
