/* files_place.c: see files_place.h. */
#include "files_place.h"

#include "files.h"
#include "files_temp.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MANIFEST[] = "manifest.json";

/* saved/ is called old/ once it is whole. While `fresh` is there, files of the target that are neither in
 * new/ nor in old/ are new ones, and an undo removes them. */
typedef struct places {
    const char *target;
    char *new, *old, *saved, *fresh;
} places;

static places places_of(const char *target, const char *temp) {
    return (places){.target = target,
                    .new = file_join(temp, "new"),
                    .old = file_join(temp, "old"),
                    .saved = file_join(temp, "saved"),
                    .fresh = file_join(temp, "fresh")};
}

static void free_places(places *p) {
    free(p->new);
    free(p->old);
    free(p->saved);
    free(p->fresh);
}

/* ---- one file -------------------------------------------------------------------------------- */

static bool is_file_in(const char *dir, const char *name) {
    struct stat s;
    char *path = file_join(dir, name);
    bool there = lstat(path, &s) == 0 && !S_ISDIR(s.st_mode);
    free(path);
    return there;
}

/* Folders that a file has left empty go with it. */
static void prune(const char *dir, char *path) {
    for (char *slash; (slash = strrchr(path, '/')) && slash > path + strlen(dir);) {
        *slash = 0;
        if (rmdir(path) != 0) return;
    }
}

/* Over a file that is there. */
static bool move(const char *from, const char *to, const char *name) {
    char *a = file_join(from, name), *b = file_join(to, name);
    int result = -1;
    if (file_make_parents(to, name)) VOX_RETRY(result, rename(a, b));
    int error = errno;
    prune(result == 0 ? from : to, result == 0 ? a : b);
    free(a);
    free(b);
    errno = error;
    return result == 0;
}

static bool drop_file(const char *dir, const char *name) {
    char *path = file_join(dir, name);
    int result;
    VOX_RETRY(result, unlink(path));
    bool ok = result == 0 || errno == ENOENT || errno == ENOTDIR;
    int error = errno;
    if (result == 0) prune(dir, path);
    free(path);
    errno = error;
    return ok;
}

/* Where the file system has no second names, or not of another user's file. */
static bool copy_file(const char *from, const char *to, mode_t mode) {
    ir_diag d = {0};
    size_t n;
    int fd;
    char *data = file_read(from, SIZE_MAX, &n, &d);
    if (!data) return false;
    VOX_RETRY(fd, open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777));
    bool ok = file_put(fd, to, data, n, &d);
    int error = errno;
    free(data);
    errno = error;
    return ok;
}

static bool has_no_links(int error) {
    return error == EPERM || error == EOPNOTSUPP || error == ENOSYS || error == EMLINK || error == EXDEV;
}

/* A name that the target does not have needs nothing; a folder stays. */
static bool save(const places *p, const char *name) {
    struct stat s;
    char *from = file_join(p->target, name), *to = file_join(p->saved, name);
    bool there = lstat(from, &s) == 0, ok = there || errno == ENOENT || errno == ENOTDIR;
    if (there && !S_ISDIR(s.st_mode)) {
        ok = file_make_parents(p->saved, name) &&
             (linkat(AT_FDCWD, from, AT_FDCWD, to, 0) == 0 || errno == EEXIST ||
              (has_no_links(errno) && S_ISREG(s.st_mode) && copy_file(from, to, s.st_mode)));
    }
    int error = errno;
    free(from);
    free(to);
    errno = error;
    return ok;
}

/* ---- and back -------------------------------------------------------------------------------- */

static bool return_one(const places *p, const char *name) {
    return !is_file_in(p->old, name) || move(p->old, p->target, name);
}

/* May end anywhere and be done again. */
static bool undo(const places *p, const file_place *f) {
    struct stat s;
    bool ok = true;
    if (lstat(p->fresh, &s) == 0) {
        for (int i = 0; i < f->count; i++)
            if (!is_file_in(p->new, f->name[i]) && !is_file_in(p->old, f->name[i]))
                ok &= drop_file(p->target, f->name[i]);
        ok = ok && unlink(p->fresh) == 0;
    }
    for (int i = 0; ok && i < f->count; i++) ok = return_one(p, f->name[i]);
    for (int i = 0; ok && i < f->before->count; i++) ok = return_one(p, f->before->name[i]);
    return ok;
}

/* The target's manifest.json is still the earlier one, if it had any. */
bool file_place_recover(const char *target, const char *temp) {
    places p = places_of(target, temp);
    bool ok = true;
    struct stat s;
    if (lstat(p.old, &s) == 0 && is_file_in(p.new, MANIFEST)) {
        ir_diag none = {0};
        file_old new = {0}, before = {0};
        ok = file_old_read(&new, p.new, &none) && file_old_read(&before, target, &none);
        const file_place f = {.name = new.name, .count = new.count, .before = &before};
        ok = ok && undo(&p, &f);
        file_old_free(&new);
        file_old_free(&before);
    }
    free_places(&p);
    return ok;
}

/* ---- the new files --------------------------------------------------------------------------- */

static bool prepare_place(const places *p, const file_place *f) {
    int made;
    VOX_RETRY(made, mkdir(p->saved, 0777));
    bool ok = made == 0;
    for (int i = 0; ok && i < f->count; i++) ok = save(p, f->name[i]);
    for (int i = 0; ok && i < f->before->count; i++) ok = save(p, f->before->name[i]);
    if (ok) VOX_RETRY(made, open(p->fresh, O_WRONLY | O_CREAT | O_CLOEXEC, 0666));
    ok = ok && made >= 0;
    if (ok) close(made);
    if (ok) VOX_RETRY(made, rename(p->saved, p->old));
    return ok && made == 0;
}

static bool is_new(const file_place *f, const char *name) {
    for (int i = 0; i < f->count; i++)
        if (strcmp(f->name[i], name) == 0) return true;
    return false;
}

static bool put_new(const places *p, const file_place *f) {
    bool ok = true;
    for (int i = 0; ok && i < f->count; i++)
        if (strcmp(f->name[i], MANIFEST) != 0) ok = move(p->new, p->target, f->name[i]);
    for (int i = 0; ok && i < f->before->count; i++) {
        const char *name = f->before->name[i];
        if (is_file_in(p->target, name) && !is_new(f, name)) ok = drop_file(p->target, name);
    }
    return ok && move(p->new, p->target, MANIFEST);
}

bool file_place_replace(const file_place *f, bool *stuck) {
    places p = places_of(f->target, f->temp);
    bool ok = prepare_place(&p, f);
    *stuck = false;
    if (ok && !put_new(&p, f)) {
        int error = errno;
        *stuck = !undo(&p, f);
        errno = error;
        ok = false;
    }
    int error = errno;
    free_places(&p);
    errno = error;
    return ok;
}
