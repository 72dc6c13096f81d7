/* plan_words.c: the rooms whose words the text form knows, in the order of a line. */
#include "cpu_words.h"
#include "gpu_words.h"
#include "memory_words.h"

#include <stddef.h>

const ir_plan_word *const ir_attribute_words[] = {cpu_attributes, memory_attributes, gpu_attributes, NULL};
const ir_plan_word *const ir_place_words[] = {cpu_places, gpu_places, memory_places, NULL};
