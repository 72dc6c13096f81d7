/* load.h: from the command line to an imported graph with weights. */
#ifndef VOXC_LOAD_H
#define VOXC_LOAD_H

#include "options.h"

/* What a model may lack. */
typedef enum load_need {
    LOAD_SHAPES,  /* weights may be absent (inspect): missing ones become seeded values nobody sees */
    LOAD_WEIGHTS, /* every constant must have its data */
} load_need;

/* Reads o->model by its extension (.yaml .yml .onnx .ir), applies --weights, --init, --input-dim, --volume,
 * --statistics and --model-name. NULL with d filled on failure. */
ir_graph *load_model(const options *o, load_need need, ir_diag *d);

#endif
