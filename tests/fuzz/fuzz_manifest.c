/* A manifest's table of measured algorithms: read, then followed by the passes. */
#include "fuzz_whole.h"

#include "tune.h"

static const char network[] =
    "graph fuzz\n"
    "input %x f32[1,4,8,8,8]\n"
    "const %w f32[4,4,3,3,3] splat(0.1)\n"
    "const %v f32[20,4,3,3,3] splat(0.2)\n"
    "%a = conv(%x, %w) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1\n"
    "%b = conv(%a, %v) kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1\n"
    "output %b\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ir_diag d = {0};
    pass_report reports[MAX_PASSES];
    int passes;
    ir_graph *g = ir_parse(network, "network.ir", NULL, NULL, &d);
    FUZZ_CHECK(g, "%s", d.text);
    fuzz_goals(g, ir_hash(data, size) & ~UINT64_C(1));
    if (!tune_read(fuzz_file(data, size), g, &d) || !fit(g, &d) ||
        !pipeline_run(g, &(pipeline_options){0}, reports, &passes, &d))
        fuzz_refused(&d);
    ir_graph_free(g);
    return 0;
}
