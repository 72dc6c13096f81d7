/* SPDX-License-Identifier: MIT-0 */
/* utf8.c: see utf8.h. */
#include "utf8.h"

/* Bytes of the character at s; 0 where that is none: a stray byte, a longer form than needed, half of a pair
 * of UTF-16, above the last character. */
static size_t decode(const char *s, uint32_t *code) {
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char c = (unsigned char)*s;
    size_t n = c < 0x80 ? 1 : c < 0xC2 ? 0 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : c < 0xF5 ? 4 : 0;
    *code = n < 2 ? c : c & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if (((unsigned char)s[i] & 0xC0) != 0x80) return 0;
        *code = *code << 6 | ((unsigned char)s[i] & 0x3F);
    }
    if (!n || *code < least[n] || *code > 0x10FFFF || (*code >= 0xD800 && *code < 0xE000)) return 0;
    return n;
}

static bool is_control(uint32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

static bool is_hidden(uint32_t c) {
    return c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0xFEFF;
}

vox_char_kind vox_char(const char *s, size_t *n, uint32_t *code) {
    *n = decode(s, code);
    if (*n) return is_control(*code) ? VOX_CHAR_CONTROL : is_hidden(*code) ? VOX_CHAR_HIDDEN : VOX_CHAR_PLAIN;
    *n = 1;
    *code = (unsigned char)*s;
    return VOX_CHAR_INVALID;
}

bool vox_is_plain(const char *s) {
    uint32_t code;
    size_t n;
    for (; *s; s += n)
        if (vox_char(s, &n, &code) != VOX_CHAR_PLAIN) return false;
    return true;
}
