/* words.h: how the text form learns the words of what passes plan. Each room of compiler/plan has rows for its own
 * (plan_words.h); compiler/plan/plan_words.c lists the rooms.
 */
#ifndef VOXC_IR_WORDS_H
#define VOXC_IR_WORDS_H

#include "parse.h"

/* An attribute of a node, or where and how its result lies. */
typedef struct ir_plan_word {
    const char *name;
    bool numbered; /* a number from 1 on follows at once: ring8 */
    /* " stream=1x4"; nothing where nothing is planned. NULL: another row's does it. */
    void (*put)(FILE *f, const ir_node *n);
    /* Reads what follows the word, as it stands there, and its number (else 0), into n. False after an error. */
    bool (*take)(parser *p, ir_node *n, const char *word, int number);
} ir_plan_word;

/* Lists of rows, each ended by a row without a name; ended by NULL. In the order of the text. */
extern const ir_plan_word *const ir_attribute_words[], *const ir_place_words[];

/* For rows. "=3x3x3": `count` numbers. */
bool parse_equals_ints(parser *p, const char *name, int count, int64_t *to);
bool parse_offset(parser *p, int64_t *offset); /* "+BYTES" */
/* " %x+BYTES": t lies in a tensor that may stand on a later line. */
bool parse_view_in(parser *p, ir_tensor *t);

#endif
