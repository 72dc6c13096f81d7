/* plan.h: a finalized cuDNN plan as its own JSON tells it, and its computation on the CPU. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "sim.h"

typedef enum plan_type { PLAN_F32, PLAN_F16, PLAN_BF16 } plan_type;
/* How the operands of convolutions are rounded before they are multiplied, which an engine's notes tell. */
typedef enum plan_operands { PLAN_EXACT, PLAN_TF32, PLAN_HALF } plan_operands;

/* Dimensions N C D H W, absent ones 1. */
typedef struct plan_tensor {
    int64_t id, dim[5], stride[5];
    plan_type type;
    bool is_virtual, by_value;
    int64_t alignment;
    size_t extent; /* bytes from the first element to behind the last */
} plan_tensor;

typedef enum plan_operation { PLAN_CONV, PLAN_CONV_BACKWARD_DATA, PLAN_POINTWISE } plan_operation;
typedef struct plan_node {
    plan_operation operation;
    int x, w,
        y; /* tensors: of a convolution; of a pointwise operation x, second operand (-1: none), result */
    int64_t pad[3], stride[3], dilation[3];
    bool flipped; /* a convolution, not a cross-correlation */
    float alpha, beta;
    const char *mode; /* of a pointwise operation, without CUDNN_POINTWISE_ */
    float alpha2, lower, upper, slope, parameter;
} plan_node;

enum { PLAN_MOST = 32 };
typedef struct plan {
    plan_tensor tensor[PLAN_MOST];
    plan_node node[PLAN_MOST];
    int tensors, nodes;
    size_t workspace;
    plan_operands operands;
    struct ir_arena *arena; /* of its JSON */
    int references;
} plan;

/* What a ReLU makes of NaN, which a plan's JSON does not tell: all of a program's are of a kind. */
extern bool sim_relu_drops_nan;

/* Dies on what it does not know. */
plan *sim_read_plan(const char *json, size_t workspace, plan_operands operands);
void sim_free_plan(plan *p);

/* Tensors in memory as floats, N D H W C. */
typedef struct plan_values {
    float *v;
    int64_t dim[5]; /* N C D H W */
} plan_values;

/* Tensors' data for one execution; workspace may be NULL where the plan needs none. */
typedef struct plan_data {
    void *tensor[PLAN_MOST];
    void *workspace;
} plan_data;

/* Dies on a pointer that is missing, misaligned, not on the device or too short, and on overlaps. */
void sim_run_plan(const plan *p, const plan_data *data, int device);

/* y = alpha * (x convolved with w); w holds K C/groups then the taps. Backward: y from x through the
 * transpose. */
void sim_convolve(const plan_node *n, const plan_values *x, const plan_values *w, plan_values *y);
/* Calls f(argument, i) for i < n on all processors. */
void sim_parallel(int64_t n, void (*f)(void *argument, int64_t i), void *argument);

#endif
