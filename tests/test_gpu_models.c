/* Every model of models/ lowers for a GPU in every precision, and the paper's tile keeps its bars. */
#include "test.h"

#include "fit.h"
#include "gpu_model.h"
#include "load.h"
#include "pipeline.h"
#include "verbs.h"

#include <glob.h>

static const char *const precisions[] = {"fp32", "tf32", "fp16", "bf16"};

/* The planned graph of `voxc inspect MODEL --target cuda ...`. */
static ir_graph *lower(const char *model, const char *precision, const char *max_memory, ir_diag *d) {
    options o = {.verb = VERB_INSPECT,
                 .model = model,
                 .target = "cuda",
                 .precision = precision,
                 .max_memory = max_memory};
    pass_report reports[MAX_PASSES];
    int passes;
    ir_graph *g = load_model(&o, LOAD_SHAPES, d);
    if (!g) fail_msg("%s: %s", model, d->text);
    if (set_goals(&o, IR_TARGET_CUDA, g, d) && fit(g, d) &&
        pipeline_run(g, &(pipeline_options){0}, reports, &passes, d))
        return g;
    ir_graph_free(g);
    return NULL;
}

static ir_graph *must_lower(const char *model, const char *precision, const char *max_memory) {
    ir_diag d = {0};
    ir_graph *g = lower(model, precision, max_memory, &d);
    if (!g) fail_msg("%s, %s: %s", model, precision, d.text);
    return g;
}

static void check_model(const char *model) {
    for (int p = 0; p < IR_PRECISION_COUNT; p++) {
        ir_graph *g = must_lower(model, precisions[p], NULL);
        int cudnn = 0;
        for (int i = 0; i < g->n_nodes; i++) {
            const ir_node *n = g->nodes[i];
            cudnn += n->gpu.runner != IR_GPU_NONE && n->gpu.runner != IR_GPU_KERNEL;
            if (n->out[0]->gpu.pitch && n->out[0]->gpu.storage != cg_gpu_storage((ir_precision)p))
                fail_msg("%s, %s: %s is kept otherwise", model, precisions[p], n->out[0]->name);
        }
        assert_true(cudnn > 0);
        assert_true(cg_gpu_launches(g) >= cudnn);
        ir_graph_free(g);
    }
}

static void every_model_lowers_in_every_precision(void **state) {
    (void)state;
    glob_t models;
    if (glob("models/*.yaml", 0, NULL, &models)) fail_msg("no models");
    for (size_t i = 0; i < models.gl_pathc; i++) check_model(models.gl_pathv[i]);
    globfree(&models);
}

static const char paper[] = "models/unet3d.yaml";

static void the_papers_tile_keeps_its_bars(void **state) {
    (void)state;
    ir_graph *g = must_lower(paper, "fp16", NULL);
    assert_true(g->arena_bytes <= (int64_t)150 << 20);
    assert_true(cg_gpu_launches(g) <= 40);
    assert_int_equal(g->goals.workspace_cap, 256 << 20);
    ir_graph_free(g);
}

/* In slabs here: what lies in a slab of both is done together. */
static void a_pool_takes_the_crop_beside_it_along(void **state) {
    (void)state;
    const char *const models[] = {paper, "models/unet3d_small.yaml"};
    for (int i = 0; i < 2; i++) {
        ir_graph *g = must_lower(models[i], "fp16", NULL);
        const ir_node *crop = ir_find_tensor(g, "e0b.crop")->producer;
        const ir_node *pool = ir_find_tensor(g, "p0")->producer;
        assert_ptr_equal(cg_gpu_crop_of(g, pool), crop);
        assert_true(cg_gpu_is_taken_along(g, crop));
        assert_int_equal(cg_gpu_launches_of(g, crop), 0);
        assert_int_equal(cg_gpu_launches_of(g, pool), 1);
        /* That of another level is far from its pool. */
        assert_false(cg_gpu_is_taken_along(g, ir_find_tensor(g, "e1b.crop")->producer));
        assert_null(cg_gpu_crop_of(g, ir_find_tensor(g, "p1")->producer));
        ir_graph_free(g);
    }
}

static void a_memory_limit_holds_or_is_refused(void **state) {
    (void)state;
    ir_graph *g = must_lower(paper, "fp16", "150M");
    int64_t limit = (int64_t)150 << 20, needed = g->arena_bytes + cg_gpu_weight_bytes(g);
    assert_true(g->goals.thrift > IR_FASTEST);
    assert_true(needed <= limit);
    assert_true(g->goals.workspace_cap == limit - needed); /* cuDNN gets what is left */
    ir_graph_free(g);
    ir_diag d = {0};
    assert_null(lower(paper, "fp16", "64M", &d));
    assert_int_equal(d.code, IR_EXIT_INPUT);
    assert_non_null(strstr(d.text, "bytes of arena and prepared weights at least, the limit is 67108864"));
}

static void a_plan_is_no_model(void **state) {
    (void)state;
    ir_graph *g = must_lower("models/unet3d_small.yaml", "bf16", NULL);
    pass_report reports[MAX_PASSES];
    for (int target = IR_TARGET_C; target <= IR_TARGET_CUDA; target++) {
        ir_diag d = {0};
        int passes;
        g->goals.target = (ir_target)target;
        assert_false(pipeline_run(g, &(pipeline_options){0}, reports, &passes, &d));
        assert_int_equal(d.code, IR_EXIT_INPUT);
        assert_non_null(strstr(d.text, "has been planned already"));
    }
    ir_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_lowers_in_every_precision),
        cmocka_unit_test(the_papers_tile_keeps_its_bars),
        cmocka_unit_test(a_pool_takes_the_crop_beside_it_along),
        cmocka_unit_test(a_plan_is_no_model),
        cmocka_unit_test(a_memory_limit_holds_or_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
