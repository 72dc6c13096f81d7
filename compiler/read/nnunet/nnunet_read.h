/* nnunet_read.h: what the files of this room share. */
#ifndef VOXC_NNUNET_READ_H
#define VOXC_NNUNET_READ_H

#include "json_node.h"
#include "nnunet.h"

enum { NNUNET_MAX_CHAIN = 16 };

typedef struct nnunet_reader {
    ir_graph *g;
    const nnunet_options *o;
    ir_diag *d;
    json_file plans_file, dataset_file;
    json_node plans, dataset;
    json_node chain[NNUNET_MAX_CHAIN]; /* the configuration, what it inherits from, ... */
    int n_chain;
} nnunet_reader;

/* The configuration's value of a key, its own or inherited. */
json_node nnunet_setting(const nnunet_reader *r, const char *key);

/* nnunet_steps.c: normalisation and resampling. */
bool nnunet_read_steps(nnunet_reader *r);
/* nnunet_labels.c: names of labels, regions. */
bool nnunet_read_labels(nnunet_reader *r);

#endif
