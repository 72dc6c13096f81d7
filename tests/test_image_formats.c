/* test_image_formats.c: NRRD, MetaImage and .npy from bytes written by hand, and every format there and back. tests/volumes/formats_peers.sh compares with other people's libraries. */
#include "image_lib.h"
#include "vox_half.h"

#include <zlib.h>

static const unsigned char counting[24] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                           12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};

static void has_affine(const vox_image *m, const double affine[3][4]) {
    assert_true(m->directed);
    for (int r = 0; r < 3; r++)
        for (int k = 0; k < 4; k++)
            if (!(fabs(m->affine[r][k] - affine[r][k]) < 1e-9))
                fail_msg("affine[%d][%d] is %g, not %g", r, k, m->affine[r][k], affine[r][k]);
}

/* ---- by hand --------------------------------------------------------------------------------- */

#define NRRD_HEAD                                                                                            \
    "NRRD0005\n# made by hand\ntype: int16\ndimension: 3\nspace: left-posterior-superior\nsizes: 3 2 2\n"    \
    "space directions: (0,2,0) (-0.5,0,0) (0,0,3)\nkinds: domain domain domain\nspace origin: (10,20,-30)\n" \
    "some key:=some value: with a colon\nspace units: \"mm\" \"mm\" \"mm\"\n"

static void nrrd_by_hand(void **state) {
    (void)state;
    /* Big-endian int16: -2 and 256 first. x runs along -y of RAS, y along +x, z up. */
    static const unsigned char data[24] = {0xff, 0xfe, 1, 0, 0, 7};
    static const double affine[3][4] = {{0, 0.5, 0, -10}, {-2, 0, 0, -20}, {0, 0, 3, -30}};
    vox_image m;
    char *path = put_text("hand.nrrd", NRRD_HEAD "endian: big\nencoding: raw\n\n", data, sizeof data);
    read_well(&m, path);
    assert_int_equal(m.volume.type, VOX_VOXEL_I16);
    assert_true(value_of(&m, 0) == -2 && value_of(&m, 1) == 256 && value_of(&m, 2) == 7);
    assert_int_equal(m.volume.dim[0] * 100 + m.volume.dim[1] * 10 + m.volume.dim[2], 322);
    assert_true(m.volume.spacing[0] == 2 && m.volume.spacing[1] == 0.5 && m.volume.spacing[2] == 3);
    assert_true(m.volume.direction[1][0] == -1 && m.volume.direction[0][1] == 1);
    has_affine(&m, affine);
    vox_image_free(&m);
    free(path);
    /* Detached, with bytes before the voxels; and those at the end. */
    static const char *const skips[] = {"byte skip: 5\n", "byte skip: -1\n", "line skip: 1\nbyte skip: 1\n"};
    char *raw = put_text("hand.raw", "abc\n!", data, sizeof data);
    for (int i = 0; i < 3; i++) {
        char *header = test_format(NRRD_HEAD "endian: big\nencoding: raw\n%sdata file: hand.raw\n", skips[i]);
        path = put_text("hand.nhdr", header, "", 0);
        read_well(&m, path);
        assert_true(value_of(&m, 0) == -2 && value_of(&m, 2) == 7);
        vox_image_free(&m);
        free(path);
        free(header);
    }
    free(raw);
}

static void nrrd_channels_on_any_axis(void **state) {
    (void)state;
    static const struct {
        const char *fields;
        int first[3]; /* values of channel 0 at voxel 1, and of channels 1 and 2 at voxel 0 */
    } cases[] = {
        {"sizes: 3 2 2 2\nkinds: RGB-color domain domain domain\n", {3, 1, 2}},
        {"sizes: 2 3 2 2\nkinds: domain list domain domain\n", {1, 2, 4}},
        {"sizes: 2 2 2 3\nkinds: domain domain domain vector\n", {1, 8, 16}},
        {"sizes: 2 2 2 3\n", {1, 8, 16}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *header =
            test_format("NRRD0004\ntype: uchar\ndimension: 4\n%sencoding: raw\n\n", cases[i].fields);
        char *path = put_text("axes.nrrd", header, counting, sizeof counting);
        vox_image m;
        read_well(&m, path);
        assert_int_equal(m.volume.channels, 3);
        assert_int_equal(m.colours, i == 0 ? 3 : 1);
        assert_true(value_of(&m, 1) == cases[i].first[0] && value_of(&m, 8) == cases[i].first[1] &&
                    value_of(&m, 16) == cases[i].first[2]);
        vox_image_free(&m);
        free(path);
        free(header);
    }
}

static void meta_by_hand(void **state) {
    (void)state;
    static const double affine[3][4] = {{0, -0.5, 0, -10}, {-2, 0, 0, -20}, {0, 0, 3, -30}};
    unsigned char packed[256];
    uLongf n = sizeof packed;
    assert_int_equal(compress(packed, &n, counting, sizeof counting), Z_OK);
    const char *head = "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n%s"
                       "TransformMatrix = 0 1 0 1 0 0 0 0 1\nOffset = 10 20 -30\nElementSpacing = 2 0.5 3\n"
                       "DimSize = 3 2 2\nElementType = MET_USHORT\nElementDataFile = %s\n";
    vox_image m;
    for (int i = 0; i < 2; i++) {
        char *compressed = test_format("CompressedData = True\nCompressedDataSize = %lu\n", (unsigned long)n);
        char *header = test_format(head, i == 0 ? "" : compressed, "LOCAL");
        char *path = put_text("hand.mha", header, i == 0 ? counting : packed, i == 0 ? sizeof counting : n);
        read_well(&m, path);
        assert_int_equal(m.volume.type, VOX_VOXEL_U16);
        for (int v = 0; v < 12; v++) assert_true(value_of(&m, v) == 2 * v + 256 * (2 * v + 1));
        has_affine(&m, affine);
        vox_image_free(&m);
        free(path);
        free(header);
        free(compressed);
    }
    char *header = test_format(head, "HeaderSize = -1\n", "hand.bin"),
         *data = put_text("hand.bin", "xyz", counting, 24);
    char *path = put_text("hand.mhd", header, "", 0);
    read_well(&m, path);
    assert_true(value_of(&m, 0) == 256 && value_of(&m, 11) == 22 + 256 * 23);
    vox_image_free(&m);
    free(path);
    free(header);
    free(data);
}

static void numpy_by_hand(void **state) {
    (void)state;
    char head[129] = "\x93NUMPY\x01";
    vox_image m;
    head[7] = 0;
    head[8] = 118;
    head[9] = 0;
    memset(head + 10, ' ', 118);
    memcpy(head + 10, "{'descr': '<u2', 'fortran_order': True, 'shape': (2, 3, 2), }", 61);
    head[127] = '\n';
    char *path = in_folder("hand.npy");
    char all[152];
    memcpy(all, head, 128);
    memcpy(all + 128, counting, 24);
    test_write(path, all, sizeof all);
    read_well(&m, path);
    assert_int_equal(m.volume.dim[0] * 100 + m.volume.dim[1] * 10 + m.volume.dim[2], 232);
    /* array[k][j][i] stands at k + 2 * (j + 3 * i). */
    for (int n = 0; n < 12; n++) {
        int at = n / 6 + 2 * (n / 2 % 3 + 3 * (n % 2));
        assert_true(value_of(&m, n) == 2 * at + 256 * (2 * at + 1));
    }
    assert_true(!m.directed && m.volume.spacing[0] == 0);
    vox_image_free(&m);
    test_write(path, all, sizeof all - 1);
    refused(path, 2, "truncated");
    free(path);
}

/* ---- there and back -------------------------------------------------------------------------- */

static double expected(const vox_image_content *c, const char *name, int n) {
    if (c->labels) return n * (c->type == VOX_IMAGE_U16 ? 1001 : 1) % 65536;
    if (c->type == VOX_IMAGE_F16) return (double)vox_from_half(vox_to_half(score_of(n)));
    if (c->type == VOX_IMAGE_F32) return (double)score_of(n);
    double stored = rint(255 * (double)score_of(n));
    return strstr(name, ".nii") != NULL ? stored * (double)(float)(1.0 / 255) : stored;
}

static void back_again(const char *name, const vox_image *like, const vox_image_content *c) {
    char *path = in_folder(name);
    const bool no_place = strstr(name, ".tif") != NULL || strstr(name, ".h5") != NULL;
    vox_image m;
    assert_int_equal(write_out(path, like, c), 0);
    read_well(&m, path);
    assert_int_equal(m.volume.channels, c->channels);
    assert_memory_equal(m.volume.dim, like->volume.dim, sizeof m.volume.dim);
    for (int n = 0; n < 60 * c->channels; n++) {
        if (value_of(&m, n) != expected(c, name, n))
            fail_msg("%s: value %d is %.9g, not %.9g", name, n, value_of(&m, n), expected(c, name, n));
    }
    static const double sizes[3] = {1, 0.8, 2.5};
    const bool sizeless =
        strstr(name, ".npy") != NULL || (c->channels > 1 && c->type == VOX_IMAGE_F16 && strstr(name, ".tif"));
    for (int k = 0; k < 3 && !sizeless; k++) {
        if (!(fabs(m.volume.spacing[k] - sizes[k]) < 1e-6))
            fail_msg("%s: spacing %g, not %g", name, m.volume.spacing[k], sizes[k]);
    }
    assert_int_equal(m.directed, like->directed && !no_place && strstr(name, ".npy") == NULL);
    for (int i = 0; i < 12 && m.directed; i++) {
        if (!(fabs(m.affine[i / 4][i % 4] - like->affine[i / 4][i % 4]) < 2e-6))
            fail_msg("%s: affine %d: %.12g", name, i, m.affine[i / 4][i % 4]);
    }
    vox_image_free(&m);
    free(path);
}

static void every_format_there_and_back(void **state) {
    (void)state;
    static const char *const names[] = {"background", "<one> & \"two\"", "gr\xc3\xbcn"};
    static const struct {
        vox_image_type type;
        bool labels;
        int channels;
    } kinds[] = {{VOX_IMAGE_U8, true, 1},   {VOX_IMAGE_U16, true, 1},  {VOX_IMAGE_F32, false, 1},
                 {VOX_IMAGE_F32, false, 3}, {VOX_IMAGE_F16, false, 1}, {VOX_IMAGE_F16, false, 2},
                 {VOX_IMAGE_U8, false, 3}};
    for (int place = 0; place < 2; place++) {
        const vox_image like = grid_of(place == 1);
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            for (int i = 0; i < NAMES; i++) {
                const vox_image_content c = {.type = kinds[k].type,
                                             .labels = kinds[k].labels,
                                             .channels = kinds[k].channels,
                                             .description = "made by a test",
                                             .names = names,
                                             .n_names = 3,
                                             .threads = 2};
                if (!can(all_names[i])) continue;
                bool half = kinds[k].type == VOX_IMAGE_F16, ome = strstr(all_names[i], ".ome") != NULL;
                bool floats = strstr(all_names[i], ".tif") || strstr(all_names[i], ".npy") ||
                              strstr(all_names[i], ".h5");
                bool fits = (!half || (floats && !ome)) && (c.labels || strstr(all_names[i], ".seg") == NULL);
                if (fits) {
                    back_again(all_names[i], &like, &c);
                } else {
                    char *path = in_folder(all_names[i]);
                    assert_int_equal(write_out(path, &like, &c), half ? 3 : 2);
                    if (half) assert_int_equal(vox_image_check_name(path, c.type), 3);
                    free(path);
                }
            }
        }
    }
}

static void files_appear_whole_or_not_at_all(void **state) {
    (void)state;
    const vox_image like = grid_of(true);
    const vox_image_content c = {.type = VOX_IMAGE_U8, .labels = true, .channels = 1};
    for (int i = 0; i < NAMES; i++) {
        vox_image_writer w;
        char *own = test_format("%s/whole-%d", folder, i), *path = test_format("%s/%s", own, all_names[i]),
             *listing;
        assert_int_equal(mkdir(own, 0700), 0);
        if (!can(all_names[i])) continue;
        static const unsigned char zeros[60];
        for (int how = 0; how < 3; how++) {
            assert_int_equal(vox_image_create(&w, path), 0);
            if (how > 0) assert_int_equal(vox_image_begin(&w, &like, &c), 0);
            if (how > 0) assert_int_equal(vox_image_put(&w, zeros, 30), 0);
            if (how == 2)
                assert_int_equal(vox_image_commit(&w), 1); /* half of the values are missing */
            else
                vox_image_abort(&w);
            char *command = test_format("ls -A %s", own);
            assert_int_equal(test_run(command, &listing), 0);
            assert_string_equal(listing, "");
            free(listing);
            free(command);
        }
        assert_int_equal(vox_image_create(&w, path), 0);
        assert_int_equal(vox_image_begin(&w, &like, &c), 0);
        assert_int_equal(vox_image_put(&w, zeros, 60), 0);
        assert_int_equal(vox_image_put(&w, zeros, 1), 1); /* one too many */
        free(path);
        free(own);
    }
}

static void packed_bytes_do_not_depend_on_threads(void **state) {
    (void)state;
    enum { SIDE = 160 }; /* 4 MB: several pieces */
    const vox_image like = {.volume = {.dim = {SIDE, SIDE, SIDE}, .channels = 1, .slope = 1}};
    uint16_t *labels = malloc(SIDE * SIDE * SIDE * sizeof *labels);
    uint64_t seed = 5;
    for (int i = 0; i < SIDE * SIDE * SIDE; i++)
        labels[i] = (uint16_t)(i / 11 % 7 == 3 ? (int)(test_random_bits(&seed) % 9) : i / 50 % 3);
    char *bytes[3];
    size_t sizes[3];
    for (int t = 0; t < 3; t++) {
        const vox_image_content c = {
            .type = VOX_IMAGE_U8, .labels = true, .channels = 1, .threads = t == 2 ? 5 : t + 1};
        vox_image_writer w;
        char *path = in_folder("threads.nrrd");
        assert_int_equal(vox_image_create(&w, path), 0);
        assert_int_equal(vox_image_begin(&w, &like, &c), 0);
        assert_int_equal(vox_image_put_labels(&w, labels, SIDE * SIDE * SIDE), 0);
        assert_int_equal(vox_image_commit(&w), 0);
        bytes[t] = test_read(path, &sizes[t]);
        vox_image m;
        read_well(&m, path);
        for (int i = 0; i < SIDE * SIDE * SIDE; i++)
            if (((const unsigned char *)m.volume.data)[i] != labels[i]) fail_msg("label %d", i);
        vox_image_free(&m);
        free(path);
    }
    for (int t = 1; t < 3; t++) {
        assert_int_equal(sizes[t], sizes[0]);
        assert_memory_equal(bytes[t], bytes[0], sizes[0]);
    }
    for (int t = 0; t < 3; t++) free(bytes[t]);
    free(labels);
}

static void halves(void **state) {
    (void)state;
    for (unsigned h = 0; h < 65536; h++) {
        float x = vox_from_half((uint16_t)h);
        if (!isnan(x)) assert_int_equal(vox_to_half(x), h);
    }
    /* numpy 2.4.6: np.float16(x).view('u2'). */
    static const struct {
        float x;
        uint16_t h;
    } cases[] = {{0.1f, 0x2e66},       {65519.0f, 0x7bff}, {65520.0f, 0x7c00},    {1e-8f, 0x0000},
                 {2.98e-8f, 0x0000},   {2.99e-8f, 0x0001}, {-1.0009765f, 0xbc01}, {1.00048828125f, 0x3c00},
                 {1.0014648f, 0x3c02}, {6.1e-5f, 0x03ff}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (vox_to_half(cases[i].x) != cases[i].h)
            fail_msg("%g: %04x, not %04x", (double)cases[i].x, vox_to_half(cases[i].x), cases[i].h);
}

static void channels_of_several_files(void **state) {
    (void)state;
    const char *head = "NRRD0004\ntype: %s\ndimension: 3\nsizes: 2 2 2\nspacings: 1 1 %s\nunits: \"mm\" "
                       "\"mm\" \"mm\"\nendian: little\nencoding: raw\n\n";
    char *a = test_format(head, "uchar", "2"), *b = test_format(head, "ushort", "2"),
         *c = test_format(head, "uchar", "2.1");
    char *files[] = {put_text("ca.nrrd", a, counting, 8), put_text("cb.nrrd", b, counting, 16),
                     put_text("cc.nrrd", c, counting, 8), put_text("cd.nrrd", a, counting + 8, 8)};
    vox_image m;
    char *same[] = {files[0], files[3]}, *mixed[] = {files[0], files[1]}, *other[] = {files[0], files[2]};
    assert_int_equal(vox_image_read_channels(&m, same, 2), 0);
    assert_int_equal(m.volume.type, VOX_VOXEL_U8);
    assert_int_equal(m.volume.channels, 2);
    for (int n = 0; n < 16; n++) assert_true(value_of(&m, n) == n);
    vox_image_free(&m);
    assert_int_equal(vox_image_read_channels(&m, mixed, 2), 0);
    assert_int_equal(m.volume.type, VOX_VOXEL_F32);
    assert_true(value_of(&m, 7) == 7 && value_of(&m, 8) == 256 && value_of(&m, 15) == 14 + 256 * 15);
    vox_image_free(&m);
    assert_int_equal(vox_image_read_channels(&m, other, 2), 2);
    for (int i = 0; i < 4; i++) free(files[i]);
    free(a);
    free(b);
    free(c);
}

static void names_of_datasets(void **state) {
    (void)state;
    static const char *const names[][2] = {{"a.h5:/x/y", "a.h5"},
                                           {"/d:1/b.HDF5:raw", "/d:1/b.HDF5"},
                                           {"c.h5", "c.h5"},
                                           {"c:x.nii", "c:x.nii"},
                                           {"a.h5:/b.h5:/c", "a.h5"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *file = vox_image_file(names[i][0]);
        assert_string_equal(file, names[i][1]);
        free(file);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nrrd_by_hand),
        cmocka_unit_test(nrrd_channels_on_any_axis),
        cmocka_unit_test(meta_by_hand),
        cmocka_unit_test(numpy_by_hand),
        cmocka_unit_test(every_format_there_and_back),
        cmocka_unit_test(files_appear_whole_or_not_at_all),
        cmocka_unit_test(packed_bytes_do_not_depend_on_threads),
        cmocka_unit_test(halves),
        cmocka_unit_test(channels_of_several_files),
        cmocka_unit_test(names_of_datasets),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
