/* The template language: placeholders filled, lines that vanish, and the two fatal errors;
 * text and SHA-256. */
#include "test.h"

#include <signal.h>

#include "cg_text.h"
#include "codegen.h"

static const char *fill(ir_arena *a, const char *text, const cg_slots *s) {
    cg_text out = {.arena = a};
    cg_fill(&out, "test", text, s);
    return cg_string(&out);
}

static void fills_every_placeholder(void **state) {
    (void)state;
    ir_arena *a = ir_arena_new();
    cg_slots s = {.arena = a};
    cg_set(&s, "name", "e%db", 1);
    cg_set_int(&s, "n", -7);
    assert_string_equal(fill(a, "${name} = ${n}; $ {} $name ${name}", &s), "e1b = -7; $ {} $name e1b");
    cg_set(&s, "name", "again");
    assert_string_equal(fill(a, "${name}${n}", &s), "again-7");
    ir_arena_free(a);
}

static void empty_value_alone_on_its_line_takes_the_line_away(void **state) {
    (void)state;
    ir_arena *a = ir_arena_new();
    cg_slots s = {.arena = a};
    cg_set(&s, "none", "%s", "");
    assert_string_equal(fill(a, "a\n    ${none}\nb\n", &s), "a\nb\n");
    assert_string_equal(fill(a, "${none}\nb", &s), "b");
    assert_string_equal(fill(a, "a ${none}\nb", &s), "a \nb");
    ir_arena_free(a);
}

/* Whether filling `text` ends the program with a message that holds `expected`. */
static void dies(const char *text, const char *expected) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        ir_arena *a = ir_arena_new();
        cg_slots s = {.arena = a};
        cg_set(&s, "used", "1");
        cg_set(&s, "unused", "2");
        fill(a, text, &s);
        _exit(0);
    }
    close(ends[1]);
    char message[512] = "";
    size_t size = 0;
    for (ssize_t n; (n = read(ends[0], message + size, sizeof message - 1 - size)) > 0;) size += (size_t)n;
    close(ends[0]);
    int status;
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    if (!strstr(message, expected)) fail_msg("expected \"%s\" in: %s", expected, message);
}

static void unknown_and_unused_slots_are_fatal(void **state) {
    (void)state;
    dies("${used} ${unused} ${other}", "unknown placeholder ${other}");
    dies("${used}", "slot unused is not used");
    dies("${used} ${unused} ${", "${ without }");
}

static const char nasty[] = "*/\"??"
                            "/\x1b\xe2\x80\xae\xff\xc2\x85\xc3\xa9<`\\";

static void quotes_text(void **state) {
    (void)state;
    ir_arena *a = ir_arena_new();
    cg_text json = {.arena = a}, c = {.arena = a}, trigraph = {.arena = a}, remark = {.arena = a};
    vox_json j = cg_json(&json);
    vox_json_text(&j, NULL, "a \"b\" \\ c\n");
    assert_string_equal(cg_string(&json), "\"a \\\"b\\\" \\\\ c\\u000a\"");
    cg_add_c_string(&c, "no? \"what?");
    assert_string_equal(cg_string(&c), "\"no? \\\"what?\"");
    cg_add_c_string(&trigraph, "no? \"what?"
                               "?/");
    assert_string_equal(cg_string(&trigraph), "\"no\\? \\\"what\\?\\?/\"");
    cg_add_remark(&remark, "/*/ a*b\n**/");
    assert_string_equal(cg_string(&remark), "/ * / a*b ** /");
    ir_arena_free(a);
}

/* Comments, strings and pages stay what they are, whatever a name holds. */
static void escapes_what_is_not_plain_text(void **state) {
    (void)state;
    ir_arena *a = ir_arena_new();
    cg_text json = {.arena = a}, c = {.arena = a}, remark = {.arena = a}, page = {.arena = a};
    vox_json j = cg_json(&json);
    vox_json_text(&j, NULL, nasty);
    assert_string_equal(cg_string(&json), "\"*/\\\"?"
                                          "?/\\u001b\\u202e?\\u0085\xc3\xa9<`\\\\\"");
    cg_add_c_string(&c, nasty);
    assert_string_equal(cg_string(&c), "\"*/\\\"\\?\\?/\\033\\342\\200\\256\\377\\302\\205\xc3\xa9<`\\\\\"");
    cg_add_remark(&remark, nasty);
    assert_string_equal(cg_string(&remark), "* /\"? ?/ ?? \xc3\xa9<`|");
    cg_add_markdown(&page, nasty);
    assert_string_equal(cg_string(&page), "\\*/\"?"
                                          "?/ ?? \xc3\xa9\\<\\`\\\\");
    ir_arena_free(a);
}

/* FIPS 180-4's examples, and lengths around the padding's edge. */
static void hashes_like_sha256sum(void **state) {
    (void)state;
    char text[CG_SHA256_TEXT];
    cg_sha256("abc", 3, text);
    assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cg_sha256("", 0, text);
    assert_string_equal(text, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cg_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, text);
    assert_string_equal(text, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char million[1000];
    memset(million, 'a', sizeof million);
    cg_sha256(million, sizeof million, text);
    assert_string_equal(text, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_every_placeholder),
        cmocka_unit_test(empty_value_alone_on_its_line_takes_the_line_away),
        cmocka_unit_test(unknown_and_unused_slots_are_fatal),
        cmocka_unit_test(quotes_text),
        cmocka_unit_test(escapes_what_is_not_plain_text),
        cmocka_unit_test(hashes_like_sha256sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
