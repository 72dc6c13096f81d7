/* SPDX-License-Identifier: MIT-0 */
/* verb_run.c: `N run in.npy... out.npy...`, and what every layer computed with --dump. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backend.h"
#include "npy_port.h"
#include "output.h"
#include "report.h"
#include "results.h"
#include "program_verbs.h"

typedef struct dump {
    const vox_model_info *model;
    const char *folder;
    int code; /* of the first failure; the run is cancelled then */
} dump;

/* N, ceil(C/16), voxels, 16 -> N, C, voxels; x holds f32 or other elements of `element` bytes. */
static void unblock(const vox_layer_info *l, const char *x, char *y, size_t element) {
    size_t n = (size_t)l->dim[0], channels = (size_t)l->dim[1], voxels = 1;
    size_t blocks = (channels + VOX_BLOCK - 1) / VOX_BLOCK;
    for (int i = 2; i < l->rank; i++) voxels *= (size_t)l->dim[i];
    for (size_t b = 0; b < n; b++) {
        for (size_t c = 0; c < channels; c++) {
            const char *from =
                x + ((b * blocks + c / VOX_BLOCK) * voxels * VOX_BLOCK + c % VOX_BLOCK) * element;
            for (size_t v = 0; v < voxels; v++, y += element)
                memcpy(y, from + v * VOX_BLOCK * element, element);
        }
    }
}

static int name_dump(const dump *d, const vox_layer_info *l, char path[PATH_MAX]) {
    if (snprintf(path, PATH_MAX, "%s/%s.npy", d->folder, l->name) < PATH_MAX) return 0;
    return vox_fail(VOX_EXIT_INPUT, "--dump: the path of layer %s is too long", l->name);
}

static int dump_layer(const dump *d, int index, const void *data) {
    const vox_layer_info *l = &d->model->layers[index];
    char path[PATH_MAX];
    int code = name_dump(d, l, path);
    if (code != 0) return code;
    if (l->block == 0) return vox_npy_write_array(path, l->dtype, l->rank, l->dim, data);
    size_t bytes = vox_array_bytes(l->dtype, l->rank, l->dim);
    char *plain = malloc(bytes > 0 ? bytes : 1);
    if (plain == NULL) return vox_fail_memory("a layer to dump", bytes);
    unblock(l, data, plain, vox_dtype_bytes(l->dtype));
    code = vox_npy_write_array(path, l->dtype, l->rank, l->dim, plain);
    free(plain);
    return code;
}

static void on_layer(void *user, int index, const void *data) {
    dump *d = user;
    if (d->code == 0) d->code = dump_layer(d, index, data);
}

static int cancelled(void *user) {
    return ((const dump *)user)->code != 0;
}

/* The folder, and that no layer is called as a file of the run is. */
static int start_dump(const dump *d, char **files) {
    const vox_model_info *m = d->model;
    if (mkdir(d->folder, 0777) != 0 && errno != EEXIST) {
        return vox_fail(VOX_EXIT_INPUT, "cannot make the folder %s: %s", d->folder, strerror(errno));
    }
    int code = 0;
    for (int i = 0; i < m->n_layers && code == 0; i++) {
        char path[PATH_MAX];
        code = name_dump(d, &m->layers[i], path);
        const char *const result = path;
        if (code == 0) code = vox_output_check(&result, 1, files, m->n_inputs + m->n_outputs);
    }
    return code;
}

static int run(vox_host *h, char **files, const char *folder) {
    const vox_model_info *m = h->model;
    dump d = {.model = m, .folder = folder};
    int code = 0;
    for (int i = 0; i < m->n_inputs && code == 0; i++)
        code = vox_npy_read_port(files[i], &m->inputs[i], h->inputs[i]);
    if (code != 0) return code;
    if (folder != NULL) {
        if (h->backend != NULL && h->backend->submit != NULL)
            return vox_fail(VOX_EXIT_UNSUPPORTED, "--dump: layers can be dumped on the CPU only");
        code = start_dump(&d, files);
        if (code != 0) return code;
        h->executor.layer = on_layer;
        h->executor.cancelled = cancelled;
        h->executor.user = &d;
    }
    code = vox_host_run(h);
    if (d.code != 0) return d.code;
    for (int i = 0; i < m->n_outputs && code == 0; i++) {
        const vox_port *p = &m->outputs[i];
        code = vox_npy_write_array(files[m->n_inputs + i], p->dtype, p->rank, p->dim, h->outputs[i]);
    }
    return code;
}

int vox_verb_run(const vox_context *c, int argc, char **argv) {
    int threads = 0, operands = 0;
    const char *weights = NULL, *folder = NULL;
    const vox_option table[] = {
        {"--threads", 't', VOX_OPTION_INT, &threads, 0, VOX_MAX_THREADS, "N",
         "threads (default 0: one per processor)"},
        {"--weights", 0, VOX_OPTION_TEXT, &weights, 0, 0, "FILE",
         "weight file (default: beside the program)"},
        VOX_ISA_OPTION,
        {"--dump", 0, VOX_OPTION_TEXT, &folder, 0, 0, "DIR",
         "also write every layer's output as DIR/<layer>.npy; streamed ones, of which only some planes exist "
         "at a time, are left out (voxc compile --no-stream)"},
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    if (code >= 0) return code;
    const vox_model_info *m = c->model;
    if (operands != m->n_inputs + m->n_outputs) {
        return vox_usage_error(c, "wants %d input and %d output file%s, not %d in all", m->n_inputs,
                               m->n_outputs, m->n_outputs == 1 ? "" : "s", operands);
    }
    code = vox_results_check(m, weights, (const char *const *)argv + m->n_inputs, m->n_outputs, argv,
                             m->n_inputs);
    if (code != 0) return code;
    vox_host h;
    code = vox_backend_open(&h, c, &(vox_request){.weights = weights, .threads = threads});
    if (code != 0) return code;
    code = run(&h, argv, folder);
    vox_host_close(&h);
    return code;
}
