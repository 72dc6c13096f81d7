/* The reader of descriptions, and of the volume section alone. */
#include "fuzz.h"

#include "front_yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ir_diag d = {0};
    ir_graph *g = yaml_parse((const char *)data, size, "fuzz.yaml", NULL, &d);
    if (!g) {
        fuzz_refused(&d);
        return 0;
    }
    FUZZ_CHECK(ir_verify(g, &d), "%s", d.text);
    if (size > 0 && data[size - 1] == '\n' && !yaml_load_volume(g, fuzz_file(data, size), &d))
        fuzz_refused(&d);
    ir_graph_free(g);
    return 0;
}
