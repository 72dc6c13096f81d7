/* SPDX-License-Identifier: MIT-0 */
/* arguments.c: see arguments.h. */
#include "arguments.h"

#include <stdio.h>
#include <string.h>

enum { LONGEST = 63, MOST_NAMES = 64 };

static int find_option(const vox_arguments *a, const char *name, size_t length, bool letter) {
    for (int i = 0; i < a->n; i++) {
        const vox_option_word w = a->row(a->table, i);
        if (w.name == NULL) continue;
        if (letter ? w.letter == *name : strlen(w.name) == length && memcmp(w.name, name, length) == 0)
            return i;
    }
    return -1;
}

static vox_argument unknown(vox_arguments *a) {
    const char *names[MOST_NAMES];
    int n = 0;
    for (int i = 0; i < a->n && n < MOST_NAMES; i++) {
        names[n] = a->row(a->table, i).name;
        n += names[n] != NULL;
    }
    char word[LONGEST + 1];
    snprintf(word, sizeof word, "%s", a->text + strspn(a->text, "-"));
    word[strcspn(word, "=")] = 0;
    a->near = vox_suggest(word, names, n);
    return VOX_ARGUMENT_UNKNOWN;
}

static vox_argument take_option(vox_arguments *a) {
    const bool letter = a->text[1] != '-';
    const char *name = a->text + (letter ? 1 : 2);
    const size_t length = letter ? 1 : strcspn(name, "=");
    a->option = find_option(a, name, length, letter);
    if (a->option < 0) return unknown(a);
    const char *rest = name + length;
    if (a->row(a->table, a->option).value == NULL)
        return *rest ? VOX_ARGUMENT_TAKES_NONE : VOX_ARGUMENT_OPTION;
    if (*rest == 0 && a->at == a->argc) return VOX_ARGUMENT_NEEDS_VALUE;
    a->value = *rest == 0 ? a->argv[a->at++] : rest + (*rest == '=');
    return VOX_ARGUMENT_OPTION;
}

vox_argument vox_arguments_next(vox_arguments *a) {
    if (!a->only_operands && a->at < a->argc && strcmp(a->argv[a->at], "--") == 0) {
        a->only_operands = true;
        a->at++;
    }
    if (a->at == a->argc) return VOX_ARGUMENT_END;
    a->text = a->argv[a->at++];
    if (a->only_operands || a->text[0] != '-' || a->text[1] == 0) return VOX_ARGUMENT_OPERAND;
    if (strcmp(a->text, "--help") == 0 || strcmp(a->text, "-h") == 0) return VOX_ARGUMENT_HELP;
    return take_option(a);
}

static int least(int a, int b, int c) {
    int m = a < b ? a : b;
    return m < c ? m : c;
}

/* Optimal string alignment distance. */
static int distance(const char *a, size_t n, const char *b, size_t m) {
    int row[3][LONGEST + 1];
    int *before = row[0], *last = row[1], *now = row[2];
    for (size_t j = 0; j <= m; j++) last[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        now[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1]));
            int swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < now[j]) now[j] = before[j - 2] + 1;
        }
        int *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[m];
}

const char *vox_suggest(const char *word, const char *const *names, int n) {
    const size_t length = strlen(word);
    if (length == 0 || length > LONGEST) return NULL;
    const char *best = NULL;
    int best_distance = 0;
    for (int i = 0; i < n; i++) {
        size_t m = strlen(names[i]);
        if (m == 0 || m > LONGEST) continue;
        bool beginning = length >= 3 && strncmp(word, names[i], length) == 0;
        int d = beginning ? 1 : distance(word, length, names[i], m);
        int limit = (int)(length > m ? length : m) / 3;
        if (d <= (limit > 1 ? limit : 1) && (!best || d < best_distance)) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}
