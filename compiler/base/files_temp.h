/* files_temp.h: the list of what is on disk under a temporary name, and must go if voxc stops. For files*.c
 * and process.c only. */
#ifndef VOXC_FILES_TEMP_H
#define VOXC_FILES_TEMP_H

#include "ir.h"

#include <sys/types.h>

/* Temporary names carry their process (owner.h). Each returns the entry's number, or -1 with errno set. */
int file_temp_create(const char *path, int *fd); /* "PATH.tmp...": a new file, opened for writing */
int file_temp_tree(const char *path,
                   mode_t mode); /* the same for a folder, which goes with all that is in it */
const char *file_temp_path(int entry);

bool file_temp_rename(int entry, const char *to); /* and forgets the entry; false: errno, still listed */
/* From disk and from the list; what can't be removed stays listed, and is tried again at the end. */
void file_temp_remove(int entry);
void file_temp_forget(int entry); /* from the list */

/* Removes what killed processes left beside path under temporary names. */
void file_temp_sweep(const char *path);
/* Removes a file, or a folder with all that is in it. */
bool file_remove_tree(const char *path);

/* Forks a child with a process group of its own, which a signal that ends voxc ends first: it may be writing
 * what is removed then. One at a time; file_temp_reaped says that the child has been waited for. */
pid_t file_temp_fork(void);
void file_temp_reaped(void);

/* Holds SIGINT, SIGTERM, SIGHUP and SIGPIPE back while several renames belong together. Nests. */
void file_temp_hold(void);
void file_temp_release(void);

/* Writes n bytes to fd (negative: errno says why it could not be opened), closes it. path is for the message.
 */
bool file_put(int fd, const char *path, const void *data, size_t n, ir_diag *d);

#endif
