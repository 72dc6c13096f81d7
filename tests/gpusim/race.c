/* race.c: see race.h. */
#include "race.h"

#include <stdlib.h>
#include <string.h>

/* ---- clocks -------------------------------------------------------------------------------------- */

static uint32_t ticks[SIM_STRANDS];
static bool taken[SIM_STRANDS];

int sim_new_strand(void) {
    int i = 0;
    while (i < SIM_STRANDS && taken[i]) i++;
    if (i == SIM_STRANDS) sim_die("more than %d streams and branches of graphs at a time", SIM_STRANDS);
    taken[i] = true;
    return i;
}

void sim_free_strand(int strand) {
    if (strand >= 0) taken[strand] = false;
}

void sim_join_clock(sim_clock *to, const sim_clock *more) {
    for (int i = 0; i < SIM_STRANDS; i++)
        if (more->at[i] > to->at[i]) to->at[i] = more->at[i];
}

void sim_tick(sim_clock *clock, int strand) {
    clock->at[strand] = ++ticks[strand];
}

/* ---- intervals ----------------------------------------------------------------------------------- */

typedef struct interval {
    uintptr_t low, high;
} interval;
typedef struct intervals {
    interval *at; /* ascending, apart */
    size_t count, room;
} intervals;

static void add(intervals *list, uintptr_t at) {
    if (list->count && list->at[list->count - 1].high == at) {
        list->at[list->count - 1].high++;
        return;
    }
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->at = sim_grow(list->at, list->room, sizeof *list->at);
    }
    list->at[list->count++] = (interval){at, at + 1};
}

/* The bytes of a page that are marked, and no longer are. */
static void take_page(intervals *list, uintptr_t page, uint8_t *marks) {
    for (size_t i = 0; i < SIM_PAGE; i += 8) {
        uint64_t word;
        memcpy(&word, marks + i, 8);
        for (size_t k = 0; word && k < 8; k++)
            if (marks[i + k]) add(list, page + i + k);
    }
    memset(marks, 0, SIM_PAGE);
}

static bool overlap(const intervals *a, const intervals *b, uintptr_t *where) {
    for (size_t i = 0, k = 0; i < a->count && k < b->count;) {
        const interval *x = &a->at[i], *y = &b->at[k];
        *where = x->low > y->low ? x->low : y->low;
        if (*where < x->high && *where < y->high) return true;
        if (x->high < y->high)
            i++;
        else
            k++;
    }
    return false;
}

/* ---- what has been accessed ---------------------------------------------------------------------- */

typedef struct access {
    intervals reads, writes;
    int strand;
    uint32_t step;
    const char *name;
} access;

static access *past;
static size_t past_count, past_room;

static void release(access *a) {
    free(a->reads.at);
    free(a->writes.at);
}

void sim_forget_accesses(void) {
    while (past_count > 0) release(&past[--past_count]);
}

_Noreturn static void race(const access *a, const char *verb, const access *b, const char *other,
                           uintptr_t where) {
    char text[200];
    sim_die("data race between streams or branches: %s %s what %s %s, and nothing orders them: %s", a->name,
            verb, b->name, other, sim_where(where, text, sizeof text));
}

static void compare(const access *a, const access *b) {
    uintptr_t where;
    if (overlap(&a->writes, &b->writes, &where)) race(a, "writes", b, "writes", where);
    if (overlap(&a->writes, &b->reads, &where)) race(a, "writes", b, "reads", where);
    if (overlap(&a->reads, &b->writes, &where)) race(a, "reads", b, "writes", where);
}

void sim_check_races(const sim_clock *clock, int strand, const char *name) {
    if (!sim_noting) return;
    access a = {.strand = strand, .step = clock->at[strand], .name = name};
    const uintptr_t *pages;
    const size_t touched = sim_take_touched(&pages);
    for (size_t i = 0; i < touched; i++) {
        take_page(&a.reads, pages[i], sim_mark(pages[i], false));
        take_page(&a.writes, pages[i], sim_mark(pages[i], true));
    }
    for (size_t i = 0; i < past_count; i++)
        if (past[i].step > clock->at[past[i].strand]) compare(&a, &past[i]);
    if (!a.reads.count && !a.writes.count) return;
    if (past_count == past_room) {
        past_room = past_room ? 2 * past_room : 64;
        past = sim_grow(past, past_room, sizeof *past);
    }
    past[past_count++] = a;
}
