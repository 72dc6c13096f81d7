/* sim.h: what the parts of the simulated GPU share: device memory with a record of what has been written,
 * reports, devices, and the count of calls in which failures are injected.
 *
 * gpusim is a library for LD_PRELOAD. It stands in for the CUDA runtime and for the part of cuDNN that needs
 * a device, so that an unmodified program built by nvcc (-cudart shared, with PTX) runs on the CPU; README.md
 * in this folder says what it checks. All of it runs under one lock (sim_lock), the blocks of a kernel
 * excepted.
 */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_PUBLIC __attribute__((visibility("default")))
enum { SIM_EXIT_ERROR = 86, SIM_EXIT_LEAK = 87, SIM_MAX_DEVICES = 16, SIM_ANY_DEVICE = SIM_MAX_DEVICES };

/* ---- reports ------------------------------------------------------------------------------------- */

/* A misuse that a real GPU would answer with wrong numbers or a crash: prints "gpusim: ..." and ends the
 * program with SIM_EXIT_ERROR. */
_Noreturn void sim_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
void sim_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* calloc that dies instead of returning NULL. */
void *sim_new(size_t count, size_t bytes);
void *sim_grow(void *p, size_t count, size_t bytes);
/* The number in an environment variable, or otherwise where it is not set. */
long sim_setting(const char *name, long otherwise);

/* Entered by every call of either library; recursive. */
void sim_lock(void);
void sim_unlock(void);
/* Counts a call that can fail, and says whether this one shall (GPUSIM_FAIL=N: the N-th;
 * GPUSIM_FAIL=NAME:N: the N-th of that name). */
bool sim_fails(const char *call);

/* What lives until the program destroys it; the number alive of each kind is checked at exit. */
typedef enum sim_kind {
    SIM_DEVICE_MEMORY,
    SIM_PINNED_MEMORY,
    SIM_STREAM,
    SIM_EVENT,
    SIM_GRAPH,
    SIM_GRAPH_EXEC,
    SIM_HANDLE,
    SIM_DESCRIPTOR,
    SIM_KINDS
} sim_kind;
void sim_born(sim_kind kind);
void sim_died(sim_kind kind);

/* ---- memory -------------------------------------------------------------------------------------- */

/* A device pointer is a host pointer into address space of the simulator's own; addresses are never used
 * twice, so that what is freed stays recognisable. */
typedef struct sim_buffer {
    uintptr_t base;
    size_t size;
    int device; /* -1: pinned host memory; SIM_ANY_DEVICE: a variable of a module */
    int id;     /* counts allocations from 1 */
    bool freed, constant;
    const char *kind; /* "device buffer" */
} sim_buffer;

/* NULL where the device (-1: pinned host memory) has no room. Contents are poison that counts as unwritten;
 * pinned memory counts as written. */
void *sim_allocate(int device, size_t size);
/* False unless p is what sim_allocate returned for that kind of memory and not freed. */
bool sim_release(void *p, bool pinned);
/* The live buffer that holds the address, or NULL. Safe while kernels run. */
const sim_buffer *sim_find(uintptr_t address);
/* The buffer that was allocated as p itself, to change what is known of it. */
sim_buffer *sim_buffer_at(const void *p);
/* Where the simulator finds the byte of device memory at an address. */
uint8_t *sim_bytes(uintptr_t address);
/* One byte per byte of device memory, not 0 where it has been written. */
uint8_t *sim_written(uintptr_t address);
/* Dies, naming the call, unless [p, p + n) is memory of some device (and, to be read, written before). */
void sim_check_device(const char *call, const void *p, size_t n, bool read);
void sim_mark_written(const void *p, size_t n);
/* Dies if a host buffer is in device memory or reaches into it. */
void sim_check_host(const char *call, const void *p, size_t n);
/* Describes where an address lies: inside, before or behind which buffer. */
const char *sim_where(uintptr_t address, char *text, size_t n);
/* Accesses that are noted for race.h: a mark per byte, for reads and for writes. Any thread of a kernel may
 * touch. */
enum { SIM_PAGE = 1 << 12 };
extern bool sim_noting; /* GPUSIM_SEED is set; known from the first allocation on */
void sim_touch_bytes(uintptr_t address, size_t n, bool write);
static inline void sim_touch(uintptr_t address, size_t n, bool write) {
    if (sim_noting) sim_touch_bytes(address, n, write);
}
uint8_t *sim_mark(uintptr_t address, bool write);
/* The pages that were touched since the last call, ascending; valid until the next touch. */
size_t sim_take_touched(const uintptr_t **pages);
size_t sim_device_bytes_used(int device);

/* ---- devices ------------------------------------------------------------------------------------- */

typedef struct sim_device {
    char name[64];
    int major, minor, processors, clock_khz, memory_clock_khz, max_blocks_per_sm, max_threads_per_sm;
    int shared_per_block, shared_optin, shared_reserved, registers_per_block, registers_per_sm, l2_bytes;
    int driver;
    int64_t memory;
    const char *json; /* as cuDNN takes it */
} sim_device;

/* Read from GPUSIM_DEVICE (a JSON file); GPUSIM_DEVICES of them, all alike unless GPUSIM_DEVICE lists several
 * files with colons between. */
int sim_device_count(void);
const sim_device *sim_get_device(int i);
int sim_current_device(void);

#endif
