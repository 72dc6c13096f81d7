/* SPDX-License-Identifier: MIT-0 */
/* holes.c: see holes.h. */
#include "holes.h"

#include <stdlib.h>

#include "report.h"

enum { OUTSIDE = 2 };

typedef struct stack {
    size_t *at, used, room;
} stack;

/* Marks a zero voxel as outside and remembers to look at its neighbours; false without memory. */
static bool visit(stack *s, unsigned char *mask, size_t at) {
    if (mask[at] != 0) return true;
    if (s->used == s->room) {
        size_t room = s->room > 0 ? 2 * s->room : 1024;
        size_t *bigger = realloc(s->at, room * sizeof *bigger);
        s->room = room;
        if (bigger == NULL) return false;
        s->at = bigger;
    }
    mask[at] = OUTSIDE;
    s->at[s->used++] = at;
    return true;
}

static bool visit_border(stack *s, unsigned char *mask, const int dim[3]) {
    bool ok = true;
    size_t at = 0;
    for (int z = 0; z < dim[2]; z++) {
        for (int y = 0; y < dim[1]; y++) {
            for (int x = 0; x < dim[0]; x++, at++) {
                bool border =
                    x == 0 || y == 0 || z == 0 || x == dim[0] - 1 || y == dim[1] - 1 || z == dim[2] - 1;
                if (border) ok = ok && visit(s, mask, at);
            }
        }
    }
    return ok;
}

int vox_fill_holes(unsigned char *mask, const int dim[3]) {
    stack s = {0};
    size_t stride[3] = {1, (size_t)dim[0], (size_t)dim[0] * (size_t)dim[1]}, n = stride[2] * (size_t)dim[2];
    bool ok = visit_border(&s, mask, dim);
    while (ok && s.used > 0) {
        size_t at = s.at[--s.used];
        for (int k = 0; k < 3; k++) {
            size_t i = at / stride[k] % (size_t)dim[k];
            if (i > 0) ok = ok && visit(&s, mask, at - stride[k]);
            if (i + 1 < (size_t)dim[k]) ok = ok && visit(&s, mask, at + stride[k]);
        }
    }
    free(s.at);
    if (!ok) return vox_fail_memory("filling holes", s.room * sizeof *s.at);
    for (size_t i = 0; i < n; i++) mask[i] = mask[i] != OUTSIDE;
    return 0;
}
