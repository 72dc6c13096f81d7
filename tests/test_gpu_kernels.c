/* Networks that must compile for a GPU: planned, judged by the plan's interpreter, and written; what their
 * kernels are told. */
#include "gpu_lib.h"

#include "codegen.h"
#include "gpu_model.h"
#include "pipeline.h"
#include "plan_interp.h"

static bool keep_kernels(void *ctx, const char *path, const void *data, size_t size, ir_diag *d) {
    char **kernels = ctx;
    (void)d;
    if (strstr(path, "_kernels.cu")) *kernels = strndup(data, size);
    return true;
}

/* Plans the network, has the plan's interpreter judge it, and writes its bundle. Returns its kernels, on the
 * heap; *planned, unless NULL, is the caller's. */
static char *kernels_of(const char *text, ir_precision precision, ir_graph **planned) {
    ir_graph *source = parse(text), *g = parse_for(text, precision);
    const cg_options options = {.version = "0", .options = "", .input = "test.ir"};
    pass_report reports[MAX_PASSES];
    char *kernels = NULL;
    int passes;
    ir_diag d = {0};
    if (!pipeline_run(g, &(pipeline_options){0}, reports, &passes, &d) || !plan_check(source, g, 1, &d) ||
        !cg_write_bundle(g, &options, keep_kernels, &kernels, &d))
        fail_msg("%s\n%s", d.text, text);
    assert_non_null(kernels);
    ir_graph_free(source);
    if (planned)
        *planned = g;
    else
        ir_graph_free(g);
    return kernels;
}

/* How often `words` stand in the text. */
static int occurrences(const char *text, const char *words) {
    int count = 0;
    for (const char *at = text; (at = strstr(at, words)); at++) count++;
    return count;
}

/* Planes of 21 x 17 voxels of 15, 13 and 7 floats: few numbers of them begin at multiples of 16 bytes. */
static void slabs_begin_where_cudnn_can_address_them(void **state) {
    (void)state;
    ir_graph *g;
    free(kernels_of("graph g\ninput %x f32[1,6,22,21,17]\nconst %w1 f32[15,6,3,3,3] random(1,0.1)\n"
                    "const %w2 f32[13,15,3,3,3] random(2,0.1)\nconst %w3 f32[7,13,3,3,3] random(3,0.1)\n"
                    "const %u f32[7,5,2,2,2] random(4,0.1)\n%a = conv(%x, %w1)" SAME3 "\n"
                    "%b = conv(%a, %w2)" SAME3 " act=relu\n%p = max_pool(%b)" POOL
                    "\n%c = conv(%p, %w3)" SAME3 "\n%t = conv_transpose(%c, %u)" UP
                    "\n%y = max_pool(%t) kernel=2x2x2 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0\n"
                    "output %y\n",
                    IR_FP32, &g));
    assert_true(g->recompute); /* there are slabs */
    ir_graph_free(g);
}

/* A slab of nothing but padding is no convolution for cuDNN. */
static void every_slab_reads_planes_of_its_operand(void **state) {
    (void)state;
    ir_graph *g =
        parse("graph g\ninput %x f32[1,8,4,4,4]\nconst %w f32[8,8,1,1,1] random(1)\n"
              "%l = to_channels_last(%x) -> f32[1,8,4,4,4] pitch8\n"
              "%a = conv(%l, %w) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[3,0,0,2,0,0] group=1 "
              "gpu=cudnn -> f32[1,8,9,4,4] pitch8\n%y = from_channels_last(%a)\noutput %y\n");
    const ir_node *n = ir_find_tensor(g, "a")->producer;
    assert_false(cg_gpu_takes_slab(n, (ir_planes){0, 3}, 0, 0));
    assert_false(cg_gpu_takes_slab(n, (ir_planes){7, 9}, 0, 0));
    assert_true(cg_gpu_takes_slab(n, (ir_planes){2, 4}, 0, 0));
    assert_true(cg_gpu_takes_slab(n, (ir_planes){6, 9}, 0, 0));
    ir_graph_free(g);
}

/* Along C alone, W alone, N, in three ranks, from constants and values, channels last and plain, on either
 * side: by the strides that the kernels get, in the order N D H W C. */
static void operands_broadcast_along_any_axis(void **state) {
    (void)state;
    char *text = kernels_of(
        "graph g\ninput %x f32[2,5,3,4,6]\ninput %p f32[3,5,4,6]\ninput %l f32[3,5,7]\ninput %v f32[5,1,1]\n"
        "const %c3 f32[5,1,1,1] random(1)\nconst %c2 f32[5,1,1] random(2)\nconst %c1 f32[1,5,1] random(3)\n"
        "const %row f32[1,1,1,6] random(4)\nconst %image f32[1,5,4,6] random(5)\n"
        "const %n f32[2,1,1,1,1] random(6)\nconst %column f32[4,1] random(7)\n"
        "%a = max_pool(%x) kernel=2x2x2 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,1,1,1] ceil=0\n"
        "%b = max_pool(%p) kernel=2x2 stride=1x1 dilation=1x1 pad=[0,0,1,1] ceil=0\n"
        "%d = max_pool(%l) kernel=2 stride=1 dilation=1 pad=[0,1] ceil=0\n"
        "%y1 = mul(%a, %c3)\n%y2 = prelu(%b, %c2)\n%y3 = add(%c1, %d)\n%y4 = sub(%b, %row)\n"
        "%y5 = max(%image, %b)\n%y6 = div(%a, %n)\n%y7 = min(%column, %b)\n%y8 = pow(%b, %v)\n"
        "%y9 = add(%b, %p)\noutput %y1\noutput %y2\noutput %y3\noutput %y4\noutput %y5\noutput %y6\n"
        "output %y7\noutput %y8\noutput %y9\n",
        IR_FP32, NULL);
    static const struct {
        const char *strides;
        int count;
    } want[] = {{"{0, 0, 0, 0, 1}, 0}", 3},
                {"{0, 0, 0, 0, 1}, 0, 5}", 1 /* of %v: nothing behind it may be read */},
                {"{0, 0, 0, 1, 0}, 0}", 1},
                {"{0, 0, 6, 1, 24}, 0}", 1},
                {"{1, 0, 0, 0, 0}, 0}", 1},
                {"{0, 0, 1, 0, 0}, 0}", 1},
                {"{120, 0, 30, 5, 1}, 0}", 7 /* of %b, and of %p once it is channels last */}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        if (occurrences(text, want[i].strides) != want[i].count)
            fail_msg("%s not %d times in\n%s", want[i].strides, want[i].count, text);
    free(text);
}

/* Channels-last pads keep their kernel; N, plain tensors and integers have another. */
static void pads_of_any_axis_rank_and_type(void **state) {
    (void)state;
    char *text = kernels_of(
        "graph g\ninput %x f32[1,4,6,6,6]\ninput %l f32[2,3,5]\ninput %s f32[7]\ninput %k i32[3,4]\n"
        "input %e f32[1,2,1,2,1,2,2,3]\n%a = max_pool(%x)" POOL "\n"
        "%y1 = pad(%a) pad=[0,1,1,0,0,0,0,1,1,2] mode=reflect\n"
        "%y2 = pad(%a) pad=[1,0,0,0,2,2,0,0,0,0] mode=constant value=0.5\n"
        "%y3 = pad(%l) pad=[0,0,2,1,0,0] mode=reflect\n%y4 = pad(%s) pad=[20,13] mode=wrap\n"
        "%y5 = pad(%k) pad=[1,-1,0,2] mode=constant value=-3.7\n"
        "%y6 = pad(%e) pad=[1,1,0,0,1,0,0,-1,0,1,1,0,0,1,0,0] mode=edge\n"
        "%m = arg_max(%a) axis=1 keepdims=1 select_last=0\n"
        "%y7 = pad(%m) pad=[0,0,1,0,0,0,0,0,1,1] mode=constant value=-1\n"
        "output %y1\noutput %y2\noutput %y3\noutput %y4\noutput %y5\noutput %y6\noutput %y7\n",
        IR_FP16, NULL);
    assert_int_equal(occurrences(text, "return vox_gpu_pad("), 1);
    assert_int_equal(occurrences(text, "return vox_gpu_pad_plain<float>("), 4);
    assert_int_equal(occurrences(text, "return vox_gpu_pad_plain<int32_t>(padding, -3, x, y, stream)"), 1);
    assert_int_equal(occurrences(text, "return vox_gpu_pad_plain<int64_t>(padding, -1, x, y, stream)"), 1);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slabs_begin_where_cudnn_can_address_them),
        cmocka_unit_test(every_slab_reads_planes_of_its_operand),
        cmocka_unit_test(operands_broadcast_along_any_axis),
        cmocka_unit_test(pads_of_any_axis_rank_and_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
