/* safetensors.h: weight files: an 8-byte little-endian length, a JSON header, the tensors' bytes
 * (github.com/huggingface/safetensors). Names and shapes are those of the graph's constants. */
#ifndef VOXC_SAFETENSORS_H
#define VOXC_SAFETENSORS_H

#include "ir.h"

/* Gives each constant of g that has no data the file's tensor of the same name, as f32 (F64, F32, F16 and
 * BF16 are read). Every such constant must be there with the same shape (axes of size 1 at the end may be
 * missing), every number must be finite, and nothing may be left over but the running statistics of a norm
 * layer of g and num_batches_tracked. */
bool weights_read(ir_graph *g, const char *path, ir_diag *d);
/* The same for a file already in memory; name stands for it in messages. */
bool weights_parse(ir_graph *g, const char *bytes, size_t n, const char *name, ir_diag *d);

#endif
