/* SPDX-License-Identifier: MIT-0 */
/* temporary.c: see temporary.h. */
#include "temporary.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "owner.h"

enum { SLOTS = 16, MOST_TRIES = 100 };

/* The one piece of global state: a signal handler can reach nothing else. A slot is complete before `used` is
 * set, and stays until after `used` is cleared, so another thread's handler may look at any time. */
static struct {
    volatile sig_atomic_t used;
    const vox_temp_kind *kind;
    char path[PATH_MAX];
} slots[SLOTS];
static void (*before_end)(void);
static void (*end_process)(int number);
static int hold_depth;
static sigset_t held_mask;

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof *ending_signals };

static sigset_t ending_set(void) {
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < ENDING_SIGNALS; i++) sigaddset(&set, ending_signals[i]);
    return set;
}

void vox_temp_hold(void) {
    if (hold_depth++) return;
    const sigset_t set = ending_set();
    pthread_sigmask(SIG_BLOCK, &set, &held_mask);
}

void vox_temp_release(void) {
    if (--hold_depth == 0) pthread_sigmask(SIG_SETMASK, &held_mask, NULL);
}

static int make_file(const char *path, mode_t mode) {
    int fd;
    VOX_RETRY(fd, open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
    return fd;
}

static bool remove_file(const char *path) {
    return unlink(path) == 0 || errno == ENOENT;
}

static void unlink_file(const char *path) {
    unlink(path);
}

const vox_temp_kind vox_temp_file = {make_file, remove_file, unlink_file};

static int make_folder(const char *path, mode_t mode) {
    int made;
    VOX_RETRY(made, mkdir(path, mode));
    return made;
}

static int remove_entry(const char *path, const struct stat *s, int flag, struct FTW *where) {
    (void)s, (void)flag, (void)where;
    return remove(path);
}

bool vox_temp_remove_tree(const char *path) {
    enum { OPEN_FOLDERS = 16 };
    return nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT;
}

/* In another program, since walking a folder is not async-signal-safe. */
static void remove_tree_at_end(const char *path) {
    pid_t remover = fork();
    if (remover == 0) {
        execl("/bin/rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    while (remover > 0 && waitpid(remover, NULL, 0) < 0 && errno == EINTR) continue;
}

const vox_temp_kind vox_temp_folder = {make_folder, vox_temp_remove_tree, remove_tree_at_end};

void vox_temp_remove_all(void) {
    for (int i = 0; i < SLOTS; i++)
        if (slots[i].used) slots[i].kind->remove_at_end(slots[i].path);
}

/* Not SA_RESETHAND: `timeout` sends its signal twice, and the second one would meet the default action before
 * the first one's mask holds it back. */
static void on_signal(int number) {
    if (before_end != NULL) before_end();
    vox_temp_remove_all();
    end_process(number);
}

void vox_temp_catch_signals(void (*before)(void), void (*end)(int number)) {
    before_end = before;
    end_process = end;
    signal(SIGXFSZ, SIG_IGN);
    const struct sigaction act = {.sa_handler = on_signal, .sa_mask = ending_set()};
    for (int i = 0; i < ENDING_SIGNALS; i++) {
        struct sigaction old;
        /* nohup and background jobs of a shell ignore some of them: leave that alone. */
        if (sigaction(ending_signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(ending_signals[i], &act, NULL);
    }
}

void vox_temp_drop_signals(void) {
    for (int i = 0; i < ENDING_SIGNALS; i++) {
        struct sigaction now;
        if (sigaction(ending_signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
            signal(ending_signals[i], SIG_DFL);
    }
}

/* Makes `path` of that kind and lists it: first, since another thread may meet a signal in between. */
static int create(const vox_temp_kind *kind, const char *path, mode_t mode, int *made) {
    int i = 0;
    while (i < SLOTS && slots[i].used) i++;
    if (i == SLOTS || strlen(path) >= PATH_MAX) {
        errno = i == SLOTS ? EMFILE : ENAMETOOLONG;
        return -1;
    }
    slots[i].kind = kind;
    strcpy(slots[i].path, path);
    slots[i].used = 1;
    *made = kind->make(path, mode);
    if (*made < 0) slots[i].used = 0;
    return *made >= 0 ? i : -1;
}

int vox_temp_create(const vox_temp_kind *kind, const char *path, mode_t mode, int *made) {
    int entry = -1;
    vox_temp_hold();
    /* A thread may make several at a time, and a name may stand for an earlier one that
     * could not be removed. */
    for (int attempt = 0; attempt < MOST_TRIES && entry < 0; attempt++) {
        char *name = vox_owner_name(path, "tmp", attempt);
        if (name == NULL) break;
        entry = create(kind, name, mode, made);
        const int error = errno;
        free(name);
        errno = error;
        if (entry < 0 && error != EEXIST) break;
    }
    const int error = errno;
    vox_temp_release();
    errno = error;
    return entry;
}

const char *vox_temp_path(int entry) {
    return slots[entry].path;
}

void vox_temp_forget(int entry) {
    slots[entry].used = 0;
}

void vox_temp_remove(int entry) {
    vox_temp_hold();
    if (slots[entry].kind->remove(slots[entry].path)) vox_temp_forget(entry);
    vox_temp_release();
}

bool vox_temp_rename(int entry, const char *to) {
    int failed;
    vox_temp_hold();
    VOX_RETRY(failed, rename(slots[entry].path, to));
    const int error = errno;
    if (failed == 0) vox_temp_forget(entry);
    vox_temp_release();
    errno = error;
    return failed == 0;
}
