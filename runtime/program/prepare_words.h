/* SPDX-License-Identifier: MIT-0 */
/* prepare_words.h: steps of a description's preparation, for people. */
#ifndef VOX_PREPARE_WORDS_H
#define VOX_PREPARE_WORDS_H

#include "vox_volume_info.h"

const char *vox_prepare_name(vox_prepare_kind kind); /* as descriptions call it */
int vox_prepare_values(vox_prepare_kind kind);       /* how many of value[] the step uses */

#endif
