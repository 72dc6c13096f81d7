/* device.c: the devices that the machine is said to have. */
#include "json.h"
#include "sim_stream.h"

#include <stdlib.h>
#include <string.h>

/* What is simulated where GPUSIM_DEVICE names no file: a device of no maker's. */
static const char plain_device[] =
    "{\"deviceName\": \"gpusim sm_80\", \"deviceVer\": 800, \"driverVer\": 13000, \"cudaDeviceId\": 0, "
    "\"pciDeviceId\": 0, \"isTccDriver\": 0, \"supportCoopLaunch\": 1, \"multiProcessorCount\": 108, "
    "\"smClockRateKHz\": 1410000, \"memClockRateKHz\": 1593000, \"totalGlobalMem\": 8589934592, "
    "\"l2CacheSize\": 41943040, \"warpSize\": 32, \"maxCtasPerSM\": 32, \"maxThreadsPerSM\": 2048, "
    "\"maxThreadsPerBlock\": 1024, \"maxBlockSize\": [1024, 1024, 64], "
    "\"maxGridSize\": [2147483647, 65535, 65535], \"regsPerBlock\": 65536, \"maxRegistersPerSM\": 65536, "
    "\"maxSharedMemoryPerBlock\": 49152, \"maxSharedMemoryPerBlockOptin\": 166912, "
    "\"reservedSharedMemoryPerBlock\": 1024}";

static sim_device devices[SIM_MAX_DEVICES];
static int device_count;
static _Thread_local int current;

static char *read_file(const char *path) {
    FILE *f = fopen(path, "rb");
    enum { MOST = 1 << 16 };
    char *text = sim_new(MOST, 1);
    if (!f) sim_die("GPUSIM_DEVICE: cannot read %s", path);
    const size_t n = fread(text, 1, MOST - 1, f);
    text[n] = 0;
    fclose(f);
    return text;
}

static int64_t number(const json_value *v, const char *key) {
    const json_value *x = json_get(v, key);
    if (!x || x->kind != JSON_NUMBER || !x->is_integer) sim_die("GPUSIM_DEVICE: no \"%s\"", key);
    return x->integer;
}

static void read_device(sim_device *d, const char *text) {
    ir_arena *arena = ir_arena_new();
    ir_diag diag = {0};
    const json_value *v = json_parse(arena, text, strlen(text), "GPUSIM_DEVICE", &diag);
    if (!v) sim_die("%s", diag.text);
    const json_value *name = json_get(v, "deviceName");
    const int version = (int)number(v, "deviceVer");
    *d = (sim_device){
        .major = version / 100,
        .minor = version / 10 % 10,
        .processors = (int)number(v, "multiProcessorCount"),
        .clock_khz = (int)number(v, "smClockRateKHz"),
        .memory_clock_khz = (int)number(v, "memClockRateKHz"),
        .max_blocks_per_sm = (int)number(v, "maxCtasPerSM"),
        .max_threads_per_sm = (int)number(v, "maxThreadsPerSM"),
        .shared_per_block = (int)number(v, "maxSharedMemoryPerBlock"),
        .shared_optin = (int)number(v, "maxSharedMemoryPerBlockOptin"),
        .shared_reserved = (int)number(v, "reservedSharedMemoryPerBlock"),
        .registers_per_block = (int)number(v, "regsPerBlock"),
        .registers_per_sm = (int)number(v, "maxRegistersPerSM"),
        .l2_bytes = (int)number(v, "l2CacheSize"),
        .driver = (int)number(v, "driverVer"),
        .memory = number(v, "totalGlobalMem"),
        .json = text,
    };
    snprintf(d->name, sizeof d->name, "%s", name && name->kind == JSON_STRING ? name->string : "device");
    const long limit = sim_setting("GPUSIM_MEMORY_MIB", 0);
    if (limit > 0) d->memory = (int64_t)limit << 20;
    ir_arena_free(arena);
}

int sim_device_count(void) {
    static bool ready;
    if (ready) return device_count;
    ready = true;
    const char *files = getenv("GPUSIM_DEVICE");
    char *const list = files && *files ? strdup(files) : NULL;
    int found = 0;
    char *rest = NULL;
    for (char *f = list ? strtok_r(list, ":", &rest) : NULL; f && found < SIM_MAX_DEVICES;
         f = strtok_r(NULL, ":", &rest))
        read_device(&devices[found++], read_file(f));
    free(list);
    if (found == 0) read_device(&devices[found++], plain_device);
    const long wanted = sim_setting("GPUSIM_DEVICES", found);
    device_count = wanted < 0 ? 0 : wanted > SIM_MAX_DEVICES ? SIM_MAX_DEVICES : (int)wanted;
    for (int i = found; i < device_count; i++) devices[i] = devices[i % found];
    return device_count;
}

const sim_device *sim_get_device(int i) {
    if (i >= sim_device_count()) sim_die("device %d of %d", i, device_count);
    return &devices[i];
}

int sim_current_device(void) {
    return current;
}

/* ---- calls --------------------------------------------------------------------------------------- */

cudaError_t cudaGetDeviceCount(int *count) {
    *count = 0;
    if (sim_begin("cudaGetDeviceCount")) return sim_result(cudaErrorUnknown);
    *count = sim_device_count();
    return sim_result(*count > 0 ? cudaSuccess : cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int device) {
    if (sim_begin("cudaSetDevice")) return sim_result(cudaErrorUnknown);
    if (device < 0 || device >= sim_device_count()) return sim_result(cudaErrorInvalidDevice);
    current = device;
    return sim_result(cudaSuccess);
}

cudaError_t cudaGetDevice(int *device) {
    if (sim_begin("cudaGetDevice")) return sim_result(cudaErrorUnknown);
    *device = current;
    return sim_result(sim_device_count() > 0 ? cudaSuccess : cudaErrorNoDevice);
}

static void describe(const sim_device *d, struct cudaDeviceProp *p) {
    *p = (struct cudaDeviceProp){
        .totalGlobalMem = (size_t)d->memory,
        .sharedMemPerBlock = (size_t)d->shared_per_block,
        .regsPerBlock = d->registers_per_block,
        .warpSize = 32,
        .maxThreadsPerBlock = 1024,
        .maxThreadsDim = {1024, 1024, 64},
        .maxGridSize = {2147483647, 65535, 65535},
        .totalConstMem = 65536,
        .major = d->major,
        .minor = d->minor,
        .textureAlignment = 512,
        .multiProcessorCount = d->processors,
        .unifiedAddressing = 1,
        .asyncEngineCount = 2,
        .memoryBusWidth = 256,
        .l2CacheSize = d->l2_bytes,
        .maxThreadsPerMultiProcessor = d->max_threads_per_sm,
        .sharedMemPerMultiprocessor = (size_t)(d->shared_optin + d->shared_reserved),
        .regsPerMultiprocessor = d->registers_per_sm,
        .concurrentKernels = 1,
        .sharedMemPerBlockOptin = (size_t)d->shared_optin,
        .reservedSharedMemPerBlock = (size_t)d->shared_reserved,
        .maxBlocksPerMultiProcessor = d->max_blocks_per_sm,
    };
    memcpy(p->name, d->name, sizeof d->name);
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device) {
    if (sim_begin("cudaGetDeviceProperties")) return sim_result(cudaErrorUnknown);
    if (device < 0 || device >= sim_device_count()) return sim_result(cudaErrorInvalidDevice);
    describe(sim_get_device(device), p);
    return sim_result(cudaSuccess);
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device) {
    if (sim_begin("cudaDeviceGetAttribute")) return sim_result(cudaErrorUnknown);
    if (device < 0 || device >= sim_device_count()) return sim_result(cudaErrorInvalidDevice);
    const sim_device *d = sim_get_device(device);
    const struct {
        enum cudaDeviceAttr attribute;
        int value;
    } table[] = {
        {cudaDevAttrComputeCapabilityMajor, d->major},
        {cudaDevAttrComputeCapabilityMinor, d->minor},
        {cudaDevAttrMultiProcessorCount, d->processors},
        {cudaDevAttrMaxThreadsPerBlock, 1024},
        {cudaDevAttrMaxSharedMemoryPerBlock, d->shared_per_block},
        {cudaDevAttrMaxSharedMemoryPerBlockOptin, d->shared_optin},
        {cudaDevAttrReservedSharedMemoryPerBlock, d->shared_reserved},
        {cudaDevAttrMaxSharedMemoryPerMultiprocessor, d->shared_optin + d->shared_reserved},
        {cudaDevAttrMaxThreadsPerMultiProcessor, d->max_threads_per_sm},
        {cudaDevAttrMaxBlocksPerMultiprocessor, d->max_blocks_per_sm},
        {cudaDevAttrMaxRegistersPerBlock, d->registers_per_block},
        {cudaDevAttrMaxRegistersPerMultiprocessor, d->registers_per_sm},
        {cudaDevAttrClockRate, d->clock_khz},
        {cudaDevAttrMemoryClockRate, d->memory_clock_khz},
        {cudaDevAttrGlobalMemoryBusWidth, 256},
        {cudaDevAttrL2CacheSize, d->l2_bytes},
        {cudaDevAttrWarpSize, 32},
        {cudaDevAttrConcurrentKernels, 1},
        {cudaDevAttrAsyncEngineCount, 2},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].attribute != attribute) continue;
        *value = table[i].value;
        return sim_result(cudaSuccess);
    }
    sim_die("cudaDeviceGetAttribute: the simulator does not know attribute %d", (int)attribute);
}

cudaError_t cudaDriverGetVersion(int *version) {
    if (sim_begin("cudaDriverGetVersion")) return sim_result(cudaErrorUnknown);
    *version = sim_device_count() > 0 ? sim_get_device(0)->driver : 0;
    return sim_result(cudaSuccess);
}

cudaError_t cudaRuntimeGetVersion(int *version) {
    if (sim_begin("cudaRuntimeGetVersion")) return sim_result(cudaErrorUnknown);
    *version = CUDART_VERSION;
    return sim_result(cudaSuccess);
}
