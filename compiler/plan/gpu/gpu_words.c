/* gpu_words.c: see gpu_words.h. */
#include "gpu_words.h"

#include <string.h>

/* ---- attributes ------------------------------------------------------------------------------ */

static void put_runner(FILE *f, const ir_node *n) {
    if (n->gpu.runner) fprintf(f, " gpu=%s", ir_gpu_name(n->gpu.runner));
}

static bool take_runner(parser *p, ir_node *n, const char *word, int number) {
    (void)word, (void)number;
    if (!lex_expect(&p->x, '=')) return false;
    lexer place = p->x;
    const char *runner = lex_word(&p->x, "what runs the node on a GPU");
    if (!runner) return false;
    for (int gpu = IR_GPU_NONE + 1; gpu < IR_GPU_COUNT; gpu++) {
        if (strcmp(runner, ir_gpu_name((ir_gpu)gpu)) != 0) continue;
        n->gpu.runner = (ir_gpu)gpu;
        return true;
    }
    p->x = place;
    return lex_fail(&p->x, "gpu is cudnn, kernel, gemm_scatter or dgrad");
}

const ir_plan_word gpu_attributes[] = {{"gpu", false, put_runner, take_runner}, {0}};

/* ---- places ---------------------------------------------------------------------------------- */

/* Pitch and storage. */
static void put_voxels(FILE *f, const ir_node *n) {
    const ir_tensor_gpu *y = &n->out[0]->gpu;
    if (y->pitch) fprintf(f, " pitch%lld", (long long)y->pitch);
    if (y->storage) fprintf(f, " %s", ir_storage_name(y->storage));
}

static bool take_pitch(parser *p, ir_node *n, const char *word, int number) {
    (void)p, (void)word;
    n->out[0]->gpu.pitch = number;
    return true;
}

static bool take_storage(parser *p, ir_node *n, const char *word, int number) {
    (void)p, (void)number;
    for (int s = IR_STORE_OWN + 1; s < IR_STORAGE_COUNT; s++)
        if (strcmp(word, ir_storage_name((ir_storage)s)) == 0) n->out[0]->gpu.storage = (ir_storage)s;
    return true;
}

const ir_plan_word gpu_places[] = {{"pitch", true, put_voxels, take_pitch},
#define X(symbol, name, bytes) {name, false, NULL, take_storage},
                                   IR_STORAGES(X)
#undef X
                                       {0}};

/* ---- counts ---------------------------------------------------------------------------------- */

static bool is_channels_last(const ir_tensor *t) {
    return t->gpu.pitch != 0;
}
static bool is_own(const ir_node *n) {
    return n->gpu.runner == IR_GPU_KERNEL;
}
static bool is_cudnn(const ir_node *n) {
    return n->gpu.runner != IR_GPU_NONE && n->gpu.runner != IR_GPU_KERNEL;
}

const plan_count gpu_counts[] = {{"channels-last values", NULL, is_channels_last},
                                 {"nodes for cuDNN", is_cudnn, NULL},
                                 {"nodes for kernels of our own", is_own, NULL},
                                 {0}};
