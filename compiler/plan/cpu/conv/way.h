/* way.h: a way to compute a convolution is a const struct in a file of its own, way_NAME.c, and a line of
 * ways.def. Passes, verifiers, cost reports, tuning and code generation ask the struct.
 */
#ifndef VOXC_CONV_WAY_H
#define VOXC_CONV_WAY_H

#include "ir.h"
#include "pack.h"

typedef struct cg_way cg_way;

/* A way with its numbers: what ir_node.cpu holds of a convolution. */
typedef struct cg_choice {
    const cg_way *way;
    int64_t tile[3]; /* outputs along D, H, W that are computed as one; all 0: the way has no tiles */
    int64_t batch;   /* tiles that a lane works on at a time; 0: it has none */
} cg_choice;

/* Sums of its results that a conv leaves for a norm: `slots` of them for every `planes` output planes. */
typedef struct cg_sums {
    int64_t planes, slots;
    int64_t total; /* slots */
    int64_t bytes;
} cg_sums;

enum { CG_MOST_OFFERS = 8, CG_MOST_TRIES = 4 };

/* In all functions n is a conv and c a choice of this way for it. A member that is absent is 0. */
struct cg_way {
    const char *name; /* in the text form */
    const char
        *tuned; /* in tables of measured choices; ways that are never in each other's place share one */
    const char *title;  /* in a layer's title: "deep Winograd" */
    const char *method; /* in reports: "Winograd", with the tile behind it, and then ... */
    const char *aside;  /* ", weights transformed on the way" */

    /* Which choices can compute n under g's goals, but for the thrift of scratch memory: how many of
     * CG_MOST_OFFERS. */
    int (*offer)(const ir_graph *g, const ir_node *n, cg_choice *list);
    /* Whether c computes n, whatever the goals. */
    bool (*admits)(const ir_node *n, const cg_choice *c);
    double (*cycles)(const ir_node *n, const cg_choice *c); /* of one core, in multiply-adds of 16 channels */
    int64_t tries[CG_MOST_TRIES][3];                        /* tiles that --tune measures */
    int n_tries;
    int run; /* products that are summed in one go where the goals are not strict */
    /* How many times a direct sum's the RMS rounding error is, at most; absent: 1. */
    double (*rounding)(const cg_choice *c);

    /* Bytes of scratch memory: each lane's own (absent: the way needs none), and what all lanes share. */
    int64_t (*lane)(const ir_node *n, const cg_choice *c);
    int64_t (*shared)(const ir_node *n, const cg_choice *c);
    /* Pieces of work: more lanes than that are of no use. */
    int64_t (*items)(const ir_node *n, const cg_choice *c);
    /* What one task computes where `planes` output planes are made at a time: numbers that blocking.h
     * explains. Absent: the kernel shares its work out itself, among its lanes. */
    void (*split)(const ir_node *n, int64_t planes, int64_t split[4]);

    bool whole; /* makes all planes of its result at once: no stream can hold it */
    /* Of such a way: output planes that are computed at a time, in how many phases. */
    int64_t (*planes)(const ir_node *n, const cg_choice *c);
    int phases;

    bool stores_more; /* a half pool and a crop of the result, while it is in registers */
    /* Whether it can normalise its operand as it loads it; absent: never. */
    bool (*loads)(const ir_node *n);
    /* planes and slots of the sums that it can leave; lanes: how many are at work. */
    cg_sums (*sums)(const ir_node *n, const cg_choice *c, int lanes);

    /* How its weights lie in the prepared buffer. */
    cg_packing (*packing)(const ir_node *n, const cg_choice *c);

    /* The emitted code. */
    const char *template_file; /* "winograd.c.in" */
    const char *header;        /* of the runtime: "vox_winograd_deep.h" */
    const char *kernel;        /* vox_f32_KERNEL */
    /* Tiles, as the layer's comment counts them. */
    int64_t (*tiles)(const ir_node *n, const cg_choice *c);
};

#define WAY(name) extern const cg_way cg_way_##name;
#include "ways.def"
#undef WAY
enum {
#define WAY(name) CG_WAY_##name,
#include "ways.def"
#undef WAY
    CG_WAYS
};
extern const cg_way *const cg_ways[CG_WAYS];

/* By its name; NULL: there is none. */
const cg_way *cg_way_named(const char *name);
/* "direct, direct_few, winograd, ..." */
const char *cg_way_names(ir_arena *arena);
/* How conv n is computed; directly where no pass has chosen. */
cg_choice cg_choice_of(const ir_node *n);
const cg_way *cg_way_of(const ir_node *n);
/* Whether two choices are the same whatever the batch. */
bool cg_same_choice(const cg_choice *a, const cg_choice *b);
/* "direct", "Winograd F(4x4x4), weights transformed on the way" */
const char *cg_choice_text(const cg_choice *c, ir_arena *arena);

#endif
