/* gpu_words.h: the words of what passes plan for target cuda. Lists end with a row without a name. */
#ifndef VOXC_GPU_WORDS_H
#define VOXC_GPU_WORDS_H

#include "plan_words.h"

extern const ir_plan_word gpu_attributes[], gpu_places[];
extern const plan_count gpu_counts[];

#endif
