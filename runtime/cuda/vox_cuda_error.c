/* SPDX-License-Identifier: MIT-0 */
/* vox_cuda_error.c: statuses of CUDA and cuDNN as the bundle's own, and the thread's current GPU. */
#include "vox_cuda_handle.h"

#include <stdarg.h>
#include <stdio.h>

void vox_cuda_say(const vox_cuda *h, const char *format, ...) {
    if (!h->options.message) return;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    h->options.message(h->options.user, line);
}

static vox_status status_of(cudaError_t error) {
    switch (error) {
    case cudaSuccess:
        return VOX_OK;
    case cudaErrorNoDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorInvalidDevice:
        return VOX_E_NO_DEVICE;
    case cudaErrorMemoryAllocation:
        return VOX_E_DEVICE_MEMORY;
    default:
        return VOX_E_CUDA;
    }
}

vox_status vox_cuda_check_call(const vox_cuda *h, cudaError_t error, const char *what) {
    if (error == cudaSuccess) return VOX_OK;
    vox_cuda_say(h, "%s: %s (%s)", what, cudaGetErrorName(error), cudaGetErrorString(error));
    cudaGetLastError(); /* so that the next launch does not report it again */
    return status_of(error);
}

vox_status vox_cudnn_check_call(const vox_cuda *h, cudnnStatus_t status, const char *what) {
    if (status == CUDNN_STATUS_SUCCESS) return VOX_OK;
    vox_cuda_say(h, "%s: %s", what, cudnnGetErrorString(status));
    cudaGetLastError();
    return VOX_E_CUDNN;
}

vox_status vox_cuda_no_memory(const vox_cuda *h, const char *what) {
    vox_cuda_say(h, "%s: the host has no memory left", what);
    return VOX_E_MEMORY;
}

vox_status vox_cuda_enter(const vox_cuda *h, vox_cuda_thread *before) {
    const cudaError_t pending = cudaGetLastError();
    if (pending != cudaSuccess)
        vox_cuda_say(h, "an error from before this call, not of it: %s (%s)", cudaGetErrorName(pending),
                     cudaGetErrorString(pending));
    *before = (vox_cuda_thread){.mode = cudaStreamCaptureModeRelaxed};
    vox_status status = vox_cuda_check_call(h, cudaGetDevice(&before->device), "cudaGetDevice");
    if (status == VOX_OK) status = vox_cuda_check_call(h, cudaSetDevice(h->options.device), "cudaSetDevice");
    if (status != VOX_OK) return status;
    return vox_cuda_check_call(h, cudaThreadExchangeStreamCaptureMode(&before->mode),
                               "cudaThreadExchangeStreamCaptureMode");
}

vox_status vox_cuda_leave(const vox_cuda *h, vox_cuda_thread before, vox_status status) {
    vox_status mode = vox_cuda_check_call(h, cudaThreadExchangeStreamCaptureMode(&before.mode),
                                          "cudaThreadExchangeStreamCaptureMode");
    vox_status back = vox_cuda_check_call(h, cudaSetDevice(before.device), "cudaSetDevice");
    if (status != VOX_OK) return status;
    return mode != VOX_OK ? mode : back;
}

vox_status vox_cuda_is_captured(const vox_cuda *h, cudaStream_t stream, int *captured) {
    enum cudaStreamCaptureStatus state = cudaStreamCaptureStatusNone;
    *captured = 0;
    vox_status status =
        vox_cuda_check_call(h, cudaStreamIsCapturing(stream, &state), "cudaStreamIsCapturing");
    if (status != VOX_OK) return status;
    *captured = state == cudaStreamCaptureStatusActive;
    if (state != cudaStreamCaptureStatusInvalidated) return VOX_OK;
    vox_cuda_say(h, "the stream's capture has been invalidated before this call");
    return VOX_E_CUDA;
}

vox_status vox_cuda_refuse_capture(const vox_cuda *h, cudaStream_t stream, const char *what) {
    int captured = 0;
    vox_status status = vox_cuda_is_captured(h, stream, &captured);
    if (status != VOX_OK || !captured) return status;
    vox_cuda_say(h, "%s waits, which a stream that is being captured cannot", what);
    return VOX_E_ARGUMENT;
}

int vox_cuda_device_count(void) {
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
    cudaGetLastError();
    return 0;
}

vox_status vox_cuda_device_name(int device, char *text, size_t bytes) {
    struct cudaDeviceProp p;
    cudaError_t error = cudaGetDeviceProperties(&p, device);
    if (error != cudaSuccess) {
        cudaGetLastError();
        return status_of(error);
    }
    snprintf(text, bytes, "%s, compute capability %d.%d", p.name, p.major, p.minor);
    return VOX_OK;
}
