/* pass_dead.c: takes out what no output needs. */
#include "graph_passes.h"

/* requires nothing | maintains every output | gives a graph whose every node and constant is needed */
bool pass_dead(ir_graph *g, ir_diag *d) {
    (void)d;
    ir_remove_dead(g);
    return true;
}
