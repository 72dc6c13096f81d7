/* SPDX-License-Identifier: MIT-0 */
/* file_names.c: see file_names.h. */
#include "file_names.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINKS = 40 /* Linux's own limit */, MOST_DESCRIPTOR = 1 << 20 };

bool vox_name_ends(const char *path, const char *end) {
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcasecmp(path + n - m, end) == 0;
}

/* Where the name in the folder begins. */
static const char *base(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* Replaces a link by what it points to; false where path is no link. */
static bool follow(char path[PATH_MAX]) {
    char target[PATH_MAX], joined[2 * PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0) return false;
    target[n] = 0;
    int folder = target[0] == '/' ? 0 : (int)(base(path) - path);
    if (snprintf(joined, sizeof joined, "%.*s%s", folder, path, target) >= PATH_MAX) return false;
    strcpy(path, joined);
    return true;
}

/* The real folder of a file that is not there. */
static char *in_real_folder(const char *path) {
    const char *name = base(path);
    char folder[PATH_MAX] = ".", joined[2 * PATH_MAX];
    if (name > path) snprintf(folder, sizeof folder, "%.*s", (int)(name - path), path);
    char *real = realpath(folder, NULL);
    if (real == NULL) return strdup(path);
    snprintf(joined, sizeof joined, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
    free(real);
    return strdup(joined);
}

char *vox_name_resolve(const char *path) {
    char *real = realpath(path, NULL);
    struct stat s;
    char now[PATH_MAX];
    if (real != NULL) return real;
    if (stat(path, &s) == 0 || strlen(path) >= sizeof now) return strdup(path);
    strcpy(now, path);
    for (int i = 0; i < MOST_LINKS && follow(now); i++) continue;
    return in_real_folder(now);
}

bool vox_name_same(const char *a, const char *b) {
    struct stat x, y;
    if (stat(a, &x) == 0 && stat(b, &y) == 0)
        return x.st_dev == y.st_dev && x.st_ino == y.st_ino && (S_ISREG(x.st_mode) || S_ISFIFO(x.st_mode));
    char *real_a = vox_name_resolve(a), *real_b = vox_name_resolve(b);
    bool same = real_a != NULL && real_b != NULL && strcmp(real_a, real_b) == 0;
    free(real_a);
    free(real_b);
    return same;
}

int vox_name_descriptor(const char *path) {
    static const char *const streams[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(path, streams[i]) == 0) return i;
    }
    for (int i = 0; i < 2; i++) {
        size_t n = strlen(folders[i]);
        char *end = NULL;
        if (strncmp(path, folders[i], n) != 0 || path[n] < '0' || path[n] > '9') continue;
        long number = strtol(path + n, &end, 10);
        if (*end == 0 && number < MOST_DESCRIPTOR) return (int)number;
    }
    return -1;
}
