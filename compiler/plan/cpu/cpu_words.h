/* cpu_words.h: the words of what passes plan for target c. Lists end with a row without a name. */
#ifndef VOXC_CPU_WORDS_H
#define VOXC_CPU_WORDS_H

#include "plan_words.h"

extern const ir_plan_word cpu_attributes[], cpu_places[];
extern const plan_count cpu_counts[];

#endif
