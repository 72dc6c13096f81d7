/* test_image_refused.c: image files that lie, of every format: wrong headers, cut anywhere, bytes flipped. */
#include "image_lib.h"

static void bad_text_headers_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *name, *text;
        int code;
        const char *said;
    } cases[] = {
        {"x.nrrd", "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 65536 65536 65536\nencoding: raw\n\n", 2,
         "truncated"},
        {"x.nrrd",
         "NRRD0005\ntype: double\ndimension: 5\nsizes: 65536 65536 65536 65536 65536\nendian: big\nencoding: "
         "gzip\n\n",
         3, "more than one axis"},
        {"x.nrrd",
         "NRRD0005\ntype: double\ndimension: 4\nsizes: 65536 65536 65536 65536\nendian: big\nencoding: "
         "gzip\n\n",
         2, "overflows"},
        {"x.nrrd", "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 2 2 99999999999999999999\nencoding: raw\n\n",
         2, "sizes"},
        {"x.nrrd", "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 2 2 -2\nencoding: raw\n\n", 2, "sizes"},
        {"x.nrrd", "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 2 2 nan\nencoding: raw\n\n", 2, "sizes"},
        {"x.nrrd", "NRRD0005\ntype: uchar\ndimension: 17\nencoding: raw\n\n", 2, "dimension"},
        {"x.nrrd", "NRRD0005\ntype: short\ndimension: 3\nsizes: 1 1 1\nencoding: raw\n\nab", 2, "endian"},
        {"x.nrrd", "NRRD0005\ntype: block\ndimension: 3\n\n", 3, "block"},
        {"x.nrrd", "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: bzip2\n\na", 3, "bzip2"},
        {"x.nrrd", "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: raw", 2, "no empty line"},
        {"x.nrrd", "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nspace directions: (1,0,0) (0,1,0)\n\n",
         2, "space directions"},
        {"x.nhdr",
         "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: raw\ndata file: ../../etc/passwd\n", 2,
         "not in its folder"},
        {"x.nhdr",
         "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: raw\ndata file: /etc/passwd\n", 2,
         "not in its folder"},
        {"x.nhdr",
         "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: raw\ndata file: nowhere.raw\n", 2,
         "No such file"},
        {"x.nhdr", "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: raw\ndata file: LIST\na\n",
         3, "several files"},
        {"x.nrrd", "P5 a picture", 2, "not a NRRD"},
        {"x.nrrd", "", 2, "empty"},
        {"x.mha",
         "NDims = 3\nDimSize = 65536 65536 65536\nElementType = MET_DOUBLE\nElementDataFile = LOCAL\n", 2,
         "truncated"},
        {"x.mha", "NDims = 3\nDimSize = 2 2\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n", 2,
         "DimSize"},
        {"x.mha", "NDims = 3\nDimSize = 2 2 1e300\nElementType = MET_UCHAR\nElementDataFile = LOCAL\n", 2,
         "DimSize"},
        {"x.mha", "NDims = 30\nElementDataFile = LOCAL\n", 2, "NDims"},
        {"x.mha", "NDims = 3\nDimSize = 1 1 1\nElementType = MET_STRING\nElementDataFile = LOCAL\n", 3,
         "MET_STRING"},
        {"x.mha",
         "NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nCompressedData = True\nElementDataFile = "
         "LOCAL\nnot zlib",
         2, "corrupt"},
        {"x.mhd", "NDims = 3\nDimSize = 2 2 2\nElementType = MET_UCHAR\nElementDataFile = ../x\n", 2,
         "not in its folder"},
        {"x.mha", "a text that is no image", 2, "not a MetaImage"},
        {"x.npy", "not numpy's", 2, "not a .npy"},
        {"x.nii", "no volume", 2, "not NIfTI"},
        {"x.dcm", "DICM", 2, "give the folder"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = put_text(cases[i].name, cases[i].text, "", 0);
        refused(path, cases[i].code, cases[i].said);
        free(path);
    }
}

static void data_that_are_no_file_are_refused(void **state) {
    (void)state;
    char *pipe = in_folder("pipe.raw");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    char *path = put_text(
        "pipe.nhdr",
        "NRRD0005\ntype: uchar\ndimension: 3\nsizes: 1 1 1\nencoding: raw\ndata file: pipe.raw\n", "", 0);
    refused(path, 2, "it is no file");
    free(path);
    path =
        put_text("pipe.mhd",
                 "NDims = 3\nDimSize = 1 1 1\nElementType = MET_UCHAR\nElementDataFile = pipe.raw\n", "", 0);
    refused(path, 2, "it is no file");
    free(path);
    free(pipe);
}

/* Of every format: cut anywhere it is refused, or, where only what follows the values is missing, still right. */
static void cut_and_flipped(void **state) {
    (void)state;
    const vox_image like = grid_of(true);
    const vox_image_content c = {.type = VOX_IMAGE_U8, .labels = true, .channels = 1};
    for (int i = 0; i < NAMES; i++) {
        char *name = in_folder(all_names[i]), *path = vox_image_file(name);
        size_t n;
        if (!can(all_names[i])) continue;
        assert_int_equal(write_out(name, &like, &c), 0);
        char *whole = test_read(path, &n);
        for (size_t cut = 0; cut < n; cut += 1 + n / 300) {
            vox_image m;
            char *said;
            test_write(path, whole, cut);
            int code = read_said(&m, name, &said);
            /* libtiff does without resolutions, which stand behind the last page's values. */
            bool values = code == 0 && strstr(name, ".tif") != NULL && m.volume.dim[2] == 3;
            for (int v = 0; v < 60 && values; v++) values = value_of(&m, v) == v;
            if (code != 2 && code != 3 && !values)
                fail_msg("%s cut at %zu of %zu: code %d: %s", name, cut, n, code, said);
            vox_image_free(&m);
            free(said);
        }
        uint64_t seed = 9;
        for (int k = 0; k < 400; k++) {
            size_t at = test_random_bits(&seed) % n;
            char old = whole[at];
            whole[at] = (char)test_random_bits(&seed);
            test_write(path, whole, n);
            survives(name);
            if (k % 4 != 0) whole[at] = old; /* a quarter stays: files of many faults */
        }
        free(whole);
        free(path);
        free(name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_text_headers_are_refused),
        cmocka_unit_test(data_that_are_no_file_are_refused),
        cmocka_unit_test(cut_and_flipped),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
