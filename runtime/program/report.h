/* SPDX-License-Identifier: MIT-0 */
/* report.h: what the program says to people: one-line errors, progress. */
#ifndef VOX_REPORT_H
#define VOX_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "vox.h"

enum { VOX_EXIT_OK = 0, VOX_EXIT_FAILURE = 1, VOX_EXIT_INPUT = 2, VOX_EXIT_UNSUPPORTED = 3 };

/* Prints "error: ..." and a newline on stderr; returns `code`, so that callers write return vox_fail(...). */
int vox_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vox_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void vox_note(const char *format, ...) __attribute__((format(printf, 1, 2))); /* "note: ...", on stderr too */
/* "not enough memory for ..."; bytes, not elements: 0: not known; SIZE_MAX: more than can be counted. */
int vox_fail_memory(const char *what, size_t bytes);
int vox_fail_status(const char *where, vox_status status);

typedef struct vox_shape_text {
    char text[128];
} vox_shape_text;
vox_shape_text vox_shape(int rank, const int *dim); /* "1x3x132x132x116" */
typedef struct vox_size_text {
    char text[96];
} vox_size_text;
vox_size_text vox_size_mm(const double size[3]); /* "1x1.25x1.5 mm"; 0: "?" */
typedef struct vox_number_text {
    char text[32];
} vox_number_text;
vox_number_text vox_number(double x);       /* as few digits as give x again, or x as a float if it is one */
const char *vox_dtype_name(vox_dtype type); /* as numpy calls it */

/* Copies of what vox_warn says, as it stands on stderr, for a run's report. */
enum { VOX_WARNINGS = 64 };
typedef struct vox_warnings {
    int n, more; /* more: that came after the table was full */
    char *text[VOX_WARNINGS];
} vox_warnings;
/* From now on warnings are copied there too; NULL: no longer. Of one thread at a time, as vox_warn is then. */
void vox_warnings_collect(vox_warnings *to);
void vox_warnings_free(vox_warnings *w);

/* One line on stderr, rewritten in place, only if stderr is a terminal. vox_progress_end removes it. */
typedef struct vox_progress {
    bool on;
    int width; /* of what stands on the line now */
} vox_progress;
vox_progress vox_progress_start(void);
void vox_progress_say(vox_progress *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
void vox_progress_end(vox_progress *p);

#endif
