/* files_temp.h: temporary folders, the processes that write into them, and their end with voxc's. For
 * files*.c and process.c only; single temporary files are temporary.h's. */
#ifndef VOXC_FILES_TEMP_H
#define VOXC_FILES_TEMP_H

#include "ir.h"
#include "temporary.h"

/* A temporary folder beside path, which goes with all that is in it: as vox_temp_create. */
int file_temp_tree(const char *path, mode_t mode);

/* Removes what killed processes left beside path under temporary names. */
void file_temp_sweep(const char *path);
/* Removes a file, or a folder with all that is in it. */
bool file_remove_tree(const char *path);

/* Forks a child with a process group of its own, which a signal that ends voxc ends first: it may be writing
 * what is removed then. One at a time; file_temp_reaped says that the child has been waited for. */
pid_t file_temp_fork(void);
void file_temp_reaped(void);

/* Writes n bytes to fd (negative: errno says why it could not be opened), closes it.
 * path is for the message. */
bool file_put(int fd, const char *path, const void *data, size_t n, ir_diag *d);

#endif
