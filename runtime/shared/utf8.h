/* SPDX-License-Identifier: MIT-0 */
/* utf8.h: what the characters of a name or a label are: these are anybody's text, and end up in source code,
 * in pages and on terminals. */
#ifndef VOX_UTF8_H
#define VOX_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vox_char_kind {
    VOX_CHAR_PLAIN,
    VOX_CHAR_CONTROL, /* of ASCII or C1; line and paragraph separators */
    VOX_CHAR_HIDDEN,  /* changes the direction of the text around it */
    VOX_CHAR_INVALID, /* a byte that is no UTF-8 */
} vox_char_kind;

/* The character at s, which is not the end of the text: its kind, its bytes in *n, its number (of an invalid
 * one its byte) in *code. */
vox_char_kind vox_char(const char *s, size_t *n, uint32_t *code);
/* Whether all of the text is plain. */
bool vox_is_plain(const char *s);

#endif
