/* test_picture.c: pictures of slices: they decode, have the right size, stand the right way up whatever the order of
 * the file, say where left and right are, and are coloured where labels are. */
#include "picture_lib.h"

#include <png.h>

#include "colours.h"
#include "../runtime/program/picture_canvas.h"

typedef struct decoded {
    int width, height;
    unsigned char *rgb;
} decoded;

typedef int write_fn(const vox_output *file, const vox_picture *p);

static decoded draw(write_fn *write, const vox_picture *picture) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    char *path = test_format("%s/o.png", folder);
    vox_output o;
    assert_int_equal(vox_output_open(&o, path), 0);
    assert_int_equal(write(&o, picture), 0);
    assert_int_equal(vox_output_commit(&o), 0);
    assert_true(png_image_begin_read_from_file(&image, path) != 0);
    assert_int_equal(image.format, PNG_FORMAT_RGB);
    decoded d = {
        .width = (int)image.width, .height = (int)image.height, .rgb = malloc(PNG_IMAGE_SIZE(image))};
    assert_true(png_image_finish_read(&image, NULL, d.rgb, 0, NULL) != 0);
    free(path);
    return d;
}

static const unsigned char *pixel(const decoded *p, int x, int y) {
    assert_true(x >= 0 && y >= 0 && x < p->width && y < p->height);
    return p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
}

static bool grey(const unsigned char *c) {
    return c[0] == c[1] && c[1] == c[2];
}

/* Whether a character of twice its size stands with its upper left corner there. */
static bool letter_at(const decoded *p, char c, int x, int y) {
    for (int j = 0; j < VOX_GLYPH_HEIGHT; j++) {
        for (int i = 0; i < VOX_GLYPH_WIDTH; i++) {
            const bool set = vox_glyph(c)[j] >> (VOX_GLYPH_WIDTH - 1 - i) & 1;
            if (set != (pixel(p, x + 2 * i, y + 2 * j)[0] == 255)) return false;
        }
    }
    return true;
}

/* 20 x 30 x 10 voxels of 1 x 1 x 2 mm: grey rises to the patient's right; label 2 in a box. */
static double rises_to_the_right(int x, int y, int z) {
    (void)y;
    (void)z;
    return 10 * x;
}

static int box_of_two(int x, int y, int z) {
    return x >= 12 && x <= 16 && y >= 14 && y <= 18 && z >= 6 && z <= 8 ? 2 : 0;
}

static const patient head = {{20, 30, 10}, {1, 1, 2}, rises_to_the_right, box_of_two};
static const storage plain = {"RAS", VOX_VOXEL_F32, 0, false, false, VOX_IMAGE_NIFTI};

/* Where the colour is within columns left..right. */
static void bounds(const decoded *p, const unsigned char colour[3], int left, int right, int box[4]) {
    memcpy(box, (const int[]){1 << 20, -1, 1 << 20, -1}, 4 * sizeof *box);
    for (int y = 0; y < 592; y++) {
        for (int x = left; x < right; x++) {
            if (memcmp(pixel(p, x, y), colour, 3) != 0) continue;
            if (x < box[0]) box[0] = x;
            if (x > box[1]) box[1] = x;
            if (y < box[2]) box[2] = y;
            if (y > box[3]) box[3] = y;
        }
    }
}

static void assert_near(int value, double expected) {
    assert_true(fabs(value - expected) <= 2);
}

static void sizes_places_and_colours(void **state) {
    (void)state;
    subject s = make_subject(&head, &plain);
    decoded p = draw(vox_overlay_write, picture_of(&s));
    unsigned char colour[3];
    int box[4];
    /* 20 x 30 x 20 mm at 19.2 pixels per mm: 576x384, 384x384, 384x576, gaps of 8, one line of legend. */
    assert_int_equal(p.width, 8 + 576 + 8 + 384 + 8 + 384 + 8);
    assert_int_equal(p.height, 576 + 16 + 20 + 8);
    vox_overlay_colour(2, colour);
    /* Sagittal: y 14..18 of 30, anterior on the left; z 6..8 of 10, superior up, in the middle of the height. */
    bounds(&p, colour, 8, 8 + 576, box);
    assert_near(box[0], 8 + 19.2 * 11);
    assert_near(box[1], 8 + 19.2 * 16);
    assert_near(box[2], 8 + 96 + 38.4 * 1);
    assert_near(box[3], 8 + 96 + 38.4 * 4);
    /* Coronal: x 12..16 of 20, the patient's right on the left. */
    bounds(&p, colour, 592, 592 + 384, box);
    assert_near(box[0], 592 + 19.2 * 3);
    assert_near(box[1], 592 + 19.2 * 8);
    assert_near(box[2], 8 + 96 + 38.4 * 1);
    assert_near(box[3], 8 + 96 + 38.4 * 4);
    /* Axial: anterior up. */
    bounds(&p, colour, 984, 984 + 384, box);
    assert_near(box[0], 984 + 19.2 * 3);
    assert_near(box[1], 984 + 19.2 * 8);
    assert_near(box[2], 8 + 19.2 * 11);
    assert_near(box[3], 8 + 19.2 * 16);
    /* Grey rises to the patient's right; inside the label it shines through. */
    assert_true(pixel(&p, 600, 400)[0] > 240 && pixel(&p, 970, 400)[0] < 15);
    assert_true(grey(pixel(&p, 700, 400)) && !grey(pixel(&p, 984 + 100, 8 + 260)));
    assert_memory_equal(pixel(&p, 10, 8 + 576 + 16 - 8 + 8 + 2), colour, 3); /* the legend's swatch */
    free(p.rgb);
    free_subject(&s);
}

/* Never so bright as letters are, but for one voxel. */
static double dim_but_for_one(int x, int y, int z) {
    return x + y + z == 0 ? 400 : 5 * x;
}

static void letters_say_where_the_patient_is(void **state) {
    (void)state;
    const patient dim = {{20, 30, 10}, {1, 1, 2}, dim_but_for_one, box_of_two};
    subject s = make_subject(&dim, &plain);
    s.picture.window[1] = 100;
    decoded p = draw(vox_overlay_write, picture_of(&s));
    const int middle = 8 + 576 / 2 - 7;
    assert_true(letter_at(&p, 'A', 8 + 4, middle) && letter_at(&p, 'P', 8 + 576 - 14, middle));
    assert_true(letter_at(&p, 'S', 8 + 283, 104 + 4) && letter_at(&p, 'I', 8 + 283, 104 + 384 - 18));
    assert_true(letter_at(&p, 'R', 592 + 4, middle) && letter_at(&p, 'L', 592 + 384 - 14, middle));
    assert_true(letter_at(&p, 'R', 984 + 4, middle) && letter_at(&p, 'L', 984 + 384 - 14, middle));
    assert_true(letter_at(&p, 'A', 984 + 187, 8 + 4) && letter_at(&p, 'P', 984 + 187, 8 + 576 - 18));
    free(p.rgb);
    free_subject(&s);
}

/* Any order, type, stride and scaling of the file gives the same picture. */
static void storage_does_not_matter(void **state) {
    (void)state;
    static const storage ways[] = {
        {"LPI", VOX_VOXEL_F32, 0, false, false, VOX_IMAGE_NRRD},
        {"PIR", VOX_VOXEL_I16, 0, false, false, VOX_IMAGE_NIFTI},
        {"ASR", VOX_VOXEL_U8, 0, true, false, VOX_IMAGE_META},
        {"LIA", VOX_VOXEL_F64, 8, true, true, VOX_IMAGE_NIFTI},
        {"SRA", VOX_VOXEL_I16, 2, false, true, VOX_IMAGE_DICOM},
        {"IPL", VOX_VOXEL_F32, 4, true, true, VOX_IMAGE_NIFTI},
    };
    subject s = make_subject(&head, &plain);
    decoded a = draw(vox_overlay_write, picture_of(&s)), b = draw(vox_montage_write, picture_of(&s));
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        subject t = make_subject(&head, &ways[i]);
        decoded c = draw(vox_overlay_write, picture_of(&t));
        assert_int_equal(a.width, c.width);
        assert_int_equal(a.height, c.height);
        assert_memory_equal(a.rgb, c.rgb, 3 * (size_t)a.width * (size_t)a.height);
        free(c.rgb);
        c = draw(vox_montage_write, picture_of(&t)); /* slices there have the file's numbers */
        assert_int_equal(b.width, c.width);
        assert_int_equal(b.height, c.height);
        free(c.rgb);
        free_subject(&t);
    }
    free(a.rgb);
    free(b.rgb);
    free_subject(&s);
}

/* Oblique axes are shown along themselves, by the nearest names. */
static void oblique_is_nearly_straight(void **state) {
    (void)state;
    static const double turned[3][3] = {{0.96, -0.28, 0}, {0.28, 0.96, 0}, {0, 0, 1}};
    subject s = make_subject(&head, &plain);
    decoded a = draw(vox_overlay_write, picture_of(&s));
    memcpy(s.image.volume.direction, turned, sizeof turned);
    decoded b = draw(vox_overlay_write, &s.picture);
    assert_memory_equal(a.rgb, b.rgb, 3 * (size_t)a.width * (size_t)a.height);
    free(a.rgb);
    free(b.rgb);
    free_subject(&s);
}

/* Without directions there are no letters; NIfTI stands as if it had them, others as they lie. */
static void unknown_directions(void **state) {
    (void)state;
    const storage nifti = {NULL, VOX_VOXEL_F32, 0, false, false, VOX_IMAGE_NIFTI};
    const storage stack = {NULL, VOX_VOXEL_F32, 0, false, false, VOX_IMAGE_TIFF};
    const storage same = {"LPI", VOX_VOXEL_F32, 0, false, false, VOX_IMAGE_NIFTI};
    subject s = make_subject(&head, &plain), t = make_subject(&head, &nifti), u = make_subject(&head, &stack);
    subject turned = make_subject(&head, &same);
    memcpy(turned.labels, u.labels,
           6000 * sizeof *u.labels); /* u's voxels, said to run to left, posterior, inferior */
    memcpy(turned.image.memory, u.image.memory, 6000 * sizeof(float));
    decoded a = draw(vox_overlay_write, picture_of(&s)), b = draw(vox_overlay_write, picture_of(&t));
    decoded c = draw(vox_overlay_write, picture_of(&u)), d = draw(vox_overlay_write, picture_of(&turned));
    size_t nifti_differs = 0, stack_differs = 0;
    for (size_t i = 0; i < 3 * (size_t)a.width * (size_t)a.height; i++) {
        nifti_differs += a.rgb[i] != b.rgb[i];
        stack_differs += c.rgb[i] != d.rgb[i];
    }
    assert_true(nifti_differs > 100 && nifti_differs < 12 * 3 * 12 * 18); /* twelve letters */
    assert_true(stack_differs > 100 && stack_differs < 12 * 3 * 12 * 18);
    assert_false(letter_at(&b, 'R', 984 + 4, 8 + 576 / 2 - 7));
    assert_true(pixel(&c, 984 + 10, 100)[0] < 15); /* i to the right: grey rises that way */
    subject *all[] = {&s, &t, &u, &turned};
    decoded *pictures[] = {&a, &b, &c, &d};
    for (int i = 0; i < 4; i++) {
        free(pictures[i]->rgb);
        free_subject(all[i]);
    }
}

static void voxels_are_cubes_where_unknown(void **state) {
    (void)state;
    const patient unknown = {{20, 30, 10}, {1, 0, 1}, rises_to_the_right, box_of_two};
    subject s = make_subject(&unknown, &plain);
    decoded p = draw(vox_overlay_write, picture_of(&s));
    /* 20 x 30 x 10 at 34.13 pixels (1024 / 30): below 38.4 (384 / 10) */
    assert_int_equal(p.width, 8 + 1024 + 8 + 683 + 8 + 683 + 8);
    free(p.rgb);
    free_subject(&s);
}

/* Percentiles become black and white: of 0, 10, ..., 190 the 5th is 9.5 and the 95th 180.5. */
static void window_is_what_was_asked_for(void **state) {
    (void)state;
    subject s = make_subject(&head, &plain);
    memset(s.labels, 0, 6000 * sizeof *s.labels);
    const vox_picture *p = picture_of(&s);
    decoded whole = draw(vox_overlay_write, p);
    s.picture.window[0] = 25;
    s.picture.window[1] = 75;
    decoded narrow = draw(vox_overlay_write, p);
    /* Voxel x = 12 of the axial slice, 7.5 voxels from the left of the picture: 120, of 0..190 and of 47.5..142.5. */
    const int at = 984 + (int)(7.5 * 19.2), down = 8 + 200;
    assert_int_equal(whole.width, narrow.width);
    assert_true(abs(pixel(&whole, at, down)[0] - 255 * 120 / 190) <= 2);
    assert_true(abs(pixel(&narrow, at, down)[0] - (int)(255 * 72.5 / 95)) <= 4);
    assert_int_equal(pixel(&narrow, 984 + 30, down)[0], 255);
    assert_int_equal(pixel(&narrow, 984 + 350, down)[0], 0);
    free(whole.rgb);
    free(narrow.rgb);
    free_subject(&s);
}

static int stripes(int x, int y, int z) {
    (void)y;
    return x + 20 * z;
}

static void many_labels_and_strange_names(void **state) {
    (void)state;
    const char *const names[] = {NULL, "",
                                 "a \xc3\xa9\xff\x01name that is so long that it must be cut somewhere, but "
                                 "where nobody knows, since it goes on and on and on"};
    const unsigned char colours[3][3] = {{0}, {1, 2, 3}, {4, 5, 6}};
    const patient many = {{20, 30, 10}, {1, 1, 2}, rises_to_the_right, stripes};
    subject s = make_subject(&many, &plain);
    s.picture = (vox_picture){.names = names, .n_names = 3, .colours = colours};
    decoded p = draw(vox_overlay_write, picture_of(&s));
    /* Own colours are taken, also in the legend; 48 entries, then how many more. */
    assert_memory_equal(pixel(&p, 10, 602), colours[1], 3);
    assert_memory_equal(pixel(&p, 10, 622), colours[2], 3);
    assert_true((p.height - 592) % 20 == 8 && p.height > 592 + 24 * 20);
    free(p.rgb);
    free_subject(&s);
}

static void extremes(void **state) {
    (void)state;
    static const int dims[][3] = {{1, 1, 1}, {4096, 1, 1}, {1, 64, 64}, {3, 2, 1}};
    for (size_t i = 0; i < sizeof dims / sizeof *dims; i++) {
        const patient p = {{dims[i][0], dims[i][1], dims[i][2]}, {0}, rises_to_the_right, box_of_two};
        subject s = make_subject(&p, &plain);
        memset(s.image.memory, 0, sizeof(float)); /* one value or few */
        for (int k = 0; k < 2; k++) {
            decoded d = draw(k ? vox_montage_write : vox_overlay_write, picture_of(&s));
            assert_true(d.width <= 3 * 1024 + 32 && d.height <= 1024 + 16 + 28);
            free(d.rgb);
        }
        free_subject(&s);
    }
}

/* 100 slices: 64 are shown of those with labels and a tenth more. */
static int low_label(int x, int y, int z) {
    return x == 3 && y == 4 && z >= 20 && z < 40;
}

static void montage_shows_where_labels_are(void **state) {
    (void)state;
    const patient tall = {{10, 12, 100}, {1, 1, 1}, rises_to_the_right, low_label};
    subject s = make_subject(&tall, &plain);
    decoded p = draw(vox_montage_write, picture_of(&s));
    unsigned char colour[3];
    vox_overlay_colour(1, colour);
    /* z 18..41: 24 slices of 160x192, 8 columns (1.5 to 1), superior first */
    assert_int_equal(p.width, 8 + 7 * 168);
    assert_int_equal(p.height, 8 + 4 * 200 + 28);
    int with = 0;
    for (int i = 0; i < 28; i++) {
        bool some = false;
        for (int y = 0; y < 192; y++)
            for (int x = 0; x < 160; x++)
                some |= memcmp(pixel(&p, 8 + i % 7 * 168 + x, 8 + i / 7 * 200 + y), colour, 3) == 0;
        with += some;
        if (i < 2 || i >= 22) assert_false(some);
    }
    assert_int_equal(with, 20);
    free(p.rgb);
    free_subject(&s);
}

static void full_disk_is_reported(void **state) {
    (void)state;
    subject s = make_subject(&head, &plain);
    vox_output o;
    assert_int_equal(vox_output_open(&o, "/dev/full"), 0);
    int code = vox_overlay_write(&o, picture_of(&s));
    if (code == 0) code = vox_output_commit(&o);
    assert_int_equal(code, 1);
    vox_output_abort(&o);
    assert_true(access("/dev/full", F_OK) == 0);
    free_subject(&s);
}

static void colours_differ(void **state) {
    (void)state;
    unsigned char colour[130][3];
    for (int l = 1; l <= 129; l++) vox_overlay_colour(l, colour[l]);
    for (int a = 1; a <= 128; a++)
        for (int b = 1; b < a; b++) assert_memory_not_equal(colour[a], colour[b], 3);
    assert_memory_equal(colour[129], colour[1], 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_places_and_colours),
        cmocka_unit_test(letters_say_where_the_patient_is),
        cmocka_unit_test(storage_does_not_matter),
        cmocka_unit_test(oblique_is_nearly_straight),
        cmocka_unit_test(unknown_directions),
        cmocka_unit_test(voxels_are_cubes_where_unknown),
        cmocka_unit_test(window_is_what_was_asked_for),
        cmocka_unit_test(many_labels_and_strange_names),
        cmocka_unit_test(extremes),
        cmocka_unit_test(montage_shows_where_labels_are),
        cmocka_unit_test(full_disk_is_reported),
        cmocka_unit_test(colours_differ),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
