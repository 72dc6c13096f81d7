/* SPDX-License-Identifier: MIT-0 */
/* vox_nearest.c: see vox_nearest.h.
 *
 * A question walks down the tree, to the nearest child first, and leaves out what cannot be nearer than the
 * best so far. Neighbours of a surface have neighbouring answers, so the last answer is a first bound that
 * leaves out nearly everything.
 */
#include "vox_nearest.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { SIDE = 4, BITS = SIDE * SIDE * SIDE };

/* The bits of a node whose x, y or z is 0; shifted by 1, 4 or 16 for each step along the axis. */
static const uint64_t slab[3] = {0x1111111111111111u, 0x000f000f000f000fu, 0x000000000000ffffu};
static const int step[3] = {1, SIDE, SIDE *SIDE};

/* ---- the tree -------------------------------------------------------------------------------- */

/* The number of levels, at least two; n[level]: nodes along x y z. */
static int shape(const int dim[3], size_t n[VOX_NEAREST_LEVELS][3]) {
    size_t m[3] = {(size_t)dim[0], (size_t)dim[1], (size_t)dim[2]};
    int levels = 0;
    do {
        for (int k = 0; k < 3; k++) n[levels][k] = m[k] = (m[k] + SIDE - 1) / SIDE;
        levels++;
    } while (levels < 2 || m[0] > 1 || m[1] > 1 || m[2] > 1);
    return levels;
}

size_t vox_nearest_bytes(const int dim[3]) {
    size_t n[VOX_NEAREST_LEVELS][3], nodes = 0;
    const int levels = shape(dim, n);
    for (int i = 0; i < levels; i++) nodes += n[i][0] * n[i][1] * n[i][2];
    return (nodes * sizeof(uint64_t) + 63) / 64 * 64;
}

void vox_nearest_begin(vox_nearest_tree *t, const int dim[3], const double spacing[3], void *memory) {
    size_t n[VOX_NEAREST_LEVELS][3];
    uint64_t *node = memory;
    t->levels = shape(dim, n);
    for (int i = 0; i < t->levels; i++) {
        t->level[i].node = node;
        memcpy(t->level[i].n, n[i], sizeof n[i]);
        node += n[i][0] * n[i][1] * n[i][2];
    }
    memset(memory, 0, (size_t)(node - (uint64_t *)memory) * sizeof *node);
    memcpy(t->spacing, spacing, sizeof t->spacing);
}

static void set(const vox_nearest_level *l, size_t x, size_t y, size_t z) {
    const size_t bit = z % SIDE * 16 + y % SIDE * 4 + x % SIDE;
    l->node[(z / SIDE * l->n[1] + y / SIDE) * l->n[0] + x / SIDE] |= (uint64_t)1 << bit;
}

void vox_nearest_add(vox_nearest_tree *t, int x, int y, int z) {
    set(&t->level[0], (size_t)x, (size_t)y, (size_t)z);
}

void vox_nearest_end(vox_nearest_tree *t) {
    for (int i = 0; i + 1 < t->levels; i++) {
        const vox_nearest_level *l = &t->level[i];
        const uint64_t *node = l->node;
        for (size_t z = 0; z < l->n[2]; z++)
            for (size_t y = 0; y < l->n[1]; y++)
                for (size_t x = 0; x < l->n[0]; x++)
                    if (*node++ != 0) set(l + 1, x, y, z);
    }
}

/* ---- a question ------------------------------------------------------------------------------ */

typedef struct visit {
    uint64_t left;        /* children not yet looked at */
    bool fresh;           /* none has been */
    size_t at[3];         /* of the node among its level's */
    double part[3][SIDE]; /* squares of the distances to children along x y z */
} visit;

static double square(const vox_nearest_tree *t, int axis, double voxels) {
    const double d = voxels * t->spacing[axis];
    return d * d;
}

static double child_square(const visit *v, int child) {
    return v->part[0][child % SIDE] + v->part[1][child / SIDE % SIDE] + v->part[2][child / 16];
}

/* Begins node v->at of a level, whose children are 4^level voxels wide, but for children that one axis alone
 * tells to be no nearer than `best`; false: that is all of them. */
static bool enter(const vox_nearest_tree *t, int level, const int from[3], double best, visit *v) {
    const vox_nearest_level *l = &t->level[level];
    const int64_t side = (int64_t)1 << 2 * level;
    v->left = l->node[(v->at[2] * l->n[1] + v->at[1]) * l->n[0] + v->at[0]];
    v->fresh = true;
    for (int k = 2; k >= 0 && v->left != 0; k--) {
        for (int i = 0; i < SIDE; i++) {
            const int64_t low = ((int64_t)v->at[k] * SIDE + i) * side, high = low + side - 1;
            const int64_t gap = from[k] < low ? low - from[k] : from[k] > high ? from[k] - high : 0;
            v->part[k][i] = square(t, k, (double)gap);
            if (v->part[k][i] >= best) v->left &= ~(slab[k] << i * step[k]);
        }
    }
    return v->left != 0;
}

static int nearest_child(const visit *v) {
    int nearest = 0;
    double least = INFINITY;
    for (uint64_t w = v->left; w != 0; w &= w - 1) {
        const int child = __builtin_ctzll(w);
        const double d = child_square(v, child);
        if (d >= least) continue;
        least = d;
        nearest = child;
    }
    return nearest;
}

/* The nearest first, since its voxels leave out most of the others; those in any order. */
static int take_child(visit *v) {
    const int child = v->fresh ? nearest_child(v) : __builtin_ctzll(v->left);
    v->fresh = false;
    v->left &= ~((uint64_t)1 << child);
    return child;
}

static void place(const visit *v, int child, size_t at[3]) {
    at[0] = v->at[0] * SIDE + (size_t)(child % SIDE);
    at[1] = v->at[1] * SIDE + (size_t)(child / SIDE % SIDE);
    at[2] = v->at[2] * SIDE + (size_t)(child / 16);
}

/* The voxels of a leaf. */
static double look(const visit *leaf, double best, int near[3]) {
    const int child = nearest_child(leaf);
    const double d = child_square(leaf, child);
    if (d >= best) return best;
    size_t at[3];
    place(leaf, child, at);
    for (int k = 0; k < 3; k++) near[k] = (int)at[k];
    return d;
}

double vox_nearest_find(const vox_nearest_tree *t, const int at[3], int near[3]) {
    double best = INFINITY;
    if (near[0] >= 0) {
        double part[3];
        for (int k = 0; k < 3; k++) part[k] = square(t, k, fabs((double)near[k] - at[k]));
        best = part[0] + part[1] + part[2];
    }
    visit stack[VOX_NEAREST_LEVELS];
    const int top = t->levels - 1;
    int level = top;
    memset(stack[top].at, 0, sizeof stack[top].at);
    enter(t, top, at, best, &stack[top]);
    while (level <= top) {
        visit *v = &stack[level], *below = v - 1;
        if (v->left == 0) {
            level++;
            continue;
        }
        const int child = take_child(v);
        if (child_square(v, child) >= best) continue;
        place(v, child, below->at);
        if (!enter(t, level - 1, at, best, below)) continue;
        if (level == 1)
            best = look(below, best, near);
        else
            level--;
    }
    return best;
}
