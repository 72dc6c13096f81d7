/* SPDX-License-Identifier: MIT-0 */
/* unfinished.c: see unfinished.h. */
#include "unfinished.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_names.h"
#include "owner.h"
#include "report.h"
#include "vox_hash.h"

typedef struct header {
    char magic[8];
    uint64_t key, plane_bytes;
} header;

static header header_of(const vox_unfinished *u) {
    return (header){.magic = "voxcpart", .key = u->key, .plane_bytes = u->plane_bytes};
}

/* ---- planes ---------------------------------------------------------------------------------- */

/* The two axes of a plane, the faster first. */
static void plane_axes(const vox_unfinished *u, int *fast, int *slow) {
    *fast = u->axis == 0 ? 1 : 0;
    *slow = u->axis == 2 ? 1 : 2;
}

/* Between the labels and u->plane. */
static void copy_plane(const vox_unfinished *u, int d, bool pack) {
    int fast, slow, at = u->reversed ? u->dim[u->axis] - 1 - d : d;
    plane_axes(u, &fast, &slow);
    size_t each = vox_voxel_bytes(u->to.type);
    char *first = (char *)u->to.data + at * u->to.stride[u->axis], *packed = u->plane;
    for (int j = 0; j < u->dim[slow]; j++) {
        char *p = first + j * u->to.stride[slow];
        for (int i = 0; i < u->dim[fast]; i++, p += u->to.stride[fast], packed += each)
            memcpy(pack ? packed : p, pack ? p : packed, each);
    }
}

static uint64_t hash_plane(const vox_unfinished *u) {
    return vox_hash(u->hash, u->plane, u->plane_bytes);
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static bool put(int file, const void *data, size_t bytes) {
    const char *p = data;
    while (bytes > 0) {
        ssize_t n;
        VOX_RETRY(n, write(file, p, bytes));
        if (n < 0) return false;
        p += n;
        bytes -= (size_t)n;
    }
    return true;
}

static bool get(int file, void *data, size_t bytes) {
    char *p = data;
    while (bytes > 0) {
        ssize_t n;
        VOX_RETRY(n, read(file, p, bytes));
        if (n <= 0) return false;
        p += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* ---- opening --------------------------------------------------------------------------------- */

/* A regular file or one that is not there yet has a name beside it. */
static char *path_beside(const char *output) {
    struct stat s;
    if (vox_name_descriptor(output) >= 0) return NULL;
    if (stat(output, &s) == 0 && !S_ISREG(s.st_mode)) return NULL;
    char *real = vox_name_resolve(output);
    char *path = real != NULL ? malloc(strlen(real) + sizeof ".part") : NULL;
    if (path != NULL) strcat(strcpy(path, real), ".part");
    free(real);
    return path;
}

/* Locked, and still under its name: whoever held the lock before may have removed it. -1: errno. */
static int open_locked(const char *path, int flags) {
    for (;;) {
        int file, locked;
        struct stat s;
        VOX_RETRY(file, open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0666));
        if (file < 0) return -1;
        VOX_RETRY(locked, flock(file, LOCK_EX | LOCK_NB));
        const bool known = locked == 0 && fstat(file, &s) == 0;
        if (known && s.st_nlink > 0) return file;
        const int error = errno;
        close(file);
        if (known) continue;
        /* One that was made here, and that nobody else has locked since, stays nowhere. */
        if ((flags & O_EXCL) != 0 && error != EWOULDBLOCK) unlink(path);
        errno = error;
        return -1;
    }
}

static void drop(vox_unfinished *u) {
    unlink(u->path);
    close(u->file);
    u->file = -1;
}

/* Planes that are whole, into the labels. */
static void take_planes(vox_unfinished *u) {
    off_t end = sizeof(header);
    uint64_t hash;
    int last = u->end > 0 ? u->end : u->dim[u->axis];
    while (u->planes < last && get(u->file, u->plane, u->plane_bytes) && get(u->file, &hash, sizeof hash) &&
           hash == hash_plane(u)) {
        copy_plane(u, u->planes, false);
        if (u->taken != NULL) u->taken(u->user, u->planes);
        u->planes++;
        u->hash = hash;
        end += (off_t)(u->plane_bytes + sizeof hash);
    }
    if (u->planes == u->begin || ftruncate(u->file, end) != 0 || lseek(u->file, end, SEEK_SET) != end) {
        u->planes = u->begin;
        u->hash = u->key;
        drop(u);
    }
}

int vox_unfinished_open(vox_unfinished *u, const char *output, bool resume) {
    u->file = -1;
    u->hash = u->key;
    u->planes = u->begin;
    u->path = path_beside(output);
    if (u->path == NULL) return 0;
    int fast, slow;
    plane_axes(u, &fast, &slow);
    u->plane_bytes = (size_t)u->dim[fast] * (size_t)u->dim[slow] * vox_voxel_bytes(u->to.type);
    u->plane = malloc(u->plane_bytes);
    if (u->plane == NULL) return vox_fail_memory("a plane of labels", u->plane_bytes);
    u->file = open_locked(u->path, 0);
    if (u->file < 0 && errno == EWOULDBLOCK)
        return vox_fail(VOX_EXIT_INPUT, "another process is at work on %s", output);
    if (u->file < 0) return 0;
    header wanted = header_of(u), found;
    if (!resume) {
        drop(u);
    } else if (!get(u->file, &found, sizeof found) || memcmp(&found, &wanted, sizeof found) != 0) {
        vox_note("%s belongs to another input, other weights or other options: begins anew", u->path);
        drop(u);
    } else {
        take_planes(u);
    }
    return 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static bool create(vox_unfinished *u) {
    if (u->file >= 0) return true;
    u->file = open_locked(u->path, O_CREAT | O_EXCL);
    header h = header_of(u);
    return u->file >= 0 && put(u->file, &h, sizeof h);
}

static bool add_plane(vox_unfinished *u, int d) {
    copy_plane(u, d, true);
    u->hash = hash_plane(u);
    return put(u->file, u->plane, u->plane_bytes) && put(u->file, &u->hash, sizeof u->hash);
}

static void forget(vox_unfinished *u) {
    free(u->path);
    free(u->plane);
    *u = (vox_unfinished){.file = -1};
}

void vox_unfinished_add(vox_unfinished *u, int begin, int end) {
    if (u->path == NULL) return;
    bool kept = create(u);
    for (int d = begin; d < end && kept; d++) kept = add_plane(u, d);
    u->planes = end;
    if (kept) return;
    vox_warn("finished planes cannot be kept in %s: %s; --resume would begin anew", u->path, strerror(errno));
    if (u->file >= 0) drop(u);
    forget(u);
}

void vox_unfinished_close(vox_unfinished *u, bool remove) {
    if (u->file >= 0 && remove && unlink(u->path) != 0)
        vox_warn("cannot remove %s, which is of no more use: %s", u->path, strerror(errno));
    if (u->file >= 0 && u->path != NULL) close(u->file);
    forget(u);
}
