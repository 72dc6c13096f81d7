/* SPDX-License-Identifier: MIT-0 */
/* program_verbs.h: the program's verbs. Each takes the words after its name and returns the exit code. */
#ifndef VOX_PROGRAM_VERBS_H
#define VOX_PROGRAM_VERBS_H

#include "verb_options.h"

int vox_verb_info(const vox_context *c, int argc, char **argv);
int vox_verb_selftest(const vox_context *c, int argc, char **argv);
int vox_verb_bench(const vox_context *c, int argc, char **argv);
int vox_verb_run(const vox_context *c, int argc, char **argv);
int vox_verb_segment(const vox_context *c, int argc, char **argv);
int vox_verb_score(const vox_context *c, int argc, char **argv);

enum { VOX_MAX_THREADS = 1024 };

#endif
