/* SPDX-License-Identifier: MIT-0 */
/* file_memory.h: memory that a file without a name stands behind, for what may be larger than the machine's. */
#ifndef VOX_FILE_MEMORY_H
#define VOX_FILE_MEMORY_H

#include <stddef.h>

/* Zeros, on the disk of `beside`, a file's name. Prints its error (a full disk: exit code 1) and returns the exit code;
 * *data is vox_file_memory_free's. */
int vox_file_memory(const char *beside, size_t bytes, void **data);
void vox_file_memory_free(void *data, size_t bytes);

#endif
