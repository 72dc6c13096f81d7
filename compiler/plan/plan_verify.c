/* plan_verify.c: every verifier in turn. */
#include "plan_verify.h"

#include "verify_conv.h"
#include "verify_cpu.h"
#include "verify_gpu.h"
#include "verify_parts.h"

bool plan_verify(const ir_graph *g, ir_diag *d) {
    verifier v = verifier_of(g, d);
    bool good = verify_structure(&v) && verify_layouts(&v) && verify_convs(&v) && verify_views(&v) &&
                verify_fused(&v) && verify_norms(&v) && verify_streams(&v) && verify_gpu(&v) &&
                verify_memory(&v) && verify_content(&v);
    ir_arena_free(v.scratch);
    return good;
}
