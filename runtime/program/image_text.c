/* SPDX-License-Identifier: MIT-0 */
/* image_text.c: words and numbers of headers; see image_parts.h. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "image_parts.h"
#include "report.h"

int vox_image_numbers(const char *text, double *numbers, int most) {
    int n = 0;
    for (;;) {
        text += strspn(text, " \t,()[]");
        if (*text == 0) return n;
        char *end = NULL;
        double x = strtod(text, &end);
        if (end == text || n == most) return -1;
        numbers[n++] = x;
        text = end;
    }
}

char *vox_image_trim(char *text) {
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) n--;
    text[n] = 0;
    return text;
}

bool vox_image_whole(const char *text, int64_t low, int64_t high, int64_t *number) {
    char *end = NULL;
    errno = 0;
    long long x = strtoll(text, &end, 10);
    if (end == text || errno != 0 || x < low || x > high) return false;
    while (isspace((unsigned char)*end)) end++;
    *number = x;
    return *end == 0;
}

int vox_image_axes(const char *file, int rank, const int64_t *shape, int64_t dim[3], int64_t *channels) {
    if (rank == 5 && shape[0] == 1) {
        rank--;
        shape++;
    }
    if (rank < 2 || rank > 4)
        return vox_fail(VOX_EXIT_UNSUPPORTED,
                        "%s: an array of %d dimensions; [z][y][x] or [channel][z][y][x] is expected", file,
                        rank);
    *channels = rank == 4 ? shape[0] : 1;
    for (int k = 0; k < 3; k++) dim[k] = k < rank ? shape[rank - 1 - k] : 1;
    return 0;
}
