/* The thread pool: every task once, nesting and sharing fall back to serial, nothing leaks. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <cmocka.h>
#include "vox.h"

enum { TASKS = 1000 };

typedef struct job {
    atomic_int count[TASKS];
    vox_pool *pool;
} job;

static void count_task(void *argument, int task) {
    job *j = argument;
    atomic_fetch_add(&j->count[task], 1);
}

static void reset(job *j) {
    for (int i = 0; i < TASKS; i++) atomic_store(&j->count[i], 0);
}

static void check_counts(job *j, int tasks, int each) {
    for (int i = 0; i < TASKS; i++) assert_int_equal(atomic_load(&j->count[i]), i < tasks ? each : 0);
}

static void every_task_runs_once(void **state) {
    (void)state;
    static const int threads[] = {1, 2, 3, 7}, tasks[] = {0, 1, 2, 3, 8, 999, TASKS};
    static job j;
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        vox_pool *pool = vox_pool_create(threads[t]);
        assert_non_null(pool);
        for (size_t i = 0; i < sizeof tasks / sizeof *tasks; i++)
            for (int round = 1; round <= 20; round++) {
                reset(&j);
                vox_pool_parallel_for(pool, tasks[i], count_task, &j);
                check_counts(&j, tasks[i], 1);
            }
        vox_pool_destroy(pool);
    }
}

/* Workers have gone to sleep before each call, and wake up when it may be over. */
static void calls_that_are_far_apart(void **state) {
    (void)state;
    static job j;
    vox_pool *pool = vox_pool_create(2);
    for (int round = 0; round < 200; round++) {
        const struct timespec pause = {.tv_nsec = 20000 * (round % 10)};
        reset(&j);
        nanosleep(&pause, NULL);
        vox_pool_parallel_for(pool, 3, count_task, &j);
        check_counts(&j, 3, 1);
    }
    vox_pool_destroy(pool);
}

static void nested_task(void *argument, int task) {
    job *j = argument;
    (void)task;
    vox_pool_parallel_for(j->pool, 100, count_task, j);
}

static void a_nested_call_runs_its_tasks(void **state) {
    (void)state;
    static job j;
    reset(&j);
    j.pool = vox_pool_create(3);
    vox_pool_parallel_for(j.pool, 10, nested_task, &j);
    check_counts(&j, 100, 10);
    vox_pool_destroy(j.pool);
}

static void *host(void *argument) {
    job *j = argument;
    for (int i = 0; i < 50; i++) vox_pool_parallel_for(j->pool, TASKS, count_task, j);
    return NULL;
}

/* shared: all hosts use one pool, else each its own. */
static void run_hosts(int shared) {
    enum { HOSTS = 3 };
    static job j[HOSTS];
    pthread_t thread[HOSTS];
    vox_pool *one = shared ? vox_pool_create(2) : NULL;
    for (int i = 0; i < HOSTS; i++) {
        reset(&j[i]);
        j[i].pool = shared ? one : vox_pool_create(2);
        assert_non_null(j[i].pool);
        assert_int_equal(pthread_create(&thread[i], NULL, host, &j[i]), 0);
    }
    for (int i = 0; i < HOSTS; i++) {
        pthread_join(thread[i], NULL);
        check_counts(&j[i], TASKS, 50);
        if (!shared) vox_pool_destroy(j[i].pool);
    }
    vox_pool_destroy(one);
}

static void hosts_with_their_own_pools(void **state) {
    (void)state;
    run_hosts(0);
}
static void hosts_that_share_a_pool(void **state) {
    (void)state;
    run_hosts(1);
}

static void sizes_that_make_no_sense(void **state) {
    (void)state;
    assert_null(vox_pool_create(0));
    assert_null(vox_pool_create(-1));
    vox_pool_destroy(NULL);
    assert_true(vox_cpu_count() >= 1);
}

static void no_pool_runs_on_the_caller(void **state) {
    (void)state;
    static job j;
    reset(&j);
    vox_pool_parallel_for(NULL, 5, count_task, &j);
    check_counts(&j, 5, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),       cmocka_unit_test(a_nested_call_runs_its_tasks),
        cmocka_unit_test(calls_that_are_far_apart),   cmocka_unit_test(hosts_with_their_own_pools),
        cmocka_unit_test(hosts_that_share_a_pool),    cmocka_unit_test(sizes_that_make_no_sense),
        cmocka_unit_test(no_pool_runs_on_the_caller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
