/* conv_list.h: the convolutions that models ask of cuDNN, without weights. */
#ifndef CONV_LIST_H
#define CONV_LIST_H

#include "ir.h"
#include "vox_cudnn.h"

enum { CONVS_MOST = 512 };

typedef struct conv_list {
    int n, n_first; /* n_first: those of the first model */
    struct {
        vox_conv3d conv; /* type: VOX_CUDA_F32 */
        char layer[80];  /* "unet3d e1b": who asks for it first */
    } at[CONVS_MOST];
} conv_list;

/* Adds the convolutions of a model that are not there yet. A layer whose channels are no multiples of 8 is
 * there twice, as it is and padded; a transposed convolution as backward data and, where its stride is its
 * kernel, as the 1x1x1 convolution that computes the same. False with d filled. */
bool conv_list_add(conv_list *list, const char *model, ir_diag *d);

#endif
