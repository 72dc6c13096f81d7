/* verify_conv.h: what a sound plan says about convolutions. */
#ifndef VOXC_VERIFY_CONV_H
#define VOXC_VERIFY_CONV_H

#include "verify.h"

/* Each is computed in a way that can compute it; relies on sound layouts. */
bool verify_convs(verifier *v);

#endif
