/* files_old.h: what lies in a folder that a new bundle is to replace: an earlier bundle's files, which its
 * manifest lists, and anybody else's. For files_dir.c. */
#ifndef VOXC_FILES_OLD_H
#define VOXC_FILES_OLD_H

#include "ir.h"

typedef struct file_old {
    ir_arena *arena;
    bool is_bundle;    /* a manifest.json that voxc wrote is there */
    bool is_empty;     /* nothing is there, voxc's temporaries aside */
    const char **name; /* the bundle's files, manifest.json among them, sorted */
    int count;
} file_old;

/* False with d filled where the folder can't be read. Free it either way. */
bool file_old_read(file_old *o, const char *folder, ir_diag *d);
void file_old_free(file_old *o);
bool file_old_lists(const file_old *o, const char *name);

/* Gives `to` everything of `from` that the bundle does not list and `to` does not have, without copying: the
 * files then have two names. False (errno) where the file system can't do that, or for very many files. */
bool file_old_carry(const file_old *o, const char *from, const char *to);

/* Whether voxc made the folder's entry of that name while it replaced files in place. */
bool file_old_is_temporary(const char *name);

/* malloc'd: "dir/name". */
char *file_join(const char *dir, const char *name);
/* Makes the folders in front of name's last slash. */
bool file_make_parents(const char *dir, const char *name);

#endif
