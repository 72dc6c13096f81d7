/* report.c: messages, the lock, counted calls, and what is alive at exit. */
#include "sim.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static long alive[SIM_KINDS];
static long calls;

static const char *const kind_names[SIM_KINDS] = {
    "device allocations", "pinned allocations", "streams",           "events", "graphs",
    "executable graphs",  "cuDNN handles",      "cuDNN descriptors",
};

void sim_lock(void) {
    pthread_mutex_lock(&lock);
}
void sim_unlock(void) {
    pthread_mutex_unlock(&lock);
}

void sim_note(const char *format, ...) {
    va_list args;
    va_start(args, format);
    flockfile(stderr);
    fputs("gpusim: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(args);
}

void sim_die(const char *format, ...) {
    static pthread_mutex_t once = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&once); /* of several blocks that fail at once, one reports */
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fputs("gpusim: error: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    _exit(SIM_EXIT_ERROR);
}

void *sim_new(size_t count, size_t bytes) {
    void *p = calloc(count ? count : 1, bytes);
    if (!p) sim_die("the host has no memory left");
    return p;
}

void *sim_grow(void *p, size_t count, size_t bytes) {
    p = reallocarray(p, count ? count : 1, bytes);
    if (!p) sim_die("the host has no memory left");
    return p;
}

long sim_setting(const char *name, long otherwise) {
    const char *text = getenv(name);
    return text && *text ? strtol(text, NULL, 0) : otherwise;
}

bool sim_fails(const char *call) {
    calls++;
    if (sim_setting("GPUSIM_TRACE", 0)) sim_note("call %ld: %s", calls, call);
    if (calls != sim_setting("GPUSIM_FAIL", -1)) return false;
    sim_note("call %ld, %s, fails as asked", calls, call);
    return true;
}

void sim_born(sim_kind kind) {
    alive[kind]++;
}
void sim_died(sim_kind kind) {
    alive[kind]--;
}

/* Runs after the program's own exit handlers, because the program depends on this library. */
__attribute__((destructor)) static void at_exit(void) {
    if (sim_setting("GPUSIM_COUNT", 0)) sim_note("%ld calls", calls);
    bool leaks = false;
    for (int k = 0; k < SIM_KINDS; k++) {
        if (alive[k] == 0) continue;
        sim_note("leak: %ld %s left at exit", alive[k], kind_names[k]);
        leaks = true;
    }
    if (!leaks || !sim_setting("GPUSIM_LEAKS", 1)) return;
    fflush(stdout);
    _exit(SIM_EXIT_LEAK);
}
