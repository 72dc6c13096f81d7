/* voxc's own verbs with every call about files failing in turn, or killed there: fault_lib.h. What compile
 * writes is in test_fault.c. Bundles are not built each time: a make of the test's own brings the program. */
#include "fault_lib.h"

static char *dir, *voxc;

static const char make[] = "#!/bin/sh\n"
                           "while [ $# -gt 0 ]; do [ \"$1\" = -C ] && folder=$2; shift; done\n"
                           "cp \"$BUILT\" \"$folder/tiny\"\n";

/* Stands in for a trial's program: what it measures does not change from run to run. */
static const char bench[] = "#!/bin/sh\n"
                            "echo '{\"layers\": [{\"name\": \"y\", \"ms\": 1}]}'\n";

static void write_file(const char *name, const char *text) {
    char *path = test_format("%s/%s", dir, name);
    test_write(path, text, strlen(text));
    chmod(path, 0755);
    free(path);
}

static int begin(void **state) {
    (void)state;
    voxc = realpath(test_voxc(), NULL);
    if (!voxc || shim_build("fail_file") != 0) return 1;
    dir = shim_folder();
    char *out, *command = test_format("mkdir -p %s/work/dump %s/work/tmp %s/bin", dir, dir, dir);
    if (test_run(command, NULL) != 0) return 1;
    free(command);
    write_file("work/net.yaml", fault_model);
    write_file("bin/make", make);
    write_file("bench", bench);
    command = test_format(
        "cd %s && %s compile work/net.yaml --init 1 --golden -o b && make -s -C b ISAS=baseline CFLAGS=-O1 "
        "tiny && cp b/tiny built",
        dir, voxc);
    int code = test_run(command, &out);
    if (code != 0) print_message("%s", out);
    free(out), free(command);
    char *path = test_format("%s/bin:%s", dir, getenv("PATH")), *tmp = test_format("%s/work/tmp", dir),
         *built = test_format("%s/built", dir);
    setenv("PATH", path, 1), setenv("TMPDIR", tmp, 1), setenv("BUILT", built, 1);
    free(path), free(tmp), free(built);
    return code;
}

static int end(void **state) {
    (void)state;
    unsetenv("TMPDIR");
    free(dir), free(voxc);
    return shim_remove(state);
}

static void check(const char *name, const char *words, const char *outputs, bool timed) {
    fault_command c = {.name = name, .only = "voxc", .argv = {voxc}, .timed = timed};
    char *a = strdup(words), *b = strdup(outputs), *rest;
    int n = 1;
    for (char *w = strtok_r(a, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) c.argv[n++] = w;
    n = 0;
    for (char *w = strtok_r(b, " ", &rest); w; w = strtok_r(NULL, " ", &rest)) c.outputs[n++] = w;
    assert_true(fault_each(&c, dir) > 0);
    free(a), free(b);
}

#define CASE(function, words, outputs, timed)                                                                \
    static void function(void **state) {                                                                     \
        (void)state;                                                                                         \
        check(#function, words, outputs, timed);                                                             \
    }

CASE(memory_report_json, "inspect net.yaml --memory-report m.json", "m.json", false)
CASE(memory_report_svg, "inspect net.yaml --memory-report m.svg", "m.svg", false)
CASE(memory_report_trace, "inspect net.yaml --memory-report m.trace.json", "m.trace.json", false)
CASE(export, "export net.yaml --init 1 -o m.onnx", "m.onnx", false)

/* One file for each pass. */
static void dumps(void **state) {
    (void)state;
    char *list = NULL,
         *command =
             test_format("cd %s/work && %s inspect net.yaml -D dump >../out && echo dump/*", dir, voxc);
    assert_int_equal(test_run(command, &list), 0);
    list[strcspn(list, "\n")] = 0;
    check("dumps", "inspect net.yaml -D dump", list, false);
    free(list), free(command);
}

/* Trials in the folder for temporary files; the bundle itself is test_fault.c's. */
static void tune(void **state) {
    (void)state;
    char *built = strdup(getenv("BUILT")), *stand_in = test_format("%s/bench", dir);
    setenv("BUILT", stand_in, 1);
    check("tune", "compile net.yaml --init 1 --tune -o ../tuned", "", false);
    setenv("BUILT", built, 1);
    free(built), free(stand_in);
}

CASE(verify_model, "verify net.yaml --init 1", "", true)
CASE(verify_bundle, "verify ../b --input ../b/golden/input_0.npy", "", true)

int main(void) {
    if (strstr(test_voxc(), "asan")) {
        puts("skipped: the sanitizer stands before the same calls");
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_report_json),
        cmocka_unit_test(memory_report_svg),
        cmocka_unit_test(memory_report_trace),
        cmocka_unit_test(export),
        cmocka_unit_test(dumps),
        cmocka_unit_test(tune),
        cmocka_unit_test(verify_model),
        cmocka_unit_test(verify_bundle),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
