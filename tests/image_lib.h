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
        volatile double sum = 0;
        for (int c = 0; c < v->channels; c++)
            for (int n = 0; n < 3; n++) sum += value_at(&m, c, v->dim[2] - 1, v->dim[1] - 1, v->dim[0] - 1);
        vox_image_free(&m);
    } else if (code < 1 || code > 3 || strstr(said, "error: ") == NULL) {
        fail_msg("%s: code %d: %s", file, code, said);
    }
    free(said);
}

#endif
