/* test_overlay.c: the picture of three slices: it decodes, has the right size, stands the right way up, and
 * is coloured where labels are. */
#include "test.h"

#include <png.h>

#include "../runtime/program/overlay.h"

static char *folder;

static int setup(void **state) {
    (void)state;
    folder = test_tmpdir();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    test_rmdir(folder);
    return 0;
}

typedef struct picture {
    png_image image;
    unsigned char *rgb;
} picture;

static picture draw(const vox_volume *v, const vox_geometry *g, const uint16_t *labels) {
    picture p = {.image = {.version = PNG_IMAGE_VERSION}};
    char *path = test_format("%s/o.png", folder);
    vox_output o;
    assert_int_equal(vox_output_open(&o, path), 0);
    assert_int_equal(vox_overlay_write(&o, v, g, labels), 0);
    assert_int_equal(vox_output_commit(&o), 0);
    assert_true(png_image_begin_read_from_file(&p.image, path) != 0);
    assert_int_equal(p.image.format, PNG_FORMAT_RGB);
    p.rgb = malloc(PNG_IMAGE_SIZE(p.image));
    assert_true(png_image_finish_read(&p.image, NULL, p.rgb, 0, NULL) != 0);
    free(path);
    return p;
}

static const unsigned char *pixel(const picture *p, int x, int y) {
    return p->rgb + 3 * ((size_t)y * p->image.width + (size_t)x);
}

static bool gray(const unsigned char *c) {
    return c[0] == c[1] && c[1] == c[2];
}

/* 20 x 30 x 10 voxels of 1 x 1 x 2 mm, grey = x; label 1 in one corner box, label 2 around the centre of
 * mass. */
static const vox_geometry ras = {.version = 1, .form = VOX_FORM_SFORM, .world = {0, 1, 2}};

static vox_volume make(uint16_t *labels) {
    vox_volume v = {.dim = {20, 30, 10}, .channels = 1, .spacing = {1, 1, 2}};
    v.data = malloc(6000 * sizeof *v.data);
    for (int i = 0; i < 6000; i++) {
        int x = i % 20, y = i / 20 % 30, z = i / 600;
        v.data[i] = (float)x;
        labels[i] = 0;
        if (x >= 12 && x <= 16 && y >= 14 && y <= 18 && z >= 6 && z <= 8) labels[i] = 2;
    }
    return v;
}

static void size_and_colours(void **state) {
    (void)state;
    uint16_t labels[6000];
    vox_volume v = make(labels);
    picture p = draw(&v, &ras, labels);
    /* 20 x 30 x 20 mm at 12.8 pixels per mm: 384x256, 256x256, 256x384, and gaps of 8. */
    assert_int_equal(p.image.width, 8 + 384 + 8 + 256 + 8 + 256 + 8);
    assert_int_equal(p.image.height, 384 + 16);
    unsigned char colour[3];
    int found[2] = {0}, left = 100000, right = 0, top = 100000, bottom = 0;
    vox_overlay_colour(2, colour);
    for (int y = 0; y < (int)p.image.height; y++) {
        for (int x = 400; x < 656; x++) { /* the coronal panel */
            const unsigned char *c = pixel(&p, x, y);
            found[gray(c)]++;
            if (memcmp(c, colour, 3) != 0) continue; /* the outline */
            left = x < left ? x : left;
            right = x > right ? x : right;
            top = y < top ? y : top;
            bottom = y > bottom ? y : bottom;
        }
    }
    /* Voxels x 12..16 of 20, the patient's right on the left; z 6..8 of 10, superior up. */
    assert_in_range(left, 400 + 12.8 * 3 - 2, 400 + 12.8 * 3 + 2);
    assert_in_range(right, 400 + 12.8 * 8 - 2, 400 + 12.8 * 8 + 2);
    assert_in_range(top, 72 + 25.6 * 1 - 2, 72 + 25.6 * 1 + 2);
    assert_in_range(bottom, 72 + 25.6 * 4 - 2, 72 + 25.6 * 4 + 2);
    assert_true(found[0] > 2000 && found[1] > 90000);
    /* grey = x rises to the patient's right, which is the left of the picture */
    assert_true(pixel(&p, 420, 300)[0] > 200 && pixel(&p, 640, 300)[0] < 50);
    free(p.rgb);
    free(v.data);
}

/* The same head stored with other axes gives the same picture. */
static void storage_order_does_not_matter(void **state) {
    (void)state;
    uint16_t labels[6000], other_labels[6000];
    vox_volume v = make(labels);
    vox_volume w = {.dim = {10, 20, 30}, .channels = 1, .spacing = {2, 1, 1}}; /* z down, x left, y forward */
    const vox_geometry g = {.version = 1, .form = VOX_FORM_SFORM, .world = {2, 0, 1}, .flipped = {1, 1, 0}};
    w.data = malloc(6000 * sizeof *w.data);
    for (int i = 0; i < 6000; i++) {
        int x = i % 20, y = i / 20 % 30, z = i / 600;
        int at = (y * 20 + (19 - x)) * 10 + (9 - z);
        w.data[at] = v.data[i];
        other_labels[at] = labels[i];
    }
    picture a = draw(&v, &ras, labels), b = draw(&w, &g, other_labels);
    assert_int_equal(a.image.width, b.image.width);
    assert_int_equal(a.image.height, b.image.height);
    size_t differ = 0;
    for (size_t i = 0; i < PNG_IMAGE_SIZE(a.image); i++) differ += abs(a.rgb[i] - b.rgb[i]) > 1;
    assert_true(differ < PNG_IMAGE_SIZE(a.image) / 200); /* outlines may round to the next pixel */
    free(a.rgb);
    free(b.rgb);
    free(v.data);
    free(w.data);
}

static void extremes(void **state) {
    (void)state;
    uint16_t labels[4096] = {0};
    static const int dims[][3] = {{1, 1, 1}, {4096, 1, 1}, {1, 64, 64}, {3, 2, 1}};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        vox_volume v = {.dim = {dims[i][0], dims[i][1], dims[i][2]},
                        .channels = 1}; /* spacing unknown, all black */
        v.data = calloc(4096, sizeof *v.data);
        picture p = draw(&v, &ras, labels);
        assert_true(p.image.width <= 3 * 1024 + 32 && p.image.height <= 1024 + 16);
        free(p.rgb);
        free(v.data);
    }
}

static void full_disk_is_reported(void **state) {
    (void)state;
    uint16_t labels[6000];
    vox_volume v = make(labels);
    vox_output o;
    assert_int_equal(vox_output_open(&o, "/dev/full"), 0);
    int code = vox_overlay_write(&o, &v, &ras, labels);
    if (code == 0) code = vox_output_commit(&o);
    assert_int_equal(code, 1);
    vox_output_abort(&o);
    assert_true(access("/dev/full", F_OK) == 0);
    free(v.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(size_and_colours),
        cmocka_unit_test(storage_order_does_not_matter),
        cmocka_unit_test(extremes),
        cmocka_unit_test(full_disk_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
