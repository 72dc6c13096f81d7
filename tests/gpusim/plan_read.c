/* plan_read.c: from the JSON of a finalized plan to struct plan. */
#include "plan.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

static const json_value *member(const json_value *v, const char *key, json_kind kind) {
    const json_value *x = json_get(v, key);
    if (!x || x->kind != kind) sim_die("a plan's JSON has no \"%s\" of the expected kind", key);
    return x;
}

static float number(const json_value *v, const char *key, float otherwise) {
    const json_value *x = json_get(v, key);
    return x && x->kind == JSON_NUMBER ? (float)x->number : otherwise;
}

/* Lists of less than five dimensions lack spatial ones, the first of them. */
static void read_dims(const json_value *v, int64_t to[5], int64_t absent) {
    if (v->count < 2 || v->count > 5) sim_die("a plan's tensor has %d dimensions", v->count);
    const int missing = 5 - v->count;
    for (int i = 0; i < 5; i++) {
        const int from = i < 2 ? i : i - missing;
        to[i] = i >= 2 && from < 2 ? absent : v->item[from].integer;
    }
}

static void read_spatial(const json_value *v, int64_t to[3], int64_t absent) {
    for (int i = 0; i < 3; i++) {
        const int from = i - (3 - v->count);
        to[i] = from < 0 ? absent : v->item[from].integer;
    }
}

static plan_type type_named(const char *name) {
    if (strcmp(name, "CUDNN_DATA_FLOAT") == 0) return PLAN_F32;
    if (strcmp(name, "CUDNN_DATA_HALF") == 0) return PLAN_F16;
    if (strcmp(name, "CUDNN_DATA_BFLOAT16") == 0) return PLAN_BF16;
    sim_die("a plan's tensor is of type %s", name);
}

static void read_tensor(plan_tensor *t, const json_value *v) {
    t->id = strtoll(member(v, "name", JSON_STRING)->string, NULL, 10);
    t->type = type_named(member(v, "dataType", JSON_STRING)->string);
    t->is_virtual = member(v, "isVirtual", JSON_BOOL)->boolean;
    t->by_value = member(v, "isByValue", JSON_BOOL)->boolean;
    t->alignment = member(v, "ptrAlignment", JSON_NUMBER)->integer;
    read_dims(member(v, "dim", JSON_LIST), t->dim, 1);
    read_dims(member(v, "stride", JSON_LIST), t->stride, 0);
    int64_t last = 0;
    for (int i = 0; i < 5; i++) last += (t->dim[i] - 1) * t->stride[i];
    t->extent = (size_t)(last + 1) * (t->type == PLAN_F32 ? 4 : 2);
}

/* The index of the tensor that a node names, or -1. */
static int tensor_of(const plan *p, const json_value *node, const char *key) {
    const json_value *name = json_get(node, key);
    if (!name || name->kind != JSON_STRING) return -1;
    const int64_t id = strtoll(name->string, NULL, 10);
    for (int i = 0; i < p->tensors; i++)
        if (p->tensor[i].id == id) return i;
    sim_die("a plan's node names tensor %s, which is not there", name->string);
}

static void read_convolution(plan *p, plan_node *n, const json_value *v, const char *x, const char *y) {
    const json_value *pad = json_get(v, "pad");
    n->x = tensor_of(p, v, x);
    n->w = tensor_of(p, v, "W");
    n->y = tensor_of(p, v, y);
    if (n->x < 0 || n->w < 0 || n->y < 0) sim_die("a plan's convolution lacks a tensor");
    read_spatial(pad ? pad : member(v, "pad_lower", JSON_LIST), n->pad, 0);
    read_spatial(member(v, "stride", JSON_LIST), n->stride, 1);
    read_spatial(member(v, "dilation", JSON_LIST), n->dilation, 1);
    n->flipped = strcmp(member(v, "mode", JSON_STRING)->string, "CUDNN_CONVOLUTION") == 0;
    n->alpha = number(v, "alpha", 1);
    n->beta = number(v, "beta", 0);
    if (n->beta != 0) sim_die("a plan's convolution adds to its result (beta %g)", (double)n->beta);
}

static void read_pointwise(plan *p, plan_node *n, const json_value *v) {
    static const char prefix[] = "CUDNN_POINTWISE_";
    const char *mode = member(v, "pointwiseMode", JSON_STRING)->string;
    n->operation = PLAN_POINTWISE;
    n->x = tensor_of(p, v, "X");
    n->w = tensor_of(p, v, "B");
    n->y = tensor_of(p, v, "Y");
    if (n->x < 0 || n->y < 0) sim_die("a plan's %s lacks a tensor", mode);
    n->mode = strncmp(mode, prefix, sizeof prefix - 1) == 0 ? mode + sizeof prefix - 1 : mode;
    n->alpha = number(v, "alpha1", 1);
    n->alpha2 = number(v, "alpha2", 1);
    n->lower = number(v, "lowerClip", 0);
    n->upper = number(v, "upperClip", __builtin_inff());
    n->slope = number(v, "lowerClipSlope", 0);
    n->parameter = number(v, "eluAlpha", number(v, "swishBeta", number(v, "softplusBeta", 1)));
}

static void read_node(plan *p, plan_node *n, const json_value *v) {
    const char *name = member(v, "operation", JSON_STRING)->string;
    if (strcmp(name, "CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR") == 0) {
        n->operation = PLAN_CONV;
        read_convolution(p, n, v, "X", "Y");
    } else if (strcmp(name, "CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR") == 0) {
        n->operation = PLAN_CONV_BACKWARD_DATA;
        read_convolution(p, n, v, "dY", "dX");
    } else if (strcmp(name, "CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR") == 0) {
        read_pointwise(p, n, v);
    } else {
        sim_die("a plan has a node of kind %s", name);
    }
}

plan *sim_read_plan(const char *json, size_t workspace, plan_operands operands) {
    plan *p = sim_new(1, sizeof *p);
    p->arena = ir_arena_new();
    p->workspace = workspace;
    p->operands = operands;
    ir_diag diag = {0};
    const json_value *v = json_parse(p->arena, json, strlen(json), "a cuDNN plan", &diag);
    if (!v) sim_die("%s", diag.text);
    const json_value *graph = member(v, "operationGraph", JSON_OBJECT);
    const json_value *tensors = member(graph, "tensors", JSON_LIST),
                     *nodes = member(graph, "nodes", JSON_LIST);
    if (tensors->count > PLAN_MOST || nodes->count > PLAN_MOST) sim_die("a plan of %d nodes", nodes->count);
    p->tensors = tensors->count;
    p->nodes = nodes->count;
    for (int i = 0; i < p->tensors; i++) read_tensor(&p->tensor[i], &tensors->item[i]);
    for (int i = 0; i < p->nodes; i++) read_node(p, &p->node[i], &nodes->item[i]);
    return p;
}

void sim_free_plan(plan *p) {
    ir_arena_free(p->arena);
    free(p);
}
