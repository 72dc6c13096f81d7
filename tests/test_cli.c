/* The command line: help, versions, suggestions, exit codes, and that nothing is left half written. */
#include "test.h"

#include "version.h"

typedef struct cli_case {
    const char *arguments; /* %s: an empty temporary folder */
    int code;
    const char *says;
} cli_case;

static const cli_case cases[] = {
    {"", 2, "nothing to do"},
    {"--help", 0, "usage: voxc VERB"},
    {"--version", 0, "voxc " VOXC_VERSION},
    {"compile --help", 0, "--model-name"},
    {"inspect --help", 0, "--json"},
    {"verify --help", 0, "--per-node-accuracy"},
    {"export --help", 0, "--output"},
    {"help verify", 0, "--per-node-accuracy"},
    {"help verfy", 2, "did you mean 'verify'?"},
    {"comple models/unet3d.yaml", 2, "did you mean 'compile'?"},
    {"frobnicate", 2, "expected compile, inspect, verify or export"},
    {"compile models/unet3d.yaml --inti 1 -o %s/x", 2, "did you mean '--init'?"},
    {"compile models/unet3d.yaml --zzzzzz -o %s/x", 2, "unknown option '--zzzzzz'"},
    {"compile models/unet3d.yaml --init", 2, "--init needs a value"},
    {"compile models/unet3d.yaml --init 1 --init 2 -o %s/x", 2, "--init is given twice"},
    {"compile models/unet3d.yaml --init x -o %s/x", 2, "expected a whole number"},
    {"compile models/unet3d.yaml --force=1 -o %s/x", 2, "--force takes no value"},
    {"compile models/unet3d.yaml --init 1", 2, "-o DIR"},
    {"compile models/unet3d.yaml -o %s/x", 2, "--weights FILE.safetensors"},
    {"compile models/unet3d.yaml --init 1 --weights w.safetensors -o %s/x", 2, "exclude each other"},
    {"compile models/unet3d.yaml --init 1 --target gpu -o %s/x", 2, "expected c, cuda or c,cuda"},
    {"compile models/unet3d.yaml --init 1 --model-name 3d -o %s/x", 2, "C identifier"},
    {"compile models/unet3d.yaml models/deepbrain.yaml --init 1 -o %s/x", 2, "one MODEL at a time"},
    {"compile -o %s/x", 2, "no MODEL given"},
    {"compile missing.onnx -o %s/x", 2, "missing.onnx"},
    {"compile models -o %s/x", 2, "unknown kind of model"},
    {"compile models/unet3d_small.yaml --init 1 -o %s/no/such/folder", 1, "does not exist"},
    {"compile models/unet3d_small.yaml --init 1 --statistics sometimes -o %s/x", 2, "running or current"},
    {"compile models/nnunet_small.yaml --init 1 --nnunet . -o %s/x", 2, "--nnunet needs --mirror-axes 0,1,2"},
    {"compile models/nnunet_small.yaml --init 1 --mirror-axes none -o %s/x", 2, "belong to --nnunet DIR"},
    {"compile models/nnunet_small.yaml --init 1 --monai a --volume b -o %s/x", 2, "exclude each other"},
    {"compile models/nnunet_small.yaml --init 1 --monai missing -o %s/x", 2,
     "missing/configs/inference.json"},
    {"inspect models/unet3d_small.yaml --dump-ir-after laoyut", 2, "did you mean layout"},
    {"inspect models/unet3d.yaml --input-dim D=134", 2, "140"},
    {"inspect models/unet3d_small.yaml --memory-report %s/x.png", 2, "the extension names the format: .json"},
    {"inspect models/unet3d_small.yaml --memory-report .json", 2, "the extension names the format"},
    {"inspect models/unet3d_small.yaml --memory-report %s/no/such/folder.svg", 1, "no/such/folder.svg"},
    {"compile models/unet3d_small.yaml --init 1 -o %1$s/x --memory-report %1$s/no/x.svg", 1, "no/x.svg"},
    {"inspect models/meshnet_few.yaml --check-plan --input-dim D=24 --input-dim H=9 --input-dim W=9", 0,
     "plan         checked"},
    {"inspect models/unet3d_small.yaml --target cuda --precision fp16", 0, "cuda, fp16: 38 launches per run"},
    {"inspect models/unet3d_small.yaml --target cuda --json", 0, "\"precision\": \"fp32\""},
    {"inspect models/unet3d_small.yaml --target cuda --workspace-cap 0", 0, "up to 0 of workspace"},
    {"inspect models/unet3d_small.yaml --target cuda --workspace-cap 1M --max-memory 1M", 2,
     "of arena and prepared weights and --workspace-cap at least, the limit is 1048576"},
    {"inspect models/unet3d_small.yaml --target gpu", 2, "expected c, cuda or c,cuda"},
    {"inspect models/unet3d_small.yaml --target c,cuda", 2, "choose c or cuda"},
    {"inspect models/unet3d_small.yaml --target cuda --precision int8", 2,
     "expected fp32, tf32, fp16 or bf16"},
    {"inspect models/unet3d_small.yaml --target cuda --math strict", 2, "--math is for --target c"},
    {"inspect models/unet3d_small.yaml --target cuda --threads 2", 2, "--threads is for --target c"},
    {"inspect models/unet3d_small.yaml --target cuda --opt-report", 2, "--opt-report is for --target c"},
    {"inspect models/unet3d_small.yaml --precision fp16", 2, "--precision is for --target cuda"},
    {"inspect models/unet3d_small.yaml --workspace-cap 1M", 2, "--workspace-cap is for --target cuda"},
    {"inspect models/unet3d_small.yaml --target cuda --dump-ir-after slab", 2, "did you mean slabs"},
    {"inspect models/unet3d_small.yaml --target cuda --dump-ir-after stream", 2, "no such pass"},
    {"inspect models/unet3d_small.yaml --volume 21x17x12", 0, "116x108x100   28x20x12      1x1x1"},
    {"inspect models/unet3d_small.yaml --volume-size 21x17x12 --json", 0, "\"chosen\": true"},
    {"inspect models/unet3d_small.yaml --volume-size 21x17x12 --max-memory 9M", 2,
     "no tile of unet3d_small fits: for this volume the program needs"},
    {"compile models/unet3d_small.yaml --init 1 --volume-size 21x17 -o %s/x", 2,
     "expected voxels along x, y and z"},
    {"compile models/unet3d_small.yaml --init 1 --volume 9x9x9 --volume-size 8x8x8 -o %s/x", 2,
     "--volume-size is given twice"},
    {"inspect models/unet3d_small.yaml --target cuda --volume-size 9x9x9", 2,
     "--volume-size is for --target c"},
    {"inspect models/deepbrain.yaml --volume-size 99x99x99", 2, "says `border: none`"},
    {"inspect models/nnunet_small.yaml --volume-size 90x90x40", 0, "the tile stays as written"},
    {"verify models/unet3d_small.yaml --init 1 --atol -1", 2, "expected a number, 0 or more"},
    {"verify models/unet3d_small.yaml --init 1 --cc ''", 2, "--cc"},
    {"verify models/unet3d_small.yaml --init 1 --threads 0", 2, "whole number from 1"},
};

static void test_messages_and_codes(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *dir = test_tmpdir();
        char *arguments = test_format(cases[i].arguments, dir);
        char *command = test_format("%s %s", test_voxc(), arguments), *out;
        int code = test_run(command, &out);
        if (code != cases[i].code || !strstr(out, cases[i].says))
            fail_msg("voxc %s: exit code %d, printed: %s (expected %d and \"%s\")", arguments, code, out,
                     cases[i].code, cases[i].says);
        char *left = test_format("ls -A %s", dir), *listing;
        test_run(left, &listing);
        if (*listing) fail_msg("voxc %s left behind: %s", arguments, listing);
        free(listing), free(left), free(out), free(command), free(arguments);
        test_rmdir(dir);
    }
}

static void test_errors_are_one_line_on_stderr(void **state) {
    (void)state;
    char *command = test_format("%s compile missing.onnx -o x 2>/dev/null", test_voxc()), *out;
    assert_int_equal(test_run(command, &out), 2);
    assert_string_equal(out, "");
    free(out), free(command);
    command = test_format("%s compile missing.onnx -o x", test_voxc());
    test_run(command, &out);
    assert_ptr_equal(strchr(out, '\n'), out + strlen(out) - 1);
    free(out), free(command);
}

static void test_inspect_says_what_the_paper_says(void **state) {
    (void)state;
    char *command = test_format("%s inspect models/unet3d.yaml", test_voxc()), *out;
    assert_int_equal(test_run(command, &out), 0);
    assert_non_null(strstr(out, "19069955"));
    assert_non_null(strstr(out, "266.73"));
    assert_non_null(strstr(out, "f32[1,3,44,44,28]"));
    assert_non_null(strstr(out, "\npeak         d1a"));
    free(out), free(command);
}

static void test_paper_arena_meets_its_bound(void **state) {
    (void)state;
    char *command = test_format("%s inspect --json models/unet3d.yaml", test_voxc()), *out;
    assert_int_equal(test_run(command, &out), 0);
    const char *arena = strstr(out, "\"arena_bytes\": "), *bound = strstr(out, "\"arena_lower_bound\": ");
    assert_true(arena && bound);
    long long bytes = atoll(arena + strlen("\"arena_bytes\": "));
    assert_int_equal(bytes, atoll(bound + strlen("\"arena_lower_bound\": ")));
    assert_in_range(bytes, 1, 700LL << 20);
    free(out), free(command);
}

static void test_full_disk_is_reported(void **state) {
    (void)state;
    TEST_NEEDS("/dev/full");
    char *command = test_format("%s inspect models/unet3d_small.yaml 2>&1 >/dev/full", test_voxc()), *out;
    assert_int_equal(test_run(command, &out), 1);
    assert_non_null(strstr(out, "can't write"));
    free(out), free(command);
}

static void test_dumps_name_unchanged_passes(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    char *command =
        test_format("%s inspect models/unet3d_small.yaml -D %s/d >/dev/null && ls %s/d && cat %s/d/*-fold.ir",
                    test_voxc(), dir, dir, dir);
    assert_int_equal(test_run(command, &out), 0);
    assert_non_null(strstr(out, "00-import.ir"));
    assert_non_null(strstr(out, "-memory.ir"));
    assert_non_null(strstr(out, "(unchanged)"));
    free(out), free(command);
    test_rmdir(dir);
}

static void test_same_bytes_from_any_folder(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    char *command = test_format(
        "V=$(realpath %s); M=$(realpath models); $V compile $M/unet3d_small.yaml --init 1 -o %s/a && "
        "cd %s && $V compile $M/unet3d_small.yaml --init 1 -o b && diff -r a b && echo same",
        test_voxc(), dir, dir);
    assert_int_equal(test_run(command, &out), 0);
    assert_non_null(strstr(out, "same"));
    free(out), free(command);
    test_rmdir(dir);
}

static void test_refuses_a_folder_of_something_else(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    char *command = test_format("touch %s/thesis.tex; %s compile models/unet3d_small.yaml --init 1 -o %s",
                                dir, test_voxc(), dir);
    assert_int_equal(test_run(command, &out), 2);
    free(out), free(command);
    command = test_format("ls -A %s", dir);
    test_run(command, &out);
    assert_string_equal(out, "thesis.tex\n");
    free(out), free(command);
    test_rmdir(dir);
}

/* Interrupted at ten moments, compile leaves either nothing or a whole bundle. */
static void test_interrupt_leaves_nothing_half_written(void **state) {
    (void)state;
    for (int i = 1; i <= 10; i++) {
        char *dir = test_tmpdir(), *out;
        char *command = test_format(
            "timeout -s INT 0.%02d %s compile models/unet3d_small.yaml --init 1 -o %s/b; ls -A %s; "
            "[ ! -d %s/b ] || [ -f %s/b/manifest.json ] && echo whole",
            i * 3, test_voxc(), dir, dir, dir, dir);
        test_run(command, &out);
        if (!strstr(out, "whole") || strstr(out, "tmp")) fail_msg("after 0.%02d s: %s", i * 3, out);
        free(out), free(command);
        test_rmdir(dir);
    }
}

/* Colour needs a terminal that has it and a user who wants it. */
static void test_color_is_for_terminals_that_want_it(void **state) {
    (void)state;
    TEST_NEEDS("/usr/bin/script");
    TEST_NEEDS("/dev/pts/ptmx"); /* pseudo-terminals, which not every container has */
    static const struct {
        const char *environment;
        bool color;
    } want[] = {{"TERM=xterm NO_COLOR=", true}, {"TERM=xterm NO_COLOR=1", false}, {"TERM=dumb", false}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        char *command = test_format("%s script -qc '%s inspect missing.yaml' /dev/null </dev/null",
                                    want[i].environment, test_voxc());
        char *out;
        test_run(command, &out);
        assert_non_null(strstr(out, "missing.yaml"));
        assert_int_equal(strchr(out, '\033') != NULL, want[i].color);
        free(out), free(command);
    }
}

static void test_garbage_stays_off_the_terminal(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    char *command =
        test_format("printf 'graph \\033[2J\\007\\n' >%s/x.ir; %s inspect %s/x.ir", dir, test_voxc(), dir);
    assert_int_equal(test_run(command, &out), 2);
    assert_non_null(strstr(out, "x.ir:1:7"));
    assert_null(strchr(out, '\033'));
    free(out), free(command);
    test_rmdir(dir);
}

/* Of a name only; the excerpt of a file keeps its lines. */
static void test_a_newline_in_a_name_stays_on_its_line(void **state) {
    (void)state;
    static const char *const rows[] = {
        "inspect \"$(printf 'no\\nsuch\\033.onnx')\"",
        "inspect \"$(printf 'no\\nsuch')\"",
        "inspect models/meshnet.yaml --memory-report \"$(printf '/no\\nwhere/m.json')\"",
        "export models/meshnet.yaml --init 1 -o \"$(printf '/no\\nwhere/m.onnx')\"",
        "compile models/meshnet.yaml --weights \"$(printf 'no\\nsuch.safetensors')\" -o /no/b",
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *out, *command = test_format("%s %s >/dev/null", test_voxc(), rows[i]);
        int code = test_run(command, &out);
        if (code < 1 || code > 3 || strchr(out, '\n') != strrchr(out, '\n') || !strpbrk(out, "\\?") ||
            strchr(out, '\033'))
            fail_msg("%s: exit code %d, said %s", rows[i], code, out);
        free(out), free(command);
    }
}

static void test_a_limit_on_file_sizes_leaves_nothing(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out, *voxc = realpath(test_voxc(), NULL);
    char *command =
        test_format("v=%s; m=$PWD/models/meshnet.yaml; cd %s; ulimit -f 8; "
                    "$v compile $m --init 1 -o b; echo $?; $v export $m --init 1 -o m.onnx; echo $?; "
                    "ls -A | wc -l",
                    voxc, dir);
    test_run(command, &out);
    if (!strstr(out, "cannot write") || !strstr(out, "\n1\nvoxc") || !strstr(out, "\n1\n0\n"))
        fail_msg("%s", out);
    free(out), free(command), free(voxc);
    test_rmdir(dir);
}

static void test_pipes_are_refused_where_they_cannot_serve(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    char *command = test_format("mkfifo %s/p; timeout 20 %s inspect models/meshnet.yaml --tuning %s/p", dir,
                                test_voxc(), dir);
    assert_int_equal(test_run(command, &out), 2);
    assert_non_null(strstr(out, "not a regular file"));
    free(out), free(command);
    command = test_format("%s inspect models/meshnet.yaml --memory-report /dev/stdout", test_voxc());
    assert_int_equal(test_run(command, &out), 2);
    assert_non_null(strstr(out, "the extension names the format"));
    free(out), free(command);
    test_rmdir(dir);
}

/* A relu per output, all of one input; the exit code of compiling it, what it said in *out. */
static int compile_outputs(const char *dir, int count, char **out) {
    char *voxc = realpath(test_voxc(), NULL);
    char *command = test_format("cd %s && { echo 'graph many'; echo 'input %%x f32[1,1,2,2,2]'; "
                                "for i in $(seq %d); do echo \"%%y$i = relu(%%x)\"; done; "
                                "for i in $(seq %d); do echo \"output %%y$i\"; done; } >many.ir && "
                                "%s compile many.ir -o b",
                                dir, count, count, voxc);
    int code = test_run(command, out);
    free(command), free(voxc);
    return code;
}

/* Each is a parameter of a C function. */
static void test_more_outputs_than_a_function_takes_are_refused(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    assert_int_equal(compile_outputs(dir, 240, &out), 3);
    assert_non_null(strstr(out, "1 inputs and 240 outputs; a bundle has at most 240 together"));
    assert_ptr_equal(strchr(out, '\n'), strrchr(out, '\n'));
    free(out);
    if (compile_outputs(dir, 239, &out) != 0) fail_msg("%s", out);
    free(out);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_and_codes),
        cmocka_unit_test(test_errors_are_one_line_on_stderr),
        cmocka_unit_test(test_more_outputs_than_a_function_takes_are_refused),
        cmocka_unit_test(test_inspect_says_what_the_paper_says),
        cmocka_unit_test(test_paper_arena_meets_its_bound),
        cmocka_unit_test(test_full_disk_is_reported),
        cmocka_unit_test(test_dumps_name_unchanged_passes),
        cmocka_unit_test(test_same_bytes_from_any_folder),
        cmocka_unit_test(test_refuses_a_folder_of_something_else),
        cmocka_unit_test(test_color_is_for_terminals_that_want_it),
        cmocka_unit_test(test_garbage_stays_off_the_terminal),
        cmocka_unit_test(test_a_newline_in_a_name_stays_on_its_line),
        cmocka_unit_test(test_a_limit_on_file_sizes_leaves_nothing),
        cmocka_unit_test(test_pipes_are_refused_where_they_cannot_serve),
        cmocka_unit_test(test_interrupt_leaves_nothing_half_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
