/* SPDX-License-Identifier: MIT-0 */
/* program.c: the list of verbs and the way to them. */
#include "program.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "arguments.h"
#include "backend.h"
#include "output.h"
#include "report.h"
#include "program_verbs.h"
#include "vox_isas.h"

static const vox_verb verbs[] = {
    {"info", "", "Says what the network is, what memory it needs and what its layers are.", NULL,
     vox_verb_info},
    {"selftest", "", "Checks the layers on this machine against plain double-precision sums.",
     "Exit code 1 and the name of the first diverging layer if one computes wrong values.\n",
     vox_verb_selftest},
    {"bench", "", "Times the network on a seeded random input.", NULL, vox_verb_bench},
    {"run", "in.npy... out.npy...", "Computes the network's outputs from its inputs.",
     "One .npy file per graph input, then one per graph output, in the order that info lists.\n",
     vox_verb_run},
    {"segment", "volume.nii.gz... -o labels.nii.gz",
     "Segments a volume; the labels get its grid and geometry.",
     "The volume is prepared as the model's volume section says (see info), goes through the network as one "
     "tile or as\n"
     "tiles that touch or overlap, and the network's scores are brought back to the volume's own grid, where "
     "the best class\n"
     "(or the threshold) makes the label. Voxels outside the region that a cropping step kept get label 0.\n"
     "A network whose output is smaller than its input labels the voxels in the middle of its input.\n"
     "Files by the ends of their names: .nii .nii.gz .hdr .img, .tif, .nrrd, .mha .mhd, .npy, .h5:/dataset; "
     "a "
     "folder is a\n"
     "DICOM series; a pipe brings NIfTI. info lists those that this program was built with.\n"
     "Several channels: one file of several volumes (or RGB), or one file per channel, all on one grid.\n"
     "Many volumes: --folder or --subject; -o is then a folder. --resume goes on with a run that was "
     "stopped.\n"
     "Voxels that are not finite (NaN, infinity) count as 0; a warning says how many.\n",
     vox_verb_segment},
    {"score", "labels.nii.gz reference.nii.gz",
     "Compares two label volumes: overlap, volume and distance of every label's surfaces.",
     "Dice and IoU; volumes in ml, their difference, and that in % of the reference's; then of the surfaces, "
     "voxels with\n"
     "one that is not the label's among the 6 that share a face, with distances between centres in mm: the "
     "95th percentile of\n"
     "the distances to the other surface (HD95: the larger one of both ways), the largest (HD), the mean of "
     "both ways, and\n"
     "the share of both surfaces not further than the tolerance (surface Dice). A label that only one volume "
     "has is\n"
     "infinitely far away (inf); one that neither has has no score (nan).\n",
     vox_verb_score},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static void print_help(const vox_model_info *m, bool cpu) {
    printf("usage: %s VERB ...\n\n%s: compiled by voxc %s; takes", m->name, m->name, m->voxc_version);
    for (int i = 0; i < m->n_inputs; i++) printf(" %s", vox_shape(m->inputs[i].rank, m->inputs[i].dim).text);
    printf(", gives");
    for (int i = 0; i < m->n_outputs; i++)
        printf(" %s", vox_shape(m->outputs[i].rank, m->outputs[i].dim).text);
    printf(".\n\nverbs:\n");
    for (int i = 0; i < VERBS; i++) printf("  %-10s %s\n", verbs[i].name, verbs[i].summary);
    printf("\n%s VERB --help says more. Exit codes: 0 ok, 1 failure, 2 bad input or usage, 3 unsupported.\n",
           m->name);
    if (cpu)
        printf("--isa NAME, or VOX_ISA=NAME in the environment, forces an instruction set: " VOX_ISA_NAMES
               ".\n");
}

static int unknown(const vox_model_info *m, const char *word) {
    const char *names[VERBS];
    for (int i = 0; i < VERBS; i++) names[i] = verbs[i].name;
    const char *near = vox_suggest(word, names, VERBS);
    if (near != NULL) {
        return vox_fail(VOX_EXIT_INPUT, "unknown verb '%s', did you mean %s? (%s --help lists them)", word,
                        near, m->name);
    }
    return vox_fail(VOX_EXIT_INPUT, "unknown verb '%s' (%s --help lists them)", word, m->name);
}

static int dispatch(int argc, char **argv, const vox_backend *backends, int n) {
    const vox_model_info *model = backends[0].model;
    vox_settings settings = {.workspace = -1};
    if (argc < 2) {
        return vox_fail(VOX_EXIT_INPUT, "no verb (usage: %s VERB ..., %s --help lists them)", model->name,
                        model->name);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(model, vox_backend_named(backends, n, "cpu") != NULL);
        return VOX_EXIT_OK;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("%s %s (voxc %s)\n", model->name, model->graph_hash, model->voxc_version);
        return VOX_EXIT_OK;
    }
    for (int i = 0; i < VERBS; i++) {
        if (strcmp(argv[1], verbs[i].name) != 0) continue;
        const vox_context c = {.program = argv[0],
                               .model = model,
                               .verb = &verbs[i],
                               .backends = backends,
                               .n_backends = n,
                               .settings = &settings};
        return verbs[i].run(&c, argc - 2, argv + 2);
    }
    return unknown(model, argv[1]);
}

int vox_program_run(int argc, char **argv, const vox_backend *backends, int n_backends) {
    vox_output_catch_signals();
    int code = dispatch(argc, argv, backends, n_backends);
    int written = vox_output_check_stdout();
    return code != VOX_EXIT_OK ? code : written;
}

int vox_program_main(int argc, char **argv, const vox_model_info *model) {
    const vox_backend cpu = vox_cpu_backend(model);
    return vox_program_run(argc, argv, &cpu, 1);
}
