/* A library to preload: the FAIL_FILE-th call of the process that is about files fails with the error
 * FAIL_ERRNO, or, where FAIL_ERRNO is 0, kills the process before it happens. With FAIL_ALWAYS every later
 * call that needs room fails too, as on a full disk. The count of calls goes to the file FAIL_LOG at exit.
 * With FAIL_READS only calls that open or read a file count. With FAIL_ONLY that happens in programs of that
 * file name only. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_long calls;

static long number(const char *name) {
    const char *text = getenv(name);
    return text ? atol(text) : 0;
}

static int is_meant(void) {
    const char *only = getenv("FAIL_ONLY");
    return !only || strcmp(only, program_invocation_short_name) == 0;
}

enum { OTHER, ROOM, READ }; /* a call that may write to the disk; one that opens or reads */

static int fails(int kind) {
    static long fail_at = -1, error, always, reads;
    if (fail_at < 0) {
        error = number("FAIL_ERRNO");
        always = number("FAIL_ALWAYS");
        reads = number("FAIL_READS");
        fail_at = is_meant() ? number("FAIL_FILE") : 0;
    }
    if (reads && kind != READ) return 0;
    long n = atomic_fetch_add(&calls, 1) + 1;
    if (fail_at == 0 || n < fail_at || (n > fail_at && !(always && kind == ROOM))) return 0;
    if (error == 0) raise(SIGKILL);
    errno = (int)error;
    return 1;
}

/* The function that this library stands before. */
static void *next(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) abort();
    return found;
}

#define WRAP(type, name, bad, room, parameters, arguments)                                                   \
    type name parameters;                                                                                    \
    type name parameters {                                                                                   \
        type(*real) parameters;                                                                              \
        *(void **)&real = next(#name);                                                                       \
        return fails(room) ? (bad) : real arguments;                                                         \
    }

/* The descriptor or stream is gone even when this fails. */
#define WRAP_CLOSE(name, type, bad, counted)                                                                 \
    int name(type x);                                                                                        \
    int name(type x) {                                                                                       \
        int (*real)(type), result;                                                                           \
        *(void **)&real = next(#name);                                                                       \
        int failed = (counted) && fails(0), error = errno;                                                   \
        result = real(x);                                                                                    \
        if (failed) errno = error;                                                                           \
        return failed ? (bad) : result;                                                                      \
    }

#define WRAP_OPEN(name)                                                                                      \
    int name(const char *path, int flags, ...);                                                              \
    int name(const char *path, int flags, ...) {                                                             \
        va_list ap;                                                                                          \
        va_start(ap, flags);                                                                                 \
        int mode = flags & O_CREAT ? va_arg(ap, int) : 0;                                                    \
        va_end(ap);                                                                                          \
        int (*real)(const char *, int, ...);                                                                 \
        *(void **)&real = next(#name);                                                                       \
        return fails(flags & O_CREAT ? ROOM : READ) ? -1 : real(path, flags, mode);                          \
    }

/* ferror tells. */
static size_t spoil(FILE *f) {
    int error = errno;
    if (f) f->_flags |= 0x20; /* glibc's _IO_ERR_SEEN */
    errno = error;
    return 0;
}

/* A stream in memory is no file. */
static int is_file(FILE *f) {
    const int error = errno, fd = f == stdout || f == stderr || f == stdin ? -1 : fileno(f);
    errno = error;
    return fd >= 0;
}

#define WRAP_STREAM(name, pointer, room)                                                                     \
    size_t name(pointer p, size_t size, size_t n, FILE *f);                                                  \
    size_t name(pointer p, size_t size, size_t n, FILE *f) {                                                 \
        size_t (*real)(pointer, size_t, size_t, FILE *);                                                     \
        *(void **)&real = next(#name);                                                                       \
        return is_file(f) && fails(room) ? spoil(f) : real(p, size, n, f);                                   \
    }

/* Over what is there no rename needs room, and no mkdir comes so far. */
static int is_free(const char *path) {
    struct stat s;
    int (*real)(const char *, struct stat *), error = errno;
    *(void **)&real = next("lstat");
    int there = real(path, &s) == 0;
    errno = error;
    return !there;
}

WRAP_OPEN(open)
WRAP_OPEN(open64)
WRAP(ssize_t, read, -1, READ, (int fd, void *p, size_t n), (fd, p, n))
WRAP(ssize_t, pread, -1, READ, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(ssize_t, write, -1, 1, (int fd, const void *p, size_t n), (fd, p, n))
WRAP_CLOSE(close, int, -1, 1)
WRAP(int, rename, -1, is_free(b), (const char *a, const char *b), (a, b))
WRAP(int, fsync, -1, 1, (int fd), (fd))
WRAP(int, ftruncate, -1, 1, (int fd, off_t n), (fd, n))
WRAP(int, renameat2, -1, 1, (int x, const char *a, int y, const char *b, unsigned flags), (x, a, y, b, flags))
WRAP(int, linkat, -1, 1, (int x, const char *a, int y, const char *b, int flags), (x, a, y, b, flags))
WRAP(int, mkdir, -1, is_free(path), (const char *path, mode_t mode), (path, mode))
WRAP(int, rmdir, -1, 0, (const char *path), (path))
WRAP(int, unlink, -1, 0, (const char *path), (path))
WRAP(int, remove, -1, 0, (const char *path), (path))
WRAP(int, chmod, -1, 0, (const char *path, mode_t mode), (path, mode))
WRAP(int, fchmod, -1, 0, (int fd, mode_t mode), (fd, mode))
WRAP(int, access, -1, 0, (const char *path, int mode), (path, mode))
WRAP(int, statx, -1, 0, (int at, const char *path, int how, unsigned mask, struct statx *s),
     (at, path, how, mask, s))
WRAP(int, stat, -1, 0, (const char *path, struct stat *s), (path, s))
WRAP(int, lstat, -1, 0, (const char *path, struct stat *s), (path, s))
WRAP(int, fstat, -1, 0, (int fd, struct stat *s), (fd, s))
WRAP(int, nftw, -1, 0, (const char *path, __nftw_func_t f, int n, int flags), (path, f, n, flags))
WRAP(off_t, lseek, -1, 0, (int fd, off_t at, int from), (fd, at, from))
WRAP(int, dup, -1, 0, (int fd), (fd))
WRAP(char *, realpath, NULL, 0, (const char *path, char *out), (path, out))
WRAP(ssize_t, readlink, -1, 0, (const char *path, char *out, size_t n), (path, out, n))
WRAP(char *, getcwd, NULL, 0, (char *out, size_t n), (out, n))
WRAP(DIR *, opendir, NULL, 0, (const char *path), (path))
WRAP(struct dirent *, readdir, NULL, 0, (DIR * dir), (dir))
WRAP(void *, mmap, MAP_FAILED, 0, (void *p, size_t n, int how, int flags, int fd, off_t at),
     (p, n, how, flags, fd, at))
WRAP(FILE *, fopen, NULL, strchr(mode, 'w') ? ROOM : READ, (const char *path, const char *mode), (path, mode))
WRAP(FILE *, fopen64, NULL, strchr(mode, 'w') ? ROOM : READ, (const char *path, const char *mode),
     (path, mode))
WRAP(FILE *, fdopen, NULL, 0, (int fd, const char *mode), (fd, mode))
WRAP_STREAM(fread, void *, READ)
WRAP_STREAM(fwrite, const void *, 1)
WRAP_CLOSE(fclose, FILE *, EOF, is_file(x))

int fflush(FILE *f);
int fflush(FILE *f) {
    int (*real)(FILE *);
    *(void **)&real = next("fflush");
    if (!f || !is_file(f) || !fails(1)) return real(f);
    spoil(f);
    return EOF;
}

__attribute__((destructor)) static void report(void) {
    const char *path = getenv("FAIL_LOG");
    long n = atomic_load(&calls);
    FILE *f = path && is_meant() ? fopen(path, "w") : NULL;
    if (!f) return;
    fprintf(f, "%ld\n", n);
    fclose(f);
}
