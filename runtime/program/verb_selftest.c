/* SPDX-License-Identifier: MIT-0 */
/* verb_selftest.c: `N selftest`. */
#include <stdio.h>

#include "host.h"
#include "report.h"
#include "verbs.h"

int vox_verb_selftest(const vox_context *c, int argc, char **argv) {
    int threads = 0, operands = 0;
    const char *weights = NULL;
    const vox_option table[] = {
        {"--threads", 't', VOX_OPTION_INT, &threads, 0, VOX_MAX_THREADS, "N",
         "threads (default 0: one per processor)"},
        {"--weights", 0, VOX_OPTION_TEXT, &weights, 0, 0, "FILE",
         "weight file (default: beside the program)"},
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    if (code >= 0) return code;
    if (operands != 0) return vox_usage_error(c, "takes no operand, not '%s'", argv[0]);
    vox_host h;
    code = vox_host_open(&h, c->model, weights, threads, c->model->selftest_bytes);
    if (code != 0) return code;
    const char *layer = NULL;
    double worst = 0;
    vox_status status = c->model->selftest(h.prepared, h.arena, h.arena_bytes, &h.executor, &layer, &worst);
    const char *isa = c->model->isa != NULL ? c->model->isa() : NULL;
    if (status == VOX_OK) {
        printf("ok: %d layers, %s, worst error %.3g of what rounding allows\n", c->model->n_layers,
               isa ? isa : "?", worst);
    } else if (status == VOX_E_SELFTEST) {
        code =
            vox_fail(VOX_EXIT_FAILURE,
                     "selftest: the first diverging layer is %s, error %.3g times what rounding allows (%s)",
                     layer ? layer : "unknown", worst, isa ? isa : "?");
    } else {
        code = vox_fail_status("selftest", status);
    }
    vox_host_close(&h);
    return code;
}
