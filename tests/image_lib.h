/* image_lib.h: what the tests of image files share: a folder, values by their place, and what was said on standard
 * error. */
#ifndef VOXC_IMAGE_LIB_H
#define VOXC_IMAGE_LIB_H

#include "test.h"

#include <fcntl.h>

#include "image.h"
#include "image_parts.h"

static char *folder;

/* libhdf5 and libtiff ask for what a broken file says, and live with getting nothing. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "allocator_may_return_null=1";
}
/* libhdf5 forgets memory on broken files. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
    return "leak:libhdf5";
}

static TEST_UNUSED int make_folder(void **state) {
    (void)state;
    folder = test_tmpdir();
    return 0;
}

static TEST_UNUSED int remove_folder(void **state) {
    (void)state;
    test_rmdir(folder);
    return 0;
}

static TEST_UNUSED char *in_folder(const char *name) {
    return test_format("%s/%s", folder, name);
}

static TEST_UNUSED double value_at(const vox_image *m, int c, int k, int j, int i) {
    const vox_volume *v = &m->volume;
    const unsigned char *p = (const unsigned char *)v->data + c * v->channel + k * v->stride[2] +
                             j * v->stride[1] + i * v->stride[0];
    union {
        uint8_t u8;
        int8_t i8;
        uint16_t u16;
        int16_t i16;
        uint32_t u32;
        int32_t i32;
        float f32;
        double f64;
    } x;
    memcpy(&x, p, vox_image_type_bytes(v->type));
    const double values[VOX_VOXEL_TYPES] = {[VOX_VOXEL_U8] = v->type == VOX_VOXEL_U8 ? x.u8 : 0,
                                            [VOX_VOXEL_I8] = v->type == VOX_VOXEL_I8 ? x.i8 : 0,
                                            [VOX_VOXEL_U16] = v->type == VOX_VOXEL_U16 ? x.u16 : 0,
                                            [VOX_VOXEL_I16] = v->type == VOX_VOXEL_I16 ? x.i16 : 0,
                                            [VOX_VOXEL_U32] = v->type == VOX_VOXEL_U32 ? x.u32 : 0,
                                            [VOX_VOXEL_I32] = v->type == VOX_VOXEL_I32 ? x.i32 : 0,
                                            [VOX_VOXEL_F32] = v->type == VOX_VOXEL_F32 ? (double)x.f32 : 0,
                                            [VOX_VOXEL_F64] = v->type == VOX_VOXEL_F64 ? x.f64 : 0};
    return values[v->type] * v->slope + v->intercept;
}

/* By its number in the order [channel][z][y][x]. */
static TEST_UNUSED double value_of(const vox_image *m, int n) {
    const int *d = m->volume.dim;
    return value_at(m, n / (d[0] * d[1] * d[2]), n / (d[0] * d[1]) % d[2], n / d[0] % d[1], n % d[0]);
}

/* Reads; *said (malloc'd) is what that printed on standard error. */
static TEST_UNUSED int read_said(vox_image *m, const char *file, char **said) {
    char *log = in_folder("said.txt");
    size_t n;
    fflush(stderr);
    int real = dup(STDERR_FILENO), to = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(to, STDERR_FILENO);
    int code = vox_image_read(m, file);
    fflush(stderr);
    dup2(real, STDERR_FILENO);
    close(real);
    close(to);
    char *bytes = test_read(log, &n);
    *said = test_format("%.*s", (int)n, bytes);
    free(bytes);
    free(log);
    return code;
}

/* That a file is refused with this code, in one line that holds `part`. */
static TEST_UNUSED void refused(const char *file, int code, const char *part) {
    vox_image m;
    char *said;
    int got = read_said(&m, file, &said);
    char *end = strchr(said, '\n');
    if (got != code || strncmp(said, "error: ", 7) != 0 || strstr(said, part) == NULL || end == NULL ||
        end[1] != 0)
        fail_msg("%s: code %d (not %d), said: %s (not: %s)", file, got, code, said, part);
    free(said);
}

/* A file that was changed may be read or refused, in one line; it may not crash. */
static TEST_UNUSED void survives(const char *file) {
    vox_image m;
    char *said;
    int code = read_said(&m, file, &said);
    if (code == 0) {
        const vox_volume *v = &m.volume;
        double sum = 0;
        for (int c = 0; c < v->channels; c++)
            for (int n = 0; n < 3; n++) sum += value_at(&m, c, v->dim[2] - 1, v->dim[1] - 1, v->dim[0] - 1);
        if (isnan(sum)) fail_msg("%s: a value is not finite", file);
        vox_image_free(&m);
    } else if (code < 1 || code > 3 || strstr(said, "error: ") == NULL) {
        fail_msg("%s: code %d: %s", file, code, said);
    }
    free(said);
}

static TEST_UNUSED char *put_text(const char *name, const char *header, const void *data, size_t bytes) {
    char *path = in_folder(name);
    size_t n = strlen(header);
    char *all = malloc(n + bytes);
    memcpy(all, header, n);
    memcpy(all + n, data, bytes);
    test_write(path, all, n + bytes);
    free(all);
    return path;
}

/* Without an error or a warning; DICOM is read with a note. */
static TEST_UNUSED void read_well(vox_image *m, const char *path) {
    char *said;
    int code = read_said(m, path, &said);
    if (code != 0 || (said[0] != 0 && strncmp(said, "note: ", 6) != 0))
        fail_msg("%s: code %d: %s", path, code, said);
    free(said);
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

/* ---- every format there and back ------------------------------------------------------------- */

static const double rotated[3][4] = {{0.6, -0.64, 0.0, 11.5},
                                     {0.8, 0.48, 0.0, -7.25},
                                     {0.0, 0.0, 2.5, 130}}; /* columns of 1, 0.8 and 2.5 mm */

/* A grid of 5 x 4 x 3, with a place in the world or without. */
static TEST_UNUSED vox_image grid_of(bool directed) {
    vox_image m = {.volume = {.dim = {5, 4, 3}, .channels = 1, .slope = 1}};
    if (directed)
        vox_image_set_affine(&m, "grid", rotated);
    else
        vox_image_set_sizes(&m, (double[3]){1, 0.8, 2.5});
    return m;
}

static TEST_UNUSED float score_of(int n) {
    return (float)(n * 37 % 101) / 101;
}

static TEST_UNUSED int write_out(const char *path, const vox_image *like, const vox_image_content *c) {
    vox_image_writer w;
    const int n = 60 * c->channels;
    int code = vox_image_create(&w, path);
    if (code == 0) code = vox_image_begin(&w, like, c);
    for (int at = 0; at < n && code == 0; at += 7) { /* parts that are neither rows nor planes */
        uint16_t labels[7];
        float scores[7];
        const int m = n - at < 7 ? n - at : 7;
        for (int i = 0; i < m; i++) {
            labels[i] = (uint16_t)((at + i) * (c->type == VOX_IMAGE_U16 ? 1001 : 1) % 65536);
            scores[i] = score_of(at + i);
        }
        code = c->labels ? vox_image_put_labels(&w, labels, (size_t)m)
                         : vox_image_put_scores(&w, scores, (size_t)m);
    }
    return code == 0 ? vox_image_commit(&w) : code;
}

static TEST_UNUSED bool can(const char *name) {
    vox_image_format format;
    vox_image_library list[VOX_IMAGE_FORMATS];
    vox_image_libraries(list);
    assert_true(vox_image_format_of(name, &format));
    if (!list[format].available) print_message("skipped: %s: built without %s\n", name, list[format].package);
    return list[format].available;
}

static const char *const all_names[] = {"b.nii", "b.nii.gz",  "b.nrrd", "b.seg.nrrd",   "b.mha",
                                        "b.tif", "b.ome.tif", "b.npy",  "b.h5:/deep/er"};
enum { NAMES = sizeof all_names / sizeof *all_names };

#endif
