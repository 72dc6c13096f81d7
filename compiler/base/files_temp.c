/* files_temp.c: temporaries on disk, and their removal when a signal ends the program. */
#include "files_temp.h"
#include "files.h"
#include "owner.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_PENDING = 64, MAX_TRIES = 100 };

/* The one piece of global state in voxc: a signal handler can reach nothing else. Written only with the
 * signals held back, so the handler always sees a consistent list; entries are removed from the end towards
 * the front. NULL: a free place. */
static char *pending[MAX_PENDING];
static bool is_tree[MAX_PENDING];
static int pending_count;
static pid_t child; /* 0: none */
static int hold_depth;
static sigset_t held_mask;

static const int ending_signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
enum { ENDING_SIGNALS = sizeof ending_signals / sizeof *ending_signals };

void file_temp_hold(void) {
    if (hold_depth++) return;
    sigset_t set;
    sigemptyset(&set);
    for (int i = 0; i < ENDING_SIGNALS; i++) sigaddset(&set, ending_signals[i]);
    pthread_sigmask(SIG_BLOCK, &set, &held_mask);
}

void file_temp_release(void) {
    if (--hold_depth == 0) pthread_sigmask(SIG_SETMASK, &held_mask, NULL);
}

static void remove_path(const char *path) {
    if (unlink(path) != 0) rmdir(path);
}

static void wait_for(pid_t process) {
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR) continue;
}

/* In another program, since walking a folder is not async-signal-safe. */
static void remove_tree(const char *path) {
    pid_t remover = fork();
    if (remover == 0) {
        execl("/bin/rm", "rm", "-rf", "--", path, (char *)NULL);
        _exit(127);
    }
    if (remover > 0) wait_for(remover);
}

/* Only async-signal-safe calls: unlink, rmdir, fork, execl, kill, waitpid. */
static void remove_pending(void) {
    if (child && kill(-child, SIGTERM) == 0) wait_for(child);
    for (int i = pending_count; i-- > 0;) {
        if (!pending[i]) continue;
        if (is_tree[i])
            remove_tree(pending[i]);
        else
            remove_path(pending[i]);
    }
}

/* Not SA_RESETHAND: `timeout` sends its signal twice, and the second one would meet the default action before
 * the first one's mask holds it back. */
static void on_signal(int number) {
    remove_pending();
    signal(number, SIG_DFL);
    raise(number); /* held back until this returns */
}

void file_clean_on_end(void) {
    atexit(remove_pending);   /* out of memory exits from anywhere */
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes (ulimit -f) is an error of write, as a full disk is */
    struct sigaction act = {.sa_handler = on_signal};
    sigemptyset(&act.sa_mask);
    for (int i = 0; i < ENDING_SIGNALS; i++) sigaddset(&act.sa_mask, ending_signals[i]);
    for (int i = 0; i < ENDING_SIGNALS; i++) {
        struct sigaction old;
        /* nohup and background jobs of a shell ignore some of them: leave that alone. */
        if (sigaction(ending_signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN) continue;
        sigaction(ending_signals[i], &act, NULL);
    }
}

/* Takes ownership of path where it succeeds. Signals are held. */
static int push(char *path, bool tree) {
    if (pending_count == MAX_PENDING) {
        errno = EMFILE;
        return -1;
    }
    pending[pending_count] = path;
    is_tree[pending_count] = tree;
    return pending_count++;
}

const char *file_temp_path(int entry) {
    return pending[entry];
}

void file_temp_forget(int entry) {
    file_temp_hold();
    free(pending[entry]);
    pending[entry] = NULL;
    while (pending_count && !pending[pending_count - 1]) pending_count--;
    file_temp_release();
}

static int remove_entry(const char *path, const struct stat *s, int flag, struct FTW *where) {
    (void)s, (void)flag, (void)where;
    return remove(path);
}

bool file_remove_tree(const char *path) {
    enum { OPEN_FOLDERS = 16 };
    return nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT;
}

void file_temp_remove(int entry) {
    file_temp_hold();
    if (file_remove_tree(pending[entry])) file_temp_forget(entry);
    file_temp_release();
}

static void remove_leftover(void *ctx, const char *path) {
    (void)ctx;
    file_remove_tree(path);
}

void file_temp_sweep(const char *path) {
    vox_owner_sweep(path, "tmp", remove_leftover, NULL);
}

bool file_temp_rename(int entry, const char *to) {
    int failed;
    file_temp_hold();
    VOX_RETRY(failed, rename(pending[entry], to));
    int error = errno;
    if (failed == 0) file_temp_forget(entry);
    file_temp_release();
    errno = error;
    return failed == 0;
}

/* Creates path as a file (fd) or as a folder (fd NULL) and lists it. */
static int create(char *path, int *fd, mode_t mode) {
    int made, entry = -1;
    if (!path) return -1;
    file_temp_hold();
    VOX_RETRY(made, fd ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) : mkdir(path, mode));
    int error = errno;
    if (made >= 0) {
        entry = push(path, !fd);
        error = errno;
        if (entry < 0) remove_path(path);
        if (fd && entry >= 0) *fd = made;
        if (fd && entry < 0) close(made);
    }
    if (entry < 0) free(path);
    file_temp_release();
    errno = error;
    return entry;
}

/* A thread may make several at a time, and a name may stand for an earlier one that could not be removed. */
static int create_beside(const char *path, int *fd, mode_t mode) {
    int entry = -1;
    for (int attempt = 0; attempt < MAX_TRIES && entry < 0; attempt++) {
        entry = create(vox_owner_name(path, "tmp", attempt), fd, mode);
        if (entry < 0 && errno != EEXIST) break;
    }
    return entry;
}

int file_temp_create(const char *path, int *fd) {
    return create_beside(path, fd, 0666);
}

int file_temp_tree(const char *path, mode_t mode) {
    return create_beside(path, NULL, mode);
}

pid_t file_temp_fork(void) {
    file_temp_hold();
    pid_t made = fork();
    if (made == 0) {
        child = 0;
        for (int i = 0; i < ENDING_SIGNALS; i++) { /* what runs here is not to remove anything */
            struct sigaction now;
            if (sigaction(ending_signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
                signal(ending_signals[i], SIG_DFL);
        }
        setpgid(0, 0);
    } else if (made > 0) {
        setpgid(made, made); /* both: whoever comes first */
        child = made;
    }
    file_temp_release();
    return made;
}

void file_temp_reaped(void) {
    file_temp_hold();
    child = 0;
    file_temp_release();
}
