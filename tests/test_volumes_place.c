/* Where voxels lie, as files say it or contradict themselves; and where results go. */
#include "volumes_lib.h"

/* ---- where the voxels lie -------------------------------------------------------------------- */

static void grids_of_several_files_must_agree(void **state) {
    (void)state;
    static const struct {
        int row, column; /* of the sform */
        double value;
        bool same;
    } cases[] = {
        {0, 0, -1, false},    {0, 0, 1.0005, true},     {0, 0, 1.002, false}, {1, 0, 0.5, false},
        {1, 1, 1.2507, true}, {2, 3, -5.9995, true},    {2, 3, -5.99, false}, {1, 3, 5, false},
        {2, 2, 1.5, true},    {0, 3, -4.0000001, true}, {2, 2, -1.5, false},
    };
    nifti_2_header h = header(DT_UINT8);
    plain("a.nii", &h);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        h = header(DT_UINT8);
        double *rows[] = {h.srow_x, h.srow_y, h.srow_z};
        rows[cases[i].row][cases[i].column] = cases[i].value;
        h.pixdim[cases[i].column + 1] = cases[i].column < 3 ? fabs(cases[i].value) : 0;
        if (cases[i].row != cases[i].column)
            h.pixdim[cases[i].column + 1] = header(DT_UINT8).pixdim[cases[i].column + 1];
        put("b.nii.gz", NULL, &h, 1 + (int)i % 2, false, values(), N);
        const char *word = cases[i].same ? NULL : "affine [1 0 0 -4; 0 1.25 0 -5; 0 0 1.5 -6] and affine [";
        expect("$box score a.nii b.nii.gz", cases[i].same ? 0 : 2, word, NULL);
        expect("$rgb $S a.nii a.nii b.nii.gz -o x.nii", cases[i].same ? 0 : 2, word, NULL);
    }
    expect("$box score b.nii.gz a.nii", 2, "b.nii.gz and a.nii do not lie on one grid", "[1 0 0 -4;");
}

static void forms_of_other_kinds_are_compared(void **state) {
    (void)state;
    nifti_2_header h = header(DT_UINT8);
    plain("s.nii", &h);
    h.sform_code = 0;
    h.qform_code = 1;
    h.qoffset_x = -4, h.qoffset_y = -5, h.qoffset_z = -6;
    plain("q.nii", &h);
    expect_not("$box score s.nii q.nii", "warning");
    h.quatern_d = 1; /* half a turn about z */
    plain("turned.nii", &h);
    expect("$box score s.nii turned.nii", 2, "one grid", "affine [-1 ");
    h.qform_code = 0;
    plain("none.nii", &h);
    expect("$box score s.nii none.nii", 0, "warning: none.nii does not say where left and right are", NULL);
    expect("$box score none.nii s.nii", 0, "warning: none.nii does not say where left and right are", NULL);
    expect_not("$box score none.nii none.nii", "warning");
    h.pixdim[1] = 2;
    plain("other.nii", &h);
    expect("$box score none.nii other.nii", 2, "one grid", "voxel sizes [2 0 0 0;");
    h = header(DT_UINT8); /* the same in micrometres */
    h.xyzt_units = NIFTI_UNITS_MICRON;
    for (int i = 0; i < 4; i++)
        h.srow_x[i] *= 1000, h.srow_y[i] *= 1000, h.srow_z[i] *= 1000, h.pixdim[i] *= 1000;
    plain("micro.nii", &h);
    expect_not("$box score s.nii micro.nii", "warning");
    for (int i = 0; i < 3; i++) h.srow_x[i] /= 1000, h.srow_y[i] /= 1000, h.srow_z[i] /= 1000;
    h.srow_x[3] = h.srow_y[3] = h.srow_z[3] = 0;
    plain("small.nii", &h);
    h.srow_x[3] = 0.5; /* half a voxel of 1 micrometre: far less than a thousandth of a mm */
    plain("moved.nii", &h);
    expect("$box score small.nii moved.nii", 2, "one grid", NULL);
}

static void headers_that_contradict_themselves(void **state) {
    (void)state;
    nifti_2_header h = header(DT_UINT8);
    plain("good.nii", &h);
    expect_not("$box $S good.nii -o x.nii --overlay x.png", "warning");
    h.pixdim[1] = 1.009;
    plain("near.nii", &h);
    expect_not("$box $S near.nii -o x.nii", "warning");
    h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = 2;
    plain("stale.nii", &h);
    expect("$box $S stale.nii -o x.nii", 0,
           "pixdim gives the voxel size 2x2x2 mm, but the sform's columns are "
           "1x1.25x1.5 mm long",
           "pixdim is used for sizes");
    expect("$box score stale.nii good.nii", 0, "pixdim is used for sizes",
           "warning: voxels are 2x2x2 mm in stale.nii, but 1x1.25x1.5 mm in good.nii, whose are used");
    h = header(DT_UINT8);
    h.qform_code = 2;
    h.quatern_b = 1;
    plain("disagree.nii", &h);
    expect("$box $S disagree.nii -o x.nii", 0, "the sform says that the axes run to RAS, the qform to RPI",
           "the sform is used");
    h.quatern_b = 0, h.pixdim[0] = -1;
    plain("qfac.nii", &h);
    expect("$box $S qfac.nii -o x.nii", 0, "the qform to RAI", NULL);
    static const double broken[][2] = {{0, 0}, {NAN, 0}, {INFINITY, 0}, {1e30, 0}, {1e-30, 0}};
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        h = header(DT_UINT8);
        h.srow_x[0] = broken[i][0];
        plain("broken.nii", &h);
        expect("$box $S broken.nii -o x.nii --overlay x.png", 0, "the sform is no map to three directions",
               "pictures have no letters");
        h.qform_code = 1;
        plain("broken.nii", &h);
        expect("$box $S broken.nii -o x.nii --overlay x.png", 0, "the qform is used", NULL);
        h.quatern_b = NAN;
        plain("broken.nii", &h);
        expect("$box $S broken.nii -o x.nii --overlay x.png", 0, "where left and right are is unknown", NULL);
    }
}

static size_t white_pixels(const char *name) {
    char *path = test_format("%s/%s", folder, name);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path) != 0);
    image.format = PNG_FORMAT_RGB;
    unsigned char *rgb = malloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL) != 0);
    size_t n = 0;
    for (size_t i = 0; i < PNG_IMAGE_SIZE(image); i += 3)
        n += rgb[i] == 255 && rgb[i + 1] == 255 && rgb[i + 2] == 255;
    free(rgb);
    free(path);
    return n;
}

static void letters_only_where_left_and_right_are_known(void **state) {
    (void)state;
    double black[N] = {0};
    nifti_2_header h = header(DT_UINT8);
    put("known.nii", NULL, &h, 1, false, black, N);
    h.sform_code = 0;
    put("unknown.nii", NULL, &h, 1, false, black, N);
    expect("$box $S known.nii -o x.nii --overlay known.png", 0, NULL, NULL);
    expect("$box $S unknown.nii -o x.nii --overlay unknown.png", 0, "does not say where left and right are",
           NULL);
    assert_true(white_pixels("known.png") > 100 + white_pixels("unknown.png"));
}

static void absurd_voxel_sizes_are_unknown(void **state) {
    (void)state;
    static const double sizes[][3] = {{1e308, 1e-308, 1}, {INFINITY, 1, 1}, {NAN, NAN, NAN}, {0, 0, 0},
                                      {1e-7, 1, 1},       {1, 1, 1.1e6},    {-1, -1e300, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        nifti_2_header h = header(DT_INT16);
        h.sform_code = 0;
        memcpy(h.pixdim + 1, sizes[i], sizeof sizes[i]);
        put("absurd.nii", NULL, &h, 2, false, values(), N);
        expect("$box $S absurd.nii -o x.nii --overlay x.png", 0, "does not say how large its voxels are",
               NULL);
        expect("$mm $S absurd.nii -o x.nii", 2, "does not say how large its voxels are (",
               "for voxels of a given size");
    }
    nifti_2_header h = header(DT_INT16); /* known, if odd: a picture that is a line */
    h.sform_code = 0;
    h.pixdim[1] = 1e-6, h.pixdim[2] = 1e6, h.pixdim[3] = 1;
    put("odd.nii", NULL, &h, 2, false, values(), N);
    expect_not("$box $S odd.nii -o x.nii --overlay x.png", "how large");
    no_temporaries();
}

static void resampling_that_explodes_is_asked_about(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    h.sform_code = 0;
    h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = 3.9;
    plain("grows.nii", &h); /* 35 * 31 * 27 / 504: 58 times */
    expect("$mm $S grows.nii -o x.nii", 0, NULL, NULL);
    h.pixdim[1] = 5;
    h.xyzt_units = 0;
    plain("more.nii", &h); /* 45 * 31 * 27 */
    expect("$mm $S more.nii -o x.nii", 2, "voxels of 5x3.9x3.9 mm (the file names no unit: taken for mm)",
           "would make 45x31x27 of 9x8x7, 75 times as many, 150660 bytes: check its voxel size, or give "
           "--force");
    expect("$mm $S more.nii -o x.nii --force", 0, "names no unit for its voxel size", NULL);
    h.pixdim[1] = 1e6;
    plain("axis.nii", &h);
    expect("$mm $S axis.nii -o x.nii --force", 2, "9x8x7 voxels of 1e+06x3.9x3.9 mm",
           "an axis would have more than");
    h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = 7000;
    plain("all.nii", &h);
    expect("$mm $S all.nii -o x.nii --force", 2, "9x8x7 voxels of 7000x7000x7000 mm", NULL);
#ifndef __SANITIZE_ADDRESS__ /* that takes terabytes of addresses, and ends the program itself where malloc fails */
    h.pixdim[1] = h.pixdim[2] = h.pixdim[3] = 100;
    plain("all.nii", &h);
    expect("ulimit -v 1000000; $mm $S all.nii -o x.nii --force", 1,
           "not enough memory for all.nii, prepared as 900x800x700 voxels", NULL);
#endif
    no_temporaries();
}

/* ---- outputs --------------------------------------------------------------------------------- */

static void outputs_never_touch_a_file_that_is_read(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    put("pair.hdr", "pair.img", &h, 1, false, values(), N);
    put("BIG.HDR", "BIG.IMG", &h, 1, false, values(), N);
    plain("p.nii", &h);
    expect("rm -f x.nii new.nii; ln -f pair.img hard.nii; ln -sf pair.hdr soft.nii; ln -sf good.weights "
           "w.nii; ln -f p.nii twin.png; "
           "cat pair.* BIG.* p.nii good.weights | cksum >before",
           0, NULL, NULL);
    static const char *const lines[] = {"pair.hdr -o hard.nii",
                                        "pair.img -o soft.nii",
                                        "pair.hdr -o pair.img",
                                        "pair.hdr -o x.nii --overlay pair.img",
                                        "pair.img -o x.nii --overlay pair.hdr",
                                        "BIG.HDR -o x.nii --overlay ./BIG.IMG",
                                        "pair.hdr -o x.nii --scores ../$(basename $PWD)/pair.img",
                                        "p.nii -o w.nii",
                                        "p.nii -o ./p.nii",
                                        "p.nii -o $PWD//p.nii",
                                        "p.nii -o x.nii --overlay twin.png",
                                        "p.nii p.nii p.nii -o p.nii"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char *line = test_format("$box $S %s", lines[i]);
        expect(line, 2, "would overwrite an input", NULL);
        free(line);
    }
    expect("cat pair.* BIG.* p.nii good.weights | cksum | cmp - before", 0, NULL, NULL);
    static const char *const twice[] = {
        "-o new.nii --overlay ./new.nii",   "-o new.nii --scores $PWD/new.nii",
        "-o new.nii --scores dangling.nii", "-o chain.nii --scores new.nii",
        "-o one.nii --scores two.nii",      "-o sub/../new.nii --scores new.nii"};
    expect("mkdir -p sub; ln -sf new.nii dangling.nii; ln -sf sub/../dangling.nii chain.nii; echo >one.nii; "
           "ln -f one.nii two.nii",
           0, NULL, NULL);
    for (size_t i = 0; i < sizeof twice / sizeof *twice; i++) {
        char *line = test_format("$box $S p.nii %s", twice[i]);
        expect(line, 2, "is to hold two results", NULL);
        free(line);
    }
    expect("mkfifo both.nii; timeout 20 $box $S both.nii -o both.nii", 2, "would overwrite", NULL);
    expect("$box $S p.nii -o /dev/null --scores /dev/null", 0, NULL, NULL);
    expect("test ! -e new.nii && test ! -e x.nii", 0, NULL, NULL);
    expect("$box bench -n 1 $W --profile w.nii", 2, "would overwrite", NULL);
    no_temporaries();
}

static void outputs_through_links_and_long_names(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    plain("p.nii", &h);
    expect("ln -sf target.nii link.nii; $box $S p.nii -o link.nii && test -L link.nii && test -f target.nii",
           0, NULL, NULL);
    expect("mkdir -p deep; ln -sf deep/there.nii far.nii; $box $S p.nii -o far.nii && cmp deep/there.nii "
           "target.nii",
           0, NULL, NULL);
    expect("ln -sf gone/there.nii lost.nii; $box $S p.nii -o lost.nii", 2, "cannot write", "No such file");
    for (int n = 240; n <= 256; n++) {
        char *line =
            test_format("n=$(printf '%%0%dd' 0); $box $S p.nii -o $n.nii && cmp $n.nii target.nii && rm "
                        "$n.nii; c=$?; $box $S p.nii -q -o /dev/null; exit $c",
                        n - 4);
        expect(line, n <= 255 ? 0 : 2, n <= 255 ? NULL : "File name too long", NULL);
        free(line);
    }
    expect(
        "a=$(printf '%0251d' 1); b=$(printf '%0247d' 0)2; $box $S p.nii -o $a.nii --scores $b.nii --overlay "
        "$b.png -q && rm $a.nii $b.nii",
        0, NULL, NULL); /* as temporaries the names would be the same */
    no_temporaries();
}

static void outputs_to_streams(void **state) {
    (void)state;
    nifti_2_header h = header(DT_INT16);
    plain("p.nii", &h);
    expect("$box $S p.nii -o o.nii", 0, NULL, NULL);
    expect("$box $S p.nii -o /dev/stdout 2>/dev/null | cmp - o.nii", 0, NULL, NULL);
    expect("mkdir -p clean; $box $S p.nii -o /dev/stdout >clean/o.nii && cmp clean/o.nii o.nii && ls clean",
           0, "o.nii\n", "9x8x7 voxels");
    expect("$box $S p.nii -o /dev/fd/5 -q 5>clean/5.nii && cmp clean/5.nii o.nii", 0, NULL, NULL);
    expect("echo x >clean/a; $box $S p.nii -o /dev/stdout -q >>clean/a && tail -c +3 clean/a | cmp - o.nii",
           0, NULL, NULL);
    expect("$box $S p.nii -o /dev/fd/77", 2, "cannot write /dev/fd/77", "Bad file descriptor");
    expect("$box $S p.nii -o o.nii --overlay /dev/stdout -q | head -c 4 | grep -q PNG", 0, NULL, NULL);
    expect("mkfifo out.nii; cat out.nii >clean/f & timeout 20 $box $S p.nii -o out.nii -q && wait && cmp "
           "clean/f "
           "o.nii",
           0, NULL, NULL);
    expect("$box $S p.nii -o /dev/full", 1, "No space left", NULL);
    expect("ulimit -f 1; $box $S p.nii -o limit.nii --scores scores.nii", 1, "cannot write",
           "File too large");
    expect("test ! -e limit.nii && test ! -e scores.nii", 0, NULL, NULL);
    expect("$box $S p.nii -o /dev/stdout >/dev/full", 1, "No space left", NULL);
    expect("$box $S p.nii -o CAPITALS.NII.GZ && gzip -dc <CAPITALS.NII.GZ | cmp - o.nii", 0, NULL, NULL);
    assert_true(test_exists("/dev/full") && test_exists("/dev/null"));
    if (geteuid() != 0) expect("mkdir -p ro; chmod 555 ro; $box $S p.nii -o ro/x.nii", 2, "ermission", NULL);
    no_temporaries();
}

static void compiler_says_what_it_reads_twice(void **state) {
    (void)state;
    TEST_NEEDS(test_voxc());
    char *root = getcwd(NULL, 0);
    char *voxc =
        *test_voxc() == '/' ? test_format("%s", test_voxc()) : test_format("%s/%s", root, test_voxc());
    static const char yaml[] =
        "name: n\ninputs:\n  x: {type: f32, shape: [1, 1, 4, 4, 4]}\nlayers:\n  - c: {conv: "
        "{channels: 1, kernel: 1}}\noutputs: [c]\n";
    char *path = test_format("%s/n.yaml", folder);
    test_write(path, yaml, sizeof yaml - 1);
    static const char *const ends_of[] = {"yaml", "onnx", "ir"};
    for (int i = 0; i < 3; i++) {
        char *line = test_format("mkfifo m.%s; timeout 20 %s compile m.%s --init 1 -o bundle", ends_of[i],
                                 voxc, ends_of[i]);
        expect(line, 2, "not a regular file", "read more than once");
        free(line);
    }
    char *line = test_format("cat n.yaml >m.yaml & timeout 20 %s inspect m.yaml", voxc);
    expect(line, 0, "x f32[1,1,4,4,4]", NULL);
    free(line);
    line = test_format("mkfifo w.safetensors; timeout 20 %s verify n.yaml --weights w.safetensors", voxc);
    expect(line, 2, "w.safetensors: not a regular file", NULL);
    free(line);
    free(path);
    free(voxc);
    free(root);
}

static int run(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grids_of_several_files_must_agree),
        cmocka_unit_test(forms_of_other_kinds_are_compared),
        cmocka_unit_test(headers_that_contradict_themselves),
        cmocka_unit_test(letters_only_where_left_and_right_are_known),
        cmocka_unit_test(absurd_voxel_sizes_are_unknown),
        cmocka_unit_test(resampling_that_explodes_is_asked_about),
        cmocka_unit_test(outputs_never_touch_a_file_that_is_read),
        cmocka_unit_test(outputs_through_links_and_long_names),
        cmocka_unit_test(outputs_to_streams),
        cmocka_unit_test(compiler_says_what_it_reads_twice),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

int main(int argc, char **argv) {
    return volumes_main(argc, argv, run);
}
