/* program_lib.h: what the tests of a bundle's program share: it is run in a folder of its own; see test_program.c. */
#ifndef PROGRAM_LIB_H
#define PROGRAM_LIB_H

#include "test.h"

#include <fcntl.h>
#include <nifti2_io.h>
#include <signal.h>

#include "npy_port.h"
#include "../runtime/program/program.h"
#include "fake_model.h"

static char *folder, self[4096], weights[4096];

static int setup(void **state) {
    (void)state;
    folder = test_tmpdir();
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

/* Runs `model arguments` with the folder as working directory; %W in arguments is --weights GOOD. */
static int program(const char *model, const char *arguments, char **out) {
    char *text = test_format("%s", arguments), *w = strstr(text, "%W");
    char *line = w == NULL ? test_format("cd '%s' && FAKE_MODEL=%s '%s' %s", folder, model, self, text)
                           : test_format("cd '%s' && FAKE_MODEL=%s '%s' %.*s --weights %s %s", folder, model,
                                         self, (int)(w - text), text, weights, w + 2);
    int code = test_run(line, out);
    free(text);
    free(line);
    return code;
}

/* Exit code `code` and one line that holds every one of up to three words. */
static void expect(const char *model, const char *arguments, int code, const char *a, const char *b,
                   const char *c) {
    char *out = NULL;
    int got = program(model, arguments, &out);
    const char *words[3] = {a, b, c};
    if (got != code) fail_msg("%s %s: exit code %d, not %d: %s", model, arguments, got, code, out);
    for (int i = 0; i < 3; i++) {
        if (words[i] != NULL && strstr(out, words[i]) == NULL)
            fail_msg("%s %s: no '%s' in: %s", model, arguments, words[i], out);
    }
    if (code != 0) {
        const char *newline = strchr(out, '\n');
        if (newline == NULL || newline[1] != 0) fail_msg("%s %s: not one line: %s", model, arguments, out);
    }
    free(out);
}

static bool exists(const char *name) {
    char *path = test_format("%s/%s", folder, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static void no_temporaries(void) {
    char *line = test_format("ls '%s' | grep tmp", folder), *out = NULL;
    if (test_run(line, &out) == 0) fail_msg("left behind: %s", out);
    free(out);
    free(line);
}

static void write_npy(const char *name, const int *dim, int rank, float value) {
    char *path = test_format("%s/%s", folder, name);
    size_t n = vox_array_bytes(VOX_F32, rank, dim) / sizeof(float);
    float *x = malloc(n * sizeof *x);
    for (size_t i = 0; i < n; i++) x[i] = value;
    assert_int_equal(vox_npy_write_array(path, VOX_F32, rank, dim, x), 0);
    free(x);
    free(path);
}

/* A float32 NIfTI-1 volume of 1.5 mm voxels, its values from a function. */
static void write_volume(const char *name, int nx, int ny, int nz, int channels,
                         float (*f)(int x, int y, int z, int c)) {
    char *path = test_format("%s/%s", folder, name);
    const int64_t dim[8] = {channels > 1 ? 4 : 3, nx, ny, nz, channels, 1, 1, 1};
    nifti_image *image = nifti_make_new_nim(dim, DT_FLOAT32, 1);
    float *p = image->data;
    for (int c = 0; c < channels; c++) {
        for (int z = 0; z < nz; z++) {
            for (int y = 0; y < ny; y++) {
                for (int x = 0; x < nx; x++) *p++ = f(x, y, z, c);
            }
        }
    }
    image->dx = image->dy = image->dz = image->pixdim[1] = image->pixdim[2] = image->pixdim[3] = 1.5;
    image->qform_code = 1;
    image->qoffset_y = -17;
    nifti_set_filenames(image, path, 0, 1);
    nifti_image_write(image);
    nifti_image_free(image);
    free(path);
}

static nifti_image *read_image(const char *name) {
    char *path = test_format("%s/%s", folder, name);
    nifti_image *image = nifti_image_read(path, 1);
    assert_non_null(image);
    free(path);
    return image;
}

static float blob(int x, int y, int z, int c) {
    (void)c;
    return x >= 4 && x < 11 && y >= 3 && y < 9 && z >= 2 && z < 8 ? 1 : 0;
}

#endif
