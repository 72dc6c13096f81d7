/* SPDX-License-Identifier: MIT-0 */
/* channels.c: see channels.h. */
#ifdef VOX_WITH_NIFTI
#include "channels.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Appends b's channels to a. Takes b's data. */
static int append_channels(vox_volume *a, vox_volume *b, const char *first, const char *name) {
    if (a->data == NULL) {
        *a = *b;
        return 0;
    }
    int code = 0;
    size_t n = vox_volume_voxels(a);
    if (memcmp(a->dim, b->dim, sizeof a->dim) != 0) {
        code = vox_fail(VOX_EXIT_INPUT, "%s is %s voxels, but %s is %s: all channels must lie on one grid",
                        name, vox_shape(3, b->dim).text, first, vox_shape(3, a->dim).text);
    } else {
        float *data = realloc(a->data, n * sizeof *data * (size_t)(a->channels + b->channels));
        if (data == NULL) {
            code = vox_fail_memory(name, n * sizeof *data * (size_t)(a->channels + b->channels));
        } else {
            memcpy(data + n * (size_t)a->channels, b->data, n * sizeof *data * (size_t)b->channels);
            a->data = data;
            a->channels += b->channels;
        }
    }
    free(b->data);
    return code;
}

static int read_file(const char *first, const char *file, vox_volume *all, vox_geometry *geometry) {
    vox_volume v;
    vox_geometry g;
    size_t bad = 0;
    int code = vox_nifti_read(file, &v, &g, &bad);
    if (code != 0) return code;
    vox_nifti_warn_lost(file, &v);
    if (all->data == NULL) {
        *geometry = g;
    } else if (memcmp(all->dim, v.dim, sizeof v.dim) == 0) {
        code = vox_nifti_same_grid(file, &g, first, geometry);
    }
    if (code == 0) return append_channels(all, &v, first, file);
    free(v.data);
    return code;
}

/* How many channels the files have and how many were needed. */
static int wrong_channels(const vox_model_info *m, const char *file, int files, const vox_volume *v,
                          const vox_geometry *g) {
    int want = m->inputs->dim[1], have = v->channels;
    const char *repeat = have == 1 ? ", or --repeat-channel" : "";
    char holds[64];
    if (files > 1) {
        return vox_fail(VOX_EXIT_INPUT, "%d files hold %d channels in all; %s takes %d (%s)", files, have,
                        m->name, want, vox_shape(5, m->inputs->dim).text);
    }
    if (g->volumes > 1) {
        snprintf(holds, sizeof holds, "%d volumes (a series?)", g->volumes);
    } else {
        snprintf(holds, sizeof holds, have == 1 ? "%d channel" : "%d channels (colours)", have);
    }
    if (want == 1) return vox_fail(VOX_EXIT_INPUT, "%s holds %s; this network takes 1", file, holds);
    return vox_fail(VOX_EXIT_INPUT,
                    "%s holds %s; this network takes %d (%s): give a 4-D file of %d volumes or %d files%s",
                    file, holds, want, vox_shape(5, m->inputs->dim).text, want, want, repeat);
}

static int repeat_channel(vox_volume *v, int want) {
    size_t n = vox_volume_voxels(v);
    float *data = realloc(v->data, n * sizeof *data * (size_t)want);
    if (data == NULL) return vox_fail_memory("the repeated channel", n * sizeof *data * (size_t)want);
    for (int c = 1; c < want; c++) memcpy(data + n * (size_t)c, data, n * sizeof *data);
    v->data = data;
    v->channels = want;
    return 0;
}

int vox_channels_read(const vox_model_info *m, bool repeat, char **files, int n, vox_volume *v,
                      vox_geometry *g) {
    const int want = m->inputs->dim[1];
    *v = (vox_volume){.channels = 0};
    for (int i = 0; i < n; i++) {
        int code = read_file(files[0], files[i], v, g);
        if (code != 0) return code;
    }
    if (v->channels == want) return 0;
    if (v->channels == 1 && repeat) return repeat_channel(v, want);
    return wrong_channels(m, files[0], n, v, g);
}
#endif
