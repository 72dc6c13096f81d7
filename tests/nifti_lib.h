/* nifti_lib.h: what the tests of NIfTI files share: headers, files in a folder of their own, muted errors. */
#ifndef NIFTI_LIB_H
#define NIFTI_LIB_H

#include "test.h"

#include <fcntl.h>
#include <math.h>
#include <nifti2_io.h>
#include <zlib.h>

#include "../runtime/program/nifti.h"

static char *folder;

static int setup(void **state) {
    (void)state;
    folder = test_tmpdir();
    nifti_set_debug_level(0);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    test_rmdir(folder);
    return 0;
}

/* Thousands of expected errors would bury the results; VERBOSE in the environment shows them. */
static int real_stderr = -1;

static TEST_UNUSED int mute(void **state) {
    (void)state;
    if (getenv("VERBOSE") != NULL) return 0;
    fflush(stderr);
    real_stderr = dup(STDERR_FILENO);
    int null = open("/dev/null", O_WRONLY);
    int code = dup2(null, STDERR_FILENO) < 0;
    close(null);
    return code;
}

static TEST_UNUSED int unmute(void **state) {
    (void)state;
    if (real_stderr < 0) return 0;
    fflush(stderr);
    int code = dup2(real_stderr, STDERR_FILENO) < 0;
    close(real_stderr);
    real_stderr = -1;
    return code;
}

static TEST_UNUSED nifti_1_header header_1(int type, int bits) {
    nifti_1_header h = {.sizeof_hdr = 348,
                        .dim = {3, 4, 3, 2, 1, 1, 1, 1},
                        .datatype = (short)type,
                        .bitpix = (short)bits,
                        .vox_offset = 352,
                        .magic = "n+1"};
    h.pixdim[0] = -1;
    h.pixdim[1] = 0.7f;
    h.pixdim[2] = 1.3f;
    h.pixdim[3] = 2.1f;
    h.qform_code = 1;
    h.sform_code = 4;
    h.quatern_b = 0.1f;
    h.quatern_c = -0.2f;
    h.quatern_d = 0.3f;
    h.qoffset_x = 11;
    h.qoffset_y = -12.5f;
    h.qoffset_z = 13.25f;
    h.srow_x[2] = -2.1f; /* z runs to the left, x forward, y down */
    h.srow_x[3] = 5.5f;
    h.srow_y[0] = 0.7f;
    h.srow_z[1] = -1.3f;
    h.xyzt_units = NIFTI_UNITS_MM;
    return h;
}

static TEST_UNUSED nifti_2_header header_2(int type, int bits) {
    nifti_2_header h = {.sizeof_hdr = 540,
                        .dim = {3, 4, 3, 2, 1, 1, 1, 1},
                        .datatype = (int16_t)type,
                        .bitpix = (int16_t)bits,
                        .vox_offset = 544};
    memcpy(h.magic, "n+2\0\r\n\032\n", 8);
    for (int i = 1; i < 4; i++) h.pixdim[i] = 1.0 / 3 * i; /* needs more than float */
    h.pixdim[0] = 1;
    h.qform_code = 2;
    h.quatern_c = 1.0 / 7;
    h.qoffset_x = 1e9 + 0.125;
    h.xyzt_units = NIFTI_UNITS_MICRON;
    return h;
}

/* Header, 4 zero bytes, data; under a name in the folder. */
static TEST_UNUSED char *put_file(const char *name, const void *header, size_t header_bytes, const void *data,
                                  size_t bytes) {
    char *path = test_format("%s/%s", folder, name);
    unsigned char *all = calloc(header_bytes + 4 + bytes, 1);
    memcpy(all, header, header_bytes);
    memcpy(all + header_bytes + 4, data, bytes);
    if (strstr(name, ".gz") != NULL) {
        gzFile f = gzopen(path, "wb");
        assert_int_equal(gzwrite(f, all, (unsigned)(header_bytes + 4 + bytes)), header_bytes + 4 + bytes);
        assert_int_equal(gzclose(f), Z_OK);
    } else {
        test_write(path, all, header_bytes + 4 + bytes);
    }
    free(all);
    return path;
}

static TEST_UNUSED int read_code(const char *path) {
    vox_volume v;
    vox_geometry g;
    size_t bad;
    int code = vox_nifti_read(path, &v, &g, &bad);
    if (code == 0) free(v.data);
    return code;
}

/* Voxel i of each type holds this number, which all types can hold. */
static TEST_UNUSED int sample(int i) {
    return (5 * i + 1) % 120;
}

static TEST_UNUSED size_t encode(int type, unsigned char *data) {
    int size = 0, swap = 0;
    nifti_datatype_sizes(type, &size, &swap);
    for (int i = 0; i < 24; i++) {
        unsigned char *p = data + i * size;
        int n = sample(i);
        int16_t i16 = (int16_t)n;
        int32_t i32 = n;
        int64_t i64 = n;
        float f32 = (float)n;
        double f64 = n;
        long double f128 = n;
        memset(p, 0, (size_t)size);
        switch (type) {
        case DT_FLOAT32:
            memcpy(p, &f32, 4);
            break;
        case DT_FLOAT64:
            memcpy(p, &f64, 8);
            break;
        case DT_FLOAT128:
            memcpy(p, &f128, 16);
            break;
        default:
            if (size == 1) *p = (unsigned char)n;
            if (size == 2) memcpy(p, &i16, 2);
            if (size == 4) memcpy(p, &i32, 4);
            if (size == 8) memcpy(p, &i64, 8);
        }
    }
    return 24 * (size_t)size;
}

#endif
