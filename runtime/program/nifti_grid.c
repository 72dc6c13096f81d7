/* SPDX-License-Identifier: MIT-0 */
/* nifti_grid.c: where a file's voxels lie, from pixdim, qform and sform; see nifti_read.h. */
#ifdef VOX_WITH_NIFTI
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "nifti_read.h"
#include "report.h"

static const double SMALLEST_MM = 1e-6, LARGEST_MM = 1e6; /* a voxel size beyond these is none */
static const double STALE = 0.01;    /* pixdim and the sform's columns may differ by this part */
static const double SINGULAR = 1e-4; /* volume of the cell that three unit columns span */

/* Of the header's lengths, in mm; 0: it names no unit. */
static double unit(const nifti_2_header *h) {
    switch (XYZT_TO_SPACE(h->xyzt_units)) {
    case NIFTI_UNITS_METER:
        return 1000;
    case NIFTI_UNITS_MM:
        return 1;
    case NIFTI_UNITS_MICRON:
        return 0.001;
    default:
        return 0;
    }
}

static double length(const double affine[3][4], int column) {
    return sqrt(affine[0][column] * affine[0][column] + affine[1][column] * affine[1][column] +
                affine[2][column] * affine[2][column]);
}

static double determinant(const double m[3][4]) {
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
           m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

/* Three directions, none within the plane of the others, of lengths that can be voxels. */
static bool usable(const double affine[3][4]) {
    double product = 1;
    for (int k = 0; k < 3; k++) {
        double size = length(affine, k);
        if (!(size >= SMALLEST_MM && size <= LARGEST_MM) || !isfinite(affine[k][3])) return false;
        product *= size;
    }
    return fabs(determinant(affine)) > SINGULAR * product;
}

static bool read_sform(const nifti_2_header *h, double mm, double affine[3][4]) {
    for (int c = 0; c < 4; c++) {
        affine[0][c] = h->srow_x[c] * mm;
        affine[1][c] = h->srow_y[c] * mm;
        affine[2][c] = h->srow_z[c] * mm;
    }
    return usable(affine);
}

static bool read_qform(const nifti_2_header *h, double mm, const double spacing[3], double affine[3][4]) {
    double size[3];
    for (int k = 0; k < 3; k++) size[k] = spacing[k] > 0 ? spacing[k] : 1;
    nifti_dmat44 m = nifti_quatern_to_dmat44(h->quatern_b, h->quatern_c, h->quatern_d, h->qoffset_x * mm,
                                             h->qoffset_y * mm, h->qoffset_z * mm, size[0], size[1], size[2],
                                             h->pixdim[0] < 0 ? -1 : 1);
    for (int r = 0; r < 3; r++) memcpy(affine[r], m.m[r], sizeof affine[r]);
    return usable(affine);
}

/* Per axis which world axis it is nearest to, and whether against it. */
static void directions(const double affine[3][4], int world[3], int flipped[3]) {
    nifti_dmat44 m = {{{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 1}}};
    int code[3] = {0};
    for (int r = 0; r < 3; r++) memcpy(m.m[r], affine[r], sizeof m.m[r]);
    nifti_dmat44_to_orientation(m, &code[0], &code[1], &code[2]);
    for (int k = 0; k < 3; k++) {
        bool known = code[k] >= NIFTI_L2R && code[k] <= NIFTI_S2I;
        world[k] = known ? (code[k] - NIFTI_L2R) / 2 : k;
        flipped[k] = known ? (code[k] - NIFTI_L2R) % 2 : 0;
    }
}

/* "LAS": where each axis runs to. */
typedef struct letters {
    char text[4];
} letters;
static letters letters_of(const double affine[3][4]) {
    static const char to[3][3] = {"RL", "AP", "SI"};
    int world[3], flipped[3];
    letters l = {""};
    directions(affine, world, flipped);
    for (int k = 0; k < 3; k++) l.text[k] = to[world[k]][flipped[k]];
    return l;
}

static void read_spacing(const nifti_2_header *h, double mm, double spacing[3]) {
    for (int k = 0; k < 3; k++) {
        double size = fabs(h->pixdim[k + 1]) * mm;
        spacing[k] = size >= SMALLEST_MM && size <= LARGEST_MM ? size : 0;
    }
}

/* pixdim stays in use for sizes, whatever the sform says. */
static void compare_sizes(const char *path, const double spacing[3], const double sform[3][4]) {
    double size[3];
    bool stale = false;
    for (int k = 0; k < 3; k++) {
        size[k] = length(sform, k);
        stale = stale || !(fabs(spacing[k] - size[k]) <= STALE * size[k]);
    }
    if (!stale) return;
    vox_warn("%s: pixdim gives the voxel size %s, but the sform's columns are %s long: pixdim is used for "
             "sizes, the sform for directions",
             path, vox_size_mm(spacing).text, vox_size_mm(size).text);
}

static void compare_forms(const char *path, const double sform[3][4], const double qform[3][4]) {
    letters s = letters_of(sform), q = letters_of(qform);
    if (strcmp(s.text, q.text) == 0) return;
    vox_warn("%s: the sform says that the axes run to %s, the qform to %s: the sform is used", path, s.text,
             q.text);
}

/* The sform is preferred, then the qform, as most viewers do. */
static vox_form choose_form(const vox_nifti_source *s, const double spacing[3], double mm,
                            double affine[3][4]) {
    double sform[3][4], qform[3][4];
    bool has_s = s->h.sform_code > 0, has_q = s->h.qform_code > 0;
    bool good_s = has_s && read_sform(&s->h, mm, sform),
         good_q = has_q && read_qform(&s->h, mm, spacing, qform);
    if ((has_s && !good_s) || (has_q && !good_q && !good_s)) {
        vox_warn("%s: the %s is no map to three directions: %s", s->path, has_s ? "sform" : "qform",
                 good_q ? "the qform is used" : "where left and right are is unknown");
    }
    if (good_s && good_q) compare_forms(s->path, sform, qform);
    if (good_s) compare_sizes(s->path, spacing, sform);
    if (good_s || good_q) {
        memcpy(affine, good_s ? sform : qform, sizeof sform);
        return good_s ? VOX_FORM_SFORM : VOX_FORM_QFORM;
    }
    for (int k = 0; k < 3; k++) affine[k][k] = spacing[k];
    return VOX_FORM_NONE;
}

void vox_nifti_geometry(const vox_nifti_source *s, double spacing[3], bool *unit_unknown, vox_geometry *g) {
    double mm = unit(&s->h);
    *unit_unknown = mm == 0;
    if (*unit_unknown) mm = 1;
    read_spacing(&s->h, mm, spacing);
    g->form = choose_form(s, spacing, mm, g->affine);
}
#endif
