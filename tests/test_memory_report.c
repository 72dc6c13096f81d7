/* Memory reports: the JSON says what the plan is, to our own reader and to Python's; the picture is XML
 * whatever layers are called; slices of the trace nest; the same model gives the same bytes. */
#include "test.h"

#include "codegen.h"
#include "json.h"
#include "model.h"
#include "passes.h"
#include "plan_verify.h"

#define CONV "kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"

/* A skip that waits in its concat, a copied member, scratch, names that XML and JSON must escape. */
static const char model[] =
    "graph skip\n"
    "input %x f32[1,16,4,4,4]\n"
    "const %w f32[16,16,1,1,1] random(1)\n"
    "const %v f32[2,48,1,1,1] random(2)\n"
    "%a = conv(%x, %w) " CONV "\n"
    "%t = conv(%a, %w) " CONV " scratch=5000 name=\"<t> & \\\"t\\\" \\\\ \xc3\xa9 \xff\"\n"
    "%b = conv(%t, %w) " CONV "\n"
    "%c = concat(%b, %a, %x) axis=1\n"
    "%y = conv(%c, %v) " CONV "\n"
    "output %y\n";

static ir_graph *planned(const char *text) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(text, "test", NULL, NULL, &d);
    if (!g || !pass_views(g, &d) || !pass_pack(g, &d) || !pass_memory(g, &d) || !plan_verify(g, &d))
        fail_msg("%s", d.text);
    return g;
}

static const char *report(const ir_graph *g, const char *path) {
    ir_diag d = {0};
    cg_options options = {.version = "0", .options = "", .input = "skip.ir"};
    const char *text = cg_memory_report(g, &options, path, &d);
    if (!text) fail_msg("%s", d.text);
    return text;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static const json_value *get(const json_value *v, const char *key) {
    const json_value *found = json_get(v, key);
    if (!found) fail_msg("no %s", key);
    return found;
}

static int64_t number(const json_value *v, const char *key) {
    assert_true(get(v, key)->is_integer);
    return get(v, key)->integer;
}

static const json_value *buffer(const json_value *root, const char *kind, const char *name) {
    const json_value *list = get(root, "buffers");
    for (int i = 0; i < list->count; i++)
        if (!strcmp(get(&list->item[i], "kind")->string, kind) &&
            !strcmp(get(&list->item[i], "name")->string, name))
            return &list->item[i];
    fail_msg("no %s %s", kind, name);
    return NULL;
}

static void expect_buffer(const json_value *root, const char *kind, const char *name, int64_t bytes,
                          const char *first, const char *last) {
    const json_value *b = buffer(root, kind, name);
    assert_int_equal(number(b, "bytes"), bytes);
    assert_string_equal(get(b, "first_layer")->string, first);
    assert_string_equal(get(b, "last_layer")->string, last);
}

static void json_names_every_buffer(void **state) {
    (void)state;
    ir_graph *g = planned(model);
    ir_diag d = {0};
    const char *text = report(g, "x.json");
    const json_value *root = json_parse(g->arena, text, strlen(text), "report", &d);
    if (!root) fail_msg("%s", d.text);
    assert_int_equal(number(root, "arena_bytes"), g->arena_bytes);
    expect_buffer(root, "member", "b", 4096, "b", "y");
    expect_buffer(root, "member", "a", 4096, "a", "y");
    expect_buffer(root, "value", "c", 4096, "c", "y"); /* x, copied */
    expect_buffer(root, "input", "x", 4096, "a", "c");
    expect_buffer(root, "output", "y", 512, "y", "y");
    expect_buffer(root, "prepared", "w", 1024, "a", "b");
    assert_string_equal(get(buffer(root, "member", "a"), "in")->string, "c");
    assert_int_equal(get(buffer(root, "member", "a"), "shape")->item[1].integer, 16);
    assert_int_equal(number(buffer(root, "scratch", "t"), "bytes"), 5056);
    assert_int_equal(number(buffer(root, "scratch", "t"), "first"), 1);
    assert_int_equal(number(buffer(root, "scratch", "t"), "last"), 1);
    ir_graph_free(g);
}

/* Per layer, what the buffers of the arena add up to. */
static void check_sums(const json_value *root) {
    const json_value *layers = get(root, "layers"), *buffers = get(root, "buffers");
    int64_t most = 0;
    for (int i = 0; i < layers->count; i++) {
        int64_t live = 0;
        for (int k = 0; k < buffers->count; k++) {
            const json_value *b = &buffers->item[k];
            const char *kind = get(b, "kind")->string;
            bool arena = !strcmp(kind, "value") || !strcmp(kind, "member") || !strcmp(kind, "scratch");
            if (arena && number(b, "first") <= i && i <= number(b, "last")) live += number(b, "bytes");
        }
        assert_int_equal(number(&layers->item[i], "live_bytes"), live);
        if (live > most) most = live;
    }
    assert_int_equal(number(root, "lower_bound_bytes"), most);
}

static void sums_of_buffers_are_the_live_bytes(void **state) {
    (void)state;
    static const char *const models[] = {"unet3d", "nnunet_like", "torchio", "meshnet"};
    char *dir = test_tmpdir();
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char *command =
                 test_format("%s inspect models/%s.yaml --memory-report %s/r.json >%s/out && cat %s/r.json",
                             test_voxc(), models[i], dir, dir, dir),
             *out;
        assert_int_equal(test_run(command, &out), 0);
        ir_arena *arena = ir_arena_new();
        ir_diag d = {0};
        const json_value *root = json_parse(arena, out, strlen(out), models[i], &d);
        if (!root) fail_msg("%s", d.text);
        check_sums(root);
        ir_arena_free(arena);
        free(out), free(command);
    }
    test_rmdir(dir);
}

/* ---- other readers --------------------------------------------------------------------------- */

static void write_file(const char *dir, const char *name, const char *text) {
    char *path = test_format("%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
}

static const char script[] =
    "import json, sys\n"
    "import xml.etree.ElementTree as tree\n"
    "model = json.load(open('r.json', encoding='utf-8'))\n"
    "svg = tree.parse('r.svg').getroot()\n"
    "ns = '{http://www.w3.org/2000/svg}'\n"
    "assert svg.tag == ns + 'svg' and not list(svg.iter(ns + 'script'))\n"
    "kinds = [r.get('class') for r in svg.iter(ns + 'rect') if r.find(ns + 'title') is not None]\n"
    "for kind in ('value', 'member', 'scratch'):\n"
    "    assert kinds.count(kind) == sum(b['kind'] == kind for b in model['buffers']), kind\n"
    "names = ' '.join(t.text or '' for t in svg.iter(ns + 'text'))\n"
    "assert '<t> & \"t\" \\\\ \\u00e9 ?' in names, names\n"
    "trace = json.load(open('r.trace.json', encoding='utf-8'))['traceEvents']\n"
    "slices = [e for e in trace if e['ph'] == 'X']\n"
    "assert len(slices) == len(model['layers']) + len(model['buffers'])\n"
    "for a in slices:\n"
    "    for b in slices:\n"
    "        if a is not b and (a['pid'], a['tid']) == (b['pid'], b['tid']):\n"
    "            assert a['ts'] + a['dur'] <= b['ts'] or b['ts'] + b['dur'] <= a['ts'], (a, b)\n"
    "live = [e['args']['bytes'] for e in trace if e['ph'] == 'C']\n"
    "assert live == [l['live_bytes'] for l in model['layers']] + [0]\n";

static void python_reads_all_three(void **state) {
    (void)state;
    TEST_NEEDS("/usr/bin/python3");
    ir_graph *g = planned(model);
    char *dir = test_tmpdir();
    write_file(dir, "r.json", report(g, "r.json"));
    write_file(dir, "r.svg", report(g, "r.svg"));
    write_file(dir, "r.trace.json", report(g, "r.trace.json"));
    write_file(dir, "check.py", script);
    char *command = test_format("cd %s && python3 check.py", dir), *out;
    if (test_run(command, &out)) fail_msg("%s", out);
    free(out), free(command);
    test_rmdir(dir);
    ir_graph_free(g);
}

static void the_bundle_holds_the_same_json(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    char *command =
        test_format("V=$(realpath %s); M=$(realpath models); cd %s && "
                    "$V compile $M/unet3d_small.yaml --init 1 -o b --memory-report compile.json && "
                    "$V inspect $M/unet3d_small.yaml --memory-report inspect.json >/dev/null && "
                    "$V inspect $M/unet3d_small.yaml --memory-report 1.svg >/dev/null && "
                    "$V compile $M/unet3d_small.yaml --init 2 -o c --memory-report 2.svg && "
                    "cmp b/memory.json compile.json && cmp compile.json inspect.json && cmp 1.svg 2.svg",
                    test_voxc(), dir);
    int code = test_run(command, &out);
    if (code) fail_msg("%s", out);
    free(out), free(command);
    test_rmdir(dir);
}

/* ---- layers ---------------------------------------------------------------------------------- */

static void expect_lifetime(const cg_model *m, const char *name, int first, int last) {
    int from, to;
    cg_lifetime(m, ir_find_tensor(m->g, name), &from, &to);
    if (from != first || to != last)
        fail_msg("%s: layers %d to %d, expected %d to %d", name, from, to, first, last);
}

/* The pool and the crop of a fused value are done by the conv's layer; so is the writing of their results. */
static void readers_of_a_fused_value_are_no_layers(void **state) {
    (void)state;
    ir_graph *g =
        planned("graph g\ninput %x f32[1,16,4,4,4]\nconst %w f32[16,16,1,1,1] random(1)\n"
                "%a = exp(%x)\n%f = conv(%a, %w) " CONV " scratch=100 -> f32[1,16,4,4,4] fused\n"
                "%p = max_pool(%f) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
                "%q = exp(%p)\n%s = slice(%f) begin=[0,0,1,1,1] size=1x16x2x2x2 step=[1,1,1,1,1]\n"
                "%c = concat(%q, %s) axis=1\n%y = relu(%c)\noutput %y\n");
    ir_diag d = {0};
    cg_options options = {.version = "0", .options = "", .input = "g.ir"};
    const cg_model *m = cg_model_new(g, &options, &d);
    assert_non_null(m);
    assert_int_equal(m->n_layers, 4); /* a, f, q, y */
    expect_lifetime(m, "a", 0, 1);
    expect_lifetime(m, "f", -1, -1);
    expect_lifetime(m, "p", 1, 2);
    expect_lifetime(m, "s", 1, 3);
    expect_lifetime(m, "q", 2, 3);
    expect_lifetime(m, "c", 1, 3);
    assert_int_equal(cg_scratch_offset(m, g->nodes[1]), g->nodes[1]->memory.scratch_offset);
    ir_graph_free(g);
}

/* ---- odd graphs ------------------------------------------------------------------------------ */

static void an_empty_arena_can_be_drawn(void **state) {
    (void)state;
    ir_graph *g = planned("graph g\ninput %x f32[4]\n%y = exp(%x)\noutput %y\n");
    assert_int_equal(g->arena_bytes, 0);
    assert_non_null(strstr(report(g, "x.svg"), "</svg>"));
    assert_non_null(strstr(report(g, "x.json"), "\"peak_layers\": [\"y\"]"));
    assert_non_null(strstr(report(g, "x.trace.json"), "\"dur\": 1000"));
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_names_every_buffer),
        cmocka_unit_test(sums_of_buffers_are_the_live_bytes),
        cmocka_unit_test(python_reads_all_three),
        cmocka_unit_test(the_bundle_holds_the_same_json),
        cmocka_unit_test(readers_of_a_fused_value_are_no_layers),
        cmocka_unit_test(an_empty_arena_can_be_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
