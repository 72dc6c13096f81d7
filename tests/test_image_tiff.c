/* test_image_tiff.c: TIFF stacks in the shapes that other programs write, made by libtiff itself. Without it, skipped
 * in one line. */
#include "image_lib.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tiff_of_every_layout),
        cmocka_unit_test(tiff_descriptions),
        cmocka_unit_test(tiff_that_is_refused),
        cmocka_unit_test(tiff_with_one_page_for_all),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
