/* process.h: running other programs (make, a bundle's program) and temporary folders. */
#ifndef VOXC_PROCESS_H
#define VOXC_PROCESS_H

#include "ir.h"

/* Runs argv (NULL-terminated, found along PATH), output and errors into the file `log`, whose folder is its
 * TMPDIR; a signal that ends voxc ends it too. Returns the exit code, 128 + n after signal n, 127 when the
 * program can't be started. */
int process_run(const char *const *argv, const char *log);
/* The last lines of a log on one line, for a message; in the arena. */
const char *process_log_tail(const char *log, ir_arena *arena);

/* A new private folder below $TMPDIR or /tmp. It goes, with what is in it, at the end, and where a signal or
 * exit ends voxc before; what a killed voxc left goes when the next one begins. With `keep` the end only
 * forgets it. */
typedef struct process_temp {
    const char *path;
    int entry;
    bool keep;
} process_temp;
bool process_temp_begin(process_temp *t, bool keep, ir_diag *d);
void process_temp_end(process_temp *t);

#endif
