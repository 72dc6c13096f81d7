/* A whole network with Winograd layers, fused pools and streams, built for every instruction set: each of
 * them that this processor has passes the self-test and gives what the interpreter gave. */
#include "test.h"
#include "vox_isas.h"

#define ISA(name, ...) #name,

static const char *const isas[] = {VOX_ISAS_ANY(ISA) VOX_ISAS_X86_64(ISA) VOX_ISAS_AARCH64(ISA)};

/* Exit code of the program with `arguments --isa NAME`; its output, which the caller frees. */
static int program(const char *dir, const char *arguments, const char *isa, char **out) {
    char *cmd = test_format("cd '%s' && ./unet3d_small %s --isa %s", dir, arguments, isa);
    int code = test_run(cmd, out);
    free(cmd);
    return code;
}

static void contains(const char *text, const char *word) {
    if (!strstr(text, word)) fail_msg("no '%s' in: %s", word, text);
}

static void ok(const char *dir, const char *arguments, const char *isa, const char *word) {
    char *out = NULL;
    int code = program(dir, arguments, isa, &out);
    if (code != 0) fail_msg("%s --isa %s: exit code %d: %s", arguments, isa, code, out);
    contains(out, word);
    free(out);
}

static void each_set_gives_the_outputs_of_the_interpreter(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out = NULL;
    char *cmd =
        test_format("%s compile models/unet3d_small.yaml --init 1 --max-memory 20M --golden -o '%s' && "
                    "make -s -C '%s' CFLAGS=-O1 && cd '%s' && cat unet3d_small_kernels.c && "
                    "./unet3d_small info",
                    test_voxc(), dir, dir, dir);
    if (test_run(cmd, &out) != 0) fail_msg("%s", out);
    free(cmd);
    static const char *const words[] = {" *   pool  p1 ", "Winograd F(4x4x4)", "  stream 2"};
    for (int i = 0; i < 3; i++) contains(out, words[i]);
    free(out);
    int tried = 0;
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        if (program(dir, "selftest", isas[i], &out) == 2) {
            contains(out, "is not in this program or not on this processor");
            free(out);
            continue;
        }
        free(out);
        tried++;
        ok(dir, "selftest", isas[i], isas[i]);
        ok(dir, "selftest --golden golden", isas[i], "ok: golden run");
        ok(dir, "bench -n 1 --warmup 0 -t 2", isas[i], isas[i]);
    }
    assert_true(tried > 0);
    test_rmdir(dir);
}

int main(void) {
    unsetenv("ISAS"); /* all instruction sets are built */
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_set_gives_the_outputs_of_the_interpreter)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
