/* isas.h: the instruction sets (runtime/shared/vox_isas.h) in the text of a bundle: slots isas_x86_64,
 * isas_aarch64 and isas_any, and for build files the flags of each as slot isa_flags. */
#ifndef VOXC_CG_ISAS_H
#define VOXC_CG_ISAS_H

#include "cg_text.h"

void cg_set_isas_of_c(cg_slots *s); /* "X(baseline) X(avx2)", no flags */
void cg_set_isas_of_make(cg_slots *s);
void cg_set_isas_of_cmake(cg_slots *s);

#endif
