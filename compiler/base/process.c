#include "process.h"

#include "files_temp.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* The absolute path of the log's folder; "" if there is none. */
static void find_folder(const char *log, char folder[PATH_MAX]) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", log);
    char *slash = strrchr(path, '/');
    if (slash) *slash = 0;
    if (!slash || !realpath(path, folder)) *folder = 0;
}

/* A compiler that is killed leaves its temporary files: in a folder that goes as a whole. */
static _Noreturn void become(const char *const *argv, const char *log, const char *folder) {
    if (*folder) setenv("TMPDIR", folder, 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM); /* make ends what it started */
    int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int in = open("/dev/null", O_RDONLY);
    if (out < 0 || in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(out, 2) < 0) _exit(127);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(2, "%s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int process_run(const char *const *argv, const char *log) {
    char folder[PATH_MAX];
    find_folder(log, folder);
    pid_t child = file_temp_fork();
    if (child < 0) return 127;
    if (child == 0) become(argv, log, folder);
    int status;
    pid_t ended;
    do ended = waitpid(child, &status, 0);
    while (ended < 0 && errno == EINTR);
    file_temp_reaped();
    if (ended < 0) return 127;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const char *process_log_tail(const char *log, ir_arena *arena) {
    enum { TAIL = 600 };
    FILE *f = fopen(log, "rb");
    if (!f) return "(no output)";
    char text[TAIL + 1];
    if (fseek(f, -TAIL, SEEK_END) != 0) rewind(f);
    size_t n = fread(text, 1, TAIL, f);
    fclose(f);
    while (n > 0 && text[n - 1] == '\n') n--;
    text[n] = 0;
    for (size_t i = 0; i < n; i++)
        if (text[i] == '\n' || text[i] == '\r') text[i] = ' ';
    return n ? ir_strdup(arena, text) : "(no output)";
}

bool process_temp_begin(process_temp *t, bool keep, ir_diag *d) {
    const char *base = getenv("TMPDIR");
    char *path = NULL;
    if (!base || !*base) base = "/tmp";
    if (asprintf(&path, "%s/%s", base, keep ? "voxc-kept" : "voxc") < 0) ir_no_memory("a path");
    if (!keep) file_temp_sweep(path);
    t->keep = keep;
    t->entry = file_temp_tree(path, 0700);
    free(path);
    if (t->entry < 0)
        return ir_fail(d, IR_EXIT_FAILURE, "%s: can't create a temporary folder: %s (set TMPDIR)", base,
                       strerror(errno));
    t->path = vox_temp_path(t->entry);
    return true;
}

void process_temp_end(process_temp *t) {
    if (t->keep)
        vox_temp_forget(t->entry);
    else
        vox_temp_remove(t->entry);
}
