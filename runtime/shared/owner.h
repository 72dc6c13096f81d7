/* SPDX-License-Identifier: MIT-0 */
/* owner.h: temporary names that say which process made them, so that a later one can remove what a killed one
 * left behind, and nothing of a process that still runs. */
#ifndef VOX_OWNER_H
#define VOX_OWNER_H

#include <stdbool.h>

/* The temporary name beside `path` of this process, malloc'd: PATH.tmp<pid>-<start>-<machine>, and .<attempt>
 * at the end unless that is 0. The file's name is cut where the whole would be longer than file systems
 * allow. `kind` stands in the place of "tmp": three letters. NULL without memory. */
char *vox_owner_name(const char *path, const char *kind, int attempt);

/* Hands `remove` the path of each file or folder beside `path` that a process of this user made under a name
 * of that kind, and that no longer runs. What another machine or container made is left alone for a day. */
void vox_owner_sweep(const char *path, const char *kind, void (*remove)(void *ctx, const char *leftover),
                     void *ctx);

/* The call again where a signal came between. */
#define VOX_RETRY(result, call)                                                                              \
    do {                                                                                                     \
        result = (call);                                                                                     \
    } while (result < 0 && errno == EINTR)

#endif
