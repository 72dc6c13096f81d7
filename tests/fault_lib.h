/* fault_lib.h: a command run again and again, each time with another of its calls about files failing
 * (fail_file.c), or killed there. What has to hold each time:
 *
 * - Exit code 0, and every result is there with the bytes of an undisturbed run; or 1 to 3, one line on
 *   standard error, and each result is what it was before or whole. No other file appears.
 * - After a kill each result is what it was or whole, and the next run leaves no other file.
 *
 * Every call in turn where FAULT_ALL is set in the environment, else FAULT_RUNS of them for each error. */
#ifndef VOXC_FAULT_LIB_H
#define VOXC_FAULT_LIB_H

#include "shim_lib.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

enum { FAULT_RUNS = 6, FAULT_OUTPUTS = 40, FAULT_WORDS = 24 };

typedef struct fault_command {
    const char *name;
    const char *only;                   /* the program whose calls fail: its file's name */
    const char *argv[FAULT_WORDS];      /* NULL at the end */
    const char *outputs[FAULT_OUTPUTS]; /* in the working folder; NULL at the end */
    bool timed;                         /* results hold times: whole is what ends as it should */
} fault_command;

typedef struct fault_error {
    int number; /* 0: a kill */
    bool always;
} fault_error;

static const fault_error fault_errors[] = {
    {ENOSPC, true}, {EIO, false}, {EINTR, false}, {EACCES, false}, {0, false}};

/* The network of the tests: `voxc compile` takes a moment. */
static const char fault_model[] = "name: tiny\n"
                                  "inputs:\n"
                                  "  x: {type: f32, shape: [1, 1, 8, 8, 8]}\n"
                                  "layers:\n"
                                  "  - y: {conv: {channels: 2, kernel: 1}}\n"
                                  "outputs: [y]\n";

/* ---- one run --------------------------------------------------------------------------------- */

/* In the folder `work`; output and errors go to the files out and err beside it. */
static int fault_exec(const fault_command *c, const char *work, long n, fault_error e, bool counted) {
    pid_t child = fork();
    if (child == 0) {
        char number[32], error[32];
        snprintf(number, sizeof number, "%ld", n);
        snprintf(error, sizeof error, "%d", e.number);
        if (chdir(work) != 0) _exit(126);
        int in = open("/dev/null", O_RDONLY), out = open("../out", O_WRONLY | O_CREAT | O_TRUNC, 0666),
            err = open("../err", O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) _exit(126);
        setenv("FAIL_FILE", number, 1), setenv("FAIL_ERRNO", error, 1);
        setenv("FAIL_ALWAYS", e.always ? "1" : "0", 1), setenv("FAIL_ONLY", c->only, 1);
        if (counted) setenv("FAIL_LOG", "../calls", 1);
        if (counted || n > 0) setenv("LD_PRELOAD", shim, 1);
        execvp(c->argv[0], (char *const *)(uintptr_t)c->argv);
        _exit(127);
    }
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- files ----------------------------------------------------------------------------------- */

typedef struct fault_file {
    char *text; /* NULL: not there */
    size_t n;
} fault_file;

static fault_file fault_read(const char *dir, const char *name) {
    fault_file f = {0};
    char *path = test_format("%s/%s", dir, name);
    if (test_exists(path)) f.text = test_read(path, &f.n);
    free(path);
    return f;
}

static bool fault_same(const fault_file *a, const fault_file *b) {
    return a->text && b->text && a->n == b->n && memcmp(a->text, b->text, a->n) == 0;
}

/* Of results that hold times the ends are the same. */
static bool fault_whole(const fault_file *a, const fault_file *b, bool timed) {
    enum { END = 4 };
    if (!timed || !a->text || a->n < END || b->n < END) return fault_same(a, b);
    return memcmp(a->text + a->n - END, b->text + b->n - END, END) == 0;
}

/* The names of all files below dir, sorted. */
static char *fault_names(const char *dir) {
    char *command = test_format("cd %s && find . | LC_ALL=C sort", dir), *out;
    assert_int_equal(test_run(command, &out), 0);
    free(command);
    return out;
}

/* Entries of `dir` and its folders, counted: cheap enough for every run. */
static int fault_count(const char *dir) {
    int count = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")) continue;
        char *path = test_format("%s/%s", dir, e->d_name);
        count += 1 + (e->d_type == DT_DIR ? fault_count(path) : 0);
        free(path);
    }
    closedir(d);
    return count;
}

/* What --resume goes on from: a run that fails for what may be better the next time leaves it. Returns how many. */
static int fault_parts(const char *dir, bool unlink_them) {
    int count = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        size_t n = strlen(e->d_name);
        if (n < 5 || strcmp(e->d_name + n - 5, ".part")) continue;
        char *path = test_format("%s/%s", dir, e->d_name);
        if (unlink_them) unlink(path);
        free(path);
        count++;
    }
    closedir(d);
    return count;
}

static int fault_lines(const char *text) {
    int n = 0;
    for (const char *p = text; *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : p + strlen(p))
        n += strncmp(p, "warning: ", 9) != 0;
    return n;
}

/* ---- every call ------------------------------------------------------------------------------ */

typedef struct fault_state {
    const fault_command *command;
    const char *dir;
    char *work;
    fault_file before, want[FAULT_OUTPUTS], out;
    int files; /* after an undisturbed run */
    long runs, told, bad;
} fault_state;

/* Each result as it was: an old file, or none. Returns how many files there are. */
static int fault_reset(fault_state *s, bool old) {
    for (int i = 0; s->command->outputs[i]; i++) {
        char *path = test_format("%s/%s", s->work, s->command->outputs[i]);
        unlink(path);
        if (old) test_write(path, s->before.text, s->before.n);
        free(path);
    }
    fault_parts(s->work, true);
    return fault_count(s->work);
}

static void fault_tell(fault_state *s, long n, fault_error e, int code, const char *what) {
    fault_file err = fault_read(s->dir, "err");
    char *names = fault_names(s->work);
    print_message("%s: call %ld, error %d: %s; exit code %d, said: %s, files: %s\n", s->command->name, n,
                  e.number, what, code, err.text, names);
    s->bad++;
    free(names), free(err.text);
}

/* NULL, or what is wrong. */
static const char *fault_judge(fault_state *s, int code, bool killed, bool old, int files_before) {
    const fault_command *c = s->command;
    const char *wrong = NULL;
    int whole = 0, count = 0, there = 0, was = 0;
    for (; c->outputs[count]; count++) {
        fault_file f = fault_read(s->work, c->outputs[count]);
        bool is_whole = fault_whole(&f, &s->want[count], c->timed);
        whole += is_whole, there += f.text != NULL, was += old;
        if (!is_whole && (old ? !fault_same(&f, &s->before) : f.text != NULL))
            wrong = "a result is neither old nor whole";
        free(f.text);
    }
    fault_file out = fault_read(s->dir, "out"), err = fault_read(s->dir, "err");
    if (killed && code != 128 + SIGKILL && code != 0) wrong = "not killed";
    if (!killed && code > 3) wrong = "a wrong exit code";
    if (!killed && code != 0 && fault_lines(err.text) != 1) wrong = "not one line";
    if (!killed && code != 0 && count == 1 && whole == 1 && !old) wrong = "an error, but the result is there";
    if (code == 0 && whole != count) wrong = "no error, but a result is missing";
    if (code == 0 && !c->timed && !fault_same(&out, &s->out))
        wrong = "no error, but something else was printed";
    const int parts = code == 1 || strstr(err.text, ".part") ? fault_parts(s->work, false) : 0;
    if (!killed && fault_count(s->work) - parts > files_before - was + there) wrong = "a file is left";
    free(out.text), free(err.text);
    return wrong;
}

static void fault_run(fault_state *s, long n, fault_error e, bool old) {
    const int before = fault_reset(s, old);
    int code = fault_exec(s->command, s->work, n, e, false);
    const char *wrong = fault_judge(s, code, e.number == 0, old, before);
    s->runs++, s->told += code != 0;
    if (wrong) fault_tell(s, n, e, code, wrong);
    if (e.number == 0) {
        code = fault_exec(s->command, s->work, 0, e, false);
        if (code != 0 || fault_count(s->work) != s->files)
            fault_tell(s, n, e, code, "and after the next run");
    }
}

static void fault_undisturbed(fault_state *s) {
    const fault_command *c = s->command;
    int code = fault_exec(c, s->work, 0, (fault_error){0}, true);
    if (code != 0) {
        fault_tell(s, 0, (fault_error){0}, code, "undisturbed");
        fail();
    }
    for (int i = 0; c->outputs[i]; i++) {
        s->want[i] = fault_read(s->work, c->outputs[i]);
        if (!s->want[i].text) fail_msg("%s: no %s", c->name, c->outputs[i]);
    }
    s->out = fault_read(s->dir, "out");
    s->files = fault_count(s->work);
}

/* dir/work holds the inputs and has the folders of the results. Returns how many calls there are. */
static TEST_UNUSED long fault_each(const fault_command *c, const char *dir) {
    fault_state s = {
        .command = c, .dir = dir, .work = test_format("%s/work", dir), .before = {(char[]){"earlier"}, 7}};
    fault_undisturbed(&s);
    fault_file calls = fault_read(dir, "calls");
    const long count = calls.text ? atol(calls.text) : 0,
               step = getenv("FAULT_ALL") ? 1 : count / FAULT_RUNS + 1;
    for (size_t k = 0; k < sizeof fault_errors / sizeof *fault_errors; k++)
        for (long n = 1 + (step > 1 ? (long)k * 3 % step : 0); n <= count; n += step)
            fault_run(&s, n, fault_errors[k], (n + (long)k) % 2 == 0);
    if (getenv("FAULT_ALL"))
        print_message("%s: %ld calls, %ld runs, %ld ended with an error, %ld faults\n", c->name, count,
                      s.runs, s.told, s.bad);
    fault_reset(&s, false);
    for (int i = 0; c->outputs[i]; i++) free(s.want[i].text);
    free(s.out.text), free(calls.text), free(s.work);
    assert_int_equal(s.bad, 0);
    return count;
}

/* A signal in each call in turn that opens or reads a file: nothing comes of it.
 * Returns how many there are. */
static TEST_UNUSED long fault_signals(const fault_command *c, const char *dir) {
    fault_state s = {.command = c, .dir = dir, .work = test_format("%s/work", dir)};
    setenv("FAIL_READS", "1", 1);
    fault_undisturbed(&s);
    fault_file calls = fault_read(dir, "calls");
    const long count = calls.text ? atol(calls.text) : 0;
    for (long n = 1; n <= count; n++) {
        const fault_error e = {EINTR, false};
        int code = fault_exec(c, s.work, n, e, false);
        if (code != 0) fault_tell(&s, n, e, code, "a signal while it reads");
    }
    unsetenv("FAIL_READS");
    fault_reset(&s, false);
    for (int i = 0; c->outputs[i]; i++) free(s.want[i].text);
    free(s.out.text), free(calls.text), free(s.work);
    assert_int_equal(s.bad, 0);
    return count;
}

#endif
