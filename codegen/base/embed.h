/* embed.h: files of this tree that voxc carries inside itself (templates, runtime sources, licence). */
#ifndef VOXC_EMBED_H
#define VOXC_EMBED_H
#include <stddef.h>

typedef struct embedded_file {
    const char *path; /* relative to the project's root; NULL ends the list */
    const char *text; /* NUL-terminated */
    size_t size;      /* without the NUL */
} embedded_file;
extern const embedded_file embedded_files[];

#endif
