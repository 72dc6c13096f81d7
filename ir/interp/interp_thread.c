/* interp_thread.c: the interpreter's parallel loop. Threads live for one call: next to a convolution in
 * double precision their creation costs nothing. */
#include "interp.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { MAX_THREADS = 64 };

typedef struct job {
    void (*fn)(void *ctx, int64_t task, int thread);
    void *ctx;
    int64_t n;
    atomic_llong next;
} job;

typedef struct worker {
    job *j;
    int index;
    pthread_t id;
} worker;

static void *work_on_tasks(void *arg) {
    const worker *w = arg;
    for (;;) {
        int64_t task = atomic_fetch_add(&w->j->next, 1);
        if (task >= w->j->n) return NULL;
        w->j->fn(w->j->ctx, task, w->index);
    }
}

void interp_parallel(int threads, int64_t n, void (*fn)(void *ctx, int64_t task, int thread), void *ctx) {
    job j = {.fn = fn, .ctx = ctx, .n = n};
    worker w[MAX_THREADS];
    int started = 1;
    if (threads > MAX_THREADS) threads = MAX_THREADS;
    if (threads > n) threads = (int)n;
    sigset_t all, before; /* a signal handler runs on the caller's thread, whose work it can then stop */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; started < threads; started++) {
        w[started] = (worker){.j = &j, .index = started};
        /* No thread to be had: the others do its share. */
        if (pthread_create(&w[started].id, NULL, work_on_tasks, &w[started]) != 0) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    w[0] = (worker){.j = &j};
    work_on_tasks(&w[0]);
    for (int i = 1; i < started; i++) pthread_join(w[i].id, NULL);
}
