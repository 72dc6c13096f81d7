/* The IR's text form: what parses prints, and what is printed parses to what prints the same. */
#include "fuzz.h"
#include "plan_verify.h"

static const void *no_blob(void *ctx, const char *name, uint64_t hash, size_t bytes) {
    (void)ctx, (void)name, (void)hash, (void)bytes;
    return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ir_diag d = {0};
    char *text = strndup((const char *)data, size);
    ir_graph *g = ir_parse(text, "fuzz.ir", no_blob, NULL, &d);
    free(text);
    if (!g) {
        fuzz_refused(&d);
        return 0;
    }
    char *printed = ir_print_string(g);
    ir_graph *again = ir_parse(printed, "printed.ir", no_blob, NULL, &d);
    FUZZ_CHECK(again, "%s\n%s", d.text, printed);
    char *twice = ir_print_string(again);
    FUZZ_CHECK(strcmp(printed, twice) == 0, "%s\nthen\n%s", printed, twice);
    ir_diag first = {0}, second = {0};
    FUZZ_CHECK(plan_verify(g, &first) == plan_verify(again, &second), "%s%s", first.text, second.text);
    ir_graph_free(again);
    ir_graph_free(g);
    free(printed);
    free(twice);
    return 0;
}
