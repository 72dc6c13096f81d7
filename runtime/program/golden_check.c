/* SPDX-License-Identifier: MIT-0 */
#include "golden_check.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "npy_port.h"
#include "report.h"

/* Single precision through a deep network stays below 1e-5 of a value's root mean square; a wrong tap, weight
 * or edge is above 1e-3. */
static const double TOLERANCE = 1e-4;

typedef struct statistics {
    double count, mean, rms;
} statistics;

typedef struct golden {
    const vox_model_info *model;
    char *text; /* layers.txt */
    const char *bad;
    statistics expected, got; /* of the first bad layer */
} golden;

static double element_at(vox_dtype type, const void *data, size_t i) {
    switch (type) {
    case VOX_F32:
        return (double)((const float *)data)[i];
    case VOX_I64:
        return (double)((const int64_t *)data)[i];
    case VOX_I32:
        return (double)((const int32_t *)data)[i];
    default:
        return (double)((const uint8_t *)data)[i];
    }
}

/* Lanes above C of a blocked value do not count. */
static statistics measure_layer(const vox_layer_info *l, const void *data) {
    size_t voxels = 1, channels = l->rank > 1 ? (size_t)l->dim[1] : 1,
           batch = l->rank > 0 ? (size_t)l->dim[0] : 1;
    for (int i = 2; i < l->rank; i++) voxels *= (size_t)l->dim[i];
    const size_t lanes = l->block ? VOX_BLOCK : 1, blocks = (channels + lanes - 1) / lanes;
    statistics s = {.count = (double)(batch * channels * voxels)};
    for (size_t n = 0; n < batch; n++)
        for (size_t c = 0; c < channels; c++)
            for (size_t v = 0; v < voxels; v++) {
                double x =
                    element_at(l->dtype, data, ((n * blocks + c / lanes) * voxels + v) * lanes + c % lanes);
                s.mean += x;
                s.rms += x * x;
            }
    s.mean /= s.count;
    s.rms = sqrt(s.rms / s.count);
    return s;
}

static int find_statistics(const char *text, const char *name, statistics *s) {
    const size_t n = strlen(name);
    for (const char *line = text; line != NULL && *line; line = strchr(line, '\n'), line += line != NULL)
        if (strncmp(line, name, n) == 0 && line[n] == ' ')
            return sscanf(line + n, "%lf %lf %lf", &s->count, &s->mean, &s->rms) == 3;
    return 0;
}

static int differs(const statistics *a, const statistics *b) {
    const double limit = TOLERANCE * (b->rms > 0 ? b->rms : 1);
    return !(a->count == b->count && fabs(a->mean - b->mean) <= limit && fabs(a->rms - b->rms) <= limit);
}

static void on_layer(void *user, int index, const void *data) {
    golden *g = user;
    const vox_layer_info *l = &g->model->layers[index];
    if (g->bad != NULL) return;
    g->got = measure_layer(l, data);
    if (!find_statistics(g->text, l->name, &g->expected)) memset(&g->expected, 0, sizeof g->expected);
    if (differs(&g->got, &g->expected)) g->bad = l->name;
}

static char *read_goldens(const char *path) {
    FILE *f;
    do f = fopen(path, "rb");
    while (f == NULL && errno == EINTR);
    if (f == NULL) return NULL;
    enum { MOST = 1 << 22 };
    char *text = calloc(MOST, 1);
    size_t n = 0;
    do {
        clearerr(f);
        if (text != NULL) n += fread(text + n, 1, MOST - 1 - n, f);
    } while (ferror(f) && errno == EINTR);
    if (ferror(f)) {
        free(text);
        text = NULL;
    }
    int error = errno;
    fclose(f);
    errno = error;
    return text;
}

/* sqrt(sum (got - expected)^2 / sum expected^2), against 1 where expected is all but zero. */
static double output_error(const vox_port *port, const void *got, const void *expected) {
    double difference = 0, reference = 0, count = 1;
    for (int i = 0; i < port->rank; i++) count *= (double)port->dim[i];
    for (size_t i = 0; i < (size_t)count; i++) {
        double a = element_at(port->dtype, got, i), b = element_at(port->dtype, expected, i);
        difference += (a - b) * (a - b);
        reference += b * b;
    }
    return sqrt(difference / (reference > count * 1e-12 ? reference : count));
}

static int check_outputs(vox_host *h, const char *folder) {
    const vox_model_info *m = h->model;
    double worst = 0;
    for (int i = 0; i < m->n_outputs; i++) {
        char path[PATH_MAX];
        const size_t bytes = vox_array_bytes(m->outputs[i].dtype, m->outputs[i].rank, m->outputs[i].dim);
        void *expected = malloc(bytes > 0 ? bytes : 1);
        if (expected == NULL) return vox_fail_memory("a golden output", bytes);
        snprintf(path, sizeof path, "%s/output_%d.npy", folder, i);
        int code = vox_npy_read_port(path, &m->outputs[i], expected);
        if (code == 0) worst = fmax(worst, output_error(&m->outputs[i], h->outputs[i], expected));
        free(expected);
        if (code != 0) return code;
    }
    if (!(worst <= TOLERANCE))
        return vox_fail(VOX_EXIT_FAILURE, "golden: an output is %.3g off, more than %g", worst, TOLERANCE);
    printf("ok: golden run, outputs within %.3g\n", worst);
    return 0;
}

static int run(vox_host *h, golden *g, const char *folder) {
    const vox_model_info *m = h->model;
    char path[PATH_MAX];
    for (int i = 0; i < m->n_inputs; i++) {
        snprintf(path, sizeof path, "%s/input_%d.npy", folder, i);
        int code = vox_npy_read_port(path, &m->inputs[i], h->inputs[i]);
        if (code != 0) return code;
    }
    h->executor.layer = on_layer;
    h->executor.user = g;
    int code = vox_host_run(h);
    if (code != 0) return code;
    if (g->bad != NULL)
        return vox_fail(VOX_EXIT_FAILURE,
                        "golden: the first diverging layer is %s: mean %.6g, rms %.6g instead of %.6g, %.6g",
                        g->bad, g->got.mean, g->got.rms, g->expected.mean, g->expected.rms);
    return check_outputs(h, folder);
}

int vox_golden_check(vox_host *h, const char *folder) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/layers.txt", folder) >= (int)sizeof path)
        return vox_fail(VOX_EXIT_INPUT, "--golden: the folder's name is too long");
    golden g = {.model = h->model, .text = read_goldens(path)};
    if (g.text == NULL)
        return vox_fail(VOX_EXIT_INPUT, "%s: cannot read: %s (voxc compile --golden writes it)", path,
                        strerror(errno));
    int code = run(h, &g, folder);
    free(g.text);
    return code;
}
