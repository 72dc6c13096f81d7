/* plan_api.c: the functions of vox_cudnn.h against the real cuDNN, without a GPU (plan_fakes.h). */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "plan_fakes.h"

/* ---- the stage -------------------------------------------------------------------------------- */

static const char devices[] = "tests/cuda/devices/";
static const char cache_name[] = "plan_api.cache";

static const vox_conv3d conv = {.n = 1,
                                .c = 16,
                                .k = 32,
                                .in = {20, 20, 20},
                                .out = {18, 18, 18},
                                .kernel = {3, 3, 3},
                                .stride = {1, 1, 1},
                                .dilation = {1, 1, 1},
                                .groups = 1,
                                .c_pitch = 16,
                                .k_pitch = 32,
                                .act = VOX_CUDA_ACT_RELU,
                                .type = VOX_CUDA_F16,
                                .has_bias = 1};
static const vox_plan_policy policy = {.workspace_cap = 256 << 20, .precompiled = 1};

typedef struct stage {
    vox_cudnn_target target;
    int messages;
    char message[1500];
} stage;

static void record(void *user, const char *text) {
    stage *s = user;
    assert_null(strchr(text, '\n'));
    snprintf(s->message, sizeof s->message, "%s", text);
    s->messages++;
}

static int set_up(void **state) {
    static stage s;
    char path[100], json[4096] = "";
    snprintf(path, sizeof path, "%sa100.json", devices);
    FILE *f = fopen(path, "rb");
    if (!f || fread(json, 1, sizeof json - 1, f) == 0) return 1;
    fclose(f);
    s.target.log = (vox_cudnn_log){record, &s};
    *state = &s;
    return vox_cudnn_device(json, &s.target.log, &s.target.device) != CUDNN_STATUS_SUCCESS;
}

static int tear_down(void **state) {
    stage *s = *state;
    cudnnBackendDestroyDescriptor(s->target.device);
    return fake.descriptors != 0;
}

/* Before each test: nothing is made to fail, nothing was said; after it, only the device is left. */
static int reset(void **state) {
    stage *s = *state;
    memset(&fake, 0, sizeof fake);
    fake.descriptors = 1;
    s->messages = 0;
    s->message[0] = 0;
    unlink(cache_name);
    return 0;
}

static int nothing_left(void **state) {
    (void)state;
    unlink(cache_name);
    return fake.descriptors != 1 || fake.events != 0;
}

static vox_plan *build(stage *s, const vox_plan_policy *p, const vox_plan_cache *cache) {
    vox_plan *plan = NULL;
    assert_int_equal(vox_plan_build(&s->target, &conv, p, cache, &plan), CUDNN_STATUS_SUCCESS);
    return plan;
}

static const char *describe(const vox_plan *plan) {
    static char text[800];
    vox_plan_describe(plan, text, sizeof text);
    return text;
}

/* ---- plans ------------------------------------------------------------------------------------ */

static void refuses_a_broken_description(void **state) {
    stage *s = *state;
    cudnnBackendDescriptor_t device = NULL;
    assert_int_not_equal(vox_cudnn_device("{\"deviceVer\": 800", &s->target.log, &device),
                         CUDNN_STATUS_SUCCESS);
    assert_null(device);
    assert_int_equal(s->messages, 1);
}

static void refuses(stage *s, vox_conv3d bad, const char *why) {
    vox_plan *plan = NULL;
    s->messages = 0;
    assert_int_equal(vox_plan_build(&s->target, &bad, &policy, NULL, &plan), CUDNN_STATUS_BAD_PARAM);
    assert_null(plan);
    assert_int_equal(s->messages, 1);
    assert_non_null(strstr(s->message, why));
}

static void refuses_contradictions(void **state) {
    vox_conv3d bad = conv;
    bad.out[1] = 19;
    refuses(*state, bad, "output extent");
    bad = conv, bad.stride[2] = 0;
    refuses(*state, bad, "stride");
    bad = conv, bad.c_pitch = 8;
    refuses(*state, bad, "pitch");
    bad = conv, bad.groups = 3;
    refuses(*state, bad, "groups");
    bad = conv, bad.groups = 16, bad.k_pitch = 48;
    refuses(*state, bad, "padded channels");
    bad = conv, bad.act = VOX_CUDA_ACT_TANH;
    refuses(*state, bad, "activation");
    bad = conv, bad.has_bias = 0;
    refuses(*state, bad, "without a bias");
    bad = conv, bad.backward_data = 1;
    refuses(*state, bad, "transposed");
    bad = conv, bad.pad_after[0] = -1;
    refuses(*state, bad, "padding");
}

static void says_why_nothing_fits(void **state) {
    stage *s = *state;
    vox_plan *plan = NULL;
    vox_plan_policy none = policy;
    none.workspace_cap = -1;
    assert_int_equal(vox_plan_build(&s->target, &conv, &none, NULL, &plan), CUDNN_STATUS_NOT_SUPPORTED);
    assert_null(plan);
    assert_non_null(strstr(s->message, "need more than -1 bytes of workspace (the least 0)"));
}

static void keeps_as_many_candidates_as_asked_for(void **state) {
    stage *s = *state;
    vox_plan_policy many = policy;
    many.candidates = 5;
    vox_plan *plan = build(s, &many, NULL), *one = build(s, &policy, NULL);
    assert_true(vox_plan_workspace(plan) >= vox_plan_workspace(one));
    assert_string_equal(describe(one), describe(plan)); /* the first is the heuristics' choice */
    vox_plan_destroy(plan);
    vox_plan_destroy(one);
    vox_plan_destroy(NULL);
}

static void describes_in_what_room_there_is(void **state) {
    char text[12] = "";
    vox_plan *plan = build(*state, &policy, NULL);
    assert_int_equal(vox_plan_describe(plan, text, sizeof text), strlen(describe(plan)));
    assert_int_equal(strlen(text), sizeof text - 1);
    vox_plan_destroy(plan);
}

/* Whatever call fails, nothing is left behind, and a failure is reported once and leaves the result alone. */
static void leaves_nothing_when_a_call_fails(void **state) {
    stage *s = *state;
    int failures = 0;
    for (int at = 1; fake.calls >= at - 1; at++) {
        vox_plan *plan = NULL;
        s->messages = fake.calls = 0;
        fake.fail_at = at;
        const cudnnStatus_t status = vox_plan_build(&s->target, &conv, &policy, NULL, &plan);
        assert_int_equal(status == CUDNN_STATUS_SUCCESS, plan != NULL);
        assert_int_equal(s->messages, status != CUDNN_STATUS_SUCCESS);
        failures += status != CUDNN_STATUS_SUCCESS;
        vox_plan_destroy(plan);
        assert_int_equal(fake.descriptors, 1);
    }
    assert_true(failures > 50); /* the graph's own calls; a failed proposal is passed over */
}

/* ---- execution and tuning --------------------------------------------------------------------- */

static const vox_plan_operands anywhere = {.x = &conv, .w = &conv, .bias = &conv, .y = &fake};

static void reports_a_failed_execution(void **state) {
    stage *s = *state;
    vox_plan *plan = build(s, &policy, NULL);
    assert_int_equal(vox_plan_execute(NULL, plan, &anywhere), CUDNN_STATUS_SUCCESS);
    assert_int_equal(s->messages, 0);
    fake.broken = 1;
    fake.executions = 0;
    assert_int_equal(vox_plan_execute(NULL, plan, &anywhere), CUDNN_STATUS_EXECUTION_FAILED);
    assert_int_equal(s->messages, 1);
    vox_plan_destroy(plan);
}

static vox_plan *five(stage *s) {
    vox_plan_policy many = policy;
    many.candidates = 5;
    return build(s, &many, NULL);
}

static cudnnStatus_t tune(vox_plan *plan) {
    return vox_plan_tune(NULL, plan, NULL, 3, &anywhere);
}

static void keeps_the_fastest(void **state) {
    static const float times[5] = {3, 2, 1, 0.5f, 4};
    vox_plan *plan = five(*state);
    memcpy(fake.times, times, sizeof times);
    fake.broken = 1 << 3; /* the fastest of all does not run */
    assert_int_equal(tune(plan), CUDNN_STATUS_SUCCESS);
    assert_non_null(strstr(describe(plan), "from=tuned"));
    assert_int_equal(fake.descriptors, 2);
    assert_int_equal(fake.executions, 4 * 4 + 1);
    assert_int_equal(tune(plan), CUDNN_STATUS_SUCCESS); /* nothing left to choose */
    assert_int_equal(fake.executions, 4 * 4 + 1);
    vox_plan_destroy(plan);
}

static void survives_that_nothing_runs(void **state) {
    stage *s = *state;
    vox_plan *plan = five(s);
    fake.broken = 31;
    assert_int_equal(tune(plan), CUDNN_STATUS_EXECUTION_FAILED);
    assert_non_null(strstr(s->message, "no candidate runs"));
    vox_plan_destroy(plan);
}

static void leaves_no_events(void **state) {
    stage *s = *state;
    vox_plan *plan = five(s);
    for (int at = 1; at <= 2; at++) { /* the two events */
        fake.calls = 0;
        fake.fail_at = at;
        assert_int_equal(tune(plan), CUDNN_STATUS_ALLOC_FAILED);
        assert_non_null(strstr(s->message, "cudaErrorMemoryAllocation"));
        assert_int_equal(fake.events, 0);
    }
    vox_plan_destroy(plan);
}

/* ---- the cache -------------------------------------------------------------------------------- */

static vox_plan_cache *open_as(stage *s, const char *gpu) {
    vox_plan_cache *cache = vox_plan_cache_open(cache_name, gpu, 13000, &s->target.log);
    assert_non_null(cache);
    return cache;
}

/* A file that remembers the third of the candidates, which the heuristics alone would not choose. */
static void write_cache(stage *s) {
    vox_plan_cache *cache = open_as(s, "A100");
    static const float times[5] = {3, 2, 1, 2, 4};
    vox_plan *plan = five(s);
    memcpy(fake.times, times, sizeof times);
    assert_int_equal(tune(plan), CUDNN_STATUS_SUCCESS);
    assert_int_equal(vox_plan_cache_add(cache, plan), CUDNN_STATUS_SUCCESS);
    assert_int_equal(vox_plan_cache_add(cache, plan), CUDNN_STATUS_SUCCESS);
    assert_int_equal(vox_plan_cache_save(cache), CUDNN_STATUS_SUCCESS);
    vox_plan_destroy(plan);
    vox_plan_cache_close(cache);
}

static const char *source_of_plan(stage *s, const vox_plan_cache *cache, const vox_plan_policy *p) {
    vox_plan *plan = build(s, p, cache);
    const char *text = strstr(describe(plan), "from=");
    vox_plan_destroy(plan);
    return text;
}

static void remembers(void **state) {
    stage *s = *state;
    vox_plan_policy other = policy;
    write_cache(s);
    vox_plan_cache *cache = open_as(s, "A100");
    assert_string_equal(source_of_plan(s, cache, &policy), "from=cache");
    other.deterministic = 1;
    assert_string_equal(source_of_plan(s, cache, &other), "from=heuristic");
    assert_int_equal(s->messages, 0);
    vox_plan_cache_close(cache);
}

/* Who wants to measure is not answered by a choice that nobody measured; who does not takes either. */
static void measures_what_nobody_has(void **state) {
    stage *s = *state;
    vox_plan_policy many = policy;
    many.candidates = 5;
    vox_plan *plan = build(s, &policy, NULL);
    vox_plan_cache *cache = open_as(s, "A100");
    assert_int_equal(vox_plan_cache_add(cache, plan), CUDNN_STATUS_SUCCESS);
    vox_plan_destroy(plan);
    assert_string_equal(source_of_plan(s, cache, &policy), "from=cache");
    assert_string_equal(source_of_plan(s, cache, &many), "from=heuristic");
    plan = build(s, &many, cache);
    assert_int_equal(tune(plan), CUDNN_STATUS_SUCCESS);
    assert_int_equal(vox_plan_cache_add(cache, plan), CUDNN_STATUS_SUCCESS);
    vox_plan_destroy(plan);
    assert_string_equal(source_of_plan(s, cache, &many), "from=cache");
    plan = build(s, &policy, cache); /* and adding it again leaves it measured */
    assert_int_equal(vox_plan_cache_add(cache, plan), CUDNN_STATUS_SUCCESS);
    vox_plan_destroy(plan);
    assert_string_equal(source_of_plan(s, cache, &many), "from=cache");
    vox_plan_cache_close(cache);
}

static void leaves_only_the_file(void **state) {
    write_cache(*state);
    DIR *folder = opendir(".");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        assert_true(strncmp(entry->d_name, cache_name, strlen(cache_name)) != 0 ||
                    strcmp(entry->d_name, cache_name) == 0);
    closedir(folder);
}

static size_t read_cache(char *text, size_t size) {
    FILE *f = fopen(cache_name, "rb");
    assert_non_null(f);
    const size_t n = fread(text, 1, size - 1, f);
    fclose(f);
    text[n] = 0;
    return n;
}

/* As a process that was killed while it wrote. */
static void takes_what_a_killed_process_left(void **state) {
    stage *s = *state;
    static const char left[] = "cannot be read, and is longer than what will be written. ";
    char name[200], text[4096];
    snprintf(name, sizeof name, "%s.new", cache_name);
    for (int opened = 0; opened < 2; opened++) {
        vox_plan_cache *cache = opened ? open_as(s, "A100") : NULL;
        FILE *f = fopen(name, "wb");
        assert_non_null(f);
        for (int i = 0; i < 100; i++) fputs(left, f);
        fclose(f);
        if (opened) {
            vox_plan *plan = five(s);
            assert_int_equal(tune(plan), CUDNN_STATUS_SUCCESS);
            assert_int_equal(vox_plan_cache_add(cache, plan), CUDNN_STATUS_SUCCESS);
            vox_plan_destroy(plan);
            assert_int_equal(vox_plan_cache_save(cache), CUDNN_STATUS_SUCCESS);
            read_cache(text, sizeof text);
            assert_null(strstr(text, "cannot be read"));
        } else {
            cache = open_as(s, "A100");
        }
        vox_plan_cache_close(cache);
        assert_int_not_equal(access(name, F_OK), 0);
    }
}

static void ignores_what_is_foreign(void **state) {
    stage *s = *state;
    write_cache(s);
    vox_plan_cache *cache = open_as(s, "L4");
    assert_int_equal(s->messages, 1);
    assert_non_null(strstr(s->message, "another GPU"));
    assert_string_equal(source_of_plan(s, cache, &policy), "from=heuristic");
    vox_plan_cache_close(cache);
}

static void rewrite(const char *text, size_t n) {
    FILE *f = fopen(cache_name, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    fclose(f);
}

/* Cut anywhere but after a whole line, it is ignored and said to be. */
static void ignores_what_is_damaged(void **state) {
    stage *s = *state;
    char text[4096];
    write_cache(s);
    const size_t n = read_cache(text, sizeof text);
    for (size_t cut = 1; cut < n; cut++) {
        if (text[cut - 1] == '\n') continue;
        rewrite(text, cut);
        s->messages = 0;
        vox_plan_cache_close(open_as(s, "A100"));
        assert_int_equal(s->messages, 1);
    }
}

/* An engine that this cuDNN does not have. */
static void passes_over_what_cudnn_refuses(void **state) {
    stage *s = *state;
    char text[4096], changed[4200];
    write_cache(s);
    read_cache(text, sizeof text);
    char *engine = strstr(text, "engine=");
    assert_non_null(engine);
    const int n = snprintf(changed, sizeof changed, "%.*sengine=999 knobs=\n", (int)(engine - text), text);
    rewrite(changed, (size_t)n);
    vox_plan_cache *cache = open_as(s, "A100");
    assert_string_equal(source_of_plan(s, cache, &policy), "from=heuristic");
    assert_int_equal(s->messages, 1);
    assert_non_null(strstr(s->message, "remembered plan is ignored"));
    vox_plan_cache_close(cache);
}

static void says_when_it_cannot_write(void **state) {
    stage *s = *state;
    vox_plan_cache *cache = vox_plan_cache_open("no/such/folder/cache", "A100", 13000, &s->target.log);
    vox_plan *plan = build(s, &policy, NULL);
    assert_int_equal(vox_plan_cache_save(cache), CUDNN_STATUS_SUCCESS); /* nothing to write */
    assert_int_equal(vox_plan_cache_add(cache, plan), CUDNN_STATUS_SUCCESS);
    assert_int_equal(vox_plan_cache_save(cache), CUDNN_STATUS_INTERNAL_ERROR);
    assert_int_equal(s->messages, 1);
    vox_plan_destroy(plan);
    vox_plan_cache_close(cache);
}

static void survives_without_memory(void **state) {
    stage *s = *state;
    write_cache(s);
    vox_plan *plan = build(s, &policy, NULL);
    for (int at = 1; at < 12; at++) {
        fake.calls = 0;
        fake.fail_at = at;
        vox_plan_cache *cache = vox_plan_cache_open(cache_name, "A100", 13000, &s->target.log);
        if (cache && vox_plan_cache_add(cache, plan) == CUDNN_STATUS_SUCCESS) vox_plan_cache_save(cache);
        vox_plan_cache_close(cache);
    }
    vox_plan_destroy(plan);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, reset, nothing_left)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(refuses_a_broken_description),
        TEST(refuses_contradictions),
        TEST(says_why_nothing_fits),
        TEST(keeps_as_many_candidates_as_asked_for),
        TEST(describes_in_what_room_there_is),
        TEST(leaves_nothing_when_a_call_fails),
        TEST(reports_a_failed_execution),
        TEST(keeps_the_fastest),
        TEST(survives_that_nothing_runs),
        TEST(leaves_no_events),
        TEST(remembers),
        TEST(measures_what_nobody_has),
        TEST(leaves_only_the_file),
        TEST(takes_what_a_killed_process_left),
        TEST(ignores_what_is_foreign),
        TEST(ignores_what_is_damaged),
        TEST(passes_over_what_cudnn_refuses),
        TEST(says_when_it_cannot_write),
        TEST(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
