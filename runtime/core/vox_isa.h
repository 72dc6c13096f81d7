/* SPDX-License-Identifier: MIT-0 */
/* vox_isa.h: which instruction sets this processor and its operating system offer. */
#ifndef VOX_ISA_H
#define VOX_ISA_H

/* name: of vox_isas.h. 1: code built for it may run here. */
int vox_isa_available(const char *name);

#endif
