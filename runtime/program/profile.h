/* SPDX-License-Identifier: MIT-0 */
/* profile.h: when each thread works on each step of a run, as a Chrome trace (Perfetto opens it). */
#ifndef VOX_PROFILE_H
#define VOX_PROFILE_H

#include <stdio.h>

#include "host.h"

typedef struct vox_profile vox_profile;

/* Puts itself between the host's executor and its user until vox_profile_end; the next run is recorded.
 * threads: how many work at once. NULL: not enough memory (printed). */
vox_profile *vox_profile_start(vox_host *h, int threads);
/* After that run: a slice per step and thread that worked on it. */
void vox_profile_write(const vox_profile *p, FILE *f);
/* Gives the executor back; NULL is allowed. */
void vox_profile_end(vox_profile *p);

#endif
