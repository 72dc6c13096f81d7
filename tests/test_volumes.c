/* test_volumes.c: volume files as people have them: pairs, pipes, links, odd headers. The test executable
 * started again with FAKE_MODEL set is the program of a model of fake_model.h, as in test_program.c. */
#include "test.h"

#include <fcntl.h>
#include <nifti2_io.h>
#include <png.h>
#include <zlib.h>

#include "../runtime/program/nifti.h"
#include "../runtime/program/npy.h"
#include "../runtime/program/program.h"
#include "fake_model.h"

enum { NX = 9, NY = 8, NZ = 7, N = NX * NY * NZ };

static char *folder, self[4096], weights[4096];

static int setup(void **state) {
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

static int teardown(void **state) {
    (void)state;
    test_rmdir(folder);
    return 0;
}

/* ---- running --------------------------------------------------------------------------------- */

/* Runs a line of shell in the folder, where $box, $rgb and $mm are the models' programs, $W gives them their
 * weights and $S stands for `segment $W`. */
static int shell(const char *line, char **out) {
    char *full = test_format("cd '%s'; W='--weights %s'; S=\"segment $W\"; box='env FAKE_MODEL=fake_box %s' "
                             "rgb='env FAKE_MODEL=fake_rgb %s' mm='env FAKE_MODEL=fake_mm %s'; %s",
                             folder, weights, self, self, self, line);
    int code = test_run(full, out);
    free(full);
    return code;
}

/* Exit code `code`; `a` and `b` (NULL: any) in what is printed; one line of "error: " if it fails. */
static void expect(const char *line, int code, const char *a, const char *b) {
    char *out = NULL;
    int got = shell(line, &out), errors = 0;
    if (got != code) fail_msg("%s: exit code %d, not %d: %s", line, got, code, out);
    if (a && !strstr(out, a)) fail_msg("%s: no '%s' in: %s", line, a, out);
    if (b && !strstr(out, b)) fail_msg("%s: no '%s' in: %s", line, b, out);
    for (const char *p = out; (p = strstr(p, "error: ")) != NULL; p++) errors++;
    if (errors != (code != 0)) fail_msg("%s: %d errors in: %s", line, errors, out);
    free(out);
}

static void expect_not(const char *line, const char *word) {
    char *out = NULL;
    int got = shell(line, &out);
    if (got != 0 || strstr(out, word)) fail_msg("%s: exit code %d, '%s' in: %s", line, got, word, out);
    free(out);
}

static void no_temporaries(void) {
    char *out = NULL;
    if (shell("ls -a | grep tmp", &out) == 0) fail_msg("left behind: %s", out);
    free(out);
}

/* ---- files ----------------------------------------------------------------------------------- */

static int value_at(int i) {
    return (5 * i + 1) % 4;
}

/* 9x8x7 voxels of 1x1.25x1.5 mm, axes to RAS by the sform alone. */
static nifti_2_header header(int type) {
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

static nifti_1_header narrowed(const nifti_2_header *h) {
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

static void encode(int type, double x, unsigned char *p) {
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

static void write_bytes(const char *path, const void *data, size_t n, bool packed, bool append) {
    const char *mode = packed ? append ? "ab" : "wb" : append ? "abT" : "wbT";
    gzFile f = gzopen(path, mode);
    assert_non_null(f);
    assert_int_equal(gzwrite(f, data, (unsigned)n), n);
    assert_int_equal(gzclose(f), Z_OK);
}

static bool ends(const char *name, const char *end) {
    return strlen(name) >= strlen(end) && strcasecmp(name + strlen(name) - strlen(end), end) == 0;
}

/* version 1 or 2; `image`: NULL, or the name of the file of the voxels. x: a value per voxel. */
static void put(const char *name, const char *image, const nifti_2_header *given, int version, bool swapped,
                const double *x, size_t n) {
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

static const double *values(void) {
    static double x[N];
    for (int i = 0; i < N; i++) x[i] = value_at(i);
    return x;
}

static void plain(const char *name, const nifti_2_header *h) {
    put(name, NULL, h, 1, false, values(), N);
}

/* ---- which files are read -------------------------------------------------------------------- */

static void reads(const char *name) {
    char *path = test_format("%s/%s", folder, name);
    vox_volume v;
    vox_geometry g;
    size_t bad;
    int code = vox_nifti_read(path, &v, &g, &bad);
    if (code != 0) fail_msg("%s: exit code %d", name, code);
    for (int i = 0; i < N; i++) {
        if (v.data[i] != (float)value_at(i)) fail_msg("%s: voxel %d is %g", name, i, (double)v.data[i]);
    }
    assert_true(fabs(v.spacing[1] - 1.25) < 1e-6 && g.form == VOX_FORM_SFORM);
    free(v.data);
    free(path);
}

static void every_kind_of_file_type_version_and_byte_order(void **state) {
    (void)state;
    static const int types[] = {DT_UINT8,  DT_INT8,  DT_INT16,  DT_UINT16,  DT_INT32,
                                DT_UINT32, DT_INT64, DT_UINT64, DT_FLOAT32, DT_FLOAT64};
    static const char *const files[][3] = {{"a.nii", NULL, "a.nii"},
                                           {"a.nii.gz", NULL, "a.nii.gz"},
                                           {"B.NII.GZ", NULL, "B.NII.GZ"},
                                           {"c.hdr", "c.img", "c.img"},
                                           {"d.hdr", "d.img.gz", "d.hdr"},
                                           {"e.hdr.gz", "e.img", "e.img"},
                                           {"f.hdr.gz", "f.img.gz", "f.img.gz"},
                                           {"G.HDR", "G.IMG", "G.HDR"},
                                           {"H.HDR", "H.IMG", "H.IMG"},
                                           {"I.HDR.GZ", "I.IMG.GZ", "I.HDR.GZ"},
                                           {"j.hdr", "j.IMG.gz", "j.IMG.gz"}};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        for (size_t t = 0; t < sizeof types / sizeof *types; t++) {
            for (int k = 0; k < 4; k++) {
                nifti_2_header h = header(types[t]);
                put(files[f][0], files[f][1], &h, 1 + k % 2, k / 2 != 0, values(), N);
                reads(files[f][2]);
            }
        }
    }
}

static void the_image_that_was_named_is_the_one_read(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    double zeros[N] = {0};
    put("k.hdr", "k.img", &h, 1, false, zeros, N);
    put("k.hdr", "k.img.gz", &h, 1, false, values(), N);
    reads("k.img.gz");
}

static void pipes_are_read_once(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    plain("p.nii", &h);
    put("q.nii.gz", NULL, &h, 2, true, values(), N);
    h.vox_offset = 1000; /* what lies between can't be skipped by seeking */
    double shifted[N + 500] = {0};
    memcpy(shifted + 324, values(), N * sizeof(double)); /* 352 + 2 * 324 = 1000 */
    put("far.nii", NULL, &h, 1, false, shifted, N + 324);
    expect("$box $S p.nii -o p1.nii && $box $S q.nii.gz -o q1.nii -q", 0, "9x8x7 voxels", NULL);
    expect("cat p.nii | $box $S /dev/stdin -o p2.nii && cmp p1.nii p2.nii", 0, NULL, NULL);
    expect("cat far.nii | $box $S /dev/stdin -o p2.nii && cmp p1.nii p2.nii", 0, NULL, NULL);
    expect("$box $S /dev/stdin -o p2.nii <p.nii && cmp p1.nii p2.nii", 0, NULL, NULL);
    expect("cat q.nii.gz | $box $S /dev/stdin -o q2.nii && cmp q1.nii q2.nii", 0, NULL, NULL);
    expect("mkfifo fifo fifo.gz; cat p.nii >fifo & cat q.nii.gz >fifo.gz & timeout 20 $box dice fifo fifo.gz",
           0, "Dice 1.0000", NULL);
    expect("cat p.nii >fifo & timeout 20 $rgb $S fifo -o p2.nii --repeat-channel", 0, NULL, NULL);
    expect("head -c 700 p.nii | $box $S /dev/stdin -o p3.nii", 2, "truncated: 174 of 504 voxels", NULL);
    expect("head -c 300 p.nii | $box $S /dev/stdin -o p3.nii", 2, "truncated in the header", "300 bytes");
    expect("$box $S /dev/null -o p3.nii", 2, "truncated in the header", "0 bytes");
    expect("timeout 20 $box segment --weights fifo p.nii -o p3.nii", 2, "fifo: not a regular file", NULL);
    no_temporaries();
}

static void arrays_come_through_pipes_too(void **state) {
    (void)state;
    const int dim[5] = {1, 1, 9, 10, 11};
    float x[990];
    for (int i = 0; i < 990; i++) x[i] = (float)i;
    char *path = test_format("%s/in.npy", folder);
    assert_int_equal(vox_npy_write(path, VOX_F32, 5, dim, x), 0);
    free(path);
    expect("$box run $W in.npy 1.npy && cat in.npy | $box run $W /dev/stdin 2.npy && cmp 1.npy 2.npy", 0,
           NULL, NULL);
    expect("$box run $W in.npy /dev/stdout | cmp - 1.npy", 0, NULL, NULL);
    expect("$box run $W in.npy /dev/stdout >3.npy && cmp 3.npy 1.npy", 0, NULL, NULL);
    expect("mkfifo n.npy; cat in.npy >n.npy & timeout 20 $box run $W n.npy 2.npy && cmp 1.npy 2.npy", 0, NULL,
           NULL);
    expect("$box run $W in.npy ./good.weights", 2, "would overwrite", NULL);
    expect("cp in.npy box.npy; $box run $W box.npy 4.npy --dump .", 2, "box.npy would overwrite", NULL);
    no_temporaries();
}

static void wrong_files_are_named(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    plain("p.nii", &h);
    put("alone.hdr", "gone.img", &h, 1, false, values(), N);
    expect("$box $S alone.hdr -o x.nii", 2, "alone.hdr", ".img file, which is not there");
    expect("cp gone.img lost.img; $box $S lost.img -o x.nii", 2, "no .hdr file beside it", NULL);
    expect("mkdir -p dir.nii; $box $S dir.nii -o x.nii", 2, "dir.nii: it is a folder", NULL);
    expect("$box $S p.nii -o dir.nii", 2, "cannot write", "Is a directory");
    expect("$box $S p.nii -o x.nii --overlay x.jpg", 2, "x.jpg", "must end in .png");
    expect("gzip -c p.nii | head -c -4 >crc.nii.gz; $box $S crc.nii.gz -o x.nii", 2, "checksum", "missing");
    expect("gzip -c p.nii | head -c -8 >crc.nii.gz; $box $S crc.nii.gz -o x.nii", 2, "checksum", "missing");
    expect("cat p.nii >loop.nii; ln -sf l1.nii l2.nii; ln -sf l2.nii l1.nii; $box $S loop.nii -o l1.nii", 2,
           "cannot write", "symbolic links");
    assert_false(shell("test -e x.nii", NULL) == 0);
    no_temporaries();
}

/* ---- headers --------------------------------------------------------------------------------- */

static void shapes_that_are_no_volume(void **state) {
    (void)state;
    static const struct {
        int64_t dim[8];
        int code;
        const char *word;
    } cases[] = {
        {{4, NX, NY, NZ, 2, 1, 1, 1}, 2, "holds 2 volumes (a series?); this network takes 1"},
        {{5, NX, NY, NZ, 1, 2, 1, 1}, 2, "holds 2 volumes (a series?); this network takes 1"},
        {{4, NX, NY, NZ, 1, 9, 9, 9}, 0, "9x8x7 voxels"},
        {{2, NX, NY, 0, 0, 0, 0, 0}, 2, "is a 2-D image (9x8x1 voxels)"},
        {{3, NX, NY, 1, 1, 1, 1, 1}, 2, "is a 2-D image (9x8x1 voxels)"},
        {{3, 1, NX, NY, 1, 1, 1, 1}, 2, "is a 2-D image (1x9x8 voxels)"},
        {{1, NX, 0, 0, 0, 0, 0, 0}, 2, "is a 2-D image"},
        {{0, NX, NY, NZ, 1, 1, 1, 1}, 2, "0 dimensions"},
        {{-3, NX, NY, NZ, 1, 1, 1, 1}, 2, "-3 dimensions"},
        {{3, NX, -NY, NZ, 1, 1, 1, 1}, 2, "dim[2] is -8"},
        {{3, 32767, 32767, 32767, 1, 1, 1, 1}, 2, "truncated: the header promises"},
    };
    double x[2 * N] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int version = 1; version <= 2; version++) {
            nifti_2_header h = header(DT_INT16);
            memcpy(h.dim, cases[i].dim, sizeof h.dim);
            put("shape.nii", NULL, &h, version, false, x, 2 * N);
            expect("$box $S shape.nii -o x.nii", cases[i].code, cases[i].word, NULL);
        }
    }
    nifti_2_header h = header(DT_RGB24);
    double colours[3 * N] = {0};
    h.datatype = DT_UINT8;
    h.dim[0] = 4, h.dim[4] = 3;
    put("rgb.nii", NULL, &h, 1, false, colours, 3 * N);
    expect("printf '\\200' | dd of=rgb.nii bs=1 seek=70 conv=notrunc 2>/dev/null; printf '\\3\\0' | dd "
           "of=rgb.nii "
           "bs=1 seek=40 conv=notrunc 2>/dev/null; $box $S rgb.nii -o x.nii",
           2, "holds 3 channels (colours); this network takes 1", NULL);
    h = header(DT_INT16);
    plain("one.nii", &h);
    expect("$rgb $S one.nii one.nii -o x.nii", 2, "2 files hold 2 channels in all", "takes 3");
    h.dim[0] = 4, h.dim[4] = 2;
    put("two.nii", NULL, &h, 1, false, x, 2 * N);
    expect("$box dice two.nii one.nii", 2, "holds 2 volumes (a series?)", NULL);
}

static void offsets_and_scales(void **state) {
    (void)state;
    static const struct {
        double offset, slope, intercept;
        int code;
        const char *word;
    } cases[] = {
        {352, 0, NAN, 0, NULL},
        {352, NAN, NAN, 0, NULL},
        {352, 2, 1, 0, NULL},
        {353, 0, 0, 0, NULL},
        {348, 0, 0, 0, NULL},
        {352.5, 0, 0, 2, "begin at byte 352.5"},
        {347, 0, 0, 2, "347"},
        {-352, 0, 0, 2, "-352"},
        {NAN, 0, 0, 2, "corrupt header"},
        {1e30, 0, 0, 2, "1e+30"},
        {INFINITY, 0, 0, 2, "inf"},
        {1e6, 0, 0, 2, "truncated"},
        {352, INFINITY, 0, 2, "scl_slope is inf"},
        {352, 1, NAN, 2, "scl_inter is"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        nifti_2_header h = header(DT_INT16);
        h.scl_slope = cases[i].slope;
        h.scl_inter = cases[i].intercept;
        put("offset.nii", NULL, &h, 1, false, values(), N);
        char *path = test_format("%s/offset.nii", folder);
        size_t n;
        char *all = test_read(path, &n), longer[2000] = {0};
        float offset = (float)cases[i].offset;
        memcpy(longer, all, n);
        memcpy(longer + 108, &offset, 4);
        test_write(path, longer, n + 8);
        free(all);
        free(path);
        expect("$box $S offset.nii -o x.nii", cases[i].code, cases[i].word, NULL);
    }
}

static void voxels_that_float32_cannot_hold_are_named(void **state) {
    (void)state;
    double x[N];
    nifti_2_header h = header(DT_FLOAT64);
    for (int i = 0; i < N; i++) x[i] = i == 10 ? 1e300 : i == 11 ? -1e39 : 0;
    put("big.nii", NULL, &h, 1, false, x, N);
    expect("$box $S big.nii -o x.nii", 0, "warning: big.nii: 2 voxels are beyond float32 and count as 0",
           "1e+300 at x 1, y 1, z 0");
    expect("$box dice big.nii big.nii", 2, "1e+300 is not a label (x 1, y 1, z 0)", NULL);
    expect("$box dice big.nii big.nii --binary", 2, "1e+300 is not a label", NULL);
    for (int i = 0; i < N; i++) x[i] = i == 80 ? 1e-60 : 0;
    put("tiny.nii", NULL, &h, 1, false, x, N);
    expect("$box $S tiny.nii -o x.nii", 0, "1 voxel is not 0, but too small for float32",
           "1e-60 at x 8, y 0, z 1");
    expect("$box dice tiny.nii tiny.nii", 2, "1e-60 is not a label", NULL);
    h.scl_slope = 1e-50; /* the scaled value counts */
    for (int i = 0; i < N; i++) x[i] = 3;
    put("tiny.nii", NULL, &h, 2, false, x, N);
    expect("$box $S tiny.nii -o x.nii", 0, "504 voxels are not 0, but too small", NULL);
    h = header(DT_FLOAT32);
    for (int i = 0; i < N; i++) x[i] = i == 3 ? 2.000001 : 2;
    put("eps.nii", NULL, &h, 1, false, x, N);
    expect("$box dice eps.nii eps.nii", 2, "2.000001 is not a label (x 3, y 0, z 0)", NULL);
    for (int i = 0; i < N; i++) x[i] = i == 3 ? NAN : 2;
    put("nan.nii", NULL, &h, 1, false, x, N);
    expect("$box dice nan.nii nan.nii", 2, "nan is not a label (x 3, y 0, z 0)", NULL);
    expect("$box $S nan.nii -o x.nii", 0, "1 voxel is not finite", "x 3, y 0, z 0");
    static const int refused[] = {DT_COMPLEX64, DT_COMPLEX128, DT_COMPLEX256, DT_BINARY};
    static const char *const names[] = {"COMPLEX64", "COMPLEX128", "COMPLEX256", "BINARY"};
    for (int i = 0; i < 4; i++) {
        h = header(DT_INT64);
        put("complex.nii", NULL, &h, 2, false, x, 0);
        char *line =
            test_format("printf '\\%o\\%o' | dd of=complex.nii bs=1 seek=12 conv=notrunc 2>/dev/null; "
                        "$box $S complex.nii -o x.nii",
                        refused[i] & 255, refused[i] >> 8);
        expect(line, 3, names[i], "cannot be read");
        free(line);
    }
}

/* ---- where the voxels lie -------------------------------------------------------------------- */

static void grids_of_several_files_must_agree(void **state) {
    (void)state;
    static const struct {
        int row, column; /* of the sform */
        double value;
        bool same;
    } cases[] = {
        {0, 0, -1, false},    {0, 0, 1.0005, true},     {0, 0, 1.002, false}, {1, 0, 0.5, false},
        {1, 1, 1.2507, true}, {2, 3, -5.9995, true},    {2, 3, -5.99, false}, {1, 3, 5, false},
        {2, 2, 1.5, true},    {0, 3, -4.0000001, true}, {2, 2, -1.5, false},
    };
    nifti_2_header h = header(DT_UINT8);
    plain("a.nii", &h);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        h = header(DT_UINT8);
        double *rows[] = {h.srow_x, h.srow_y, h.srow_z};
        rows[cases[i].row][cases[i].column] = cases[i].value;
        h.pixdim[cases[i].column + 1] = cases[i].column < 3 ? fabs(cases[i].value) : 0;
        if (cases[i].row != cases[i].column)
            h.pixdim[cases[i].column + 1] = header(DT_UINT8).pixdim[cases[i].column + 1];
        put("b.nii.gz", NULL, &h, 1 + (int)i % 2, false, values(), N);
        const char *word = cases[i].same ? NULL : "sform [1 0 0 -4; 0 1.25 0 -5; 0 0 1.5 -6] and sform [";
        expect("$box dice a.nii b.nii.gz", cases[i].same ? 0 : 2, word, NULL);
        expect("$rgb $S a.nii a.nii b.nii.gz -o x.nii", cases[i].same ? 0 : 2, word, NULL);
    }
    expect("$box dice b.nii.gz a.nii", 2, "b.nii.gz and a.nii do not lie on one grid", "[1 0 0 -4;");
}

static void forms_of_other_kinds_are_compared(void **state) {
    (void)state;
    nifti_2_header h = header(DT_UINT8);
    plain("s.nii", &h);
    h.sform_code = 0;
    h.qform_code = 1;
    h.qoffset_x = -4, h.qoffset_y = -5, h.qoffset_z = -6;
    plain("q.nii", &h);
    expect_not("$box dice s.nii q.nii", "warning");
    h.quatern_d = 1; /* half a turn about z */
    plain("turned.nii", &h);
    expect("$box dice s.nii turned.nii", 2, "one grid", "qform [-1 ");
    h.qform_code = 0;
    plain("none.nii", &h);
    expect("$box dice s.nii none.nii", 0, "warning: none.nii does not say where left and right are", NULL);
    expect("$box dice none.nii s.nii", 0, "warning: none.nii does not say where left and right are", NULL);
    expect_not("$box dice none.nii none.nii", "warning");
    h.pixdim[1] = 2;
    plain("other.nii", &h);
    expect("$box dice none.nii other.nii", 2, "one grid", "pixdim [2 0 0 0;");
    h = header(DT_UINT8); /* the same in micrometres */
    h.xyzt_units = NIFTI_UNITS_MICRON;
    for (int i = 0; i < 4; i++)
        h.srow_x[i] *= 1000, h.srow_y[i] *= 1000, h.srow_z[i] *= 1000, h.pixdim[i] *= 1000;
    plain("micro.nii", &h);
    expect_not("$box dice s.nii micro.nii", "warning");
    for (int i = 0; i < 3; i++) h.srow_x[i] /= 1000, h.srow_y[i] /= 1000, h.srow_z[i] /= 1000;
    h.srow_x[3] = h.srow_y[3] = h.srow_z[3] = 0;
    plain("small.nii", &h);
    h.srow_x[3] = 0.5; /* half a voxel of 1 micrometre: far less than a thousandth of a mm */
    plain("moved.nii", &h);
    expect("$box dice small.nii moved.nii", 2, "one grid", NULL);
}

static void headers_that_contradict_themselves(void **state) {
    (void)state;
    nifti_2_header h = header(DT_UINT8);
    plain("good.nii", &h);
    expect_not("$box $S good.nii -o x.nii --overlay x.png", "warning");
    h.pixdim[1] = 1.009;
    plain("near.nii", &h);
    expect_not("$box $S near.nii -o x.nii", "warning");
    h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = 2;
    plain("stale.nii", &h);
    expect("$box $S stale.nii -o x.nii", 0,
           "pixdim gives the voxel size 2x2x2 mm, but the sform's columns are "
           "1x1.25x1.5 mm long",
           "pixdim is used for sizes");
    expect("$box dice stale.nii good.nii", 0, "pixdim is used for sizes", "Dice 1.0000");
    h = header(DT_UINT8);
    h.qform_code = 2;
    h.quatern_b = 1;
    plain("disagree.nii", &h);
    expect("$box $S disagree.nii -o x.nii", 0, "the sform says that the axes run to RAS, the qform to RPI",
           "the sform is used");
    h.quatern_b = 0, h.pixdim[0] = -1;
    plain("qfac.nii", &h);
    expect("$box $S qfac.nii -o x.nii", 0, "the qform to RAI", NULL);
    static const double broken[][2] = {{0, 0}, {NAN, 0}, {INFINITY, 0}, {1e30, 0}, {1e-30, 0}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        h = header(DT_UINT8);
        h.srow_x[0] = broken[i][0];
        plain("broken.nii", &h);
        expect("$box $S broken.nii -o x.nii --overlay x.png", 0, "the sform is no map to three directions",
               "the overlay has no letters");
        h.qform_code = 1;
        plain("broken.nii", &h);
        expect("$box $S broken.nii -o x.nii --overlay x.png", 0, "the qform is used", NULL);
        h.quatern_b = NAN;
        plain("broken.nii", &h);
        expect("$box $S broken.nii -o x.nii --overlay x.png", 0, "where left and right are is unknown", NULL);
    }
}

static size_t white_pixels(const char *name) {
    char *path = test_format("%s/%s", folder, name);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path) != 0);
    image.format = PNG_FORMAT_RGB;
    unsigned char *rgb = malloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL) != 0);
    size_t n = 0;
    for (size_t i = 0; i < PNG_IMAGE_SIZE(image); i += 3)
        n += rgb[i] == 255 && rgb[i + 1] == 255 && rgb[i + 2] == 255;
    free(rgb);
    free(path);
    return n;
}

static void letters_only_where_left_and_right_are_known(void **state) {
    (void)state;
    double black[N] = {0};
    nifti_2_header h = header(DT_UINT8);
    put("known.nii", NULL, &h, 1, false, black, N);
    h.sform_code = 0;
    put("unknown.nii", NULL, &h, 1, false, black, N);
    expect("$box $S known.nii -o x.nii --overlay known.png", 0, NULL, NULL);
    expect("$box $S unknown.nii -o x.nii --overlay unknown.png", 0, "does not say where left and right are",
           NULL);
    assert_true(white_pixels("known.png") > 100);
    assert_int_equal(white_pixels("unknown.png"), 0);
}

static void absurd_voxel_sizes_are_unknown(void **state) {
    (void)state;
    static const double sizes[][3] = {{1e308, 1e-308, 1}, {INFINITY, 1, 1}, {NAN, NAN, NAN}, {0, 0, 0},
                                      {1e-7, 1, 1},       {1, 1, 1.1e6},    {-1, -1e300, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        nifti_2_header h = header(DT_INT16);
        h.sform_code = 0;
        memcpy(h.pixdim + 1, sizes[i], sizeof sizes[i]);
        put("absurd.nii", NULL, &h, 2, false, values(), N);
        expect("$box $S absurd.nii -o x.nii --overlay x.png", 0, "does not say how large its voxels are",
               NULL);
        expect("$mm $S absurd.nii -o x.nii", 2, "gives no voxel size along", "1e-6 to 1e6 mm");
    }
    nifti_2_header h = header(DT_INT16); /* known, if odd: a picture that is a line */
    h.sform_code = 0;
    h.pixdim[1] = 1e-6, h.pixdim[2] = 1e6, h.pixdim[3] = 1;
    put("odd.nii", NULL, &h, 2, false, values(), N);
    expect_not("$box $S odd.nii -o x.nii --overlay x.png", "how large");
    no_temporaries();
}

static void resampling_that_explodes_is_asked_about(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    h.sform_code = 0;
    h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = 3.9;
    plain("grows.nii", &h); /* 35 * 31 * 27 / 504: 58 times */
    expect("$mm $S grows.nii -o x.nii", 0, NULL, NULL);
    h.pixdim[1] = 5;
    h.xyzt_units = 0;
    plain("more.nii", &h); /* 45 * 31 * 27 */
    expect("$mm $S more.nii -o x.nii", 2,
           "9x8x7 voxels of 5x3.9x3.9 mm (the header names no unit: taken for mm)",
           "would become 45x31x27 of 1x1x1 mm, 75 times as many, in 150660 bytes: --force");
    expect("$mm $S more.nii -o x.nii --force", 0, "names no unit for its voxel size", NULL);
    h.pixdim[1] = 10000;
    plain("axis.nii", &h);
    expect("$mm $S axis.nii -o x.nii --force", 2, "would become 90000 of 1 mm along x", "at most 65536");
#ifndef __SANITIZE_ADDRESS__ /* that ends the program itself where calloc fails */
    h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = 7000;
    plain("all.nii", &h);
    expect("$mm $S all.nii -o x.nii --force", 1,
           "not enough memory for the prepared volume, 63000x56000x49000 voxels made of 9x8x7 voxels of "
           "7000x7000x7000 mm (the header names no unit",
           "(691488000000000 bytes)");
#endif
    no_temporaries();
}

/* ---- outputs --------------------------------------------------------------------------------- */

static void outputs_never_touch_a_file_that_is_read(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    put("pair.hdr", "pair.img", &h, 1, false, values(), N);
    put("BIG.HDR", "BIG.IMG", &h, 1, false, values(), N);
    plain("p.nii", &h);
    expect("rm -f x.nii new.nii; ln -f pair.img hard.nii; ln -sf pair.hdr soft.nii; ln -sf good.weights "
           "w.nii; ln -f p.nii twin.png; "
           "cat pair.* BIG.* p.nii good.weights | cksum >before",
           0, NULL, NULL);
    static const char *const lines[] = {"pair.hdr -o hard.nii",
                                        "pair.img -o soft.nii",
                                        "pair.hdr -o pair.img",
                                        "pair.hdr -o x.nii --overlay pair.img",
                                        "pair.img -o x.nii --overlay pair.hdr",
                                        "BIG.HDR -o x.nii --overlay ./BIG.IMG",
                                        "pair.hdr -o x.nii --scores ../$(basename $PWD)/pair.img",
                                        "p.nii -o w.nii",
                                        "p.nii -o ./p.nii",
                                        "p.nii -o $PWD//p.nii",
                                        "p.nii -o x.nii --overlay twin.png",
                                        "p.nii p.nii p.nii -o p.nii"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *line = test_format("$box $S %s", lines[i]);
        expect(line, 2, "would overwrite an input", NULL);
        free(line);
    }
    expect("cat pair.* BIG.* p.nii good.weights | cksum | cmp - before", 0, NULL, NULL);
    static const char *const twice[] = {
        "-o new.nii --overlay ./new.nii",   "-o new.nii --scores $PWD/new.nii",
        "-o new.nii --scores dangling.nii", "-o chain.nii --scores new.nii",
        "-o one.nii --scores two.nii",      "-o sub/../new.nii --scores new.nii"};
    expect("mkdir -p sub; ln -sf new.nii dangling.nii; ln -sf sub/../dangling.nii chain.nii; echo >one.nii; "
           "ln -f one.nii two.nii",
           0, NULL, NULL);
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
        char *line = test_format("$box $S p.nii %s", twice[i]);
        expect(line, 2, "is to hold two results", NULL);
        free(line);
    }
    expect("mkfifo both.nii; timeout 20 $box $S both.nii -o both.nii", 2, "would overwrite", NULL);
    expect("$box $S p.nii -o /dev/null --scores /dev/null", 0, NULL, NULL);
    expect("test ! -e new.nii && test ! -e x.nii", 0, NULL, NULL);
    expect("$box bench -n 1 $W --profile w.nii", 2, "would overwrite", NULL);
    no_temporaries();
}

static void outputs_through_links_and_long_names(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    plain("p.nii", &h);
    expect("ln -sf target.nii link.nii; $box $S p.nii -o link.nii && test -L link.nii && test -f target.nii",
           0, NULL, NULL);
    expect("mkdir -p deep; ln -sf deep/there.nii far.nii; $box $S p.nii -o far.nii && cmp deep/there.nii "
           "target.nii",
           0, NULL, NULL);
    expect("ln -sf gone/there.nii lost.nii; $box $S p.nii -o lost.nii", 2, "cannot write", "No such file");
    for (int n = 240; n <= 256; n++) {
        char *line =
            test_format("n=$(printf '%%0%dd' 0); $box $S p.nii -o $n.nii && cmp $n.nii target.nii && rm "
                        "$n.nii; c=$?; $box $S p.nii -q -o /dev/null; exit $c",
                        n - 4);
        expect(line, n <= 255 ? 0 : 2, n <= 255 ? NULL : "File name too long", NULL);
        free(line);
    }
    expect(
        "a=$(printf '%0251d' 1); b=$(printf '%0247d' 0)2; $box $S p.nii -o $a.nii --scores $b.nii --overlay "
        "$b.png -q && rm $a.nii $b.nii",
        0, NULL, NULL); /* as temporaries the names would be the same */
    no_temporaries();
}

static void outputs_to_streams(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    plain("p.nii", &h);
    expect("$box $S p.nii -o o.nii", 0, NULL, NULL);
    expect("$box $S p.nii -o /dev/stdout 2>/dev/null | cmp - o.nii", 0, NULL, NULL);
    expect("mkdir -p clean; $box $S p.nii -o /dev/stdout >clean/o.nii && cmp clean/o.nii o.nii && ls clean",
           0, "o.nii\n", "9x8x7 voxels");
    expect("$box $S p.nii -o /dev/fd/5 -q 5>clean/5.nii && cmp clean/5.nii o.nii", 0, NULL, NULL);
    expect("echo x >clean/a; $box $S p.nii -o /dev/stdout -q >>clean/a && tail -c +3 clean/a | cmp - o.nii",
           0, NULL, NULL);
    expect("$box $S p.nii -o /dev/fd/77", 2, "cannot write /dev/fd/77", "Bad file descriptor");
    expect("$box $S p.nii -o o.nii --overlay /dev/stdout -q | head -c 4 | grep -q PNG", 0, NULL, NULL);
    expect("mkfifo out.nii; cat out.nii >clean/f & timeout 20 $box $S p.nii -o out.nii -q && wait && cmp "
           "clean/f "
           "o.nii",
           0, NULL, NULL);
    expect("$box $S p.nii -o /dev/full", 1, "No space left", NULL);
    expect("ulimit -f 1; $box $S p.nii -o limit.nii --scores scores.nii", 1, "cannot write",
           "File too large");
    expect("test ! -e limit.nii && test ! -e scores.nii", 0, NULL, NULL);
    expect("$box $S p.nii -o /dev/stdout >/dev/full", 1, "No space left", NULL);
    expect("$box $S p.nii -o CAPITALS.NII.GZ && gzip -dc <CAPITALS.NII.GZ | cmp - o.nii", 0, NULL, NULL);
    assert_true(test_exists("/dev/full") && test_exists("/dev/null"));
    if (geteuid() != 0) expect("mkdir -p ro; chmod 555 ro; $box $S p.nii -o ro/x.nii", 2, "ermission", NULL);
    no_temporaries();
}

static void compiler_says_what_it_reads_twice(void **state) {
    (void)state;
    TEST_NEEDS(test_voxc());
    char *root = getcwd(NULL, 0);
    char *voxc =
        *test_voxc() == '/' ? test_format("%s", test_voxc()) : test_format("%s/%s", root, test_voxc());
    static const char yaml[] =
        "name: n\ninputs:\n  x: {type: f32, shape: [1, 1, 4, 4, 4]}\nlayers:\n  - c: {conv: "
        "{channels: 1, kernel: 1}}\noutputs: [c]\n";
    char *path = test_format("%s/n.yaml", folder);
    test_write(path, yaml, sizeof yaml - 1);
    static const char *const ends_of[] = {"yaml", "onnx", "ir"};
    for (int i = 0; i < 3; i++) {
        char *line = test_format("mkfifo m.%s; timeout 20 %s compile m.%s --init 1 -o bundle", ends_of[i],
                                 voxc, ends_of[i]);
        expect(line, 2, "not a regular file", "read more than once");
        free(line);
    }
    char *line = test_format("cat n.yaml >m.yaml & timeout 20 %s inspect m.yaml", voxc);
    expect(line, 0, "x f32[1,1,4,4,4]", NULL);
    free(line);
    line = test_format("mkfifo w.safetensors; timeout 20 %s verify n.yaml --weights w.safetensors", voxc);
    expect(line, 2, "w.safetensors: not a regular file", NULL);
    free(line);
    free(path);
    free(voxc);
    free(root);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_file_type_version_and_byte_order),
        cmocka_unit_test(the_image_that_was_named_is_the_one_read),
        cmocka_unit_test(pipes_are_read_once),
        cmocka_unit_test(arrays_come_through_pipes_too),
        cmocka_unit_test(wrong_files_are_named),
        cmocka_unit_test(shapes_that_are_no_volume),
        cmocka_unit_test(offsets_and_scales),
        cmocka_unit_test(voxels_that_float32_cannot_hold_are_named),
        cmocka_unit_test(grids_of_several_files_must_agree),
        cmocka_unit_test(forms_of_other_kinds_are_compared),
        cmocka_unit_test(headers_that_contradict_themselves),
        cmocka_unit_test(letters_only_where_left_and_right_are_known),
        cmocka_unit_test(absurd_voxel_sizes_are_unknown),
        cmocka_unit_test(resampling_that_explodes_is_asked_about),
        cmocka_unit_test(outputs_never_touch_a_file_that_is_read),
        cmocka_unit_test(outputs_through_links_and_long_names),
        cmocka_unit_test(outputs_to_streams),
        cmocka_unit_test(compiler_says_what_it_reads_twice),
    };
    if (getenv("FAKE_MODEL") != NULL) return vox_program_main(argc, argv, fake_model(getenv("FAKE_MODEL")));
    return cmocka_run_group_tests(tests, setup, teardown);
}
