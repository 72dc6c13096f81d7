/* bundle_files.h: a bundle while its files are written: what the targets share. */
#ifndef VOXC_CG_BUNDLE_FILES_H
#define VOXC_CG_BUNDLE_FILES_H

#include "bundle_text.h"
#include "model.h"

typedef struct cg_bundle {
    cg_model *m;
    cg_emit *emit;
    void *ctx;
    ir_diag *d;
    cg_file files[512];
    int n_files;
} cg_bundle;

/* Hands a file to emit and remembers it for the manifest. */
bool cg_put(cg_bundle *b, const char *path, const void *data, size_t size);
bool cg_put_text(cg_bundle *b, const char *path, const char *text);
/* A filled template; a path that begins with . or _ follows the model's name. */
bool cg_put_filled(cg_bundle *b, const char *path_format, const char *template_name, const cg_slots *s);
bool cg_put_graph(cg_bundle *b, const cg_model *m, const char *end);           /* <m> and `end`: ".ir" */
bool cg_put_weights(cg_bundle *b);                                             /* <m>.weights */
bool cg_put_manifest(cg_bundle *b, const char *target, cg_layer_check *check); /* the last file */

const char *cg_template(ir_arena *arena, const char *name);
const char *cg_filled(const char *name, const cg_slots *s);
cg_slots cg_named_slots(const cg_model *m);                /* with m */
const char *cg_remark(ir_arena *arena, const char *text);  /* for a comment */
const char *cg_quoted(ir_arena *arena, const char *text);  /* as a C string */
const char *cg_port_names(const cg_model *m, bool output); /* "image, mask" */
const char *cg_ports_text(const cg_model *m, bool output); /* "`image` f32[1,1,92,92,92]" */
int64_t cg_total_macs(const cg_model *m);
/* What the READMEs of all targets say; the example is made from a template. */
cg_slots cg_readme_slots(const cg_model *m, const char *example_template);
const char *cg_licence(ir_arena *arena);
const char *cg_base_name(const char *path); /* of a path with a folder */

#endif
