/* fatbin.c: the container of code that nvcc embeds; its layout was found by looking at what nvcc 12 and 13
 * write. */
#include "fatbin.h"
#include "sim.h"

#include <dlfcn.h>
#include <string.h>

enum { WRAPPER_MAGIC = 0x466243b1, KIND_PTX = 1, FLAG_LZ4 = 0x2000, FLAG_ZSTD = 0x8000 };
#define MAGIC 0xba55ed50u

typedef struct wrapper {
    uint32_t magic, version;
    const uint8_t *data;
} wrapper;

typedef struct header {
    uint32_t magic;
    uint16_t version, size;
    uint64_t bytes; /* of the entries behind it */
} header;

typedef struct entry {
    uint16_t kind, version;
    uint32_t header_bytes;
    uint64_t padded_bytes; /* of the payload behind the header */
    uint32_t compressed_bytes, reserved0;
    uint16_t minor, major;
    uint32_t architecture; /* 10 * major + minor of the compute capability */
    uint64_t reserved1, flags, reserved2, plain_bytes;
} entry;

/* LZ4 block format: a token with two lengths, literals, and a distance to copy from. */
static bool unpack_lz4(uint8_t *to, size_t room, const uint8_t *from, size_t n) {
    size_t out = 0;
    const uint8_t *const end = from + n;
    while (from < end) {
        const unsigned token = *from++;
        size_t literals = token >> 4, length = (token & 15) + 4;
        for (unsigned b = literals == 15 ? 255 : 0; b == 255 && from < end; literals += b) b = *from++;
        if (literals > (size_t)(end - from) || literals > room - out) return false;
        memcpy(to + out, from, literals);
        out += literals;
        from += literals;
        if (end - from < 2) break;
        const size_t distance = from[0] | (size_t)from[1] << 8;
        from += 2;
        for (unsigned b = (token & 15) == 15 ? 255 : 0; b == 255 && from < end; length += b) b = *from++;
        if (distance == 0 || distance > out || length > room - out) return false;
        for (size_t i = 0; i < length; i++, out++) to[out] = to[out - distance];
    }
    return out == room;
}

/* libzstd is found at run time, because only what nvcc 13 packs needs it and its headers are rarely there. */
static bool unpack_zstd(uint8_t *to, size_t room, const uint8_t *from, size_t n) {
    size_t (*decompress)(void *, size_t, const void *, size_t) = NULL;
    void *const library = dlopen("libzstd.so.1", RTLD_NOW);
    if (!library)
        sim_die("the PTX is packed with zstd, and libzstd.so.1 is missing: nvcc -no-compress does without");
    void *const symbol = dlsym(library, "ZSTD_decompress");
    memcpy(&decompress, &symbol, sizeof symbol);
    return decompress && decompress(to, room, from, n) == room;
}

static char *text_of(const entry *e) {
    const uint8_t *const payload = (const uint8_t *)e + e->header_bytes;
    const bool packed = e->flags & (FLAG_LZ4 | FLAG_ZSTD);
    const size_t n = packed ? e->plain_bytes : e->padded_bytes;
    uint8_t *text = sim_new(n + 1, 1);
    bool good = true;
    if (e->flags & FLAG_ZSTD)
        good = unpack_zstd(text, n, payload, e->compressed_bytes);
    else if (e->flags & FLAG_LZ4)
        good = unpack_lz4(text, n, payload, e->compressed_bytes);
    else
        memcpy(text, payload, n);
    if (!good || !strstr((char *)text, ".version")) sim_die("PTX in the program's fat binary cannot be read");
    return (char *)text;
}

/* Whether architecture a suits the wanted one better than b. */
static bool better(uint32_t a, uint32_t b, uint32_t wanted) {
    if (a <= wanted) return b > wanted || a > b;
    return b > wanted && a < b;
}

char *sim_fatbin_ptx(const void *program, int major, int minor) {
    const wrapper *w = program;
    if (w->magic != WRAPPER_MAGIC) sim_die("the program's fat binary has an unknown wrapper");
    header h;
    memcpy(&h, w->data, sizeof h);
    if (h.magic != MAGIC) sim_die("the program's fat binary has an unknown format");
    const entry *best = NULL;
    for (const uint8_t *p = w->data + h.size, *end = p + h.bytes; p < end;) {
        const entry *e = (const entry *)(const void *)p;
        if (e->kind == KIND_PTX &&
            (!best || better(e->architecture, best->architecture, (uint32_t)(10 * major + minor))))
            best = e;
        p += e->header_bytes + e->padded_bytes;
    }
    return best ? text_of(best) : NULL;
}
