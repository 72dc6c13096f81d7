/* files_old.c: see files_old.h. */
#include "files_old.h"

#include "files.h"
#include "json.h"
#include "owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const size_t MAX_MANIFEST = (size_t)64 << 20;
static const char MANIFEST[] = "manifest.json"; /* of voxc's bundles */
enum { MOST_CARRIED = 20000, MOST_DEPTH = 64 };

char *file_join(const char *dir, const char *name) {
    char *s = NULL;
    if (asprintf(&s, "%s/%s", dir, name) < 0) ir_no_memory("a path");
    return s;
}

bool file_make_parents(const char *dir, const char *name) {
    char *path = file_join(dir, name), *slash = path + strlen(dir);
    bool ok = true;
    while (ok && (slash = strchr(slash + 1, '/'))) {
        int made;
        *slash = 0;
        VOX_RETRY(made, mkdir(path, 0777));
        ok = made == 0 || errno == EEXIST;
        *slash = '/';
    }
    int error = errno;
    free(path);
    errno = error;
    return ok;
}

bool file_old_is_temporary(const char *name) {
    return strncmp(name, ".voxc.tmp", 9) == 0;
}

/* ---- the earlier bundle ---------------------------------------------------------------------- */

/* A manifest is anybody's text: no path out of the folder. */
static bool is_inside(const char *name) {
    if (*name == '/' || !*name) return false;
    for (const char *p = name; p; p = strchr(p, '/'), p += p != NULL)
        if (strncmp(p, "../", 3) == 0 || strcmp(p, "..") == 0) return false;
    return true;
}

static bool is_string(const json_value *v) {
    return v && v->kind == JSON_STRING;
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether a manifest is one of voxc's: what it is of, who wrote it, and a list of files with their hashes. */
static bool read_files(file_old *o, const json_value *manifest) {
    const json_value *files = json_get(manifest, "files");
    if (!is_string(json_get(manifest, "model")) || !is_string(json_get(manifest, "voxc")) ||
        !is_string(json_get(manifest, "graph_hash")) || !files || files->kind != JSON_LIST)
        return false;
    o->name = ir_alloc(o->arena, (size_t)files->count + 1, sizeof *o->name);
    o->name[o->count++] = MANIFEST;
    for (int i = 0; i < files->count; i++) {
        const json_value *path = json_get(&files->item[i], "path");
        if (!is_string(path) || !is_string(json_get(&files->item[i], "sha256")) || !is_inside(path->string))
            return false;
        o->name[o->count++] = path->string;
    }
    qsort(o->name, (size_t)o->count, sizeof *o->name, compare_names);
    return true;
}

static void read_manifest(file_old *o, const char *folder) {
    char *path = file_join(folder, MANIFEST);
    struct stat s;
    size_t n;
    ir_diag none = {0}; /* whatever is wrong with it, it is not voxc's */
    char *text = lstat(path, &s) == 0 && S_ISREG(s.st_mode) ? file_read(path, MAX_MANIFEST, &n, &none) : NULL;
    const json_value *manifest = text ? json_parse(o->arena, text, n, path, &none) : NULL;
    o->is_bundle = manifest && read_files(o, manifest);
    if (!o->is_bundle) o->count = 0;
    free(text);
    free(path);
}

static bool fail_listing(const char *folder, ir_diag *d) {
    int error = errno;
    return ir_fail(d, IR_EXIT_FAILURE, "%s: cannot read the folder: %s", folder, strerror(error));
}

bool file_old_read(file_old *o, const char *folder, ir_diag *d) {
    *o = (file_old){.arena = ir_arena_new(), .is_empty = true};
    DIR *dir = opendir(folder);
    if (!dir) return fail_listing(folder, d);
    const struct dirent *e;
    while (errno = 0, (e = readdir(dir)))
        if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && !file_old_is_temporary(e->d_name))
            o->is_empty = false;
    bool ok = errno == 0 || fail_listing(folder, d);
    closedir(dir);
    read_manifest(o, folder);
    return ok;
}

void file_old_free(file_old *o) {
    if (o->arena) ir_arena_free(o->arena);
    *o = (file_old){0};
}

bool file_old_lists(const file_old *o, const char *name) {
    return o->count && bsearch(&name, o->name, (size_t)o->count, sizeof *o->name, compare_names);
}

/* ---- everything else ------------------------------------------------------------------------- */

typedef struct carrier {
    const file_old *old;
    const char *from, *to;
    int count, depth;
} carrier;

static bool carry_folder(carrier *c, const char *name);

static bool make_folder(const carrier *c, const char *name, mode_t mode) {
    char *path = file_join(c->to, name);
    bool ok = file_make_parents(c->to, name) && (mkdir(path, mode & 0777) == 0 || errno == EEXIST);
    int error = errno;
    free(path);
    errno = error;
    return ok;
}

static bool link_file(const carrier *c, const char *name) {
    char *from = file_join(c->from, name), *to = file_join(c->to, name);
    bool ok =
        file_make_parents(c->to, name) && (linkat(AT_FDCWD, from, AT_FDCWD, to, 0) == 0 || errno == EEXIST);
    int error = errno;
    free(from);
    free(to);
    errno = error;
    return ok;
}

static bool carry_one(carrier *c, const char *name) {
    struct stat s;
    if (++c->count > MOST_CARRIED) {
        errno = EMFILE;
        return false;
    }
    char *path = file_join(c->from, name);
    bool there = lstat(path, &s) == 0;
    free(path);
    if (!there) return errno == ENOENT;
    if (S_ISDIR(s.st_mode)) return carry_folder(c, name);
    return file_old_lists(c->old, name) || link_file(c, name);
}

/* A folder that holds nothing is somebody's as well. */
static bool keep_empty(const carrier *c, const char *name, DIR *dir, bool empty) {
    struct stat s;
    return !empty || !*name || (fstat(dirfd(dir), &s) == 0 && make_folder(c, name, s.st_mode));
}

static bool carry_folder(carrier *c, const char *name) {
    char *path = file_join(c->from, name);
    DIR *dir = c->depth < MOST_DEPTH ? opendir(path) : NULL;
    free(path);
    if (!dir) return false;
    bool ok = true, empty = true;
    const struct dirent *e;
    c->depth++;
    while (ok && (errno = 0, (e = readdir(dir)))) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        empty = false;
        if (!*name && file_old_is_temporary(e->d_name)) continue;
        char *inner = *name ? file_join(name, e->d_name) : strdup(e->d_name);
        if (!inner) ir_no_memory("a path");
        ok = carry_one(c, inner);
        free(inner);
    }
    ok = ok && errno == 0 && keep_empty(c, name, dir, empty);
    int error = errno;
    closedir(dir);
    c->depth--;
    errno = error;
    return ok;
}

bool file_old_carry(const file_old *o, const char *from, const char *to) {
    carrier c = {.old = o, .from = from, .to = to};
    return carry_folder(&c, "");
}
