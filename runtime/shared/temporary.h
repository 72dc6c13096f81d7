/* SPDX-License-Identifier: MIT-0 */
/* temporary.h: what is on disk under a temporary name (owner.h), and must go if the process stops. */
#ifndef VOX_TEMPORARY_H
#define VOX_TEMPORARY_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct vox_temp_kind {
    int (*make)(const char *path, mode_t mode); /* what was made, 0 or more; -1: errno */
    bool (*remove)(const char *path);
    void (*remove_at_end)(const char *path); /* the same with async-signal-safe calls only */
} vox_temp_kind;
extern const vox_temp_kind vox_temp_file;   /* made: a descriptor for writing */
extern const vox_temp_kind vox_temp_folder; /* removed with all that is in it */
bool vox_temp_remove_tree(
    const char *path); /* a folder and all in it, or a file; true too if it is not there */

/* Makes it beside `path`, which is a file's or a folder's name; lists it. Returns the entry's number, or -1
 * with errno set. *made: what kind->make returned. */
int vox_temp_create(const vox_temp_kind *kind, const char *path, mode_t mode, int *made);
const char *vox_temp_path(int entry);
bool vox_temp_rename(int entry, const char *to); /* and forgets the entry; false: errno, still listed */
/* From disk and from the list; what can't be removed stays listed, and is tried again at the end. */
void vox_temp_remove(int entry);
void vox_temp_forget(int entry); /* from the list */
/* All that is listed, from disk; may be called from a signal handler. */
void vox_temp_remove_all(void);

/* SIGINT, SIGTERM, SIGHUP and SIGPIPE, unless they are ignored, then call `before` (NULL: nothing), remove
 * all that is listed, and call `end` with the signal's number. Both only async-signal-safe. A file that may
 * not grow any more (ulimit -f) is from now on an error of write, as a full disk is. */
void vox_temp_catch_signals(void (*before)(void), void (*end)(int number));
/* In a forked child, which is not to remove anything: these signals end it. */
void vox_temp_drop_signals(void);

/* Holds these signals back while several renames belong together. Nests. */
void vox_temp_hold(void);
void vox_temp_release(void);

#endif
