/* test_segment_many.c: many volumes in one call, and runs that are stopped and taken up again. The test executable
 * started again with FAKE_MODEL set is a program of fake_model.h; it adds a byte to the file `runs` for every run of the
 * network, and with FAKE_SLOW sleeps as many microseconds. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <time.h>

#include "../runtime/program/program.h"
#include "fake_model.h"
#include "npy_port.h"

enum { NX = 13, NY = 11, NZ = 23, N = NX * NY * NZ };

static char *folder, self[4096], weights[4096];

static int setup(void **state) {
    (void)state;
    folder = test_tmpdir();
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char w[FAKE_WEIGHTS];
    memset(w, 'w', sizeof w);
    snprintf(weights, sizeof weights, "%s/good.weights", folder);
    test_write(weights, w, sizeof w);
    return n > 0 && chdir(folder) == 0 ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    if (chdir("/") != 0) return -1;
    test_rmdir(folder);
    return 0;
}

/* A line of shell, where $box and $rgb are the models' `segment` with their weights. */
static int shell(const char *line, char **out) {
    char *full = test_format("box() { FAKE_MODEL=fake_box '%s' segment --weights '%s' \"$@\"; }; rgb() { "
                             "FAKE_MODEL=fake_rgb '%s' segment --weights '%s' \"$@\"; }; %s",
                             self, weights, self, weights, line);
    int code = test_run(full, out);
    free(full);
    return code;
}

/* Exit code `code`, and a and b (NULL: any) in what is printed, with as many lines of "error: ". */
static void expect(const char *line, int code, int errors, const char *a, const char *b) {
    char *out = NULL;
    int got = shell(line, &out), found = 0;
    for (const char *p = out; (p = strstr(p, "error: ")) != NULL; p++) found++;
    if (got != code) fail_msg("%s: exit code %d, not %d: %s", line, got, code, out);
    if (a != NULL && strstr(out, a) == NULL) fail_msg("%s: no '%s' in: %s", line, a, out);
    if (b != NULL && strstr(out, b) == NULL) fail_msg("%s: no '%s' in: %s", line, b, out);
    if (found != errors) fail_msg("%s: %d errors, not %d, in: %s", line, found, errors, out);
    free(out);
}

static void expect_ok(const char *line) {
    expect(line, 0, 0, NULL, NULL);
}

static long size_of(const char *name) {
    struct stat s;
    return stat(name, &s) == 0 ? (long)s.st_size : -1;
}

static float value_at(int i, int seed) {
    unsigned x = (unsigned)i * 2654435761u + (unsigned)seed * 40503u;
    x ^= x >> 15;
    x *= 2246822519u;
    float u = (float)(x >> 8 & 1023) / 1024;
    return u * u * u; /* whose mean is 1/4, fake_box's threshold */
}

static void put(const char *name, int seed) {
    const int dim[3] = {NZ, NY, NX};
    float *x = malloc(N * sizeof *x);
    assert_non_null(x);
    for (int i = 0; i < N; i++) x[i] = value_at(i, seed);
    assert_int_equal(vox_npy_write_array(name, VOX_F32, 3, dim, x), 0);
    free(x);
}

/* Case c's channels; fake_rgb's labels are the brightest. */
static void put_case(const char *where, const char *name, int seed) {
    for (int c = 0; c < 3; c++) {
        char *path = test_format("%s/%s_%04d.npy", where, name, c);
        put(path, seed + c);
        free(path);
    }
}

static void labels_are_brightest(const char *file, int seed) {
    size_t bytes = 0;
    unsigned char *all = (unsigned char *)test_read(file, &bytes);
    assert_true(bytes > N);
    const unsigned char *labels = all + bytes - N;
    for (int i = 0; i < N; i++) {
        int best = 0;
        for (int c = 1; c < 3; c++) best = value_at(i, seed + c) > value_at(i, seed + best) ? c : best;
        if (labels[i] != best) fail_msg("%s: voxel %d is %d, not %d", file, i, labels[i], best);
    }
    free(all);
}

/* ---- many ------------------------------------------------------------------------------------ */

static void a_folder_in_nnunets_naming(void **state) {
    (void)state;
    expect_ok("rm -rf in out; mkdir in; echo '{}' >in/dataset.json");
    put_case("in", "a", 1);
    put_case("in", "a_b", 5);
    put_case("in", "c_0000", 9); /* c_0000_0000.npy */
    expect("rgb --folder in/ -o out", 0, 0, "out: 3 volumes segmented", "out/a_b.npy: 13x11x23 voxels");
    labels_are_brightest("out/a.npy", 1);
    labels_are_brightest("out/a_b.npy", 5);
    labels_are_brightest("out/c_0000.npy", 9);
    expect("ls -A out", 0, 0, "a.npy\na_b.npy\nc_0000.npy\n", NULL);
    expect_ok("rm -f runs; rgb --folder in -o out --ending .nii.gz --quiet | grep . && exit 1; test -s "
              "out/a.nii.gz");
}

static void subjects_by_name(void **state) {
    (void)state;
    expect_ok("rm -rf in out; mkdir in");
    put_case("in", "a", 1);
    put_case("in", "b", 7);
    expect_ok("rgb --subject in/a_0000.npy,in/a_0001.npy,in/a_0002.npy "
              "--subject=in/b_0000.npy,in/b_0001.npy,in/b_0002.npy -o out");
    labels_are_brightest("out/a.npy", 1);
    labels_are_brightest("out/b.npy", 7);
    expect_ok("rgb in/b_0000.npy in/b_0001.npy in/b_0002.npy -o one.npy && cmp one.npy out/b.npy");
}

static void a_wrong_list_is_refused_before_anything_runs(void **state) {
    (void)state;
    expect_ok("rm -rf in out runs; mkdir in; echo x >file");
    put_case("in", "a", 1);
    put_case("in", "b", 7);
    expect("mv in/b_0001.npy x.npy; rgb --folder in -o out; c=$?; mv x.npy in/b_0001.npy; exit $c", 2, 1,
           "in/b_0001.npy is missing", NULL);
    expect("mv in/b_0002.npy x.npy; rgb --folder in -o out; c=$?; mv x.npy in/b_0002.npy; exit $c", 2, 1,
           "in/b_0002.npy is missing", NULL);
    expect("mv in/a_0000.npy x.npy; rgb --folder in -o out; c=$?; mv x.npy in/a_0000.npy; exit $c", 2, 1,
           "in/a_0000.npy is missing", NULL);
    expect("cp in/a_0000.npy in/a_0003.npy; rgb --folder in -o out; c=$?; rm in/a_0003.npy; exit $c", 2, 1,
           "in/a_0003.npy: fake_rgb takes 3 channels, _0000 to _0002", NULL);
    expect("cp in/a_0000.npy in/a_0000.nii; rgb --folder in -o out; c=$?; rm in/a_0000.nii; exit $c", 2, 1,
           "this channel is there twice", NULL);
    expect("cp in/a_0000.npy in/a.npy; rgb --folder in -o out; c=$?; rm in/a.npy; exit $c", 2, 1,
           "in/a.npy: names must end in the channel's number, such as a_0000.npy", NULL);
    expect("mkdir -p none; rgb --folder none -o out", 2, 1, "holds no image", NULL);
    expect("rgb --folder nowhere -o out", 2, 1, "No such file", NULL);
    expect("rgb --folder in", 2, 1, "-o FOLDER is missing", NULL);
    expect("rgb --folder in -o file", 2, 1, "it is a file", NULL);
    expect("rgb --folder in -o out in/a_0000.npy", 2, 1, "not both", NULL);
    expect("rgb --folder in --subject in/a_0000.npy -o out", 2, 1, "either --subject or --folder", NULL);
    expect("rgb --folder in -o out --scores s.npy", 2, 1, "--scores is for one volume", NULL);
    expect("rgb --folder in -o out --ending .jpg", 2, 1, "the name must end in", NULL);
    expect("box --subject in/a_0000.npy --subject in/a_0001.npy -o out", 2, 1, "labels of two volumes", NULL);
    expect("cp in/a_0000.npy in/d.npy; box --subject in/d.npy -o in", 2, 1,
           "in/d.npy would overwrite an input", NULL);
    expect("box --subject in/a_0000.npy, -o out", 2, 1, "a name is empty", NULL);
    assert_int_equal(size_of("out"), -1);
    assert_int_equal(size_of("runs"), -1);
}

static void one_that_fails_does_not_stop_the_others(void **state) {
    (void)state;
    expect_ok("rm -rf in out; mkdir in");
    put_case("in", "a", 1);
    put_case("in", "b", 7);
    put_case("in", "c", 9);
    expect_ok("head -c 3000 in/b_0001.npy >short && mv short in/b_0001.npy");
    expect("rgb --folder in -o out", 2, 2, "1 of 3 volumes failed: b; the others are in out",
           "in/b_0001.npy");
    labels_are_brightest("out/a.npy", 1);
    labels_are_brightest("out/c.npy", 9);
    expect("ls -A out", 0, 0, "a.npy\nc.npy\nsegment.part\n", NULL);
    put_case("in", "b", 7);
    expect("rm -f runs; rgb --folder in -o out --resume", 0, 0, "3 volumes segmented, 2 of them before",
           NULL);
    labels_are_brightest("out/b.npy", 7);
    long once = size_of("runs");
    expect("ls -A out", 0, 0, "a.npy\nb.npy\nc.npy\n", NULL);
    expect_ok("rm runs; rgb --folder in -o out -q");
    assert_int_equal(size_of("runs"), 3 * once);
}

/* ---- stopped and taken up again --------------------------------------------------------------- */

/* Starts `box v.npy -o NAME...` slowly, stops it after some time, and when `file` (NULL:
 * none) is there, or when it is done; whether it was stopped. */
static bool stopped(char *const *arguments, const char *slow, long microseconds, const char *file,
                    int number) {
    pid_t child = fork();
    if (child == 0) {
        int nowhere = open("/dev/null", O_WRONLY);
        dup2(nowhere, STDOUT_FILENO);
        dup2(nowhere, STDERR_FILENO);
        setenv("FAKE_SLOW", slow, 1);
        execv(self, arguments);
        _exit(99);
    }
    usleep((useconds_t)microseconds);
    for (int i = 0; i < 20000 && file != NULL && size_of(file) < 0; i++) usleep(1000);
    kill(child, number);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == number : WEXITSTATUS(status) == 128 + number);
    return true;
}

static void kill_9_at_ten_moments(void **state) {
    (void)state;
    put("v.npy", 3);
    setenv("FAKE_MODEL", "fake_box", 1);
    expect_ok("rm -f runs; box v.npy -o whole.npy -q");
    const long whole = size_of("runs");
    assert_int_equal(whole, 5 * 2 * 2);
    char *arguments[] = {self, "segment", "--weights", weights, "v.npy", "-o", "k.npy", "--resume", NULL};
    long again = 0;
    int were_stopped = 0;
    unsigned seed = (unsigned)time(NULL);
    print_message("moments from the seed %u\n", seed);
    for (int i = 0; i < 10; i++) {
        expect_ok("rm -f k.npy k.npy.part");
        seed = seed * 1664525u + 1013904223u;
        /* 3 ms a run */
        bool was = stopped(arguments, "3000", 1000 + (long)(seed >> 8) % (whole * 3300), NULL, SIGKILL);
        were_stopped += was;
        if (was && size_of("k.npy") >= 0) fail_msg("the output is there");
        expect_ok("rm -f runs; box v.npy -o k.npy --resume -q && cmp k.npy whole.npy && ! ls -A | grep -E "
                  "'^k.*(part|tmp)'");
        again += size_of("runs") >= 0 ? size_of("runs") : 0;
    }
    unsetenv("FAKE_MODEL");
    assert_true(were_stopped > 0);
    assert_true(again < were_stopped * whole); /* something was not computed again */
}

/* Leaves k.npy.part as a run that was stopped does. */
static void leave_part(int number) {
    char *arguments[] = {self, "segment", "--weights", weights, "v.npy", "-o", "k.npy", NULL};
    setenv("FAKE_MODEL", "fake_box", 1);
    int tries = 0;
    do {
        expect_ok("rm -f k.npy k.npy.part");
        assert_true(++tries < 30);
        stopped(arguments, "20000", 200000 + 10000 * tries, NULL, number);
    } while (size_of("k.npy") >= 0 || size_of("k.npy.part") < 1000);
    unsetenv("FAKE_MODEL");
}

static void what_is_kept_is_checked(void **state) {
    (void)state;
    put("v.npy", 3);
    put("other.npy", 4);
    expect_ok("rm -f k.npy k.npy.part; box v.npy -o whole.npy -q; box other.npy -o others.npy -q");
    leave_part(SIGTERM);
    expect_ok("cp k.npy.part left.part; ! ls -A | grep '^k.*tmp'");
    expect("cp left.part k.npy.part; box v.npy -o k.npy --resume && cmp k.npy whole.npy", 0, 0,
           "note: k.npy: goes on behind plane", NULL);
    expect("cp left.part k.npy.part; box other.npy -o k.npy --resume && cmp k.npy others.npy", 0, 0,
           "begins anew", NULL);
    expect("cp left.part k.npy.part; box v.npy -o k.npy --overlap 0.5 --resume", 0, 0, "begins anew", NULL);
    expect("cp left.part k.npy.part; head -c 100 good.weights >w2; printf %28s | tr ' ' x >>w2; box "
           "--weights w2 v.npy -o "
           "k.npy --resume",
           0, 0, "begins anew", NULL);
    /* Torn and changed planes are computed again. */
    expect_ok("head -c 700 left.part >k.npy.part; box v.npy -o k.npy --resume -q && cmp k.npy whole.npy");
    expect_ok("head -c 20 left.part >k.npy.part; box v.npy -o k.npy --resume -q && cmp k.npy whole.npy");
    expect_ok("cp left.part k.npy.part; printf '\\377\\377' | dd of=k.npy.part bs=1 seek=300 conv=notrunc "
              "2>/dev/null; box "
              "v.npy -o k.npy --resume -q && cmp k.npy whole.npy");
    /* Without --resume it goes. */
    expect_ok("cp left.part k.npy.part; rm -f runs; box v.npy -o k.npy -q && cmp k.npy whole.npy && ! ls "
              "k.npy.part");
    expect("box v.npy -o k.npy --resume --scores s.npy", 2, 1, "scores are not kept", NULL);
}

static void interrupted_and_full_disks(void **state) {
    (void)state;
    put("v.npy", 3);
    expect_ok("rm -f k.npy k.npy.part; box v.npy -o whole.npy -q");
    leave_part(SIGINT);
    expect_ok("box v.npy -o k.npy --resume -q && cmp k.npy whole.npy");
    /* 2 blocks of 512 bytes: neither the planes nor the labels have room. */
    expect("rm -f k.npy; ulimit -f 2; box v.npy -o k.npy -q", 1, 1, "cannot write",
           "warning: finished planes cannot be kept");
    assert_int_equal(size_of("k.npy"), -1);
    expect_ok("! ls -A | grep -E '^k.*(part|tmp)'");
    /* The planes have room, the labels as float32 scores do not. */
    expect("ulimit -f 12; box v.npy -o k.npy -q --scores s.npy", 1, 1, "cannot write", NULL);
    expect_ok("! ls -A | grep -E '^[ks].*(part|tmp|npy$)'");
}

static void a_folder_is_taken_up_again(void **state) {
    (void)state;
    expect_ok("rm -rf in out whole runs; mkdir in");
    for (int i = 0; i < 4; i++) {
        char *name = test_format("in/c%d_0000.npy", i);
        put(name, 20 + i);
        free(name);
    }
    expect_ok("box --folder in -o whole -q");
    const long all = size_of("runs");
    char *arguments[] = {self, "segment", "--weights", weights, "--folder", "in", "-o", "out", NULL};
    setenv("FAKE_MODEL", "fake_box", 1);
    assert_true(stopped(arguments, "10000", 0, "out/c1.npy", SIGKILL));
    unsetenv("FAKE_MODEL");
    expect("test -e out/c0.npy && ! test -e out/c3.npy && rm -f runs && box --folder in -o out --resume", 0,
           0, "of them before", NULL);
    assert_true(size_of("runs") < all * 3 / 4);
    expect_ok("diff -r whole out");
}

/* ---- in slabs -------------------------------------------------------------------------------- */

static void in_slabs_from_any_file(void **state) {
    (void)state;
    expect_ok("rm -rf in; mkdir in");
    put("v.npy", 3);
    put_case("in", "a", 1);
    expect_ok("box v.npy -o whole.npy -q && box v.npy -o s.npy --stream && cmp s.npy whole.npy");
    expect_ok(
        "box v.npy -o s.npy --stream --overlap 0.5 -q; box v.npy -o m.npy --overlap 0.5 -q; cmp s.npy m.npy");
    expect_ok(
        "rgb in/a_000[012].npy -o m.npy -q; rgb in/a_000[012].npy -o s.npy -q --stream && cmp s.npy m.npy");
    expect_ok("rgb v.npy -o m.npy -q --repeat-channel; rgb v.npy -o s.npy -q --stream --repeat-channel; cmp "
              "s.npy m.npy");
    expect_ok("! ls -A | grep -E 'voxc|tmp|^s.*part'");
    expect("head -c 5000 v.npy >short.npy; box short.npy -o x.npy --stream", 2, 1, "truncated", NULL);
    expect("box v.npy -o x.npy --stream --scores s.npy", 2, 1, "--stream gives labels alone", NULL);
#ifdef VOX_WITH_NIFTI
    /* Labels as a volume: of NIfTI, which has other headers and types. */
    expect_ok("rgb in/a_000[012].npy -o l.nii -q; gzip -k -f l.nii");
    expect_ok("box l.nii -o m.nii -q; box l.nii -o s.nii -q --stream && cmp s.nii m.nii");
    expect("box l.nii.gz -o x.nii --stream", 3, 1, "cannot be read in slabs", NULL);
#endif
#ifdef VOX_WITH_HDF5
    expect("rgb in/a_000[012].npy -o l.h5:/some/labels; ls -A | grep h5", 0, 0, "l.h5\n", NULL);
    expect("box v.npy -o l.h5 --mpi", 3, 1, "built without MPI", NULL);
    expect_ok("box l.h5 -o m.npy -q; box l.h5:/some/labels -o s.npy -q --stream && cmp s.npy m.npy");
#endif
}

static void in_slabs_and_taken_up_again(void **state) {
    (void)state;
    put("v.npy", 3);
    expect_ok("rm -f runs; box v.npy -o whole.npy -q");
    const long whole = size_of("runs");
    leave_part(SIGKILL);
    expect("rm -f runs; box v.npy -o k.npy --stream --resume && cmp k.npy whole.npy", 0, 0, "goes on behind",
           NULL);
    assert_true(size_of("runs") < whole);
}

/* ---- the program ----------------------------------------------------------------------------- */

static vox_status counted_box_run(const void *prepared, const void *const *inputs, void *const *outputs,
                                  void *arena, size_t arena_bytes, const vox_executor *e) {
    const char *slow = getenv("FAKE_SLOW");
    int file = open("runs", O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (file < 0 || write(file, "r", 1) != 1) return VOX_E_CANCELLED;
    close(file);
    if (slow != NULL) usleep((useconds_t)atoi(slow));
    return fake_model(getenv("FAKE_MODEL"))->run(prepared, inputs, outputs, arena, arena_bytes, e);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_in_nnunets_naming),
        cmocka_unit_test(subjects_by_name),
        cmocka_unit_test(a_wrong_list_is_refused_before_anything_runs),
        cmocka_unit_test(one_that_fails_does_not_stop_the_others),
        cmocka_unit_test(kill_9_at_ten_moments),
        cmocka_unit_test(what_is_kept_is_checked),
        cmocka_unit_test(interrupted_and_full_disks),
        cmocka_unit_test(a_folder_is_taken_up_again),
        cmocka_unit_test(in_slabs_from_any_file),
        cmocka_unit_test(in_slabs_and_taken_up_again),
    };
    if (getenv("FAKE_MODEL") != NULL) {
        vox_model_info model = *fake_model(getenv("FAKE_MODEL"));
        model.run = counted_box_run;
        return vox_program_main(argc, argv, &model);
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
