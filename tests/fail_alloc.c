/* A library to preload: the FAIL_ALLOC-th allocation of the process, and every later one, fails. Its count of
 * calls goes to the file FAIL_ALLOC_LOG at exit when no failure is asked for. With FAIL_ALLOC_ONLY=realloc
 * only reallocations count and fail. */
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_long calls;
static long fail_at = -1;
static int only_realloc;

enum { NEW, AGAIN };

static int fails(int kind) {
    if (fail_at < 0) {
        const char *text = getenv("FAIL_ALLOC");
        only_realloc = getenv("FAIL_ALLOC_ONLY") != NULL;
        fail_at = text ? atol(text) : 0;
    }
    if (only_realloc && kind != AGAIN) return 0;
    long n = atomic_fetch_add(&calls, 1) + 1;
    return fail_at > 0 && n >= fail_at;
}

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t m);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t a, size_t n);
void *malloc(size_t n);
void *calloc(size_t n, size_t m);
void *realloc(void *p, size_t n);
void *aligned_alloc(size_t a, size_t n);
int posix_memalign(void **p, size_t a, size_t n);

void *malloc(size_t n) {
    return fails(NEW) ? NULL : __libc_malloc(n);
}
void *calloc(size_t n, size_t m) {
    return fails(NEW) ? NULL : __libc_calloc(n, m);
}
void *realloc(void *p, size_t n) {
    return fails(AGAIN) ? NULL : __libc_realloc(p, n);
}
void *aligned_alloc(size_t a, size_t n) {
    return fails(NEW) ? NULL : __libc_memalign(a, n);
}
int posix_memalign(void **p, size_t a, size_t n) {
    *p = fails(NEW) ? NULL : __libc_memalign(a, n);
    return *p ? 0 : 12;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("FAIL_ALLOC_LOG");
    FILE *f = path && fail_at == 0 ? fopen(path, "w") : NULL;
    if (!f) return;
    fprintf(f, "%ld\n", atomic_load(&calls));
    fclose(f);
}
