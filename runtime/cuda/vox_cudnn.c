/* SPDX-License-Identifier: MIT-0 */
/* vox_cudnn.c: which plan a convolution gets, and its execution. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "vox_cudnn_internal.h"

/* ---- engines and their notes ------------------------------------------------------------------ */

static const char *const numerical_names[] = {
    "tensor_core",  "down_convert", "reduced_sums",   "fft",       "nondeterministic", "winograd",
    "winograd_4x4", "winograd_6x6", "winograd_13x13", "strict_nan"};
static const char *const behavior_names[] = {"compiled", "filter_reorder", "bias_reorder", "cuda_graph",
                                             "cublaslt"};
enum { NUMERICAL = sizeof numerical_names / sizeof *numerical_names };
enum { BEHAVIOR = sizeof behavior_names / sizeof *behavior_names };

#define BIT(note) (1u << (note))
enum {
    ROUNDS_FACTORS = BIT(CUDNN_NUMERICAL_NOTE_TENSOR_CORE) | BIT(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS),
    TRANSFORMS = BIT(CUDNN_NUMERICAL_NOTE_FFT) | BIT(CUDNN_NUMERICAL_NOTE_WINOGRAD) |
                 BIT(CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4) | BIT(CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6) |
                 BIT(CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13),
    REORDERS = BIT(CUDNN_BEHAVIOR_NOTE_REQUIRES_FILTER_INT8x32_REORDER) |
               BIT(CUDNN_BEHAVIOR_NOTE_REQUIRES_BIAS_INT8x32_REORDER)
};

static int allowed(const vox_candidate *c, const vox_conv3d *conv, const vox_plan_policy *policy) {
    unsigned numerical = 0, behavior = REORDERS;
    if (conv->type == VOX_CUDA_F32) numerical |= ROUNDS_FACTORS;
    if (policy->deterministic) numerical |= BIT(CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC);
    if (policy->strict)
        numerical |= TRANSFORMS | BIT(CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS) |
                     BIT(CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION);
    if (policy->precompiled) behavior |= BIT(CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION);
    return (c->numerical & numerical) == 0 && (c->behavior & behavior) == 0;
}

/* ---- reading an engine configuration ---------------------------------------------------------- */

static void read_notes(vox_scope *scope, vox_desc engine, vox_candidate *c) {
    cudnnBackendNumericalNote_t numerical[NUMERICAL];
    cudnnBackendBehaviorNote_t behavior[BEHAVIOR];
    int64_t n = vox_scope_get(scope, engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE,
                              NUMERICAL, numerical);
    while (n-- > 0) c->numerical |= BIT(numerical[n]);
    n = vox_scope_get(scope, engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, BEHAVIOR,
                      behavior);
    while (n-- > 0) c->behavior |= BIT(behavior[n]);
}

static void read_knobs(vox_scope *scope, vox_desc config, vox_choice *choice) {
    vox_desc knob[VOX_KNOBS_MOST];
    for (int i = 0; i < VOX_KNOBS_MOST; i++)
        knob[i] = vox_scope_make(scope, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, "knob");
    choice->n_knobs = (int)vox_scope_get(scope, config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                                         CUDNN_TYPE_BACKEND_DESCRIPTOR, VOX_KNOBS_MOST, knob);
    for (int i = 0; i < choice->n_knobs; i++) {
        cudnnBackendKnobType_t type = CUDNN_KNOB_TYPE_COUNTS;
        vox_scope_get(scope, knob[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
        vox_scope_get(scope, knob[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1,
                      &choice->knob[i].value);
        choice->knob[i].type = (int64_t)type;
    }
}

static cudnnStatus_t read_config(vox_desc config, vox_candidate *c) {
    vox_scope scope = {0};
    vox_desc engine = vox_scope_make(&scope, CUDNN_BACKEND_ENGINE_DESCRIPTOR, "engine");
    vox_scope_get(&scope, config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &engine);
    vox_scope_get(&scope, engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &c->choice.engine);
    read_notes(&scope, engine, c);
    read_knobs(&scope, config, &c->choice);
    vox_scope_end(&scope);
    return scope.status;
}

/* ---- the search ------------------------------------------------------------------------------- */

typedef struct plan_search {
    const vox_cudnn_target *target;
    vox_desc graph;
    vox_plan *plan;
    /* Why proposals were not taken. */
    int proposed, unwanted, refused, large;
    int64_t least; /* workspace of the smallest of the large ones */
} plan_search;

static int same_choice(const vox_choice *a, const vox_choice *b) {
    return a->engine == b->engine && a->n_knobs == b->n_knobs &&
           memcmp(a->knob, b->knob, sizeof a->knob[0] * (size_t)a->n_knobs) == 0;
}

static int known(const vox_plan *plan, const vox_choice *choice) {
    for (int i = 0; i < plan->n; i++)
        if (same_choice(&plan->candidate[i].choice, choice)) return 1;
    return 0;
}

/* Fills c->plan and c->workspace. */
static cudnnStatus_t finalize_plan(const plan_search *s, vox_desc config, vox_candidate *c) {
    vox_scope scope = {0};
    const vox_desc made = vox_scope_make(&scope, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "execution plan");
    vox_scope_link(&scope, made, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    if (s->target->handle != NULL)
        vox_scope_set(&scope, made, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                      &s->target->handle);
    else
        vox_scope_link(&scope, made, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, s->target->device);
    vox_scope_finalize(&scope, made);
    vox_scope_get(&scope, made, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &c->workspace);
    c->plan = vox_scope_release(&scope, made);
    vox_scope_end(&scope);
    return scope.status;
}

/* Adds the configuration to the plan's candidates if it will do. */
static void consider(plan_search *s, vox_desc config, const char *from) {
    vox_plan *plan = s->plan;
    vox_candidate c = {.from = from};
    s->proposed++;
    if (read_config(config, &c) != CUDNN_STATUS_SUCCESS) {
        s->refused++;
    } else if (!allowed(&c, &plan->conv, &plan->policy)) {
        s->unwanted++;
    } else if (known(plan, &c.choice)) {
        s->proposed--;
    } else if (finalize_plan(s, config, &c) != CUDNN_STATUS_SUCCESS) {
        s->refused++;
    } else if (c.workspace > plan->policy.workspace_cap) {
        if (s->large++ == 0 || c.workspace < s->least) s->least = c.workspace;
        cudnnBackendDestroyDescriptor(c.plan);
    } else {
        plan->candidate[plan->n++] = c;
    }
}

/* Considers what the heuristics of this mode propose, best first, until the plan has enough. */
static void consult(plan_search *s, cudnnBackendHeurMode_t mode, const char *from, int enough) {
    vox_scope scope = {0};
    vox_desc config[VOX_PROPOSALS_MOST];
    const vox_desc heuristics = vox_scope_make(&scope, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, "heuristics");
    vox_scope_link(&scope, heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, s->graph);
    vox_scope_set(&scope, heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    if (s->target->handle == NULL)
        vox_scope_link(&scope, heuristics, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, s->target->device);
    vox_scope_finalize(&scope, heuristics);
    for (int i = 0; i < VOX_PROPOSALS_MOST; i++)
        config[i] = vox_scope_make(&scope, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "engine configuration");
    const int64_t n = vox_scope_get(&scope, heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, VOX_PROPOSALS_MOST, config);
    for (int64_t i = 0; i < n && s->plan->n < enough; i++) consider(s, config[i], from);
    vox_scope_end(&scope);
}

/* The configuration of an engine with given knobs, as the cache remembers it. */
static void recall(plan_search *s, const vox_choice *choice) {
    vox_scope scope = {0};
    vox_desc knob[VOX_KNOBS_MOST];
    const vox_desc engine = vox_scope_make(&scope, CUDNN_BACKEND_ENGINE_DESCRIPTOR, "engine");
    vox_scope_link(&scope, engine, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, s->graph);
    vox_scope_set(&scope, engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, 1, &choice->engine);
    if (s->target->handle == NULL)
        vox_scope_link(&scope, engine, CUDNN_ATTR_ENGINE_DEVICEPROP, s->target->device);
    vox_scope_finalize(&scope, engine);
    for (int i = 0; i < choice->n_knobs; i++) {
        const cudnnBackendKnobType_t type = (cudnnBackendKnobType_t)choice->knob[i].type;
        knob[i] = vox_scope_make(&scope, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, "knob");
        vox_scope_set(&scope, knob[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1, &type);
        vox_scope_set(&scope, knob[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, 1,
                      &choice->knob[i].value);
        vox_scope_finalize(&scope, knob[i]);
    }
    const vox_desc config =
        vox_scope_make(&scope, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "engine configuration");
    vox_scope_link(&scope, config, CUDNN_ATTR_ENGINECFG_ENGINE, engine);
    if (choice->n_knobs > 0)
        vox_scope_set(&scope, config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                      choice->n_knobs, knob);
    vox_scope_finalize(&scope, config);
    if (scope.status == CUDNN_STATUS_SUCCESS) consider(s, config, "cache");
    vox_scope_end(&scope);
}

static void propose_candidates(plan_search *s, const vox_plan_cache *cache) {
    vox_choice remembered;
    const vox_plan *plan = s->plan;
    const int enough = plan->policy.candidates;
    /* Several are wanted to be measured: what was not is no answer. */
    if (cache != NULL && vox_plan_cache_find(cache, &plan->conv, &plan->policy, &remembered) &&
        (remembered.tuned || enough == 1)) {
        recall(s, &remembered);
        if (plan->n > 0) s->plan->candidate[0].choice.tuned = remembered.tuned;
        if (plan->n > 0) return;
        vox_cudnn_fail(&s->target->log, &plan->conv, CUDNN_STATUS_NOT_SUPPORTED,
                       "the remembered plan is ignored");
    }
    consult(s, CUDNN_HEUR_MODE_A, "heuristic", enough);
    if (plan->n < enough) consult(s, CUDNN_HEUR_MODE_FALLBACK, "fallback", enough);
}

static cudnnStatus_t nothing_fits(const plan_search *s) {
    char what[240];
    snprintf(what, sizeof what,
             "no plan: cuDNN proposed %d, refused %d of them, %d break the policy, %d need more than %lld "
             "bytes of "
             "workspace (the least %lld)",
             s->proposed, s->refused, s->unwanted, s->large, (long long)s->plan->policy.workspace_cap,
             (long long)s->least);
    return vox_cudnn_fail(&s->target->log, &s->plan->conv, CUDNN_STATUS_NOT_SUPPORTED, what);
}

static cudnnStatus_t fill_plan(const vox_cudnn_target *target, vox_plan *plan, const vox_plan_cache *cache) {
    vox_scope scope = {0};
    plan_search s = {.target = target, .plan = plan};
    cudnnStatus_t status = CUDNN_STATUS_SUCCESS;
    s.graph = vox_conv3d_graph(&scope, target->handle, &plan->conv);
    if (scope.status != CUDNN_STATUS_SUCCESS) {
        status = vox_cudnn_fail(&target->log, &plan->conv, scope.status, scope.failed);
    } else {
        propose_candidates(&s, cache);
        if (plan->n == 0) status = nothing_fits(&s);
    }
    vox_scope_end(&scope);
    return status;
}

cudnnStatus_t vox_plan_build(const vox_cudnn_target *target, const vox_conv3d *conv,
                             const vox_plan_policy *policy, const vox_plan_cache *cache, vox_plan **plan) {
    const char *wrong = vox_conv3d_check(conv);
    if (wrong != NULL) return vox_cudnn_fail(&target->log, NULL, CUDNN_STATUS_BAD_PARAM, wrong);
    vox_plan *made = calloc(1, sizeof *made);
    if (made == NULL) return vox_cudnn_fail(&target->log, conv, CUDNN_STATUS_ALLOC_FAILED, "plan");
    made->conv = *conv;
    made->policy = *policy;
    made->log = target->log;
    if (made->policy.candidates < 1) made->policy.candidates = 1;
    if (made->policy.candidates > VOX_CANDIDATES_MOST) made->policy.candidates = VOX_CANDIDATES_MOST;
    const cudnnStatus_t status = fill_plan(target, made, cache);
    if (status != CUDNN_STATUS_SUCCESS)
        vox_plan_destroy(made);
    else
        *plan = made;
    return status;
}

void vox_plan_destroy(vox_plan *plan) {
    if (plan == NULL) return;
    for (int i = 0; i < plan->n; i++) cudnnBackendDestroyDescriptor(plan->candidate[i].plan);
    free(plan);
}

/* ---- using a plan ----------------------------------------------------------------------------- */

size_t vox_plan_workspace(const vox_plan *plan) {
    int64_t most = 0;
    for (int i = 0; i < plan->n; i++)
        if (plan->candidate[i].workspace > most) most = plan->candidate[i].workspace;
    return (size_t)most;
}

static cudnnStatus_t execute(cudnnHandle_t handle, vox_desc plan, const vox_conv3d *conv,
                             const vox_plan_operands *o) {
    const int64_t uid[4] = {VOX_UID_X, VOX_UID_W, VOX_UID_Y, VOX_UID_BIAS};
    const void *pointer[4] = {o->x, o->w, o->y, o->bias};
    const int64_t n = conv->has_bias ? 4 : 3;
    vox_scope scope = {0};
    const vox_desc pack = vox_scope_make(&scope, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "variant pack");
    vox_scope_set(&scope, pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, pointer);
    vox_scope_set(&scope, pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, uid);
    vox_scope_set(&scope, pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &o->workspace);
    vox_scope_finalize(&scope, pack);
    if (scope.status == CUDNN_STATUS_SUCCESS) scope.status = cudnnBackendExecute(handle, plan, pack);
    vox_scope_end(&scope);
    return scope.status;
}

cudnnStatus_t vox_plan_execute(cudnnHandle_t handle, const vox_plan *plan, const vox_plan_operands *o) {
    const cudnnStatus_t status = execute(handle, plan->candidate[0].plan, &plan->conv, o);
    if (status != CUDNN_STATUS_SUCCESS) vox_cudnn_fail(&plan->log, &plan->conv, status, "execution");
    return status;
}

static int print_names(char *text, size_t bytes, unsigned bits, const char *const *names, int n, int any) {
    int length = 0;
    for (int i = 0; i < n; i++)
        if (bits & BIT(i)) {
            const size_t at = (size_t)length < bytes ? (size_t)length : bytes;
            length += snprintf(text + at, bytes - at, "%s%s", any++ ? "," : "", names[i]);
        }
    return length;
}

void vox_choice_knobs_text(const vox_choice *choice, char text[VOX_KNOBS_TEXT]) {
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i < choice->n_knobs && at < VOX_KNOBS_TEXT; i++)
        at += (size_t)snprintf(text + at, VOX_KNOBS_TEXT - at, "%s%lld:%lld", i ? "," : "",
                               (long long)choice->knob[i].type, (long long)choice->knob[i].value);
}

int vox_plan_describe(const vox_plan *plan, char *text, size_t bytes) {
    const vox_candidate *c = &plan->candidate[0];
    char notes[300] = "none", knobs[VOX_KNOBS_TEXT];
    const int n = print_names(notes, sizeof notes, c->numerical, numerical_names, NUMERICAL, 0);
    print_names(notes + n, sizeof notes - (size_t)n, c->behavior, behavior_names, BEHAVIOR, n);
    vox_choice_knobs_text(&c->choice, knobs);
    return snprintf(text, bytes, "engine=%lld notes=%s workspace=%lld knobs=%s from=%s",
                    (long long)c->choice.engine, notes, (long long)c->workspace, knobs, c->from);
}

/* ---- measuring -------------------------------------------------------------------------------- */

typedef struct stopwatch {
    cudaStream_t stream;
    cudaEvent_t begin, end;
    int repeats;
} stopwatch;

/* The first of two results that failed. */
static cudaError_t both(cudaError_t a, cudaError_t b) {
    return a != cudaSuccess ? a : b;
}

/* Milliseconds of the best of the repeats; the first run is not counted. */
static cudnnStatus_t time_candidate(cudnnHandle_t handle, const vox_plan *plan, int index,
                                    const vox_plan_operands *o, const stopwatch *watch, float *best) {
    cudaError_t error = cudaSuccess;
    for (int i = 0; i <= watch->repeats && error == cudaSuccess; i++) {
        float time = 0;
        error = cudaEventRecord(watch->begin, watch->stream);
        const cudnnStatus_t status = execute(handle, plan->candidate[index].plan, &plan->conv, o);
        if (status != CUDNN_STATUS_SUCCESS) return status;
        error = both(error, cudaEventRecord(watch->end, watch->stream));
        error = both(error, cudaEventSynchronize(watch->end));
        error = both(error, cudaEventElapsedTime(&time, watch->begin, watch->end));
        if (i == 1 || (i > 1 && time < *best)) *best = time;
    }
    if (error == cudaSuccess) return CUDNN_STATUS_SUCCESS;
    return vox_cudnn_fail(&plan->log, &plan->conv, CUDNN_STATUS_EXECUTION_FAILED, cudaGetErrorName(error));
}

/* Keeps one candidate, as the first. */
static void keep_candidate(vox_plan *plan, int index) {
    const vox_candidate kept = plan->candidate[index];
    for (int i = 0; i < plan->n; i++)
        if (i != index) cudnnBackendDestroyDescriptor(plan->candidate[i].plan);
    plan->candidate[0] = kept;
    plan->candidate[0].from = "tuned";
    plan->candidate[0].choice.tuned = 1;
    plan->n = 1;
}

static cudnnStatus_t race(cudnnHandle_t handle, vox_plan *plan, const vox_plan_operands *o,
                          const stopwatch *watch) {
    int fastest = -1;
    float best = 0;
    cudnnStatus_t last = CUDNN_STATUS_SUCCESS;
    for (int i = 0; i < plan->n; i++) {
        float time = 0;
        const cudnnStatus_t status = time_candidate(handle, plan, i, o, watch, &time);
        if (status != CUDNN_STATUS_SUCCESS) {
            last = status;
            cudaGetLastError(); /* of a candidate that is dropped: the next launch must not report it */
        } else if (fastest < 0 || time < best) {
            fastest = i;
            best = time;
        }
    }
    if (fastest < 0) return vox_cudnn_fail(&plan->log, &plan->conv, last, "no candidate runs");
    keep_candidate(plan, fastest);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t vox_plan_tune(cudnnHandle_t handle, vox_plan *plan, cudaStream_t stream, int repeats,
                            const vox_plan_operands *o) {
    stopwatch watch = {.stream = stream, .repeats = repeats < 1 ? 1 : repeats};
    cudnnStatus_t status;
    if (plan->n == 1) { /* the best of those that there are */
        plan->candidate[0].choice.tuned |= plan->policy.candidates > 1;
        return CUDNN_STATUS_SUCCESS;
    }
    cudaError_t error = cudaEventCreateWithFlags(&watch.begin, cudaEventDefault);
    if (error == cudaSuccess) error = cudaEventCreateWithFlags(&watch.end, cudaEventDefault);
    if (error == cudaSuccess)
        status = race(handle, plan, o, &watch);
    else
        status = vox_cudnn_fail(&plan->log, &plan->conv, CUDNN_STATUS_ALLOC_FAILED, cudaGetErrorName(error));
    if (watch.end != NULL) cudaEventDestroy(watch.end);
    if (watch.begin != NULL) cudaEventDestroy(watch.begin);
    return status;
}
