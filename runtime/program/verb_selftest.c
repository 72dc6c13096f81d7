/* SPDX-License-Identifier: MIT-0 */
/* verb_selftest.c: `N selftest`. */
#include <stdio.h>

#include "backend.h"
#include "golden_check.h"
#include "host.h"
#include "report.h"
#include "program_verbs.h"

static int recompute(vox_host *h) {
    const char *layer = NULL, *where = vox_host_where(h);
    double worst = 0;
    vox_status status = vox_host_selftest(h, &layer, &worst);
    if (status == VOX_E_SELFTEST)
        return vox_fail(
            VOX_EXIT_FAILURE,
            "selftest: the first diverging layer is %s, error %.3g times what rounding allows (%s)",
            layer ? layer : "unknown", worst, where);
    if (status != VOX_OK) return vox_fail_status("selftest", status);
    const int n = h->model->n_layers, unchecked = h->backend != NULL ? h->backend->unchecked : 0;
    char of[32] = "";
    if (unchecked > 0) snprintf(of, sizeof of, " of %d", n);
    printf("ok: %d%s layers, %s, worst error %.3g of what rounding allows\n", n - unchecked, of, where,
           worst);
    return 0;
}

int vox_verb_selftest(const vox_context *c, int argc, char **argv) {
    int threads = 0, operands = 0;
    const char *weights = NULL, *golden = NULL;
    const vox_option table[] = {
        {"--threads", 't', VOX_OPTION_INT, &threads, 0, VOX_MAX_THREADS, "N",
         "threads (default 0: one per processor)"},
        {"--weights", 0, VOX_OPTION_TEXT, &weights, 0, 0, "FILE",
         "weight file (default: beside the program)"},
        VOX_ISA_OPTION,
        {"--golden", 0, VOX_OPTION_TEXT, &golden, 0, 0, "DIR",
         "compare a run with the folder that voxc compile --golden wrote"},
    };
    int code = vox_options_read(c, table, sizeof table / sizeof *table, argc, argv, &operands);
    if (code >= 0) return code;
    if (operands != 0) return vox_usage_error(c, "takes no operand, not '%s'", argv[0]);
    vox_host h;
    code = vox_backend_open(&h, c, &(vox_request){.weights = weights, .threads = threads, .selftest = 1});
    if (code != 0) return code;
    code = golden != NULL ? vox_golden_check(&h, golden) : recompute(&h);
    vox_host_close(&h);
    return code;
}
