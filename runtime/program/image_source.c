/* SPDX-License-Identifier: MIT-0 */
/* image_source.c: the bytes of image files, packed or not; see image_parts.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef VOX_WITH_ZLIB
#include <zlib.h>
#endif

#include "file_names.h"
#include "image_parts.h"
#include "owner.h"
#include "report.h"

enum { BUFFER = 1 << 16, DEFLATE_LIMIT = 1032 /* zlib's best ratio, zlib.net/zlib_tech.html */ };

int vox_source_open(vox_source *s, const char *path) {
    struct stat file;
    int fd;
    *s = (vox_source){.path = path};
    VOX_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0 || fstat(fd, &file) != 0) {
        int code = vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", path, strerror(errno));
        if (fd >= 0) close(fd);
        return code;
    }
    int code = 0;
    if (S_ISDIR(file.st_mode)) {
        code = vox_fail(VOX_EXIT_INPUT, "cannot read %s: it is a folder", path);
    } else if (S_ISREG(file.st_mode) && file.st_size == 0) {
        code = vox_fail(VOX_EXIT_INPUT, "%s: the file is empty", path);
    } else if ((s->file = fdopen(fd, "rb")) == NULL) {
        code = vox_fail_memory(path, 0);
    }
    if (code != 0) close(fd);
    s->size = S_ISREG(file.st_mode) ? (int64_t)file.st_size : -1;
    return code;
}

int vox_source_open_data(vox_source *s, const char *path) {
    struct stat file;
    *s = (vox_source){.path = path};
    if (stat(path, &file) == 0 && !S_ISREG(file.st_mode))
        return vox_fail(VOX_EXIT_INPUT, "cannot read %s: a header names it as its data, but it is no file",
                        path);
    return vox_source_open(s, path);
}

void vox_source_close(vox_source *s) {
#ifdef VOX_WITH_ZLIB
    if (s->inflater != NULL) inflateEnd(s->inflater);
#endif
    free(s->inflater);
    free(s->buffer);
    if (s->file != NULL) fclose(s->file);
    *s = (vox_source){.path = s->path};
}

int vox_source_error(const vox_source *s) {
    return vox_fail(VOX_EXIT_INPUT, "cannot read %s: %s", s->path, strerror(errno));
}

/* A signal in between is no error. */
static size_t read_file(vox_source *s, void *data, size_t n) {
    size_t got = 0;
    while (got < n) {
        errno = 0;
        size_t more = fread((char *)data + got, 1, n - got, s->file);
        got += more;
        if (more > 0) continue;
        if (!ferror(s->file) || errno != EINTR) break;
        clearerr(s->file);
    }
    return got;
}

int vox_source_line(vox_source *s, char *line, size_t n) {
    size_t length = 0;
    for (;;) {
        int c = fgetc(s->file);
        if (c == EOF && ferror(s->file) && errno == EINTR) {
            clearerr(s->file);
            continue;
        }
        if ((c == EOF && length == 0) || length + 1 >= n) return -1;
        if (c == EOF || c == '\n') break;
        line[length++] = (char)c;
    }
    if (length > 0 && line[length - 1] == '\r') length--;
    line[length] = 0;
    return (int)length;
}

int vox_source_skip(vox_source *s, int64_t bytes) {
    char rest[4096];
    if (bytes > 0 && s->size >= 0 && s->inflater == NULL) {
        if (fseeko(s->file, (off_t)bytes, SEEK_CUR) == 0) return 0;
        return vox_source_error(s);
    }
    while (bytes > 0) {
        size_t n = bytes < (int64_t)sizeof rest ? (size_t)bytes : sizeof rest;
        if (vox_source_read(s, rest, n) != n)
            return vox_fail(VOX_EXIT_INPUT, "%s: truncated: the file ends before its voxels", s->path);
        bytes -= (int64_t)n;
    }
    return 0;
}

/* ---- packed data ----------------------------------------------------------------------------- */

#ifdef VOX_WITH_ZLIB
int vox_source_inflate(vox_source *s) {
    z_stream *z = calloc(1, sizeof *z);
    s->buffer = malloc(BUFFER);
    if (z == NULL || s->buffer == NULL || inflateInit2(z, 15 + 32) != Z_OK) { /* gzip or zlib */
        free(z);
        return vox_fail_memory(s->path, 0);
    }
    s->inflater = z;
    s->ended = false;
    return 0;
}

/* More packed bytes; false: there are none. */
static bool refill(vox_source *s, z_stream *z) {
    if (z->avail_in > 0) return true;
    z->next_in = s->buffer;
    z->avail_in = (uInt)read_file(s, s->buffer, BUFFER);
    return z->avail_in > 0;
}

/* gzip files may hold several members one behind the other. */
static bool next_member(vox_source *s, z_stream *z) {
    if (!refill(s, z) || z->next_in[0] != 0x1f) return false;
    return inflateReset(z) == Z_OK;
}

static size_t read_packed(vox_source *s, void *data, size_t n) {
    z_stream *z = s->inflater;
    size_t got = 0;
    while (got < n && !s->ended) {
        size_t part = n - got < INT_MAX ? n - got : INT_MAX;
        if (!refill(s, z)) break;
        z->next_out = (unsigned char *)data + got;
        z->avail_out = (uInt)part;
        int result = inflate(z, Z_NO_FLUSH);
        got += part - z->avail_out;
        if (result == Z_STREAM_END) {
            s->ended = !next_member(s, z);
        } else if (result != Z_OK) {
            break;
        }
    }
    return got;
}

/* Reading on to the end of compressed data is what checks its checksum. */
static int check_rest(vox_source *s, size_t bytes) {
    char rest[256];
    while (!s->ended && vox_source_read(s, rest, sizeof rest) == sizeof rest) continue;
    const z_stream *z = s->inflater;
    if (s->ended) return 0;
    if (z->msg != NULL) return vox_fail(VOX_EXIT_INPUT, "%s: corrupt: %s", s->path, z->msg);
    return vox_fail(
        VOX_EXIT_INPUT,
        "%s: truncated: all %zu bytes of voxels are there, but the checksum behind the compressed "
        "data is missing",
        s->path, bytes);
}

static const char *inflate_error(const vox_source *s) {
    return s->inflater != NULL ? ((const z_stream *)s->inflater)->msg : NULL;
}
#else
int vox_source_inflate(vox_source *s) {
    return vox_image_lacks(s->path, "compressed data", "zlib1g-dev");
}

static size_t read_packed(vox_source *s, void *data, size_t n) {
    (void)s, (void)data, (void)n;
    return 0;
}

static int check_rest(vox_source *s, size_t bytes) {
    (void)s, (void)bytes;
    return 0;
}

static const char *inflate_error(const vox_source *s) {
    (void)s;
    return NULL;
}
#endif

size_t vox_source_read(vox_source *s, void *data, size_t n) {
    return s->inflater != NULL ? read_packed(s, data, n) : read_file(s, data, n);
}

int vox_source_promise(const vox_source *s, uint64_t bytes, bool packed) {
    if (s->size < 0) return 0;
    int64_t at = (int64_t)ftello(s->file), left = at < s->size ? s->size - at : 0;
    uint64_t most = packed ? (uint64_t)left * DEFLATE_LIMIT : (uint64_t)left; /* files end at 2^63 / 1032 */
    if (bytes <= most) return 0;
    return vox_fail(VOX_EXIT_INPUT,
                    "%s: truncated: the header promises %llu bytes of voxels, the file has %lld%s", s->path,
                    (unsigned long long)bytes, (long long)left, packed ? " (compressed)" : "");
}

int vox_source_voxels(vox_source *s, void *data, size_t bytes) {
    size_t got = vox_source_read(s, data, bytes);
    if (got == bytes) return s->inflater != NULL ? check_rest(s, bytes) : 0;
    if (ferror(s->file)) return vox_source_error(s);
    const char *why = inflate_error(s);
    if (why != NULL) return vox_fail(VOX_EXIT_INPUT, "%s: corrupt: %s", s->path, why);
    return vox_fail(VOX_EXIT_INPUT, "%s: truncated: %zu of %zu bytes of voxels", s->path, got, bytes);
}

/* ---- names ----------------------------------------------------------------------------------- */

bool vox_image_beside(const char *file, const char *name, char *path) {
    const char *slash = strrchr(file, '/');
    if (name[0] == '/' || name[0] == 0 || strcmp(name, "..") == 0 || strncmp(name, "../", 3) == 0 ||
        strstr(name, "/../") != NULL)
        return false;
    int folder = slash != NULL ? (int)(slash + 1 - file) : 0;
    return snprintf(path, PATH_MAX, "%.*s%s", folder, file, name) < PATH_MAX;
}

int vox_image_lacks(const char *file, const char *format, const char *package) {
    return vox_fail(VOX_EXIT_UNSUPPORTED,
                    "%s: this program was built without %s: install %s, then make clean && make", file,
                    format, package);
}
