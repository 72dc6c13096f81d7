/* SPDX-License-Identifier: MIT-0 */
/* output.c: see output.h. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_names.h"
#include "owner.h"
#include "report.h"

/* The only mutable globals of the program: a signal handler can reach nothing else. A slot's name is complete
 * before `used` is set, and stays until after `used` is cleared. */
enum { SLOTS = 4, MOST_ATTEMPTS = 8 };
static struct {
    volatile sig_atomic_t used;
    char name[PATH_MAX];
} temporaries[SLOTS];

static void on_signal(int number) {
    for (int i = 0; i < SLOTS; i++) {
        if (temporaries[i].used) unlink(temporaries[i].name);
    }
    _exit(128 + number);
}

void vox_output_catch_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old, new = {.sa_handler = on_signal};
        sigfillset(&new.sa_mask);
        /* Whoever started us may have set it to be ignored (nohup): then it stays so. */
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &new, NULL);
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit on file sizes (ulimit -f) is an error of write, as a full disk is */
}

static int take_slot(const char *name) {
    for (int i = 0; i < SLOTS; i++) {
        if (!temporaries[i].used && strlen(name) < PATH_MAX) {
            strcpy(temporaries[i].name, name);
            temporaries[i].used = 1;
            return i;
        }
    }
    return -1;
}

int vox_output_check(const char *const *results, int n_results, char **inputs, int n) {
    for (int i = 0; i < n_results; i++) {
        if (results[i] == NULL) continue;
        for (int k = 0; k < n; k++) {
            if (vox_name_same(results[i], inputs[k]))
                return vox_fail(VOX_EXIT_INPUT, "%s would overwrite an input: give the result another name",
                                results[i]);
        }
        for (int k = 0; k < i; k++) {
            if (results[k] != NULL && vox_name_same(results[i], results[k]))
                return vox_fail(VOX_EXIT_INPUT, "%s is to hold two results: give each its own name",
                                results[i]);
        }
    }
    return 0;
}

int vox_output_error(const vox_output *o) {
    return vox_fail(VOX_EXIT_FAILURE, "cannot write %s: %s", o->path, strerror(errno));
}

static void forget(vox_output *o) {
    if (o->temporary != NULL && o->slot >= 0) temporaries[o->slot].used = 0;
    free(o->temporary);
    free(o->path);
    *o = (vox_output){0};
}

static int cannot_open(vox_output *o) {
    /* A wrong path is the user's to mend: exit code 2; a full or failing disk is not. */
    bool input = errno == ENOENT || errno == EACCES || errno == ENOTDIR || errno == EISDIR ||
                 errno == EROFS || errno == ENAMETOOLONG || errno == EPERM || errno == ELOOP ||
                 errno == EBADF;
    int code =
        vox_fail(input ? VOX_EXIT_INPUT : VOX_EXIT_FAILURE, "cannot write %s: %s", o->path, strerror(errno));
    forget(o);
    return code;
}

/* Written where the descriptor stands, which whoever opened it chose: no file beside it, no new file. */
static int open_descriptor(vox_output *o, int descriptor) {
    int fd = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (fd >= 0) o->file = fdopen(fd, "wb");
    if (o->file != NULL) return 0;
    int code = cannot_open(o);
    if (fd >= 0) close(fd);
    return code;
}

static void remove_leftover(void *nothing, const char *path) {
    (void)nothing;
    unlink(path);
}

/* The file under its temporary name, after what killed processes left of this output is gone. The name of
 * another output of this process may be the same where long names are cut. */
static int open_temporary(vox_output *o) {
    int fd = -1;
    vox_owner_sweep(o->path, "tmp", remove_leftover, NULL);
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        free(o->temporary);
        o->temporary = vox_owner_name(o->path, "tmp", attempt);
        if (o->temporary == NULL) break;
        o->slot = take_slot(o->temporary);
        VOX_RETRY(fd, open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (fd < 0 && o->slot >= 0) temporaries[o->slot].used = 0;
        if (fd < 0) o->slot = -1;
        if (fd >= 0 || errno != EEXIST) break;
    }
    return fd;
}

int vox_output_open(vox_output *o, const char *path) {
    /* Symbolic links are followed, so that the rename replaces the file and not the link. */
    const int descriptor = vox_name_descriptor(path);
    *o = (vox_output){.path = descriptor < 0 ? vox_name_resolve(path) : strdup(path), .slot = -1};
    struct stat s;
    if (o->path == NULL) return vox_fail_memory("a file name", strlen(path));
    if (descriptor >= 0) return open_descriptor(o, descriptor);
    bool exists = stat(o->path, &s) == 0;
    if (!exists && errno != ENOENT) return cannot_open(o);
    if (exists && S_ISDIR(s.st_mode)) {
        errno = EISDIR;
        return cannot_open(o);
    }
    if (exists && access(o->path, W_OK) != 0) return cannot_open(o); /* a rename would not ask */
    if (exists && !S_ISREG(s.st_mode)) {
        do o->file = fopen(o->path, "wb");
        while (o->file == NULL && errno == EINTR);
        return o->file != NULL ? 0 : cannot_open(o);
    }
    int fd = open_temporary(o);
    if (fd < 0) return cannot_open(o);
    o->file = fdopen(fd, "wb");
    if (o->file == NULL) {
        int error = errno;
        close(fd);
        unlink(o->temporary);
        errno = error;
        return cannot_open(o);
    }
    return 0;
}

static bool give_name(const vox_output *o) {
    int result = 0;
    if (o->temporary != NULL) VOX_RETRY(result, rename(o->temporary, o->path));
    return result == 0;
}

int vox_output_commit(vox_output *o) {
    bool bad = fflush(o->file) != 0 || ferror(o->file) != 0;
    int saved = errno;
    bool bad_close = fclose(o->file) != 0 && errno != EINTR; /* the descriptor is closed even then */
    o->file = NULL;
    if (bad) errno = saved;
    if (bad || bad_close || !give_name(o)) {
        int code = vox_output_error(o);
        vox_output_abort(o);
        return code;
    }
    forget(o);
    return 0;
}

void vox_output_abort(vox_output *o) {
    if (o->file != NULL) fclose(o->file);
    if (o->temporary != NULL) unlink(o->temporary);
    forget(o);
}

int vox_output_check_stdout(void) {
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return 0;
    return vox_fail(VOX_EXIT_FAILURE, "cannot write to standard output: %s", strerror(errno));
}
