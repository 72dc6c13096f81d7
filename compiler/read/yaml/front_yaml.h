/* front_yaml.h: reads a network description. The language's specification is models/README.md.
 *
 * The graph's constants have no data: weights_read (safetensors.h) or init_weights (init.h) supply it.
 */
#ifndef VOXC_FRONT_YAML_H
#define VOXC_FRONT_YAML_H

#include "ir.h"

typedef struct yaml_options {
    /* "NAME=V" each, another size for one axis of an input: "D=64" (one of N C D H W; of the only input), or
     * with the input's name "image.D=64" or "image.2=64". */
    int n_dims;
    const char *const *dims;
    const char *statistics; /* "running" or "current" in the place of the file's; NULL: the file's */
} yaml_options;

/* NULL after filling d: "file:line:col: what is wrong", then the source line and a caret under the place. opt
 * may be NULL. The caller frees the graph with ir_graph_free. */
ir_graph *yaml_load(const char *path, const yaml_options *opt, ir_diag *d);
/* The same for text already in memory; name stands for the file in messages. */
ir_graph *yaml_parse(const char *text, size_t n, const char *name, const yaml_options *opt, ir_diag *d);

/* Gives g the labels and the volume section of a description, whose other sections are not looked at. */
bool yaml_load_volume(ir_graph *g, const char *path, ir_diag *d);

/* The language's layer kinds, their keys and the volume section's, so that a test can compare them with the specification. NULL
 * after the last. */
const char *yaml_layer_kind(int i);
const char *yaml_layer_key(int kind, int i);
const char *yaml_volume_key(int i); /* of the volume section */

#endif
