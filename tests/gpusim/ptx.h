/* ptx.h: an interpreter of the PTX that nvcc writes.
 *
 * ptx_open finds a module's kernels and variables; a kernel is decoded once, at its first launch, into
 * ptx_insn. It runs a warp at a time: an instruction works on all 32 lanes, those with a zero mask excepted,
 * so that the cost of dispatch is shared and the loops over lanes are vector code. Lanes that diverge wait as
 * groups; the group with the lowest program counter runs, which is where nvcc's code order lets them meet
 * again.
 */
#ifndef PTX_H
#define PTX_H

#include "sim.h"

enum { PTX_LANES = 32, PTX_MAX_WARPS = 32, PTX_SPECIALS = 24, PTX_CACHE = 16 };

typedef enum ptx_type {
    PTX_U8,
    PTX_S8,
    PTX_U16,
    PTX_S16,
    PTX_U32,
    PTX_S32,
    PTX_U64,
    PTX_S64,
    PTX_F16,
    PTX_BF16,
    PTX_F32,
    PTX_F64,
    PTX_PRED,
    PTX_NONE
} ptx_type;
typedef enum ptx_space { PTX_GENERIC, PTX_GLOBAL, PTX_CONST, PTX_SHARED, PTX_LOCAL, PTX_PARAM } ptx_space;
/* What the loop over instructions does itself; PTX_SYNC waits for the lanes that the instruction names. */
typedef enum ptx_flow {
    PTX_PLAIN,
    PTX_BRANCH,
    PTX_INDEXED,
    PTX_EXIT,
    PTX_BARRIER,
    PTX_SYNC,
    PTX_TRAP
} ptx_flow;

typedef struct ptx_insn ptx_insn;
typedef struct ptx_warp ptx_warp;
typedef void ptx_run(ptx_warp *w, const ptx_insn *in, const uint32_t *mask);

/* A slot is where a register's 32 lanes lie in a warp's file, in units of 128 bytes: one for registers of 32
 * bits and less, two for 64 bits. Immediates and special registers have slots too. A predicate's lane is 0 or
 * ~0. */
struct ptx_insn {
    ptx_run *run;
    uint8_t flow, type, from, space, vector, mode, negated, wide[4]; /* wide: an operand has 64 bits */
    int predicate;                                                   /* slot, -1: none */
    int d[4], a, b, c, e;
    int64_t offset; /* of an address */
    int target;     /* of a branch: an instruction; PTX_INDEXED: a table */
    int line;
    int cache;      /* which of the warp's last buffers */
    unsigned bytes; /* of the type */
    const char *text;
};

typedef struct ptx_param {
    size_t offset, size;
} ptx_param;
typedef struct ptx_table {
    int count, *targets;
} ptx_table;

typedef struct ptx_kernel {
    const char *name;
    struct ptx_module *module;
    char *body; /* in the module's text */
    bool decoded;
    ptx_insn *code;
    int count;
    int slots;
    struct {
        int slot;
        bool wide;
        uint64_t value;
    } * constants;
    int constant_count;
    ptx_table *tables;
    int table_count;
    char ***table_names; /* while it is decoded */
    char **texts;        /* names that the decoder made */
    int text_count;
    ptx_param params[64];
    int param_count;
    size_t param_bytes;
    size_t shared_bytes, local_bytes;
    int max_threads;
} ptx_kernel;

typedef struct ptx_module ptx_module;

/* Keeps text, which must end with a zero byte. Dies on text that it cannot read. */
ptx_module *ptx_open(const char *text);
void ptx_close(ptx_module *m);
/* NULL where there is none of that name. */
ptx_kernel *ptx_find(ptx_module *m, const char *name);
/* Decodes if that has not been done. */
void ptx_prepare(ptx_kernel *k);
/* Address of a module's variable, or NULL. */
void *ptx_variable(ptx_module *m, const char *name);

typedef struct ptx_launch {
    ptx_kernel *kernel;
    unsigned grid[3], block[3];
    size_t dynamic_shared;
    int device;
    const uint8_t *params; /* laid out as the kernel declares them */
} ptx_launch;

/* Runs every block; dies on the first error. */
void ptx_execute(const ptx_launch *launch);
/* Lane-instructions executed so far. */
uint64_t ptx_steps(void);

/* ---- between the interpreter's files ------------------------------------------------------------- */

typedef struct ptx_group {
    int pc;
    uint32_t lanes;
    bool parked;
} ptx_group;

/* Global memory of one buffer that a worker's blocks have written in this launch. */
typedef struct ptx_range {
    const sim_buffer *buffer;
    uint64_t low, high;
} ptx_range;

typedef struct ptx_block {
    const ptx_launch *launch;
    unsigned id[3];
    uint8_t
        tag; /* what the record of global memory holds, while the kernel runs, where this block has written */
    ptx_range *range;
    int ranges;
    size_t shared_bytes;
    uint8_t *shared;
    uint8_t *shared_written;  /* per byte: 0 unwritten, 1 written */
    uint8_t *shared_writer;   /* per byte: warp + 1 that wrote since the last barrier */
    uint32_t *shared_readers; /* per byte: warps that read since the last barrier */
    size_t touched;           /* shared bytes below this have been accessed since the last barrier */
} ptx_block;

struct ptx_warp {
    uint8_t *slots;
    ptx_block *block;
    uint8_t *local; /* lane after lane */
    int index;
    uint32_t live; /* lanes that have not returned */
    uint32_t returned;
    ptx_group group[PTX_LANES];
    int groups;
    int pc; /* of the instruction that runs */
    bool at_barrier;
    int barrier;
    const sim_buffer *cache[PTX_CACHE];
};

#define PTX_EACH for (int l = 0; l < PTX_LANES; l++)

static inline void *ptx_slot(const ptx_warp *w, int slot) {
    return w->slots + (size_t)slot * 128;
}
static inline uint32_t ptx_bits(const uint32_t *mask) {
    uint32_t bits = 0;
    PTX_EACH bits |= (mask[l] & 1u) << l;
    return bits;
}

/* Generic addresses of memory that is not global: windows where no host pointer can be. */
#define PTX_SHARED_WINDOW 0xa1000000000000ull
#define PTX_LOCAL_WINDOW  0xa2000000000000ull
#define PTX_PARAM_WINDOW  0xa3000000000000ull
#define PTX_WINDOW_MASK   0xffff000000000000ull
#define PTX_WINDOW_OF(a)  ((a)&0xff000000000000ull)

/* Dies with kernel, PTX line, block and thread in front. lane < 0: the whole warp. */
_Noreturn void ptx_fail(const ptx_warp *w, const ptx_insn *in, int lane, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

int ptx_type_bytes(ptx_type t);
/* NONE for an unknown word ("u32", "b64", "f16x2" is u32). */
ptx_type ptx_type_named(const char *word);
/* Fills in's handler from an opcode and its operands; false: unknown. The decoder does memory and control. */
ptx_run *ptx_simple_op(const char *name, ptx_type types[5]);
/* The operand as 64-bit integers or doubles, and back with PTX's rounding of the value to the slot's type. */
ptx_run ptx_convert, ptx_compare, ptx_select, ptx_load, ptx_store, ptx_atomic, ptx_pack, ptx_unpack,
    ptx_shuffle, ptx_vote, ptx_to_window, ptx_from_window, ptx_reduce, ptx_nothing, ptx_load_param,
    ptx_directed;

/* Modes of ptx_insn.mode. */
enum {
    PTX_LT = 1,
    PTX_EQ = 2,
    PTX_GT = 4,
    PTX_UNORDERED = 8,
    PTX_COMBINE_AND = 16,
    PTX_COMBINE_OR = 32,
    PTX_COMBINE_XOR = 64
};
enum {
    PTX_NEAREST,
    PTX_ZERO,
    PTX_DOWN,
    PTX_UP,
    PTX_ROUNDING = 7,
    PTX_INTEGRAL = 8,
    PTX_SATURATE = 16,
    PTX_RELU = 32
};
enum { PTX_ADD, PTX_MIN, PTX_MAX, PTX_AND, PTX_OR, PTX_XOR, PTX_EXCH, PTX_CAS, PTX_INC, PTX_DEC };
enum { PTX_SHFL_UP, PTX_SHFL_DOWN, PTX_SHFL_BFLY, PTX_SHFL_IDX };
enum { PTX_VOTE_ANY, PTX_VOTE_ALL, PTX_VOTE_UNI, PTX_VOTE_BALLOT, PTX_VOTE_ACTIVE };

#endif
