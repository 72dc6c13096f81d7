/* SPDX-License-Identifier: MIT-0 */
/* program.h: the program that every bundle ships. <model>_main.c calls vox_program_main and nothing else. */
#ifndef VOX_PROGRAM_H
#define VOX_PROGRAM_H

#include "vox.h"

/* Runs `argv[0] VERB ...` for the model; argv must be writable (operands are moved to the front). Returns the
 * exit code: 0 ok, 1 failure, 2 bad input or usage, 3 unsupported; 128 + signal when interrupted. */
int vox_program_main(int argc, char **argv, const vox_model_info *model);

/* The same for a bundle that runs in several ways (backend.h), the preferred one first. */
struct vox_backend;
int vox_program_run(int argc, char **argv, const struct vox_backend *backends, int n_backends);

#endif
