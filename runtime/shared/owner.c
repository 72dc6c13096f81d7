/* SPDX-License-Identifier: MIT-0 */
/* owner.c: see owner.h. A process is its number and the time it started: numbers come again. */
#include "owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { MOST_NAME = 255, MOST_SUFFIX = 80, DAY = 24 * 60 * 60 };

typedef struct owner {
    long pid;
    unsigned long long start; /* clock ticks after boot; 0: not known */
    unsigned machine;         /* this boot of this machine, this container */
} owner;

/* The start of a small file as text; "" if there is none. */
static void read_text(const char *path, char *text, size_t size) {
    int fd;
    ssize_t n = -1;
    VOX_RETRY(fd, open(path, O_RDONLY | O_CLOEXEC));
    if (fd >= 0) {
        VOX_RETRY(n, read(fd, text, size - 1));
        close(fd);
    }
    text[n > 0 ? n : 0] = 0;
}

/* When the process started; 0: not known. *ended: it waits for its parent, or is not there. */
static unsigned long long start_of(long pid, bool *ended) {
    char path[64], text[1024], state = 0;
    unsigned long long start = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    read_text(path, text, sizeof text);
    const char *end = strrchr(text, ')'); /* the program's name may hold anything */
    int found = end == NULL ? 0
                            : sscanf(end + 1,
                                     " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                                     "%*s %*s %llu",
                                     &state, &start);
    *ended = state == 'Z' || state == 'X' || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
    return found == 2 ? start : 0;
}

static unsigned machine_number(void) {
    char text[256], space[128];
    read_text("/proc/sys/kernel/random/boot_id", text, sizeof text - sizeof space);
    ssize_t n = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    space[n > 0 ? n : 0] = 0;
    strcat(text, space);
    uint32_t hash = 2166136261u;
    for (const char *c = text; *c != 0; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    return hash;
}

static owner this_process(void) {
    bool ended;
    owner o = {.pid = (long)getpid(), .machine = machine_number()};
    o.start = start_of(o.pid, &ended);
    return o;
}

/* Of the file's name as much as leaves room for a suffix, and no half of a character. */
static size_t kept_length(const char *name) {
    size_t n = strlen(name);
    if (n <= MOST_NAME - MOST_SUFFIX) return n;
    n = MOST_NAME - MOST_SUFFIX;
    while (n > 0 && ((unsigned char)name[n] & 0xC0) == 0x80) n--;
    return n;
}

static const char *name_in(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

char *vox_owner_name(const char *path, const char *kind, int attempt) {
    const char *name = name_in(path);
    const size_t n = (size_t)(name - path) + kept_length(name);
    const owner o = this_process();
    char *text = malloc(n + MOST_SUFFIX);
    if (text == NULL) return NULL;
    memcpy(text, path, n);
    int used = snprintf(text + n, MOST_SUFFIX, ".%s%ld-%llu-%08x", kind, o.pid, o.start, o.machine);
    if (attempt > 0) snprintf(text + n + used, MOST_SUFFIX - (size_t)used, ".%d", attempt);
    return text;
}

/* What vox_owner_name puts behind ".tmp". */
static bool read_owner(const char *text, owner *o) {
    int end = 0, attempt;
    if (*text < '1' || *text > '9' ||
        sscanf(text, "%ld-%llu-%8x%n", &o->pid, &o->start, &o->machine, &end) < 3)
        return false;
    if (text[end] == '.' && sscanf(text + end, ".%d%n", &attempt, &(int){0}) == 1)
        end += 1 + (int)strspn(text + end + 1, "0123456789");
    return end > 0 && text[end] == 0;
}

static bool is_leftover(const owner *o, unsigned machine, const struct stat *s) {
    bool ended;
    if (s->st_uid != geteuid() || (!S_ISREG(s->st_mode) && !S_ISDIR(s->st_mode))) return false;
    if (o->machine != machine) return time(NULL) - s->st_mtime > DAY;
    unsigned long long start = start_of(o->pid, &ended);
    return ended || (start != 0 && o->start != 0 && start != o->start);
}

static void sweep(DIR *dir, const char *path, const char *kind,
                  void (*remove)(void *ctx, const char *leftover), void *ctx) {
    const char *name = name_in(path);
    const size_t n = kept_length(name), folder = (size_t)(name - path), mark = strlen(kind) + 1;
    const unsigned machine = machine_number();
    for (const struct dirent *e; (e = readdir(dir)) != NULL;) {
        owner o;
        struct stat s;
        if (strncmp(e->d_name, name, n) != 0 || e->d_name[n] != '.' ||
            strncmp(e->d_name + n + 1, kind, mark - 1) != 0 || !read_owner(e->d_name + n + mark, &o))
            continue;
        char *whole = malloc(folder + strlen(e->d_name) + 1);
        if (whole == NULL) return;
        memcpy(whole, path, folder);
        strcpy(whole + folder, e->d_name);
        if (lstat(whole, &s) == 0 && is_leftover(&o, machine, &s)) remove(ctx, whole);
        free(whole);
    }
}

void vox_owner_sweep(const char *path, const char *kind, void (*remove)(void *ctx, const char *leftover),
                     void *ctx) {
    const size_t n = (size_t)(name_in(path) - path);
    char *folder = malloc(n + 2);
    if (folder == NULL) return;
    memcpy(folder, path, n);
    strcpy(folder + n, n > 0 ? "" : ".");
    DIR *dir = opendir(folder);
    free(folder);
    if (dir == NULL) return;
    sweep(dir, path, kind, remove, ctx);
    closedir(dir);
}
