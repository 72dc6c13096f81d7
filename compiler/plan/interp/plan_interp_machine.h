/* plan_interp_machine.h: what the files of the plan's interpreter share; see plan_interp.h. */
#ifndef VOXC_PLAN_INTERP_MACHINE_H
#define VOXC_PLAN_INTERP_MACHINE_H

#include "index.h"
#include "ir.h"
#include "lifetime.h"
#include "stream.h"

/* Bytes that the emitted code has: the arena, or a port of the caller's. owner: for each byte, what was
 * written there last (plan_interp_owner.c). */
typedef struct plan_region {
    const char *name;
    unsigned char *bytes;
    uint32_t *owner;
    int64_t size;
} plan_region;

/* What a node owns besides its result's elements. */
typedef enum plan_claim { PLAN_SCRATCH, PLAN_SUMS, PLAN_WORKSPACE, PLAN_CLAIMS } plan_claim;

typedef struct plan_machine {
    const ir_graph *g;
    ir_arena *arena; /* of the interpreter's own objects */
    ir_diag *d;
    ir_index index;
    plan_region memory, *inputs, *outputs;
    uint32_t *first;        /* per tensor: the owner that its element 0 is */
    uint32_t first_claim;   /* behind the tensors: PLAN_CLAIMS for each node */
    int64_t *window;        /* per node: the first plane that its result's window holds */
    ir_value *constants;    /* per tensor, once read */
    ir_value *sums;         /* per node: of a gathered norm_terms, what was summed up */
    int node;               /* that runs; n_nodes: the caller */
    ir_planes planes;       /* that it makes; end < 0: all of its result */
    bool overflows;         /* some result was too large for what it is kept as */
    const ir_tensor *reads; /* while its elements are looked for */
    ir_buffers buffers;     /* of a GPU's plan: what its code keeps cuDNN's workspace away from */
} plan_machine;

/* plan_interpret; *overflows: whether infinities may stand where sums in double precision are finite. */
bool plan_run(const ir_graph *planned, const ir_value *in, ir_value *out, bool *overflows, ir_diag *d);

/* ---- plan_interp_owner.c: who wrote a byte ----------------------------------------------------- */

enum { PLAN_NOBODY = 0 };

/* Numbers all elements of all tensors; false with d filled if there are too many. */
bool plan_number_owners(plan_machine *m);
int plan_tensor_number(const plan_machine *m, const ir_tensor *t);
int plan_node_number(const plan_machine *m, const ir_node *n);
/* Whoever writes element i of t, which may be a member's or another shape's that lies in the same place. */
uint32_t plan_owner(const plan_machine *m, const ir_tensor *t, int64_t i);
uint32_t plan_filler(const plan_machine *m, const ir_tensor *t);  /* of t's bytes that are no elements */
uint32_t plan_pending(const plan_machine *m, const ir_tensor *t); /* of t's bytes until its node is done */
uint32_t plan_claimed(const plan_machine *m, int node, plan_claim claim);
/* Whether a byte with this owner belongs to t or what lies in the same memory. */
bool plan_is_akin(const plan_machine *m, uint32_t owner, const ir_tensor *t);
/* "element [0,1,2,3,4] of %x": lives in the machine's arena. */
const char *plan_owner_text(const plan_machine *m, uint32_t owner);
/* Whether no code runs for n: its result is there already. */
bool plan_is_free(const ir_node *n);
/* Whether member k of a concat is where it belongs without a copy. */
bool plan_is_placed(const ir_node *concat, int k);

/* ---- plan_interp_memory.c: elements and bytes --------------------------------------------------- */

/* Allocates the regions, all bytes set to a pattern that is NaN in every format. */
bool plan_open_memory(plan_machine *m, const ir_value *in);
void plan_close_memory(plan_machine *m);
ir_planes plan_all(const ir_tensor *t); /* {0, D}; {0, -1} where t has no D */
/* The elements of t's planes, row-major, into v (malloc'd). needed: per plane of t, NULL for all; elements of
 * others are NaN. False with d filled where memory holds something else. */
bool plan_read(plan_machine *m, const ir_tensor *t, ir_planes planes, const bool *needed, ir_value *v);
/* Before a node computes: what it will write holds nothing any more. `over`: an operand that an element-wise
 * kernel may overwrite in place, NULL: none. wide: all channels up to the pitch are written. */
bool plan_clear(plan_machine *m, const ir_tensor *t, ir_planes planes, const ir_tensor *over, bool wide);
/* After that: writes the elements, rounded as memory keeps them. */
bool plan_write(plan_machine *m, const ir_tensor *t, ir_planes planes, const ir_tensor *over, bool wide,
                const ir_value *v);
/* Of a channels-last tensor whose reader multiplies what lies behind C by 0: that it holds numbers.
 * wide: up to the pitch, else what t owns of the voxel. */
bool plan_read_padding(plan_machine *m, const ir_tensor *t, ir_planes planes, const bool *needed, bool wide);
/* Bytes of the arena, of which the plan has set so many aside, become a node's; are still a node's. */
bool plan_take(plan_machine *m, int64_t at, int64_t bytes, int64_t planned, uint32_t owner);
bool plan_still(plan_machine *m, int64_t at, int64_t bytes, uint32_t owner);

/* ---- plan_interp_planes.c: some planes of a node ------------------------------------------------ */

/* n makes planes in multiples of this many, the last ones excepted. */
int64_t plan_grain(const ir_node *n);
/* Which planes of operand k the emitted code reads for `made`: needed (room for the operand's planes) is set,
 * the hull is returned. */
ir_planes plan_planes_needed(const ir_node *n, int k, ir_planes made, bool *needed);
/* n as a node that computes the planes `made` alone from planes read[k] of its operands. */
const ir_node *plan_part(ir_arena *a, const ir_node *n, ir_planes made, const ir_planes *read);

#endif
