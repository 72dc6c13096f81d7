/* files_temp.c: temporary folders on disk, and their removal when a signal ends the program. */
#include "files_temp.h"
#include "files.h"
#include "owner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a signal handler has to end. */
static pid_t child; /* 0: none */

static void wait_for(pid_t process) {
    while (waitpid(process, NULL, 0) < 0 && errno == EINTR) continue;
}

static void end_child(void) {
    if (child && kill(-child, SIGTERM) == 0) wait_for(child);
}

static void end_by_signal(int number) {
    signal(number, SIG_DFL);
    raise(number); /* held back until the handler returns */
}

static void at_exit(void) {
    end_child();
    vox_temp_remove_all();
}

void file_clean_on_end(void) {
    atexit(at_exit); /* out of memory exits from anywhere */
    vox_temp_catch_signals(end_child, end_by_signal);
}

bool file_remove_tree(const char *path) {
    return vox_temp_remove_tree(path);
}

int file_temp_tree(const char *path, mode_t mode) {
    int made;
    return vox_temp_create(&vox_temp_folder, path, mode, &made);
}

static void remove_old_file(void *ctx, const char *path) {
    (void)ctx;
    file_remove_tree(path);
}

void file_temp_sweep(const char *path) {
    vox_owner_sweep(path, "tmp", remove_old_file, NULL);
}

pid_t file_temp_fork(void) {
    vox_temp_hold();
    pid_t made = fork();
    if (made == 0) {
        child = 0;
        vox_temp_drop_signals();
        setpgid(0, 0);
    } else if (made > 0) {
        setpgid(made, made); /* both: whoever comes first */
        child = made;
    }
    vox_temp_release();
    return made;
}

void file_temp_reaped(void) {
    vox_temp_hold();
    child = 0;
    vox_temp_release();
}
