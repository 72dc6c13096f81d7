/* test_page.c: the page for a browser holds what was segmented, and nothing that reaches out of it; report.json says
 * what was done. tests/volumes/page.sh opens the page that this leaves where VOX_PAGE says. */
#include "picture_lib.h"

#include <zlib.h>

#include "json.h"
#include "page.h"
#include "segment_report.h"
#include "vox_hash.h"

/* ---- a run ----------------------------------------------------------------------------------- */

static double grey_of(int x, int y, int z) {
    return 3 * x + 5 * y + 7 * z + (x * y * z) % 11;
}

static int ball(int x, int y, int z) {
    const int a = x - 20, b = y - 25, c = 2 * z - 30;
    return a * a + b * b + c * c > 196 ? 0 : x < 20 ? 1 : 3;
}

static const char *const names[] = {"background", "left </script><b>&\"'", "never there", "r\xc3\xa9"};
static const patient small = {{40, 50, 30}, {1, 1, 2}, grey_of, ball};
static const storage lia = {"LIA", VOX_VOXEL_I16, 0, false, false, VOX_IMAGE_NIFTI};

typedef struct run {
    subject subject;
    vox_volume_info volume;
    vox_model_info model;
    vox_segment_outline outline;
    vox_segment_result result;
    vox_report_file inputs[2], weights;
    vox_warnings warnings;
    vox_report report;
} run;

static void make_run(run *r, const patient *p) {
    *r = (run){.subject = make_subject(p, &lia)};
    r->subject.picture = (vox_picture){.names = names, .n_names = 4};
    r->volume = (vox_volume_info){
        .axes = "zyx", .overlap = 0.5, .mirror_axes = 5, .rule = VOX_REGIONS, .level = 0.25};
    r->model = (vox_model_info){.name = "net<1>",
                                .voxc_version = "1.2",
                                .graph_hash = "0123",
                                .options = "--target c",
                                .n_labels = 4,
                                .labels = names,
                                .volume = &r->volume};
    r->outline = (vox_segment_outline){.tile_in = {8, 9, 10},
                                       .tile_out = {8, 9, 10},
                                       .prepared = {40, 50, 60},
                                       .spacing = {1, 1, 1},
                                       .tiles = {2, 3, 4}};
    r->outline.runs = 48;
    r->result = (vox_segment_result){.runs = 40, .skipped = 2};
    r->inputs[0] = (vox_report_file){.name = "a<b>.nii.gz", .hashed = true, .hash = 0xabc};
    r->inputs[1] = (vox_report_file){.name = "/dev/stdin"};
    r->weights = (vox_report_file){.name = "n.weights", .hashed = true, .hash = UINT64_MAX};
    r->report = (vox_report){.model = &r->model,
                             .outline = &r->outline,
                             .result = &r->result,
                             .image = &r->subject.image,
                             .inputs = r->inputs,
                             .n_inputs = 2,
                             .weights = &r->weights,
                             .n_weights = 1,
                             .where = "avx2",
                             .threads = 2,
                             .seconds = {0.5, 0.25, 3, NAN, 0.125},
                             .total_seconds = 4,
                             .peak_bytes = 1 << 20,
                             .warnings = &r->warnings};
    assert_int_equal(vox_report_count(&r->report, r->subject.labels), 0);
}

static void free_run(run *r) {
    vox_report_free(&r->report);
    vox_warnings_free(&r->warnings);
    free_subject(&r->subject);
}

typedef int writer(const vox_output *o, run *r);

static int put_page(const vox_output *o, run *r) {
    return vox_page_write(o, picture_of(&r->subject), &r->report);
}

static int put_report(const vox_output *o, run *r) {
    return vox_report_write(o, &r->report);
}

static char *text_of(writer *write, run *r, size_t *n) {
    char *path = test_format("%s/text", folder);
    vox_output o;
    assert_int_equal(vox_output_open(&o, path), 0);
    assert_int_equal(write(&o, r), 0);
    assert_int_equal(vox_output_commit(&o), 0);
    char *text = test_read(path, n);
    free(path);
    return text;
}

/* ---- reading a page -------------------------------------------------------------------------- */

/* What stands in the script of that id; malloc'd. */
static char *part(const char *page, const char *id) {
    char *mark = test_format("id='%s'>", id);
    const char *begin = strstr(page, mark);
    assert_non_null(begin);
    begin += strlen(mark);
    const char *end = strstr(begin, "</script>");
    assert_non_null(end);
    free(mark);
    return test_format("%.*s", (int)(end - begin), begin);
}

static int digit(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c != 0 ? strchr(digits, c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Base64, then zlib: exactly n bytes. */
static unsigned char *unpack(const char *page, const char *id, size_t n) {
    char *text = part(page, id);
    unsigned char *packed = malloc(strlen(text)), *data = malloc(n + 1);
    size_t bytes = 0, digits = 0;
    uint32_t bits = 0;
    for (const char *s = text; *s != 0 && *s != '='; s++) {
        if (*s == '\n') continue;
        assert_true(digit(*s) >= 0);
        bits = bits << 6 | (uint32_t)digit(*s);
        digits++;
        if (digits % 4 != 1) packed[bytes++] = (unsigned char)(bits >> (6 - 2 * ((digits - 1) % 4)) & 255);
    }
    uLongf got = n + 1;
    assert_int_equal(uncompress(data, &got, packed, bytes), Z_OK);
    assert_int_equal(got, n);
    free(packed);
    free(text);
    return data;
}

/* The page's predictor, undone. */
static void undo(unsigned char *g, int nx, int ny, int nz) {
    for (int z = 0; z < nz; z++) {
        for (int y = 0; y < ny; y++) {
            for (int x = 0; x < nx; x++, g++) {
                const int a = x ? g[-1] : 0, b = y ? g[-nx] : 0, c = x && y ? g[-nx - 1] : 0;
                const int low = a < b ? a : b, high = a < b ? b : a;
                *g = (unsigned char)(*g + (c >= high ? low : c <= low ? high : a + b - c));
            }
        }
    }
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void reaches_out_to_nothing(void **state) {
    (void)state;
    run r;
    size_t n;
    make_run(&r, &small);
    char *page = text_of(put_page, &r, &n);
    static const char *const never[] = {"http:", "https:", "src='/", "src=\"",    "@import",
                                        "url(",  "<b>",    "net<1>", "</script><"};
    assert_int_equal(strlen(page), n);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(page, never[i]) != NULL) fail_msg("the page has %s", never[i]);
    assert_non_null(strstr(page, "default-src 'none'"));
    assert_non_null(strstr(page, "net&#60;1&#62;"));
    assert_non_null(strstr(page, "left &#60;/script&#62;&#60;b&#62;&#38;&#34;&#39;"));
    /* each opens and closes as often */
    int open = 0, close = 0;
    for (const char *s = page; (s = strstr(s, "<script")) != NULL; s++) open++;
    for (const char *s = page; (s = strstr(s, "</script>")) != NULL; s++) close++;
    assert_int_equal(open, 4);
    assert_int_equal(close, 4);
    free(page);
    free_run(&r);
}

static void holds_the_volume(void **state) {
    (void)state;
    run r;
    ir_arena *arena = ir_arena_new();
    ir_diag d = {0};
    make_run(&r, &small);
    char *page = text_of(put_page, &r, NULL), *facts = part(page, "facts");
    const json_value *f = json_parse(arena, facts, strlen(facts), "facts", &d);
    if (f == NULL) fail_msg("%s", d.text);
    const int expected[3] = {40, 50, 30};
    for (int a = 0; a < 3; a++) {
        assert_int_equal(json_get(f, "dim")->item[a].integer, expected[a]);
        assert_int_equal(json_get(f, "factor")->item[a].integer, 1);
    }
    assert_int_equal(json_get(f, "labels")->count, 2);
    assert_string_equal(json_get(&json_get(f, "labels")->item[0], "name")->string, names[1]);
    assert_int_equal(json_get(&json_get(f, "labels")->item[1], "label")->integer, 3);
    unsigned char *grey = unpack(page, "grey", 60000), *label = unpack(page, "labels", 60000);
    undo(grey, 40, 50, 30);
    const double low = json_get(f, "window")->item[0].number, high = json_get(f, "window")->item[1].number;
    assert_true(low > 20 && low < 60 && high > 480 && high < 560);
    /* x to the patient's left, y to posterior, z to inferior */
    for (int i = 0; i < 60000; i++) {
        const int x = 39 - i % 40, y = 49 - i / 40 % 50, z = 29 - i / 2000, l = ball(x, y, z);
        const double part_of = fmin(fmax((grey_of(x, y, z) - low) / (high - low), 0), 1);
        if (fabs(grey[i] - 255 * part_of) > 0.51) fail_msg("voxel %d %d %d is %d", x, y, z, grey[i]);
        if (label[i] != (l == 3 ? 2 : l)) fail_msg("voxel %d %d %d has label %d", x, y, z, label[i]);
    }
    ir_arena_free(arena);
    free(grey);
    free(label);
    free(facts);
    free(page);
    free_run(&r);
}

static double along(int x, int y, int z) {
    (void)y;
    (void)z;
    return x;
}

static int many(int x, int y, int z) {
    (void)y;
    return z == 0 ? x : 0;
}

/* A long axis is halved: greys are means, labels those of the second of two; more than 255 labels need two bytes. */
static void large_volumes_are_reduced(void **state) {
    (void)state;
    run r;
    const patient longish = {{601, 3, 2}, {1, 1, 1}, along, many};
    make_run(&r, &longish);
    char *page = text_of(put_page, &r, NULL);
    assert_non_null(strstr(page, "one voxel for each 2 x 1 x 1"));
    const size_t n = 301 * 3 * 2;
    unsigned char *grey = unpack(page, "grey", n), *label = unpack(page, "labels", 2 * n);
    undo(grey, 301, 3, 2);
    for (int i = 0; i < 301; i++) {
        /* page voxel i: x = 600 - 2 i and the one left of it */
        const int last = i == 300, x = 600 - 2 * i;
        const double mean = last ? 0 : x - 0.5;
        const double grade = fmin(fmax((mean - 3) / (597 - 3), 0), 1) * 255;
        assert_true(fabs(grey[i] - grade) <= 1);
        const int index = label[903 * 2 + i] + 256 * label[903 * 3 + i];
        assert_int_equal(index, last ? 0 : x - 1);
        assert_int_equal(label[i], 0); /* z = 1, which is above */
    }
    free(grey);
    free(label);
    free(page);
    free_run(&r);
}

static double noise(int x, int y, int z) {
    uint64_t seed = (uint64_t)x + 1000u * (uint64_t)y + 1000000u * (uint64_t)z;
    return (double)(test_random_bits(&seed) & 255);
}

static int nowhere(int x, int y, int z) {
    (void)x;
    (void)y;
    (void)z;
    return 0;
}

/* Eight bits a voxel would be 14.4 MB of base64; seven are 12.6. */
static void noise_has_fewer_greys(void **state) {
    (void)state;
    run r;
    const size_t n = 300 * 300 * 120;
    const patient noisy = {{300, 300, 120}, {1, 1, 1}, noise, nowhere};
    make_run(&r, &noisy);
    char *page = text_of(put_page, &r, NULL), *packed = part(page, "grey");
    assert_non_null(strstr(page, "held in 128 greys"));
    assert_in_range(strlen(packed), 12500000, 13000000);
    unsigned char *rest = unpack(page, "grey", n);
    size_t beyond = 0;
    for (size_t i = 0; i < n; i++) beyond += rest[i] > 127;
    assert_int_equal(beyond, 0);
    free(packed);
    free(rest);
    free(page);
    free_run(&r);
}

static const json_value *get(const json_value *v, const char *key) {
    const json_value *found = json_get(v, key);
    if (found == NULL) fail_msg("no %s", key);
    return found;
}

static void report_says_what_was_done(void **state) {
    (void)state;
    run r;
    ir_arena *arena = ir_arena_new();
    ir_diag d = {0};
    size_t n;
    make_run(&r, &small);
    vox_segment_options options = {.set = VOX_SET_OVERLAP, .overlap = 0.75, .n_folds = 4};
    r.report.options = &options;
    char *text = text_of(put_report, &r, &n), *again = text_of(put_report, &r, NULL);
    assert_string_equal(text, again);
    const json_value *v = json_parse(arena, text, n, "report.json", &d);
    if (v == NULL) fail_msg("%s", d.text);
    assert_string_equal(get(v, "program")->string, "net<1>");
    assert_string_equal(get(&get(v, "inputs")->item[0], "hash")->string, "0000000000000abc");
    assert_int_equal(get(&get(v, "inputs")->item[1], "hash")->kind, JSON_NULL);
    assert_string_equal(get(&get(v, "weights")->item[0], "hash")->string, "ffffffffffffffff");
    const json_value *grid = get(v, "grid");
    assert_string_equal(get(grid, "orientation")->string, "LIA");
    assert_int_equal(get(grid, "dim")->item[1].integer, 30);
    assert_true(get(grid, "spacing_mm")->item[1].number == 2);
    assert_int_equal(get(get(v, "tiling"), "runs")->integer, 40);
    assert_int_equal(get(get(v, "tiling"), "tiles")->item[2].integer, 4);
    const json_value *o = get(v, "options");
    assert_true(get(o, "overlap")->number == 0.75 && get(o, "level")->number == 0.25);
    assert_int_equal(get(o, "folds")->integer, 5);
    assert_int_equal(get(o, "mirror_axes")->count, 2);
    assert_string_equal(get(o, "mirror_axes")->item[1].string, "W");
    /* every named label, and how often it occurs: counted here anew */
    size_t count[4] = {0};
    for (int i = 0; i < 60000; i++) count[ball(i % 40, i / 40 % 50, i / 2000)]++;
    assert_int_equal(get(v, "labels")->count, 4);
    for (int l = 0; l < 4; l++) {
        const json_value *label = &get(v, "labels")->item[l];
        assert_int_equal(get(label, "voxels")->integer, count[l]);
        assert_true(fabs(get(label, "ml")->number - (double)count[l] * 0.002) < 1e-3);
        assert_string_equal(get(label, "name")->string, names[l]);
    }
    assert_true(get(get(v, "seconds"), "network")->number == 3);
    assert_int_equal(get(get(v, "seconds"), "restore")->kind, JSON_NULL);
    assert_int_equal(get(v, "peak_bytes")->integer, 1 << 20);
    ir_arena_free(arena);
    free(text);
    free(again);
    free_run(&r);
}

/* A volume that says nothing, a run that nobody asked about. */
static void unknown_is_null(void **state) {
    (void)state;
    run r;
    ir_arena *arena = ir_arena_new();
    ir_diag d = {0};
    size_t n;
    const patient unknown = {{40, 50, 30}, {0, 0, 0}, grey_of, ball};
    make_run(&r, &unknown);
    r.subject.image.directed = false;
    r.report.outline = NULL;
    r.report.result = NULL;
    r.report.where = NULL;
    r.model.n_labels = 0;
    vox_report_free(&r.report);
    assert_int_equal(vox_report_count(&r.report, r.subject.labels), 0);
    char *text = text_of(put_report, &r, &n), *page = text_of(put_page, &r, NULL);
    const json_value *v = json_parse(arena, text, n, "report.json", &d);
    if (v == NULL) fail_msg("%s", d.text);
    assert_int_equal(get(get(v, "grid"), "orientation")->kind, JSON_NULL);
    assert_int_equal(get(get(v, "grid"), "spacing_mm")->item[0].kind, JSON_NULL);
    assert_int_equal(get(v, "labels")->count, 3);
    assert_int_equal(get(&get(v, "labels")->item[0], "ml")->kind, JSON_NULL);
    assert_int_equal(get(&get(v, "labels")->item[0], "name")->kind, JSON_NULL);
    assert_non_null(strstr(page, "does not say where left and right are"));
    assert_null(strstr(page, ">ml<"));
    ir_arena_free(arena);
    free(text);
    free(page);
    free_run(&r);
}

static void files_are_hashed(void **state) {
    (void)state;
    char *path = test_format("%s/h.nii", folder), *sub = test_format("%s/series", folder);
    char *one = test_format("%s/1.dcm", sub), *two = test_format("%s/2.dcm", sub);
    vox_report_file f;
    test_write(path, "abcdefghij", 10);
    assert_int_equal(vox_report_hash(&f, path), 0);
    assert_true(f.hashed && f.hash == vox_hash(0, "abcdefghij", 10));
    test_write(path, "", 0);
    assert_int_equal(vox_report_hash(&f, path), 0);
    assert_true(f.hashed && f.hash == vox_hash(0, "", 0));
    assert_int_equal(mkdir(sub, 0777), 0);
    test_write(two, "two", 3);
    test_write(one, "one", 3);
    assert_int_equal(vox_report_hash(&f, sub), 0);
    assert_true(f.hash == vox_hash_step(vox_hash_step(0, vox_hash(0, "one", 3)), vox_hash(0, "two", 3)));
    assert_int_equal(vox_report_hash(&f, "/dev/null"), 0);
    assert_false(f.hashed);
    assert_int_equal(vox_report_hash(&f, "/nowhere/x.nii"), VOX_EXIT_INPUT);
    assert_true(vox_report_peak_memory() > 1 << 20);
    free(path);
    free(sub);
    free(one);
    free(two);
}

static void warnings_are_kept(void **state) {
    (void)state;
    run r;
    make_run(&r, &small);
    vox_warnings_collect(&r.warnings);
    vox_warn("slice %d\nis <odd>", 7);
    for (int i = 0; i < VOX_WARNINGS + 2; i++) vox_warn("again");
    vox_warnings_collect(NULL);
    vox_warn("not kept");
    assert_int_equal(r.warnings.n, VOX_WARNINGS);
    assert_int_equal(r.warnings.more, 3);
    assert_string_equal(r.warnings.text[0], "slice 7\\x0ais <odd>");
    char *text = text_of(put_report, &r, NULL), *page = text_of(put_page, &r, NULL);
    assert_non_null(strstr(text, "slice 7\\\\x0ais <odd>"));
    assert_non_null(strstr(text, "\"warnings_left_out\": 3"));
    assert_non_null(strstr(page, "is &#60;odd&#62;"));
    free(text);
    free(page);
    free_run(&r);
}

static void full_disk_is_reported(void **state) {
    (void)state;
    static writer *const writers[] = {put_page, put_report};
    run r;
    make_run(&r, &small);
    for (int i = 0; i < 2; i++) {
        vox_output o;
        assert_int_equal(vox_output_open(&o, "/dev/full"), 0);
        int code = writers[i](&o, &r);
        if (code == 0) code = vox_output_commit(&o);
        assert_int_equal(code, 1);
        vox_output_abort(&o);
    }
    free_run(&r);
}

static void page_for_a_browser(void **state) {
    (void)state;
    const char *path = getenv("VOX_PAGE");
    if (path == NULL) return;
    run r;
    vox_output o;
    make_run(&r, &small);
    assert_int_equal(vox_output_open(&o, path), 0);
    assert_int_equal(put_page(&o, &r), 0);
    assert_int_equal(vox_output_commit(&o), 0);
    free_run(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reaches_out_to_nothing),    cmocka_unit_test(holds_the_volume),
        cmocka_unit_test(large_volumes_are_reduced), cmocka_unit_test(noise_has_fewer_greys),
        cmocka_unit_test(report_says_what_was_done), cmocka_unit_test(unknown_is_null),
        cmocka_unit_test(files_are_hashed),          cmocka_unit_test(warnings_are_kept),
        cmocka_unit_test(full_disk_is_reported),     cmocka_unit_test(page_for_a_browser),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
