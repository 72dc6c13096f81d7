/* report.c: messages, the lock, counted calls, and what is alive at exit. */
#include "sim.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* How often each call that can fail has been made. */
static struct {
    const char *name;
    long count;
} counted[64];

static long count_of(const char *call) {
    int i = 0;
    while (counted[i].name && strcmp(counted[i].name, call) != 0) i++;
    counted[i].name = call;
    return ++counted[i].count;
}

/* Whether GPUSIM_FAIL means this call: "N" of all of them, or "cudaMalloc:N" of those of a name. */
static bool is_chosen(const char *call, long nth) {
    const char *text = getenv("GPUSIM_FAIL");
    const char *colon = text ? strchr(text, ':') : NULL;
    if (!text) return false;
    if (!colon) return calls == strtol(text, NULL, 0);
    return strlen(call) == (size_t)(colon - text) && memcmp(call, text, strlen(call)) == 0 &&
           nth == strtol(colon + 1, NULL, 0);
}

bool sim_fails(const char *call) {
    const long nth = count_of(call);
    calls++;
    if (sim_setting("GPUSIM_TRACE", 0)) sim_note("call %ld: %s", calls, call);
    if (!is_chosen(call, nth)) return false;
    sim_note("call %ld, %s, fails as asked", calls, call);
    return true;
}

static void print_counts(void) {
    sim_note("%ld calls", calls);
    for (int i = 0; counted[i].name; i++) sim_note("%ld of %s", counted[i].count, counted[i].name);
}

void sim_born(sim_kind kind) {
    alive[kind]++;
}
void sim_died(sim_kind kind) {
    alive[kind]--;
}

/* Runs after the program's own exit handlers, because the program depends on this library. */
__attribute__((destructor)) static void at_exit(void) {
    if (sim_setting("GPUSIM_COUNT", 0)) print_counts();
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
