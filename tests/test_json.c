/* The JSON reader: what RFC 8259 allows is read, everything else is refused. */
#include "test.h"

#include "json.h"

static const json_value *parse(ir_arena *a, const char *text, ir_diag *d) {
    size_t n = strlen(text);
    char *copy = malloc(n ? n : 1); /* no zero byte at the end: the sanitizer sees a read past it */
    if (!copy) abort();
    memcpy(copy, text, n);
    const json_value *v = json_parse(a, copy, n, "t.json", d);
    free(copy);
    return v;
}

static void reads_every_kind_of_value(void **state) {
    (void)state;
    ir_arena *a = ir_arena_new();
    ir_diag d = {0};
    const json_value *v =
        parse(a,
              " { \"n\" : null, \"t\":true, \"f\":false, \"i\":-12, "
              "\"x\":1.5e-1,\r\n\t\"big\":18446744073709551615, "
              "\"list\":[1,[2,[]],{}], \"s\":\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\" } ",
              &d);
    if (!v) fail_msg("%s", d.text);
    assert_int_equal(v->count, 8);
    assert_int_equal(json_get(v, "n")->kind, JSON_NULL);
    assert_true(json_get(v, "t")->boolean && !json_get(v, "f")->boolean);
    assert_true(json_get(v, "i")->is_integer && json_get(v, "i")->integer == -12);
    assert_true(!json_get(v, "x")->is_integer && json_get(v, "x")->number == 0.15);
    assert_true(!json_get(v, "big")->is_integer && json_get(v, "big")->number == 0x1p64);
    assert_int_equal(json_get(v, "list")->item[1].item[1].count, 0);
    assert_string_equal(json_get(v, "s")->string, "a\"\\/\b\f\n\r\té€😀");
    assert_null(json_get(v, "absent"));
    assert_null(json_get(json_get(v, "list"), "n"));
    ir_arena_free(a);
}

static void refuses_what_is_not_json(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "[1 2]",
        "1 2",
        "nul",
        "True",
        "NaN",
        "Infinity",
        "-",
        "+1",
        "01",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1e999",
        "0x10",
        "\"",
        "\"a",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\ud800\"",
        "\"\\ud800\\u0041\"",
        "\"\\udc00\"",
        "\"\\u0000\"",
        "\"\n\"",
        "[\"a\\\"]",
        "{\"a\":1,\"b\":2,\"a\":3}",
        "/**/1",
        "[,]",
        "{,}",
        "11111111111111111111111111111111111111111111111111111111111111111111111111",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ir_arena *a = ir_arena_new();
        ir_diag d = {0};
        if (parse(a, bad[i], &d)) fail_msg("accepted: %s", bad[i]);
        assert_int_equal(d.code, IR_EXIT_INPUT);
        assert_int_equal(strncmp(d.text, "t.json: ", 8), 0);
        ir_arena_free(a);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_kind_of_value),
        cmocka_unit_test(refuses_what_is_not_json),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
