/* SPDX-License-Identifier: MIT-0 */
/* file_memory.c: see file_memory.h. */
#include "file_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "report.h"

/* Without a name from the begin where the file system can do that. */
static int open_nameless(const char *beside) {
    char folder[PATH_MAX] = ".", name[PATH_MAX + 16];
    const char *slash = strrchr(beside, '/');
    if (slash != NULL) snprintf(folder, sizeof folder, "%.*s", (int)(slash - beside + 1), beside);
    int file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return file;
    snprintf(name, sizeof name, "%s/voxcXXXXXX", folder);
    file = mkstemp(name);
    if (file >= 0) unlink(name);
    return file;
}

int vox_file_memory(const char *beside, size_t bytes, void **data) {
    int file = open_nameless(beside);
    /* With its blocks: a disk that is full is then found here, not by a signal. */
    int error = file < 0 ? errno : posix_fallocate(file, 0, (off_t)bytes);
    *data = error == 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0) : MAP_FAILED;
    if (error == 0 && *data == MAP_FAILED) error = errno;
    if (file >= 0) close(file);
    if (error == 0) return 0;
    *data = NULL;
    return vox_fail(VOX_EXIT_FAILURE, "cannot keep %zu bytes of labels beside %s: %s", bytes, beside,
                    strerror(error));
}

void vox_file_memory_free(void *data, size_t bytes) {
    if (data != NULL) munmap(data, bytes);
}
