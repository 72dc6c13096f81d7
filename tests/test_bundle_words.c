/* What a bundle's README says of its words: each short name of the generated code is in the table of names,
 * each extension of the language that the runtime's library uses is listed, and nothing is listed that is not
 * there. */
#include "test.h"

#include "cg_text.h"
#include "embed.h"

#include <ctype.h>

static const char *readme(void) {
    return cg_embedded("codegen/templates/README.md.in", NULL);
}

/* The text between two headings. */
static char *section(const char *from, const char *to) {
    const char *begin = strstr(readme(), from), *end = begin ? strstr(begin + 1, to) : NULL;
    if (!end) fail_msg("the README has no '%s' in front of '%s'", from, to);
    return test_format("%.*s", (int)(end - begin), begin);
}

static bool is_library(const embedded_file *f) {
    return strncmp(f->path, "runtime/vox", 11) == 0;
}

/* The word at p, as long as it is one. */
static size_t word_at(const char *p) {
    size_t n = 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_') n++;
    return n;
}

/* Whether text holds the word with no letter before or behind it. */
static bool holds(const char *text, const char *word, size_t n) {
    for (const char *at = strstr(text, word); at; at = strstr(at + 1, word))
        if ((at == text || word_at(at - 1) == 0) && word_at(at) == n) return true;
    return false;
}

static void each_must_be_listed(const char *listed, const char *where, const char *text, const char *prefix) {
    for (const char *p = strstr(text, prefix); p; p = strstr(p + 1, prefix)) {
        if (p > text && word_at(p - 1)) continue;
        char *word = test_format("%.*s", (int)word_at(p), p);
        if (!holds(listed, word, strlen(word))) fail_msg("%s: %s is not in the README's list", where, word);
        free(word);
    }
}

static bool is_in_library(const char *word) {
    for (const embedded_file *f = embedded_files; f->path; f++)
        if (is_library(f) && holds(f->text, word, strlen(word))) return true;
    return false;
}

static void language_beyond_c11_is_listed(void **state) {
    (void)state;
    char *listed = section("### Language", "## Files");
    for (const embedded_file *f = embedded_files; f->path; f++) {
        if (!is_library(f)) continue;
        each_must_be_listed(listed, f->path, f->text, "__");
        each_must_be_listed(listed, f->path, f->text, "_Pragma");
    }
    for (const char *p = strstr(listed, "`__"); p; p = strstr(p + 1, "`__")) {
        char *word = test_format("%.*s", (int)word_at(p + 1), p + 1);
        if (!is_in_library(word)) fail_msg("the README lists %s, which nothing uses", word);
        free(word);
    }
    free(listed);
}

/* The words in the parentheses of __attribute__. */
static void attributes_are_listed(void **state) {
    (void)state;
    static const char open[] = "__attribute__((";
    char *listed = section("### Language", "## Files");
    for (const embedded_file *f = embedded_files; f->path; f++)
        for (const char *p = is_library(f) ? strstr(f->text, open) : NULL; p; p = strstr(p + 1, open))
            for (const char *a = p + strlen(open); *a != ')'; a += strspn(a, ", ")) {
                char *word = test_format("%.*s", (int)word_at(a), a);
                if (!holds(listed, word, strlen(word))) fail_msg("%s: %s is not listed", f->path, word);
                free(word);
                a += word_at(a);
                if (*a == '(') a = strchr(a, ')') + 1;
            }
    free(listed);
}

/* Members of at most two letters, which explain nothing by themselves. */
static void short_names_are_in_the_table(void **state) {
    (void)state;
    static const char *const models[] = {"unet3d_small", "nnunet_small"};
    char *names = section("## Reading the code", "All offsets"), *dir = test_tmpdir();
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char *cmd = test_format("%s compile models/%s.yaml --init 1 -o '%s/%s' && cat '%s/%s/%s_kernels.c'",
                                test_voxc(), models[i], dir, models[i], dir, models[i], models[i]),
             *text;
        if (test_run(cmd, &text) != 0) fail_msg("%s", text);
        int found = 0;
        for (const char *p = strchr(text, '.'); p; p = strchr(p + 1, '.')) {
            const size_t n = word_at(p + 1);
            if (n == 0 || n > 2 || strncmp(p + 1 + n, " = ", 3) != 0) continue;
            char *name = test_format("`%.*s`", (int)n, p + 1);
            if (!strstr(names, name))
                fail_msg("%s: .%.*s is not in the README's table", models[i], (int)n, p + 1);
            found++;
            free(name);
        }
        assert_true(found > 50);
        free(cmd);
        free(text);
    }
    free(names);
    test_rmdir(dir);
}

static void the_environment_can_be_left_out(void **state) {
    (void)state;
    char *out, *dir = test_tmpdir();
    char *cmd = test_format(
        "for f in '' -DVOX_NO_ENVIRONMENT; do gcc -std=c11 -Iruntime/core -Iruntime/shared $f -c -o "
        "'%s/vox.o' runtime/core/vox.c && nm -u '%s/vox.o' | grep -c getenv; done",
        dir, dir);
    test_run(cmd, &out);
    assert_string_equal(out, "1\n0\n");
    free(out);
    free(cmd);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(language_beyond_c11_is_listed),
        cmocka_unit_test(attributes_are_listed),
        cmocka_unit_test(short_names_are_in_the_table),
        cmocka_unit_test(the_environment_can_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
