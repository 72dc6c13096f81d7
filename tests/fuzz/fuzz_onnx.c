/* The reader of ONNX files: what it accepts is a graph that the verifier accepts. */
#include "onnx_mutator.h"

#include "front_onnx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ir_diag d = {0};
    ir_graph *g = onnx_load(fuzz_file(data, size), NULL, &d);
    if (g) {
        FUZZ_CHECK(ir_verify(g, &d), "%s", d.text);
        ir_graph_free(g);
    } else {
        fuzz_refused(&d);
        FUZZ_CHECK(!strchr(d.text, '\n'), "%s", d.text);
    }
    return 0;
}
