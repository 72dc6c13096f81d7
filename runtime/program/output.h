/* SPDX-License-Identifier: MIT-0 */
/* output.h: files that appear whole or not at all. */
#ifndef VOX_OUTPUT_H
#define VOX_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

/* A file being written under a temporary name beside its place; what a killed process left there goes first.
 * A device, a pipe and a descriptor of this process (/dev/stdout) are written directly. All functions print
 * their error and return the exit code, 0 if all is well. */
typedef struct vox_output {
    char *path;    /* NULL: nothing is open */
    int temporary; /* its entry (temporary.h); -1: written directly */
    FILE *file;    /* NULL: not open */
} vox_output;

/* Fails where a result (NULL: none) would replace one of the n inputs, or two results share a file, by
 * whatever names and links (file_names.h). */
int vox_output_check(const char *const *results, int n_results, char **inputs, int n);
int vox_output_open(vox_output *o, const char *path);
/* Flushes, checks, closes, and gives the file its name. */
int vox_output_commit(vox_output *o);
/* Closes and removes what was written; does nothing after a commit or on a zeroed struct. */
void vox_output_abort(vox_output *o);
/* "cannot write PATH: ...", for the writer that sees errno. */
int vox_output_error(const vox_output *o);

/* SIGINT, SIGTERM, SIGHUP and SIGPIPE remove the temporary files and end the process with 128 + signal. A
 * file that may not grow any more is an error like a full disk. */
void vox_output_catch_signals(void);

/* 0 after stdout was flushed without error. */
int vox_output_check_stdout(void);

#endif
