/* files_dir.c: a folder that appears as a whole. Contract: files.h.
 *
 * The new files are collected in new/ of a temporary folder, which then changes places with the target in one
 * step. Where the target itself has to stay (swappable), the files move one by one: files_place.h. */
#include "files.h"
#include "files_old.h"
#include "files_place.h"
#include "files_temp.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char MANIFEST[] = "manifest.json";

struct file_dir {
    char *path;      /* as the user calls it, without trailing slashes */
    char *real;      /* where it is */
    char *new, *old; /* in the temporary folder: the new files; what they replace */
    int temp;        /* the temporary folder's entry */
    bool force;
    bool exists;     /* the target is there already */
    bool swappable;  /* it may be another folder afterwards */
    file_old before; /* what is in it */
    char **name;     /* of the files written, in order */
    int count, cap;
};

static bool cannot_write(const char *path, ir_diag *d) {
    int error = errno;
    return ir_fail(d, IR_EXIT_FAILURE, "%s: cannot write: %s", path, strerror(error));
}

static char *copy_path(const char *path) {
    char *copy = strdup(path);
    if (!copy) ir_no_memory("a path");
    return copy;
}

void file_dir_abort(file_dir *t) {
    if (!t) return;
    if (t->temp >= 0) vox_temp_remove(t->temp);
    for (int i = 0; i < t->count; i++) free(t->name[i]);
    file_old_free(&t->before);
    free(t->name);
    free(t->path);
    free(t->real);
    free(t->new);
    free(t->old);
    free(t);
}

/* ---- the target ------------------------------------------------------------------------------ */

/* A folder that somebody works in must not go, and a mounted one can't. */
static bool is_swappable(const char *folder, const struct stat *s) {
    struct statx x;
    char *here = getcwd(NULL, 0);
    const size_t n = strlen(folder);
    bool inside = !here || (strncmp(here, folder, n) == 0 && (!here[n] || here[n] == '/'));
    free(here);
    bool mounted = statx(AT_FDCWD, folder, 0, STATX_BASIC_STATS, &x) != 0 ||
                   (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    return !inside && !mounted && s->st_uid == geteuid();
}

static bool may_replace(const file_dir *t, ir_diag *d) {
    if (t->before.is_empty || t->before.is_bundle || t->force) return true;
    return ir_fail(
        d, IR_EXIT_INPUT,
        "%s: the folder is not empty and holds no manifest.json of a bundle, so voxc did not write "
        "it; name another folder or pass --force",
        t->path);
}

static bool look_at_target(file_dir *t, ir_diag *d) {
    struct stat s;
    if (stat(t->path, &s) != 0) {
        t->real = copy_path(t->path);
        return errno == ENOENT || cannot_write(t->path, d);
    }
    if (!S_ISDIR(s.st_mode))
        return ir_fail(d, IR_EXIT_INPUT, "%s: is a file, expected a folder or a free name", t->path);
    t->real = realpath(t->path, NULL);
    if (!t->real) return cannot_write(t->path, d);
    t->exists = true;
    t->swappable = is_swappable(t->real, &s);
    return file_old_read(&t->before, t->real, d) && may_replace(t, d);
}

/* ---- the temporary folder -------------------------------------------------------------------- */

static bool is_entry_of(const char *dir, const char *name) {
    struct stat s;
    char *path = file_join(dir, name);
    bool there = lstat(path, &s) == 0;
    free(path);
    return there;
}

/* What a killed process left: where the target had gone for a moment it comes back. */
static void remove_old_folder(void *target, const char *leftover) {
    struct stat s;
    char *old = file_join(leftover, "old");
    bool ok = true;
    if (lstat(target, &s) != 0 && is_entry_of(old, MANIFEST))
        ok = rename(old, target) == 0;
    else
        ok = file_place_recover(target, leftover);
    free(old);
    if (ok) file_remove_tree(leftover);
}

static void sweep_beside(const char *path) {
    char *real = realpath(path, NULL);
    const char *target = real ? real : path;
    if (*target) {
        char *inside = file_join(target, ".voxc");
        vox_owner_sweep(target, "tmp", remove_old_folder, (void *)(uintptr_t)target);
        vox_owner_sweep(inside, "tmp", remove_old_folder, (void *)(uintptr_t)target);
        free(inside);
    }
    free(real);
}

/* Beside the target; inside it where nothing may be made there. */
static int make_temp(file_dir *t) {
    char *inside = file_join(t->real, ".voxc");
    bool beside = !t->exists || t->swappable;
    int entry = beside ? file_temp_tree(t->real, 0777) : -1;
    if (entry < 0 && t->exists && (!beside || errno == EACCES || errno == EPERM || errno == EROFS)) {
        t->swappable = false;
        entry = file_temp_tree(inside, 0777);
    }
    int error = errno;
    free(inside);
    errno = error;
    return entry;
}

static bool begin_temp(file_dir *t, ir_diag *d) {
    t->temp = make_temp(t);
    if (t->temp < 0 && errno == ENOENT && !t->exists)
        return ir_fail(d, IR_EXIT_FAILURE,
                       "%s: cannot write: the folder that it should lie in does not exist", t->path);
    if (t->temp < 0) return cannot_write(t->path, d);
    t->new = file_join(vox_temp_path(t->temp), "new");
    t->old = file_join(vox_temp_path(t->temp), "old");
    int made;
    VOX_RETRY(made, mkdir(t->new, 0777));
    return made == 0 || cannot_write(t->path, d);
}

file_dir *file_dir_begin(const char *path, bool force, ir_diag *d) {
    file_dir *t = calloc(1, sizeof *t);
    if (!t) ir_no_memory("a folder");
    *t = (file_dir){.path = copy_path(path), .temp = -1, .force = force};
    for (size_t n = strlen(t->path); n > 1 && t->path[n - 1] == '/'; n--) t->path[n - 1] = 0;
    sweep_beside(t->path);
    bool ok = *t->path ? true : ir_fail(d, IR_EXIT_INPUT, "the output folder's name is empty");
    if (ok && look_at_target(t, d) && begin_temp(t, d)) return t;
    file_dir_abort(t);
    return NULL;
}

/* ---- one file -------------------------------------------------------------------------------- */

static bool in_the_way(const file_dir *t, const char *name, const char *what, ir_diag *d) {
    return ir_fail(d, IR_EXIT_INPUT, "%s/%s: %s; move it away or name another folder%s", t->path, name, what,
                   t->force ? "" : ", or pass --force to replace it");
}

/* Of the target only what an earlier bundle lists is replaced, all other files with --force,
 * folders never. */
static bool is_free(const file_dir *t, const char *name, ir_diag *d) {
    char *part = copy_path(name), *slash = part;
    bool ok = true;
    while (ok && slash) {
        struct stat s;
        slash = strchr(slash + (slash != part), '/');
        if (slash) *slash = 0;
        char *full = file_join(t->real, part);
        bool there = lstat(full, &s) == 0, folder = there && S_ISDIR(s.st_mode);
        free(full);
        if (there && !folder && !t->force && !file_old_lists(&t->before, part))
            ok = in_the_way(t, part, "is not a file of the bundle in that folder", d);
        if (folder && !slash)
            ok = ir_fail(d, IR_EXIT_INPUT, "%s/%s: is a folder where the bundle has a file; move it away",
                         t->path, part);
        if (slash) *slash++ = '/';
    }
    free(part);
    return ok;
}

static void record_name(file_dir *t, const char *name) {
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->name = realloc(t->name, (size_t)t->cap * sizeof *t->name);
        if (!t->name) ir_no_memory("a folder's files");
    }
    t->name[t->count++] = copy_path(name);
}

bool file_dir_write(file_dir *t, const char *name, const void *data, size_t n, ir_diag *d) {
    if (t->exists && !is_free(t, name, d)) return false;
    char *full = file_join(t->new, name), *shown = file_join(t->path, name);
    bool ok = file_make_parents(t->new, name) || cannot_write(shown, d);
    if (ok) {
        int fd;
        VOX_RETRY(fd, open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        ok = file_put(fd, shown, data, n, d);
    }
    if (ok) record_name(t, name);
    free(full);
    free(shown);
    return ok;
}

/* ---- as a whole ------------------------------------------------------------------------------ */

static bool move(const char *from, const char *to) {
    int result;
    VOX_RETRY(result, rename(from, to));
    return result == 0;
}

/* The new folder looks like the old one from outside. */
static bool dress(const file_dir *t) {
    struct stat was, is;
    if (stat(t->real, &was) != 0 || stat(t->new, &is) != 0) return false;
    if (was.st_gid != is.st_gid && chown(t->new, (uid_t)-1, was.st_gid) != 0) return false;
    return (was.st_mode & 07777) == (is.st_mode & 07777) || chmod(t->new, was.st_mode & 07777) == 0;
}

/* new/ and the target change places; where the file system can't do that in one step, in two. */
static bool replace_whole(const file_dir *t) {
    int result;
    VOX_RETRY(result, renameat2(AT_FDCWD, t->new, AT_FDCWD, t->real, RENAME_EXCHANGE));
    if (result == 0) return rename(t->new, t->old), true;
    if (!move(t->real, t->old)) return false;
    if (move(t->new, t->real)) return true;
    move(t->old, t->real);
    return false;
}

/* False: nothing was changed, and it may be possible in place. */
static bool swap(const file_dir *t) {
    if (!dress(t) || !file_old_carry(&t->before, t->real, t->new) || !replace_whole(t)) return false;
    file_old_carry(&t->before, t->old, t->real); /* what came in the meantime */
    return true;
}

/* ---- in place -------------------------------------------------------------------------------- */

static bool replace_in_place(file_dir *t, ir_diag *d) {
    const file_place p = {.target = t->real,
                          .temp = vox_temp_path(t->temp),
                          .name = (const char *const *)t->name,
                          .count = t->count,
                          .before = &t->before};
    bool stuck;
    if (file_place_replace(&p, &stuck)) return true;
    if (!stuck) return cannot_write(t->path, d);
    ir_fail(d, IR_EXIT_FAILURE,
            "%s: cannot write: %s; some earlier files are still in %s, the next compile puts them back",
            t->path, strerror(errno), p.temp);
    vox_temp_forget(t->temp);
    t->temp = -1;
    return false;
}

bool file_dir_commit(file_dir *t, ir_diag *d) {
    bool ok = true;
    vox_temp_hold(); /* the files belong together: Ctrl-C waits */
    if (t->exists) {
        file_old_free(&t->before); /* another voxc may have been here since */
        ok = file_old_read(&t->before, t->real, d);
        if (ok && !(t->swappable && swap(t))) ok = replace_in_place(t, d);
    } else {
        ok = move(t->new, t->real) || cannot_write(t->path, d);
    }
    file_dir_abort(t); /* removes what has been replaced, or after a failure all that was new */
    vox_temp_release();
    return ok;
}
