/* conv_list.h: the convolutions that models ask of cuDNN, without weights. */
#ifndef CONV_LIST_H
#define CONV_LIST_H

#include "ir.h"
#include "vox_cudnn.h"

enum { CONVS_MOST = 512, CONV_TYPES = 4 };

typedef struct conv_list {
    int n, n_first; /* n_first: those of the first model, which come first */
    struct {
        vox_conv3d conv; /* type: VOX_CUDA_F32 */
        unsigned types;  /* bit (1 << vox_cuda_type): some model asks for it so */
        char layer[80];  /* "unet3d e1b": who asks for it first */
    } at[CONVS_MOST];
} conv_list;

/* Adds the convolutions that a model is lowered to in each precision, of streamed layers those of each of its
 * steps, where they are not there yet. False with d filled. */
bool conv_list_add(conv_list *list, const char *model, ir_diag *d);

#endif
