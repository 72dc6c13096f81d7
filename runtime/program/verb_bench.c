/* SPDX-License-Identifier: MIT-0 */
/* verb_bench.c: `N bench`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "backend.h"
#include "output.h"
#include "profile.h"
#include "json_write.h"
#include "report.h"
#include "results.h"
#include "program_verbs.h"

typedef struct bench {
    int threads, iterations, warmup, json, layers;
    double percentile;
    double *run_seconds;   /* [iterations], sorted in the end */
    double *layer_seconds; /* [n_layers], sum over iterations */
    double device_seconds; /* the shortest run on another device alone, without copies; 0: none */
    double mark;           /* when the last step ended */
    const char *profile;   /* NULL: none */
    const char *weights;   /* NULL: beside the program */
    const vox_model_info *model;
} bench;

static void on_step(void *user, int done, int total) {
    bench *b = user;
    (void)total;
    double now = vox_seconds();
    b->layer_seconds[b->model->steps[done - 1].layer] += now - b->mark;
    b->mark = now;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Linear between the neighbours, as numpy's default. */
static double percentile(const double *sorted, int n, double p) {
    double at = p / 100 * (n - 1);
    int i = (int)floor(at);
    if (i + 1 >= n) return sorted[n - 1];
    return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

static int time_runs(bench *b, vox_host *h) {
    const vox_model_info *m = b->model = h->model;
    for (int i = 0; i < m->n_inputs; i++) vox_fill_random(&m->inputs[i], h->inputs[i], 1 + (uint64_t)i);
    const int here = h->backend == NULL || h->backend->time_layers == NULL;
    for (int i = -b->warmup; i < b->iterations; i++) {
        if (i == 0 && b->layers && here) {
            h->executor.progress = on_step;
            h->executor.user = b;
        }
        double start = b->mark = vox_seconds();
        int code = vox_host_run(h);
        if (code != 0) return code;
        if (i >= 0) b->run_seconds[i] = vox_seconds() - start;
    }
    h->executor.progress = NULL;
    for (int i = 0; i < b->iterations && !here; i++) {
        double seconds = 0;
        int code = h->backend->time_run(h, &seconds);
        if (code == 0 && b->layers) code = h->backend->time_layers(h, b->layer_seconds);
        if (code != 0) return code;
        if (i == 0 || seconds < b->device_seconds) b->device_seconds = seconds;
    }
    qsort(b->run_seconds, (size_t)b->iterations, sizeof *b->run_seconds, by_value);
    return 0;
}

/* One more run, whose steps are written as a trace. */
static int profile(const bench *b, vox_host *h) {
    vox_output o;
    if (h->backend != NULL && h->backend->submit != NULL)
        return vox_fail(VOX_EXIT_UNSUPPORTED, "--profile: on the CPU only; --layers times layers on a GPU");
    int code = vox_output_open(&o, b->profile);
    if (code != 0) return code;
    vox_profile *p = vox_profile_start(h, b->threads);
    code = p != NULL ? vox_host_run(h) : VOX_EXIT_FAILURE;
    if (code == 0) vox_profile_write(p, o.file);
    vox_profile_end(p);
    if (code == 0) return vox_output_commit(&o);
    vox_output_abort(&o);
    return code;
}

static double peak_mib(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024; /* Linux counts in KiB */
}

static double rate(double macs, double seconds) {
    return seconds > 0 ? macs * 1e-9 / seconds : 0;
}

static int steps_of(const vox_model_info *m, int layer) {
    int n = 0;
    for (int i = 0; i < m->n_steps; i++) n += m->steps[i].layer == layer;
    return n;
}

static void print_text(const bench *b, const vox_host *h) {
    const vox_model_info *m = h->model;
    const double *t = b->run_seconds;
    double median = percentile(t, b->iterations, 50);
    printf("%s: %d iterations, ", m->name, b->iterations);
    if (b->device_seconds == 0) printf("%d threads, ", b->threads);
    printf("%s\n", vox_host_where(h));
    printf("min %.3f ms, median %.3f ms, %gth percentile %.3f ms\n", t[0] * 1e3, median * 1e3, b->percentile,
           percentile(t, b->iterations, b->percentile) * 1e3);
    if (b->device_seconds > 0)
        printf("without copies: min %.3f ms, %.2f GMAC/s\n", b->device_seconds * 1e3,
               rate((double)m->macs, b->device_seconds));
    printf("%.*f GMAC, %.2f GMAC/s, peak memory %.1f MiB\n", m->macs < 100000000 ? 5 : 2,
           (double)m->macs * 1e-9, rate((double)m->macs, median), peak_mib());
    if (!b->layers) return;
    printf("\n%-24s %-40s %6s %10s %10s %8s\n", "layer", "op", "steps", "ms", "GMAC/s", "share %");
    double total = 0;
    for (int i = 0; i < m->n_layers; i++) total += b->layer_seconds[i];
    for (int i = 0; i < m->n_layers; i++) {
        double s = b->layer_seconds[i] / b->iterations;
        printf("%-24s %-40s %6d %10.3f %10.2f %8.1f\n", m->layers[i].name, m->layers[i].op, steps_of(m, i),
               s * 1e3, rate((double)m->layers[i].macs, s),
               total > 0 ? 100 * b->layer_seconds[i] / total : 0);
    }
}

static void print_json(const bench *b, const vox_host *h) {
    const vox_model_info *m = h->model;
    const double *t = b->run_seconds, median = percentile(t, b->iterations, 50);
    vox_json json = vox_json_file(stdout), *j = &json;
    vox_json_begin(j, NULL, "{");
    vox_json_members(j,
                     "name=%s isa=%s threads=%d iterations=%d min_ms=%.6f median_ms=%.6f percentile=%.6g "
                     "percentile_ms=%.6f gmac=%.6f gmac_per_second=%.3f peak_mib=%.3f",
                     m->name, vox_host_where(h), b->threads, b->iterations, t[0] * 1e3, median * 1e3,
                     b->percentile, percentile(t, b->iterations, b->percentile) * 1e3, (double)m->macs * 1e-9,
                     rate((double)m->macs, median), peak_mib());
    if (b->device_seconds > 0) vox_json_format(j, "device_min_ms", "%.6f", b->device_seconds * 1e3);
    if (b->layers) vox_json_begin(j, "layers", "[\n");
    for (int i = 0; b->layers && i < m->n_layers; i++) {
        vox_json_object(j, NULL, "name=%s op=%s steps=%d ms=%.6f", m->layers[i].name, m->layers[i].op,
                        steps_of(m, i), b->layer_seconds[i] / b->iterations * 1e3);
    }
    if (b->layers) vox_json_end(j);
    vox_json_end(j);
}

static int run(bench *b, const vox_context *c) {
    vox_host h;
    int code = vox_results_check(c->model, b->weights, &b->profile, 1, NULL, 0);
    if (code == 0)
        code = vox_backend_open(&h, c, &(vox_request){.weights = b->weights, .threads = b->threads});
    if (code != 0) return code;
    code = time_runs(b, &h);
    if (code == 0 && b->profile != NULL) code = profile(b, &h);
    if (code == 0 && b->json) print_json(b, &h);
    if (code == 0 && !b->json) print_text(b, &h);
    if (code == 0 && !b->json && b->layers && h.backend != NULL && h.backend->print_plans != NULL)
        code = h.backend->print_plans(&h);
    vox_host_close(&h);
    return code;
}

/* The backends' layers differ. */
static size_t most_layers(const vox_context *c) {
    int most = 0;
    for (int i = 0; i < c->n_backends; i++)
        if (c->backends[i].model->n_layers > most) most = c->backends[i].model->n_layers;
    return (size_t)most;
}

int vox_verb_bench(const vox_context *c, int argc, char **argv) {
    bench b = {.iterations = 5, .warmup = 1, .percentile = 90};
    int operands = 0;
    const vox_option table[] = {
        {"--threads", 't', VOX_OPTION_INT, &b.threads, 0, VOX_MAX_THREADS, "N",
         "threads (default 0: one per processor)"},
        {"--iterations", 'n', VOX_OPTION_INT, &b.iterations, 1, 1000000, "N", "timed runs (default 5)"},
        {"--warmup", 0, VOX_OPTION_INT, &b.warmup, 0, 1000000, "N", "runs before them (default 1)"},
        {"--percentile", 0, VOX_OPTION_REAL, &b.percentile, 0, 100, "P",
         "also report this percentile (default 90)"},
        {"--layers", 0, VOX_OPTION_FLAG, &b.layers, 0, 0, NULL,
         "time every layer: the sum of its steps (mean over the timed runs)"},
        {"--profile", 0, VOX_OPTION_TEXT, &b.profile, 0, 0, "FILE",
         "run once more and write which thread did what when: a Chrome trace, for Perfetto"},
        {"--json", 0, VOX_OPTION_FLAG, &b.json, 0, 0, NULL, "as JSON"},
        {"--weights", 0, VOX_OPTION_TEXT, &b.weights, 0, 0, "FILE",
         "weight file (default: beside the program)"},
        VOX_ISA_OPTION,
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    if (code >= 0) return code;
    if (operands != 0) return vox_usage_error(c, "takes no operand, not '%s'", argv[0]);
    if (b.threads == 0) b.threads = vox_cpu_count();
    b.run_seconds = calloc((size_t)b.iterations, sizeof *b.run_seconds);
    b.layer_seconds = calloc(most_layers(c) + 1, sizeof *b.layer_seconds);
    if (b.run_seconds == NULL || b.layer_seconds == NULL) {
        code = vox_fail_memory("timings", (size_t)b.iterations * sizeof *b.run_seconds);
    } else {
        code = run(&b, c);
    }
    free(b.run_seconds);
    free(b.layer_seconds);
    return code;
}
