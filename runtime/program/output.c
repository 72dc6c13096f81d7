/* SPDX-License-Identifier: MIT-0 */
/* output.c: see output.h. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_names.h"
#include "owner.h"
#include "report.h"
#include "temporary.h"

static void end_process(int number) {
    _exit(128 + number);
}

void vox_output_catch_signals(void) {
    vox_temp_catch_signals(NULL, end_process);
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
    free(o->path);
    *o = (vox_output){.temporary = -1};
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

int vox_output_open(vox_output *o, const char *path) {
    /* Symbolic links are followed, so that the rename replaces the file and not the link. */
    const int descriptor = vox_name_descriptor(path);
    *o = (vox_output){.path = descriptor < 0 ? vox_name_resolve(path) : strdup(path), .temporary = -1};
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
    int fd = -1;
    vox_owner_sweep(o->path, "tmp", remove_leftover, NULL);
    o->temporary = vox_temp_create(&vox_temp_file, o->path, 0666, &fd);
    if (o->temporary < 0) return cannot_open(o);
    o->file = fdopen(fd, "wb");
    if (o->file != NULL) return 0;
    int error = errno;
    close(fd);
    vox_temp_remove(o->temporary);
    errno = error;
    return cannot_open(o);
}

int vox_output_commit(vox_output *o) {
    bool bad = fflush(o->file) != 0 || ferror(o->file) != 0;
    int saved = errno;
    bool bad_close = fclose(o->file) != 0 && errno != EINTR; /* the descriptor is closed even then */
    o->file = NULL;
    if (bad) errno = saved;
    if (bad || bad_close || (o->temporary >= 0 && !vox_temp_rename(o->temporary, o->path))) {
        int code = vox_output_error(o);
        vox_output_abort(o);
        return code;
    }
    forget(o);
    return 0;
}

void vox_output_abort(vox_output *o) {
    if (o->file != NULL) fclose(o->file);
    if (o->path != NULL && o->temporary >= 0) vox_temp_remove(o->temporary);
    forget(o);
}

int vox_output_check_stdout(void) {
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return 0;
    return vox_fail(VOX_EXIT_FAILURE, "cannot write to standard output: %s", strerror(errno));
}
