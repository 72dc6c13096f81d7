/* SPDX-License-Identifier: MIT-0 */
/* page.c: see page.h. */
#ifdef VOX_WITH_NIFTI
#include "page.h"

#include <stdlib.h>
#include <string.h>

#include "json_write.h"
#include "page_parts.h"
#include "report.h"

/* ---- what the script is told ----------------------------------------------------------------- */

/* No text may end the script that it stands in. */
static void put_json(void *to, const char *text, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (text[i] == '<') {
            fputs("\\u003c", to);
        } else {
            fputc(text[i], to);
        }
    }
}

static void add_ints(vox_json *j, const char *key, const int n[3]) {
    vox_json_begin(j, key, "[");
    vox_json_members(j, "=%d =%d =%d", n[0], n[1], n[2]);
    vox_json_end(j);
}

/* How the page's voxels lie in the file's. */
static void add_geometry(vox_json *j, const vox_page_grid *g) {
    const vox_view *view = g->view;
    const vox_image *image = view->picture->image;
    int centre[3];
    for (int a = 0; a < 3; a++) centre[a] = view->centre[a] / g->factor[a];
    add_ints(j, "dim", g->dim);
    add_ints(j, "full", view->volume.dim);
    add_ints(j, "factor", g->factor);
    add_ints(j, "source", view->axes.source);
    vox_json_begin(j, "reversed", "[");
    for (int a = 0; a < 3; a++) vox_json_bool(j, NULL, view->axes.reversed[a]);
    vox_json_end(j);
    add_ints(j, "centre", centre);
    vox_json_begin(j, "size", "[");
    for (int a = 0; a < 3; a++) vox_json_number(j, NULL, 9, view->size[a] * g->factor[a]);
    vox_json_end(j);
    vox_json_bool(j, "sized", view->sized);
    if (view->directed) {
        vox_json_begin(j, "letters", "[");
        vox_json_members(j, "=%s =%s =%s", "RL", "AP", "SI");
        vox_json_end(j);
        vox_json_begin(j, "affine", "[");
        for (int w = 0; w < 3; w++) {
            vox_json_begin(j, NULL, "[");
            for (int k = 0; k < 4; k++) vox_json_number(j, NULL, 9, image->affine[w][k]);
            vox_json_end(j);
        }
        vox_json_end(j);
    }
}

static void add_labels(vox_json *j, const vox_page_grid *g) {
    vox_json_int(j, "levels", g->levels);
    vox_json_int(j, "label_bytes", g->label_bytes);
    vox_json_begin(j, "labels", "[\n");
    for (int l = 1; l < VOX_VIEW_LABELS; l++) {
        unsigned char c[3];
        if (g->index[l] == 0) continue;
        vox_view_colour(g->view, l, c);
        vox_json_begin(j, NULL, "{");
        vox_json_members(j, "label=%d name=%s", l, vox_view_name(g->view, l));
        add_ints(j, "rgb", (const int[]){c[0], c[1], c[2]});
        vox_json_end(j);
    }
    vox_json_end(j);
}

static void put_facts(FILE *to, const vox_page_grid *g) {
    const vox_view *view = g->view;
    vox_json json = {.put = put_json, .to = to}, *j = &json;
    fputs("<script type='application/json' id='facts'>\n", to);
    vox_json_begin(j, NULL, "{\n");
    vox_json_begin(j, "planes", "[");
    if (view->directed) {
        vox_json_members(j, "=%s =%s =%s", "Sagittal", "Coronal", "Axial");
    } else {
        vox_json_members(j, "=%s =%s =%s", "Across i", "Across j", "Across k");
    }
    vox_json_end(j);
    add_geometry(j, g);
    vox_json_begin(j, "window", "[");
    vox_json_members(j, "=%.9g =%.9g", view->black, view->white);
    vox_json_end(j);
    add_labels(j, g);
    vox_json_end(j);
    fputs("</script>\n", to);
}

/* ---- the page -------------------------------------------------------------------------------- */

static void put_head(FILE *to, const vox_report *r) {
    fputs(
        "<!DOCTYPE html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>\n"
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; img-src data:; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n<link rel='icon' href='data:,'>\n<title>",
        to);
    if (r->n_inputs > 0) vox_page_put_text(to, r->inputs[0].name);
    fputs(" - ", to);
    vox_page_put_text(to, r->model->name);
    fputs("</title>\n<style>\n", to);
    fputs(vox_page_style, to);
    fputs("</style>\n</head>\n<body>\n<header>\n<h1>", to);
    vox_page_put_text(to, r->model->name);
    fputs("</h1>\n<p>", to);
    for (int i = 0; i < r->n_inputs; i++) {
        if (i > 0) fputs(", ", to);
        vox_page_put_text(to, r->inputs[i].name);
    }
    fputs("</p>\n</header>\n<main>\n", to);
}

static void put_warnings(FILE *to, const vox_warnings *w) {
    if (w == NULL || w->n == 0) return;
    fputs("<div class='warnings' role='note' aria-label='Warnings'><ul>\n", to);
    for (int i = 0; i < w->n; i++) {
        fputs("<li>", to);
        vox_page_put_text(to, w->text[i]);
        fputs("</li>\n", to);
    }
    if (w->more > 0) fprintf(to, "<li>and %d more</li>\n", w->more);
    fputs("</ul></div>\n", to);
}

/* What a reader must know to read the pictures. */
static void put_notes(FILE *to, const vox_page_grid *g) {
    const vox_view *view = g->view;
    const int *f = g->factor;
    fputs("<p class='note'>", to);
    if (view->directed) {
        fputs("As radiologists see it: the patient's right is on the left. ", to);
    } else if (view->picture->image->format == VOX_IMAGE_NIFTI) {
        fputs("The file does not say where left and right are: it is shown as if its axes ran to the right, "
              "anterior and superior. ",
              to);
    } else {
        fputs("The file does not say where left and right are: it is shown as it lies there. ", to);
    }
    if (!view->sized) fputs("Voxel sizes are not known: voxels are drawn as cubes. ", to);
    if (f[0] * f[1] * f[2] > 1) {
        fprintf(to,
                "This page holds one voxel for each %d x %d x %d of the file's (%d x %d x %d along the axes "
                "shown); "
                "numbers are of all voxels. ",
                f[0], f[1], f[2], g->dim[0], g->dim[1], g->dim[2]);
    }
    if (g->levels < 256)
        fprintf(to, "So noisy a volume is held in %d greys, for a page of moderate size. ", g->levels);
    fputs("Scroll with the wheel, the arrow keys or the sliders, on a touch screen by moving up and down; "
          "click to "
          "set the crosshair; keys l, o and c switch labels, outlines and the crosshair.</p>\n",
          to);
}

/* What is there without a script: the picture of three slices. */
static int put_overview(FILE *to, const vox_picture *p) {
    char *png = NULL;
    size_t n = 0;
    vox_output memory = {.file = open_memstream(&png, &n), .temporary = -1, .path = "a picture in memory"};
    if (memory.file == NULL) return vox_fail_memory("a picture", 0);
    const int code = vox_overlay_write(&memory, p);
    if (fclose(memory.file) != 0 && code == 0) {
        free(png);
        return vox_fail_memory("a picture", n);
    }
    vox_base64 text = {.to = to};
    fputs("<img id='overview' hidden alt='Sagittal, coronal and axial slice through the middle of the "
          "labels, with the "
          "labels over them and their legend' src='data:image/png;base64,",
          to);
    vox_base64_put(&text, png, n);
    vox_base64_end(&text);
    fputs("'>\n<noscript><style>#overview { display: block; } .bar, #where { display: none; "
          "}</style></noscript>\n",
          to);
    free(png);
    return code;
}

static int put_page(FILE *to, const vox_page_grid *g, const vox_report *r) {
    put_head(to, r);
    put_warnings(to, r->warnings);
    fputs(vox_page_viewer, to);
    int code = put_overview(to, g->view->picture);
    if (code != 0) return code;
    put_notes(to, g);
    fputs("<div class='below'>\n", to);
    vox_page_put_legend(to, g, r);
    vox_page_put_run(to, r);
    fputs("</div>\n</main>\n", to);
    put_facts(to, g);
    fputs("<script type='text/plain' id='grey'>\n", to);
    code = vox_page_put_greys(g, to);
    fputs("\n</script>\n<script type='text/plain' id='labels'>\n", to);
    if (code == 0) code = vox_page_put_labels(g, to);
    fputs("\n</script>\n<script>\n", to);
    fputs(vox_page_script, to);
    fputs("</script>\n</body>\n</html>\n", to);
    return code;
}

int vox_page_write(const vox_output *file, const vox_picture *p, const vox_report *r) {
    vox_view view;
    vox_page_grid grid = {0};
    int code = vox_view_open(&view, p);
    if (code == 0) code = vox_page_grid_plan(&grid, &view);
    if (code == 0) code = put_page(file->file, &grid, r);
    if (code == 0 && ferror(file->file) != 0) code = vox_output_error(file);
    vox_page_grid_free(&grid);
    vox_view_free(&view);
    return code;
}
#endif
