/* SPDX-License-Identifier: MIT-0 */
/* backend.c: see backend.h. */
#include "backend.h"

#include <stdio.h>
#include <string.h>

#include "report.h"

static int always(void) {
    return 1;
}

static int open_cpu(vox_host *h, const vox_request *r) {
    const vox_model_info *m = h->model;
    return vox_host_open(h, m, r->weights, r->threads, r->selftest ? m->selftest_bytes : m->arena_bytes);
}

vox_backend vox_cpu_backend(const vox_model_info *model) {
    return (vox_backend){.name = "cpu", .model = model, .available = always, .open = open_cpu};
}

const vox_backend *vox_backend_of(const vox_context *c) {
    const char *wanted = c->settings->device;
    for (int i = 0; i < c->n_backends; i++) {
        const vox_backend *b = &c->backends[i];
        if (wanted != NULL ? strcmp(wanted, b->name) == 0 : b->available()) return b;
    }
    if (wanted == NULL) return &c->backends[0];
    vox_usage_error(c, "--device: '%s' is not in this program, which has %s%s%s", wanted, c->backends[0].name,
                    c->n_backends > 1 ? " and " : "", c->n_backends > 1 ? c->backends[1].name : "");
    return NULL;
}

int vox_backend_open(vox_host *h, const vox_context *c, const vox_request *r) {
    const vox_backend *b = vox_backend_of(c);
    vox_request request = *r;
    if (b == NULL) return VOX_EXIT_INPUT;
    request.settings = c->settings;
    *h = (vox_host){.model = b->model, .backend = b};
    int code = b->open(h, &request);
    if (code == 0 && c->n_backends > 1)
        fprintf(stderr, "%s: runs on %s\n", b->model->name, vox_host_where(h));
    return code;
}
