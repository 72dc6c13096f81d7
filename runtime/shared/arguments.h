/* SPDX-License-Identifier: MIT-0 */
/* arguments.h: a command line word by word, by a table of options,
 * and the name that a typist may have meant. */
#ifndef VOX_ARGUMENTS_H
#define VOX_ARGUMENTS_H

#include <stdbool.h>

typedef struct vox_option_word {
    const char *name;  /* "output" of --output; NULL: the row is not for this command */
    char letter;       /* 'o' of -o; 0: none */
    const char *value; /* how --help names the value; NULL: a flag */
} vox_option_word;

typedef struct vox_arguments {
    int argc;
    char **argv;
    vox_option_word (*row)(const void *table, int i); /* of n */
    const void *table;
    int n;
    /* Of the last word: */
    int option;         /* the row */
    const char *text;   /* an operand; an option as it was typed */
    const char *value;  /* of an option with one */
    const char *near;   /* the name that an unknown option may stand for, or NULL */
    int at;             /* what comes next; 0 at first */
    bool only_operands; /* after -- */
} vox_arguments;

typedef enum vox_argument {
    VOX_ARGUMENT_END,
    VOX_ARGUMENT_OPERAND,
    VOX_ARGUMENT_OPTION,
    VOX_ARGUMENT_HELP, /* --help, -h */
    VOX_ARGUMENT_UNKNOWN,
    VOX_ARGUMENT_TAKES_NONE, /* --flag=value */
    VOX_ARGUMENT_NEEDS_VALUE
} vox_argument;

/* The next word of --name VALUE, --name=VALUE, -n VALUE, -nVALUE, --flag, operands and --. */
vox_argument vox_arguments_next(vox_arguments *a);

/* The one of names[0..n) nearest to `word` when it is near enough to be a slip (edit distance with
 * transpositions at most a third of the longer word, at least 1) or a beginning of three letters, else NULL.
 */
const char *vox_suggest(const char *word, const char *const *names, int n);

#endif
