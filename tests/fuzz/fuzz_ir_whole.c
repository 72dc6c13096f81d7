/* IR text to bundles: parser, passes, code for both targets. */
#include "plan_verify.h"
#include "fuzz_whole.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ir_diag d = {0};
    char *text = strndup((const char *)data, size);
    ir_graph *g = ir_parse(text, "fuzz.ir", NULL, NULL, &d);
    free(text);
    if (!g)
        fuzz_refused(&d);
    else if (plan_verify(g, &d))
        fuzz_whole(g, ir_hash(data, size));
    ir_graph_free(g);
    return 0;
}
