/* SPDX-License-Identifier: MIT-0 */
/* subjects.h: many volumes, one after another, through a network that is made ready once. */
#ifndef VOX_SUBJECTS_H
#define VOX_SUBJECTS_H

#include "subject_list.h"

/* The labels of CASE go to the folder r->labels as CASE with the ending. What is wrong with the list is said before
 * anything runs: a channel that is missing, two volumes of one name, labels that would replace a volume. A volume that
 * fails prints its error, and the others go on; a last line says how many there were of both. Returns 0 if all are
 * there, else the exit code of the first that failed.
 *
 * With r->resume volumes that an earlier run finished are passed over: the file segment.part in the folder, which goes
 * once all are finished, has a line "HASH NAME" for each; the hash is of the weights, the options, and the size and time
 * of the volume's files. */
int vox_subjects_segment(const vox_context *c, const vox_subject_request *r,
                         const vox_subjects_request *many);

#endif
