/* Every executable operator in both layouts, as generated C against the interpreter. One graph, one
 * compilation. */
#include "bundle_lib.h"
#include "vox_isas.h"

#define ISA(name, ...) #name,

/* $ is the operand, @ the prefix of new names. The operand has 20 channels, 6 x 7 x 8 voxels, all values in
 * [0, 2]. */
static const char *const five_axes =
    "%@same = conv(%$, %w20, %b20) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1 "
    "act=relu\n"
    "%@valid = conv(%$, %w20) kernel=3x3x3 stride=2x1x2 dilation=1x2x1 pad=[0,1,0,1,0,1] group=1 "
    "act=leaky_relu "
    "alpha=0.1\n"
    "%@point = conv(%$, %w3, %b3) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1 act=elu "
    "alpha=0.5\n"
    "%@slope = conv(%$, %w20, %b20, %s20) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1 "
    "act=prelu\n"
    "%@one_slope = conv(%$, %w20, %b20, %s1) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] "
    "group=1 "
    "act=prelu\n"
    "%@up = conv_transpose(%$, %wt, %b18) kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] "
    "output_pad=[0,0,0] group=1 act=sigmoid\n"
    "%@up3 = conv_transpose(%$, %wt3) kernel=3x3x3 stride=2x1x2 dilation=1x2x1 pad=[1,0,1,1,1,0] "
    "output_pad=[1,0,0] "
    "group=1\n"
    "%@norm = batch_norm(%$, %s20, %b20, %m20, %v20) eps=0.001\n"
    "%@instance = instance_norm(%$, %s20, %b20) eps=0.00001 act=leaky_relu alpha=0.01\n"
    "%@max = max_pool(%$) kernel=2x3x2 stride=2x2x1 dilation=1x1x2 pad=[0,1,1,1,1,0] ceil=0\n"
    "%@avg = average_pool(%$) kernel=2x3x2 stride=2x2x2 dilation=1x1x1 pad=[0,1,1,0,1,1] ceil=1 "
    "include_pad=0\n"
    "%@avg_pad = average_pool(%$) kernel=2x3x2 stride=2x2x2 dilation=1x1x1 pad=[0,1,1,0,1,1] ceil=0 "
    "include_pad=1\n"
    "%@linear = resize(%$) size=[1,20,9,14,5] scale=[1,1,1.5,2,0.625] mode=linear coordinates=half_pixel "
    "nearest=floor\n"
    "%@corners = resize(%$) size=[1,20,9,10,5] scale=[1,1,1.6,1.5,0.7] mode=linear "
    "coordinates=align_corners nearest=floor\n"
    "%@exact = resize(%$) size=[1,20,12,7,15] scale=[1,1,2,1,1.875] mode=linear coordinates=asymmetric "
    "nearest=floor\n"
    "%@nearest = resize(%$) size=[1,20,12,14,16] scale=[1,1,2,2,2] mode=nearest coordinates=asymmetric "
    "nearest=floor\n"
    "%@crop = slice(%$) begin=[0,0,1,6,2] size=[1,20,3,3,4] step=[1,1,2,-2,1]\n"
    "%@edge = pad(%$) pad=[0,0,1,2,0,0,0,1,-1,3] mode=edge\n"
    "%@reflect = pad(%$) pad=[0,0,1,2,0,0,0,1,0,3] mode=reflect\n"
    "%@zero = pad(%$) pad=[0,0,1,2,0,0,0,1,0,3] mode=constant value=0.5\n"
    "%@best0 = arg_max(%$) axis=1 keepdims=1 select_last=0\n"
    "%@labels = pad(%@best0) pad=[0,0,1,2,0,0,0,1,-1,3] mode=constant value=-1\n"
    "%@soft = softmax(%$) axis=1\n"
    "%@logsoft = log_softmax(%$) axis=1\n"
    "%@best = arg_max(%$) axis=1 keepdims=1 select_last=0\n"
    "%@double = add(%$, %$)\n"
    "%@twice = mul(%$, %two)\n"
    "%@tanh = tanh(%$)\n"
    "%@cat0 = concat(%@same, %@slope) axis=1\n"
    "%@cat = relu(%@cat0)\n";
/* Plain memory in any case. */
static const char *const any_axes =
    "%@t = transpose(%$) perm=[0,2,3,4,1]\n"
    "%@r = reshape(%@t) shape=[6,7,160]\n"
    "%@r2 = relu(%@r)\n"
    "%@e = expand(%b20) shape=[3,20]\n"
    "%@gather = gather(%$, %index) axis=3\n"
    "%@last = softmax(%@r) axis=2\n"
    "%@logmid = log_softmax(%@r) axis=1\n"
    "%@best2 = arg_max(%@r) axis=1 keepdims=0 select_last=1\n"
    "%@sum = reduce_sum(%$) axes=[2,3,4] keepdims=1\n"
    "%@mean = reduce_mean(%$) axes=[1] keepdims=0\n"
    "%@most = reduce_max(%$) axes=[3,4] keepdims=0\n"
    "%@least = reduce_min(%$) axes=[0,1] keepdims=0\n"
    "%@crop2 = slice(%$) begin=[0,19,0,0,0] size=[1,10,6,7,4] step=[1,-2,1,1,2]\n"
    "%@prod = reduce_prod(%@crop2) axes=[4] keepdims=0\n";

static const char *const constants =
    "const %w20 f32[20,20,3,3,3] random(1, 0.1)\nconst %w3 f32[3,20,1,1,1] random(2, 0.5)\n"
    "const %wt f32[20,18,2,2,2] random(3, 0.2)\nconst %wt3 f32[20,18,3,3,3] random(4, 0.2)\n"
    "const %b20 f32[20] random(5)\nconst %s20 f32[20] random(6)\nconst %m20 f32[20] random(7)\n"
    "const %v20 f32[20] splat(0.7)\nconst %b3 f32[3] random(8)\nconst %b18 f32[18] random(9)\n"
    "const %s1 f32[1] {0.3}\nconst %two f32[] {2}\nconst %ten f32[] {10}\nconst %index i64[3] {5, -1, 0}\n"
    "const %per_channel f32[20,1,1,1] random(10)\nconst %wg f32[20,5,3,3,3] random(11, 0.2)\n"
    "const %w4d f32[6,20,3,3] random(12, 0.2)\n";

/* With the prefix and operand filled in; malloc'd. */
static char *fill(const char *lines, const char *operand, const char *prefix) {
    size_t n = strlen(lines), size = 0;
    char *out = malloc(n * 8 + 1);
    for (size_t i = 0; i < n; i++) {
        const char *with = lines[i] == '$' ? operand : lines[i] == '@' ? prefix : NULL;
        if (with)
            size += (size_t)sprintf(out + size, "%s", with);
        else
            out[size++] = lines[i];
    }
    out[size] = 0;
    return out;
}

/* Adds "output %name" for every node of `lines` but the concats. */
static void add_outputs(char **text, const char *lines) {
    char *copy = strdup(lines), *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *end = strstr(line, " = ");
        if (!end || strstr(line, "concat")) continue;
        char *more = test_format("%soutput %.*s\n", *text, (int)(end - line), line);
        free(*text);
        *text = more;
    }
    free(copy);
}

/* Puts numbers that are not ordinary into the first input, far apart. */
static void spoil(const vox_model_info *info, buffers *b) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, -0.0f, 1e-41f, -1e-41f};
    enum { N = sizeof odd / sizeof *odd };
    float *x = b->in[0];
    size_t n = port_count(&info->inputs[0]);
    for (size_t i = 0; i < N; i++) x[n * i / N + 3 * i] = odd[i];
}

static void check_text(const char *name, char *text, const char *cc) {
    ir_graph *reference = parse_or_fail(text), *g = parse_or_fail(text);
    char *dir = test_tmpdir();
    plan(g);
    write_bundle(g, dir);
    loaded l = load_bundle(dir, name, cc, "-Og");
    buffers b = make_buffers(l.info);
    static const char *const isas[] = {VOX_ISAS_ANY(ISA) VOX_ISAS_X86_64(ISA) VOX_ISAS_AARCH64(ISA)};
    int tried = 0;
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        setenv("VOX_ISA", isas[i], 1);
        if (strcmp(l.info->isa(), isas[i]) != 0) continue;
        tried++;
        memset(l.arena, 0xFF, l.arena_bytes);
        assert_int_equal(run_with(&l, &b, NULL), VOX_OK);
        compare_with_interpreter(reference, l.info, &b, 2e-6);
        const char *bad = NULL;
        double worst = -1;
        int status = (int)l.info->selftest(l.prepared, l.arena, l.arena_bytes, NULL, &bad, &worst);
        if (status != VOX_OK) fail_msg("selftest %s: layer %s is off by %g", isas[i], bad, worst);
        buffers odd = make_buffers(l.info);
        spoil(l.info, &odd);
        assert_int_equal(run_with(&l, &odd, NULL), VOX_OK);
        compare_with_interpreter(reference, l.info, &odd, 2e-6);
        free_buffers(&odd);
    }
    unsetenv("VOX_ISA");
    assert_true(tried > 0);
    free_buffers(&b);
    unload(&l);
    test_rmdir(dir);
    ir_graph_free(g);
    ir_graph_free(reference);
    free(text);
}

static void plain_operators(void **state) {
    (void)state;
    char *five = fill(five_axes, "x", "a_"), *any = fill(any_axes, "x", "b_");
    char *text = test_format("graph plain\ninput %%x f32[1,20,6,7,8]\n%s%s%s", constants, five, any);
    add_outputs(&text, five);
    add_outputs(&text, any);
    free(five);
    free(any);
    check_text("plain", text, "gcc");
}

static void blocked_operators(void **state) {
    (void)state;
    char *five = fill(five_axes, "stem", "a_");
    char *text = test_format("graph blocked\ninput %%x f32[1,20,6,7,8]\n%s"
                             "%%stem = conv(%%x, %%w20, %%b20) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 "
                             "pad=[1,1,1,1,1,1] group=1 act=clip alpha=0 beta=2\n%s",
                             constants, five);
    add_outputs(&text, five);
    free(five);
    check_text("blocked", text, "clang");
}

static const char *const forms =
    "%grouped = conv(%x, %wg, %b20) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=4\n"
    "%flat = conv(%image, %w4d) kernel=3x3 stride=2x2 dilation=1x1 pad=[1,1,1,1] group=1 act=tanh\n"
    "%line = max_pool(%q) kernel=[2] stride=[2] dilation=[1] pad=[0,0] ceil=0\n"
    "%channel = mul(%x, %per_channel)\n%above = abs(%x)\n%power = pow(%above, %two)\n"
    "%more = add(%above, %two)\n%sub = sub(%x, %channel)\n%div = div(%x, %more)\n"
    "%min = min(%x, %two)\n%max = max(%x, %channel)\n%pr = prelu(%x, %per_channel)\n"
    "%gt = greater(%x, %channel)\n%ge = greater_equal(%x, %channel)\n%lt = less(%x, %channel)\n"
    "%le = less_equal(%x, %channel)\n%eq = equal(%x, %x)\n%mask = cast(%gt) to=f32\n"
    "%twenty = mul(%x, %ten)\n%whole = cast(%twenty) to=i64\n%bytes = cast(%gt) to=u8\n"
    "%back = cast(%whole) to=f32\n%int = cast(%twenty) to=i32\n"
    "%relu = relu(%x)\n%leaky = leaky_relu(%x) alpha=0.2\n%elu = elu(%x) alpha=1.5\n"
    "%sig = sigmoid(%x)\n%clip = clip(%x) alpha=-0.5 beta=inf\n%exp = exp(%x)\n%log = log(%more)\n"
    "%sqrt = sqrt(%above)\n%neg = neg(%x)\n%floor = floor(%twenty)\n%ceil = ceil(%twenty)\n"
    "%round = round(%twenty)\n%next = tanh(%relu)\n"
    "%q2 = slice(%x) begin=[0,0,2,0,0] size=[1,20,1,7,8] step=[1,1,1,1,1]\n"
    "%lot = reshape(%x) shape=[20,336]\n";

/* Groups, fewer axes, broadcasting, comparisons, casts, every map; outputs that are inputs, constants, read
 * on, concats of outputs, inputs and constants. */
static void other_forms(void **state) {
    (void)state;
    char *text = test_format("graph forms\ninput %%x f32[1,20,6,7,8]\ninput %%q f32[2,20,9]\n"
                             "input %%image f32[1,20,9,9]\nconst %%plate f32[1,3,9,9] random(77)\n"
                             "%s%s%%cat = concat(%%x, %%q2, %%x) axis=2\n"
                             "%%held = concat(%%image, %%plate) axis=1\noutput %%held\n"
                             "%%pair = concat(%%whole, %%whole) axis=1\noutput %%x\n"
                             "output %%cat\noutput %%pair\noutput %%b20\n",
                             constants, forms);
    add_outputs(&text, forms);
    check_text("forms", text, "gcc");
}

int main(void) {
#ifndef __SANITIZE_ADDRESS__ /* which watches the compiler, not the bundle */
    unsetenv("ISAS");        /* all instruction sets are built */
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_operators),
        cmocka_unit_test(blocked_operators),
        cmocka_unit_test(other_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
