/* One small bundle, as its users meet it: built, run, embedded, given wrong buffers and wrong files. */
#include "bundle_lib.h"

#include <pthread.h>

#include "vox_weights.h"
#include "weights.h"

static const char *const tiny =
    "graph tiny\nlabel \"back\\\"ground\"\nlabel \"organ\"\nlabel \"edge\"\n"
    "volume {\n  axes zyx\n  clip -1 1.5\n  z_score\n  mirror\n}\n"
    "input %image f32[1,2,12,12,10]\n"
    "const %a.weight f32[24,2,3,3,3] random(1, 0.3)\nconst %a.bias f32[24] random(2)\n"
    "const %mid.weight f32[32,24,3,3,3] random(3, 0.1)\nconst %mid.bias f32[32] random(4)\n"
    "const %up.weight f32[32,16,2,2,2] random(5, 0.2)\n"
    "const %logits.weight f32[3,40,1,1,1] random(6, 0.3)\nconst %logits.bias f32[3] random(7)\n"
    "%a = conv(%image, %a.weight, %a.bias) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] "
    "group=1 "
    "act=relu\n"
    "%p = max_pool(%a) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
    "%mid = conv(%p, %mid.weight, %mid.bias) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] "
    "group=1 "
    "act=leaky_relu alpha=0.01\n"
    "%up = conv_transpose(%mid, %up.weight) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] "
    "output_pad=[0,0,0] group=1\n"
    "%cat = concat(%up, %a) axis=1\n"
    "%logits = conv(%cat, %logits.weight, %logits.bias) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 "
    "pad=[0,0,0,0,0,0] group=1\n"
    "%labels = arg_max(%logits) axis=1 keepdims=0 select_last=0\n"
    "output %logits\noutput %labels\n";

typedef struct fixture {
    char *dir;
    ir_graph *reference;
    loaded l;
    buffers b;
} fixture;

/* Convolutions are direct ones, which the tests below break; test_bundle_winograd.c has the others. */
static ir_graph *planned(const char *text) {
    ir_graph *g = parse_or_fail(text);
    g->goals.thrift = IR_DIRECT;
    plan(g);
    return g;
}

static int build_tiny(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->dir = test_tmpdir();
    f->reference = parse_or_fail(tiny);
    ir_graph *g = planned(tiny);
    write_bundle(g, f->dir);
    ir_graph_free(g);
    f->l = load_bundle(f->dir, "tiny", "gcc", "-O1");
    f->b = make_buffers(f->l.info);
    *state = f;
    return 0;
}

static int remove_tiny(void **state) {
    fixture *f = *state;
    free_buffers(&f->b);
    unload(&f->l);
    ir_graph_free(f->reference);
    test_rmdir(f->dir);
    free(f);
    return 0;
}

/* ---- results --------------------------------------------------------------------------------- */

static size_t output_bytes(const vox_model_info *info, int i) {
    return port_count(&info->outputs[i]) * vox_dtype_bytes(info->outputs[i].dtype);
}

static void computes_what_the_interpreter_computes(void **state) {
    fixture *f = *state;
    assert_int_equal(run_with(&f->l, &f->b, NULL), VOX_OK);
    compare_with_interpreter(f->reference, f->l.info, &f->b, 2e-6);
}

static void same_bits_for_any_threads_and_any_arena(void **state) {
    fixture *f = *state;
    assert_int_equal(run_with(&f->l, &f->b, NULL), VOX_OK);
    size_t bytes = output_bytes(f->l.info, 0);
    void *first = malloc(bytes);
    memcpy(first, f->b.out[0], bytes);
    static const int threads[] = {1, 2, 3, 7};
    for (int i = 0; i < 8; i++) {
        vox_pool *pool = vox_pool_create(threads[i % 4]);
        assert_non_null(pool);
        vox_executor e = {.parallel_for = vox_pool_parallel_for, .pool = pool};
        memset(f->l.arena, i < 4 ? 0xFF : 0x7F, f->l.arena_bytes);
        memset(f->b.out[0], 0, bytes);
        assert_int_equal(run_with(&f->l, &f->b, &e), VOX_OK);
        assert_memory_equal(first, f->b.out[0], bytes);
        vox_pool_destroy(pool);
    }
    free(first);
}

typedef struct embedded {
    const loaded *l;
    const buffers *in;
    void *arena;
    void *out[2];
    vox_status status;
} embedded;

static void *run_embedded(void *argument) {
    embedded *e = argument;
    for (int i = 0; i < 5 && e->status == VOX_OK; i++)
        e->status = e->l->info->run(e->l->prepared, (const void *const *)e->in->in, e->out, e->arena,
                                    e->l->info->arena_bytes, NULL);
    return NULL;
}

static void two_threads_with_two_arenas_do_not_meet(void **state) {
    fixture *f = *state;
    assert_int_equal(run_with(&f->l, &f->b, NULL), VOX_OK);
    embedded e[2];
    pthread_t thread[2];
    for (int i = 0; i < 2; i++) {
        e[i] = (embedded){&f->l, &f->b, aligned_bytes(f->l.info->arena_bytes), {0}, VOX_OK};
        for (int k = 0; k < 2; k++) e[i].out[k] = aligned_bytes(output_bytes(f->l.info, k));
        assert_int_equal(pthread_create(&thread[i], NULL, run_embedded, &e[i]), 0);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        assert_int_equal(e[i].status, VOX_OK);
        for (int k = 0; k < 2; k++) {
            assert_memory_equal(e[i].out[k], f->b.out[k], output_bytes(f->l.info, k));
            free(e[i].out[k]);
        }
        free(e[i].arena);
    }
}

typedef struct hooks {
    int progress, layers, asked, cancel_at;
} hooks;

static void count_progress(void *user, int done, int total) {
    hooks *h = user;
    h->progress++;
    assert_true(done <= total);
}
static void count_layer(void *user, int index, const void *data) {
    hooks *h = user;
    assert_int_equal(index, h->layers++);
    assert_non_null(data);
}
static int cancel_later(void *user) {
    hooks *h = user;
    return h->asked++ == h->cancel_at;
}

static void hooks_are_called_and_cancel_leaves_outputs_alone(void **state) {
    fixture *f = *state;
    hooks h = {.cancel_at = -1};
    vox_executor e = {
        .progress = count_progress, .cancelled = cancel_later, .layer = count_layer, .user = &h};
    assert_int_equal(run_with(&f->l, &f->b, &e), VOX_OK);
    assert_int_equal(h.progress, f->l.info->n_layers);
    assert_int_equal(h.layers, f->l.info->n_layers);
    assert_true(h.asked < f->l.info->n_layers); /* not once the first output is being written */
    for (int at = 0; at < h.asked; at++) {
        hooks again = {.cancel_at = at};
        e.user = &again;
        memset(f->b.out[0], 0x5A, output_bytes(f->l.info, 0));
        assert_int_equal(run_with(&f->l, &f->b, &e), VOX_E_CANCELLED);
        for (size_t i = 0; i < output_bytes(f->l.info, 0); i++)
            assert_int_equal(((unsigned char *)f->b.out[0])[i], 0x5A);
    }
}

static void info_says_what_the_header_says(void **state) {
    fixture *f = *state;
    const vox_model_info *info = f->l.info;
    assert_string_equal(info->name, "tiny");
    assert_int_equal(info->n_labels, 3);
    assert_string_equal(info->labels[0], "back\"ground");
    assert_non_null(info->volume);
    assert_string_equal(info->volume->axes, "zyx");
    assert_int_equal(info->volume->n_steps, 2);
    assert_int_equal(info->volume->steps[0].kind, VOX_PREPARE_CLIP);
    assert_true(info->volume->steps[0].value[1] == 1.5 && info->volume->border == VOX_BORDER_MIRROR);
    assert_int_equal(info->outputs[1].dtype, VOX_I64);
    assert_string_equal(info->layers[2].name, "mid");
    assert_int_equal(info->macs, ir_macs(f->reference->nodes[0]) + ir_macs(f->reference->nodes[2]) +
                                     ir_macs(f->reference->nodes[3]) + ir_macs(f->reference->nodes[5]));
}

/* ---- wrong buffers --------------------------------------------------------------------------- */

static void wrong_buffers_have_their_status(void **state) {
    fixture *f = *state;
    const vox_model_info *info = f->l.info;
    const void *const *in = (const void *const *)f->b.in;
    void *const *out = f->b.out;
    void *p = f->l.prepared, *arena = f->l.arena;
    size_t n = info->arena_bytes;
    const void *no_input[1] = {NULL};
    void *no_output[2] = {out[0], NULL};
    memset(out[0], 0x5A, output_bytes(info, 0));
    assert_int_equal(info->run(NULL, in, out, arena, n, NULL), VOX_E_ARGUMENT);
    assert_int_equal(info->run(p, NULL, out, arena, n, NULL), VOX_E_ARGUMENT);
    assert_int_equal(info->run(p, in, NULL, arena, n, NULL), VOX_E_ARGUMENT);
    assert_int_equal(info->run(p, no_input, out, arena, n, NULL), VOX_E_ARGUMENT);
    assert_int_equal(info->run(p, in, no_output, arena, n, NULL), VOX_E_ARGUMENT);
    assert_int_equal(info->run(p, in, out, NULL, n, NULL), VOX_E_ARGUMENT);
    assert_int_equal(info->run(p, in, out, arena, n - 1, NULL), VOX_E_ARENA_SIZE);
    for (int by = 4; by < CG_ALIGN; by *= 2) {
        assert_int_equal(info->run(p, in, out, (char *)arena + by, n, NULL), VOX_E_ARENA_ALIGN);
        assert_int_equal(info->run((char *)p + by, in, out, arena, n, NULL), VOX_E_PREPARED_ALIGN);
    }
    assert_int_equal(info->run(arena, in, out, arena, n, NULL), VOX_E_PREPARED);
    assert_int_equal(info->selftest(p, arena, info->selftest_bytes - 1, NULL, NULL, NULL), VOX_E_ARENA_SIZE);
    setenv("VOX_ISA", "mmx", 1);
    assert_int_equal(info->run(p, in, out, arena, n, NULL), VOX_E_ISA);
    assert_string_equal(info->isa(), "none");
    unsetenv("VOX_ISA");
    for (size_t i = 0; i < output_bytes(info, 0); i++) assert_int_equal(((unsigned char *)out[0])[i], 0x5A);
}

/* ---- wrong weight files ---------------------------------------------------------------------- */

static vox_status prepare(const fixture *f, const void *weights, size_t n) {
    const vox_model_info *info = f->l.info;
    void *prepared = aligned_bytes(info->prepared_bytes);
    vox_status status = info->prepare(weights, n, prepared, info->prepared_bytes);
    free(prepared);
    return status;
}

static void fix_checksum(char *weights, size_t n) {
    uint64_t sum = vox_weights_checksum(weights, n);
    memcpy(weights + offsetof(vox_weights_header, checksum), &sum, sizeof sum);
}

static void wrong_weights_have_their_status(void **state) {
    fixture *f = *state;
    size_t n = f->l.weights_bytes;
    char *w = malloc(n + 64);
    memset(w, 0, n + 64);
    memcpy(w, f->l.weights, n);
    assert_int_equal(prepare(f, w, n), VOX_OK);
    assert_int_equal(prepare(f, NULL, n), VOX_E_ARGUMENT);
    assert_int_equal(prepare(f, w, 0), VOX_E_WEIGHTS_SIZE);
    assert_int_equal(prepare(f, w, 63), VOX_E_WEIGHTS_SIZE);
    assert_int_equal(prepare(f, w, n - 1), VOX_E_WEIGHTS_SIZE);
    assert_int_equal(prepare(f, w, n + 64), VOX_E_WEIGHTS_SIZE);
    static const struct {
        size_t at;
        vox_status status;
    } flips[] = {{0, VOX_E_WEIGHTS_MAGIC},
                 {offsetof(vox_weights_header, version), VOX_E_WEIGHTS_VERSION},
                 {offsetof(vox_weights_header, graph_hash), VOX_E_WEIGHTS_MODEL},
                 {offsetof(vox_weights_header, bytes), VOX_E_WEIGHTS_SIZE},
                 {offsetof(vox_weights_header, checksum), VOX_E_WEIGHTS_CHECKSUM},
                 {72, VOX_E_WEIGHTS_CHECKSUM}};
    for (size_t i = 0; i < sizeof flips / sizeof *flips; i++) {
        w[flips[i].at] ^= 1;
        assert_int_equal(prepare(f, w, n), flips[i].status);
        w[flips[i].at] ^= 1;
    }
    uint64_t state_of_test = 3;
    for (int i = 0; i < 200; i++) { /* any flipped bit is noticed */
        size_t at =
            sizeof(vox_weights_header) + test_random_bits(&state_of_test) % (n - sizeof(vox_weights_header));
        w[at] = (char)(w[at] ^ 1 << (i % 8));
        assert_int_equal(prepare(f, w, n), VOX_E_WEIGHTS_CHECKSUM);
        w[at] = (char)(w[at] ^ 1 << (i % 8));
    }
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        memcpy(w + n - 64, &bad[i], sizeof *bad); /* the last tensor's first element */
        fix_checksum(w, n);
        assert_int_equal(prepare(f, w, n), VOX_E_WEIGHTS_NOT_FINITE);
    }
    free(w);
    void *p = aligned_bytes(f->l.info->prepared_bytes + 64);
    size_t need = f->l.info->prepared_bytes;
    assert_int_equal(f->l.info->prepare(f->l.weights, n, p, need - 1), VOX_E_PREPARED_SIZE);
    assert_int_equal(f->l.info->prepare(f->l.weights, n, (char *)p + 4, need), VOX_E_PREPARED_ALIGN);
    free(p);
}

static void weight_file_gives_its_tensors_back(void **state) {
    fixture *f = *state;
    const ir_tensor *t = ir_find_tensor(f->reference, "mid.weight");
    size_t bytes = (size_t)ir_bytes(t);
    uint64_t hash = ir_hash(t->data, bytes);
    const void *found = cg_weights_find(f->l.weights, f->l.weights_bytes, hash, bytes);
    assert_non_null(found);
    assert_memory_equal(found, t->data, bytes);
    assert_null(cg_weights_find(f->l.weights, f->l.weights_bytes, hash + 1, bytes));
    assert_null(cg_weights_find(f->l.weights, 100, hash, bytes));
    assert_null(cg_weights_find("VOXCWGT1", 8, hash, bytes));
}

/* ---- self-test ------------------------------------------------------------------------------- */

static void selftest_passes(void **state) {
    fixture *f = *state;
    const char *bad = "?";
    double worst = -1;
    vox_status status = f->l.info->selftest(f->l.prepared, f->l.arena, f->l.arena_bytes, NULL, &bad, &worst);
    assert_int_equal(status, VOX_OK);
    assert_null(bad);
    assert_true(worst >= 0 && worst < 0.5);
}

static void selftest_names_the_layer_of_a_broken_weight(void **state) {
    fixture *f = *state;
    size_t n = f->l.info->prepared_bytes;
    char *broken = aligned_bytes(n);
    memcpy(broken, f->l.prepared, n);
    broken[n - 200] ^= 1; /* in the last layer's weights */
    const char *bad = NULL;
    assert_int_equal(f->l.info->selftest(broken, f->l.arena, f->l.arena_bytes, NULL, &bad, NULL),
                     VOX_E_SELFTEST);
    assert_string_equal(bad, "logits");
    free(broken);
}

static void selftest_names_the_layer_of_a_broken_kernel(void **state) {
    fixture *f = *state;
    char *dir = test_tmpdir();
    ir_graph *g = planned(tiny);
    write_bundle(g, dir);
    ir_graph_free(g);
    char *cmd = test_format("sed -i '/^static void tiny_mid_run(/,/^}/s/    vox_f32_conv(.*/&\\n    if (task "
                            "== 0) tiny_mid_at(m).y[0] += 0.01f;/' "
                            "%s/tiny_kernels.c && grep -q 0.01f %s/tiny_kernels.c",
                            dir, dir);
    shell_ok(cmd);
    free(cmd);
    loaded l = load_bundle(dir, "tiny", "gcc", "-O1");
    const char *bad = NULL;
    double worst = 0;
    assert_int_equal(l.info->selftest(l.prepared, l.arena, l.arena_bytes, NULL, &bad, &worst),
                     VOX_E_SELFTEST);
    assert_string_equal(bad, "mid");
    assert_true(worst > 1);
    unload(&l);
    test_rmdir(dir);
    (void)f;
}

/* ---- the folder ------------------------------------------------------------------------------ */

/* Writes what stands between the README's ```c and ```, which is short, to dir/example.c. */
static void extract_example(const char *dir, int most_lines) {
    char *path = test_format("%s/README.md", dir), *text = test_read(path, NULL);
    char *begin = strstr(text, "```c\n"), *end = begin ? strstr(begin + 5, "\n```") : NULL;
    if (!end) fail_msg("README.md has no example");
    int lines = 0;
    for (char *p = begin + 5; p < end; p++) lines += *p == '\n';
    assert_true(lines <= most_lines);
    char *to = test_format("%s/example.c", dir);
    test_write(to, begin + 5, (size_t)(end + 1 - begin - 5));
    free(to);
    free(text);
    free(path);
}

static void readme_example_runs(void **state) {
    fixture *f = *state;
    extract_example(f->dir, 24);
    char *cmd = test_format(
        "cd '%s' && gcc -std=c11 -Wall -Wextra -Werror -o example example.c libtiny.a -lm -pthread "
        "&& ./example",
        f->dir);
    char *out;
    int status = test_run(cmd, &out);
    if (status != 0 || strcmp(out, "ok\n") != 0) fail_msg("%s", out);
    free(out);
    free(cmd);
}

static void program_is_built_checked_and_installed(void **state) {
    fixture *f = *state;
    char *cmd =
        test_format("cd '%s' && make -s CC=gcc CFLAGS='-O1 -Werror' && make -s check && "
                    "make -s install PREFIX=/opt/tiny DESTDIR='%s/st age' && "
                    "test -x 'st age/opt/tiny/bin/tiny' && "
                    "grep -q '^prefix=/opt/tiny$' 'st age/opt/tiny/lib/pkgconfig/tiny.pc' && "
                    "cp example.c 'st age/' && cd 'st age' && opt/tiny/bin/tiny selftest && "
                    "gcc -std=c11 -fsyntax-only -Iopt/tiny/include/tiny example.c && rm -rf '../st age'",
                    f->dir, f->dir);
    shell_ok(cmd);
    free(cmd);
}

static void header_is_cplusplus(void **state) {
    fixture *f = *state;
    TEST_NEEDS("/usr/bin/g++");
    char *cmd = test_format(
        "cd '%s' && echo '#include \"tiny.h\"' > cpp.cc && g++ -Wall -Wextra -Werror -fsyntax-only "
        "cpp.cc",
        f->dir);
    shell_ok(cmd);
    free(cmd);
}

static void cmake_builds_it_without_warnings(void **state) {
    fixture *f = *state;
    TEST_NEEDS("/usr/bin/cmake");
    char *cmd = test_format("cd '%s' && cmake -S . -B cm -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=Debug "
                            "-DCMAKE_C_FLAGS=-Werror && make -s -C cm && cd cm && ctest -Q",
                            f->dir);
    shell_ok(cmd);
    free(cmd);
}

static void text_is_laid_out_as_clang_format_does(void **state) {
    fixture *f = *state;
    TEST_NEEDS("/usr/bin/clang-format");
    char *cmd =
        test_format("cp .clang-format '%s/' && cd '%s' && clang-format --dry-run -Werror tiny.c tiny.h "
                    "tiny_kernels.c tiny_main.c",
                    f->dir, f->dir);
    shell_ok(cmd);
    free(cmd);
}

static void manifest_and_memory_are_json(void **state) {
    fixture *f = *state;
    TEST_NEEDS("/usr/bin/python3");
    char *cmd = test_format(
        "cd '%s' && python3 -c '\n"
        "import json, hashlib\n"
        "m = json.load(open(\"manifest.json\"))\n"
        "for f in m[\"files\"]: assert hashlib.sha256(open(f[\"path\"], "
        "\"rb\").read()).hexdigest() == f[\"sha256\"], f\n"
        "assert {l[\"node\"]: l[\"function\"] for l in m[\"layers\"]}[\"mid\"] == \"tiny_mid\"\n"
        "a = json.load(open(\"memory.json\"))\n"
        "assert a[\"model\"] == m[\"model\"] and a[\"arena_bytes\"] >= a[\"lower_bound_bytes\"]\n'",
        f->dir);
    shell_ok(cmd);
    free(cmd);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* Inputs and outputs named like what the code around them uses, macros and types; labels and node names that
 * would end a string or a comment. */
static const char *const hostile =
    "graph hostile\nlabel \"what?"
    "?/\"\nlabel \"*/ #error /*\"\nlabel \"a\\\\\"\n"
    "input %model f32[1,3,4]\ninput %size_t f32[1,3,4]\n%pool = add(%model, %size_t)\n"
    "%NULL = relu(%pool)\n%n = tanh(%pool)\n%hostile_status = neg(%pool)\n%concept = exp(%pool)\n"
    "output %pool\noutput %NULL\noutput %n\noutput %hostile_status\noutput %concept\n";

static void names_of_a_model_are_anybodys(void **state) {
    (void)state;
    ir_graph *g = planned(hostile);
    g->nodes[1]->name = ir_strdup(g->arena, "a\n#error */ #error \"");
    char *dir = test_tmpdir();
    write_bundle(g, dir);
    extract_example(dir, 28);
    char *cmd =
        test_format("cd '%s' && make -s lib CC=gcc CFLAGS='-O0 -Werror' && gcc -std=c11 -Wall -Wextra "
                    "-Werror -o example example.c libhostile.a -lm -pthread && ./example && "
                    "g++ -Wall -Wextra -pedantic -Werror -fsyntax-only -x c++ hostile.h",
                    dir);
    shell_ok(cmd);
    free(cmd);
    test_rmdir(dir);
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computes_what_the_interpreter_computes),
        cmocka_unit_test(same_bits_for_any_threads_and_any_arena),
        cmocka_unit_test(two_threads_with_two_arenas_do_not_meet),
        cmocka_unit_test(hooks_are_called_and_cancel_leaves_outputs_alone),
        cmocka_unit_test(info_says_what_the_header_says),
        cmocka_unit_test(wrong_buffers_have_their_status),
        cmocka_unit_test(wrong_weights_have_their_status),
        cmocka_unit_test(weight_file_gives_its_tensors_back),
        cmocka_unit_test(selftest_passes),
        cmocka_unit_test(selftest_names_the_layer_of_a_broken_weight),
        cmocka_unit_test(selftest_names_the_layer_of_a_broken_kernel),
        cmocka_unit_test(readme_example_runs),
        cmocka_unit_test(program_is_built_checked_and_installed),
        cmocka_unit_test(header_is_cplusplus),
        cmocka_unit_test(cmake_builds_it_without_warnings),
        cmocka_unit_test(text_is_laid_out_as_clang_format_does),
        cmocka_unit_test(manifest_and_memory_are_json),
        cmocka_unit_test(names_of_a_model_are_anybodys),
    };
    return cmocka_run_group_tests(tests, build_tiny, remove_tiny);
}
