/* files_dir.c: a directory that appears as a whole. Contract: files.h. */
#include "files.h"
#include "files_temp.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_dir {
    char *path;  /* the target, without trailing slashes */
    char *temp;  /* where the files are collected */
    bool exists; /* the target is there already: files move into it one by one */
    int *entry;  /* temporaries in order of creation; entry[0] is the directory itself */
    char **name; /* name[i] is entry[i] relative to the target; NULL for entry[0] */
    bool *is_dir;
    int count, cap;
};

static bool failed(const char *path, ir_diag *d) {
    int error = errno;
    return ir_fail(d, IR_EXIT_FAILURE, "%s: cannot write: %s", path, strerror(error));
}

static char *join(const char *dir, const char *name) {
    char *s = NULL;
    if (asprintf(&s, "%s/%s", dir, name) < 0) ir_no_memory("a path");
    return s;
}

/* Out of memory ends the program here: an entry that no list holds would stay on disk. */
static char *copy_path(const char *path) {
    char *copy = strdup(path);
    if (!copy) ir_no_memory("a path");
    return copy;
}

static void record(file_dir *t, int entry, const char *name, bool is_dir) {
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->entry = realloc(t->entry, (size_t)t->cap * sizeof *t->entry);
        t->name = realloc(t->name, (size_t)t->cap * sizeof *t->name);
        t->is_dir = realloc(t->is_dir, (size_t)t->cap * sizeof *t->is_dir);
        if (!t->entry || !t->name || !t->is_dir) ir_no_memory("a folder's files");
    }
    t->entry[t->count] = entry;
    t->name[t->count] = name ? copy_path(name) : NULL;
    t->is_dir[t->count++] = is_dir;
}

static void release(file_dir *t) {
    for (int i = 0; i < t->count; i++) free(t->name[i]);
    free(t->entry);
    free(t->name);
    free(t->is_dir);
    free(t->path);
    free(t->temp);
    free(t);
}

void file_dir_abort(file_dir *t) {
    if (!t) return;
    for (int i = t->count; i-- > 0;)
        if (t->entry[i] >= 0) file_temp_remove(t->entry[i]);
    release(t);
}

/* Whether the directory may be written into: empty, or holds marker, or force. */
static bool may_replace(const char *path, const char *marker, bool force, ir_diag *d) {
    DIR *dir = opendir(path);
    if (!dir) return failed(path, d);
    bool empty = true, marked = false;
    for (const struct dirent *e; (e = readdir(dir));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        empty = false;
        if (!strcmp(e->d_name, marker)) marked = true;
    }
    closedir(dir);
    if (empty || marked || force) return true;
    return ir_fail(
        d, IR_EXIT_INPUT,
        "%s: the folder is not empty and holds no %s, so voxc did not write it; name another folder or pass "
        "--force",
        path, marker);
}

static bool look_at_target(file_dir *t, const char *marker, bool force, ir_diag *d) {
    struct stat st;
    if (stat(t->path, &st) != 0) {
        if (errno != ENOENT) return failed(t->path, d);
        return true;
    }
    if (!S_ISDIR(st.st_mode))
        return ir_fail(d, IR_EXIT_INPUT, "%s: is a file, expected a folder or a free name", t->path);
    t->exists = true;
    return may_replace(t->path, marker, force, d);
}

/* A target that exists is filled from a directory inside it: its parent may be another disk or not writable.
 */
static bool make_temp(file_dir *t, ir_diag *d) {
    char *base = t->exists ? join(t->path, ".voxc") : copy_path(t->path);
    int entry = file_temp_mkdir(base);
    int error = errno;
    free(base);
    errno = error;
    if (entry < 0 && errno == ENOENT && !t->exists)
        return ir_fail(d, IR_EXIT_FAILURE,
                       "%s: cannot write: the folder that it should lie in does not exist", t->path);
    if (entry < 0) return failed(t->path, d);
    t->temp = copy_path(file_temp_path(entry));
    record(t, entry, NULL, true);
    return true;
}

file_dir *file_dir_begin(const char *path, const char *marker, bool force, ir_diag *d) {
    file_dir *t = calloc(1, sizeof *t);
    if (!t) ir_no_memory("a folder");
    t->path = copy_path(path);
    for (size_t n = strlen(t->path); n > 1 && t->path[n - 1] == '/'; n--) t->path[n - 1] = '\0';
    bool ok = *t->path ? true : ir_fail(d, IR_EXIT_INPUT, "the output folder's name is empty");
    if (ok && look_at_target(t, marker, force, d) && make_temp(t, d)) return t;
    release(t);
    return NULL;
}

/* Makes the folders in front of name's last slash. */
static bool make_parents(file_dir *t, const char *name, ir_diag *d) {
    char *copy = copy_path(name);
    bool ok = true;
    for (char *p = copy; ok && (p = strchr(p, '/')); p++) {
        bool existed;
        *p = '\0';
        char *full = join(t->temp, copy);
        int entry = file_temp_add_dir(full, &existed);
        if (entry >= 0) record(t, entry, copy, true);
        ok = existed || entry >= 0 || failed(full, d);
        free(full);
        *p = '/';
    }
    free(copy);
    return ok;
}

bool file_dir_write(file_dir *t, const char *name, const void *data, size_t n, ir_diag *d) {
    if (!make_parents(t, name, d)) return false;
    char *temp = join(t->temp, name), *shown = join(t->path, name);
    int fd = -1;
    int entry = file_temp_add_file(temp, &fd);
    bool ok;
    if (entry < 0) {
        ok = failed(shown, d);
    } else {
        record(t, entry, name, false);
        ok = file_put(fd, shown, data, n, d);
    }
    free(temp);
    free(shown);
    return ok;
}

static bool move_one(file_dir *t, int i, ir_diag *d) {
    char *to = join(t->path, t->name[i]);
    bool ok;
    if (t->is_dir[i]) {
        ok = mkdir(to, 0777) == 0 || errno == EEXIST;
    } else {
        ok = file_temp_rename(t->entry[i], to);
        if (ok) t->entry[i] = -1;
    }
    if (!ok) failed(to, d);
    free(to);
    return ok;
}

bool file_dir_commit(file_dir *t, ir_diag *d) {
    bool ok = true;
    file_temp_hold(); /* the files belong together: Ctrl-C waits for these renames */
    if (t->exists) {
        for (int i = 1; ok && i < t->count; i++) ok = move_one(t, i, d);
        file_dir_abort(
            t); /* removes what has not moved: the emptied folders, or after a failure all the rest */
    } else {
        ok = rename(t->temp, t->path) == 0 || failed(t->path, d);
        for (int i = 0; ok && i < t->count; i++) {
            file_temp_forget(t->entry[i]);
            t->entry[i] = -1;
        }
        file_dir_abort(t);
    }
    file_temp_release();
    return ok;
}
