/* The text form of the IR: what is printed reads back as itself, for every op; errors say line and column;
 * IR.md lists what the tables hold. */
#include "test.h"

#include "ir.h"
#include "plan_verify.h"

/* Every operator once, in the printer's own form. */
static const char *const every_op =
    "graph every_op\n"
    "input %x f32[1,4,6,6,6]\n"
    "input %m f32[2,3]\n"
    "input %n i64[2,3]\n"
    "const %w f32[8,4,3,3,3] blob(0x1122334455667788)\n"
    "const %wt f32[4,8,2,2,2] opaque\n"
    "const %b f32[8] {0, 1, -2.5, 1e-07, inf, -inf, nan, 16777216}\n"
    "const %c f32[4] {1, 1, 1, 1}\n"
    "const %slope f32[4,1,1,1] {0.1, 0.2, 0.3, 0.4}\n"
    "const %index i64[2] {0, 2}\n"
    "const %start i64[] {0}\n"
    "const %limit i64[] {5}\n"
    "const %delta i64[] {2}\n"
    "%conv = conv(%x, %w, %b) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1 "
    "act=leaky_relu "
    "alpha=0.01 -> f32[1,8,6,6,6]\n"
    "%up = conv_transpose(%x, %wt, _) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] "
    "output_pad=0x0x0 group=1 -> f32[1,8,12,12,12]\n"
    "%bn = batch_norm(%x, %c, %c, %c, %c) eps=1e-05 -> f32[1,4,6,6,6]\n"
    "%in = instance_norm(%x, %c, %c) act=clip alpha=0 beta=6 eps=0.001 -> f32[1,4,6,6,6]\n"
    "%nt = norm_terms(%x, %c, %c) group=2 eps=0.001 -> f32[1,3,4]\n"
    "%no = normalise(%x, %nt, _, %c) act=prelu -> f32[1,4,6,6,6]\n"
    "%mp = max_pool(%x) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0 -> f32[1,4,3,3,3]\n"
    "%ap = average_pool(%x) kernel=3x3x3 stride=2x2x2 dilation=1x1x1 pad=[1,1,1,0,0,0] ceil=1 include_pad=1 "
    "-> "
    "f32[1,4,3,3,3]\n"
    "%rs = resize(%x) size=1x4x12x12x9 mode=linear coordinates=half_pixel nearest=floor scale=[1,1,2,2,1.5] "
    "-> "
    "f32[1,4,12,12,9]\n"
    "%crop = resize(%m) size=2x2 mode=nearest coordinates=tf_crop_and_resize nearest=ceil scale=[1,0.6] "
    "roi=[0,0.25,1,0.75] extrapolation=-1 exclude_outside=1 -> f32[2,2]\n"
    "%cat = concat(%x, %bn, %in) axis=1 -> f32[1,12,6,6,6]\n"
    "%sl = slice(%x) begin=[0,0,5,0,0] size=1x4x3x6x2 step=[1,1,-2,1,3] -> f32[1,4,3,6,2]\n"
    "%pd = pad(%m) pad=[-1,2,0,1] mode=constant value=0.5 -> f32[1,6]\n"
    "%re = reshape(%m) shape=[3,2] -> f32[3,2]\n"
    "%tr = transpose(%m) perm=[1,0] -> f32[3,2]\n"
    "%ex = expand(%m) shape=[4,2,3] -> f32[4,2,3]\n"
    "%ga = gather(%m, %index) axis=1 -> f32[2,2]\n"
    "%sm = softmax(%x) axis=1 -> f32[1,4,6,6,6]\n"
    "%ls = log_softmax(%x) axis=1 -> f32[1,4,6,6,6]\n"
    "%am = arg_max(%x) axis=1 keepdims=0 select_last=0 -> i64[1,6,6,6]\n"
    "%rsum = reduce_sum(%m) axes=[0,1] keepdims=0 -> f32[]\n"
    "%rmean = reduce_mean(%m) axes=[1] keepdims=1 -> f32[2,1]\n"
    "%rmax = reduce_max(%m) axes=[0] keepdims=0 -> f32[3]\n"
    "%rmin = reduce_min(%m) axes=[] keepdims=0 -> f32[2,3]\n"
    "%rprod = reduce_prod(%n) axes=[0] keepdims=0 -> i64[3]\n"
    "%add = add(%m, %rmax) -> f32[2,3]\n"
    "%sub = sub(%m, %rmean) -> f32[2,3]\n"
    "%mul = mul(%m, %rsum) -> f32[2,3]\n"
    "%div = div(%n, %rprod) -> i64[2,3]\n"
    "%min = min(%m, %add) -> f32[2,3]\n"
    "%max = max(%m, %add) -> f32[2,3]\n"
    "%pow = pow(%m, %n) -> f32[2,3]\n"
    "%mod = mod(%n, %rprod) fmod=0 -> i64[2,3]\n"
    "%eq = equal(%n, %div) -> bool[2,3]\n"
    "%gt = greater(%m, %add) -> bool[2,3]\n"
    "%ge = greater_equal(%m, %add) -> bool[2,3]\n"
    "%lt = less(%m, %add) -> bool[2,3]\n"
    "%le = less_equal(%m, %add) -> bool[2,3]\n"
    "%and = and(%eq, %gt) -> bool[2,3]\n"
    "%or = or(%eq, %gt) -> bool[2,3]\n"
    "%prelu = prelu(%x, %slope) -> f32[1,4,6,6,6]\n"
    "%where = where(%eq, %m, %rmax) -> f32[2,3]\n"
    "%relu = relu(%x) name=\"block 1/\\\"relu\\\"\\x0a\" -> f32[1,4,6,6,6]\n"
    "%leaky = leaky_relu(%x) alpha=0.2 -> f32[1,4,6,6,6]\n"
    "%elu = elu(%x) alpha=1 -> f32[1,4,6,6,6]\n"
    "%sigmoid = sigmoid(%x) -> f32[1,4,6,6,6]\n"
    "%tanh = tanh(%x) -> f32[1,4,6,6,6]\n"
    "%clip = clip(%n) alpha=-inf beta=3 -> i64[2,3]\n"
    "%exp = exp(%x) -> f32[1,4,6,6,6]\n"
    "%log = log(%x) -> f32[1,4,6,6,6]\n"
    "%sqrt = sqrt(%x) -> f32[1,4,6,6,6]\n"
    "%neg = neg(%n) -> i64[2,3]\n"
    "%abs = abs(%x) -> f32[1,4,6,6,6]\n"
    "%floor = floor(%x) -> f32[1,4,6,6,6]\n"
    "%ceil = ceil(%x) -> f32[1,4,6,6,6]\n"
    "%round = round(%x) -> f32[1,4,6,6,6]\n"
    "%not = not(%eq) -> bool[2,3]\n"
    "%cast = cast(%m) to=u8 -> u8[2,3]\n"
    "%shape = shape(%x) -> i64[5]\n"
    "%range = range(%start, %limit, %delta) -> i64[3]\n"
    "%tb = to_block(%x) -> f32[1,4,6,6,6] block16\n"
    "%fb = from_block(%tb) -> f32[1,4,6,6,6]\n"
    "%tl = to_channels_last(%x) -> f32[1,4,6,6,6] pitch8 f16\n"
    "%fl = from_channels_last(%tl) -> f32[1,4,6,6,6]\n"
    "output %fb\n"
    "output %cast\n";

/* What passes and front ends add. */
static const char *const planned =
    "graph planned\n"
    "arena 196608\n"
    "label \"background\"\n"
    "label \"\xc3\xa9t\xc3\xa9 \\\"quoted\\\" \\\\\"\n"
    "volume {\n"
    "  axes zyx\n"
    "  resample_to_shape 128 128 128\n"
    "  resample_to_spacing 1 1 1.5\n"
    "  smooth 0.5\n"
    "  crop_or_pad 64 64 64\n"
    "  clip -1000 inf\n"
    "  divide_by_maximum\n"
    "  min_max\n"
    "  z_score\n"
    "  z_score_above_mean\n"
    "  z_score_nonzero\n"
    "  scale 0.1 -1e-30\n"
    "  mirror\n"
    "  threshold 0.5\n"
    "}\n"
    "input %image f32[1,1,8,8,8]\n"
    "const %w f32[16,1,1,1,1] random(7)\n"
    "%a = conv(%image, %w) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 "
    "pad=[0,0,0,0,0,0] group=1 name=\"a.conv\" "
    "blocking=4x1x8x64 scratch=4096 -> f32[1,16,8,8,8] block16 in %c+0 scratch+65600\n"
    "%b = relu(%a) -> f32[1,16,8,8,8] block16 in %c+32768\n"
    "%c = concat(%a, %b) axis=1 -> f32[1,32,8,8,8] block16 arena+64\n"
    "%y = from_block(%c) -> f32[1,32,8,8,8]\n"
    "%f = conv(%image, %w) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 "
    "pad=[0,0,0,0,0,0] group=1 -> f32[1,16,8,8,8] fused\n"
    "%s = slice(%f) begin=[0,0,0,0,0] size=1x1x1x1x1 step=[1,1,1,1,1] -> "
    "f32[1,1,1,1,1]\n"
    "output %y\n"
    "output %s\n";

static ir_graph *parse(const char *text) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(text, "t.ir", NULL, NULL, &d);
    if (!g) fail_msg("%s", d.text);
    return g;
}

static void every_op_prints_as_it_was_read(void **state) {
    (void)state;
    ir_graph *g = parse(every_op);
    char *text = ir_print_string(g);
    assert_string_equal(text, every_op);
    char *file = NULL;
    size_t size;
    FILE *f = open_memstream(&file, &size);
    assert_true(ir_print(g, f));
    fclose(f);
    assert_string_equal(file, every_op);
    free(file);
    bool seen[IR_OP_COUNT] = {false};
    for (int i = 0; i < g->n_nodes; i++) seen[g->nodes[i]->op] = true;
    for (int i = 0; i < IR_OP_COUNT; i++)
        if (!seen[i]) fail_msg("the text lacks %s", ir_op_get((ir_op)i)->name);
    ir_diag d = {0};
    if (!plan_verify(g, &d)) fail_msg("%s", d.text);
    free(text);
    ir_graph_free(g);
}

static void plan_volume_and_labels_round_trip(void **state) {
    (void)state;
    ir_graph *g = parse(planned), *again;
    char *text = ir_print_string(g), *text_again;
    again = parse(text);
    text_again = ir_print_string(again);
    assert_string_equal(text, text_again);
    const char *in = strstr(planned, "input"), *a = strstr(planned, "%a ="), *b = strstr(text, "%a =");
    assert_memory_equal(text, planned,
                        (size_t)(in - planned)); /* between stands the constant: random is never printed */
    assert_string_equal(a, b);
    assert_string_equal(g->nodes[0]->name, "a.conv");
    assert_string_equal(g->nodes[0]->source, "t.ir:23:1");
    assert_int_equal(g->volume.info.n_steps, 11);
    assert_ptr_equal(g->nodes[0]->out[0]->memory.view_of, g->nodes[2]->out[0]);
    free(text);
    free(text_again);
    ir_graph_free(g);
    ir_graph_free(again);
}

static void gpu_plan_round_trips(void **state) {
    (void)state;
    static const char text[] =
        "graph g\narena 4096\nrecompute\ninput %x f32[1,3,8,4,4]\n"
        "%a = to_channels_last(%x) stream=1x2 gpu=kernel -> f32[1,3,8,4,4] pitch8 bf16 ring2 arena+0\n"
        "%b = relu(%a) stream=1x2 gpu=kernel -> f32[1,3,8,4,4] pitch8 bf16 arena+1024\n"
        "%y = from_channels_last(%b) gpu=kernel -> f32[1,3,8,4,4]\noutput %y\n";
    ir_graph *g = parse(text);
    char *again = ir_print_string(g);
    assert_string_equal(text, again);
    assert_true(g->recompute);
    const ir_tensor *a = ir_find_tensor(g, "a"), *b = ir_find_tensor(g, "b");
    assert_int_equal(a->gpu.pitch, 8);
    assert_int_equal(a->gpu.storage, IR_STORE_BF16);
    assert_int_equal(a->producer->gpu.runner, IR_GPU_KERNEL);
    assert_int_equal(ir_element_bytes(a), 2);
    assert_int_equal(ir_bytes(a), 2 * 4 * 4 * 8 * 2);
    assert_int_equal(ir_bytes(b), 8 * 4 * 4 * 8 * 2);
    free(again);
    ir_graph_free(g);
}

static void lines_may_be_loose(void **state) {
    (void)state;
    ir_graph *g =
        parse("\n# head\n  graph g # name\r\n\n\tinput %x f32[ 1 , 2,3,3 ]\r\n"
              "%y=max_pool( %x )kernel=[2,2] stride=1x1 dilation=[1,1] pad=0x0x0x0 ceil=0 # inferred\n"
              "%z = relu(%y)->f32[1,2,2,2]\noutput %z");
    char *text = ir_print_string(g);
    assert_string_equal(text, "graph g\ninput %x f32[1,2,3,3]\n"
                              "%y = max_pool(%x) kernel=2x2 stride=1x1 dilation=1x1 pad=[0,0,0,0] ceil=0 -> "
                              "f32[1,2,2,2]\n%z = relu(%y) -> f32[1,2,2,2]\noutput %z\n");
    free(text);
    ir_graph_free(g);
}

/* ---- constants ------------------------------------------------------------------------------- */

static void constants_hold_what_is_written(void **state) {
    (void)state;
    ir_graph *g =
        parse("graph g\nconst %i i32[2,2] {1, -2, 2147483647, -2147483648}\nconst %u u8[2] {0, 255}\n"
              "const %t bool[2] {1, 0}\nconst %d f64[1] {0.1}\nconst %s f64[100] splat(0.1)\n"
              "const %r f32[5] random(7, 0.5)\nconst %e f32[0,3] {}\nconst %k f32[17] random(1)\n"
              "const %r64 f64[5] random(7, 0.5)\n");
    assert_int_equal(ir_const_int(ir_find_tensor(g, "i"), 3), INT32_MIN);
    assert_int_equal(ir_const_int(ir_find_tensor(g, "u"), 1), 255);
    assert_int_equal(ir_const_int(ir_find_tensor(g, "t"), 0), 1);
    assert_true(ir_const_float(ir_find_tensor(g, "d"), 0) == 0.1);
    assert_true(ir_const_float(ir_find_tensor(g, "s"), 99) == 0.1);
    uint64_t random = 7;
    for (int i = 0; i < 5; i++) {
        float want = test_random(&random) * 0.5f;
        assert_true(ir_const_float(ir_find_tensor(g, "r"), i) == (double)want);
        assert_true(ir_const_float(ir_find_tensor(g, "r64"), i) == (double)want);
    }
    char *text = ir_print_string(g);
    assert_non_null(strstr(text, "const %s f64[100] splat(0.1)\n"));
    assert_non_null(strstr(text, "const %e f32[0,3] {}\n"));
    assert_non_null(strstr(text, "const %k f32[17] blob(0x"));
    free(text);
    ir_graph_free(g);
}

static const float blob_data[32] = {1, 2, 3};

static const void *find_blob(void *ctx, const char *name, uint64_t hash, size_t bytes) {
    (void)ctx;
    return !strcmp(name, "w") && bytes == sizeof blob_data && hash ? blob_data : NULL;
}

static void blobs_are_found_by_hash(void **state) {
    (void)state;
    char *text = test_format("graph g\nconst %%w f32[32] blob(0x%016llx)\nconst %%v f32[32] blob(0x5)\n",
                             (unsigned long long)ir_hash(blob_data, sizeof blob_data));
    ir_diag d = {0};
    ir_graph *g = ir_parse(text, "t.ir", find_blob, NULL, &d);
    assert_non_null(g);
    assert_ptr_equal(ir_find_tensor(g, "w")->data, blob_data);
    assert_null(ir_find_tensor(g, "v")->data);
    assert_int_equal(ir_find_tensor(g, "v")->hash, 5);
    char *printed = ir_print_string(g);
    assert_non_null(strstr(printed, "const %v f32[32] blob(0x0000000000000005)\n"));
    free(printed);
    ir_graph_free(g);
    assert_null(ir_parse("graph g\nconst %w f32[32] blob(0x1)\n", "t.ir", find_blob, NULL, &d));
    assert_non_null(strstr(d.text, "another hash"));
    free(text);
}

static void hash_is_always_the_same(void **state) {
    (void)state;
    unsigned char bytes[64];
    for (int i = 0; i < 64; i++) bytes[i] = (unsigned char)(i * 37);
    static const struct {
        size_t n;
        uint64_t hash;
    } want[] = {{0, UINT64_C(0x929cbce8bd6d3b1c)},
                {1, UINT64_C(0x10bf8052bfbab4af)},
                {9, UINT64_C(0xca47d0a9b4a80590)},
                {32, UINT64_C(0xcfbcc88129de0c35)},
                {63, UINT64_C(0x4096f44e7e77b811)}}; /* weight files that exist must stay readable */
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        assert_true(ir_hash(bytes, want[i].n) == want[i].hash);
}

static void graph_hash_sees_structure_only(void **state) {
    (void)state;
    static const char *const same[] = {
        "graph g\ninput %x f32[4]\nconst %c f32[4] {1,2,3,4}\n%y = add(%x, %c)\noutput %y\n",
        "graph g\narena 640\ninput %x f32[4]\nconst %c f32[4] opaque\n%y = add(%x, %c) -> f32[4] "
        "arena+64\noutput %y\n",
    };
    static const char *const other[] = {
        "graph g\ninput %x f32[4]\nconst %c f32[1] {1}\n%y = add(%x, %c)\noutput %y\n",
        "graph g\ninput %x f32[4]\nconst %c f32[4] {1,2,3,4}\n%y = sub(%x, %c)\noutput %y\n",
        "graph g\ninput %x f32[4]\nconst %c f32[4] {1,2,3,4}\n%z = add(%x, %c)\noutput %z\n",
    };
    uint64_t hash[5];
    for (int i = 0; i < 5; i++) {
        ir_graph *g = parse(i < 2 ? same[i] : other[i - 2]);
        hash[i] = ir_hash_graph(g);
        ir_graph_free(g);
    }
    assert_true(hash[0] == hash[1]);
    for (int i = 2; i < 5; i++) assert_true(hash[0] != hash[i]);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static const struct {
    const char *text, *message;
} errors[] = {
    {"", "t.ir:1:1: expected 'graph NAME' first"},
    {"graph 3d\n", "t.ir:1:7: expected the graph's name"},
    {"graph g extra\n", "t.ir:1:9: expected the end of the line"},
    {"graph g\nnode\n", "t.ir:2:1: expected input, const"},
    {"graph g\ninput x f32[1]\n", "t.ir:2:7: expected a tensor"},
    {"graph g\ninput %3 f32[1]\n", "t.ir:2:8: expected a name"},
    {"graph g\ninput %x f16[1]\n", "t.ir:2:10: there is no dtype 'f16'"},
    {"graph g\ninput %x f32[1\n", "t.ir:2:15: expected ','"},
    {"graph g\ninput %x f32[-1]\n", "t.ir:2:10: a dimension is negative"},
    {"graph g\ninput %x f32[4611686018427387904,2]\n", "exceeds 2^62"},
    {"graph g\ninput %x f32[99999999999999999999]\n", "t.ir:2:14: the number does not fit 64 bits"},
    {"graph g\ninput %x f32[1,1,1,1,1,1,1,1,1]\n", "more than 8 axes"},
    {"graph g\ninput %x f32[1]\ninput %x f32[1]\n", "t.ir:3:7: there is a tensor %x already"},
    {"graph g\nconst %x f32[2] {1}\n", "t.ir:2:19: 1 elements, expected 2"},
    {"graph g\nconst %x f32[2] {1, 2, 3}\n", "t.ir:2:22: expected } behind 2 elements"},
    {"graph g\nconst %x u8[1] {256}\n", "256 does not fit the dtype"},
    {"graph g\nconst %x bool[1] {2}\n", "2 does not fit the dtype"},
    {"graph g\nconst %x i64[1] {0.5}\n", "t.ir:2:19: expected }"},
    {"graph g\nconst %x f32[1] {1e39}\n", "t.ir:2:18: the number is too large"},
    {"graph g\nconst %x f32[1] {0x10}\n", "t.ir:2:19: expected }"},
    {"graph g\nconst %x f32[1000000000] splat(0)\n", "at most 1073741824 in text"},
    {"graph g\nconst %x i64[1] random(1)\n", "random wants f32 or f64"},
    {"graph g\nconst %x f32[1] blob(12)\n", "t.ir:2:22: expected 0x"},
    {"graph g\nconst %x f32[1] blob(0x12345678901234567)\n", "1 to 16 hexadecimal digits"},
    {"graph g\nconst %x f32[1] nothing\n", "t.ir:2:17: expected {...}, splat"},
    {"graph g\n%y = frobnicate(%x)\n", "t.ir:2:6: there is no operator 'frobnicate'"},
    {"graph g\n%y = relu(%x)\n", "t.ir:2:11: there is no tensor %x above this line"},
    {"graph g\n%y = relu(%y)\n", "there is no tensor %y above"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x\n", "t.ir:3:13: expected ','"},
    {"graph g\ninput %x f32[1]\n%y = relu()\n", "t.ir:3:1: relu 'y': has 0 operands, wants 1 to 1"},
    {"graph g\ninput %x f32[1]\n%y = relu(_)\n", "t.ir:3:1: relu 'y': operand 0 is missing"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) alpha=1\n", "t.ir:3:1: relu 'y': has no attribute alpha"},
    {"graph g\ninput %x f32[1]\n%y = elu(%x)\n", "attribute alpha is missing"},
    {"graph g\ninput %x f32[1]\n%y = elu(%x) alpha=1 alpha=2\n",
     "t.ir:3:22: attribute alpha stands here twice"},
    {"graph g\ninput %x f32[1]\n%y = elu(%x) beta:1\n", "t.ir:3:18: expected '='"},
    {"graph g\ninput %x f32[1]\n%y = elu(%x) gamma=1\n", "t.ir:3:14: there is no attribute 'gamma'"},
    {"graph g\ninput %x f32[1]\n%y = elu(%x) alpha=red\n", "t.ir:3:20: expected a number"},
    {"graph g\ninput %x f32[1]\n%y = cast(%x) to=7\n", "t.ir:3:18: expected a word"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) -> f32[2]\n", "t.ir:3:18: the inferred type is f32[1]"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) -> f32[1] block8\n", "t.ir:3:25: expected block16"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) -> f32[1] arena-4\n", "t.ir:3:30: expected '+'"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) -> f32[1] in %z+0\n", "t.ir:3:28: there is no tensor %z"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) name=\"a\n", "the string does not end"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) name=\"\\x00\"\n", "expected \\\", \\\\ or \\x"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) blocking=1x2\n", "blocking wants 4 numbers"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) scratch=-64\n", "scratch memory has 0 to 2^62 bytes"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) scratch=4611686018427387905\n", "0 to 2^62 bytes"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) -> f32[1] scratch 4\n", "t.ir:3:33: expected '+'"},
    {"graph g\ninput %x f32[1]\n%y = relu(%x) -> f32[1] scratch+-4\n", "the offset is negative"},
    {"graph g\noutput %y\n", "t.ir:2:8: there is no tensor %y"},
    {"graph g\narena -1\n", "the arena's size is negative"},
    {"graph g\nlabel kidney\n", "t.ir:2:7: expected a string"},
    {"graph g\nlabel \"a\\x01\"\n", "one line of plain text"},
    {"graph g\nlabel \"a\xe2\x80\xae\"\n", "one line of plain text"},
    {"graph g\nlabel \"a\xff\"\n", "one line of plain text"},
    {"graph g\nvolume {\n  axes xyy\n}\n", "t.ir:3:8: the axes are x, y and z"},
    {"graph g\nvolume {\n  blur 2\n}\n", "t.ir:3:3: expected axes, mirror"},
    {"graph g\nvolume {\n  clip 0\n}\n", "t.ir:3:9: expected a number"},
    {"graph g\nvolume {\n  mirror\n", "the volume section does not end"},
    {"graph g\nvolume {\n}\n", "the volume section has no axes"},
};

static void errors_say_where_and_what(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        ir_diag d = {0};
        ir_graph *g = ir_parse(errors[i].text, "t.ir", NULL, NULL, &d);
        if (g) fail_msg("accepted: %s", errors[i].text);
        if (!strstr(d.text, errors[i].message))
            fail_msg("%s\ngives %s\nnot   %s", errors[i].text, d.text, errors[i].message);
        assert_int_equal(d.code, IR_EXIT_INPUT);
    }
}

static void errors_show_the_line_with_a_caret(void **state) {
    (void)state;
    ir_diag d = {0};
    assert_null(ir_parse("graph g\ninput %x f16[1]\n", "t.ir", NULL, NULL, &d));
    assert_string_equal(d.text, "t.ir:2:10: there is no dtype 'f16'\n  input %x f16[1]\n           ^");
}

/* Parses whatever it is given; what is accepted must print and verify or be refused, never crash. */
static void survive(const char *text) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(text, "t.ir", NULL, NULL, &d);
    if (g) {
        char *printed = ir_print_string(g);
        ir_graph *again = parse(printed);
        plan_verify(g, &d);
        free(printed);
        ir_graph_free(again);
        ir_graph_free(g);
    } else {
        assert_true(d.code != 0 && d.text[0]);
    }
}

static void truncated_texts_do_no_harm(void **state) {
    (void)state;
    const char *const texts[] = {every_op, planned};
    for (int t = 0; t < 2; t++) {
        char *cut = test_format("%s", texts[t]);
        for (size_t n = strlen(cut); n-- > 0;) {
            cut[n] = 0;
            survive(cut);
        }
        free(cut);
    }
}

static void mangled_texts_do_no_harm(void **state) {
    (void)state;
    uint64_t random = 1;
    const char *const texts[] = {every_op, planned};
    for (int round = 0; round < 4000; round++) {
        char *text = test_format("%s", texts[round % 2]);
        size_t n = strlen(text);
        for (int k = 0; k < 1 + round % 3; k++) {
            uint64_t r = test_random_bits(&random);
            text[r % n] = r >> 63 ? text[(r >> 20) % n] : (char)(1 + (r >> 40) % 255);
        }
        survive(text);
        free(text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_prints_as_it_was_read), cmocka_unit_test(plan_volume_and_labels_round_trip),
        cmocka_unit_test(gpu_plan_round_trips),           cmocka_unit_test(lines_may_be_loose),
        cmocka_unit_test(constants_hold_what_is_written), cmocka_unit_test(blobs_are_found_by_hash),
        cmocka_unit_test(hash_is_always_the_same),        cmocka_unit_test(graph_hash_sees_structure_only),
        cmocka_unit_test(errors_say_where_and_what),      cmocka_unit_test(errors_show_the_line_with_a_caret),
        cmocka_unit_test(truncated_texts_do_no_harm),     cmocka_unit_test(mangled_texts_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
