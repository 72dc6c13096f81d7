/* nnunet.h: the volume section of a network that nnU-Net v2 trained, from its model folder.
 *
 * plans.json and dataset.json say all but the axes along which the predictor may mirror: those are in the
 * checkpoint. What is done is nnU-Net's DefaultPreprocessor, nnUNetPredictor (step 0.5, Gaussian) and
 * convert_predicted_logits_to_segmentation_with_correct_shape; a class, function or key that is not one of
 * those known here is an error. */
#ifndef VOXC_NNUNET_H
#define VOXC_NNUNET_H

#include "ir.h"

typedef struct nnunet_options {
    const char *configuration; /* such as 3d_fullres; NULL: the plans' only one for volumes */
    const char *mirror_axes;   /* the checkpoint's inference_allowed_mirroring_axes: "0,1,2"; "none" */
} nnunet_options;

/* Gives g its labels and its volume section. False after filling d: "file: key: what is wrong". */
bool nnunet_load_volume(ir_graph *g, const char *folder, const nnunet_options *o, ir_diag *d);

#endif
