/* SPDX-License-Identifier: MIT-0 */
/* verb_info.c: `N info [--json]`. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "backend.h"
#include "image.h"
#include "json_write.h"
#include "prepare_words.h"
#include "report.h"
#include "program_verbs.h"

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

static const char *border_word(const vox_volume_info *v) {
    static const char *const words[] = {
        [VOX_BORDER_NONE] = "none", [VOX_BORDER_MIRROR] = "mirror", [VOX_BORDER_ZERO] = "zero"};
    return words[v->border];
}

static void print_tiling(const vox_volume_info *v) {
    if (v->border == VOX_BORDER_NONE) {
        printf("one tile holds the volume");
    } else {
        if (v->overlap > 0)
            printf("tiles overlap by %g %%, %s weights, ", 100 * v->overlap,
                   v->window == VOX_WINDOW_CONSTANT ? "equal" : "Gaussian");
        else
            printf("tiles side by side, ");
        printf(v->border == VOX_BORDER_MIRROR ? "mirrored at the border" : "zeros outside");
    }
    if (v->mirror_axes == 0) return;
    printf("; mean over mirrored runs along");
    for (int k = 0; k < 3; k++)
        if ((v->mirror_axes & 1 << k) != 0) printf(" %c", "DHW"[k]);
}

static void print_volume(const vox_volume_info *v) {
    printf("volume     network axes D H W run along %s %c %c %c; ",
           v->orientation != NULL ? "the oriented axes" : "the file's", v->axes[0], v->axes[1], v->axes[2]);
    print_tiling(v);
    if (v->rule == VOX_THRESHOLD)
        printf("; label 1 where the output exceeds %g\n", v->level);
    else if (v->rule == VOX_REGIONS)
        printf("; labels of %d regions where their scores exceed %g\n", v->n_regions, v->level);
    else
        printf("; label = best class\n");
    if (v->orientation != NULL)
        printf("  oriented to %s\n", v->orientation);
    else if (v->stored != NULL)
        printf("  trained on volumes stored %s\n", v->stored);
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

static void print_formats(void) {
    vox_image_library list[VOX_IMAGE_FORMATS];
    vox_image_libraries(list);
    for (int i = 0; i < VOX_IMAGE_FORMATS; i++) {
        const vox_image_library *l = &list[i];
        printf("format     %-9s", l->format);
        if (l->available)
            printf(" %s\n", l->version[0] != 0 ? l->version : "no library needed");
        else
            printf(" cannot be read: %s is missing\n", l->package);
    }
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
    print_formats();
    if (m->volume != NULL) {
        print_volume(m->volume);
    } else {
        printf("volume     no volume section: segment is not available\n");
    }
    printf("\n%-24s %-40s %-24s %10s %12s\n", "layer", "op", "output", "MMAC", "scratch MiB");
    for (int i = 0; i < m->n_layers; i++) print_layer(&m->layers[i]);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void add_shape(vox_json *j, int rank, const int *dim) {
    vox_json_begin(j, "shape", "[");
    for (int i = 0; i < rank; i++) vox_json_int(j, NULL, dim[i]);
    vox_json_end(j);
}

static void add_ports(vox_json *j, const char *key, const vox_port *ports, int n) {
    vox_json_begin(j, key, "[\n");
    for (int i = 0; i < n; i++) {
        vox_json_begin(j, NULL, "{");
        vox_json_members(j, "name=%s dtype=%s", ports[i].name, vox_dtype_name(ports[i].dtype));
        add_shape(j, ports[i].rank, ports[i].dim);
        vox_json_end(j);
    }
    vox_json_end(j);
}

static void add_volume(vox_json *j, const vox_volume_info *v) {
    if (v == NULL) {
        vox_json_text(j, "volume", NULL);
        return;
    }
    vox_json_begin(j, "volume", "{");
    vox_json_text(j, "axes", v->axes);
    vox_json_text(j, "orientation", v->orientation);
    vox_json_text(j, "stored", v->stored);
    vox_json_text(j, "border", border_word(v));
    vox_json_number(j, "overlap", 17, v->overlap);
    vox_json_begin(j, "mirror_axes", "[");
    for (int k = 0; k < 3; k++)
        if ((v->mirror_axes & 1 << k) != 0) vox_json_text(j, NULL, (const char *[]){"D", "H", "W"}[k]);
    vox_json_end(j);
    vox_json_number(j, "threshold", 17, v->rule == VOX_THRESHOLD ? v->level : (double)NAN);
    vox_json_begin(j, "prepare", "[");
    for (int i = 0; i < v->n_steps; i++) {
        const vox_prepare_step *s = &v->steps[i];
        vox_json_begin(j, NULL, "{");
        vox_json_text(j, "step", vox_prepare_name(s->kind));
        vox_json_begin(j, "values", "[");
        for (int k = 0; k < vox_prepare_values(s->kind); k++) vox_json_number(j, NULL, 17, s->value[k]);
        vox_json_end(j);
        vox_json_end(j);
    }
    vox_json_end(j);
    vox_json_end(j);
}

static void add_layers(vox_json *j, const vox_model_info *m) {
    vox_json_begin(j, "layers", "[\n");
    for (int i = 0; i < m->n_layers; i++) {
        const vox_layer_info *l = &m->layers[i];
        vox_json_begin(j, NULL, "{");
        vox_json_members(j, "name=%s op=%s", l->name, l->op);
        add_shape(j, l->rank, l->dim);
        vox_json_members(j, "macs=%" PRIu64 " scratch_bytes=%zu stream=%d ring=%d", l->macs, l->scratch,
                         l->stream, l->ring);
        vox_json_end(j);
    }
    vox_json_end(j);
}

static void add_steps(vox_json *j, const vox_model_info *m) {
    vox_json_begin(j, "steps", "[\n");
    for (int i = 0; i < m->n_steps; i++) {
        const vox_step *s = &m->steps[i];
        vox_json_object(j, NULL, "layer=%d begin=%d end=%d phase=%d", s->layer, s->begin, s->end, s->phase);
    }
    vox_json_end(j);
}

static void add_formats(vox_json *j) {
    vox_image_library list[VOX_IMAGE_FORMATS];
    vox_image_libraries(list);
    vox_json_begin(j, "formats", "[\n");
    for (int i = 0; i < VOX_IMAGE_FORMATS; i++) {
        vox_json_begin(j, NULL, "{");
        vox_json_members(j, "name=%s library=%s", list[i].format, list[i].version);
        vox_json_bool(j, "available", list[i].available);
        vox_json_text(j, "package", list[i].package);
        vox_json_end(j);
    }
    vox_json_end(j);
}

static void print_json(const vox_model_info *m) {
    vox_json json = vox_json_file(stdout), *j = &json;
    vox_json_begin(j, NULL, "{\n");
    vox_json_members(j, "name=%s voxc_version=%s graph_hash=%s options=%s isa=%s", m->name, m->voxc_version,
                     m->graph_hash, m->options, isa(m));
    add_ports(j, "inputs", m->inputs, m->n_inputs);
    add_ports(j, "outputs", m->outputs, m->n_outputs);
    vox_json_begin(j, "labels", "[");
    for (int i = 0; i < m->n_labels; i++) vox_json_text(j, NULL, m->labels[i]);
    vox_json_end(j);
    vox_json_members(j,
                     "parameters=%" PRIu64 " macs=%" PRIu64
                     " arena_bytes=%zu prepared_bytes=%zu weights_bytes=%zu align=%zu",
                     m->parameters, m->macs, m->arena_bytes, m->prepared_bytes, m->weights_bytes, m->align);
    add_volume(j, m->volume);
    add_formats(j);
    add_layers(j, m);
    add_steps(j, m);
    vox_json_end(j);
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
