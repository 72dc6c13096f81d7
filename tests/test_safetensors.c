/* Weight files: every element type, every way a file can be wrong, and a file cut off at every byte. */
#include "test.h"

#include "files.h"
#include "front_yaml.h"
#include "init.h"
#include "safetensors.h"

/* Constants: c.weight [2, 1, 1, 1, 1], c.bias [2], n.weight n.bias n.running_mean n.running_var [2]. */
static ir_graph *network(const char *statistics) {
    static const char text[] =
        "name: t\nstatistics: running\ninputs: {x: {type: f32, shape: [1, 1, 2, 2, 2]}}\n"
        "layers:\n  - c: {conv: {channels: 2, kernel: 1}}\n  - n: batch_norm\n";
    ir_diag d = {0};
    yaml_options opt = {.statistics = statistics};
    ir_graph *g = yaml_parse(text, strlen(text), "t.yaml", &opt, &d);
    if (!g) fail_msg("%s", d.text);
    return g;
}

/* A file from its header text and n data bytes; malloc'd. */
static char *file(const char *header, const void *data, size_t n, size_t *size) {
    size_t length = strlen(header);
    char *bytes = malloc(8 + length + n);
    if (!bytes) abort();
    for (int i = 0; i < 8; i++) bytes[i] = (char)((uint64_t)length >> (8 * i));
    memcpy(bytes + 8, header, length);
    if (n) memcpy(bytes + 8 + length, data, n);
    *size = 8 + length + n;
    return bytes;
}

#define T(name, dtype, shape, begin, end)                                                                    \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
#define NORM                                                                                                 \
    T("n.weight", "F32", "[2]", "16", "24")                                                                  \
    "," T("n.bias", "F32", "[2]", "24", "32") "," T("n.running_mean", "F32", "[2]", "32",                    \
                                                    "40") "," T("n.running_var", "F32", "[2]", "40", "48")
#define GOOD                                                                                                 \
    "{" T("c.weight", "F32", "[2,1,1,1,1]", "0", "8") "," T("c.bias", "F32", "[2]", "8", "16") "," NORM "}"
static const float good_data[12] = {1, -2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12.5f};

/* Parses exactly these bytes from a block of their size, so that the sanitizer sees a read past the end. */
static bool parse(ir_graph *g, const char *bytes, size_t n, ir_diag *d) {
    char *copy = malloc(n ? n : 1);
    if (!copy) abort();
    memcpy(copy, bytes, n);
    bool ok = weights_parse(g, copy, n, "w.safetensors", d);
    free(copy);
    return ok;
}

static void reads_f32(void **state) {
    (void)state;
    size_t n;
    ir_diag d = {0};
    ir_graph *g = network(NULL);
    char *bytes = file(GOOD, good_data, sizeof good_data, &n);
    if (!parse(g, bytes, n, &d)) fail_msg("%s", d.text);
    const float *var = ir_find_tensor(g, "n.running_var")->data;
    assert_true(var[0] == 11 && var[1] == 12.5f);
    const ir_tensor *w = ir_find_tensor(g, "c.weight");
    assert_int_equal(w->hash, ir_hash(good_data, 8));
    free(bytes);
    ir_graph_free(g);
}

static void a_file_cut_anywhere_is_refused(void **state) {
    (void)state;
    size_t n;
    char *bytes = file(GOOD, good_data, sizeof good_data, &n);
    for (size_t k = 0; k < n; k++) {
        ir_diag d = {0};
        ir_graph *g = network(NULL);
        assert_false(parse(g, bytes, k, &d));
        assert_int_equal(d.code, IR_EXIT_INPUT);
        assert_null(strchr(d.text, '\n'));
        ir_graph_free(g);
    }
    free(bytes);
}

/* One byte changed at a time: accepted or refused, never more. */
static void a_changed_byte_never_crashes(void **state) {
    (void)state;
    static const char values[] = {0, '{', '"', '9', (char)0xFF};
    size_t n;
    char *bytes = file(GOOD, good_data, sizeof good_data, &n);
    for (size_t k = 0; k < n; k++) {
        for (size_t v = 0; v < sizeof values; v++) {
            ir_diag d = {0};
            ir_graph *g = network(NULL);
            char old = bytes[k];
            bytes[k] = values[v];
            assert_true(parse(g, bytes, n, &d) || d.code);
            bytes[k] = old;
            ir_graph_free(g);
        }
    }
    free(bytes);
}

static void converts_other_types(void **state) {
    (void)state;
    static const struct {
        const char *dtype, *end;
        unsigned char bytes[16]; /* 1.5 and -2^-24 (F16's smallest), both exact in each type */
    } rows[] = {
        {"F16", "4", {0x00, 0x3E, 0x01, 0x80}},
        {"BF16", "4", {0xC0, 0x3F, 0x80, 0xB3}},
        {"F32", "8", {0, 0, 0xC0, 0x3F, 0, 0, 0x80, 0xB3}},
        {"F64", "16", {0, 0, 0, 0, 0, 0, 0xF8, 0x3F, 0, 0, 0, 0, 0, 0, 0x70, 0xBE}},
    };
    static const char text[] = "name: t\ninputs: {x: {type: f32, shape: [1, 1, 2, 2, 2]}}\n"
                               "layers:\n  - c: {conv: {channels: 2, kernel: 1, bias: false}}\n";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ir_diag d = {0};
        size_t n;
        char *header = test_format(
            "{\"__metadata__\":{\"format\":\"pt\"},\"c.weight\":{\"dtype\":\"%s\",\"shape\":[2,1,1,1,1],"
            "\"data_offsets\":[0,%s]}}  ",
            rows[i].dtype, rows[i].end);
        char *bytes = file(header, rows[i].bytes, (size_t)atoi(rows[i].end), &n);
        ir_graph *g = yaml_parse(text, strlen(text), "t.yaml", NULL, &d);
        if (!parse(g, bytes, n, &d)) fail_msg("%s", d.text);
        const float *w = ir_find_tensor(g, "c.weight")->data;
        assert_true(w[0] == 1.5f && w[1] == -0x1p-24f);
        ir_graph_free(g);
        free(header);
        free(bytes);
    }
}

static const struct {
    const char *header;
    int data, code;
    const char *part;
} bads[] = {
    {"", 0, 2, "text ends"},
    {"[]", 0, 2, "must be a JSON object"},
    {"{} x", 0, 2, "follows the end"},
    {"{\"a\":1}", 0, 2, "tensor a: expected"},
    {"{\"a\":{}}", 0, 3, "dtype (missing)"},
    {"{" T("a", "C64", "[1]", "0", "8") "}", 8, 3, "dtype C64 is unknown"},
    {"{" T("a", "F32", "3", "0", "8") "}", 8, 2, "shape must be a list"},
    {"{" T("a", "F32", "[1,1,1,1,1,1,1,1,1]", "0", "4") "}", 4, 2, "at most 8"},
    {"{" T("a", "F32", "[-1]", "0", "4") "}", 4, 2, "something else than sizes"},
    {"{" T("a", "F32", "[1.0]", "0", "4") "}", 4, 2, "something else than sizes"},
    {"{" T("a", "F32", "[4294967296,4294967296,4294967296]", "0", "4") "}", 4, 2,
     "does not take the 4 bytes"},
    {"{" T("a", "F32", "[4611686018427387904]", "0", "0") "}", 0, 2, "does not take the 0 bytes"},
    {"{" T("a", "F32", "[2]", "0", "4") "}", 4, 2, "does not take the 4 bytes"},
    {"{" T("a", "F32", "[1]", "4", "0") "}", 4, 2, "is it truncated?"},
    {"{" T("a", "F32", "[1]", "-4", "0") "}", 4, 2, "is it truncated?"},
    {"{" T("a", "F32", "[1]", "0", "2147483648") "}", 4, 2, "is it truncated?"},
    {"{" T("a", "F32", "[1]", "0", "9223372036854775808") "}", 4, 2, "two whole numbers"},
    {"{" T("a", "F32", "[1]", "0", "4") "," T("b", "F32", "[1]", "0", "4") "}", 4, 2, "overlap another"},
    {"{" T("a", "F32", "[1]", "4", "8") "}", 8, 2, "in front of it belong to no tensor"},
    {"{" T("a", "F32", "[1]", "0", "4") "}", 8, 2, "4 bytes at the end"},
    {"{" T("a", "F32", "[1]", "0", "4") "," T("a", "F32", "[1]", "4", "8") "}", 8, 2, "a stands twice"},
    {"{}", 0, 2, "lacks 6 tensors of the network: c.weight F32[2, 1, 1, 1, 1], c.bias F32[2]"},
    {"{" T("c.weight", "F32", "[1,2,1,1,1]", "0", "8") "}", 8, 2,
     "c.weight is F32[1, 2, 1, 1, 1], and the network's is F32[2, 1, 1, 1, 1]"},
    {"{" T("c.bias", "I32", "[2]", "0", "8") "}", 8, 3, "weights must be F32, F16, BF16 or F64"},
    {"{" T("c.weight", "F32", "[2]", "0", "8") "," T("c.bias", "F32", "[2]", "8",
                                                     "16") "," NORM "," T("z", "I8", "[3]", "48", "51") "}",
     51, 2, "holds 1 tensor that the network does not have: z I8[3]"},
    {"{" T("c.weights", "F32", "[2]", "0", "8") "," T("c.bias", "F32", "[2]", "8", "16") "," NORM "}", 48, 2,
     "lacks 1 tensor of the network: c.weight F32[2, 1, 1, 1, 1]; and holds 1 that it does not have: "
     "c.weights F32[2]"},
};

static void each_error_is_one_clear_line(void **state) {
    (void)state;
    static const char zeros[64];
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        ir_diag d = {0};
        size_t n;
        ir_graph *g = network(NULL);
        char *bytes = file(bads[i].header, zeros, (size_t)bads[i].data, &n);
        bool ok = parse(g, bytes, n, &d);
        if (ok || d.code != bads[i].code || !strstr(d.text, bads[i].part) || strchr(d.text, '\n'))
            fail_msg("%s\nexpected %s (code %d), got %s (code %d)", bads[i].header, bads[i].part,
                     bads[i].code, ok ? "no error" : d.text, d.code);
        ir_graph_free(g);
        free(bytes);
    }
}

static void long_headers_are_refused(void **state) {
    (void)state;
    static const unsigned char two_gib[16] = {0, 0, 0, 0x80, 0, 0, 0, 0, '{', '}'};
    static const unsigned char huge[16] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, '{', '}'};
    ir_graph *g = network(NULL);
    ir_diag d = {0}, e = {0};
    assert_false(parse(g, (const char *)two_gib, sizeof two_gib, &d));
    assert_non_null(strstr(d.text, "claims 2147483648 bytes and 8 follow"));
    assert_false(parse(g, (const char *)huge, sizeof huge, &e));
    assert_non_null(strstr(e.text, "claims 18446744073709551615 bytes"));
    ir_graph_free(g);
}

static void weights_must_be_finite(void **state) {
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        float data[12];
        ir_diag d = {0};
        size_t n;
        memcpy(data, good_data, sizeof data);
        data[5] = bad[i];
        ir_graph *g = network(NULL);
        char *bytes = file(GOOD, data, sizeof data, &n);
        assert_false(parse(g, bytes, n, &d));
        assert_non_null(strstr(d.text, i ? "n.weight: element 1 is infinite" : "n.weight: element 1 is NaN"));
        ir_graph_free(g);
        free(bytes);
    }
}

/* A file with running statistics also serves a network that normalises with the tile's. */
static void running_statistics_may_be_left_over(void **state) {
    (void)state;
    static const char header[] = "{" T("c.weight", "F32", "[2,1,1,1,1]", "0", "8") "," T(
        "c.bias", "F32", "[2]", "8", "16") "," NORM
                                           "," T("n.num_batches_tracked", "I64", "[]", "48", "56") "}";
    float data[14] = {0};
    memcpy(data, good_data, sizeof good_data);
    for (int i = 0; i < 2; i++) {
        ir_diag d = {0};
        size_t n;
        ir_graph *g = network(i ? "current" : "running");
        char *bytes = file(header, data, sizeof data, &n);
        if (!parse(g, bytes, n, &d)) fail_msg("%s", d.text);
        ir_graph_free(g);
        free(bytes);
    }
}

static void a_missing_file_is_named(void **state) {
    (void)state;
    ir_diag d = {0};
    ir_graph *g = network(NULL);
    assert_false(weights_read(g, "/nonexistent/w.safetensors", &d));
    assert_int_equal(d.code, IR_EXIT_INPUT);
    assert_non_null(strstr(d.text, "/nonexistent/w.safetensors"));
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_f32),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(a_changed_byte_never_crashes),
        cmocka_unit_test(converts_other_types),
        cmocka_unit_test(each_error_is_one_clear_line),
        cmocka_unit_test(long_headers_are_refused),
        cmocka_unit_test(weights_must_be_finite),
        cmocka_unit_test(running_statistics_may_be_left_over),
        cmocka_unit_test(a_missing_file_is_named),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
