/* The weight file's guards: whatever happens to a file, prepare refuses it; and so it does weights that were
 * not written together with the code. */
#include "test.h"

#include "codegen.h"
#include "test_graph.h"
#include "vox_hash.h"
#include "vox_weights.h"

#include "model.h"
#include "weights.h"

static uint64_t seed = 1;
static size_t below(size_t n) {
    return (size_t)(test_random_bits(&seed) % n);
}

/* ---- the file -------------------------------------------------------------------------------- */

typedef struct weights {
    unsigned char *data;
    size_t bytes;
    uint64_t hash; /* the code's */
} weights;

/* The weight file of a small graph; `value` is one of its weights. */
static weights make(const char *value) {
    char *text = test_format("input %%x f32[1,2,4,4,4]\nconst %%w f32[3,2,3,3,3] random(1)\n"
                             "const %%b f32[3] {1,%s,-3}\n"
                             "%%y = conv(%%x, %%w, %%b) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 "
                             "pad=[1,1,1,1,1,1] group=1\noutput %%y\n",
                             value);
    ir_graph *g = test_graph(text);
    ir_diag d = {0};
    const cg_options o = {.version = "", .options = "", .input = ""};
    cg_model *m = cg_model_new(g, &o, &d);
    const unsigned char *file = cg_weights_file(m, &d);
    weights w = {malloc((size_t)m->weights_bytes), (size_t)m->weights_bytes, m->graph_hash};
    memcpy(w.data, file, w.bytes);
    ir_graph_free(g);
    free(text);
    return w;
}

static vox_status check(const weights *w, const void *data, size_t bytes) {
    return vox_weights_check(data, bytes, w->hash, w->bytes, NULL, 0);
}

/* ---- damages: each changes some bytes of `data`, or its length -------------------------------- */

static size_t place(size_t bytes) {
    return below(3) ? below(bytes) : below(96); /* often the header and the first entry */
}
static size_t flip_bits(unsigned char *data, size_t bytes) {
    for (size_t left = 1 + below(8); left > 0; left--) {
        const size_t at = place(bytes);
        data[at] = (unsigned char)(data[at] ^ 1u << below(8));
    }
    return bytes;
}
/* What hides in the top bits of words is what multiplication alone never carries elsewhere. */
static size_t flip_tops(unsigned char *data, size_t bytes) {
    for (size_t left = 2 + below(3); left > 0; left--) {
        unsigned char *byte = data + below(bytes / 8) * 8 + 7;
        *byte = (unsigned char)(*byte ^ 0x80u >> below(2));
    }
    return bytes;
}
static size_t swap_words(unsigned char *data, size_t bytes) {
    const size_t size = (size_t)4 << below(5), blocks = bytes / size;
    unsigned char kept[64], *a = data + below(blocks) * size, *b = data + below(blocks) * size;
    memcpy(kept, a, size), memcpy(a, b, size), memcpy(b, kept, size);
    return bytes;
}
static size_t clear_block(unsigned char *data, size_t bytes) {
    const size_t size = (size_t)1 << below(8), at = below(bytes - size);
    memset(data + at, below(2) ? 0 : 0xff, size);
    return bytes;
}
static size_t shorten(unsigned char *data, size_t bytes) {
    (void)data;
    return below(bytes);
}
static size_t lengthen(unsigned char *data, size_t bytes) {
    const size_t more = 1 + below(128);
    memset(data + bytes, 0, more);
    return bytes + more;
}

static void every_damage_is_refused(void **state) {
    (void)state;
    static size_t (*const damages[])(unsigned char *, size_t) = {
        flip_bits, flip_bits, flip_tops, swap_words, clear_block, shorten, lengthen};
    enum { CASES = 100000, KINDS = sizeof damages / sizeof *damages };
    weights w = make("2");
    unsigned char *bad = malloc(w.bytes + 128);
    assert_int_equal(check(&w, w.data, w.bytes), VOX_OK);
    for (int i = 0; i < CASES; i++) {
        memcpy(bad, w.data, w.bytes);
        const size_t n = damages[i % KINDS](bad, w.bytes);
        if (n == w.bytes && memcmp(bad, w.data, n) == 0) continue; /* undone by itself */
        if (check(&w, bad, n) == VOX_OK) fail_msg("damage %d of kind %d is accepted", i, i % KINDS);
    }
    free(bad), free(w.data);
}

static void every_bit_of_the_header_counts(void **state) {
    (void)state;
    weights w = make("2");
    for (size_t i = 0; i < 8 * (sizeof(vox_weights_header) + sizeof(vox_weights_entry)); i++) {
        w.data[i / 8] = (unsigned char)(w.data[i / 8] ^ 1u << i % 8);
        if (check(&w, w.data, w.bytes) == VOX_OK) fail_msg("bit %zu is not looked at", i);
        w.data[i / 8] = (unsigned char)(w.data[i / 8] ^ 1u << i % 8);
    }
    free(w.data);
}

static void pairs_of_top_bits_count(void **state) {
    (void)state;
    weights w = make("2");
    for (size_t i = 64; i + 8 <= w.bytes; i += 8)
        for (size_t k = 64; k < i; k += 8) {
            w.data[i + 7] ^= 0x80, w.data[k + 7] ^= 0x80;
            if (check(&w, w.data, w.bytes) == VOX_OK) fail_msg("words at %zu and %zu", k, i);
            w.data[i + 7] ^= 0x80, w.data[k + 7] ^= 0x80;
        }
    free(w.data);
}

/* Also tensors are told apart by their hash. */
static void signs_of_two_weights_change_a_tensors_hash(void **state) {
    (void)state;
    float x[64];
    test_fill(x, 64, 1);
    const uint64_t hash = ir_hash(x, sizeof x);
    for (int i = 0; i < 64; i++)
        for (int k = 0; k < i; k++) {
            x[i] = -x[i], x[k] = -x[k];
            assert_true(ir_hash(x, sizeof x) != hash);
            x[i] = -x[i], x[k] = -x[k];
        }
}

/* ---- code and weights ------------------------------------------------------------------------ */

static void weights_of_other_values_are_refused(void **state) {
    (void)state;
    static const char *const values[] = {"2", "2.0000002", "-2", "0", "-0"};
    enum { N = sizeof values / sizeof *values };
    weights w[N];
    for (int i = 0; i < N; i++) w[i] = make(values[i]);
    for (int i = 0; i < N; i++)
        for (int k = 0; k < N; k++)
            assert_int_equal(check(&w[i], w[k].data, w[k].bytes), i == k ? VOX_OK : VOX_E_WEIGHTS_MODEL);
    for (int i = 0; i < N; i++) free(w[i].data);
}

/* The program says which file, both hashes and what to do; for the other order of files, too. */
static void a_program_names_both_hashes(void **state) {
    (void)state;
    char *dir = test_tmpdir(), *out;
    static const char *const net = "graph net\ninput %x f32[1,1,2,2,2]\nconst %w f32[1,1,1,1,1] random(1)\n"
                                   "%y = conv(%x, %w) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 "
                                   "pad=[0,0,0,0,0,0] group=1\noutput %y\n";
    char *model = test_format("%s/net.ir", dir);
    test_write(model, net, strlen(net));
    char *command =
        test_format("%s compile %s/net.ir -o %s/1 && sed -i 's/random(1)/random(2)/' %s/net.ir && "
                    "%s compile %s/net.ir -o %s/2 && make -s -C %s/1 CFLAGS=-O0 net",
                    test_voxc(), dir, dir, dir, test_voxc(), dir, dir, dir);
    free(model);
    if (test_run(command, &out) != 0) fail_msg("%s", out);
    free(out), free(command);
    command = test_format("sed -n 's/.*\"graph_hash\": \"\\(.*\\)\",/\\1/p' %s/[12]/manifest.json", dir);
    assert_int_equal(test_run(command, &out), 0);
    assert_int_equal(strlen(out), 34);
    assert_true(memcmp(out, out + 17, 16) != 0);
    char *words = test_format("%s/2/net.weights: these weights belong to code with the hash %.16s, this "
                              "program has %.16s: give it the file written beside its code",
                              dir, out + 17, out);
    free(out), free(command);
    command = test_format("%s/1/net selftest --weights %s/2/net.weights", dir, dir);
    assert_int_equal(test_run(command, &out), 2);
    if (!strstr(out, words)) fail_msg("expected '%s' in '%s'", words, out);
    free(out), free(command), free(words);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_damage_is_refused),
        cmocka_unit_test(every_bit_of_the_header_counts),
        cmocka_unit_test(pairs_of_top_bits_count),
        cmocka_unit_test(signs_of_two_weights_change_a_tensors_hash),
        cmocka_unit_test(weights_of_other_values_are_refused),
        cmocka_unit_test(a_program_names_both_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
