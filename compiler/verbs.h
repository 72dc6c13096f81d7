/* verbs.h: what voxc can be told to do. Each verb returns an exit code; on failure d holds the message. */
#ifndef VOXC_VERBS_H
#define VOXC_VERBS_H

#include "codegen.h"
#include "options.h"
#include "pipeline.h"

int verb_compile(const options *o, ir_diag *d);
int verb_inspect(const options *o, ir_diag *d);
int verb_verify(const options *o, ir_diag *d);
int verb_export(const options *o, ir_diag *d);

/* The bundle of a planned graph; gpu: NULL, or the same model for the other target, into the same bundle. */
bool emit_bundle(const ir_graph *g, const ir_graph *gpu, const cg_options *c, cg_emit *emit, void *ctx,
                 ir_diag *d);
/* g's goals for one target from --math, --threads, --max-memory, --tuning and --precision. */
bool set_goals(const options *o, ir_target target, ir_graph *g, ir_diag *d);
/* Runs the passes on g, as its goals say, and writes its bundle into dir. g ends up planned. */
bool write_graph(const options *o, ir_graph *g, const char *dir, ir_diag *d);
/* The same, with the goals that the options ask for; for compile and verify. */
bool compile_graph(const options *o, ir_graph *g, const char *dir, ir_diag *d);
/* Writes the planned graph's --memory-report, if there is to be one. */
bool write_memory_report(const options *o, const ir_graph *g, ir_diag *d);

#endif
