/* SPDX-License-Identifier: MIT-0 */
/* showing.c: see showing.h. */
#include "showing.h"

#include <string.h>

#include "file_names.h"
#include "page.h"

enum { OVERLAY, MONTAGE, PAGE, REPORT };

void vox_showing_names(const vox_showing *s, const char *names[VOX_SHOWN]) {
    const char *const all[VOX_SHOWN] = {s->overlay, s->montage, s->page, s->report};
    memcpy(names, all, sizeof all);
}

bool vox_showing_any(const vox_showing *s) {
    return s->overlay != NULL || s->montage != NULL || s->page != NULL || s->report != NULL;
}

void vox_showing_warn(const vox_showing *s, const char *name, const vox_image *image) {
    const double *size = image->volume.spacing;
    if (s->overlay == NULL && s->montage == NULL && s->page == NULL) return;
    if (!(size[0] > 0 && size[1] > 0 && size[2] > 0))
        vox_warn("%s does not say how large its voxels are (%s): pictures draw cubes", name,
                 vox_size_mm(size).text);
    if (!image->directed)
        vox_warn("%s does not say where left and right are: pictures have no letters", name);
}

static int check_name(const char *name, const char *end, const char *what) {
    if (name == NULL || vox_name_ends(name, end) || strncmp(name, "/dev/", 5) == 0) return 0;
    return vox_fail(VOX_EXIT_INPUT, "cannot write %s: %s, the name must end in %s", name, what, end);
}

int vox_showing_open(vox_showing *s) {
    const char *names[VOX_SHOWN];
    vox_showing_names(s, names);
#ifndef VOX_WITH_NIFTI
    if (s->overlay != NULL || s->montage != NULL || s->page != NULL)
        return vox_fail(
            VOX_EXIT_UNSUPPORTED,
            "pictures need what this program was built without: install libpng-dev, zlib1g-dev and "
            "libnifti2-dev, then make clean && make");
#endif
    int code = check_name(s->overlay, ".png", "the picture is a PNG");
    if (code == 0) code = check_name(s->montage, ".png", "the picture is a PNG");
    if (code == 0) code = check_name(s->page, ".html", "the page is HTML");
    if (code == 0) code = check_name(s->report, ".json", "the report is JSON");
    for (int i = 0; i < VOX_SHOWN && code == 0; i++) {
        if (names[i] != NULL) code = vox_output_open(&s->file[i], names[i]);
    }
    return code;
}

static int draw(vox_showing *s, const vox_report *report, const uint16_t *labels) {
    int code = 0;
#ifdef VOX_WITH_NIFTI
    vox_picture picture = {.image = report->image,
                           .labels = labels,
                           .names = report->model->labels,
                           .n_names = report->model->n_labels};
    if (s->overlay != NULL) code = vox_overlay_write(&s->file[OVERLAY], &picture);
    if (code == 0 && s->montage != NULL) code = vox_montage_write(&s->file[MONTAGE], &picture);
    if (code == 0 && s->page != NULL) code = vox_page_write(&s->file[PAGE], &picture, report);
#else
    (void)s, (void)report, (void)labels;
#endif
    return code;
}

int vox_showing_write(vox_showing *s, vox_report *report, const uint16_t *labels) {
    int code = 0;
    if (!vox_showing_any(s)) return 0;
    if (s->page != NULL || s->report != NULL) code = vox_report_count(report, labels);
    report->peak_bytes = vox_report_peak_memory();
    if (code == 0) code = draw(s, report, labels);
    if (code == 0 && s->report != NULL) code = vox_report_write(&s->file[REPORT], report);
    vox_report_free(report);
    return code;
}

int vox_showing_commit(vox_showing *s) {
    const char *names[VOX_SHOWN];
    int code = 0;
    vox_showing_names(s, names);
    for (int i = 0; i < VOX_SHOWN && code == 0; i++) {
        if (names[i] != NULL) code = vox_output_commit(&s->file[i]);
    }
    return code;
}

void vox_showing_abort(vox_showing *s) {
    for (int i = 0; i < VOX_SHOWN; i++) vox_output_abort(&s->file[i]);
}
