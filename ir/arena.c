/* arena.c: memory that lives as long as a compilation. Small objects share chunks; a large one gets its own,
 * from calloc, so that untouched pages of big tensors cost nothing. */
#include "ir.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, CHUNK = 64 * 1024 };

typedef struct chunk {
    struct chunk *next;
} chunk;

struct ir_arena {
    chunk *chunks;
    char *at, *end; /* free part of the current chunk */
};

_Noreturn void ir_no_memory(const char *what) {
    fprintf(stderr, "voxc: out of memory: %s\n", what);
    exit(IR_EXIT_FAILURE);
}

static _Noreturn void out_of_memory(size_t count, size_t size) {
    char what[64];
    snprintf(what, sizeof what, "%zu x %zu bytes", count, size);
    ir_no_memory(what);
}

ir_arena *ir_arena_new(void) {
    ir_arena *a = calloc(1, sizeof *a);
    if (!a) out_of_memory(1, sizeof *a);
    return a;
}

void ir_arena_free(ir_arena *a) {
    if (!a) return;
    for (chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

static char *align_up(char *p) {
    return p + (ALIGN - (uintptr_t)p % ALIGN) % ALIGN;
}

/* `size` usable bytes at an aligned address, or NULL. */
static char *new_chunk(ir_arena *a, size_t size) {
    if (size > SIZE_MAX - sizeof(chunk) - ALIGN) return NULL;
    chunk *c = calloc(1, sizeof *c + ALIGN + size);
    if (!c) return NULL;
    c->next = a->chunks;
    a->chunks = c;
    return align_up((char *)(c + 1));
}

void *ir_alloc(ir_arena *a, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGN) out_of_memory(count, size);
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes > CHUNK / 4) {
        char *p = new_chunk(a, bytes);
        if (!p) out_of_memory(count, size);
        return p;
    }
    if ((size_t)(a->end - a->at) < bytes || !a->at) {
        a->at = new_chunk(a, CHUNK);
        if (!a->at) out_of_memory(count, size);
        a->end = a->at + CHUNK;
    }
    char *p = a->at;
    a->at += bytes;
    return p;
}

char *ir_strdup(ir_arena *a, const char *s) {
    size_t n = strlen(s) + 1;
    return memcpy(ir_alloc(a, n, 1), s, n);
}

char *ir_format(ir_arena *a, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) ir_die("bad format string '%s'", fmt);
    char *s = ir_alloc(a, (size_t)n + 1, 1);
    vsnprintf(s, (size_t)n + 1, fmt, again);
    va_end(again);
    return s;
}
