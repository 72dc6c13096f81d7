/* test_shared.c: what the compiler and the program of a bundle both read and write with: command lines, JSON. */
#include "test.h"

#include "arguments.h"
#include "json.h"
#include "json_write.h"

#include <limits.h>
#include <math.h>

/* ---- command lines --------------------------------------------------------------------------- */

static vox_option_word row(const void *table, int i) {
    return ((const vox_option_word *)table)[i];
}

static const vox_option_word table[] = {
    {"output", 'o', "PATH"}, {"force", 'f', NULL}, {NULL, 'x', "OF ANOTHER VERB"}, {"threads", 0, "N"}};

/* What becomes of a command line: "operand a, option 0 = b, ..." */
static char *read_all(int argc, char **argv) {
    vox_arguments a = {.argc = argc, .argv = argv, .row = row, .table = table, .n = 4};
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    for (vox_argument kind; (kind = vox_arguments_next(&a)) != VOX_ARGUMENT_END;) {
        switch (kind) {
        case VOX_ARGUMENT_OPERAND:
            fprintf(f, "operand %s;", a.text);
            break;
        case VOX_ARGUMENT_OPTION:
            fprintf(f, "%s=%s;", table[a.option].name, table[a.option].value ? a.value : "yes");
            break;
        case VOX_ARGUMENT_HELP:
            fputs("help;", f);
            break;
        case VOX_ARGUMENT_UNKNOWN:
            fprintf(f, "unknown %s near %s;", a.text, a.near ? a.near : "nothing");
            break;
        case VOX_ARGUMENT_TAKES_NONE:
            fprintf(f, "%s takes none;", table[a.option].name);
            break;
        case VOX_ARGUMENT_NEEDS_VALUE:
            fprintf(f, "%s needs a value;", table[a.option].name);
            break;
        case VOX_ARGUMENT_END:
            break;
        }
    }
    fclose(f);
    return text;
}

static void words_of_a_command_line(void **state) {
    (void)state;
    static const struct {
        const char *line, *want;
    } rows[] = {
        {"a -o b c", "operand a;output=b;operand c;"},
        {"-ob -o=b --output=b --output b", "output=b;output=b;output=b;output=b;"},
        {"--output= -", "output=;operand -;"},
        {"-f --force --force=1 -fo", "force=yes;force=yes;force takes none;force takes none;"},
        {"-o -- -f", "output=--;force=yes;"},
        {"-- -o --help --", "operand -o;operand --help;operand --;"},
        {"-h --help", "help;help;"},
        {"--outptu=3", "unknown --outptu=3 near output;"},
        {"--thr 3", "unknown --thr near threads;operand 3;"},
        {"--zzzzz -x", "unknown --zzzzz near nothing;unknown -x near nothing;"},
        {"--threads", "threads needs a value;"},
        {"--=", "unknown --= near nothing;"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *line = test_format("%s", rows[i].line), *argv[8], *got;
        int argc = 0;
        for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) argv[argc++] = word;
        got = read_all(argc, argv);
        if (strcmp(got, rows[i].want) != 0)
            fail_msg("%s\ngot:  %s\nwant: %s", rows[i].line, got, rows[i].want);
        free(got), free(line);
    }
}

static void slips_and_beginnings_are_near(void **state) {
    (void)state;
    static const char *const names[] = {"segment", "selftest", "run", "info"};
    assert_string_equal(vox_suggest("segmnet", names, 4), "segment"); /* a swap */
    assert_string_equal(vox_suggest("self", names, 4), "selftest");
    assert_string_equal(vox_suggest("rn", names, 4), "run");
    assert_null(vox_suggest("se", names, 4));
    assert_null(vox_suggest("", names, 4));
    char word[200];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = 0;
    assert_null(vox_suggest(word, names, 4));
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void json_is_laid_out_as_asked(void **state) {
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    vox_json json = vox_json_file(f), *j = &json;
    vox_json_begin(j, NULL, "{\n");
    vox_json_text(j, "name", "a \"b\" \\ \n \x1b \xe2\x80\xae \xff \xc3\xa9");
    vox_json_text(j, "none", NULL);
    vox_json_begin(j, "list", "[\n");
    for (int i = 0; i < 2; i++) {
        vox_json_begin(j, NULL, "{");
        vox_json_int(j, "i", i ? INT64_MIN : INT64_MAX);
        vox_json_bool(j, "b", i);
        vox_json_end(j);
    }
    vox_json_end(j);
    vox_json_begin(j, "empty", "[");
    vox_json_end(j);
    vox_json_begin(j, "numbers", "[");
    const double numbers[] = {0.5, (double)NAN, -(double)INFINITY, 1e300};
    for (int i = 0; i < 4; i++) vox_json_number(j, NULL, 17, numbers[i]);
    vox_json_format(j, NULL, "%.3f", 2.0);
    vox_json_end(j);
    vox_json_object(j, "object", "s=%s d=%d l=%ld z=%zu GB/s=%.2f nan=%g none=%s", "\"", -1, LONG_MIN,
                    SIZE_MAX, 1.25, (double)NAN, getenv("VOXC_THAT_NOBODY_SETS"));
    vox_json_members(j, "last of all=%s", "");
    vox_json_end(j);
    fclose(f);
    assert_string_equal(text, "{\n"
                              "  \"name\": \"a \\\"b\\\" \\\\ \\u000a \\u001b \\u202e ? \xc3\xa9\",\n"
                              "  \"none\": null,\n"
                              "  \"list\": [\n"
                              "    {\"i\": 9223372036854775807, \"b\": false},\n"
                              "    {\"i\": -9223372036854775808, \"b\": true}\n"
                              "  ],\n"
                              "  \"empty\": [],\n"
                              "  \"numbers\": [0.5, null, null, 1.0000000000000001e+300, 2.000],\n"
                              "  \"object\": {\"s\": \"\\\"\", \"d\": -1, \"l\": -9223372036854775808, "
                              "\"z\": 18446744073709551615, \"GB/s\": 1.25, \"nan\": null, \"none\": null},\n"
                              "  \"last of all\": \"\"\n"
                              "}\n");
    ir_diag d = {0};
    ir_arena *arena = ir_arena_new();
    if (!json_parse(arena, text, size, "written.json", &d)) fail_msg("%s", d.text);
    ir_arena_free(arena);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_a_command_line),
        cmocka_unit_test(slips_and_beginnings_are_near),
        cmocka_unit_test(json_is_laid_out_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
