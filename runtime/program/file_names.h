/* SPDX-License-Identifier: MIT-0 */
/* file_names.h: which file a name means. */
#ifndef VOX_FILE_NAMES_H
#define VOX_FILE_NAMES_H

#include <stdbool.h>

/* Whether path ends in `end`, in capitals or not. */
bool vox_name_ends(const char *path, const char *end);

/* The file that path names after every symbolic link, whether it is there yet or not; what no link leads to
 * (pipes) keeps its name. malloc'd; NULL: no memory. */
char *vox_name_resolve(const char *path);

/* Whether writing to one would change the other: the same file or FIFO, or the same place for a file that is
 * not there yet. Devices (/dev/null) share nothing. */
bool vox_name_same(const char *a, const char *b);

/* N for a name of this process' descriptor N (/dev/stdout, /dev/fd/3, /proc/self/fd/3), else -1. */
int vox_name_descriptor(const char *path);

#endif
