/* ptx_decode_ops.c: instructions whose opcode has structure: memory, exchanges, conversions, comparisons. */
#include "ptx_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct word_value {
    const char *word;
    int value;
} word_value;

/* The value of the first of an opcode's words that the table (which ends with NULL) has, or otherwise. */
static int among(const word_value *table, char **word, int words, int otherwise) {
    for (int i = 1; i < words; i++)
        for (const word_value *t = table; t->word; t++)
            if (strcmp(t->word, word[i]) == 0) return t->value;
    return otherwise;
}

static bool has(char **word, int words, const char *wanted) {
    for (int i = 1; i < words; i++)
        if (strcmp(word[i], wanted) == 0) return true;
    return false;
}

static bool is(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

/* ---- memory -------------------------------------------------------------------------------------- */

static const word_value spaces[] = {
    {"global", PTX_GLOBAL}, {"const", PTX_CONST}, {"shared", PTX_SHARED},      {"shared::cta", PTX_SHARED},
    {"local", PTX_LOCAL},   {"param", PTX_PARAM}, {"param::entry", PTX_PARAM}, {NULL, 0}};
static const word_value vectors[] = {{"v2", 2}, {"v4", 4}, {NULL, 0}};
static const word_value operations[] = {{"add", PTX_ADD},   {"min", PTX_MIN}, {"max", PTX_MAX},
                                        {"and", PTX_AND},   {"or", PTX_OR},   {"xor", PTX_XOR},
                                        {"exch", PTX_EXCH}, {"cas", PTX_CAS}, {"inc", PTX_INC},
                                        {"dec", PTX_DEC},   {NULL, 0}};

/* "[%rd1+8]", "[name]", "[16]": a slot and an offset. Says whether a register holds the base. */
static bool address(ptx_decoder *d, ptx_insn *in, char *text) {
    char *end = strrchr(text, ']');
    if (*text != '[' || !end) ptx_unknown(d, "an address");
    *end = 0;
    text = ptx_trim(text + 1);
    char *plus = strchr(text, '+');
    if (plus) {
        *plus = 0;
        in->offset = strtoll(plus + 1, NULL, 0);
    }
    text = ptx_trim(text);
    if (*text != '%') { /* ptx_operand makes a variable's address a constant of 64 bits */
        const ptx_name *n = ptx_get_name(&d->kernel->module->names, text);
        if (in->space == PTX_PARAM && n) {
            in->offset += n->value;
            return false;
        }
        in->a = ptx_operand(d, text, PTX_U64);
        in->wide[3] = 1;
        return true;
    }
    int bits;
    in->a = ptx_destination(d, text, &bits);
    in->wide[3] = bits == 64;
    return true;
}

static void note_width(ptx_insn *in, int bits) {
    in->wide[0] = bits == 64;
    in->wide[1] = bits == 16;
}

static void decode_transfer(ptx_decoder *d, ptx_insn *in, char **word, int words, bool load) {
    const ptx_statement *s = d->now;
    char *part[4];
    if (s->operands != 2) ptx_unknown(d, "an instruction");
    in->space = (uint8_t)among(spaces, word, words, PTX_GENERIC);
    in->vector = (uint8_t)among(vectors, word, words, 1);
    in->type = (uint8_t)ptx_type_named(word[words - 1]);
    if (in->type == PTX_NONE) ptx_unknown(d, "a type");
    const bool based = address(d, in, s->operand[load ? 0 + 1 : 0]);
    in->run = load ? (based ? ptx_load : ptx_load_param) : ptx_store;
    if (ptx_vector(s->operand[load ? 0 : 1], part) != in->vector) ptx_unknown(d, "a vector");
    for (int i = 0; i < in->vector; i++) {
        int bits = 8 * ptx_type_bytes((ptx_type)in->type);
        if (load || *part[i] == '%')
            in->d[i] = ptx_destination(d, part[i], &bits);
        else
            in->d[i] = ptx_operand(d, part[i], (ptx_type)in->type);
        note_width(in, bits);
    }
}

static void decode_atomic(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    const ptx_statement *s = d->now;
    const bool returns = is(word[0], "atom");
    const int operation = among(operations, word, words, -1);
    in->space = (uint8_t)among(spaces, word, words, PTX_GENERIC);
    in->type = (uint8_t)ptx_type_named(word[words - 1]);
    const int bytes = ptx_type_bytes((ptx_type)in->type);
    if (operation < 0 || bytes < 4 || in->type == PTX_F64 || s->operands < 2 + returns)
        ptx_unknown(d, "an atomic");
    in->mode = (uint8_t)operation;
    in->run = ptx_atomic;
    if (returns) in->d[0] = ptx_destination(d, s->operand[0], NULL);
    address(d, in, s->operand[returns]);
    in->b = ptx_operand(d, s->operand[returns + 1], (ptx_type)in->type);
    if (operation == PTX_CAS) in->c = ptx_operand(d, s->operand[returns + 2], (ptx_type)in->type);
}

static void decode_cvta(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    const bool from = has(word, words, "to");
    switch (among(spaces, word, words, PTX_GENERIC)) {
    case PTX_SHARED:
        in->offset = (int64_t)PTX_SHARED_WINDOW;
        break;
    case PTX_LOCAL:
        in->offset = (int64_t)PTX_LOCAL_WINDOW;
        break;
    case PTX_PARAM:
        in->offset = (int64_t)PTX_PARAM_WINDOW;
        break;
    default:
        break;
    }
    in->run = from ? ptx_from_window : ptx_to_window;
    in->d[0] = ptx_destination(d, d->now->operand[0], NULL);
    in->a = ptx_operand(d, d->now->operand[1], PTX_U64);
}

bool ptx_decode_memory(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    static const char *const hints[] = {"membar",    "fence",     "prefetch",
                                        "prefetchu", "nanosleep", "griddepcontrol"};
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (is(word[0], hints[i])) return true;
    if (is(word[0], "ld") || is(word[0], "ldu"))
        decode_transfer(d, in, word, words, true);
    else if (is(word[0], "st"))
        decode_transfer(d, in, word, words, false);
    else if (is(word[0], "atom") || is(word[0], "red"))
        decode_atomic(d, in, word, words);
    else if (is(word[0], "cvta"))
        decode_cvta(d, in, word, words);
    else
        return false;
    return true;
}

/* ---- exchanges ----------------------------------------------------------------------------------- */

static void decode_shuffle(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    static const word_value modes[] = {{"up", PTX_SHFL_UP},
                                       {"down", PTX_SHFL_DOWN},
                                       {"bfly", PTX_SHFL_BFLY},
                                       {"idx", PTX_SHFL_IDX},
                                       {NULL, 0}};
    char *const *operand = d->now->operand;
    if (d->now->operands != 5) ptx_unknown(d, "a shuffle");
    in->flow = PTX_SYNC;
    in->run = ptx_shuffle;
    in->mode = (uint8_t)among(modes, word, words, PTX_SHFL_IDX);
    ptx_pair(d, operand[0], in);
    in->a = ptx_operand(d, operand[1], PTX_U32);
    in->b = ptx_operand(d, operand[2], PTX_U32);
    in->c = ptx_operand(d, operand[3], PTX_U32);
    in->e = ptx_operand(d, operand[4], PTX_U32);
}

static int condition(ptx_decoder *d, ptx_insn *in, const char *text) {
    in->wide[3] = *text == '!';
    return ptx_operand(d, text + in->wide[3], PTX_PRED);
}

static void decode_vote(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    static const word_value modes[] = {{"any", PTX_VOTE_ANY},
                                       {"all", PTX_VOTE_ALL},
                                       {"uni", PTX_VOTE_UNI},
                                       {"ballot", PTX_VOTE_BALLOT},
                                       {NULL, 0}};
    if (d->now->operands != 3) ptx_unknown(d, "a vote");
    in->flow = PTX_SYNC;
    in->run = ptx_vote;
    in->mode = (uint8_t)among(modes, word, words, PTX_VOTE_BALLOT);
    in->d[0] = ptx_destination(d, d->now->operand[0], NULL);
    in->a = condition(d, in, d->now->operand[1]);
    in->e = ptx_operand(d, d->now->operand[2], PTX_U32);
}

static void decode_redux(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    if (d->now->operands != 3) ptx_unknown(d, "a reduction");
    in->flow = PTX_SYNC;
    in->run = ptx_reduce;
    in->mode = (uint8_t)among(operations, word, words, PTX_ADD);
    in->type = (uint8_t)ptx_type_named(word[words - 1]);
    in->d[0] = ptx_destination(d, d->now->operand[0], NULL);
    in->a = ptx_operand(d, d->now->operand[1], PTX_U32);
    in->e = ptx_operand(d, d->now->operand[2], PTX_U32);
}

static void decode_barrier(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    if (has(word, words, "warp")) {
        in->flow = PTX_SYNC;
        in->e = ptx_operand(d, d->now->operand[0], PTX_U32);
        return;
    }
    if (!has(word, words, "sync") || d->now->operands != 1) ptx_unknown(d, "a barrier of some threads");
    in->flow = PTX_BARRIER;
}

bool ptx_decode_sync(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    if (is(word[0], "shfl")) {
        decode_shuffle(d, in, word, words);
    } else if (is(word[0], "vote")) {
        decode_vote(d, in, word, words);
    } else if (is(word[0], "redux")) {
        decode_redux(d, in, word, words);
    } else if (is(word[0], "bar") || is(word[0], "barrier")) {
        decode_barrier(d, in, word, words);
    } else if (is(word[0], "activemask")) {
        in->run = ptx_vote;
        in->mode = PTX_VOTE_ACTIVE;
        in->d[0] = ptx_destination(d, d->now->operand[0], NULL);
    } else {
        return false;
    }
    return true;
}

/* ---- values -------------------------------------------------------------------------------------- */

static const word_value roundings[] = {{"rn", PTX_NEAREST},
                                       {"rz", PTX_ZERO},
                                       {"rm", PTX_DOWN},
                                       {"rp", PTX_UP},
                                       {"rni", PTX_NEAREST | PTX_INTEGRAL},
                                       {"rzi", PTX_ZERO | PTX_INTEGRAL},
                                       {"rmi", PTX_DOWN | PTX_INTEGRAL},
                                       {"rpi", PTX_UP | PTX_INTEGRAL},
                                       {NULL, 0}};

/* False: a plain conversion, which ptx_ops.def may have. */
static bool decode_convert(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    ptx_type types[5];
    const int mode = among(roundings, word, words, PTX_NEAREST);
    if (words < 3 || d->now->operands < 2) ptx_unknown(d, "a conversion");
    char name[32];
    snprintf(name, sizeof name, "cvt.%s.%s", word[words - 2], word[words - 1]);
    int from_bits = 0, to_bits = 0; /* registers may be wider than the types */
    ptx_register_bits(d, d->now->operand[0], &to_bits);
    ptx_register_bits(d, d->now->operand[1], &from_bits);
    in->wide[2] = from_bits == 64;
    const bool narrows = (from_bits == 64 && ptx_type_bytes(ptx_type_named(word[words - 1])) < 8) ||
                         (to_bits == 64 && ptx_type_bytes(ptx_type_named(word[words - 2])) < 8);
    const bool plain =
        !narrows && mode == PTX_NEAREST && !has(word, words, "sat") && !has(word, words, "relu");
    if (plain && ptx_simple_op(name, types)) return false;
    if (d->now->operands != 2) ptx_unknown(d, "a conversion");
    int bits;
    in->run = ptx_convert;
    in->type = (uint8_t)ptx_type_named(word[words - 2]);
    in->from = (uint8_t)ptx_type_named(word[words - 1]);
    if (in->type == PTX_NONE || in->from == PTX_NONE) ptx_unknown(d, "a conversion");
    in->mode = (uint8_t)(mode | (has(word, words, "sat") ? PTX_SATURATE : 0) |
                         (has(word, words, "relu") ? PTX_RELU : 0));
    in->d[0] = ptx_destination(d, d->now->operand[0], &bits);
    note_width(in, bits);
    in->a = ptx_operand(d, d->now->operand[1], (ptx_type)in->from);
    return true;
}

static void decode_compare(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    enum { LT = PTX_LT, EQ = PTX_EQ, GT = PTX_GT, UN = PTX_UNORDERED };
    static const word_value relations[] = {{"eq", EQ},
                                           {"ne", LT | GT},
                                           {"lt", LT},
                                           {"le", LT | EQ},
                                           {"gt", GT},
                                           {"ge", GT | EQ},
                                           {"lo", LT},
                                           {"ls", LT | EQ},
                                           {"hi", GT},
                                           {"hs", GT | EQ},
                                           {"equ", EQ | UN},
                                           {"neu", LT | GT | UN},
                                           {"ltu", LT | UN},
                                           {"leu", LT | EQ | UN},
                                           {"gtu", GT | UN},
                                           {"geu", GT | EQ | UN},
                                           {"num", LT | EQ | GT},
                                           {"nan", UN},
                                           {NULL, 0}};
    static const word_value combinations[] = {
        {"and", PTX_COMBINE_AND}, {"or", PTX_COMBINE_OR}, {"xor", PTX_COMBINE_XOR}, {NULL, 0}};
    char *const *operand = d->now->operand;
    const int relation = among(relations, word, words, 0), combination = among(combinations, word, words, 0);
    in->type = (uint8_t)ptx_type_named(word[words - 1]);
    if (!relation || in->type == PTX_NONE || d->now->operands != (combination ? 4 : 3) ||
        strstr(word[words - 1], "x2"))
        ptx_unknown(d, "a comparison");
    in->run = ptx_compare;
    in->mode = (uint8_t)(relation | combination);
    ptx_pair(d, operand[0], in);
    in->a = ptx_operand(d, operand[1], (ptx_type)in->type);
    in->b = ptx_operand(d, operand[2], (ptx_type)in->type);
    if (combination) in->c = condition(d, in, operand[3]);
}

static void decode_select(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    const ptx_type t = ptx_type_named(word[words - 1]);
    if (t == PTX_NONE || d->now->operands != 4) ptx_unknown(d, "a selection");
    in->run = ptx_select;
    in->wide[0] = ptx_type_bytes(t) == 8;
    in->d[0] = ptx_destination(d, d->now->operand[0], NULL);
    in->a = ptx_operand(d, d->now->operand[1], t);
    in->b = ptx_operand(d, d->now->operand[2], t);
    in->c = ptx_operand(d, d->now->operand[3], PTX_PRED);
}

/* False: a move of one register to another. */
static bool decode_pack(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    const ptx_statement *s = d->now;
    char *part[4];
    in->type = (uint8_t)ptx_type_named(word[words - 1]);
    if (s->operands != 2 || in->type == PTX_NONE) ptx_unknown(d, "a move");
    if (*s->operand[0] == '{') {
        in->run = ptx_unpack;
        in->vector = (uint8_t)ptx_vector(s->operand[0], part);
        for (int i = 0; i < in->vector; i++) in->d[i] = ptx_destination(d, part[i], NULL);
        in->a = ptx_operand(d, s->operand[1], (ptx_type)in->type);
    } else if (*s->operand[1] == '{') {
        int *const slots[4] = {&in->a, &in->b, &in->c, &in->e};
        in->run = ptx_pack;
        in->vector = (uint8_t)ptx_vector(s->operand[1], part);
        for (int i = 0; i < in->vector; i++) *slots[i] = ptx_operand(d, part[i], PTX_U32);
        in->d[0] = ptx_destination(d, s->operand[0], NULL);
        in->wide[0] = ptx_type_bytes((ptx_type)in->type) == 8;
    } else {
        return false;
    }
    return true;
}

/* Arithmetic of f32 that rounds to zero, down or up. */
static bool decode_directed(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    static const word_value kinds[] = {
        {"add", PTX_ADD}, {"sub", PTX_MIN}, {"mul", PTX_MAX}, {"fma", PTX_AND}, {NULL, 0}};
    const int mode = among(roundings, word, words, PTX_NEAREST);
    int kind = -1;
    for (const word_value *k = kinds; k->word; k++)
        if (is(k->word, word[0])) kind = k->value;
    if (kind < 0 || mode == PTX_NEAREST || !is(word[words - 1], "f32")) return false;
    if (d->now->operands < (kind == PTX_AND ? 4 : 3)) ptx_unknown(d, "an instruction");
    in->run = ptx_directed;
    in->mode = (uint8_t)mode;
    in->from = (uint8_t)kind;
    in->d[0] = ptx_destination(d, d->now->operand[0], NULL);
    in->a = ptx_operand(d, d->now->operand[1], PTX_F32);
    in->b = ptx_operand(d, d->now->operand[2], PTX_F32);
    if (kind == PTX_AND) in->c = ptx_operand(d, d->now->operand[3], PTX_F32);
    return true;
}

bool ptx_decode_value(ptx_decoder *d, ptx_insn *in, char **word, int words) {
    if (is(word[0], "cvt")) return decode_convert(d, in, word, words);
    if (is(word[0], "mov")) return decode_pack(d, in, word, words);
    if (is(word[0], "setp"))
        decode_compare(d, in, word, words);
    else if (is(word[0], "selp"))
        decode_select(d, in, word, words);
    else
        return decode_directed(d, in, word, words);
    return true;
}
