/* files.c: whole-file reads, atomic writes. Contract: files.h. */
#include "files.h"
#include "files_temp.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *advice(int error) {
    switch (error) {
    case ENOENT:
        return "check the name";
    case EACCES:
    case EPERM:
    case EROFS:
        return "check the permissions or choose another place";
    case ENOSPC:
    case EDQUOT:
        return "free some space or choose another place";
    case EISDIR:
    case ENOTDIR:
        return "name a file, not a folder";
    default:
        return "check the path";
    }
}

/* Grows *buf to hold at least need + 1 bytes. */
static bool grow_buffer(char **buf, size_t *cap, size_t need) {
    if (need < *cap) return true;
    size_t next = *cap ? *cap : 65536;
    while (next <= need) {
        if (next > SIZE_MAX / 2) return false;
        next *= 2;
    }
    char *p = realloc(*buf, next);
    if (!p) return false;
    *buf = p;
    *cap = next;
    return true;
}

static bool too_large(const char *path, size_t max, ir_diag *d) {
    return ir_fail(d, IR_EXIT_INPUT, "%s: larger than %zu bytes, the most that is read of this kind of file",
                   path, max);
}

/* Reads fd to its end; pipes have no size to trust, so max is checked as the bytes arrive. */
static bool read_all(int fd, const char *path, size_t max, char **buf, size_t *cap, size_t *n, ir_diag *d) {
    for (;;) {
        if (!grow_buffer(buf, cap, *n + 1))
            return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory after %zu bytes", path, *n);
        ssize_t got;
        VOX_RETRY(got, read(fd, *buf + *n, *cap - *n - 1));
        if (got < 0) return ir_fail(d, IR_EXIT_INPUT, "%s: cannot read: %s", path, strerror(errno));
        if (got == 0) return true;
        *n += (size_t)got;
        if (*n > max) return too_large(path, max, d);
    }
}

static bool read_open(int fd, const char *path, size_t max, char **buf, size_t *n, ir_diag *d) {
    struct stat st;
    size_t cap = 0;
    if (fstat(fd, &st) != 0) return ir_fail(d, IR_EXIT_INPUT, "%s: cannot read: %s", path, strerror(errno));
    if (S_ISDIR(st.st_mode)) return ir_fail(d, IR_EXIT_INPUT, "%s: is a folder, expected a file", path);
    if (S_ISREG(st.st_mode)) {
        if ((uint64_t)st.st_size > max) return too_large(path, max, d);
        if (!grow_buffer(buf, &cap, (size_t)st.st_size + 2))
            return ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory for %jd bytes", path, (intmax_t)st.st_size);
    }
    return read_all(fd, path, max, buf, &cap, n, d);
}

char *file_read(const char *path, size_t max, size_t *n, ir_diag *d) {
    char *buf = NULL;
    *n = 0;
    int fd;
    VOX_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0) {
        ir_fail(d, IR_EXIT_INPUT, "%s: cannot read: %s; %s", path, strerror(errno), advice(errno));
        return NULL;
    }
    bool ok = read_open(fd, path, max, &buf, n, d);
    close(fd);
    if (!ok) {
        free(buf);
        return NULL;
    }
    buf[*n] = '\0';
    return buf;
}

static bool write_failed(const char *path, ir_diag *d) {
    int error = errno;
    return ir_fail(d, IR_EXIT_FAILURE, "%s: cannot write: %s; %s", path, strerror(error), advice(error));
}

static bool write_fd(int fd, const void *data, size_t n) {
    const char *p = data;
    while (n) {
        ssize_t put;
        VOX_RETRY(put, write(fd, p, n));
        if (put < 0) return false;
        p += put;
        n -= (size_t)put;
    }
    return true;
}

bool file_put(int fd, const char *path, const void *data, size_t n, ir_diag *d) {
    if (fd < 0) return write_failed(path, d);
    bool ok = write_fd(fd, data, n);
    int error = errno;
    /* A full disk may show only here. No fsync: a power cut is not a failure that voxc promises to survive,
     * and it costs seconds on a weight file. Not again after EINTR: the descriptor is gone. */
    if (close(fd) != 0 && ok && errno != EINTR) {
        ok = false;
        error = errno;
    }
    errno = error;
    return ok || write_failed(path, d);
}

static bool write_beside(const char *path, const struct stat *old, const void *data, size_t n, ir_diag *d) {
    int fd = -1;
    file_temp_sweep(path);
    int temp = vox_temp_create(&vox_temp_file, path, 0666, &fd);
    if (temp < 0) return write_failed(path, d);
    if (old && fchmod(fd, old->st_mode & 0777) != 0) errno = 0; /* keeping the mode is a courtesy */
    if (!file_put(fd, path, data, n, d)) {
        vox_temp_remove(temp);
        return false;
    }
    if (vox_temp_rename(temp, path)) return true;
    write_failed(path, d);
    vox_temp_remove(temp);
    return false;
}

bool file_write_atomic(const char *path, const void *data, size_t n, ir_diag *d) {
    struct stat st;
    if (stat(path, &st) != 0) {
        if (errno != ENOENT) return write_failed(path, d);
        return write_beside(path, NULL, data, n, d);
    }
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return write_failed(path, d);
    }
    if (!S_ISREG(st.st_mode)) {
        int fd;
        VOX_RETRY(fd, open(path, O_WRONLY | O_CLOEXEC));
        return file_put(fd, path, data, n, d);
    }
    char *real = realpath(path, NULL); /* a link stays a link: what it names is replaced */
    bool ok = real ? write_beside(real, &st, data, n, d) : write_failed(path, d);
    free(real);
    return ok;
}
