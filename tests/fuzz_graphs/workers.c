/* workers.c: many cases, in processes that take the next one from a shared counter; where one dies, another
 * takes its place.
 */
#include "fuzz_graphs.h"
#include "forked.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TARGETS = 2 };

typedef struct worker {
    pid_t pid;
    int log;
} worker;

typedef struct shared {
    fuzz_tally tally; /* first: whoever gets it unmaps all of this */
    int64_t next;     /* the next item: case and target */
    int64_t item[FUZZ_MAX_JOBS];
} shared;

void fuzz_add_case(fuzz_cases *c, int64_t number, ir_target target, const char *text) {
    int at = __atomic_fetch_add(&c->count, 1, __ATOMIC_RELAXED);
    if (at >= FUZZ_MAX_KEPT) return;
    c->kept[at].number = number;
    c->kept[at].target = target;
    snprintf(c->kept[at].text, sizeof c->kept[at].text, "%s", text);
}

static void record(fuzz_cases *c, int64_t item, const char *text) {
    fuzz_add_case(c, item / TARGETS, (ir_target)(item % TARGETS), text);
}

static void check_item(shared *s, uint64_t seed, int64_t item) {
    fuzz_result r;
    fuzz_options o = fuzz_options_of(seed, item / TARGETS, (ir_target)(item % TARGETS));
    char *text = fuzz_generate(seed, item / TARGETS);
    fuzz_check(text, &o, &r);
    if (r.verdict == FUZZ_WRONG) record(&s->tally.failed, item, r.text);
    if (r.verdict == FUZZ_REFUSED) record(&s->tally.refused, item, r.text);
    for (int i = 0; i < FUZZ_FEATURE_COUNT; i++)
        if (r.features >> i & 1) __atomic_fetch_add(&s->tally.features[i], 1, __ATOMIC_RELAXED);
    free(text);
}

static void work(shared *s, int me, uint64_t seed, int64_t items, int log) {
    for (;;) {
        int64_t item = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED);
        if (item >= items) _exit(0);
        s->item[me] = item;
        process_enter(log, FUZZ_SECONDS);
        check_item(s, seed, item);
        __atomic_fetch_add(&s->tally.done, 1, __ATOMIC_RELAXED);
    }
}

static void start(shared *s, worker *w, int me, uint64_t seed, int64_t items) {
    fflush(NULL);
    w->pid = fork();
    if (w->pid < 0) ir_die("no more processes");
    if (w->pid == 0) work(s, me, seed, items, w->log);
}

/* Waits for one worker to end; false: all are done. */
static bool reap(shared *s, worker *w, int jobs, uint64_t seed, int64_t items, int options) {
    int status;
    pid_t pid = waitpid(-1, &status, options);
    for (int i = 0; pid > 0 && i < jobs; i++) {
        if (w[i].pid != pid) continue;
        char text[1024];
        w[i].pid = 0;
        if (!status) continue;
        process_end_text(status, w[i].log, text, sizeof text);
        record(&s->tally.failed, s->item[i], text);
        __atomic_fetch_add(&s->tally.done, 1, __ATOMIC_RELAXED);
        start(s, &w[i], i, seed, items);
    }
    return pid >= 0;
}

static void show_progress(const shared *s, int64_t items, bool end) {
    if (!isatty(STDERR_FILENO)) return;
    fprintf(stderr, "\r%lld of %lld graphs, %d failures%s", (long long)s->tally.done / TARGETS,
            (long long)items / TARGETS, s->tally.failed.count, end ? "\n" : "");
}

fuzz_tally *fuzz_run(uint64_t seed, int64_t count, int jobs) {
    shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    worker w[FUZZ_MAX_JOBS];
    int64_t items = count * TARGETS;
    if (s == MAP_FAILED) ir_die("no shared memory");
    for (int i = 0; i < jobs; i++) {
        w[i].log = process_log_new();
        start(s, &w[i], i, seed, items);
    }
    while (reap(s, w, jobs, seed, items, WNOHANG)) {
        show_progress(s, items, false);
        usleep(50000);
    }
    show_progress(s, items, true);
    for (int i = 0; i < jobs; i++) close(w[i].log);
    return &s->tally;
}
