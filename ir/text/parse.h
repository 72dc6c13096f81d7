/* parse.h: what the files of the parser share. Internal to ir/. */
#ifndef VOXC_IR_PARSE_H
#define VOXC_IR_PARSE_H

#include "lex.h"

/* "in %parent+offset" may name a tensor of a later line: resolved at the end. */
typedef struct parse_view {
    struct parse_view *next;
    ir_tensor *member;
    const char *parent;
    lexer place;
} parse_view;

typedef struct parser {
    lexer x;
    ir_graph *g;
    ir_blobs *blobs;
    void *ctx;
    parse_view *views;
} parser;

bool parse_type(parser *p, ir_tensor *t); /* f32[1,2]: fills dtype, rank and dim */
bool parse_const(parser *p);              /* behind "const"           (parse_const.c) */
bool parse_volume(parser *p);             /* behind "volume"         (parse_volume.c) */
bool parse_node(parser *p);               /* a whole node              (parse_node.c) */
/* A name behind %: one that is free, or NULL after an error. */
const char *parse_new_name(parser *p);

#endif
