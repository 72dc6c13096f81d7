/* forked.h: a process that may die: what it leaves behind. */
#ifndef VOXC_FUZZ_FORKED_H
#define VOXC_FUZZ_FORKED_H

#include <stddef.h>

enum { FUZZ_SECONDS = 60 }; /* that one check may take */

/* A file without a name that takes the standard error of processes. */
int process_log_new(void);
/* In a child: standard error goes to `log`, which is emptied; the process is killed after `seconds`. */
void process_enter(int log, unsigned seconds);
/* Why a process ended, from waitpid's status and the last line in `log`: "abort: ...", "timeout". */
void process_end_text(int status, int log, char *text, size_t n);

#endif
