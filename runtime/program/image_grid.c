/* SPDX-License-Identifier: MIT-0 */
/* image_grid.c: where an image's voxels lie, and whether two images share a grid; see image_parts.h. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "image_parts.h"
#include "report.h"

static const double SMALLEST_MM = 1e-6, LARGEST_MM = 1e6; /* a voxel size beyond these is none */
static const double SAME = 1e-3;     /* two grids: part of a voxel per voxel, and mm of the offset */
static const double SINGULAR = 1e-4; /* volume of the cell that three unit columns span */

static double length(const double affine[3][4], int column) {
    return sqrt(affine[0][column] * affine[0][column] + affine[1][column] * affine[1][column] +
                affine[2][column] * affine[2][column]);
}

static double determinant(const double m[3][4]) {
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
           m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

static bool is_size(double mm) {
    return mm >= SMALLEST_MM && mm <= LARGEST_MM;
}

/* Three directions, none within the plane of the others, of lengths that can be voxels. */
static bool usable(const double affine[3][4]) {
    double product = 1;
    for (int k = 0; k < 3; k++) {
        double size = length(affine, k);
        if (!is_size(size) || !isfinite(affine[k][3])) return false;
        product *= size;
    }
    return fabs(determinant(affine)) > SINGULAR * product;
}

void vox_image_set_sizes(vox_image *image, const double size[3]) {
    image->directed = false;
    memset(image->affine, 0, sizeof image->affine);
    memset(image->volume.direction, 0, sizeof image->volume.direction);
    for (int k = 0; k < 3; k++) {
        image->volume.spacing[k] = is_size(fabs(size[k])) ? fabs(size[k]) : 0;
        image->affine[k][k] = image->volume.spacing[k];
    }
}

void vox_image_set_affine(vox_image *image, const char *file, const double affine[3][4]) {
    double size[3];
    for (int k = 0; k < 3; k++) size[k] = length(affine, k);
    vox_image_set_sizes(image, size);
    if (!usable(affine)) {
        vox_warn("%s: its directions are no map to three directions: where left and right are is unknown",
                 file);
        return;
    }
    image->directed = true;
    memcpy(image->affine, affine, sizeof image->affine);
    for (int r = 0; r < 3; r++) {
        for (int k = 0; k < 3; k++) image->volume.direction[r][k] = affine[r][k] / size[k];
    }
}

void vox_image_turn_lps(double affine[3][4]) {
    for (int r = 0; r < 2; r++) {
        for (int k = 0; k < 4; k++) affine[r][k] = affine[r][k] == 0 ? 0 : -affine[r][k];
    }
}

double vox_image_unit(const char *name) {
    static const struct {
        const char *name;
        double mm;
    } units[] = {{"mm", 1},           {"millimeter", 1},    {"millimetre", 1},    {"um", 1e-3},
                 {"micron", 1e-3},    {"micrometer", 1e-3}, {"micrometre", 1e-3}, {"\\u00B5m", 1e-3},
                 {"\xc2\xb5m", 1e-3}, {"\xce\xbcm", 1e-3},  {"\xb5m", 1e-3},      {"microns", 1e-3},
                 {"nm", 1e-6},        {"nanometer", 1e-6},  {"cm", 10},           {"centimeter", 10},
                 {"m", 1000},         {"meter", 1000},      {"inch", 25.4},       {"in", 25.4},
                 {"\\u03BCm", 1e-3},  {"&#181;m", 1e-3},    {"&#xB5;m", 1e-3},    {"\xc3\x85", 1e-7},
                 {"pm", 1e-9}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (strcmp(units[i].name, name) == 0) return units[i].mm;
    }
    return 0;
}

/* ---- two files ------------------------------------------------------------------------------- */

typedef struct affine_text {
    char text[320];
} affine_text;
static affine_text text_of(const vox_image *g) {
    affine_text t;
    size_t n = (size_t)snprintf(t.text, sizeof t.text, "%s ", g->directed ? "affine" : "voxel sizes");
    for (int r = 0; r < 3 && n < sizeof t.text; r++) {
        const double *a = g->affine[r];
        n += (size_t)snprintf(t.text + n, sizeof t.text - n, "%s%.6g %.6g %.6g %.6g", r == 0 ? "[" : "; ",
                              a[0], a[1], a[2], a[3]);
    }
    if (n < sizeof t.text) snprintf(t.text + n, sizeof t.text - n, "]");
    return t;
}

/* Only the voxel sizes, where both are known. */
static bool same_sizes(const vox_image *a, const vox_image *b) {
    for (int k = 0; k < 3; k++) {
        double x = a->volume.spacing[k], y = b->volume.spacing[k];
        if (x > 0 && y > 0 && !(fabs(x - y) <= SAME * fmin(x, y))) return false;
    }
    return true;
}

static bool same_affine(const vox_image *a, const vox_image *b) {
    double smallest = INFINITY;
    for (int k = 0; k < 3; k++) {
        double size = fmin(length(a->affine, k), length(b->affine, k));
        smallest = fmin(smallest, size);
        for (int r = 0; r < 3; r++) {
            if (!(fabs(a->affine[r][k] - b->affine[r][k]) <= SAME * size)) return false;
        }
    }
    for (int r = 0; r < 3; r++) {
        /* A tenth of a voxel where that is less than a thousandth of a mm; headers hold floats. */
        double x = a->affine[r][3], y = b->affine[r][3];
        double allowed = fmin(SAME, 0.1 * smallest) + 4 * (double)FLT_EPSILON * fmax(fabs(x), fabs(y));
        if (!(fabs(x - y) <= allowed)) return false;
    }
    return true;
}

int vox_image_same_grid(const char *a_file, const vox_image *a, const char *b_file, const vox_image *b) {
    bool both = a->directed && b->directed;
    if (memcmp(a->volume.dim, b->volume.dim, sizeof a->volume.dim) != 0) {
        return vox_fail(VOX_EXIT_INPUT, "%s is %s voxels, but %s is %s: both must lie on one grid", b_file,
                        vox_shape(3, b->volume.dim).text, a_file, vox_shape(3, a->volume.dim).text);
    }
    if (both ? !same_affine(a, b) : !same_sizes(a, b)) {
        return vox_fail(VOX_EXIT_INPUT,
                        "%s and %s do not lie on one grid: %s and %s: resample one to the other's", a_file,
                        b_file, text_of(a).text, text_of(b).text);
    }
    if (a->directed != b->directed) {
        vox_warn("%s does not say where left and right are: taken as on the grid of %s",
                 a->directed ? b_file : a_file, a->directed ? a_file : b_file);
    }
    return 0;
}
