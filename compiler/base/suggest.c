#include "suggest.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST = 63 };

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

const char *suggest(const char *word, const char *const *names, int count) {
    size_t n = strlen(word);
    if (n == 0 || n > LONGEST) return NULL;
    const char *best = NULL;
    int best_distance = 0;
    for (int i = 0; i < count; i++) {
        size_t m = strlen(names[i]);
        if (m == 0 || m > LONGEST) continue;
        int d = distance(word, n, names[i], m);
        int limit = (int)(n > m ? n : m) / 3;
        if (d <= (limit > 1 ? limit : 1) && (!best || d < best_distance)) {
            best = names[i];
            best_distance = d;
        }
    }
    return best;
}
