/* launch.c: the code that a program registers, kernel launches, and questions about kernels. */
#include "fatbin.h"
#include "ptx.h"
#include "sim_stream.h"

#include <stdlib.h>
#include <string.h>

typedef struct module {
    const void *program;
    ptx_module *ptx; /* opened when it is first needed */
} module;

typedef struct function {
    const void *host;
    const char *name;
    module *module;
    ptx_kernel *kernel;
    int dynamic_shared; /* the most that has been allowed beyond the default */
} function;

static function **functions;
static int function_count;

/* What <<<>>> pushes and the stub pops; launches of several threads interleave. */
typedef struct configuration {
    dim3 grid, block;
    size_t shared;
    cudaStream_t stream;
} configuration;
static _Thread_local configuration pushed;

/* The runtime's private calls, as crt/host_runtime.h declares them for C++. */
SIM_PUBLIC void **__cudaRegisterFatBinary(void *program);
SIM_PUBLIC void __cudaRegisterFatBinaryEnd(void **handle);
SIM_PUBLIC void __cudaUnregisterFatBinary(void **handle);
SIM_PUBLIC char __cudaInitModule(void **handle);
SIM_PUBLIC void __cudaRegisterFunction(void **handle, const char *host, char *device, const char *name,
                                       int limit, uint3 *tid, uint3 *bid, dim3 *block, dim3 *grid, int *warp);
SIM_PUBLIC void __cudaRegisterVar(void **handle, char *host, char *device, const char *name, int external,
                                  size_t size, int constant, int global);
SIM_PUBLIC unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared,
                                                struct CUstream_st *stream);
SIM_PUBLIC cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream);
SIM_PUBLIC cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *host);
SIM_PUBLIC cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void **args,
                                          size_t shared, cudaStream_t stream);

void **__cudaRegisterFatBinary(void *program) {
    module *m = sim_new(1, sizeof *m);
    m->program = program;
    return (void **)m;
}

void __cudaRegisterFatBinaryEnd(void **handle) {
    (void)handle;
}
char __cudaInitModule(void **handle) {
    return handle != NULL;
}

void __cudaUnregisterFatBinary(void **handle) {
    module *m = (module *)handle;
    if (m->ptx) ptx_close(m->ptx);
    m->ptx = NULL;
}

void __cudaRegisterFunction(void **handle, const char *host, char *device, const char *name, int limit,
                            uint3 *tid, uint3 *bid, dim3 *block, dim3 *grid, int *warp) {
    (void)device, (void)limit, (void)tid, (void)bid, (void)block, (void)grid, (void)warp;
    function *f = sim_new(1, sizeof *f);
    *f = (function){.host = host, .name = name, .module = (module *)handle};
    functions = sim_grow(functions, (size_t)function_count + 1, sizeof *functions);
    functions[function_count++] = f;
}

void __cudaRegisterVar(void **handle, char *host, char *device, const char *name, int external, size_t size,
                       int constant, int global) {
    (void)handle, (void)host, (void)device, (void)name, (void)external, (void)size, (void)constant,
        (void)global;
}

unsigned __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, struct CUstream_st *stream) {
    pushed = (configuration){grid, block, shared, stream};
    return 0;
}

cudaError_t __cudaPopCallConfiguration(dim3 *grid, dim3 *block, size_t *shared, void *stream) {
    *grid = pushed.grid;
    *block = pushed.block;
    *shared = pushed.shared;
    *(cudaStream_t *)stream = pushed.stream;
    return cudaSuccess;
}

/* A kernel's handle is its host function. */
cudaError_t __cudaGetKernel(cudaKernel_t *kernel, const void *host) {
    *kernel = (cudaKernel_t)(uintptr_t)host;
    return cudaSuccess;
}

/* ---- launches ------------------------------------------------------------------------------------ */

/* NULL: host is no kernel's function, or there is no PTX of it. */
static function *find(const void *host) {
    function *f = NULL;
    for (int i = 0; i < function_count && !f; i++)
        if (functions[i]->host == host) f = functions[i];
    if (!f) return NULL;
    if (!f->module->ptx) {
        const sim_device *d = sim_get_device(sim_current_device());
        char *text = sim_fatbin_ptx(f->module->program, d->major, d->minor);
        if (!text)
            sim_die("%s: the program has no PTX; build it with -gencode arch=compute_XX,code=compute_XX",
                    f->name);
        f->module->ptx = ptx_open(text);
        free(text);
    }
    if (!f->kernel) f->kernel = ptx_find(f->module->ptx, f->name);
    if (f->kernel) ptx_prepare(f->kernel);
    return f->kernel ? f : NULL;
}

typedef struct kernel_work {
    sim_work work;
    ptx_launch launch;
    uint8_t params[];
} kernel_work;

static void run_kernel(sim_work *w) {
    const kernel_work *k = (const kernel_work *)w;
    ptx_execute(&k->launch);
    if (sim_setting("GPUSIM_TRACE", 0))
        sim_note("ran %s, %llu lane instructions so far", k->launch.kernel->name,
                 (unsigned long long)ptx_steps());
}

static void drop_kernel(sim_work *w) {
    free(w);
}

static kernel_work *new_kernel_work(ptx_kernel *k, dim3 grid, dim3 block, void **args, size_t shared) {
    kernel_work *w = sim_new(1, sizeof *w + k->param_bytes + 16);
    w->work = (sim_work){run_kernel, drop_kernel, 1, k->name};
    w->launch = (ptx_launch){.kernel = k,
                             .grid = {grid.x, grid.y, grid.z},
                             .block = {block.x, block.y, block.z},
                             .dynamic_shared = shared,
                             .device = sim_current_device(),
                             .params = w->params};
    for (int i = 0; i < k->param_count; i++)
        memcpy(w->params + k->params[i].offset, args[i], k->params[i].size);
    return w;
}

static cudaError_t check_launch(const function *f, dim3 grid, dim3 block, size_t shared) {
    const uint64_t threads = (uint64_t)block.x * block.y * block.z;
    if (threads == 0 || grid.x == 0 || grid.y == 0 || grid.z == 0) return cudaErrorInvalidConfiguration;
    if (threads > 1024 || block.x > 1024 || block.y > 1024 || block.z > 64)
        return cudaErrorInvalidConfiguration;
    if (grid.x > INT32_MAX || grid.y > 65535 || grid.z > 65535) return cudaErrorInvalidConfiguration;
    if (threads > (uint64_t)f->kernel->max_threads) return cudaErrorInvalidValue;
    const int most = sim_get_device(sim_current_device())->shared_per_block;
    const size_t allowed = (size_t)(f->dynamic_shared > most ? f->dynamic_shared : most);
    return f->kernel->shared_bytes + shared > allowed ? cudaErrorInvalidValue : cudaSuccess;
}

static cudaError_t launch(const void *host, dim3 grid, dim3 block, void **args, size_t shared,
                          cudaStream_t stream) {
    if (sim_device_count() == 0) return cudaErrorNoDevice;
    sim_stream *s = sim_stream_of(stream);
    function *f = find(host);
    if (!f) return cudaErrorInvalidDeviceFunction;
    if (s->device != sim_current_device()) return cudaErrorInvalidResourceHandle;
    const cudaError_t status = check_launch(f, grid, block, shared);
    if (status != cudaSuccess) return status;
    sim_enqueue(s, &new_kernel_work(f->kernel, grid, block, args, shared)->work);
    return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void *host, dim3 grid, dim3 block, void **args, size_t shared,
                             cudaStream_t stream) {
    if (sim_begin("cudaLaunchKernel")) return sim_result(cudaErrorLaunchOutOfResources);
    return sim_result(launch(host, grid, block, args, shared, stream));
}

cudaError_t __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void **args, size_t shared,
                               cudaStream_t stream) {
    return cudaLaunchKernel((const void *)kernel, grid, block, args, shared, stream);
}

/* ---- questions ----------------------------------------------------------------------------------- */

/* PTX does not say how many registers ptxas takes. */
enum { REGISTERS = 32 };

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *a, const void *host) {
    if (sim_begin("cudaFuncGetAttributes")) return sim_result(cudaErrorUnknown);
    const function *f = find(host);
    if (!f) return sim_result(cudaErrorInvalidDeviceFunction);
    *a = (struct cudaFuncAttributes){.sharedSizeBytes = f->kernel->shared_bytes,
                                     .localSizeBytes = f->kernel->local_bytes,
                                     .maxThreadsPerBlock = f->kernel->max_threads,
                                     .numRegs = REGISTERS,
                                     .ptxVersion = 90,
                                     .binaryVersion = 90,
                                     .maxDynamicSharedSizeBytes = 49152 - (int)f->kernel->shared_bytes};
    return sim_result(cudaSuccess);
}

cudaError_t cudaFuncSetAttribute(const void *host, enum cudaFuncAttribute attribute, int value) {
    if (sim_begin("cudaFuncSetAttribute")) return sim_result(cudaErrorUnknown);
    function *f = find(host);
    if (!f) return sim_result(cudaErrorInvalidDeviceFunction);
    if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return sim_result(cudaSuccess);
    if (value > sim_get_device(sim_current_device())->shared_optin) return sim_result(cudaErrorInvalidValue);
    f->dynamic_shared = value + (int)f->kernel->shared_bytes;
    return sim_result(cudaSuccess);
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *host, int threads,
                                                          size_t shared) {
    if (sim_begin("cudaOccupancyMaxActiveBlocksPerMultiprocessor")) return sim_result(cudaErrorUnknown);
    const function *f = find(host);
    if (!f) return sim_result(cudaErrorInvalidDeviceFunction);
    if (threads <= 0) return sim_result(cudaErrorInvalidValue);
    const sim_device *d = sim_get_device(sim_current_device());
    const int rounded = (threads + 31) / 32 * 32;
    int n = d->max_threads_per_sm / rounded;
    if (n > d->max_blocks_per_sm) n = d->max_blocks_per_sm;
    if (n > d->registers_per_sm / (REGISTERS * rounded)) n = d->registers_per_sm / (REGISTERS * rounded);
    const size_t each = f->kernel->shared_bytes + shared + (size_t)d->shared_reserved;
    const size_t all = (size_t)(d->shared_optin + d->shared_reserved);
    if (each > 0 && (size_t)n > all / each) n = (int)(all / each);
    *blocks = n;
    return sim_result(cudaSuccess);
}
