/* volumes_lib.h: volume files of every kind, and programs that read them: the test executable started again
 * with FAKE_MODEL set is the program of a model of fake_model.h, as in test_program.c. */
#ifndef VOLUMES_LIB_H
#define VOLUMES_LIB_H

#include "test.h"

#include <fcntl.h>
#include <nifti2_io.h>
#include <png.h>
#include <zlib.h>

#include "image.h"
#include "npy_port.h"
#include "../runtime/program/program.h"
#include "fake_model.h"

enum { NX = 9, NY = 8, NZ = 7, N = NX * NY * NZ };

static char *folder, self[4096], weights[4096];

static TEST_UNUSED int setup(void **state) {
    (void)state;
    folder = test_tmpdir();
    nifti_set_debug_level(0);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char w[FAKE_WEIGHTS];
    memset(w, 'w', sizeof w);
    snprintf(weights, sizeof weights, "%s/good.weights", folder);
    test_write(weights, w, sizeof w);
    return n > 0 ? 0 : -1;
}

static TEST_UNUSED int teardown(void **state) {
    (void)state;
    test_rmdir(folder);
    return 0;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Runs a line of shell in the folder, where $box, $rgb and $mm are the models' programs, $W gives them their
 * weights and $S stands for `segment $W`. */
static TEST_UNUSED int shell(const char *line, char **out) {
    char *full = test_format("cd '%s'; W='--weights %s'; S=\"segment $W\"; box='env FAKE_MODEL=fake_box %s' "
                             "rgb='env FAKE_MODEL=fake_rgb %s' mm='env FAKE_MODEL=fake_mm %s'; %s",
                             folder, weights, self, self, self, line);
    int code = test_run(full, out);
    free(full);
    return code;
}

/* Exit code `code`; `a` and `b` (NULL: any) in what is printed; one line of "error: " if it fails. */
static TEST_UNUSED void expect(const char *line, int code, const char *a, const char *b) {
    char *out = NULL;
    int got = shell(line, &out), errors = 0;
    if (got != code) fail_msg("%s: exit code %d, not %d: %s", line, got, code, out);
    if (a && !strstr(out, a)) fail_msg("%s: no '%s' in: %s", line, a, out);
    if (b && !strstr(out, b)) fail_msg("%s: no '%s' in: %s", line, b, out);
    for (const char *p = out; (p = strstr(p, "error: ")) != NULL; p++) errors++;
    if (errors != (code != 0)) fail_msg("%s: %d errors in: %s", line, errors, out);
    free(out);
}

static TEST_UNUSED void expect_not(const char *line, const char *word) {
    char *out = NULL;
    int got = shell(line, &out);
    if (got != 0 || strstr(out, word)) fail_msg("%s: exit code %d, '%s' in: %s", line, got, word, out);
    free(out);
}

static TEST_UNUSED void no_temporaries(void) {
    char *out = NULL;
    if (shell("ls -a | grep tmp", &out) == 0) fail_msg("left behind: %s", out);
    free(out);
}

/* ---- files ----------------------------------------------------------------------------------- */

static TEST_UNUSED int value_at(int i) {
    return (5 * i + 1) % 4;
}

/* 9x8x7 voxels of 1x1.25x1.5 mm, axes to RAS by the sform alone. */
static TEST_UNUSED nifti_2_header header(int type) {
    int size = 0, swap = 0;
    nifti_datatype_sizes(type, &size, &swap);
    nifti_2_header h = {.dim = {3, NX, NY, NZ, 1, 1, 1, 1},
                        .datatype = (int16_t)type,
                        .bitpix = (int16_t)(8 * size),
                        .pixdim = {1, 1, 1.25, 1.5},
                        .sform_code = 1,
                        .srow_x = {1, 0, 0, -4},
                        .srow_y = {0, 1.25, 0, -5},
                        .srow_z = {0, 0, 1.5, -6},
                        .xyzt_units = NIFTI_UNITS_MM};
    return h;
}

static TEST_UNUSED nifti_1_header narrowed(const nifti_2_header *h) {
    nifti_1_header a = {.sizeof_hdr = 348, .datatype = h->datatype, .bitpix = h->bitpix};
    for (int i = 0; i < 8; i++) {
        a.dim[i] = (short)h->dim[i];
        a.pixdim[i] = (float)h->pixdim[i];
    }
    for (int i = 0; i < 4; i++) {
        a.srow_x[i] = (float)h->srow_x[i];
        a.srow_y[i] = (float)h->srow_y[i];
        a.srow_z[i] = (float)h->srow_z[i];
    }
    a.sform_code = (short)h->sform_code;
    a.qform_code = (short)h->qform_code;
    a.quatern_b = (float)h->quatern_b;
    a.quatern_c = (float)h->quatern_c;
    a.quatern_d = (float)h->quatern_d;
    a.qoffset_x = (float)h->qoffset_x;
    a.qoffset_y = (float)h->qoffset_y;
    a.qoffset_z = (float)h->qoffset_z;
    a.scl_slope = (float)h->scl_slope;
    a.scl_inter = (float)h->scl_inter;
    a.xyzt_units = (char)h->xyzt_units;
    a.vox_offset = (float)h->vox_offset;
    return a;
}

static TEST_UNUSED void encode(int type, double x, unsigned char *p) {
    int64_t i64 = fabs(x) < 1e18 ? (int64_t)x : 0;
    int8_t i8 = (int8_t)i64;
    int16_t i16 = (int16_t)i64;
    int32_t i32 = (int32_t)i64;
    float f32 = fabs(x) < 1e38 || !isfinite(x) ? (float)x : 0;
    int size = 0, swap = 0;
    nifti_datatype_sizes(type, &size, &swap);
    if (type == DT_FLOAT32) {
        memcpy(p, &f32, 4);
    } else if (type == DT_FLOAT64) {
        memcpy(p, &x, 8);
    } else {
        const void *from[] = {[1] = &i8, [2] = &i16, [4] = &i32, [8] = &i64};
        memcpy(p, from[size], (size_t)size);
    }
}

static TEST_UNUSED void write_bytes(const char *path, const void *data, size_t n, bool packed, bool append) {
    const char *mode = packed ? append ? "ab" : "wb" : append ? "abT" : "wbT";
    gzFile f = gzopen(path, mode);
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)n), n);
    assert_int_equal(gzclose(f), Z_OK);
}

static TEST_UNUSED bool ends(const char *name, const char *end) {
    return strlen(name) >= strlen(end) && strcasecmp(name + strlen(name) - strlen(end), end) == 0;
}

/* version 1 or 2; `image`: NULL, or the name of the file of the voxels. x: a value per voxel. */
static TEST_UNUSED void put(const char *name, const char *image, const nifti_2_header *given, int version,
                            bool swapped, const double *x, size_t n) {
    nifti_2_header h = *given;
    unsigned char start[544] = {0}, *data = calloc(n + 1, 16);
    int size = 0, swap = 0;
    size_t bytes = version == 1 ? 348 : 540, front = bytes + (image == NULL ? 4 : 0);
    nifti_datatype_sizes(h.datatype, &size, &swap);
    for (size_t i = 0; i < n; i++) encode(h.datatype, x[i], data + i * (size_t)size);
    if (h.vox_offset == 0 && image == NULL) h.vox_offset = (int64_t)front;
    if (version == 1) {
        nifti_1_header a = narrowed(&h);
        memcpy(a.magic, image ? "ni1" : "n+1", 4);
        if (swapped) swap_nifti_header(&a, 1);
        memcpy(start, &a, sizeof a);
    } else {
        h.sizeof_hdr = 540;
        memcpy(h.magic, image ? "ni2\0\r\n\032\n" : "n+2\0\r\n\032\n", 8);
        if (swapped) swap_nifti_header(&h, 2);
        memcpy(start, &h, sizeof h);
    }
    if (swapped && swap > 1) nifti_swap_Nbytes((int64_t)n, swap, data);
    char *path = test_format("%s/%s", folder, name);
    char *image_path = image ? test_format("%s/%s", folder, image) : test_format("%s", path);
    write_bytes(path, start, front, ends(path, ".gz"), false);
    write_bytes(image_path, data, n * (size_t)size, ends(image_path, ".gz"), image == NULL);
    free(path);
    free(image_path);
    free(data);
}

static TEST_UNUSED const double *values(void) {
    static double x[N];
    for (int i = 0; i < N; i++) x[i] = value_at(i);
    return x;
}

static TEST_UNUSED void plain(const char *name, const nifti_2_header *h) {
    put(name, NULL, h, 1, false, values(), N);
}

/* The program of a model where FAKE_MODEL is set, else the tests. */
static int volumes_main(int argc, char **argv, int (*run)(void)) {
    const char *model = getenv("FAKE_MODEL");
    return model ? vox_program_main(argc, argv, fake_model(model)) : run();
}

#endif
