/* memory.c: device and pinned memory, which bytes of it have been written, and which are being accessed.
 *
 * Reservations of address space lie side by side: memory, and for each of its bytes one of record, and of
 * marks where accesses are noted, at constant distances. Buffers are laid one behind the other with at least
 * GAP bytes of no access between.
 */
#include "sim.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { GAP = 1 << 16, PAGE = SIM_PAGE };
#define SPACE ((size_t)1 << 42)

static uint8_t *space, *storage, *record, *marks[2], *page_marks;
bool sim_noting;
static size_t used;
static sim_buffer **buffers; /* in the order of their addresses */
static int buffer_count, buffer_room;
static size_t in_use[SIM_MAX_DEVICES + 1];

static uint8_t *reserve(void) {
    void *p = mmap(NULL, SPACE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) sim_die("no address space for device memory");
    return p;
}

static void open_pages(uint8_t *p, size_t n) {
    if (mprotect(p, n, PROT_READ | PROT_WRITE) != 0) sim_die("the host has no memory left for a device");
}

static void close_pages(uint8_t *p, size_t n) {
    madvise(p, n, MADV_DONTNEED);
    mprotect(p, n, PROT_NONE);
}

static size_t pages(size_t n) {
    return (n + PAGE - 1) / PAGE * PAGE;
}

static sim_buffer *add_buffer(uintptr_t base, size_t size, int device) {
    if (buffer_count == buffer_room) {
        buffer_room = buffer_room ? 2 * buffer_room : 64;
        buffers = sim_grow(buffers, (size_t)buffer_room, sizeof *buffers);
    }
    sim_buffer *b = sim_new(1, sizeof *b);
    *b = (sim_buffer){.base = base, .size = size, .device = device, .id = buffer_count + 1};
    return buffers[buffer_count++] = b;
}

static void open_marks(size_t at, size_t n) {
    for (int i = 0; i < 2; i++) open_pages(marks[i] + at, n);
    const size_t first = at / PAGE / PAGE * PAGE, end = pages((at + n) / PAGE + 1);
    open_pages(page_marks + first, end - first);
}

void *sim_allocate(int device, size_t size) {
    if (!space) {
        space = reserve();
        storage = reserve();
        record = reserve();
        sim_noting = sim_setting("GPUSIM_SEED", 0) != 0;
        for (int i = 0; i < 2 && sim_noting; i++) marks[i] = reserve();
        if (sim_noting) page_marks = reserve();
    }
    const size_t n = pages(size ? size : 1);
    if (size > SPACE / 2 || used + n + (size_t)2 * GAP > SPACE) return NULL;
    if (device >= 0) {
        if (device < SIM_ANY_DEVICE && in_use[device] + n > (size_t)sim_get_device(device)->memory)
            return NULL;
        in_use[device] += n;
    }
    uint8_t *p = space + used + GAP;
    used += n + GAP;
    open_pages(device < 0 ? p : sim_bytes((uintptr_t)p), n);
    open_pages(record + (p - space), n);
    if (device < 0) memset(record + (p - space), 1, n);
    if (sim_noting) open_marks((size_t)(p - space), n);
    add_buffer((uintptr_t)p, size, device);
    return p;
}

sim_buffer *sim_buffer_at(const void *p) {
    for (int i = 0; i < buffer_count; i++)
        if (buffers[i]->base == (uintptr_t)p) return buffers[i];
    return NULL;
}

bool sim_release(void *p, bool pinned) {
    sim_buffer *b = sim_buffer_at(p);
    if (!b || b->freed || (b->device < 0) != pinned) return false;
    b->freed = true;
    const size_t n = pages(b->size ? b->size : 1);
    close_pages(pinned ? p : sim_bytes(b->base), n);
    close_pages(sim_written(b->base), n);
    if (b->device >= 0) in_use[b->device] -= n;
    return true;
}

size_t sim_device_bytes_used(int device) {
    return in_use[device];
}

/* The last buffer that begins at or before the address, freed or not; NULL: none. */
static const sim_buffer *before(uintptr_t address) {
    int low = 0, high = buffer_count;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (buffers[middle]->base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? buffers[low - 1] : NULL;
}

const sim_buffer *sim_find(uintptr_t address) {
    const sim_buffer *b = before(address);
    return b && !b->freed && address - b->base < b->size ? b : NULL;
}

uint8_t *sim_bytes(uintptr_t address) {
    return storage + (address - (uintptr_t)space);
}

uint8_t *sim_written(uintptr_t address) {
    return record + (address - (uintptr_t)space);
}

/* ---- accesses ------------------------------------------------------------------------------------ */

static pthread_mutex_t touched_lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t *touched;
static size_t touched_count, touched_room;

uint8_t *sim_mark(uintptr_t address, bool write) {
    return marks[write] + (address - (uintptr_t)space);
}

static void touch_page(uintptr_t page) {
    uint8_t *mark = page_marks + (page - (uintptr_t)space) / PAGE;
    if (__atomic_load_n(mark, __ATOMIC_RELAXED) || __atomic_exchange_n(mark, 1, __ATOMIC_RELAXED)) return;
    pthread_mutex_lock(&touched_lock);
    if (touched_count == touched_room) {
        touched_room = touched_room ? 2 * touched_room : 256;
        touched = sim_grow(touched, touched_room, sizeof *touched);
    }
    touched[touched_count++] = page;
    pthread_mutex_unlock(&touched_lock);
}

void sim_touch_bytes(uintptr_t address, size_t n, bool write) {
    if (n == 0) return;
    memset(sim_mark(address, write), 1, n);
    for (uintptr_t page = address / PAGE * PAGE; page < address + n; page += PAGE) touch_page(page);
}

static int by_address(const void *a, const void *b) {
    const uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

size_t sim_take_touched(const uintptr_t **list) {
    const size_t n = touched_count;
    if (n) qsort(touched, n, sizeof *touched, by_address);
    for (size_t i = 0; i < n; i++) page_marks[(touched[i] - (uintptr_t)space) / PAGE] = 0;
    *list = touched;
    touched_count = 0;
    return n;
}

/* ---- reports ------------------------------------------------------------------------------------- */

static const char *kind(const sim_buffer *b) {
    if (b->kind) return b->kind;
    return b->device < 0 ? "pinned host buffer" : "device buffer";
}

const char *sim_where(uintptr_t address, char *text, size_t n) {
    const sim_buffer *b = before(address);
    const uintptr_t start = (uintptr_t)space;
    if (address < start || address - start >= SPACE) {
        snprintf(text, n, "host memory, or no pointer at all");
    } else if (b && address - b->base < b->size) {
        snprintf(text, n, "byte %zu of %s #%d of %zu bytes%s", (size_t)(address - b->base), kind(b), b->id,
                 b->size, b->freed ? ", which is freed" : "");
    } else if (b && address - b->base - b->size < (size_t)GAP / 2) {
        snprintf(text, n, "%zu bytes behind the end of %s #%d of %zu bytes",
                 (size_t)(address - b->base - b->size), kind(b), b->id, b->size);
    } else {
        const sim_buffer *next = b              ? (b->id < buffer_count ? buffers[b->id] : NULL)
                                 : buffer_count ? buffers[0]
                                                : NULL;
        if (next)
            snprintf(text, n, "%zu bytes before %s #%d of %zu bytes", (size_t)(next->base - address),
                     kind(next), next->id, next->size);
        else
            snprintf(text, n, "no buffer");
    }
    return text;
}

void sim_check_device(const char *call, const void *p, size_t n, bool read) {
    char text[200];
    if (n == 0) return;
    const uintptr_t a = (uintptr_t)p;
    const sim_buffer *b = sim_find(a);
    if (!b || b->device < 0)
        sim_die("%s: %p is not device memory: %s", call, p, sim_where(a, text, sizeof text));
    if (n > b->size - (a - b->base))
        sim_die("%s: %zu bytes at %p reach past the end: %s", call, n, p, sim_where(a, text, sizeof text));
    if (!read) return;
    const uint8_t *hole = memchr(sim_written(a), 0, n);
    if (hole) {
        const uintptr_t at = a + (uintptr_t)(hole - sim_written(a));
        sim_die("%s reads memory that was never written: %s", call, sim_where(at, text, sizeof text));
    }
}

void sim_mark_written(const void *p, size_t n) {
    memset(sim_written((uintptr_t)p), 1, n);
}

void sim_check_host(const char *call, const void *p, size_t n) {
    char text[200];
    const uintptr_t a = (uintptr_t)p, start = (uintptr_t)space;
    if (n == 0 || !space || a < start || a - start >= SPACE) return;
    const sim_buffer *b = sim_find(a);
    if (!b || b->device >= 0 || n > b->size - (a - b->base))
        sim_die("%s: %zu bytes at %p are not host memory: %s", call, n, p, sim_where(a, text, sizeof text));
}
