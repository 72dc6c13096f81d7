/* verify_gpu.h: what a sound plan says about nodes on a GPU. */
#ifndef VOXC_VERIFY_GPU_H
#define VOXC_VERIFY_GPU_H

#include "verify.h"

/* What runs each node there; relies on sound streams. */
bool verify_gpu(verifier *v);

#endif
