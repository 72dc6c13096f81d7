/* utf8.h: what the characters of a name or a label are: these are anybody's text, and end up in source code,
 * in pages and on terminals. */
#ifndef VOXC_IR_UTF8_H
#define VOXC_IR_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum ir_char_kind {
    IR_CHAR_PLAIN,
    IR_CHAR_CONTROL, /* of ASCII or C1; line and paragraph separators */
    IR_CHAR_HIDDEN,  /* changes the direction of the text around it */
    IR_CHAR_INVALID, /* a byte that is no UTF-8 */
} ir_char_kind;

/* The character at s, which is not the end of the text: its kind, its bytes in *n, its number (of an invalid
 * one its byte) in *code. */
ir_char_kind ir_char(const char *s, size_t *n, uint32_t *code);
/* Whether all of the text is plain. */
bool ir_is_plain(const char *s);

#endif
