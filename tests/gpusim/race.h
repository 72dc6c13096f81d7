/* race.h: which work comes after which, and accesses to memory that nothing orders.
 *
 * Vector clocks (Fidge, Mattern 1988): every piece of work is one step of a strand, a stream or a branch of a
 * graph that runs there; its clock says up to which step of each strand it comes after. Each piece notes
 * which bytes it reads and writes; where two overlap, one writes, and neither comes after the other, the
 * program ends. All that is on only with GPUSIM_SEED.
 */
#ifndef SIM_RACE_H
#define SIM_RACE_H

#include "sim.h"

enum { SIM_STRANDS = 96 };
typedef struct sim_clock {
    uint32_t at[SIM_STRANDS];
} sim_clock;

int sim_new_strand(void);
void sim_free_strand(int strand);
void sim_join_clock(sim_clock *to, const sim_clock *more);
/* The clock of the strand's next step, which comes after `clock`. */
void sim_tick(sim_clock *clock, int strand);

/* Compares what was noted since the last call with what came before, and remembers it. */
void sim_check_races(const sim_clock *clock, int strand, const char *name);
/* Nothing is under way, and the host has waited for all: later work comes after it. */
void sim_forget_accesses(void);
#endif
