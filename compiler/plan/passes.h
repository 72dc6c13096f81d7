/* passes.h: every pass. Each rewrites g in place; false with d filled only where bad input can show that
 * late. The contract of a pass (requires / maintains / gives) stands above its definition; the order in
 * pipeline.c. */
#ifndef VOXC_PASSES_H
#define VOXC_PASSES_H

#include "conv_passes.h"
#include "cpu_passes.h"
#include "gpu_passes.h"
#include "graph_passes.h"
#include "memory_passes.h"

#endif
