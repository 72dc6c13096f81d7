/* files.h: reading inputs and writing outputs so that nothing is ever half written.
 *
 * Every failure fills the diagnostic with one line that names the path and says what to do. What voxc writes
 * goes to a temporary name first and is renamed at the end; a failure, an abort and (after
 * file_clean_on_end) exit and Ctrl-C remove the temporaries.
 */
#ifndef VOXC_FILES_H
#define VOXC_FILES_H

#include "ir.h"

/* The whole file, malloc'd (the caller frees it), with a zero byte after its *n bytes. A missing or
 * unreadable file, a directory and a file above max bytes are IR_EXIT_INPUT. */
char *file_read(const char *path, size_t max, size_t *n, ir_diag *d);

/* Writes data to path, replacing what is there. Devices and pipes are written in place. */
bool file_write_atomic(const char *path, const void *data, size_t n, ir_diag *d);

/* A directory written as a whole: begin, write any number of files, then commit or abort (both free t). */
typedef struct file_dir file_dir;

/* path may be absent (its parent must exist), empty, or an earlier result: a directory that holds a file
 * named `marker`. Any other directory with something in it is refused unless `force`. Nothing is visible in
 * path before the commit; files there that are not written again stay. */
file_dir *file_dir_begin(const char *path, const char *marker, bool force, ir_diag *d);
/* name is relative, '/' separates folders (created), "." and ".." are the caller's bug. Each name once. */
bool file_dir_write(file_dir *t, const char *name, const void *data, size_t n, ir_diag *d);
/* Fails with everything removed that was not yet in place. */
bool file_dir_commit(file_dir *t, ir_diag *d);
void file_dir_abort(file_dir *t); /* t may be NULL */

/* Makes exit, SIGINT, SIGTERM and SIGHUP remove the pending temporaries before the program ends. */
void file_clean_on_end(void);

#endif
