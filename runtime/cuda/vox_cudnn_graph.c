/* SPDX-License-Identifier: MIT-0 */
/* vox_cudnn_graph.c: a convolution as cuDNN's operation graph, and the descriptors that takes. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "vox_cudnn_internal.h"

/* ---- scopes ----------------------------------------------------------------------------------- */

static void note_status(vox_scope *scope, cudnnStatus_t status) {
    if (scope->status == CUDNN_STATUS_SUCCESS) scope->status = status;
}

vox_desc vox_scope_make(vox_scope *scope, cudnnBackendDescriptorType_t type, const char *what) {
    vox_desc desc = NULL;
    if (scope->status != CUDNN_STATUS_SUCCESS) return NULL;
    scope->failed = what;
    if (scope->n == VOX_SCOPE_MOST) {
        note_status(scope, CUDNN_STATUS_ALLOC_FAILED);
        return NULL;
    }
    note_status(scope, cudnnBackendCreateDescriptor(type, &desc));
    if (scope->status != CUDNN_STATUS_SUCCESS) return NULL;
    scope->made[scope->n++] = desc;
    return desc;
}

void vox_scope_set(vox_scope *scope, vox_desc desc, cudnnBackendAttributeName_t name,
                   cudnnBackendAttributeType_t type, int64_t count, const void *value) {
    if (scope->status == CUDNN_STATUS_SUCCESS)
        note_status(scope, cudnnBackendSetAttribute(desc, name, type, count, value));
}

void vox_scope_link(vox_scope *scope, vox_desc desc, cudnnBackendAttributeName_t name, vox_desc to) {
    if (to != NULL) vox_scope_set(scope, desc, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &to);
}

void vox_scope_finalize(vox_scope *scope, vox_desc desc) {
    if (scope->status == CUDNN_STATUS_SUCCESS) note_status(scope, cudnnBackendFinalize(desc));
}

int64_t vox_scope_get(vox_scope *scope, vox_desc desc, cudnnBackendAttributeName_t name,
                      cudnnBackendAttributeType_t type, int64_t most, void *value) {
    int64_t count = 0;
    if (scope->status == CUDNN_STATUS_SUCCESS)
        note_status(scope, cudnnBackendGetAttribute(desc, name, type, most, &count, value));
    if (scope->status != CUDNN_STATUS_SUCCESS) return 0;
    return count < most ? count : most;
}

vox_desc vox_scope_release(vox_scope *scope, vox_desc desc) {
    if (scope->status != CUDNN_STATUS_SUCCESS) return NULL;
    for (int i = 0; i < scope->n; i++)
        if (scope->made[i] == desc) scope->made[i] = NULL;
    return desc;
}

void vox_scope_end(vox_scope *scope) {
    for (int i = scope->n; i-- > 0;)
        if (scope->made[i] != NULL) cudnnBackendDestroyDescriptor(scope->made[i]);
    scope->n = 0;
}

/* ---- what a convolution is -------------------------------------------------------------------- */

/* Output extent along an axis of the convolution that reads `in`, or -1. */
static int64_t output_extent(const vox_conv3d *conv, int axis, int64_t in) {
    const int64_t span = conv->dilation[axis] * (conv->kernel[axis] - 1) + 1;
    const int64_t room = in + conv->pad_before[axis] + conv->pad_after[axis] - span;
    return room < 0 ? -1 : room / conv->stride[axis] + 1;
}

static const char *check_axis(const vox_conv3d *conv, int axis) {
    if (conv->in[axis] < 1 || conv->out[axis] < 1 || conv->kernel[axis] < 1)
        return "an extent is not positive";
    if (conv->stride[axis] < 1 || conv->dilation[axis] < 1) return "a stride or dilation is not positive";
    if (conv->pad_before[axis] < 0 || conv->pad_after[axis] < 0) return "a padding is negative";
    const int64_t from = conv->backward_data ? conv->out[axis] : conv->in[axis];
    const int64_t to = conv->backward_data ? conv->in[axis] : conv->out[axis];
    return output_extent(conv, axis, from) == to ? NULL : "the output extent does not follow from the rest";
}

const char *vox_conv3d_check(const vox_conv3d *conv) {
    const int padded = conv->c_pitch != conv->c || conv->k_pitch != conv->k;
    if (conv->n < 1 || conv->c < 1 || conv->k < 1 || conv->groups < 1) return "an extent is not positive";
    if (conv->c_pitch < conv->c || conv->k_pitch < conv->k) return "a pitch is smaller than its channels";
    if (conv->c % conv->groups != 0 || conv->k % conv->groups != 0)
        return "the groups do not divide the channels";
    if (conv->groups > 1 && padded) return "a convolution with groups has padded channels";
    if (conv->backward_data && (conv->has_bias || conv->act != VOX_CUDA_ACT_NONE))
        return "a transposed convolution has a bias or an activation";
    if (!vox_cudnn_fuses(conv->act)) return "cuDNN does not fuse this activation";
    if (conv->act != VOX_CUDA_ACT_NONE && !conv->has_bias) return "an activation without a bias";
    const char *wrong = NULL;
    for (int axis = 0; axis < 3 && wrong == NULL; axis++) wrong = check_axis(conv, axis);
    return wrong;
}

static const char *const type_names[] = {"fp32", "tf32", "fp16", "bf16"};
static const cudnnDataType_t data_types[] = {CUDNN_DATA_FLOAT, CUDNN_DATA_FLOAT, CUDNN_DATA_HALF,
                                             CUDNN_DATA_BFLOAT16};

int vox_cudnn_fuses(vox_cuda_act act) {
    return act == VOX_CUDA_ACT_NONE || act == VOX_CUDA_ACT_RELU;
}

void vox_conv3d_text(const vox_conv3d *conv, char text[VOX_CONV3D_TEXT]) {
#define TRIPLE  "%lldx%lldx%lld"
#define AXES(a) (long long)(a)[0], (long long)(a)[1], (long long)(a)[2]
    snprintf(text, VOX_CONV3D_TEXT,
             "%s %s n=%lld c=%lld k=%lld in=" TRIPLE " out=" TRIPLE " kernel=" TRIPLE " stride=" TRIPLE
             " dilation=" TRIPLE " pad=" TRIPLE "," TRIPLE " groups=%lld bias=%d relu=%d",
             conv->backward_data ? "transposed" : "conv", type_names[conv->type], (long long)conv->n,
             (long long)conv->c_pitch, (long long)conv->k_pitch, AXES(conv->in), AXES(conv->out),
             AXES(conv->kernel), AXES(conv->stride), AXES(conv->dilation), AXES(conv->pad_before),
             AXES(conv->pad_after), (long long)conv->groups, conv->has_bias != 0,
             conv->act == VOX_CUDA_ACT_RELU);
#undef TRIPLE
#undef AXES
}

/* ---- the graph -------------------------------------------------------------------------------- */

/* Channels last, dense: [n][axes][c]. */
static vox_desc tensor(vox_scope *scope, int64_t uid, cudnnDataType_t type, const int64_t dim[5],
                       bool is_virtual) {
    const int64_t row = dim[1] * dim[4], plane = row * dim[3], align = 16;
    const int64_t stride[5] = {plane * dim[2], 1, plane, row, dim[1]};
    const vox_desc t = vox_scope_make(scope, CUDNN_BACKEND_TENSOR_DESCRIPTOR, "tensor");
    vox_scope_set(scope, t, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    vox_scope_set(scope, t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 5, dim);
    vox_scope_set(scope, t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 5, stride);
    vox_scope_set(scope, t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &uid);
    vox_scope_set(scope, t, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &align);
    vox_scope_set(scope, t, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual);
    vox_scope_finalize(scope, t);
    return t;
}

static vox_desc geometry(vox_scope *scope, const vox_conv3d *conv) {
    const int64_t axes = 3;
    const cudnnDataType_t sums = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const vox_desc c = vox_scope_make(scope, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, "convolution");
    vox_scope_set(scope, c, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums);
    vox_scope_set(scope, c, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    vox_scope_set(scope, c, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &axes);
    vox_scope_set(scope, c, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 3, conv->pad_before);
    vox_scope_set(scope, c, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 3, conv->pad_after);
    vox_scope_set(scope, c, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 3, conv->stride);
    vox_scope_set(scope, c, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 3, conv->dilation);
    vox_scope_finalize(scope, c);
    return c;
}

/* The two directions differ in nothing but names. `image` is read by forward and written by backward data. */
typedef struct direction {
    cudnnBackendDescriptorType_t type;
    cudnnBackendAttributeName_t image, filter, response, geometry, alpha, beta;
} direction;
static const direction directions[2] = {
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
};

static vox_desc conv_operation(vox_scope *scope, const vox_conv3d *conv, vox_desc x, vox_desc w, vox_desc y) {
    const direction *way = &directions[conv->backward_data != 0];
    const float one = 1, zero = 0;
    const vox_desc how = geometry(scope, conv);
    const vox_desc op = vox_scope_make(scope, way->type, "convolution operation");
    vox_scope_link(scope, op, way->image, conv->backward_data ? y : x);
    vox_scope_link(scope, op, way->filter, w);
    vox_scope_link(scope, op, way->response, conv->backward_data ? x : y);
    vox_scope_link(scope, op, way->geometry, how);
    vox_scope_set(scope, op, way->alpha, CUDNN_TYPE_FLOAT, 1, &one);
    vox_scope_set(scope, op, way->beta, CUDNN_TYPE_FLOAT, 1, &zero);
    vox_scope_finalize(scope, op);
    return op;
}

/* y = mode(x), or x + b. NaN passes, as through every activation of the graph: cuDNN's default would let a
 * ReLU make it 0. */
static vox_desc pointwise(vox_scope *scope, cudnnPointwiseMode_t mode, vox_desc x, vox_desc b, vox_desc y) {
    const cudnnDataType_t math = CUDNN_DATA_FLOAT;
    const cudnnNanPropagation_t nan = CUDNN_PROPAGATE_NAN;
    const vox_desc kind = vox_scope_make(scope, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, "pointwise");
    vox_scope_set(scope, kind, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode);
    vox_scope_set(scope, kind, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &math);
    vox_scope_set(scope, kind, CUDNN_ATTR_POINTWISE_NAN_PROPAGATION, CUDNN_TYPE_NAN_PROPOGATION, 1, &nan);
    vox_scope_finalize(scope, kind);
    const vox_desc op =
        vox_scope_make(scope, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, "pointwise operation");
    vox_scope_link(scope, op, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, kind);
    vox_scope_link(scope, op, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    vox_scope_link(scope, op, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, b);
    vox_scope_link(scope, op, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    vox_scope_finalize(scope, op);
    return op;
}

static vox_desc graph_of(vox_scope *scope, cudnnHandle_t handle, vox_desc ops[], int n) {
    const vox_desc graph = vox_scope_make(scope, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "operation graph");
    vox_scope_set(scope, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, n, ops);
    if (handle != NULL)
        vox_scope_set(scope, graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle);
    vox_scope_finalize(scope, graph);
    return graph;
}

vox_desc vox_conv3d_graph(vox_scope *scope, cudnnHandle_t handle, const vox_conv3d *conv) {
    const cudnnDataType_t type = data_types[conv->type];
    const int64_t c = conv->c_pitch, k = conv->k_pitch, *f = conv->kernel;
    const int64_t outer = conv->backward_data ? c : k, inner = conv->backward_data ? k : c;
    const int64_t x_dim[5] = {conv->n, c, conv->in[0], conv->in[1], conv->in[2]};
    const int64_t y_dim[5] = {conv->n, k, conv->out[0], conv->out[1], conv->out[2]};
    const int64_t w_dim[5] = {outer, inner / conv->groups, f[0], f[1], f[2]}, b_dim[5] = {1, k, 1, 1, 1};
    const int stages = 1 + (conv->has_bias != 0) + (conv->act != VOX_CUDA_ACT_NONE);
    vox_desc result[3], ops[3]; /* of each stage; all but the last live in registers, as floats */
    for (int i = 0; i < stages; i++) {
        const bool last = i == stages - 1;
        result[i] = tensor(scope, last ? VOX_UID_Y : VOX_UID_VIRTUAL + i, last ? type : CUDNN_DATA_FLOAT,
                           y_dim, !last);
    }
    const vox_desc x = tensor(scope, VOX_UID_X, type, x_dim, false);
    const vox_desc w = tensor(scope, VOX_UID_W, type, w_dim, false);
    int n = 0;
    ops[n++] = conv_operation(scope, conv, x, w, result[0]);
    if (conv->has_bias) {
        const vox_desc bias = tensor(scope, VOX_UID_BIAS, type, b_dim, false);
        ops[n] = pointwise(scope, CUDNN_POINTWISE_ADD, result[n - 1], bias, result[n]);
        n++;
    }
    if (n < stages) {
        ops[n] = pointwise(scope, CUDNN_POINTWISE_RELU_FWD, result[n - 1], NULL, result[n]);
        n++;
    }
    return graph_of(scope, handle, ops, n);
}

/* ---- devices and messages --------------------------------------------------------------------- */

cudnnStatus_t vox_cudnn_device(const char *json, const vox_cudnn_log *log, cudnnBackendDescriptor_t *device) {
    vox_scope scope = {0};
    const vox_desc made = vox_scope_make(&scope, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "device description");
    vox_scope_set(&scope, made, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                  (int64_t)strlen(json), json);
    vox_scope_finalize(&scope, made);
    const cudnnStatus_t status = scope.status;
    if (status != CUDNN_STATUS_SUCCESS)
        vox_cudnn_fail(log, NULL, status, scope.failed);
    else
        *device = vox_scope_release(&scope, made);
    vox_scope_end(&scope);
    return status;
}

void vox_cudnn_say(const vox_cudnn_log *log, const char *text) {
    if (log != NULL && log->message != NULL) log->message(log->user, text);
}

cudnnStatus_t vox_cudnn_fail(const vox_cudnn_log *log, const vox_conv3d *conv, cudnnStatus_t status,
                             const char *what) {
    char reason[512] = "", of[VOX_CONV3D_TEXT] = "cuDNN", text[1200];
    cudnnGetLastErrorString(reason, sizeof reason);
    for (char *at = reason; *at != 0; at++)
        if (*at == '\n') *at = ' ';
    if (conv != NULL) vox_conv3d_text(conv, of);
    snprintf(text, sizeof text, "%s: %s: %s%s%s", of, what, cudnnGetErrorString(status),
             reason[0] ? ": " : "", reason);
    vox_cudnn_say(log, text);
    return status;
}
