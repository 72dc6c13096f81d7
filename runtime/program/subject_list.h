/* SPDX-License-Identifier: MIT-0 */
/* subject_list.h: which files are the channels of which volume. */
#ifndef VOX_SUBJECT_LIST_H
#define VOX_SUBJECT_LIST_H

#include "subject.h"

typedef struct vox_subjects_request {
    vox_texts subjects; /* FILE or FILE,FILE,...: the channels of one */
    const char *folder; /* in nnU-Net's naming: CASE_0000.nii.gz is channel 0 of CASE; NULL: none */
    const char *ending; /* of the labels' names; NULL: the volume's own */
} vox_subjects_request;

typedef struct vox_subject_files {
    char *name;   /* CASE */
    char **files; /* of its channels */
    int n;
    char *labels; /* where they go */
    double bytes; /* of its files */
} vox_subject_files;

typedef struct vox_subject_list {
    vox_subject_files *subject;
    int n;
} vox_subject_list;

/* In the order of --subject, or of the names in the folder. Prints its error and returns the exit code; free it in any
 * case. */
int vox_subject_list_of(const vox_context *c, const vox_subject_request *r, const vox_subjects_request *many,
                        vox_subject_list *list);
void vox_subject_list_free(vox_subject_list *list);

#endif
