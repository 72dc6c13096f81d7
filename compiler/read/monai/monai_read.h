/* monai_read.h: what the files of this room share. */
#ifndef VOXC_MONAI_READ_H
#define VOXC_MONAI_READ_H

#include "json_node.h"
#include "monai.h"

typedef struct monai_reader {
    ir_graph *g;
    ir_diag *d;
    json_file inference_file, metadata_file;
    json_node inference, metadata;
    bool not_negative;                  /* no voxel is below 0 */
    bool spatial;                       /* a transform before this one changed the grid */
    bool padded;                        /* SpatialPad was seen: what follows would see its zeros */
    bool activated, inverted, discrete; /* transforms of postprocessing seen */
    bool late;                          /* the activation is behind a way back that mixes scores */
} monai_reader;

/* A transform, or another object with a _target_. */
typedef struct monai_object {
    monai_reader *r;
    json_node at;
} monai_object;

/* One kind of transform: its name without the d of dictionaries, and what it does. NULL: nothing that matters
 * here, whatever its arguments are. */
typedef bool monai_apply(monai_object o);
typedef struct monai_kind {
    const char *name;
    monai_apply *apply;
} monai_kind;

/* What n refers to: "@id" is looked up in inference.json; others are what they are. An expression ("$...") or
 * a reference to nothing is an error: false. */
bool monai_resolve(monai_reader *r, json_node *n);
/* An argument; its value is NULL where it is absent. */
bool monai_argument(monai_object o, const char *key, json_node *n);
/* Arguments with defaults. */
bool monai_number(monai_object o, const char *key, double absent, double *to);
bool monai_need_number(monai_object o, const char *key, double *to);
bool monai_flag(monai_object o, const char *key, bool absent, bool *to);
/* A number, or a list of numbers, for each axis x y z; required. */
bool monai_axes(monai_object o, const char *key, double to[3]);
/* Fails where an argument is there and not null. */
bool monai_lacks(monai_object o, const char *key);
/* Fails at arguments that are not among these, nor what every transform has. */
bool monai_only(monai_object o, const char *const *keys, int count);
/* Does the transforms of a Compose, or a list of them. */
bool monai_each(monai_reader *r, json_node list, const monai_kind *kinds, int count);

bool monai_read_preprocessing(monai_reader *r);  /* monai_steps.c, monai_intensity.c */
bool monai_read_inferer(monai_reader *r);        /* monai_inferer.c */
bool monai_read_postprocessing(monai_reader *r); /* monai_post.c */

/* monai_intensity.c: transforms of intensities. */
monai_apply monai_scale, monai_scale_range, monai_scale_percentiles, monai_normalize;
/* Adds a step of preparation for all channels, and gives it, NULL where there are too many. */
vox_prepare_step *monai_add_step(monai_object o, vox_prepare_kind kind);

#endif
