/* ptx_run.c: runs warps, the barriers between them, and blocks over the machine's processors. */
#include "ptx.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static uint64_t steps;

uint64_t ptx_steps(void) {
    return __atomic_load_n(&steps, __ATOMIC_RELAXED);
}

void ptx_fail(const ptx_warp *w, const ptx_insn *in, int lane, const char *format, ...) {
    const ptx_block *b = w->block;
    const unsigned *n = b->launch->block;
    const unsigned t = (unsigned)(w->index * PTX_LANES + (lane < 0 ? 0 : lane));
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    sim_die("%s, PTX line %d (%s), block (%u,%u,%u), thread (%u,%u,%u): %s", b->launch->kernel->name,
            in->line, in->text, b->id[0], b->id[1], b->id[2], t % n[0], t / n[0] % n[1], t / n[0] / n[1],
            text);
}

/* ---- the lanes of a warp ------------------------------------------------------------------------- */

static void push_group(ptx_warp *w, int pc, uint32_t lanes, bool parked) {
    for (int i = 0; i < w->groups; i++) {
        if (w->group[i].pc != pc || w->group[i].parked || parked) continue;
        w->group[i].lanes |= lanes;
        return;
    }
    w->group[w->groups++] = (ptx_group){pc, lanes, parked};
}

static ptx_group take_group(ptx_warp *w, int i) {
    const ptx_group g = w->group[i];
    w->group[i] = w->group[--w->groups];
    return g;
}

/* The group that shall run next: the lowest that does not wait for others; -1: none. */
static int lowest_group(const ptx_warp *w) {
    int best = -1;
    for (int i = 0; i < w->groups; i++)
        if (!w->group[i].parked && (best < 0 || w->group[i].pc < w->group[best].pc)) best = i;
    return best;
}

static void spread(uint32_t lanes, uint32_t mask[PTX_LANES]) {
    PTX_EACH mask[l] = 0u - (lanes >> l & 1u);
}

/* Takes in the groups that have arrived at this instruction before. */
static uint32_t gather(ptx_warp *w, int pc, uint32_t lanes) {
    for (int i = 0; i < w->groups;) {
        if (w->group[i].pc == pc)
            lanes |= take_group(w, i).lanes;
        else
            i++;
    }
    return lanes;
}

/* The lanes that a shuffle or vote is for. */
static uint32_t members(const ptx_warp *w, const ptx_insn *in, uint32_t lanes) {
    const uint32_t *const named = ptx_slot(w, in->e);
    return named[__builtin_ctz(lanes)] & (w->live | w->returned);
}

typedef enum outcome { GO_ON, LEAVE } outcome;

/* Whether all lanes that must take part are here; if not, they wait and other lanes run first. */
static outcome arrive(ptx_warp *w, const ptx_insn *in, uint32_t *lanes, uint32_t needed, const char *what) {
    *lanes = gather(w, w->pc, *lanes);
    if (needed & w->returned)
        ptx_fail(w, in, __builtin_ctz(needed & w->returned), "%s, but this thread has returned", what);
    if (!(needed & ~*lanes)) return GO_ON;
    if (lowest_group(w) < 0)
        ptx_fail(w, in, __builtin_ctz(needed & ~*lanes), "%s, but this thread waits elsewhere", what);
    push_group(w, w->pc, *lanes, true);
    return LEAVE;
}

static outcome branch(ptx_warp *w, const ptx_insn *in, uint32_t *lanes, uint32_t taken) {
    if (taken == *lanes) {
        w->pc = in->target;
    } else if (taken) {
        push_group(w, w->pc + 1, *lanes & ~taken, false);
        push_group(w, in->target, taken, false);
        return LEAVE;
    } else {
        w->pc++;
    }
    return GO_ON;
}

static outcome branch_indexed(ptx_warp *w, const ptx_insn *in, uint32_t lanes) {
    const ptx_table *t = &w->block->launch->kernel->tables[in->target];
    const uint32_t *const index = ptx_slot(w, in->a);
    for (int l = 0; l < PTX_LANES; l++) {
        if (!(lanes >> l & 1)) continue;
        if (index[l] >= (uint32_t)t->count) ptx_fail(w, in, l, "branch index %u of %d", index[l], t->count);
        push_group(w, t->targets[index[l]], 1u << l, false);
    }
    return LEAVE;
}

static outcome leave_kernel(ptx_warp *w, uint32_t *lanes, uint32_t leaving) {
    w->live &= ~leaving;
    w->returned |= leaving;
    *lanes &= ~leaving;
    w->pc++;
    return *lanes ? GO_ON : LEAVE;
}

static outcome barrier(ptx_warp *w, const ptx_insn *in, uint32_t *lanes, uint32_t acting) {
    if (acting != *lanes)
        ptx_fail(w, in, __builtin_ctz(*lanes & ~acting),
                 "divergent barrier: a predicate excludes this thread");
    if (arrive(w, in, lanes, w->live | w->returned,
               "divergent barrier: every thread of the block must reach it") == LEAVE)
        return LEAVE;
    w->at_barrier = true;
    w->barrier = w->pc;
    push_group(w, w->pc + 1, *lanes, false);
    return LEAVE;
}

/* What the instructions that are not plain do; acting: the lanes of the group whose predicate holds. */
static outcome control(ptx_warp *w, const ptx_insn *in, uint32_t *lanes, uint32_t acting) {
    switch ((ptx_flow)in->flow) {
    case PTX_BRANCH:
        return branch(w, in, lanes, acting);
    case PTX_EXIT:
        return leave_kernel(w, lanes, acting);
    case PTX_BARRIER:
        return barrier(w, in, lanes, acting);
    case PTX_INDEXED:
        if (*lanes & ~acting) push_group(w, w->pc + 1, *lanes & ~acting, false);
        return branch_indexed(w, in, acting);
    default:
        ptx_fail(w, in, __builtin_ctz(acting ? acting : 1), "the kernel stops itself");
    }
}

/* A shuffle or vote; in->e names its lanes. */
static outcome synchronised(ptx_warp *w, const ptx_insn *in, uint32_t *lanes) {
    const uint32_t needed = members(w, in, *lanes);
    if (arrive(w, in, lanes, needed, "the instruction's mask names every lane that must take part") == LEAVE)
        return LEAVE;
    uint32_t mask[PTX_LANES];
    spread(*lanes, mask);
    if (in->predicate >= 0) {
        const uint32_t *const p = ptx_slot(w, in->predicate);
        PTX_EACH mask[l] &= p[l] ^ (0u - in->negated);
        const uint32_t missing = needed & ~ptx_bits(mask);
        if (ptx_bits(mask) && missing)
            ptx_fail(w, in, __builtin_ctz(missing), "a predicate excludes a lane of the mask");
    }
    if (ptx_bits(mask)) in->run(w, in, mask);
    w->pc++;
    return GO_ON;
}

/* Runs a group until it parts, waits, ends or meets the next one. */
static void run_group(ptx_warp *w, ptx_group g) {
    const ptx_insn *const code = w->block->launch->kernel->code;
    uint32_t mask[PTX_LANES], acting[PTX_LANES], expanded = 0;
    uint64_t done = 0;
    const int next = lowest_group(w);
    const int meeting = next < 0 ? w->block->launch->kernel->count : w->group[next].pc;
    uint32_t lanes = g.lanes;
    w->pc = g.pc;
    for (;;) {
        if (w->pc >= meeting) {
            push_group(w, w->pc, lanes, false);
            break;
        }
        if (lanes != expanded) spread(expanded = lanes, mask);
        const ptx_insn *in = &code[w->pc];
        done += (unsigned)__builtin_popcount(lanes);
        if (in->flow == PTX_SYNC) {
            if (synchronised(w, in, &lanes) == LEAVE) break;
            continue;
        }
        const uint32_t *m = mask;
        uint32_t bits = lanes;
        if (in->predicate >= 0) {
            const uint32_t *const p = ptx_slot(w, in->predicate), invert = 0u - in->negated;
            PTX_EACH acting[l] = mask[l] & (p[l] ^ invert);
            m = acting;
            bits = ptx_bits(acting);
        }
        if (in->flow == PTX_PLAIN) {
            if (bits) in->run(w, in, m);
            w->pc++;
        } else if (in->flow == PTX_TRAP && !bits) {
            w->pc++;
        } else if (control(w, in, &lanes, bits) == LEAVE) {
            break;
        }
    }
    __atomic_fetch_add(&steps, done, __ATOMIC_RELAXED);
}

/* Runs a warp to the next barrier or to its end. Lanes that wait when no others are left run too,
 * to say so. */
static void run_warp(ptx_warp *w) {
    while (!w->at_barrier && w->groups > 0) {
        const int i = lowest_group(w);
        run_group(w, take_group(w, i < 0 ? 0 : i));
    }
}

/* ---- blocks -------------------------------------------------------------------------------------- */

typedef struct worker {
    const ptx_launch *launch;
    uint64_t *next, blocks;
    ptx_block block;
    ptx_warp *warps;
    int warp_count;
    unsigned threads;
    bool reversed; /* blocks and warps in the other order */
} worker;

static void fill(const ptx_warp *w, int slot, bool wide, uint64_t v) {
    uint64_t *const s64 = ptx_slot(w, slot);
    uint32_t *const s32 = ptx_slot(w, slot);
    if (wide)
        PTX_EACH s64[l] = v;
    else
        PTX_EACH s32[l] = (uint32_t)v;
}

/* Slots of special registers, in the order of the decoder's table of their names. */
static void fill_specials(const ptx_warp *w, const ptx_launch *g, int warp_count) {
    for (int i = 0; i < 3; i++) {
        fill(w, 3 + i, false, g->block[i]);
        fill(w, 9 + i, false, g->grid[i]);
    }
    fill(w, 13, false, (uint64_t)w->index);
    fill(w, 14, false, (uint64_t)warp_count);
    fill(w, 20, false, g->dynamic_shared);
    fill(w, 21, false, w->block->shared_bytes);
    fill(w, 22, false, PTX_LANES);
    fill(w, PTX_SPECIALS, true, 0);
    uint32_t *const s = ptx_slot(w, 0);
    PTX_EACH {
        const unsigned t = (unsigned)(w->index * PTX_LANES + l);
        s[l] = t % g->block[0];
        s[PTX_LANES + l] = t / g->block[0] % g->block[1];
        s[2 * PTX_LANES + l] = t / g->block[0] / g->block[1];
        s[12 * PTX_LANES + l] = (uint32_t)l;
        s[15 * PTX_LANES + l] = 1u << l;
        s[16 * PTX_LANES + l] = (2u << l) - 1;
        s[17 * PTX_LANES + l] = (1u << l) - 1;
        s[18 * PTX_LANES + l] = 0u - (1u << l);
        s[19 * PTX_LANES + l] = 0u - (2u << l);
    }
}

static void prepare_warp(worker *k, int i) {
    ptx_warp *w = &k->warps[i];
    const ptx_kernel *kernel = k->launch->kernel;
    w->block = &k->block;
    w->index = i;
    w->slots = aligned_alloc(64, (size_t)kernel->slots * 128);
    if (!w->slots) sim_die("the host has no memory left");
    memset(w->slots, 0, (size_t)kernel->slots * 128);
    w->local = sim_new(PTX_LANES, kernel->local_bytes ? kernel->local_bytes : 1);
    for (int c = 0; c < kernel->constant_count; c++)
        fill(w, kernel->constants[c].slot, kernel->constants[c].wide, kernel->constants[c].value);
    fill_specials(w, k->launch, k->warp_count);
}

static void begin_worker(worker *k) {
    const ptx_launch *g = k->launch;
    k->threads = g->block[0] * g->block[1] * g->block[2];
    k->warp_count = (int)((k->threads + PTX_LANES - 1) / PTX_LANES);
    ptx_block *b = &k->block;
    b->launch = g;
    b->shared_bytes = g->kernel->shared_bytes + g->dynamic_shared;
    b->shared = sim_new(b->shared_bytes + 16, 1);
    b->shared_written = sim_new(b->shared_bytes, 1);
    b->shared_writer = sim_new(b->shared_bytes, 1);
    b->shared_readers = sim_new(b->shared_bytes, sizeof *b->shared_readers);
    k->warps = sim_new((size_t)k->warp_count, sizeof *k->warps);
    for (int i = 0; i < k->warp_count; i++) prepare_warp(k, i);
}

static void end_worker(worker *k) {
    for (int i = 0; i < k->warp_count; i++) {
        free(k->warps[i].slots);
        free(k->warps[i].local);
    }
    free(k->warps);
    free(k->block.shared);
    free(k->block.shared_written);
    free(k->block.shared_writer);
    free(k->block.shared_readers);
}

static void forget_accesses(ptx_block *b) {
    memset(b->shared_writer, 0, b->touched);
    memset(b->shared_readers, 0, b->touched * sizeof *b->shared_readers);
    b->touched = 0;
}

static void start_block(worker *k, uint64_t number) {
    ptx_block *b = &k->block;
    const unsigned *n = k->launch->grid;
    b->id[0] = (unsigned)(number % n[0]);
    b->id[1] = (unsigned)(number / n[0] % n[1]);
    b->id[2] = (unsigned)(number / n[0] / n[1]);
    b->tag = k->blocks > 1 ? (uint8_t)(2 + number % 253) : 1;
    memset(b->shared_written, 0, b->shared_bytes);
    b->touched = b->shared_bytes;
    forget_accesses(b);
    for (int i = 0; i < k->warp_count; i++) {
        ptx_warp *w = &k->warps[i];
        const unsigned left = k->threads - (unsigned)i * PTX_LANES;
        w->live = left >= PTX_LANES ? ~0u : (1u << left) - 1;
        w->returned = 0;
        w->groups = 0;
        w->at_barrier = false;
        for (int d = 0; d < 3; d++) fill(w, 6 + d, false, b->id[d]);
        push_group(w, 0, w->live, false);
    }
}

/* All warps have come to a barrier or to their end: whether they go on. */
static bool pass_barrier(worker *k) {
    const ptx_warp *waiting = NULL, *ended = NULL;
    for (int i = 0; i < k->warp_count; i++) {
        const ptx_warp *w = &k->warps[i];
        if (!w->at_barrier)
            ended = w;
        else if (!waiting)
            waiting = w;
        else if (w->barrier != waiting->barrier)
            ptx_fail(w, &k->launch->kernel->code[w->barrier], 0,
                     "divergent barrier: other warps wait at PTX line %d",
                     k->launch->kernel->code[waiting->barrier].line);
    }
    if (!waiting) return false;
    if (ended)
        ptx_fail(waiting, &k->launch->kernel->code[waiting->barrier], 0,
                 "divergent barrier: warp %d of the block has returned without reaching it", ended->index);
    for (int i = 0; i < k->warp_count; i++) k->warps[i].at_barrier = false;
    forget_accesses(&k->block);
    return true;
}

static void *work(void *argument) {
    worker *k = argument;
    begin_worker(k);
    for (uint64_t i; (i = __atomic_fetch_add(k->next, 1, __ATOMIC_RELAXED)) < k->blocks;) {
        start_block(k, k->reversed ? k->blocks - 1 - i : i);
        do {
            for (int n = 0; n < k->warp_count; n++)
                run_warp(&k->warps[k->reversed ? k->warp_count - 1 - n : n]);
        } while (pass_barrier(k));
    }
    end_worker(k);
    return NULL;
}

/* The kernel is over: what any block of it has written is simply written. */
static void settle_ranges(ptx_block *b) {
    for (int i = 0; i < b->ranges; i++) {
        uint8_t *const r = sim_written(b->range[i].low);
        const size_t n = b->range[i].high - b->range[i].low;
        for (size_t k = 0; k < n; k++) r[k] = r[k] > 1 ? 1 : r[k];
    }
    free(b->range);
}

void ptx_execute(const ptx_launch *launch) {
    enum { MOST = 64 };
    worker workers[MOST];
    pthread_t threads[MOST];
    uint64_t next = 0;
    const uint64_t blocks = (uint64_t)launch->grid[0] * launch->grid[1] * launch->grid[2];
    long n = sim_setting("GPUSIM_THREADS", sysconf(_SC_NPROCESSORS_ONLN));
    n = n < 1 ? 1 : n > MOST ? MOST : n;
    if ((uint64_t)n > blocks) n = (long)blocks;
    for (long i = 0; i < n; i++) {
        workers[i] = (worker){.launch = launch,
                              .next = &next,
                              .blocks = blocks,
                              .reversed = sim_setting("GPUSIM_REVERSE", 0) != 0};
        if (i > 0 && pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
            sim_die("no thread for a kernel");
    }
    work(&workers[0]);
    for (long i = 1; i < n; i++) pthread_join(threads[i], NULL);
    for (long i = 0; i < n; i++) settle_ranges(&workers[i].block);
}
