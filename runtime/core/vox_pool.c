/* SPDX-License-Identifier: MIT-0 */
/* vox_pool.c: the runtime's thread pool, behind vox_executor.parallel_for.
 *
 * Threads take the next task number from one counter, so a slow thread holds up one task only; which thread
 * runs what changes nothing in the results. A fixed half each would wait for the thread that other programs
 * slow down, and saves nothing: a call takes 0.1 microseconds besides its tasks, of which a run of the
 * paper's tile makes a hundred in 600 ms. What costs is the last task of a call, while the others wait (1 %
 * of that run), and steps of a single task. A call is over when no task is left and no worker is inside: a
 * worker that wakes up too late finds the gate closed and holds up nobody. A thread without work spins for
 * some microseconds, since steps follow each other closely, then sleeps on a condition variable. A call that
 * finds the pool busy (from inside a task, or from another host thread) runs its tasks on the calling thread.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "vox.h"

/* How long to spin: a few times what it takes to wake a sleeper. */
enum { SPIN_NS = 50000, PAUSES = 16, LINE = 64 };
static const unsigned OPEN = 1u << 31;

/* What threads write while others read stands on cache lines of its own. */
struct vox_pool {
    pthread_mutex_t busy; /* held by the one call that uses the workers */
    pthread_mutex_t lock; /* guards sleeping and waking */
    pthread_cond_t start, done;
    int workers, spins; /* spins: 1 if each thread has a processor */
    pthread_t *thread;
    /* The current call; written while the gate is closed and nobody is inside. */
    vox_task_fn *fn;
    void *argument;
    int tasks;
    alignas(LINE) atomic_uint round; /* counts calls; wakes workers */
    atomic_int stop;
    alignas(LINE) atomic_uint gate; /* workers inside, and OPEN while there may be tasks left */
    alignas(LINE) atomic_int next;  /* the next task number */
};

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Spins until *at differs from `old` (other 1), or is `old` (other 0); gives up after SPIN_NS. */
static void spin(const vox_pool *pool, const atomic_uint *at, unsigned old, int other) {
    const int64_t end = pool->spins ? now_ns() + SPIN_NS : 0;
    for (int i = 1; pool->spins && (atomic_load(at) == old) == other; i++) {
        pause_briefly();
        if (i % PAUSES == 0 && now_ns() > end) return;
    }
}

static void take_tasks(vox_pool *pool) {
    for (int i; (i = atomic_fetch_add(&pool->next, 1)) < pool->tasks;) pool->fn(pool->argument, i);
}

/* ---- workers --------------------------------------------------------------------------------- */

/* Returns the round, once it is another than `seen`. */
static unsigned wait_for_round(vox_pool *pool, unsigned seen) {
    spin(pool, &pool->round, seen, 1);
    if (atomic_load(&pool->round) == seen) {
        pthread_mutex_lock(&pool->lock);
        while (atomic_load(&pool->round) == seen) pthread_cond_wait(&pool->start, &pool->lock);
        pthread_mutex_unlock(&pool->lock);
    }
    return atomic_load(&pool->round);
}

static int enter(vox_pool *pool) {
    unsigned gate = atomic_load(&pool->gate);
    while (gate & OPEN)
        if (atomic_compare_exchange_weak(&pool->gate, &gate, gate + 1)) return 1;
    return 0;
}

static void leave(vox_pool *pool) {
    if (atomic_fetch_sub(&pool->gate, 1) != 1) return;
    pthread_mutex_lock(&pool->lock); /* the last one, and the gate is closed */
    pthread_cond_signal(&pool->done);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *argument) {
    vox_pool *pool = argument;
    for (unsigned seen = 0;;) {
        seen = wait_for_round(pool, seen);
        if (atomic_load(&pool->stop)) return NULL;
        if (!enter(pool)) continue;
        take_tasks(pool);
        leave(pool);
    }
}

/* ---- a call ---------------------------------------------------------------------------------- */

static void start_round(vox_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->round, 1);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
}

static void close_gate(vox_pool *pool) {
    if (atomic_fetch_and(&pool->gate, ~OPEN) == OPEN) return; /* nobody is inside */
    spin(pool, &pool->gate, 0, 0);
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->gate) != 0) pthread_cond_wait(&pool->done, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

void vox_pool_parallel_for(void *argument_pool, int tasks, vox_task_fn *fn, void *argument) {
    vox_pool *pool = argument_pool;
    if (!pool || pool->workers == 0 || tasks < 2 || pthread_mutex_trylock(&pool->busy) != 0) {
        for (int i = 0; i < tasks; i++) fn(argument, i);
        return;
    }
    pool->fn = fn, pool->argument = argument, pool->tasks = tasks;
    atomic_store(&pool->next, 0);
    atomic_store(&pool->gate, OPEN);
    start_round(pool);
    take_tasks(pool);
    close_gate(pool);
    pthread_mutex_unlock(&pool->busy);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Ends and joins the workers that exist, and frees everything. */
void vox_pool_destroy(vox_pool *pool) {
    if (!pool) return;
    atomic_store(&pool->stop, 1);
    start_round(pool);
    for (int i = 0; i < pool->workers; i++) pthread_join(pool->thread[i], NULL);
    pthread_cond_destroy(&pool->start);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->lock);
    pthread_mutex_destroy(&pool->busy);
    free(pool->thread);
    free(pool);
}

vox_pool *vox_pool_create(int threads) {
    if (threads < 1) return NULL;
    vox_pool *pool = aligned_alloc(LINE, sizeof *pool);
    pthread_t *thread = calloc((size_t)threads, sizeof *thread);
    if (!pool || !thread) {
        free(pool);
        free(thread);
        return NULL;
    }
    memset(pool, 0, sizeof *pool);
    pool->thread = thread;
    pool->spins = threads <= vox_cpu_count();
    pthread_mutex_init(&pool->busy, NULL);
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    for (; pool->workers < threads - 1; pool->workers++)
        if (pthread_create(&thread[pool->workers], NULL, work, pool) != 0) {
            vox_pool_destroy(pool);
            return NULL;
        }
    return pool;
}

int vox_cpu_count(void) {
#if defined(__linux__)
    for (int cpus = 1024; cpus <= 1 << 20; cpus *= 4) { /* the kernel refuses sets smaller than its own */
        cpu_set_t *set = CPU_ALLOC((size_t)cpus);
        if (!set) break;
        const size_t bytes = CPU_ALLOC_SIZE((size_t)cpus);
        const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count > 0) return count;
    }
#endif
    const long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}
