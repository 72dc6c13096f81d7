/* test_program.c: the program of every bundle, run as a program: the test executable started again with
 * FAKE_MODEL set is that program for a model of fake_model.h. */
#include "program_lib.h"

/* ---- words on the command line --------------------------------------------------------------- */

static void help_and_mistakes(void **state) {
    (void)state;
    expect("fake_box", "--help", 0, "usage: fake_box VERB", "segment", "Exit codes");
    expect("fake_box", "--version", 0, "0123abcd", NULL, NULL);
    static const char *const verbs[] = {"info", "selftest", "bench", "run", "segment", "score"};
    for (size_t i = 0; i < 6; i++) {
        char *line = test_format("%s --help", verbs[i]), *usage = test_format("usage: fake_box %s", verbs[i]);
        char *bad = test_format("%s --nonsense", verbs[i]);
        expect("fake_box", line, 0, usage, "--help", NULL);
        expect("fake_box", bad, 2, "unknown option --nonsense", NULL, NULL);
        free(line);
        free(bad);
        free(usage);
    }
    expect("fake_box", "", 2, "no verb", NULL, NULL);
    expect("fake_box", "segmnet x", 2, "did you mean segment?", NULL, NULL);
    expect("fake_box", "zzzzzz", 2, "unknown verb 'zzzzzz'", NULL, NULL);
    expect("fake_box", "bench --itterations 3", 2, "did you mean --iterations?", NULL, NULL);
    expect("fake_box", "bench --iterations", 2, "wants a value", NULL, NULL);
    expect("fake_box", "bench --iterations 0", 2, "from 1 to", NULL, NULL);
    expect("fake_box", "bench --iterations 2.5", 2, "whole number", NULL, NULL);
    expect("fake_box", "bench --threads=-1", 2, "from 0 to", NULL, NULL);
    expect("fake_box", "bench --isa mmx", 2, "'mmx' is not in this program", "best is baseline", NULL);
    expect("fake_box", "bench --json=1", 2, "takes no value", NULL, NULL);
    expect("fake_box", "info extra", 2, "takes no operand", NULL, NULL);
    expect("fake_box", "segment -o x.nii", 2, "no volume", NULL, NULL);
    expect("fake_box", "segment x.nii", 2, "-o labels.nii.gz is missing", NULL, NULL);
    expect("fake_box", "run a.npy", 2, "1 input and 1 output file", NULL, NULL);
    expect("fake_box", "score a.nii", 2, "wants two files", NULL, NULL);
}

static void info(void **state) {
    (void)state;
    expect("fake_box", "info", 0, "1x1x9x10x11", "mean 5x5x5", "tiles side by side, mirrored");
    expect("fake_same", "info", 0, "prepare  resample_to_shape 6 6 6", "exceeds 0.5", "baseline");
    expect("fake_box", "info --json", 0, "\"labels\": [\"background\", \"bright \\\"spot\\\"\"]",
           "\"arena_bytes\": 4096", "\"shape\": [1, 1, 9, 10, 11]");
    expect("fake_box", "info >/dev/full", 1, "cannot write to standard output", NULL, NULL);
    if (test_run("python3 -c pass", NULL) != 0) {
        print_message("skipped: no python3 to read the JSON\n");
        skip();
    }
    expect("fake_same", "info --json | python3 -c 'import json, sys; print(sorted(json.load(sys.stdin)))'", 0,
           "'volume'", NULL, NULL);
}

static void weights_file(void **state) {
    (void)state;
    expect("fake_box", "selftest --weights none.weights", 2, "none.weights", "No such file", NULL);
    expect("fake_box", "selftest", 2, "looked for", "fake_box.weights", "--weights FILE");
    expect("fake_box", "selftest --weights .", 2, "not a regular file", NULL, NULL);
    char *path = test_format("%s/bad.weights", folder);
    test_write(path, "", 0);
    expect("fake_box", "selftest --weights bad.weights", 2, "empty", NULL, NULL);
    test_write(path, "wwwwwwwwwwww", 12);
    expect("fake_box", "selftest --weights bad.weights", 2, "truncated", "bad.weights", NULL);
    test_write(path, "not a weight file", 17);
    expect("fake_box", "selftest --weights bad.weights", 2, "not a voxc weight file", NULL, NULL);
    free(path);
}

static void selftest(void **state) {
    (void)state;
    expect("fake_box", "selftest --threads 2 %W", 0, "ok: 2 layers", "0.125", NULL);
    expect("fake_box", "selftest --isa=baseline %W", 0, "ok: 2 layers", NULL, NULL);
    expect("fake_same", "selftest %W", 1, "first diverging layer is identity", "3e+07", NULL);
}

static void bench(void **state) {
    (void)state;
    expect("fake_box", "bench -n 3 --warmup 0 --percentile 75 -t 1 %W", 0, "median", "75th percentile",
           "GMAC/s");
    expect("fake_box", "bench --layers -n 2 %W", 0, "first", "share %", "mean 5x5x5 ");
    expect("fake_box", "bench --json --layers -n 2 %W", 0, "\"iterations\": 2",
           "\"median_ms\": ", "\"name\": \"box\", \"op\": \"mean 5x5x5\", \"steps\": 1");
}

static void bench_profile(void **state) {
    (void)state;
    expect("fake_box", "bench -n 1 -t 2 --profile trace.json %W", 0, "median", NULL, NULL);
    no_temporaries();
    expect("fake_box", "bench -n 1 --profile no/trace.json %W", 2, "cannot write no/trace.json", NULL, NULL);
    TEST_NEEDS("/usr/bin/python3");
    char *line = test_format("cd '%s' && python3 -c 'import json; print([e[\"name\"] for e in "
                             "json.load(open(\"trace.json\"))[\"traceEvents\"] if e[\"ph\"] == \"X\"])'",
                             folder);
    char *out = NULL;
    assert_int_equal(test_run(line, &out), 0);
    assert_string_equal(out, "['first', 'box']\n");
    free(out), free(line);
}

/* ---- run ------------------------------------------------------------------------------------- */

static void run_and_dump(void **state) {
    (void)state;
    const int dim[5] = {1, 1, 9, 10, 11}, wrong[5] = {1, 1, 9, 10, 10};
    const vox_port first = {"first", VOX_F32, 5, {1, 3, 2, 2, 2}},
                   scores = {"scores", VOX_F32, 5, {1, 2, 5, 6, 7}};
    float x[420];
    write_npy("in.npy", dim, 5, 0.75f);
    write_npy("wrong.npy", wrong, 5, 0);
    expect("fake_box", "run wrong.npy out.npy %W", 2, "1x1x9x10x10", "1x1x9x10x11", "image");
    assert_false(exists("out.npy"));
    expect("fake_box", "run in.npy out.npy %W --dump layers", 0, NULL, NULL, NULL);
    char *path = test_format("%s/out.npy", folder);
    assert_int_equal(vox_npy_read_port(path, &scores, x), 0);
    assert_true(x[0] == 0.25f && x[210] == 0.75f && x[419] == 0.75f);
    free(path);
    path = test_format("%s/layers/first.npy", folder); /* the blocks of 16 undone */
    assert_int_equal(vox_npy_read_port(path, &first, x), 0);
    for (int i = 0; i < 24; i++) assert_true(x[i] == (float)(100 * (i / 8) + i % 8));
    free(path);
    assert_true(exists("layers/box.npy"));
    expect("fake_box", "run in.npy out2.npy %W --dump good.weights", 2, "Not a directory", NULL, NULL);
}

static void run_reports_what_it_cannot_write(void **state) {
    (void)state;
    const int dim[5] = {1, 1, 9, 10, 11};
    write_npy("in.npy", dim, 5, 0.75f);
    expect("fake_box", "run in.npy ./in.npy %W", 2, "./in.npy would overwrite", NULL, NULL);
    expect("fake_box", "run in.npy /dev/full %W", 1, "/dev/full", "No space left", NULL);
    expect("fake_box", "run in.npy none/out.npy %W", 2, "none/out.npy", "No such file", NULL);
    expect("fake_box", "run none.npy out3.npy %W", 2, "none.npy", "No such file", NULL);
    assert_false(exists("out3.npy"));
    no_temporaries();
}

/* ---- segment --------------------------------------------------------------------------------- */

static double mean_of_blob(int x, int y, int z, const int dim[3]) {
    double sum = 0;
    for (int i = 0; i < 125; i++) {
        int at[3] = {x + i % 5 - 2, y + i / 5 % 5 - 2, z + i / 25 - 2};
        for (int k = 0; k < 3; k++) {
            if (at[k] < 0) at[k] = -at[k];
            if (at[k] >= dim[k]) at[k] = 2 * (dim[k] - 1) - at[k];
        }
        sum += (double)blob(at[0], at[1], at[2], 0);
    }
    return sum / 125;
}

static void segment_in_tiles(void **state) {
    (void)state;
    const int dim[3] = {15, 13, 12};
    write_volume("blob.nii.gz", 15, 13, 12, 1, blob);
    expect("fake_box", "segment blob.nii.gz -o labels.nii.gz --overlay o.png --scores s.nii %W", 0,
           "15x13x12 voxels, 27 tiles", "label 1 bright \"spot\"", "ml");
    nifti_image *l = read_image("labels.nii.gz"), *s = read_image("s.nii");
    assert_int_equal(l->datatype, DT_UINT8);
    assert_int_equal(s->nt, 2);
    assert_true(l->qoffset_y == -17 && l->pixdim[2] == 1.5);
    for (int z = 0, i = 0; z < 12; z++) {
        for (int y = 0; y < 13; y++) {
            for (int x = 0; x < 15; x++, i++) {
                double mean = mean_of_blob(x, y, z, dim);
                assert_true(fabs((double)((float *)s->data)[15 * 13 * 12 + i] - mean) < 1e-6);
                assert_int_equal(((uint8_t *)l->data)[i], mean > 0.25);
            }
        }
    }
    assert_true(exists("o.png"));
    /* The other way to the labels, without a volume of scores, gives the same. */
    expect("fake_box", "segment blob.nii.gz -o direct.nii.gz -q %W", 0, NULL, NULL, NULL);
    nifti_image *d = read_image("direct.nii.gz");
    assert_memory_equal(l->data, d->data, 15 * 13 * 12);
    nifti_image_free(l);
    nifti_image_free(s);
    nifti_image_free(d);
    no_temporaries();
}

static float ramp(int x, int y, int z, int c) {
    (void)y, (void)z, (void)c;
    return (float)x;
}

static void segment_resampled_with_a_threshold(void **state) {
    (void)state;
    write_volume("ramp.nii", 22, 9, 6, 1, ramp);
    expect("fake_same", "segment ramp.nii -o l.nii %W", 0, "1 tile", NULL, NULL);
    nifti_image *l = read_image("l.nii"); /* x / 21 > 0.5, after 6 samples of it */
    for (int i = 0; i < 22 * 9 * 6; i++) assert_int_equal(((uint8_t *)l->data)[i], i % 22 > 10);
    nifti_image_free(l);
    expect("fake_same", "segment ramp.nii -o l.nii --level 0.76 %W", 0, NULL, NULL, NULL);
    l = read_image("l.nii");
    for (int i = 0; i < 22 * 9 * 6; i++) assert_int_equal(((uint8_t *)l->data)[i], i % 22 > 15);
    nifti_image_free(l);
    expect("fake_box", "segment ramp.nii -o l.nii --level 0.76 %W", 2, "no threshold", NULL, NULL);
}

static float brightest(int x, int y, int z, int c) {
    return (x + 2 * y + 3 * z) % 3 == c ? 1 : 0.5f;
}

static void segment_channels(void **state) {
    (void)state;
    write_volume("rgb.nii", 7, 5, 6, 3, brightest);
    write_volume("one.nii", 7, 5, 6, 1, ramp);
    write_volume("small.nii", 7, 5, 5, 1, ramp);
    expect("fake_rgb", "segment rgb.nii -o c.nii %W", 0, "label 2 third", NULL, NULL);
    nifti_image *l = read_image("c.nii");
    assert_int_equal(l->ndim, 3);
    for (int i = 0; i < 210; i++) {
        assert_int_equal(((uint8_t *)l->data)[i], (i % 7 + 2 * (i / 7 % 5) + 3 * (i / 35)) % 3);
    }
    nifti_image_free(l);
    expect("fake_rgb", "segment one.nii -o d.nii %W", 2, "1 channel", "takes 3", "--repeat-channel");
    expect("fake_box", "segment rgb.nii -o d.nii %W", 2, "holds 3 volumes (a series?)", "takes 1", NULL);
    expect("fake_rgb", "segment one.nii small.nii one.nii -o d.nii %W", 2, "7x5x5", "7x5x6", "one grid");
    assert_false(exists("d.nii"));
    expect("fake_rgb", "segment one.nii --repeat-channel -o d.nii %W", 0, NULL, NULL, NULL);
    expect("fake_rgb", "segment one.nii one.nii one.nii -o d.nii %W", 0, NULL, NULL, NULL);
    expect("fake_rgb", "segment rgb.nii -o rgb.nii %W", 2, "would overwrite", NULL, NULL);
    expect("fake_rgb", "segment rgb.nii -o two.nii --scores two.nii %W", 2, "two results", NULL, NULL);
    no_temporaries();
}

static float holes(int x, int y, int z, int c) {
    (void)c;
    return x == 1 && y == 1 ? NAN : (float)(x + y + z);
}

static void segment_bad_input(void **state) {
    (void)state;
    write_volume("blob.nii.gz", 15, 13, 12, 1, blob);
    write_volume("nan.nii", 6, 6, 6, 1, holes);
    expect("fake_box", "segment none.nii -o x.nii %W", 2, "none.nii", "No such file", NULL);
    expect("fake_box", "segment blob.nii.gz -o x.png %W", 2, "must end in .nii, .nii.gz, .tif", NULL, NULL);
    expect("fake_box", "segment blob.nii.gz -o none/x.nii %W", 2, "No such file", NULL, NULL);
    expect("fake_box", "segment blob.nii.gz -o /dev/full %W", 1, "/dev/full", "No space left", NULL);
    expect("fake_box", "segment blob.nii.gz -o x.nii --overlay /dev/full %W", 1, "/dev/full", "No space left",
           NULL);
    expect("fake_box", "segment blob.nii.gz -o x.nii --weights none", 2, "none", NULL, NULL);
    expect("fake_box", "segment good.weights -o x.nii %W", 2, "not NIfTI", NULL, NULL);
    assert_false(exists("x.nii"));
    assert_true(test_exists("/dev/full"));
    expect("fake_box", "segment nan.nii -o y.nii %W", 0, "warning: nan.nii: 6 voxels are not finite", NULL,
           NULL);
    assert_true(exists("y.nii"));
    no_temporaries();
}

static float zero(int x, int y, int z, int c) {
    (void)x, (void)y, (void)z, (void)c;
    return 0;
}

static void segment_says_what_cannot_be_prepared(void **state) {
    (void)state;
    write_volume("zero.nii", 6, 6, 6, 1, zero);
    expect("fake_same", "segment zero.nii -o z.nii %W", 2, "divide_by_maximum", NULL, NULL);
    assert_false(exists("z.nii"));
}

static void no_progress_in_a_pipe(void **state) {
    (void)state;
    char *out = NULL;
    write_volume("blob.nii.gz", 15, 13, 12, 1, blob);
    assert_int_equal(program("fake_box", "segment blob.nii.gz -o p.nii %W >/dev/null", &out), 0);
    assert_string_equal(out, "");
    free(out);
}

/* Ctrl-C while the network runs (FAKE_SLOW makes it wait): 130, and nothing is left. */
static void interrupt_removes_temporaries(void **state) {
    (void)state;
    write_volume("blob.nii.gz", 15, 13, 12, 1, blob);
    static const int numbers[][2] = {{SIGINT, 130}, {SIGTERM, 143}};
    for (int i = 0; i < 2; i++) {
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            setenv("FAKE_MODEL", "fake_box", 1);
            setenv("FAKE_SLOW", "1", 1);
            if (chdir(folder) != 0) _exit(99);
            execl(self, self, "segment", "blob.nii.gz", "-o", "interrupted.nii.gz", "--weights", weights,
                  (char *)NULL);
            _exit(99);
        }
        char *seen = test_format("%s/running", folder); /* the slow model makes this file */
        for (int t = 0; t < 1000 && access(seen, F_OK) != 0; t++) usleep(10000);
        char *line = test_format("ls '%s' | grep -c 'interrupted.*tmp'", folder);
        assert_int_equal(test_run(line, NULL), 0); /* it is there while the network runs */
        assert_int_equal(kill(child, numbers[i][0]), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), numbers[i][1]);
        assert_false(exists("interrupted.nii.gz"));
        no_temporaries();
        unlink(seen);
        free(seen);
        free(line);
    }
}

/* ---- the program itself ---------------------------------------------------------------------- */

static vox_status slow_run(const void *prepared, const void *const *inputs, void *const *outputs, void *arena,
                           size_t arena_bytes, const vox_executor *e) {
    int fd = open("running", O_CREAT | O_WRONLY, 0666);
    if (fd >= 0) close(fd);
    sleep(20);
    return fake_box_run(prepared, inputs, outputs, arena, arena_bytes, e);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_mistakes),
        cmocka_unit_test(info),
        cmocka_unit_test(weights_file),
        cmocka_unit_test(selftest),
        cmocka_unit_test(bench),
        cmocka_unit_test(bench_profile),
        cmocka_unit_test(run_and_dump),
        cmocka_unit_test(run_reports_what_it_cannot_write),
        cmocka_unit_test(segment_in_tiles),
        cmocka_unit_test(segment_resampled_with_a_threshold),
        cmocka_unit_test(segment_channels),
        cmocka_unit_test(segment_bad_input),
        cmocka_unit_test(segment_says_what_cannot_be_prepared),
        cmocka_unit_test(no_progress_in_a_pipe),
        cmocka_unit_test(interrupt_removes_temporaries),
    };
    if (getenv("FAKE_MODEL") != NULL) {
        vox_model_info model = *fake_model(getenv("FAKE_MODEL"));
        if (getenv("FAKE_SLOW") != NULL) model.run = slow_run;
        return vox_program_main(argc, argv, &model);
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
