/* ptx_text.h: reading PTX text: names, words, operands. */
#ifndef PTX_TEXT_H
#define PTX_TEXT_H

#include "ptx.h"

typedef enum ptx_name_kind { PTX_REGISTER, PTX_ADDRESS, PTX_ARGUMENT, PTX_LABEL, PTX_LIST } ptx_name_kind;

/* What a name stands for: a register's slot and bits (1: a predicate), an address (of a variable in its
 * space), a parameter's offset, a label's instruction, or a list of branch targets. */
typedef struct ptx_name {
    const char *text;
    ptx_name_kind kind;
    ptx_space space;
    int bits;
    int64_t value; /* slot (-1: not given yet), address, offset, instruction, list */
    size_t size;
} ptx_name;

typedef struct ptx_names {
    ptx_name *entry; /* hashed; text NULL: free */
    size_t room, count;
} ptx_names;

/* A later name replaces an earlier one of the same text. Texts are kept, not copied. */
ptx_name *ptx_add_name(ptx_names *names, ptx_name name);
/* NULL where there is none. */
ptx_name *ptx_get_name(const ptx_names *names, const char *text);
void ptx_free_names(ptx_names *names);

/* An instruction's text taken apart. Texts are the statement's own, with zero bytes put in. */
enum { PTX_WORDS = 14, PTX_OPERANDS = 8 };
typedef struct ptx_statement {
    char *guard; /* name of its predicate, or NULL */
    bool negated;
    char *opcode;
    char *operand[PTX_OPERANDS];
    int operands;
    int line;
} ptx_statement;

char *ptx_skip_space(char *p);
/* Puts zero bytes at the ends of the parts of text that commas outside brackets divide (and bars, where asked
 * for); returns how many, at most most. */
int ptx_split(char *text, char **part, int most);
char *ptx_trim(char *text);
/* Takes apart an instruction; text ends where its semicolon was. */
void ptx_take_apart(char *text, ptx_statement *s);
/* ".align 4 .b8 name[16]" and the like, without its state space: bytes and alignment. Returns the name. */
char *ptx_declarator(char *text, size_t *bytes, size_t *align, int *element);
size_t ptx_aligned(size_t n, size_t align);

/* A module's text with comments blanked; its variables and kernels. */
struct ptx_module {
    char *text;
    char *pristine; /* the same, where text gets zero bytes as it is taken apart: to count lines */
    ptx_kernel **kernels;
    int kernel_count;
    ptx_names names;
    void **variables;
    int variable_count;
};

/* "Line N" of a place in the module's text. */
int ptx_line(const ptx_module *m, const char *place);

/* ---- the decoder --------------------------------------------------------------------------------- */

typedef struct ptx_decoder {
    ptx_kernel *kernel;
    ptx_names names;
    ptx_statement *statement;
    int count, room;
    const ptx_statement *now; /* being decoded */
} ptx_decoder;

_Noreturn void ptx_unknown(const ptx_decoder *d, const char *what);
/* The slot of an operand; immediates and addresses become constants as wide as the type. */
int ptx_operand(ptx_decoder *d, const char *text, ptx_type type);
/* The declared width of a register; *bits stays as it is if `text` names none. */
void ptx_register_bits(ptx_decoder *d, const char *text, int *bits);
/* The slot of a destination, -1 for "_"; *bits, if not NULL, its register's. */
int ptx_destination(ptx_decoder *d, const char *text, int *bits);
/* A destination "a|b" or "a": fills d[0] and d[1] (-1: none). */
void ptx_pair(ptx_decoder *d, char *text, ptx_insn *in);
/* Splits "{a, b}", or gives back the one operand. */
int ptx_vector(char *text, char *part[4]);
/* Fills in from an opcode of memory, synchronisation, conversion or comparison; false: none of those. */
bool ptx_decode_memory(ptx_decoder *d, ptx_insn *in, char **word, int words);
bool ptx_decode_value(ptx_decoder *d, ptx_insn *in, char **word, int words);
bool ptx_decode_sync(ptx_decoder *d, ptx_insn *in, char **word, int words);

#endif
