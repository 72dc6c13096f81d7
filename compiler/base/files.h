/* files.h: reading inputs and writing outputs so that nothing is ever half written.
 *
 * Every failure fills the diagnostic with one line that names the path and says what to do. What voxc writes
 * goes to a temporary name first and is renamed at the end; a failure, an abort and (after
 * file_clean_on_end) exit and Ctrl-C remove the temporaries. What a killed voxc left goes when the same
 * output is written again. System calls that a signal interrupts are repeated.
 */
#ifndef VOXC_FILES_H
#define VOXC_FILES_H

#include "ir.h"

/* The whole file, malloc'd (the caller frees it), with a zero byte after its *n bytes. A missing or
 * unreadable file, a directory and a file above max bytes are IR_EXIT_INPUT. */
char *file_read(const char *path, size_t max, size_t *n, ir_diag *d);

/* Writes data to path, replacing what is there. Devices and pipes are written in place. */
bool file_write_atomic(const char *path, const void *data, size_t n, ir_diag *d);

/* A folder written as a whole: begin, write any number of files, then commit or abort (both free t). */
typedef struct file_dir file_dir;

/* path may be absent (its parent must exist), empty, or hold an earlier bundle, which its manifest.json
 * tells; any other folder with something in it is refused unless `force`. Nothing is visible in path before
 * the commit, which replaces the folder in one step: whoever kills voxc finds the old bundle or the new one.
 * Of an earlier bundle all goes that its manifest lists; everybody else's files stay, and one that has a new
 * file's name is refused unless `force`.
 *
 * The folder itself stays, and its files move one by one, where voxc's working directory is in it, where it
 * is mounted or another user's, and where nothing may be made beside it. A failure then puts all of it back;
 * after a kill the next begin does. */
file_dir *file_dir_begin(const char *path, bool force, ir_diag *d);
/* name is relative, '/' separates folders (created), "." and ".." are the caller's bug. Each name once. */
bool file_dir_write(file_dir *t, const char *name, const void *data, size_t n, ir_diag *d);
/* After a failure the folder is what it was. */
bool file_dir_commit(file_dir *t, ir_diag *d);
void file_dir_abort(file_dir *t); /* t may be NULL */

/* Makes exit, SIGINT, SIGTERM and SIGHUP remove the pending temporaries before the program ends. */
void file_clean_on_end(void);

#endif
