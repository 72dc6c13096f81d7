/* What a bundle is made of, compiled alone: each header of the runtime, and the layers of a network for each
 * operator: nothing may rely on what stands beside it in larger networks. */
#include "bundle_lib.h"

#include "embed.h"
#include "pipeline.h"
#include "slots.h"

#define STRICT "-std=c11 -Wall -Wextra -Werror"

static bool has_suffix(const char *text, const char *suffix) {
    size_t n = strlen(text), m = strlen(suffix);
    return n >= m && strcmp(text + n - m, suffix) == 0;
}

static char *runtime_folder(void) {
    char *dir = test_tmpdir();
    for (const embedded_file *f = embedded_files; f->path; f++)
        if (strncmp(f->path, "runtime/", 8) == 0) emit_to_folder(dir, f->path, f->text, f->size, NULL);
    return dir;
}

/* Those of programs and of CUDA's host code include what is not part of C, and are left to their builds. */
static void every_header_compiles_alone(void **state) {
    (void)state;
    char *dir = runtime_folder();
    int count = 0;
    for (const embedded_file *f = embedded_files; f->path; f++) {
        if (strncmp(f->path, "runtime/vox", 11) != 0 || !has_suffix(f->path, ".h")) continue;
        char *text = test_format("#include \"%s\"\n", f->path),
             *path = test_format("%s/alone%d.c", dir, count++);
        test_write(path, text, strlen(text));
        free(text);
        free(path);
    }
    assert_true(count > 20);
    char *cmd = test_format("cd '%s' && gcc " STRICT " -fsyntax-only alone*.c", dir);
    shell_ok(cmd);
    free(cmd);
    test_rmdir(dir);
}

/* ---- operators ------------------------------------------------------------------------------- */

#define WINDOW " kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1]"
#define X      "input %x f32[1,4,6,6,6]\n"

/* Networks of one operator: those without a row are maps or of two operands, and have no attributes. */
static const char *const networks[IR_OP_COUNT] = {
    [IR_OP_CONV] = X "const %w f32[4,4,3,3,3] random(1)\n%y = conv(%x, %w)" WINDOW " group=1",
    [IR_OP_CONV_TRANSPOSE] = X "const %w f32[4,4,3,3,3] random(1)\n%y = conv_transpose(%x, %w)" WINDOW
                               " output_pad=[0,0,0] group=1",
    [IR_OP_BATCH_NORM] = X "const %s f32[4] splat(1)\n%y = batch_norm(%x, %s, %s, %s, %s) eps=0.1",
    [IR_OP_INSTANCE_NORM] = X "const %s f32[4] splat(1)\n%y = instance_norm(%x, %s, %s) eps=0.1",
    [IR_OP_MAX_POOL] = X "%y = max_pool(%x)" WINDOW " ceil=0",
    [IR_OP_AVERAGE_POOL] = X "%y = average_pool(%x)" WINDOW " ceil=0 include_pad=0",
    [IR_OP_RESIZE] =
        X "%y = resize(%x) size=[1,4,9,6,6] scale=[1,1,1.5,1,1] mode=linear coordinates=half_pixel "
          "nearest=floor",
    [IR_OP_CONCAT] = X "%y = concat(%x, %x) axis=1",
    [IR_OP_SLICE] = X "%y = slice(%x) begin=[0,1,0,0,0] size=[1,2,6,6,6] step=[1,1,1,1,1]",
    [IR_OP_PAD] = X "%y = pad(%x) pad=[0,0,1,1,1,0,0,1,1,1] mode=constant value=1",
    [IR_OP_RESHAPE] = X "%y = reshape(%x) shape=[4,216]",
    [IR_OP_TRANSPOSE] = X "%y = transpose(%x) perm=[0,2,3,4,1]",
    [IR_OP_EXPAND] = X "%y = expand(%x) shape=[2,4,6,6,6]",
    [IR_OP_GATHER] = X "const %i i64[2] {3,0}\n%y = gather(%x, %i) axis=1",
    [IR_OP_SOFTMAX] = X "%y = softmax(%x) axis=1",
    [IR_OP_LOG_SOFTMAX] = X "%y = log_softmax(%x) axis=1",
    [IR_OP_ARG_MAX] = X "%y = arg_max(%x) axis=1 keepdims=1 select_last=0",
    [IR_OP_REDUCE_SUM] = X "%y = reduce_sum(%x) axes=[2,3] keepdims=1",
    [IR_OP_REDUCE_MEAN] = X "%y = reduce_mean(%x) axes=[1,3] keepdims=1",
    [IR_OP_REDUCE_MAX] = X "%y = reduce_max(%x) axes=[2,3] keepdims=1",
    [IR_OP_REDUCE_MIN] = X "%y = reduce_min(%x) axes=[2,3] keepdims=1",
    [IR_OP_REDUCE_PROD] = X "%y = reduce_prod(%x) axes=[2,3] keepdims=1",
    [IR_OP_LEAKY_RELU] = X "%y = leaky_relu(%x) alpha=0.1",
    [IR_OP_ELU] = X "%y = elu(%x) alpha=1",
    [IR_OP_CLIP] = X "%y = clip(%x) alpha=0 beta=1",
    [IR_OP_CAST] = X "%y = cast(%x) to=i64",
    [IR_OP_PRELU] = X "const %s f32[4,1,1,1] splat(0.1)\n%y = prelu(%x, %s)",
};

/* Made by passes, or computing shapes, or for a GPU. */
static bool stands_in_no_model(ir_op op) {
    static const ir_op ops[] = {IR_OP_NORM_TERMS, IR_OP_NORMALISE,        IR_OP_TO_BLOCK,
                                IR_OP_FROM_BLOCK, IR_OP_TO_CHANNELS_LAST, IR_OP_FROM_CHANNELS_LAST};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i] == op) return true;
    return ir_op_get(op)->flags & IR_FLAG_SHAPE;
}

static char *network(ir_op op) {
    const ir_op_info *info = ir_op_get(op);
    bool binary = info->flags & IR_FLAG_BINARY;
    char *with = test_format("%s%%y = %s(%%x%s)", X, info->name, binary ? ", %z" : "");
    char *text = test_format("graph op_%s\n%s%s\noutput %%y\n", info->name,
                             binary ? "input %z f32[1,4,6,6,6]\n" : "", networks[op] ? networks[op] : with);
    free(with);
    return text;
}

/* Keeps the layers alone. */
static bool emit_layers(void *ctx, const char *path, const void *data, size_t size, ir_diag *d) {
    return !has_suffix(path, "_kernels.c") || emit_to_folder(ctx, path, data, size, d);
}

static cg_kernel write_layers(ir_op op, char *dir) {
    char *text = network(op);
    ir_graph *g = parse_or_fail(text);
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int count;
    cg_options o = test_options();
    g->goals.lanes = 1;
    must(pipeline_run(g, &(pipeline_options){0}, reports, &count, &d), &d);
    must(cg_write_bundle(g, &o, emit_layers, dir, &d), &d);
    const cg_kernel k = cg_kernel_for(g->nodes[g->n_nodes - 1]);
    ir_graph_free(g);
    free(text);
    return k;
}

/* All are written; of those that become the same function but for their numbers, the first is compiled. */
static void every_operator_is_a_network(void **state) {
    (void)state;
    cg_kernel seen[IR_OP_COUNT] = {0};
    char *dir = runtime_folder(), *files = test_format("%s", "");
    int kinds = 0;
    for (int op = 0; op < IR_OP_COUNT; op++) {
        if (stands_in_no_model((ir_op)op)) continue;
        const cg_kernel k = write_layers((ir_op)op, dir);
        bool new = true;
        for (int i = 0; i < kinds; i++)
            if (strcmp(seen[i].template_file, k.template_file) == 0 && strcmp(seen[i].header, k.header) == 0)
                new = false;
        if (!new) continue;
        seen[kinds++] = k;
        char *more = test_format("%s op_%s_kernels.c", files, ir_op_get((ir_op)op)->name);
        free(files);
        files = more;
    }
    assert_true(kinds >= 12);
    char *cmd = test_format("cd '%s' && gcc " STRICT " -O0 -c%s", dir, files);
    shell_ok(cmd);
    free(cmd);
    free(files);
    test_rmdir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_header_compiles_alone),
                                       cmocka_unit_test(every_operator_is_a_network)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
