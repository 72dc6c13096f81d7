/* SPDX-License-Identifier: MIT-0 */
/* vox_orient.c: see vox_orient.h. */
#include "vox_orient.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

static const char towards[3] = "RAS", against[3] = "LPI";

bool vox_axes_of_code(const char *code, vox_axes *axes) {
    bool seen[3] = {false};
    if (code == NULL || strlen(code) != 3) return false;
    for (int a = 0; a < 3; a++) {
        int world = 0;
        while (world < 3 && code[a] != towards[world] && code[a] != against[world]) world++;
        if (world == 3 || seen[world]) return false;
        seen[world] = true;
        axes->source[a] = world;
        axes->reversed[a] = code[a] == against[world];
    }
    return true;
}

/* The world axis that each axis runs along. */
static bool nearest_world(const double direction[3][3], int world[3]) {
    static const int order[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    double most = 0;
    for (int p = 0; p < 6; p++) {
        double sum = 0, least = INFINITY;
        for (int a = 0; a < 3; a++) {
            double part = fabs(direction[order[p][a]][a]);
            sum += part;
            least = fmin(least, part);
        }
        if (!(sum > most && least > 0)) continue;
        most = sum;
        memcpy(world, order[p], sizeof order[p]);
    }
    return most > 0;
}

bool vox_code_of_direction(const double direction[3][3], char code[4]) {
    int world[3];
    if (!nearest_world(direction, world)) return false;
    for (int a = 0; a < 3; a++) code[a] = direction[world[a]][a] < 0 ? against[world[a]] : towards[world[a]];
    code[3] = '\0';
    return true;
}

bool vox_axes_towards(const double direction[3][3], const char *code, vox_axes *axes) {
    vox_axes wanted;
    int world[3];
    if (!vox_axes_of_code(code, &wanted) || !nearest_world(direction, world)) return false;
    for (int a = 0; a < 3; a++) {
        int source = 0;
        while (world[source] != wanted.source[a]) source++;
        axes->source[a] = source;
        axes->reversed[a] = (direction[world[source]][source] < 0) != wanted.reversed[a];
    }
    return true;
}
