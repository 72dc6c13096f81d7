/* files_place.h: replacing a bundle's files one by one where the folder itself has to stay. For files_dir.c.
 *
 * The temporary folder's new/ holds the new files, manifest.json among them. Before anything changes, old/
 * gets a second name of each file that will be replaced or removed; from then on everything can be undone
 * without room on the disk, by renames over files that are there. The new manifest.json comes last: while it
 * waits in new/, the earlier files are the ones that count. */
#ifndef VOXC_FILES_PLACE_H
#define VOXC_FILES_PLACE_H

#include "files_old.h"

typedef struct file_place {
    const char *target, *temp; /* the bundle's folder, the temporary one */
    const char *const *name;   /* the new files */
    int count;
    const file_old *before; /* what the target holds */
} file_place;

/* False (errno): the target is what it was. Where *stuck is set not all of it came back: temp has the rest,
 * must stay, and file_place_recover tries again. */
bool file_place_replace(const file_place *p, bool *stuck);

/* Puts back what a process that ended in the middle has replaced. False: not all of it, so temp must stay. */
bool file_place_recover(const char *target, const char *temp);

#endif
