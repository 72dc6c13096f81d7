/* SPDX-License-Identifier: MIT-0 */
/* vox_pool.c: the runtime's thread pool, behind vox_executor.parallel_for.
 *
 * Threads take the next task number from one counter, so a slow thread holds up one task only; which thread
 * runs what changes nothing in the results. A thread without work spins for some microseconds, since layers
 * follow each other closely, then sleeps on a condition variable. A call that finds the pool busy (from
 * inside a task, or from another host thread) runs its tasks on the calling thread.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getaffinity */
#endif
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#include "vox.h"

enum { SPINS = 2000 };

struct vox_pool {
    pthread_mutex_t busy; /* held by the one call that uses the workers */
    pthread_mutex_t lock; /* guards sleeping and waking */
    pthread_cond_t start, done;
    int workers;
    pthread_t *thread;
    /* The current call; written while no worker runs, published by `round`. */
    vox_task_fn *fn;
    void *argument;
    int tasks;
    int stop;
    atomic_uint round;  /* counts calls */
    atomic_int next;    /* the next task number */
    atomic_int running; /* workers that have not finished this round */
};

static void pause_briefly(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static void take_tasks(vox_pool *pool) {
    for (int i; (i = atomic_fetch_add(&pool->next, 1)) < pool->tasks;) pool->fn(pool->argument, i);
}

/* Returns once the pool is in another round than `seen`. */
static void wait_for_round(vox_pool *pool, unsigned seen) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool->round) != seen) return;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->round) == seen) pthread_cond_wait(&pool->start, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}

static void *work(void *argument) {
    vox_pool *pool = argument;
    for (unsigned seen = 0;; seen++) {
        wait_for_round(pool, seen);
        if (pool->stop) return NULL;
        take_tasks(pool);
        if (atomic_fetch_sub(&pool->running, 1) > 1) continue;
        pthread_mutex_lock(&pool->lock);
        pthread_cond_signal(&pool->done);
        pthread_mutex_unlock(&pool->lock);
    }
}

static void start_round(vox_pool *pool) {
    pthread_mutex_lock(&pool->lock);
    atomic_fetch_add(&pool->round, 1);
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->lock);
}

static void wait_for_workers(vox_pool *pool) {
    for (int i = 0; i < SPINS; i++) {
        if (atomic_load(&pool->running) == 0) break;
        pause_briefly();
    }
    pthread_mutex_lock(&pool->lock);
    while (atomic_load(&pool->running) > 0) pthread_cond_wait(&pool->done, &pool->lock);
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
    atomic_store(&pool->running, pool->workers);
    start_round(pool);
    take_tasks(pool);
    wait_for_workers(pool);
    pthread_mutex_unlock(&pool->busy);
}

/* Ends and joins the workers that exist, and frees everything. */
void vox_pool_destroy(vox_pool *pool) {
    if (!pool) return;
    pool->stop = 1;
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
    vox_pool *pool = calloc(1, sizeof *pool);
    pthread_t *thread = calloc((size_t)threads, sizeof *thread);
    if (!pool || !thread) {
        free(pool);
        free(thread);
        return NULL;
    }
    pool->thread = thread;
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
