/* fold_work.c: see fold_work.h. */
#include "fold_work.h"

#include "integers.h"

static int64_t plus(int64_t a, int64_t b) {
    return __builtin_add_overflow(a, b, &a) ? INT64_MAX : a;
}

/* Elements in the window of a pool; 1 for other nodes. */
static int64_t window_elements(const ir_node *n) {
    const ir_attr *kernel = ir_get(n, IR_KERNEL);
    int64_t volume = 1;
    for (int i = 0; kernel && i < kernel->count; i++) volume = ir_times(volume, kernel->i[i]);
    return volume;
}

int64_t fold_work(const ir_node *n) {
    int64_t work = plus(ir_macs(n), ir_times(ir_count(n->out[0]), window_elements(n)));
    for (int k = 0; n->op != IR_OP_SHAPE_OF && k < n->n_in; k++)
        if (n->in[k]) work = plus(work, ir_count(n->in[k]));
    return work;
}
