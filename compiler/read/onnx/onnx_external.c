/* onnx_external.c: weights in a file beside the model.
 *
 * The location is whatever the model's author wrote, so it is distrusted: it must be relative, without "..",
 * and must lie inside the model's folder after all symbolic links are followed. */
#include "onnx_tensor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct external {
    const char *location;
    int64_t offset, length; /* -1: not given */
} external;

static bool parse_size(const char *text, int64_t *v) {
    char *end;
    errno = 0;
    long long n = strtoll(text, &end, 10);
    if (errno || end == text || *end || n < 0 || *text < '0' || *text > '9') return false;
    *v = n;
    return true;
}

static bool external_entry(const Onnx__StringStringEntryProto *e, external *x, const char *where,
                           ir_diag *d) {
    const char *key = e->key ? e->key : "", *value = e->value ? e->value : "";
    if (strcmp(key, "location") == 0) {
        x->location = value;
        return true;
    }
    if (strcmp(key, "checksum") == 0) return true; /* a hint by the specification; nobody writes it */
    int64_t *size = strcmp(key, "offset") == 0 ? &x->offset : strcmp(key, "length") == 0 ? &x->length : NULL;
    if (!size) return ir_fail(d, IR_EXIT_UNSUPPORTED, "%s: unknown external data key '%s'", where, key);
    if (!parse_size(value, size))
        return ir_fail(d, IR_EXIT_INPUT, "%s: external data %s '%s' is not a size", where, key, value);
    return true;
}

static bool stays_inside(const char *location) {
    if (!*location || *location == '/' || strchr(location, '\\')) return false;
    for (const char *p = location; *p;) {
        size_t n = strcspn(p, "/");
        if (n == 2 && p[0] == '.' && p[1] == '.') return false;
        p += n + (p[n] == '/');
    }
    return true;
}

/* The real path of folder/location, malloc'd. */
static char *external_path(const char *folder, const char *location, const char *where, ir_diag *d) {
    if (!stays_inside(location)) {
        ir_fail(d, IR_EXIT_INPUT, "%s: external data location '%s' may not leave the model's folder", where,
                location);
        return NULL;
    }
    size_t n = strlen(folder) + strlen(location) + 2;
    char *joined = malloc(n), *root = realpath(folder, NULL), *real = NULL;
    if (joined) {
        snprintf(joined, n, "%s/%s", folder, location);
        real = realpath(joined, NULL);
    }
    if (!real) {
        ir_fail(d, IR_EXIT_INPUT, "%s: cannot open external data file '%s' beside the model: %s", where,
                location, strerror(errno));
    } else if (!root || strncmp(real, root, strlen(root)) != 0 ||
               (real[strlen(root)] != '/' && strcmp(root, "/") != 0)) {
        ir_fail(d, IR_EXIT_INPUT, "%s: external data location '%s' leads out of the model's folder", where,
                location);
        free(real);
        real = NULL;
    }
    free(joined);
    free(root);
    return real;
}

static bool read_all(int fd, unsigned char *p, size_t n, off_t at) {
    while (n) {
        ssize_t got = pread(fd, p, n < (size_t)1 << 30 ? n : (size_t)1 << 30, at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        p += got;
        n -= (size_t)got;
        at += got;
    }
    return true;
}

static void *external_bytes(int fd, const external *x, size_t bytes, const char *where, ir_diag *d) {
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        ir_fail(d, IR_EXIT_INPUT, "%s: external data '%s' is not a regular file", where, x->location);
        return NULL;
    }
    int64_t offset = x->offset < 0 ? 0 : x->offset;
    if (offset > st.st_size || (uint64_t)bytes > (uint64_t)(st.st_size - offset)) {
        ir_fail(d, IR_EXIT_INPUT,
                "%s: external data file '%s' has %lld bytes; %zu at offset %lld were expected", where,
                x->location, (long long)st.st_size, bytes, (long long)offset);
        return NULL;
    }
    void *data = malloc(bytes + 1);
    if (!data) {
        ir_fail(d, IR_EXIT_FAILURE, "%s: out of memory for %zu bytes", where, bytes);
    } else if (!read_all(fd, data, bytes, offset)) {
        ir_fail(d, IR_EXIT_INPUT, "%s: cannot read external data file '%s': %s", where, x->location,
                strerror(errno));
        free(data);
        data = NULL;
    }
    return data;
}

void *onnx_external_read(const Onnx__TensorProto *t, const char *folder, size_t bytes, const char *where,
                         ir_diag *d) {
    external x = {NULL, -1, -1};
    for (size_t i = 0; i < t->n_external_data; i++)
        if (!external_entry(t->external_data[i], &x, where, d)) return NULL;
    if (!x.location) {
        ir_fail(d, IR_EXIT_INPUT, "%s: external data without a location", where);
        return NULL;
    }
    if (x.length >= 0 && (uint64_t)x.length != bytes) {
        ir_fail(d, IR_EXIT_INPUT, "%s: the shape needs %zu bytes, the external data's length is %lld", where,
                bytes, (long long)x.length);
        return NULL;
    }
    char *path = external_path(folder, x.location, where, d);
    if (!path) return NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hang us */
    void *data = NULL;
    if (fd < 0)
        ir_fail(d, IR_EXIT_INPUT, "%s: cannot open external data file '%s': %s", where, x.location,
                strerror(errno));
    else
        data = external_bytes(fd, &x, bytes, where, d);
    if (fd >= 0) close(fd);
    free(path);
    return data;
}
