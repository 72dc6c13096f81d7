/* SPDX-License-Identifier: MIT-0 */
/* page_tables.c: the page's legend and the numbers of the run; see page_parts.h. */
#ifdef VOX_WITH_NIFTI
#include "page_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "report.h"
#include "utf8.h"
#include "vox_orient.h"

void vox_page_put_text(FILE *to, const char *text) {
    size_t n;
    uint32_t code;
    for (const char *s = text; *s != 0; s += n) {
        if (vox_char(s, &n, &code) != VOX_CHAR_PLAIN) {
            fputs("&#xFFFD;", to);
        } else if (n == 1 && strchr("&<>\"'", *s) != NULL) {
            fprintf(to, "&#%d;", *s);
        } else {
            fwrite(s, 1, n, to);
        }
    }
}

/* ---- legend ---------------------------------------------------------------------------------- */

static void put_ml(FILE *to, double ml) {
    fprintf(to, "%.*f", ml < 0.1 ? 3 : ml < 10 ? 2 : 1, ml);
}

static void put_label(FILE *to, const vox_page_grid *g, const vox_report_label *l) {
    const int index = g->index[l->label];
    unsigned char c[3];
    char number[24];
    snprintf(number, sizeof number, "label %d", l->label);
    const char *name = vox_view_name(g->view, l->label);
    if (name == NULL) name = l->name != NULL && *l->name != 0 ? l->name : number;
    vox_view_colour(g->view, l->label, c);
    fprintf(to, "<tr%s><td>", index == 0 ? " class='none'" : "");
    if (index > 0) {
        fprintf(to, "<input type='checkbox' class='show' data-label='%d' checked disabled aria-label='show ",
                index);
        vox_page_put_text(to, name);
        fputs("'>", to);
    }
    fprintf(to, "</td><td><span class='swatch' style='background:#%02x%02x%02x'></span></td>", c[0], c[1],
            c[2]);
    fprintf(to, "<td class='number'>%d</td><td>", l->label);
    if (index > 0) fprintf(to, "<button type='button' class='go' data-label='%d'>", index);
    vox_page_put_text(to, name);
    fprintf(to, "%s</td><td class='number'>%zu</td>", index > 0 ? "</button>" : "", l->voxels);
    if (g->view->sized) {
        fputs("<td class='number'>", to);
        put_ml(to, l->ml);
        fputs("</td>", to);
    }
    fputs("</tr>\n", to);
}

void vox_page_put_legend(FILE *to, const vox_page_grid *g, const vox_report *r) {
    size_t voxels = 0;
    double ml = 0;
    fputs("<section aria-labelledby='legend'>\n<h2 id='legend'>Labels</h2>\n<div class='scroll' tabindex='0' "
          "role='region' aria-labelledby='legend'><table>\n<thead><tr><th scope='col'><input type='checkbox' "
          "id='every' checked disabled aria-label='show all labels'></th><th scope='col'>colour</th>"
          "<th scope='col' class='number'>label</th><th scope='col'>name</th>"
          "<th scope='col' class='number'>voxels</th>",
          to);
    if (g->view->sized) fputs("<th scope='col' class='number'>ml</th>", to);
    fputs("</tr></thead>\n<tbody>\n", to);
    for (int i = 0; i < r->n_labels; i++) {
        if (r->labels[i].label == 0) continue;
        put_label(to, g, &r->labels[i]);
        voxels += r->labels[i].voxels;
        ml += r->labels[i].ml;
    }
    fprintf(to, "</tbody>\n<tfoot><tr><th colspan='4' scope='row'>all</th><td class='number'>%zu</td>",
            voxels);
    if (g->view->sized) {
        fputs("<td class='number'>", to);
        put_ml(to, ml);
        fputs("</td>", to);
    }
    fputs(
        "</tr></tfoot>\n</table></div>\n<p class='note'>A name goes to the label's middle.</p>\n</section>\n",
        to);
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void row(FILE *to, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void row(FILE *to, const char *name, const char *format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(to, "<tr><th scope='row'>%s</th><td>", name);
    vox_page_put_text(to, text);
    fputs("</td></tr>\n", to);
}

static void put_files(FILE *to, const char *name, const vox_report_file *files, int n) {
    for (int i = 0; i < n; i++) {
        if (files[i].hashed) {
            row(to, name, "%s (hash %016" PRIx64 ")", files[i].name, files[i].hash);
        } else {
            row(to, name, "%s", files[i].name);
        }
    }
}

static void put_grid(FILE *to, const vox_report *r) {
    const vox_volume *v = &r->image->volume;
    char code[4];
    const double *size = v->spacing;
    const bool sized = size[0] > 0 || size[1] > 0 || size[2] > 0;
    row(to, "grid", "%s voxels of %s", vox_shape(3, v->dim).text,
        sized ? vox_size_mm(size).text : "unknown size");
    const bool known = r->image->directed && vox_code_of_direction(v->direction, code);
    row(to, "stored as", "%s", known ? code : "not known: the file does not say where left and right are");
    if (v->channels > 1) row(to, "channels", "%d, the first is shown", v->channels);
}

static void put_tiling(FILE *to, const vox_report *r) {
    const vox_segment_outline *o = r->outline;
    if (o != NULL) {
        row(to, "prepared", "%s voxels of %s", vox_shape(3, o->prepared).text, vox_size_mm(o->spacing).text);
        row(to, "tiles", "%s of %s voxels (D, H, W)", vox_shape(3, o->tiles).text,
            vox_shape(3, o->tile_in).text);
    }
    if (r->result != NULL) row(to, "runs", "%d, %d empty tiles skipped", r->result->runs, r->result->skipped);
}

static void put_options(FILE *to, const vox_report *r) {
    const vox_volume_info *v = r->model->volume;
    const vox_segment_options *o = r->options;
    const int set = o != NULL ? o->set : 0;
    row(to, "folds", "%d", 1 + (o != NULL ? o->n_folds : 0));
    if (v == NULL) return;
    const int mirror = set & VOX_SET_MIRROR_AXES ? o->mirror_axes : v->mirror_axes;
    row(to, "overlap", "%s", vox_number(set & VOX_SET_OVERLAP ? o->overlap : v->overlap).text);
    row(to, "mirrored along", "%s%s%s%s", mirror & 1 ? "D " : "", mirror & 2 ? "H " : "",
        mirror & 4 ? "W" : "", mirror == 0 ? "no axis" : "");
    if (v->rule != VOX_ARGMAX)
        row(to, "level", "%s", vox_number(set & VOX_SET_LEVEL ? o->level : v->level).text);
}

static void put_times(FILE *to, const vox_report *r) {
    static const char *const names[VOX_PHASES] = {"reading", "preparing", "network", "restoring", "writing"};
    for (int i = 0; i < VOX_PHASES; i++)
        if (isfinite(r->seconds[i])) row(to, names[i], "%.2f s", r->seconds[i]);
    if (r->total_seconds > 0) row(to, "in all", "%.2f s", r->total_seconds);
}

void vox_page_put_run(FILE *to, const vox_report *r) {
    const vox_model_info *m = r->model;
    fputs("<section aria-labelledby='run'>\n<h2 id='run'>Run</h2>\n<div class='scroll' tabindex='0' "
          "role='region' "
          "aria-labelledby='run'><table>\n<tbody>\n",
          to);
    row(to, "program", "%s, from voxc %s", m->name, m->voxc_version);
    row(to, "graph", "%s", m->graph_hash);
    put_files(to, "weights", r->weights, r->n_weights);
    put_files(to, "input", r->inputs, r->n_inputs);
    put_files(to, "output", r->outputs, r->n_outputs);
    put_grid(to, r);
    put_tiling(to, r);
    put_options(to, r);
    if (r->where != NULL)
        row(to, "ran on", "%s, %d thread%s", r->where, r->threads, r->threads == 1 ? "" : "s");
    put_times(to, r);
    if (r->peak_bytes > 0) row(to, "peak memory", "%.0f MiB", (double)r->peak_bytes / (1 << 20));
    fputs("</tbody>\n</table></div>\n</section>\n", to);
}
#endif
