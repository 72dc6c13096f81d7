/* lex.c: see lex.h. */
#include "lex.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_NUMBER = 63, MAX_SHOWN = 160 };

int lex_column(const lexer *x) {
    return (int)(x->at - x->line_start) + 1;
}

/* What is no text is not for a terminal. */
static bool is_text(const char *line, int length) {
    for (int i = 0; i < length; i++)
        if (iscntrl((unsigned char)line[i]) && line[i] != '\t') return false;
    return true;
}

bool lex_fail(lexer *x, const char *fmt, ...) {
    char message[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    int shown = (int)strcspn(x->line_start, "\r\n"), column = lex_column(x);
    if (shown == 0 || shown > MAX_SHOWN || column > MAX_SHOWN || !is_text(x->line_start, shown))
        return ir_fail(x->d, IR_EXIT_INPUT, "%s:%d:%d: %s", x->file, x->line, column, message);
    return ir_fail(x->d, IR_EXIT_INPUT, "%s:%d:%d: %s\n  %.*s\n  %*s", x->file, x->line, column, message,
                   shown, x->line_start, column, "^");
}

void lex_blanks(lexer *x) {
    while (*x->at == ' ' || *x->at == '\t' || *x->at == '\r') x->at++;
    if (*x->at == '#') x->at += strcspn(x->at, "\n");
}

bool lex_end_of_line(lexer *x) {
    lex_blanks(x);
    if (*x->at && *x->at != '\n') return lex_fail(x, "expected the end of the line");
    while (*x->at == '\n') {
        x->line_start = ++x->at;
        x->line++;
        lex_blanks(x);
    }
    return true;
}

bool lex_is(lexer *x, char c) {
    lex_blanks(x);
    return *x->at == c;
}

bool lex_accept(lexer *x, char c) {
    bool yes = lex_is(x, c);
    x->at += yes;
    return yes;
}

bool lex_expect(lexer *x, char c) {
    return lex_accept(x, c) || lex_fail(x, "expected '%c'", c);
}

static bool word_char(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

static size_t word_length(const char *s) {
    size_t n = 0;
    if (isdigit((unsigned char)*s)) return 0;
    while (word_char(s[n])) n++;
    return n;
}

bool lex_peek_word(lexer *x, const char *word) {
    lex_blanks(x);
    size_t n = strlen(word);
    return word_length(x->at) == n && !memcmp(x->at, word, n);
}

bool lex_accept_word(lexer *x, const char *word) {
    bool yes = lex_peek_word(x, word);
    if (yes) x->at += strlen(word);
    return yes;
}

static const char *take_text(lexer *x, size_t n) {
    char *s = ir_alloc(x->arena, n + 1, 1);
    memcpy(s, x->at, n);
    x->at += n;
    return s;
}

const char *lex_word(lexer *x, const char *what) {
    lex_blanks(x);
    size_t n = word_length(x->at);
    if (n) return take_text(x, n);
    lex_fail(x, "expected %s", what);
    return NULL;
}

const char *lex_tensor(lexer *x) {
    if (!lex_accept(x, '%')) {
        lex_fail(x, "expected a tensor: %%name");
        return NULL;
    }
    size_t n = 0;
    while (word_char(x->at[n]) || x->at[n] == '.') n++;
    if (n && !isdigit((unsigned char)*x->at)) return take_text(x, n);
    lex_fail(x, "expected a name of letters, digits, _ and . that begins with no digit");
    return NULL;
}

static int hex_digit(char c) {
    const char *digits = "0123456789abcdef", *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The character behind a backslash; moves over it. */
static bool escape(lexer *x, char *c) {
    if (*x->at == '"' || *x->at == '\\') {
        *c = *x->at++;
        return true;
    }
    int high = *x->at == 'x' ? hex_digit(x->at[1]) : -1, low = high < 0 ? -1 : hex_digit(x->at[2]);
    if (low < 0 || !(high | low)) return lex_fail(x, "expected \\\", \\\\ or \\x and two hexadecimal digits");
    *c = (char)(high * 16 + low);
    x->at += 3;
    return true;
}

const char *lex_string(lexer *x) {
    if (!lex_accept(x, '"')) {
        lex_fail(x, "expected a string in quotation marks");
        return NULL;
    }
    char *s = ir_alloc(x->arena, strcspn(x->at, "\n") + 1, 1), *to = s;
    while (*x->at != '"') {
        if (!*x->at || *x->at == '\n') {
            lex_fail(x, "the string does not end");
            return NULL;
        }
        *to = *x->at++;
        if (*to == '\\' && !escape(x, to)) return NULL;
        to++;
    }
    x->at++;
    return s;
}

bool lex_int(lexer *x, int64_t *v) {
    lex_blanks(x);
    const char *s = x->at;
    if (!isdigit((unsigned char)s[*s == '-'])) return lex_fail(x, "expected a whole number");
    char *end;
    errno = 0;
    long long value = strtoll(s, &end, 10);
    if (errno) return lex_fail(x, "the number does not fit 64 bits");
    *v = value;
    x->at = end;
    return true;
}

bool lex_hex(lexer *x, uint64_t *v) {
    lex_blanks(x);
    int digits = 0;
    if (x->at[0] != '0' || x->at[1] != 'x') return lex_fail(x, "expected 0x and hexadecimal digits");
    for (*v = 0; hex_digit(x->at[2 + digits]) >= 0 && digits < 17; digits++)
        *v = *v << 4 | (uint64_t)hex_digit(x->at[2 + digits]);
    if (digits < 1 || digits > 16) return lex_fail(x, "expected 0x and 1 to 16 hexadecimal digits");
    x->at += 2 + digits;
    return true;
}

/* Length of a decimal number, inf or nan at s; 0 when there is none. */
static size_t number_length(const char *s) {
    size_t n = *s == '-', digits = 0;
    if (word_length(s + n) == 3 && (!memcmp(s + n, "inf", 3) || !memcmp(s + n, "nan", 3))) return n + 3;
    for (; isdigit((unsigned char)s[n]); n++) digits++;
    if (s[n] == '.')
        for (n++; isdigit((unsigned char)s[n]); n++) digits++;
    if (!digits) return 0;
    size_t e = n;
    if (s[e] == 'e' || s[e] == 'E') {
        e++;
        if (s[e] == '-' || s[e] == '+') e++;
        if (isdigit((unsigned char)s[e])) {
            while (isdigit((unsigned char)s[e])) e++;
            n = e;
        }
    }
    return n;
}

static bool number(lexer *x, double *v, float *narrow) {
    lex_blanks(x);
    size_t n = number_length(x->at);
    if (!n || n > MAX_NUMBER) return lex_fail(x, n ? "the number is too long" : "expected a number");
    char text[MAX_NUMBER + 1] = {0};
    memcpy(text, x->at, n);
    *v = strtod(text, NULL);
    if (narrow) *narrow = strtof(text, NULL);
    bool infinite = narrow ? isinf(*narrow) : isinf(*v);
    if (infinite && !strstr(text, "inf")) return lex_fail(x, "the number is too large");
    x->at += n;
    return true;
}

bool lex_double(lexer *x, double *v) {
    return number(x, v, NULL);
}

bool lex_float(lexer *x, float *v) {
    double wide;
    return number(x, &wide, v);
}
