/* SPDX-License-Identifier: MIT-0 */
/* nifti_write.c: see nifti.h. libnifti2 does not report failing writes, so the bytes are written here. */
#ifdef VOX_WITH_NIFTI
#include "nifti.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <nifti2_io.h>
#include <zlib.h>

#include "file_names.h"
#include "report.h"

int vox_nifti_create(vox_nifti_writer *w, const char *path) {
    bool gz = vox_name_ends(path, ".nii.gz"), plain = vox_name_ends(path, ".nii");
    *w = (vox_nifti_writer){.gz = NULL};
    if (!gz && !plain && strncmp(path, "/dev/", 5) != 0) {
        return vox_fail(VOX_EXIT_INPUT, "cannot write %s: the name must end in .nii or .nii.gz", path);
    }
    int code = vox_output_open(&w->output, path);
    if (code != 0 || !gz) return code;
    int fd = dup(fileno(w->output.file));
    w->gz = fd >= 0 ? gzdopen(fd, "wb6") : NULL;
    if (w->gz != NULL) return 0;
    if (fd >= 0) close(fd);
    code = vox_fail_memory(path, 0); /* zlib's own */
    vox_output_abort(&w->output);
    return code;
}

void vox_nifti_abort(vox_nifti_writer *w) {
    if (w->gz != NULL) gzclose(w->gz);
    w->gz = NULL;
    vox_output_abort(&w->output);
}

static int failed(vox_nifti_writer *w) {
    int code = vox_output_error(&w->output);
    vox_nifti_abort(w);
    return code;
}

int vox_nifti_put(vox_nifti_writer *w, const void *data, size_t bytes) {
    const char *p = data;
    while (bytes > 0) {
        size_t n = bytes < 1u << 20 ? bytes : 1u << 20;
        errno = 0;
        bool ok =
            w->gz != NULL ? gzwrite(w->gz, p, (unsigned)n) == (int)n : fwrite(p, 1, n, w->output.file) == n;
        if (!ok) return failed(w);
        p += n;
        bytes -= n;
    }
    return 0;
}

int vox_nifti_commit(vox_nifti_writer *w) {
    errno = 0;
    int closed = w->gz != NULL ? gzclose(w->gz) : Z_OK;
    w->gz = NULL;
    if (closed != Z_OK) return failed(w);
    return vox_output_commit(&w->output);
}

/* ---- headers: the input's, with what describes the voxels replaced --------------------------- */

int vox_nifti_header(vox_nifti_writer *w, const vox_geometry *g, vox_nifti_type type, int channels,
                     const char *description) {
    static const vox_nifti_voxels types[] = {
        [VOX_NIFTI_U8] = {.type = DT_UINT8, .bytes = 1, .intent = NIFTI_INTENT_LABEL, .slope = 1},
        [VOX_NIFTI_U16] = {.type = DT_UINT16, .bytes = 2, .intent = NIFTI_INTENT_LABEL, .slope = 1},
        [VOX_NIFTI_F32] = {.type = DT_FLOAT32, .bytes = 4, .intent = NIFTI_INTENT_NONE, .slope = 1},
    };
    static const char no_extension[4] = {0};
    vox_nifti_voxels v = types[type];
    v.channels = channels;
    v.description = description;
    if (g->version == 1 && channels > INT16_MAX) {
        int code = vox_fail(VOX_EXIT_UNSUPPORTED, "%s: NIfTI-1 holds at most %d channels, not %d",
                            w->output.path, INT16_MAX, channels);
        vox_nifti_abort(w);
        return code;
    }
    unsigned char raw[VOX_NIFTI_HEADER];
    memcpy(raw, g->raw, sizeof raw);
    vox_nifti_patch(raw, g->version, &v);
    int code = vox_nifti_put(w, raw, g->version == 1 ? sizeof(nifti_1_header) : sizeof(nifti_2_header));
    return code != 0 ? code : vox_nifti_put(w, no_extension, sizeof no_extension);
}
#endif
