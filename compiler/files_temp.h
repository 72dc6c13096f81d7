/* files_temp.h: the list of what is on disk under a temporary name, and must go if voxc stops. For files*.c
 * and process.c only. */
#ifndef VOXC_FILES_TEMP_H
#define VOXC_FILES_TEMP_H

#include "ir.h"

#include <sys/types.h>

/* Each returns the entry's number, or -1 with errno set. */
int file_temp_create(const char *path, int *fd);        /* "PATH.tmp<pid>": a new file, opened for writing */
int file_temp_mkdir(const char *path);                  /* the same for a directory */
int file_temp_add_file(const char *path, int *fd);      /* exactly path, which must not exist */
int file_temp_add_dir(const char *path, bool *existed); /* exactly path; existing ones are not listed */
int file_temp_add_tree(char *name);                     /* name as for mkdtemp; goes with all that is in it */
const char *file_temp_path(int entry);

bool file_temp_rename(int entry, const char *to); /* and forgets the entry; false: errno, still listed */
void file_temp_remove(int entry);                 /* from disk and from the list */
void file_temp_forget(int entry);                 /* from the list */

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
