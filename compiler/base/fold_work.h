/* fold_work.h: what computing a node at compile time costs. */
#ifndef VOXC_FOLD_WORK_H
#define VOXC_FOLD_WORK_H

#include "ir.h"

/* Elements that are read, written and gone through, about; a second is some 10^9 of them. */
int64_t fold_work(const ir_node *n);

/* For all nodes of a model together. Fuzzing has less time. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
static const int64_t FOLD_MOST_WORK = (int64_t)1 << 16;
#else
static const int64_t FOLD_MOST_WORK = (int64_t)1 << 30;
#endif

#endif
