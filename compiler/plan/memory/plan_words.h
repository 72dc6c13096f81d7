/* plan_words.h: what passes plan, in words: rows of the text form, and what is counted of it. */
#ifndef VOXC_PLAN_WORDS_H
#define VOXC_PLAN_WORDS_H

#include "words.h"

/* Of a node or a tensor; the other is NULL. */
typedef struct plan_count {
    const char *text; /* "nodes that stream" */
    bool (*of_node)(const ir_node *n);
    bool (*of_tensor)(const ir_tensor *t);
} plan_count;

#endif
