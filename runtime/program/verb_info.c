/* SPDX-License-Identifier: MIT-0 */
/* verb_info.c: `N info [--json]`. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#include "backend.h"
#include "prepare.h"
#include "report.h"
#include "verbs.h"

static const char *isa(const vox_model_info *m) {
    const char *name = m->isa != NULL ? m->isa() : NULL;
    return name != NULL ? name : "none (see VOX_ISA)";
}

/* ---- for people ------------------------------------------------------------------------------ */

static void print_ports(const char *title, const vox_port *ports, int n) {
    for (int i = 0; i < n; i++) {
        printf("%-10s %s %s %s\n", title, ports[i].name, vox_dtype_name(ports[i].dtype),
               vox_shape(ports[i].rank, ports[i].dim).text);
    }
}

static void print_volume(const vox_volume_info *v) {
    printf("volume     network axes D H W run along the file's %c %c %c; %s; ", v->axes[0], v->axes[1],
           v->axes[2],
           v->mirror ? "tiles side by side, mirrored at the border" : "one tile holds the volume");
    if (v->threshold) {
        printf("label 1 where the output exceeds %g\n", v->level);
    } else {
        printf("label = best class\n");
    }
    for (int i = 0; i < v->n_steps; i++) {
        const vox_prepare_step *s = &v->steps[i];
        printf("  prepare  %s", vox_prepare_name(s->kind));
        for (int k = 0; k < vox_prepare_values(s->kind); k++) printf(" %g", s->value[k]);
        printf("\n");
    }
}

static void print_layer(const vox_layer_info *l) {
    printf("%-24s %-40s %-24s %10.2f %12.2f", l->name, l->op, vox_shape(l->rank, l->dim).text,
           (double)l->macs * 1e-6, (double)l->scratch / (1 << 20));
    if (l->stream) printf("  stream %d", l->stream);
    if (l->ring && l->place != VOX_NOWHERE) printf(", planes kept: %d of %d", l->ring, l->dim[2]);
    if (l->place == VOX_NOWHERE) printf("%s stays in registers", l->stream ? "," : " ");
    printf("\n");
}

/* "stream 1   e0a to p1: 120 steps, 4 planes of p1 at a time"; false: there is no such stream. */
static bool print_stream(const vox_model_info *m, int stream) {
    int first = -1, last = -1, n = 0, planes = 0;
    for (int i = 0; i < m->n_layers; i++) {
        if (m->layers[i].stream != stream) continue;
        if (first < 0) first = i;
        last = i;
    }
    for (int i = 0; i < m->n_steps; i++) {
        const vox_step *s = &m->steps[i];
        if (m->layers[s->layer].stream == stream) n++;
        if (s->layer == last && s->end - s->begin > planes) planes = s->end - s->begin;
    }
    if (first < 0) return false;
    printf("stream %-3d %s to %s: %d steps, %d plane%s of %s at a time\n", stream, m->layers[first].name,
           m->layers[last].name, n, planes, planes == 1 ? "" : "s", m->layers[last].name);
    return true;
}

static void print_steps(const vox_model_info *m) {
    printf("steps      %d, of %d layers\n", m->n_steps, m->n_layers);
    for (int stream = 1; print_stream(m, stream); stream++) continue;
}

static void print_text(const vox_model_info *m) {
    printf("name       %s\nvoxc       %s\ngraph      %s\noptions    %s\n", m->name, m->voxc_version,
           m->graph_hash, m->options != NULL ? m->options : "");
    print_ports("input", m->inputs, m->n_inputs);
    print_ports("output", m->outputs, m->n_outputs);
    for (int i = 0; i < m->n_labels; i++) printf("label %-4d %s\n", i, m->labels[i]);
    printf("parameters %" PRIu64 "\nwork       %.*f GMAC\n", m->parameters, m->macs < 100000000 ? 5 : 2,
           (double)m->macs * 1e-9);
    printf("memory     arena %zu, prepared weights %zu, weight file %zu bytes; alignment %zu\n",
           m->arena_bytes, m->prepared_bytes, m->weights_bytes, m->align);
    print_steps(m);
    printf("isa        %s\n", isa(m));
    if (m->volume != NULL) {
        print_volume(m->volume);
    } else {
        printf("volume     no volume section: segment is not available\n");
    }
    printf("\n%-24s %-40s %-24s %10s %12s\n", "layer", "op", "output", "MMAC", "scratch MiB");
    for (int i = 0; i < m->n_layers; i++) print_layer(&m->layers[i]);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void json_shape(int rank, const int *dim) {
    printf("[");
    for (int i = 0; i < rank; i++) printf(i == 0 ? "%d" : ", %d", dim[i]);
    printf("]");
}

static void json_text(const char *key, const char *value) {
    printf("  \"%s\": ", key);
    vox_json_string(stdout, value);
    printf(",\n");
}

static void json_ports(const char *key, const vox_port *ports, int n) {
    printf("  \"%s\": [", key);
    for (int i = 0; i < n; i++) {
        printf("%s\n    {\"name\": ", i == 0 ? "" : ",");
        vox_json_string(stdout, ports[i].name);
        printf(", \"dtype\": \"%s\", \"shape\": ", vox_dtype_name(ports[i].dtype));
        json_shape(ports[i].rank, ports[i].dim);
        printf("}");
    }
    printf("\n  ],\n");
}

static void json_volume(const vox_volume_info *v) {
    printf("  \"volume\": ");
    if (v == NULL) {
        printf("null,\n");
        return;
    }
    printf("{\"axes\": \"%s\", \"mirror\": %s, \"threshold\": ", v->axes, v->mirror ? "true" : "false");
    if (v->threshold) {
        printf("%.17g", v->level);
    } else {
        printf("null");
    }
    printf(", \"prepare\": [");
    for (int i = 0; i < v->n_steps; i++) {
        const vox_prepare_step *s = &v->steps[i];
        printf("%s{\"step\": \"%s\", \"values\": [", i == 0 ? "" : ", ", vox_prepare_name(s->kind));
        for (int k = 0; k < vox_prepare_values(s->kind); k++)
            printf(k == 0 ? "%.17g" : ", %.17g", s->value[k]);
        printf("]}");
    }
    printf("]},\n");
}

static void json_layers(const vox_model_info *m) {
    printf("  \"layers\": [");
    for (int i = 0; i < m->n_layers; i++) {
        const vox_layer_info *l = &m->layers[i];
        printf("%s\n    {\"name\": ", i == 0 ? "" : ",");
        vox_json_string(stdout, l->name);
        printf(", \"op\": ");
        vox_json_string(stdout, l->op);
        printf(", \"shape\": ");
        json_shape(l->rank, l->dim);
        printf(", \"macs\": %" PRIu64 ", \"scratch_bytes\": %zu, \"stream\": %d, \"ring\": %d}", l->macs,
               l->scratch, l->stream, l->ring);
    }
    printf("\n  ],\n");
}

static void json_steps(const vox_model_info *m) {
    printf("  \"steps\": [");
    for (int i = 0; i < m->n_steps; i++) {
        const vox_step *s = &m->steps[i];
        printf("%s\n    {\"layer\": %d, \"begin\": %d, \"end\": %d, \"phase\": %d}", i == 0 ? "" : ",",
               s->layer, s->begin, s->end, s->phase);
    }
    printf("\n  ]\n");
}

static void print_json(const vox_model_info *m) {
    printf("{\n");
    json_text("name", m->name);
    json_text("voxc_version", m->voxc_version);
    json_text("graph_hash", m->graph_hash);
    json_text("options", m->options);
    json_text("isa", isa(m));
    json_ports("inputs", m->inputs, m->n_inputs);
    json_ports("outputs", m->outputs, m->n_outputs);
    printf("  \"labels\": [");
    for (int i = 0; i < m->n_labels; i++) {
        if (i > 0) printf(", ");
        vox_json_string(stdout, m->labels[i]);
    }
    printf("],\n  \"parameters\": %" PRIu64 ",\n  \"macs\": %" PRIu64 ",\n", m->parameters, m->macs);
    printf(
        "  \"arena_bytes\": %zu,\n  \"prepared_bytes\": %zu,\n  \"weights_bytes\": %zu,\n  \"align\": %zu,\n",
        m->arena_bytes, m->prepared_bytes, m->weights_bytes, m->align);
    json_volume(m->volume);
    json_layers(m);
    json_steps(m);
    printf("}\n");
}

int vox_verb_info(const vox_context *c, int argc, char **argv) {
    int json = 0, operands = 0;
    const vox_option table[] = {
        {"--json", 0, VOX_OPTION_FLAG, &json, 0, 0, NULL, "as JSON"},
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    if (code >= 0) return code;
    if (operands != 0) return vox_usage_error(c, "takes no operand, not '%s'", argv[0]);
    const vox_backend *b = vox_backend_of(c);
    if (b == NULL) return VOX_EXIT_INPUT;
    if (json) {
        print_json(b->model);
    } else {
        print_text(b->model);
    }
    return VOX_EXIT_OK;
}
