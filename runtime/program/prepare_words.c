/* SPDX-License-Identifier: MIT-0 */
/* prepare_words.c: see prepare_words.h. */
#include "prepare_words.h"

static const struct {
    const char *name;
    int values;
} steps[VOX_PREPARE_COUNT] = {
#define X(symbol, name, n, text) {name, n},
    VOX_PREPARES(X)
#undef X
};

const char *vox_prepare_name(vox_prepare_kind kind) {
    return steps[kind].name;
}

int vox_prepare_values(vox_prepare_kind kind) {
    return steps[kind].values;
}
