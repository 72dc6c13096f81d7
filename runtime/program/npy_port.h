/* SPDX-License-Identifier: MIT-0 */
/* npy_port.h: numpy's .npy files (npy.h) as a network's inputs and outputs. */
#ifndef VOX_NPY_PORT_H
#define VOX_NPY_PORT_H

#include <stdio.h>

#include "npy.h"
#include "vox.h"

/* Bytes of rank/dim/type, or SIZE_MAX if a dimension is negative or the product overflows. */
size_t vox_array_bytes(vox_dtype type, int rank, const int *dim);

/* Reads the header of a file at its start; the data begin where it leaves f. Prints the error and returns the
 * exit code. */
int vox_npy_read_header(const char *path, FILE *f, vox_npy *h);

/* Fills `data` (vox_array_bytes of the port) from a file whose type and shape must be the port's; either byte
 * order and Fortran order are converted. Prints the error, both shapes named, and returns the exit code (0:
 * ok). */
int vox_npy_read_port(const char *path, const vox_port *port, void *data);

/* Writes a C-order array, whole or not at all. */
int vox_npy_write_array(const char *path, vox_dtype type, int rank, const int *dim, const void *data);

#endif
