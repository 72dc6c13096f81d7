/* plan_fakes.h: what stands in front of cuDNN, the CUDA runtime and malloc in plan_api.c.
 *
 * The linker puts these functions there (--wrap): they count descriptors, fail a call when told to, and stand
 * for what needs a GPU, execution and events.
 */
#ifndef PLAN_FAKES_H
#define PLAN_FAKES_H

#include <stdlib.h>
#include "vox_cudnn.h"

static struct {
    int descriptors, events; /* alive */
    int calls, fail_at;      /* number of the call that fails; 0: none */
    int executions, broken;  /* bit i of broken: plan number i, in order of execution, does not run */
    int plan;                /* that is being executed, from 0 */
    const void *last_plan;
    float times[16]; /* of plan i */
} fake;

static int fails(void) {
    return ++fake.calls == fake.fail_at;
}

#define WRAP(result, name, ...)                                                                              \
    result __real_##name(__VA_ARGS__);                                                                       \
    result __wrap_##name(__VA_ARGS__);                                                                       \
    result __wrap_##name(__VA_ARGS__)

WRAP(cudnnStatus_t, cudnnBackendCreateDescriptor, cudnnBackendDescriptorType_t type,
     cudnnBackendDescriptor_t *descriptor) {
    if (fails()) return CUDNN_STATUS_ALLOC_FAILED;
    const cudnnStatus_t status = __real_cudnnBackendCreateDescriptor(type, descriptor);
    fake.descriptors += status == CUDNN_STATUS_SUCCESS;
    return status;
}

WRAP(cudnnStatus_t, cudnnBackendDestroyDescriptor, cudnnBackendDescriptor_t descriptor) {
    fake.descriptors--;
    return __real_cudnnBackendDestroyDescriptor(descriptor);
}

WRAP(cudnnStatus_t, cudnnBackendSetAttribute, cudnnBackendDescriptor_t descriptor,
     cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count, const void *value) {
    if (fails()) return CUDNN_STATUS_BAD_PARAM;
    return __real_cudnnBackendSetAttribute(descriptor, name, type, count, value);
}

WRAP(cudnnStatus_t, cudnnBackendFinalize, cudnnBackendDescriptor_t descriptor) {
    if (fails()) return CUDNN_STATUS_INTERNAL_ERROR;
    return __real_cudnnBackendFinalize(descriptor);
}

WRAP(cudnnStatus_t, cudnnBackendGetAttribute, cudnnBackendDescriptor_t descriptor,
     cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t most, int64_t *count,
     void *value) {
    if (fails()) return CUDNN_STATUS_NOT_SUPPORTED;
    return __real_cudnnBackendGetAttribute(descriptor, name, type, most, count, value);
}

WRAP(void *, calloc, size_t count, size_t size) {
    return fails() ? NULL : __real_calloc(count, size);
}

WRAP(void *, malloc, size_t size) {
    return fails() ? NULL : __real_malloc(size);
}

WRAP(void *, realloc, void *old, size_t size) {
    return fails() ? NULL : __real_realloc(old, size);
}

WRAP(cudnnStatus_t, cudnnBackendExecute, cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
     cudnnBackendDescriptor_t pack) {
    (void)handle;
    (void)pack;
    if (fake.executions++ == 0)
        fake.plan = 0;
    else if (plan != fake.last_plan)
        fake.plan++;
    fake.last_plan = plan;
    return fake.broken >> fake.plan & 1 ? CUDNN_STATUS_EXECUTION_FAILED : CUDNN_STATUS_SUCCESS;
}

WRAP(cudaError_t, cudaEventCreateWithFlags, cudaEvent_t *event, unsigned flags) {
    (void)flags;
    if (fails()) return cudaErrorMemoryAllocation;
    *event = (cudaEvent_t)&fake;
    fake.events++;
    return cudaSuccess;
}

WRAP(cudaError_t, cudaEventDestroy, cudaEvent_t event) {
    (void)event;
    fake.events--;
    return cudaSuccess;
}

WRAP(cudaError_t, cudaEventRecord, cudaEvent_t event, cudaStream_t stream) {
    (void)event;
    (void)stream;
    return fails() ? cudaErrorIllegalAddress : cudaSuccess;
}

WRAP(cudaError_t, cudaEventSynchronize, cudaEvent_t event) {
    (void)event;
    return fails() ? cudaErrorIllegalAddress : cudaSuccess;
}

WRAP(cudaError_t, cudaEventElapsedTime, float *time, cudaEvent_t begin, cudaEvent_t end) {
    (void)begin;
    (void)end;
    *time = fake.times[fake.plan];
    return cudaSuccess;
}

#endif
