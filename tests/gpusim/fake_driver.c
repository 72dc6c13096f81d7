/* fake_driver.c: a libcuda.so.1 without a device. cuDNN's engines that are compiled at run time load it to
 * finalize, and ask no more of it than that it takes their code; nothing is ever launched through it. */
#include <cuda.h>

#define FAKE_PUBLIC __attribute__((visibility("default")))

static int something; /* what handles point to */

FAKE_PUBLIC CUresult cuInit(unsigned int flags) {
    (void)flags;
    return CUDA_ERROR_NO_DEVICE;
}

FAKE_PUBLIC CUresult cuDriverGetVersion(int *version) {
    *version = CUDA_VERSION;
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuDeviceGetCount(int *count) {
    *count = 0;
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuGetErrorString(CUresult error, const char **text) {
    (void)error;
    *text = "no driver";
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuGetErrorName(CUresult error, const char **text) {
    (void)error;
    *text = "NO_DRIVER";
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuCtxGetCurrent(CUcontext *context) {
    *context = (CUcontext)&something;
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuLibraryLoadData(CUlibrary *library, const void *code, CUjit_option *jit,
                                       void **jit_values, unsigned int jit_count, CUlibraryOption *options,
                                       void **values, unsigned int count) {
    (void)code, (void)jit, (void)jit_values, (void)jit_count, (void)options, (void)values, (void)count;
    *library = (CUlibrary)&something;
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuLibraryGetKernel(CUkernel *kernel, CUlibrary library, const char *name) {
    (void)library, (void)name;
    *kernel = (CUkernel)&something;
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuLibraryUnload(CUlibrary library) {
    (void)library;
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel kernel,
                                          CUdevice device) {
    (void)attribute, (void)value, (void)kernel, (void)device;
    return CUDA_SUCCESS;
}

FAKE_PUBLIC CUresult cuKernelGetAttribute(int *value, CUfunction_attribute attribute, CUkernel kernel,
                                          CUdevice device) {
    (void)attribute, (void)kernel, (void)device;
    *value = 0;
    return CUDA_SUCCESS;
}

/* These have to be there for the library to load. */
#define UNSUPPORTED(name)                                                                                    \
    FAKE_PUBLIC CUresult fake_##name(void) __asm__(#name);                                                   \
    CUresult fake_##name(void) {                                                                             \
        return CUDA_ERROR_NOT_SUPPORTED;                                                                     \
    }
UNSUPPORTED(cuDeviceGet)
UNSUPPORTED(cuDeviceGetAttribute)
UNSUPPORTED(cuDevicePrimaryCtxRetain)
UNSUPPORTED(cuDevicePrimaryCtxRelease)
UNSUPPORTED(cuCtxGetDevice)
UNSUPPORTED(cuCtxPushCurrent)
UNSUPPORTED(cuCtxPopCurrent)
UNSUPPORTED(cuModuleLoadData)
UNSUPPORTED(cuModuleLoadDataEx)
UNSUPPORTED(cuModuleLoadFatBinary)
UNSUPPORTED(cuModuleUnload)
UNSUPPORTED(cuModuleGetFunction)
UNSUPPORTED(cuFuncGetAttribute)
UNSUPPORTED(cuFuncSetAttribute)
UNSUPPORTED(cuLaunchKernel)
UNSUPPORTED(cuLaunchKernelEx)
UNSUPPORTED(cuStreamSynchronize)
UNSUPPORTED(cuTensorMapEncodeTiled)
UNSUPPORTED(cuCtxGetLimit)
UNSUPPORTED(cuStreamGetCtx)
UNSUPPORTED(cuLinkCreate)
UNSUPPORTED(cuLinkAddData)
UNSUPPORTED(cuLinkComplete)
UNSUPPORTED(cuLinkDestroy)
UNSUPPORTED(cuLaunchCooperativeKernel)
UNSUPPORTED(cuLibraryLoadFromFile)
UNSUPPORTED(cuOccupancyMaxPotentialClusterSize)
