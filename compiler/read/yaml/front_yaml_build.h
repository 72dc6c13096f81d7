/* front_yaml_build.h: what the parts of the YAML front end share while a graph is built. For front_yaml*.c
 * only. */
#ifndef VOXC_FRONT_YAML_BUILD_H
#define VOXC_FRONT_YAML_BUILD_H

#include "front_yaml.h"
#include "front_yaml_doc.h"

enum { YAML_MAX_SPATIAL = 3, YAML_MAX_DEPTH = 16, YAML_MAX_LAYERS = 2000 };

/* Where a list of layers is being built: the top level, or one use of a block. $parameters of a block are
 * looked up in args, then in the block's defaults; what args holds is read in the caller's scope. */
typedef struct yaml_scope yaml_scope;
struct yaml_scope {
    const yaml_scope *caller; /* NULL at the top level */
    const char *block_name;
    const yaml_item *block, *args;
    const yaml_item *use; /* the top-level layer that it is part of */
    const char *prefix;   /* "" or "e1b." */
    int depth;
};

/* A part of the file together with the scope that its names and $parameters belong to. */
typedef struct yaml_value {
    const yaml_item *item;
    const yaml_scope *scope;
} yaml_value;

/* A name that layers may refer to. */
typedef struct yaml_name {
    const char *full; /* with the prefix */
    const yaml_item *at;
    ir_tensor *tensor;
} yaml_name;

typedef struct yaml_build {
    const yaml_source *src;
    const yaml_options *opt; /* never NULL */
    ir_graph *g;
    ir_diag *d;
    bool current; /* statistics */
    bool has_statistics;
    int layers;
    yaml_name *names;
    int n_names, cap_names;
    /* A failure that other input sizes may cure: kept here, with d still empty, so that the legal sizes can
     * be added. */
    const yaml_item *shape_at;
    const char *shape_text;
} yaml_build;

typedef struct yaml_layer {
    yaml_build *b;
    const char *kind;
    const yaml_item *at;     /* its name in the file */
    const yaml_item *params; /* NULL or a mapping */
    const yaml_scope *scope;
    const char *path; /* its weights are <path>.weight ... */
    const char *name; /* of its output */
    ir_tensor **in;
    int n_in;
    int spatial;    /* axes after N C */
    ir_tensor *out; /* the result */
} yaml_layer;

/* ---- front_yaml_scope.c */

/* Replaces $parameters until something else stands there. */
bool yaml_resolve(yaml_build *b, yaml_value *v);
bool yaml_name_is_free(yaml_build *b, const char *full, const yaml_item *at);
bool yaml_add_name(yaml_build *b, const char *full, const yaml_item *at, ir_tensor *t);
/* The tensor that v (a name) refers to; NULL after filling d. */
ir_tensor *yaml_lookup(yaml_build *b, yaml_value v);
bool yaml_check_name(yaml_build *b, const yaml_item *name);

/* ---- front_yaml_params.c: a layer's parameters. An absent key gives the default. */

enum { YAML_REQUIRED = INT32_MIN }; /* as a default: there is none */
bool yaml_param(yaml_layer *l, const char *key, yaml_value *v, bool *present);
bool yaml_param_int(yaml_layer *l, const char *key, int64_t low, int64_t high, int64_t absent, int64_t *out);
bool yaml_param_number(yaml_layer *l, const char *key, double absent, double *out); /* NAN: required */
bool yaml_param_bool(yaml_layer *l, const char *key, bool absent, bool *out);
bool yaml_param_choice(yaml_layer *l, const char *key, const char *const *names, int count, int absent,
                       int *out);
/* One number per spatial axis; a single one counts for each. */
bool yaml_param_axes(yaml_layer *l, const char *key, int64_t low, int64_t high, int64_t absent, int64_t *out);
/* At both ends of each spatial axis: one number, one per axis, or the begins and then the ends. v is
 * resolved. */
bool yaml_ends(yaml_layer *l, const char *key, yaml_value v, int64_t *out);
bool yaml_list_item(yaml_layer *l, yaml_value list, int i, yaml_value *v);

bool yaml_layer_fail(yaml_layer *l, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Other input sizes may cure it. */
bool yaml_shape_fail(yaml_layer *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "D", "H", "W" of a spatial axis. */
const char *yaml_axis_name(int spatial, int axis);

/* ---- front_yaml_layers.c, front_yaml_move.c */

/* Builds one layer of a known kind: checks its keys, sets l->out. */
bool yaml_build_layer(yaml_layer *l);
bool yaml_is_layer_kind(const char *kind);
/* How many layer kinds there are, and their names with `more` appended in front (for suggestions). */
int yaml_layer_kinds(const char **names, int cap);
bool yaml_takes_list(const char *kind);

/* A node whose output is `out`, positioned for messages; yaml_finish infers its shape and sets l->out. */
ir_node *yaml_node(yaml_layer *l, ir_op op, int n_in, ir_tensor *const *in, const char *out);
bool yaml_finish(yaml_layer *l, ir_node *n);

bool yaml_build_concat(yaml_layer *l);
bool yaml_build_crop(yaml_layer *l);
bool yaml_build_pad(yaml_layer *l);
bool yaml_build_resize(yaml_layer *l);
bool yaml_build_add(yaml_layer *l);
bool yaml_build_mul(yaml_layer *l);

/* ---- front_yaml_volume.c */

bool yaml_build_labels(yaml_build *b);
bool yaml_build_volume(yaml_build *b);

/* ---- front_yaml_prepare.c */

bool yaml_read_prepare(yaml_build *b, const yaml_item *list);
/* item: NULL where the key is absent. Behind yaml_read_prepare, whose last resampling gives the alignment. */
bool yaml_read_restore(yaml_build *b, const yaml_item *item);

/* ---- front_yaml_sizes.c */

/* Builds the description with the spatial axes of its only input set to size[]; true when that works. */
typedef bool yaml_try(void *ctx, const int64_t *size);
/* Writes "; ... legal sizes ..." into buf, or nothing where no size was found to be legal. */
void yaml_legal_sizes(int spatial, const int64_t *size, yaml_try *try_size, void *ctx, char *buf, size_t n);

#endif
