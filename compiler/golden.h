/* golden.h: what a bundle should compute, from the interpreter.
 *
 * golden/input_N.npy: seeded random inputs. golden/output_N.npy: what the double-precision interpreter makes
 * of them, rounded to the output's type. golden/layers.txt: a line per value, "NAME COUNT MEAN RMS", for `N
 * selftest --golden`.
 */
#ifndef VOXC_GOLDEN_H
#define VOXC_GOLDEN_H

#include "files.h"

/* Interprets g, a planned graph, and writes the files into out. */
bool golden_write(const ir_graph *g, file_dir *out, int threads, ir_diag *d);

#endif
