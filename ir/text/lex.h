/* lex.h: the characters of the text form: position, spaces, names, numbers, strings, messages. Internal to
 * ir/.
 *
 * Every function skips blanks before it looks. The lex_* functions that return bool record an error at the
 * place where they looked. */
#ifndef VOXC_IR_LEX_H
#define VOXC_IR_LEX_H

#include "ir.h"

typedef struct lexer {
    const char *file, *at, *line_start;
    int line;
    ir_arena *arena; /* of names and strings */
    ir_diag *d;
} lexer;

/* "file:line:col: message" and the line with a caret under the place. Returns false. */
bool lex_fail(lexer *x, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int lex_column(const lexer *x);

void lex_blanks(lexer *x);         /* blanks and a comment; stays on the line */
bool lex_end_of_line(lexer *x);    /* moves to the next line with something on it */
bool lex_is(lexer *x, char c);     /* without moving */
bool lex_accept(lexer *x, char c); /* no error when it is something else */
bool lex_expect(lexer *x, char c);
bool lex_peek_word(lexer *x, const char *word); /* the whole next word, without moving */
bool lex_accept_word(lexer *x, const char *word);

const char *lex_word(lexer *x, const char *what); /* [A-Za-z_][A-Za-z0-9_]*; NULL after an error */
const char *lex_tensor(lexer *x);                 /* %name, without the %; NULL after an error */
const char *lex_string(lexer *x);                 /* "...", escapes undone; NULL after an error */
bool lex_int(lexer *x, int64_t *v);
bool lex_hex(lexer *x, uint64_t *v); /* 0x... */
bool lex_double(lexer *x, double *v);
bool lex_float(lexer *x, float *v);

#endif
