/* test_image_libraries.c: TIFF, HDF5 and DICOM files in the shapes that other programs write, made by libtiff and
 * libhdf5 themselves and by hand. What is not installed is skipped in one line. */
#include "image_lib.h"

static void read_well(vox_image *m, const char *path) {
    char *said;
    int code = read_said(m, path, &said);
    if (code != 0 || (said[0] != 0 && strncmp(said, "note: ", 6) != 0))
        fail_msg("%s: code %d: %s", path, code, said);
    free(said);
}

/* ---- TIFF ------------------------------------------------------------------------------------ */

#ifdef VOX_WITH_TIFF
#include <tiffio.h>

enum { W = 20, H = 18, PAGES = 6 };

typedef struct kind {
    const char *mode;
    int bits, format, compression, samples, planar, tile, predictor;
} kind;

static uint16_t pixel(int page, int y, int x, int sample) {
    return (uint16_t)(page * 1000 + y * 31 + x + sample * 7);
}

static void set_tags(TIFF *t, const kind *k) {
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, W);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, H);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, k->bits);
    TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, k->format);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, k->samples);
    TIFFSetField(t, TIFFTAG_PLANARCONFIG, k->planar);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, k->samples == 3 ? PHOTOMETRIC_RGB : PHOTOMETRIC_MINISBLACK);
    TIFFSetField(t, TIFFTAG_COMPRESSION, k->compression);
    if (k->predictor) TIFFSetField(t, TIFFTAG_PREDICTOR, k->predictor);
    if (k->tile) {
        TIFFSetField(t, TIFFTAG_TILEWIDTH, 16);
        TIFFSetField(t, TIFFTAG_TILELENGTH, 16);
    } else {
        TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 5);
    }
}

/* Rows y.. of columns x.., as many as fit, into uint16 samples. */
static void fill(uint16_t *to, const kind *k, int page, int sample, int y0, int x0, int height, int width) {
    const int together = k->planar == PLANARCONFIG_CONTIG ? k->samples : 1;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int s = 0; s < together; s++)
                to[(y * width + x) * together + s] = pixel(page, y0 + y, x0 + x, sample + s);
}

static char *put_tiff(const char *name, const kind *k, const char *description) {
    char *path = in_folder(name);
    TIFF *t = TIFFOpen(path, k->mode);
    assert_non_null(t);
    uint16_t data[W * H * 3];
    const int parts = k->planar == PLANARCONFIG_CONTIG ? 1 : k->samples, together = k->samples / parts;
    for (int page = 0; page < PAGES; page++) {
        set_tags(t, k);
        if (page == 0 && description != NULL) {
            TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, description);
            TIFFSetField(t, TIFFTAG_XRESOLUTION, 4.0);
            TIFFSetField(t, TIFFTAG_YRESOLUTION, 2.0);
        }
        for (int p = 0; p < parts; p++) {
            for (int y = 0; y < H; y += k->tile ? 16 : 5) {
                if (k->tile) {
                    for (int x = 0; x < W; x += 16) {
                        fill(data, k, page, p, y, x, 16, 16);
                        assert_true(TIFFWriteTile(t, data, (uint32_t)x, (uint32_t)y, 0, (uint16_t)p) > 0);
                    }
                } else {
                    int rows = H - y < 5 ? H - y : 5;
                    fill(data, k, page, p, y, 0, rows, W);
                    uint32_t strip = (uint32_t)(p * ((H + 4) / 5) + y / 5);
                    assert_true(TIFFWriteEncodedStrip(t, strip, data, (tmsize_t)(rows * W * together * 2)) >
                                0);
                }
            }
        }
        assert_int_equal(TIFFWriteDirectory(t), 1);
    }
    TIFFClose(t);
    return path;
}

/* Page of plane z of channel c. */
static void has_pixels(const vox_image *m, int step_z, int step_c, bool colours) {
    for (int c = 0; c < m->volume.channels; c++)
        for (int z = 0; z < m->volume.dim[2]; z++)
            for (int y = 0; y < H; y++)
                for (int x = 0; x < W; x++) {
                    double want = pixel(z * step_z + (colours ? 0 : c * step_c), y, x, colours ? c : 0);
                    if (value_at(m, c, z, y, x) != want)
                        fail_msg("%d %d %d %d: %g, not %g", c, z, y, x, value_at(m, c, z, y, x), want);
                }
}

static void tiff_of_every_layout(void **state) {
    (void)state;
    static const int packings[] = {COMPRESSION_NONE, COMPRESSION_LZW, COMPRESSION_ADOBE_DEFLATE,
                                   COMPRESSION_PACKBITS};
    static const char *const modes[] = {"wl", "wb", "wl8", "wb8"};
    for (int n = 0; n < 4 * 4 * 2 * 3; n++) {
        kind k = {modes[n % 4],       16,
                  SAMPLEFORMAT_UINT,  packings[n / 4 % 4],
                  n / 32 > 0 ? 3 : 1, n / 32 == 2 ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG,
                  n / 16 % 2,         n / 4 % 4 == 1 ? PREDICTOR_HORIZONTAL : 0};
        char *path = put_tiff("l.tif", &k, NULL);
        vox_image m;
        read_well(&m, path);
        assert_int_equal(m.volume.type, VOX_VOXEL_U16);
        assert_int_equal(m.volume.channels, k.samples);
        assert_int_equal(m.colours, k.samples);
        assert_int_equal(m.volume.dim[2], PAGES);
        has_pixels(&m, 1, 0, k.samples == 3);
        assert_true(m.volume.spacing[0] == 0 && !m.directed);
        vox_image_free(&m);
        free(path);
    }
}

static void tiff_descriptions(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int z, c, step_z, step_c;
        double size[3];
        bool unit_unknown;
    } cases[] = {
        {"ImageJ=1.53t\nimages=6\nchannels=2\nslices=3\nhyperstack=true\nunit=micron\nspacing=2.5\n",
         3,
         2,
         2,
         1,
         {0.25e-3, 0.5e-3, 2.5e-3},
         false},
        {"ImageJ=1.53t\nimages=6\nslices=6\nunit=mm\n", 6, 1, 1, 0, {0.25, 0.5, 1}, false},
        {"ImageJ=1.53t\nimages=6\nslices=6\n", 6, 1, 1, 0, {0.25, 0.5, 0}, true},
        {"ImageJ=1.53t\nimages=6\nslices=6\nunit=pixel\nspacing=3\n", 6, 1, 1, 0, {0, 0, 0}, false},
        {"ImageJ=1.53t\nimages=6\nframes=6\n", 1, 6, 0, 1, {0.25, 0.5, 0}, true},
        {"<?xml version=\"1.0\"?><OME><Image><Pixels DimensionOrder=\"XYZCT\" SizeX=\"20\" SizeY=\"18\" "
         "SizeZ=\"2\" "
         "SizeC=\"3\" SizeT=\"1\" PhysicalSizeX=\"0.5\" PhysicalSizeY=\"7\" PhysicalSizeYUnit=\"nm\" "
         "PhysicalSizeZ=\"0.002\" PhysicalSizeZUnit=\"mm\"/></Image></OME>",
         2,
         3,
         1,
         2,
         {0.5e-3, 7e-6, 0.002},
         false},
        {"<OME:OME><OME:Pixels DimensionOrder='XYCZT' SizeZ='2' SizeC='3' SizeT='1'></OME:Pixels></OME:OME>",
         2,
         3,
         3,
         1,
         {0, 0, 0},
         false},
        {"{\"shape\": [2, 3, 18, 20]}", 3, 2, 1, 3, {0, 0, 0}, false},
        {"{\"shape\": [6, 18, 20]}", 6, 1, 1, 0, {0, 0, 0}, false},
        {"taken on a Monday", 6, 1, 1, 0, {0, 0, 0}, false},
    };
    const kind k = {"w", 16, SAMPLEFORMAT_UINT, COMPRESSION_NONE, 1, PLANARCONFIG_CONTIG, 0, 0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = put_tiff("d.tif", &k, cases[i].text);
        vox_image m;
        read_well(&m, path);
        if (m.volume.dim[2] != cases[i].z || m.volume.channels != cases[i].c)
            fail_msg("case %zu: %d slices, %d channels", i, m.volume.dim[2], m.volume.channels);
        has_pixels(&m, cases[i].step_z, cases[i].step_c, false);
        for (int a = 0; a < 3; a++)
            if (!(fabs(m.volume.spacing[a] - cases[i].size[a]) <= 1e-9))
                fail_msg("case %zu: size %d: %g", i, a, m.volume.spacing[a]);
        assert_int_equal(m.unit_unknown, cases[i].unit_unknown);
        vox_image_free(&m);
        free(path);
    }
}

static void tiff_that_is_refused(void **state) {
    (void)state;
    const kind plain = {"w", 16, SAMPLEFORMAT_UINT, COMPRESSION_NONE, 1, PLANARCONFIG_CONTIG, 0, 0};
    static const struct {
        const char *text;
        int code;
        const char *said;
    } cases[] = {
        {"ImageJ=1.53t\nimages=5\nslices=5\n", 2, "5 slices"},
        {"ImageJ=1.53t\nimages=6\nchannels=2\nframes=3\n", 3, "more than one of channels"},
        {"<OME><Pixels DimensionOrder=\"XYZCT\" SizeZ=\"400\" SizeC=\"1\" SizeT=\"1\"/></OME>", 2,
         "400 slices"},
        {"<OME><Pixels DimensionOrder=\"XYZCT\" SizeZ=\"2147483647\" SizeC=\"2147483647\" "
         "SizeT=\"2147483647\"/></OME>",
         2, "slices"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = put_tiff("r.tif", &plain, cases[i].text);
        refused(path, cases[i].code, cases[i].said);
        free(path);
    }
    char *path = in_folder("other.tif");
    for (int how = 0; how < 4; how++) {
        static const unsigned char zeros[64];
        TIFF *t = TIFFOpen(path, "w");
        for (int page = 0; page < 2; page++) {
            TIFFSetField(t, TIFFTAG_IMAGEWIDTH, how == 0 && page == 1 ? 3 : 4);
            TIFFSetField(t, TIFFTAG_IMAGELENGTH, 2);
            TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, how == 1 ? 1 : 8);
            TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
            TIFFSetField(t, TIFFTAG_PHOTOMETRIC, how == 2 ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_MINISBLACK);
            TIFFSetField(t, TIFFTAG_SAMPLEFORMAT, how == 3 ? SAMPLEFORMAT_COMPLEXINT : SAMPLEFORMAT_UINT);
            assert_true(TIFFWriteEncodedStrip(t, 0, (void *)(uintptr_t)zeros,
                                              how == 1                ? 2
                                              : how == 0 && page == 1 ? 6
                                                                      : 8) > 0);
            TIFFWriteDirectory(t);
        }
        TIFFClose(t);
        static const char *const said[] = {"pages must be alike", "values of 1 bits", "photometric",
                                           "sample format 5"};
        refused(path, 3, said[how]);
    }
    test_write(path, "II*\0\x08\0\0\0", 8);
    refused(path, 2, "not a TIFF file");
    free(path);
}

/* ImageJ writes stacks above 4 GiB as one page with the others' voxels behind it. */
static void tiff_with_one_page_for_all(void **state) {
    (void)state;
    char *path = in_folder("behind.tif");
    TIFF *t = TIFFOpen(path, "wb");
    const uint16_t data[4] = {0x102, 0x304, 0x506, 0x708};
    unsigned char more[16];
    TIFFSetField(t, TIFFTAG_IMAGEWIDTH, 2);
    TIFFSetField(t, TIFFTAG_IMAGELENGTH, 2);
    TIFFSetField(t, TIFFTAG_BITSPERSAMPLE, 16);
    TIFFSetField(t, TIFFTAG_SAMPLESPERPIXEL, 1);
    TIFFSetField(t, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(t, TIFFTAG_ROWSPERSTRIP, 2);
    TIFFSetField(t, TIFFTAG_IMAGEDESCRIPTION, "ImageJ=1.53t\nimages=3\nslices=3\nunit=mm\nspacing=4\n");
    assert_true(TIFFWriteEncodedStrip(t, 0, (void *)(uintptr_t)data, 8) == 8);
    TIFFClose(t);
    size_t n;
    char *whole = test_read(path, &n);
    TIFF *again = TIFFOpen(path, "r");
    uint64_t offset = TIFFGetStrileOffset(again, 0);
    TIFFClose(again);
    /* The directory stands behind the values: the image's own move to the end. */
    for (int i = 0; i < 16; i++) more[i] = (unsigned char)(9 + i);
    char *joined = calloc(n + 24, 1);
    memcpy(joined, whole, n);
    memcpy(joined + n, whole + offset, 8);
    memcpy(joined + n + 8, more, 16);
    bool moved = false;
    for (size_t at = 8; at + 4 <= n && !moved; at++) { /* tag 273, LONG, one: StripOffsets */
        static const unsigned char tag[8] = {1, 17, 0, 4, 0, 0, 0, 1};
        moved = memcmp(joined + at, tag, 8) == 0;
        for (int i = 0; i < 4 && moved; i++) joined[at + 8 + (size_t)i] = (char)(n >> (24 - 8 * i));
    }
    assert_true(moved);
    test_write(path, joined, n + 24);
    vox_image m;
    read_well(&m, path);
    assert_int_equal(m.volume.dim[2], 3);
    for (int i = 0; i < 12; i++) {
        const unsigned char first = (unsigned char)(1 + 2 * i);
        assert_true(value_of(&m, i) == 256 * first + first + 1);
    }
    vox_image_free(&m);
    test_write(path, joined, n + 23);
    refused(path, 2, "truncated");
    free(joined);
    free(whole);
    free(path);
}
#else
static void skip_tiff(void) {
    print_message("skipped: built without libtiff-dev\n");
    skip();
}
static void tiff_of_every_layout(void **state) {
    (void)state;
    skip_tiff();
}
static void tiff_descriptions(void **state) {
    (void)state;
    skip_tiff();
}
static void tiff_that_is_refused(void **state) {
    (void)state;
    vox_image m;
    char *said, *path = in_folder("none.tif");
    assert_int_equal(read_said(&m, path, &said), 3);
    assert_non_null(strstr(said, "libtiff-dev"));
    free(said);
    free(path);
}
static void tiff_with_one_page_for_all(void **state) {
    (void)state;
    skip_tiff();
}
#endif

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
        cmocka_unit_test(tiff_of_every_layout), cmocka_unit_test(tiff_descriptions),
        cmocka_unit_test(tiff_that_is_refused), cmocka_unit_test(tiff_with_one_page_for_all),
        cmocka_unit_test(hdf5_datasets),        cmocka_unit_test(dicom_series),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
