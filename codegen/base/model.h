/* model.h: a planned graph seen as the generated code will see it: layers in order, places of tensors, packed
 * weights. Filled by cg_model_new and by the slot functions, which register the weights they read.
 */
#ifndef VOXC_CG_MODEL_H
#define VOXC_CG_MODEL_H

#include "cg_text.h"
#include "chains.h"
#include "bundle_options.h"
#include "index.h"
#include "lifetime.h"
#include "pack.h"

enum { CG_ALIGN = 64 };

typedef enum cg_base { CG_ARENA, CG_INPUT, CG_OUTPUT, CG_PREPARED, CG_NOWHERE } cg_base;
typedef struct cg_place {
    cg_base base;
    int number;     /* of the input or output */
    int64_t offset; /* bytes */
} cg_place;

/* As the weight table has them. */
extern const char *const cg_pack_names[];

typedef struct cg_weight {
    cg_pack pack;
    int layer;                  /* the first that reads it */
    const ir_tensor *source[4]; /* NULL behind the last */
    int64_t oc, ic, kernel, group;
    double eps;
    int64_t prepared, packed; /* bytes: where, how many */
    int64_t tile[3];          /* Winograd: outputs per tile and axis */
} cg_weight;

typedef struct cg_layer {
    const ir_node *node;
    const char *name;
    const char *function; /* C identifier */
    const char *title;    /* "conv 3x3x3 + relu, direct" */
} cg_layer;

/* The twin of vox_step. */
typedef struct cg_step {
    int layer;
    int64_t begin, end;
    int phase;
} cg_step;

/* The tensors of the weight file, in the order of their first use. */
typedef struct cg_blob {
    const ir_tensor *tensor;
    int64_t offset;
} cg_blob;

typedef struct cg_model {
    ir_arena *arena;
    const ir_graph *g;
    const cg_options *options;
    const char *name, *upper; /* unet3d, UNET3D */
    int n_layers, n_steps, n_weights, n_blobs, cap_weights;
    cg_layer *layers;
    int *layers_before; /* per node: the layers in front of it; and their number */
    ir_buffers buffers; /* of the arena; lifetimes in nodes */
    cg_step *steps;
    cg_weight *weights;
    cg_blob *blobs;
    ir_index index; /* of the graph's tensors; the next two are per tensor, -1: none */
    int *blob_of, *buffer_of;
    cg_chains function_names, weights_by_source;
    uint64_t graph_hash; /* of the graph, and of the values of all that the weight file holds */
    int64_t arena_bytes, weights_bytes, prepared_bytes;
} cg_model;

enum { CG_MOST_PORTS = 240 /* inputs and outputs */ };
/* NULL with d filled where the model's name cannot be a prefix, or the graph has more inputs and outputs than
 * that. */
cg_model *cg_model_new(const ir_graph *g, const cg_options *options, ir_diag *d);
/* From now on `other` reads its constants from m's weight file, which grows by those that it lacks. Before
 * any table is written. */
void cg_share_weights(cg_model *m, cg_model *other);
/* Every constant of the weight file has its data. */
bool cg_has_data(const cg_model *m, ir_diag *d);

/* Where t lives. Constants have no place of their own: see cg_use_weight. */
cg_place cg_place_of(const cg_model *m, const ir_tensor *t);
/* Where `t`, packed so, lies in the prepared buffer; registered on first use. */
int64_t cg_use_weight(cg_model *m, int layer, const cg_weight *want);
int64_t cg_blob_offset(const cg_model *m, const ir_tensor *t); /* bytes into the weight file */
/* Called when every weight is registered: fixes prepared_bytes. */
void cg_place_weights_end(cg_model *m);

/* `source` in that packing. */
cg_weight cg_packed(const ir_tensor *source, const cg_packing *p);

/* Bytes into the arena of the node's scratch memory. */
int64_t cg_scratch_offset(const cg_model *m, const ir_node *n);

/* The layer that node number `node` is; -1: it needs no code. */
int cg_layer_of(const cg_model *m, int node);
/* The layers (numbers) that run in a span of nodes. */
ir_span cg_layers(const cg_model *m, ir_span nodes);
/* First and last layer (numbers) between which the bytes of t are in use; -1 outside the arena. */
void cg_lifetime(const cg_model *m, const ir_tensor *t, int *first, int *last);
const ir_tensor *cg_root(const ir_tensor *t);
int64_t cg_round(int64_t bytes); /* up to CG_ALIGN */
/* Bytes of all of t, also where a ring keeps some planes only. */
int64_t cg_whole_bytes(const ir_tensor *t);

const char *cg_upper(ir_arena *arena, const char *text);

#endif
