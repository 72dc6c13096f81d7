/* test_image_libraries.c: HDF5 and DICOM files in the shapes that other programs write, made by libhdf5 itself and
 * by hand. What is not installed is skipped in one line. */
#include "image_lib.h"

/* ---- HDF5 ------------------------------------------------------------------------------------ */

#ifdef VOX_WITH_HDF5
#include <hdf5.h>

static void put_dataset(hid_t file, const char *name, hid_t type, hid_t memory, int rank,
                        const hsize_t *shape, const void *data, hid_t plist) {
    hid_t space = H5Screate_simple(rank, shape, NULL);
    hid_t d = H5Dcreate2(file, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    assert_true(d >= 0);
    if (data != NULL) assert_true(H5Dwrite(d, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    const hsize_t three = 3;
    const float um[3] = {2500, 800, 700};
    hid_t line = H5Screate_simple(1, &three, NULL);
    hid_t a = H5Acreate2(d, "element_size_um", H5T_IEEE_F32BE, line, H5P_DEFAULT, H5P_DEFAULT);
    H5Awrite(a, H5T_NATIVE_FLOAT, um);
    H5Aclose(a);
    H5Sclose(line);
    H5Dclose(d);
    H5Sclose(space);
}

static void hdf5_datasets(void **state) {
    (void)state;
    const hsize_t shape[5] = {1, 2, 3, 4, 5};
    int data[120];
    for (int i = 0; i < 120; i++) data[i] = i - 60;
    char *path = in_folder("d.h5"), *name;
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(file, "t0", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_dataset(file, "t0/raw", H5T_STD_I16BE, H5T_NATIVE_INT, 4, shape + 1, data, H5P_DEFAULT);
    put_dataset(file, "five", H5T_IEEE_F64LE, H5T_NATIVE_INT, 5, shape, data, H5P_DEFAULT);
    put_dataset(file, "line", H5T_IEEE_F64LE, H5T_NATIVE_INT, 1, shape + 4, data, H5P_DEFAULT);
    hid_t text = H5Tcopy(H5T_C_S1);
    put_dataset(file, "text", text, text, 3, shape + 2, NULL, H5P_DEFAULT);
    H5Lcreate_external("/etc/passwd", "/x", file, "outside", H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t huge[3] = {60000, 60000, 60000};
    hid_t chunked = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(chunked, 3, shape + 2);
    put_dataset(file, "huge", H5T_IEEE_F64LE, H5T_NATIVE_INT, 3, huge, NULL, chunked);
    hid_t elsewhere = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(elsewhere, "/etc/passwd", 0, 60);
    put_dataset(file, "external", H5T_STD_U8LE, H5T_NATIVE_INT, 3, shape + 2, NULL, elsewhere);
    H5Pclose(elsewhere);
    H5Pclose(chunked);
    H5Tclose(text);
    H5Gclose(group);
    H5Fclose(file);
    static const char *const good[] = {"/t0/raw", "/five", "five", "t0/raw"};
    for (int i = 0; i < 4; i++) {
        vox_image m;
        name = test_format("%s:%s", path, good[i]);
        read_well(&m, name);
        assert_int_equal(
            m.volume.channels * 1000 + m.volume.dim[0] * 100 + m.volume.dim[1] * 10 + m.volume.dim[2], 2543);
        assert_int_equal(m.volume.type, strstr(good[i], "raw") != NULL ? VOX_VOXEL_I16 : VOX_VOXEL_F64);
        for (int n = 0; n < 120; n++) assert_true(value_of(&m, n) == n - 60);
        assert_true(fabs(m.volume.spacing[0] - 0.7) < 1e-9 && fabs(m.volume.spacing[2] - 2.5) < 1e-9);
        vox_image_free(&m);
        free(name);
    }
    static const struct {
        const char *dataset;
        int code;
        const char *said;
    } bad[] = {{"", 2, "holds 6 datasets (/external, /five, /huge, /line, /t0/raw, /text): name one, as "},
               {":/none", 2, "holds no dataset /none; it holds /external"},
               {":/t0", 2, "holds no dataset"},
               {":/line", 3, "an array of 1 dimensions"},
               {":/text", 3, "no numbers"},
               {":/outside", 2, "holds no dataset"},
               {":/huge", 2, "more than this machine's memory"},
               {":/external", 3, "stand in other files"}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        name = test_format("%s%s", path, bad[i].dataset);
        refused(name, bad[i].code, bad[i].said);
        free(name);
    }
    free(path);
    refused("/nonexistent.h5:/raw", 2, "No such file");
    path = in_folder("text.h5");
    test_write(path, "no HDF5 at all", 14);
    refused(path, 2, "not an HDF5 file");
    free(path);
}
#else
static void hdf5_datasets(void **state) {
    (void)state;
    vox_image m;
    char *said;
    assert_int_equal(read_said(&m, "none.h5:/x", &said), 3);
    assert_non_null(strstr(said, "libhdf5-dev"));
    free(said);
    print_message("skipped: built without libhdf5-dev\n");
}
#endif

/* ---- DICOM ----------------------------------------------------------------------------------- */

static void element(FILE *f, unsigned group, unsigned number, const char *vr, const void *data, size_t n) {
    const bool wide = strcmp(vr, "OW") == 0 || strcmp(vr, "OB") == 0;
    const size_t even = n + n % 2;
    fprintf(f, "%c%c%c%c%s", group & 255, group >> 8, number & 255, number >> 8, vr);
    if (wide) fwrite("\0", 1, 2, f);
    for (int i = 0; i < (wide ? 4 : 2); i++) fputc((int)(even >> (8 * i) & 255), f);
    fwrite(data, 1, n, f);
    if (n % 2 != 0) fputc(vr[0] == 'U' || vr[0] == 'O' ? 0 : ' ', f);
}

static void text_element(FILE *f, unsigned group, unsigned number, const char *vr, const char *text) {
    element(f, group, number, vr, text, strlen(text));
}

static void short_element(FILE *f, unsigned group, unsigned number, unsigned value) {
    const unsigned char bytes[2] = {(unsigned char)(value & 255), (unsigned char)(value >> 8)};
    element(f, group, number, "US", bytes, 2);
}

/* A slice of CT: explicit little-endian, 4 x 4, rows of 0.8 mm, columns of 0.7, 2.5 mm from slice to slice. */
static void put_slice(const char *name, int k, int series) {
    static const unsigned char head[12] = {2, 0, 0, 0, 'U', 'L', 4, 0, 0, 0, 0, 0};
    static const char ct[] = "1.2.840.10008.5.1.4.1.1.2", little[] = "1.2.840.10008.1.2.1";
    FILE *f = fopen(name, "wb");
    char zeros[128] = {0}, uid[64], frame[64], place[64];
    fwrite(zeros, 1, 128, f);
    fwrite("DICM", 1, 4, f);
    snprintf(uid, sizeof uid, "1.2.3.%d.%d", series, k + 1);
    snprintf(frame, sizeof frame, "1.2.3.%d", series);
    snprintf(place, sizeof place, "-10\\-20\\%g", 2.5 * k);
    long start = ftell(f);
    fwrite(head, 1, 12, f);
    text_element(f, 2, 2, "UI", ct);
    text_element(f, 2, 3, "UI", uid);
    text_element(f, 2, 0x10, "UI", little);
    long end = ftell(f);
    fseek(f, start + 8, SEEK_SET);
    fputc((int)(end - start - 12), f);
    fseek(f, end, SEEK_SET);
    text_element(f, 8, 0x16, "UI", ct);
    text_element(f, 8, 0x18, "UI", uid);
    text_element(f, 8, 0x20, "DA", "20200101");
    text_element(f, 8, 0x30, "TM", "120000");
    text_element(f, 8, 0x60, "CS", "CT");
    text_element(f, 8, 0x70, "LO", "nobody");
    text_element(f, 8, 0x103e, "LO", series == 1 ? "head" : "belly");
    text_element(f, 0x10, 0x10, "PN", "A^B");
    text_element(f, 0x18, 0x50, "DS", "2.5");
    text_element(f, 0x20, 0xd, "UI", "1.2.3");
    text_element(f, 0x20, 0xe, "UI", frame);
    text_element(f, 0x20, 0x11, "IS", series == 1 ? "1" : "2");
    snprintf(uid, sizeof uid, "%d", k + 1);
    text_element(f, 0x20, 0x13, "IS", uid);
    text_element(f, 0x20, 0x32, "DS", place);
    text_element(f, 0x20, 0x37, "DS", "1\\0\\0\\0\\1\\0");
    text_element(f, 0x20, 0x52, "UI", frame);
    short_element(f, 0x28, 2, 1);
    text_element(f, 0x28, 4, "CS", "MONOCHROME2");
    short_element(f, 0x28, 0x10, 4);
    short_element(f, 0x28, 0x11, 4);
    text_element(f, 0x28, 0x30, "DS", "0.8\\0.7");
    short_element(f, 0x28, 0x100, 16);
    short_element(f, 0x28, 0x101, 16);
    short_element(f, 0x28, 0x102, 15);
    short_element(f, 0x28, 0x103, 1);
    text_element(f, 0x28, 0x1052, "DS", "-1000");
    text_element(f, 0x28, 0x1053, "DS", "2");
    unsigned char data[32];
    for (int i = 0; i < 16; i++) {
        data[2 * i] = (unsigned char)(k * 16 + i);
        data[2 * i + 1] = 1;
    }
    element(f, 0x7fe0, 0x10, "OW", data, sizeof data);
    fclose(f);
}

static void dicom_series(void **state) {
    (void)state;
    vox_image_library list[VOX_IMAGE_FORMATS];
    vox_image_libraries(list);
    char *series = in_folder("series"), *tmp = in_folder("tmp"), *text;
    assert_int_equal(mkdir(series, 0700), 0);
    assert_int_equal(mkdir(tmp, 0700), 0);
    if (!list[VOX_IMAGE_DICOM].available) {
        refused(series, 3, "install dcm2niix");
        print_message("skipped: dcm2niix is not installed\n");
        skip();
    }
    setenv("TMPDIR", tmp, 1);
    for (int k = 0; k < 3; k++) {
        char *name = test_format("%s/%d.dcm", series, 3 - k);
        put_slice(name, k, 1);
        free(name);
    }
    vox_image m;
    assert_int_equal(read_said(&m, series, &text), 0);
    assert_non_null(strstr(text, "series 1_head converted by dcm2niix"));
    free(text);
    assert_int_equal(m.volume.dim[0] * 100 + m.volume.dim[1] * 10 + m.volume.dim[2], 443);
    assert_true(m.directed && fabs(m.volume.spacing[0] - 0.7) < 1e-6 &&
                fabs(m.volume.spacing[2] - 2.5) < 1e-6);
    for (int k = 0; k < 3; k++)
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < 4; i++) {
                double mm[3];
                for (int r = 0; r < 3; r++)
                    mm[r] = m.affine[r][0] * i + m.affine[r][1] * j + m.affine[r][2] * k + m.affine[r][3];
                /* DICOM's world is left-posterior-superior. */
                int column = (int)rint((-mm[0] + 10) / 0.7), row = (int)rint((-mm[1] + 20) / 0.8),
                    slice = (int)rint(mm[2] / 2.5);
                assert_true(value_at(&m, 0, k, j, i) == 2 * (256 + slice * 16 + row * 4 + column) - 1000);
            }
    vox_image_free(&m);
    char *second = test_format("%s/second.dcm", series);
    put_slice(second, 0, 2);
    refused(series, 2, "holds 2 volumes for dcm2niix (");
    char *command = test_format("ls -A %s", tmp);
    assert_int_equal(test_run(command, &text), 0);
    assert_string_equal(text, ""); /* nothing is left behind */
    free(text);
    free(command);
    char *search = strdup(getenv("PATH"));
    setenv("PATH", "/nowhere", 1);
    refused(series, 3, "install dcm2niix");
    setenv("PATH", search, 1);
    free(search);
    free(second);
    free(tmp);
    free(series);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hdf5_datasets),
        cmocka_unit_test(dicom_series),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
