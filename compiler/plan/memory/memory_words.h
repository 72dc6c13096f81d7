/* memory_words.h: the words of what holds for every target. Lists end with a row without a name. */
#ifndef VOXC_MEMORY_WORDS_H
#define VOXC_MEMORY_WORDS_H

#include "plan_words.h"

extern const ir_plan_word memory_attributes[], memory_places[];
extern const plan_count memory_counts[];

#endif
