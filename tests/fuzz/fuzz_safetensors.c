/* The reader of weight files, for a small network. */
#include "fuzz.h"

#include "safetensors.h"

static const char network[] = "graph fuzz\n"
                              "input %x f32[1,2,4,4,4]\n"
                              "const %c.weight f32[2,2,1,1,1] opaque\n"
                              "const %c.bias f32[2] opaque\n"
                              "%c = conv(%x, %c.weight, %c.bias) kernel=1x1x1 stride=1x1x1 dilation=1x1x1 "
                              "pad=[0,0,0,0,0,0] group=1\n"
                              "const %n.weight f32[2] opaque\n"
                              "const %n.bias f32[2] opaque\n"
                              "%n = instance_norm(%c, %n.weight, %n.bias) eps=0.00001\n"
                              "output %n\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ir_diag d = {0};
    ir_graph *g = ir_parse(network, "network.ir", NULL, NULL, &d);
    FUZZ_CHECK(g, "%s", d.text);
    if (!weights_parse(g, (const char *)data, size, "fuzz.safetensors", &d)) fuzz_refused(&d);
    for (int i = 0; i < g->n_tensors && !d.code; i++)
        FUZZ_CHECK(g->tensors[i]->role != IR_ROLE_CONST || g->tensors[i]->data, "no data for %s",
                   g->tensors[i]->name);
    ir_graph_free(g);
    return 0;
}
