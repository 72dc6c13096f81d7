/* SPDX-License-Identifier: MIT-0 */
/* segment_report.h: the numbers of a run of `segment`, as JSON; runtime/program/README.md lists the fields. */
#ifndef VOX_SEGMENT_REPORT_H
#define VOX_SEGMENT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image.h"
#include "json_write.h"
#include "output.h"
#include "report.h"
#include "vox.h"
#include "vox_volume.h"

/* A file that was read. */
typedef struct vox_report_file {
    const char *name;
    bool hashed; /* false: a pipe, whose bytes are gone */
    uint64_t hash;
} vox_report_file;

/* A label that occurs, or that has a name. */
typedef struct vox_report_label {
    int label;
    const char *name; /* NULL: none */
    size_t voxels;
    double ml; /* 0 where voxel sizes are not known */
} vox_report_label;

/* Reading files; orientation, resampling, intensities; the network, with adding up its tiles; scores back to the
 * volume's grid, and deciding; compressing and writing. */
typedef enum vox_phase {
    VOX_PHASE_READ,
    VOX_PHASE_PREPARE,
    VOX_PHASE_NETWORK,
    VOX_PHASE_RESTORE,
    VOX_PHASE_WRITE,
    VOX_PHASES
} vox_phase;

/* Everything is borrowed but labels. Zeroed members are not known: null in JSON. */
typedef struct vox_report {
    const vox_model_info *model;
    const vox_segment_options *options; /* what replaced the description's; NULL: nothing */
    const vox_segment_outline *outline;
    const vox_segment_result *result;
    const vox_image *image; /* the grid of inputs and labels */
    const vox_report_file *inputs, *weights, *outputs;
    int n_inputs, n_weights, n_outputs; /* outputs are not hashed: they are being written */
    const char *where;                  /* vox_host_where */
    int threads;
    double seconds[VOX_PHASES]; /* NaN: not timed */
    double total_seconds;       /* from the start to this report */
    size_t peak_bytes;          /* vox_report_peak_memory */
    vox_report_label *labels;   /* vox_report_count's, ascending */
    int n_labels;
    const vox_warnings *warnings;
} vox_report;

/* Fills r->labels from r->image and r->model. Prints its error and returns the exit code; end with vox_report_free. */
int vox_report_count(vox_report *r, const uint16_t *labels);
void vox_report_free(vox_report *r);

/* vox_hash of a file's bytes; of a folder, of the hashes of its files in the order of their names. `name` may be
 * FILE:/path/to/dataset. Not hashed, and no error: what is no file or folder. Prints its error otherwise. */
int vox_report_hash(vox_report_file *f, const char *name);

/* The most memory that this process has had, as the system counts it. */
size_t vox_report_peak_memory(void);

/* Writes to the open file, which stays open. Prints its error and returns the exit code. Neither dates nor names
 * of machines: the same run gives the same text but for times and memory. */
int vox_report_write(const vox_output *file, const vox_report *r);
/* The same object as a member `key` (NULL: none) of another text. */
void vox_report_put(vox_json *j, const char *key, const vox_report *r);

#endif
