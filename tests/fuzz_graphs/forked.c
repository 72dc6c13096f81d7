/* forked.c: checks in processes of their own. */
#include "forked.h"
#include "fuzz_graphs.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static const rlim_t memory = (rlim_t)8 << 30;

int process_log_new(void) {
    int log = memfd_create("fuzz-log", MFD_CLOEXEC);
    if (log < 0) ir_die("no file for a process's messages");
    return log;
}

void process_enter(int log, unsigned seconds) {
    struct rlimit none = {0, 0}, most = {memory, memory};
    if (ftruncate(log, 0) || lseek(log, 0, SEEK_SET) || dup2(log, STDERR_FILENO) < 0) _exit(1);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_AS, &most);
    alarm(seconds);
}

/* The line that says what is wrong: a compiler's or a sanitizer's first error, else the first line. */
static void first_line(int log, char *line, size_t n) {
    char buf[8192];
    ssize_t got = pread(log, buf, sizeof buf - 1, 0);
    buf[got > 0 ? got : 0] = 0;
    const char *at = strstr(buf, "error"), *start = buf;
    for (const char *p = buf; at && p < at; p++)
        if (*p == '\n') start = p + 1;
    snprintf(line, n, "%.*s", (int)strcspn(start, "\n"), start);
}

void process_end_text(int status, int log, char *text, size_t n) {
    char line[900];
    first_line(log, line, sizeof line);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        snprintf(text, n, "timeout");
    else if (WIFSIGNALED(status))
        snprintf(text, n, "%s: %s", WTERMSIG(status) == SIGABRT ? "abort" : strsignal(WTERMSIG(status)),
                 line);
    else
        snprintf(text, n, "exit status %d: %s", WEXITSTATUS(status), line);
}

void fuzz_isolated(fuzz_checker *check, const char *text, const fuzz_options *o, fuzz_result *r) {
    fuzz_result *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int log = process_log_new(), status = 0;
    if (shared == MAP_FAILED) ir_die("no shared memory");
    pid_t pid = fork();
    if (pid == 0) {
        process_enter(log, FUZZ_SECONDS);
        check(text, o, shared);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) ir_die("no more processes");
    *r = *shared;
    if (status) {
        r->verdict = FUZZ_WRONG;
        process_end_text(status, log, r->text, sizeof r->text);
    }
    munmap(shared, sizeof *shared);
    close(log);
}

void fuzz_signature(const char *text, char *buf, size_t n) {
    size_t used = 0;
    const char *read = strstr(text, " reads "); /* whoever reads what another has overwritten */
    for (const char *p = read ? read + 1 : text; *p;) {
        size_t length = strcspn(p, " ");
        bool named = false;
        for (size_t i = 0; i < length; i++) named |= isdigit((unsigned char)p[i]) || p[i] == '%';
        if (!named && used + length + 1 < n) {
            memcpy(buf + used, p, length);
            used += length;
            buf[used++] = ' ';
        }
        p += length + (p[length] == ' ');
    }
    buf[used ? used - 1 : 0] = 0;
}
