/* Descriptions to bundles: reader, passes, code for both targets. */
#include "fuzz_whole.h"

#include "front_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ir_diag d = {0};
    ir_graph *g = yaml_parse((const char *)data, size, "fuzz.yaml", NULL, &d);
    if (g)
        fuzz_whole(g, ir_hash(data, size));
    else
        fuzz_refused(&d);
    ir_graph_free(g);
    return 0;
}
