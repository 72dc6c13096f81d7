/* SPDX-License-Identifier: MIT-0 */
/* verb_segment.c: `N segment volume.nii.gz... -o labels.nii.gz`, and of many volumes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program_verbs.h"
#include "report.h"
#include "subject.h"
#include "subjects.h"

/* What belongs to one volume, where there are several. */
static int refuse_for_many(const vox_context *c, const vox_subject_request *r, int operands) {
    if (operands > 0)
        return vox_usage_error(c, "volumes come from --subject or --folder, or are named alone, not both");
    if (r->labels == NULL) return vox_usage_error(c, "-o FOLDER is missing");
    if (r->scores != NULL) return vox_usage_error(c, "--scores is for one volume");
    if (vox_showing_any(r->showing))
        return vox_usage_error(c, "--overlay, --montage, --page and --report are for one volume");
    return 0;
}

/* What the scores are stored as; float32 where nothing is said. */
static int read_scores_type(const vox_context *c, const char *name, vox_image_type *type) {
    static const struct {
        const char *name;
        vox_image_type type;
    } types[] = {{"float32", VOX_IMAGE_F32}, {"float16", VOX_IMAGE_F16}, {"uint8", VOX_IMAGE_U8}};
    *type = VOX_IMAGE_F32;
    if (name == NULL) return 0;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(name, types[i].name) != 0) continue;
        *type = types[i].type;
        return 0;
    }
    return vox_usage_error(c, "--scores-type: expected float32, float16 or uint8, not %s", name);
}

static int segment_one(const vox_context *c, const vox_subject_request *r, char **files, int n) {
    if (n == 0) return vox_usage_error(c, "no volume");
    if (r->labels == NULL) return vox_usage_error(c, "-o labels.nii.gz is missing");
    if (r->resume && r->scores != NULL)
        return vox_usage_error(c, "--resume: scores are not kept, leave out --scores");
    vox_segmenting network = {0};
    int code = vox_subject_segment(c, r, &network, files, n);
    vox_segmenting_close(&network);
    return code;
}

static int segment(const vox_context *c, const vox_subject_request *r, const vox_subjects_request *many,
                   bool mpi, char **files, int n) {
    if (c->model->volume == NULL) {
        return vox_fail(
            VOX_EXIT_UNSUPPORTED,
            "%s says nothing about volumes: compile it from a description with a volume section, or use run",
            c->model->name);
    }
    if (mpi &&
        (many->subjects.n > 0 || many->folder != NULL || r->scores != NULL || vox_showing_any(r->showing)))
        return vox_usage_error(c, "--mpi is for the labels of one volume");
    if (mpi && (n == 0 || r->labels == NULL))
        return vox_usage_error(c, "--mpi wants a volume and -o labels.h5:/path");
    if (mpi) return vox_subject_segment_mpi(c, r, files, n);
    if (many->subjects.n == 0 && many->folder == NULL) return segment_one(c, r, files, n);
    int code = refuse_for_many(c, r, n);
    return code != 0 ? code : vox_subjects_segment(c, r, many);
}

int vox_verb_segment(const vox_context *c, int argc, char **argv) {
    vox_showing showing = {0};
    vox_subject_request r = {.level = (double)NAN, .overlap = (double)NAN, .showing = &showing};
    vox_subjects_request many = {.subjects = {.text = calloc((size_t)argc + 1, sizeof(char *))}};
    const char *scores_type = NULL;
    int operands = 0, mpi = 0;
    if (many.subjects.text == NULL) return vox_fail_memory("names", (size_t)argc * sizeof(char *));
    const vox_option table[] = {
        {"--output", 'o', VOX_OPTION_TEXT, &r.labels, 0, 0, "FILE",
         "where the labels go; the name says the format (many volumes: their folder)"},
        {"--subject", 0, VOX_OPTION_LIST, &many.subjects, 0, 0, "FILE,...",
         "a volume, a file for each channel; may be given again, and -o is then a folder"},
        {"--folder", 0, VOX_OPTION_TEXT, &many.folder, 0, 0, "DIR",
         "all volumes there, named as nnU-Net does: CASE_0000.nii.gz, a file for each channel"},
        {"--ending", 0, VOX_OPTION_TEXT, &many.ending, 0, 0, ".END",
         "of the labels of many volumes (default: that of the volume)"},
        {"--resume", 0, VOX_OPTION_FLAG, &r.resume, 0, 0, NULL,
         "go on where a run of the same volume, weights and options was stopped"},
        {"--mpi", 0, VOX_OPTION_FLAG, &mpi, 0, 0, NULL,
         "share one HDF5 volume among the processes of mpirun, where the program was built with MPI=1"},
        {"--stream", 0, VOX_OPTION_FLAG, &r.stream, 0, 0, NULL,
         "read the volume in slabs (without this only where it is larger than half of memory)"},
        {"--overlay", 0, VOX_OPTION_TEXT, &showing.overlay, 0, 0, "FILE",
         "also a PNG of three slices with the labels over them"},
        {"--montage", 0, VOX_OPTION_TEXT, &showing.montage, 0, 0, "FILE",
         "also a PNG of axial slices, row by row"},
        {"--page", 0, VOX_OPTION_TEXT, &showing.page, 0, 0, "FILE",
         "also an HTML page with slices to scroll through, legend and numbers"},
        {"--report", 0, VOX_OPTION_TEXT, &showing.report, 0, 0, "FILE",
         "also what was done as JSON: volumes, times, memory, hashes"},
        {"--scores", 0, VOX_OPTION_TEXT, &r.scores, 0, 0, "FILE",
         "also the network's scores on the volume's grid, 4-D"},
        {"--scores-type", 0, VOX_OPTION_TEXT, &scores_type, 0, 0, "TYPE",
         "float32 (default), float16 where the format has it, or uint8: probabilities times 255"},
        {"--level", 0, VOX_OPTION_REAL, &r.level, -HUGE_VAL, HUGE_VAL, "L",
         "threshold instead of the volume section's"},
        {"--overlap", 0, VOX_OPTION_REAL, &r.overlap, 0, 0.95, "PART",
         "part of a tile that it shares with the next, instead of the volume section's"},
        {"--mirror-axes", 0, VOX_OPTION_TEXT, &r.mirror_axes, 0, 0, "AXES",
         "mean over mirrored runs along D, H, W (such as DHW), or none, instead of the volume section's"},
        {"--folds", 0, VOX_OPTION_TEXT, &r.folds, 0, 0, "FILE,...",
         "more weights of the same network, whose scores are averaged"},
        {"--repeat-channel", 0, VOX_OPTION_FLAG, &r.repeat_channel, 0, 0, NULL,
         "use a volume of one channel for all channels"},
        {"--force", 0, VOX_OPTION_FLAG, &r.force, 0, 0, NULL,
         "resample even if that makes the volume more than 64 times as large"},
        {"--threads", 't', VOX_OPTION_INT, &r.threads, 0, VOX_MAX_THREADS, "N",
         "threads (default 0: one per processor)"},
        {"--weights", 0, VOX_OPTION_TEXT, &r.weights, 0, 0, "FILE",
         "weight file (default: beside the program)"},
        VOX_ISA_OPTION,
        {"--quiet", 'q', VOX_OPTION_FLAG, &r.quiet, 0, 0, NULL, "no progress and no summary"},
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    const bool run = code < 0;
    if (run) code = read_scores_type(c, scores_type, &r.scores_type);
    if (run && code == 0) code = segment(c, &r, &many, mpi != 0, argv, operands);
    free(many.subjects.text);
    return code;
}
