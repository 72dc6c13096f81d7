/* test_ir_md.c: IR.md lists what ops.def and attrs.def say. UPDATE_REFS=1 rewrites its tables. */
#include "test.h"

#include "ir.h"

#include <ctype.h>
#include <glob.h>

static void put_escaped(FILE *f, const char *s) {
    for (; *s; s++) {
        if (*s == '|') fputc('\\', f);
        fputc(*s, f);
    }
}

static void put_keys(FILE *f, uint64_t keys, const char *before, const char *after) {
    const char *space = before;
    for (int k = 0; k < IR_KEY_COUNT; k++) {
        if (!(keys >> k & 1)) continue;
        fprintf(f, "%s%s", space, ir_key_name((ir_key)k));
        space = " ";
    }
    if (keys) fputs(after, f);
}

static char *operator_table(void) {
    static const char *const flags[] = {"MAP", "BINARY", "VIEW", "SHAPE", "SPATIAL"};
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    fputs("| op | operands | attributes | flags | formula | gradient |\n|---|---|---|---|---|---|\n", f);
    for (int i = 0; i < IR_OP_COUNT; i++) {
        const ir_op_info *op = ir_op_get((ir_op)i);
        fprintf(f, "| `%s` | %d", op->name, op->min_in);
        if (op->max_in < 0) fputs(" or more", f);
        if (op->max_in > op->min_in) fprintf(f, " to %d", op->max_in);
        fputs(" |", f);
        put_keys(f, op->required, " ", "");
        put_keys(f, op->optional, " [", "]");
        fputs(" |", f);
        for (int b = 0; b < 5; b++)
            if (op->flags >> b & 1) fprintf(f, " %s", flags[b]);
        fputs(" | `", f);
        put_escaped(f, op->formula);
        fputs("` | ", f);
        put_escaped(f, op->gradient);
        fputs(" |\n", f);
    }
    fclose(f);
    return text;
}

static void ir_md_lists_the_operators(void **state) {
    (void)state;
    static const char begin[] = "<!-- operators: begin -->\n", end[] = "<!-- operators: end -->";
    char *file = test_read("ir/IR.md", NULL), *table = operator_table();
    char *from = strstr(file, begin), *to = strstr(file, end);
    assert_true(from && to && from < to);
    from += strlen(begin);
    bool same = (size_t)(to - from) == strlen(table) && !memcmp(from, table, strlen(table));
    if (!same && getenv("UPDATE_REFS")) {
        char *updated = test_format("%.*s%s%s", (int)(from - file), file, table, to);
        test_write("ir/IR.md", updated, strlen(updated));
        free(updated);
    } else if (!same) {
        fail_msg(
            "ir/IR.md's operators are not those of ir/ops.def: run UPDATE_REFS=1 build/tests/test_ir_md");
    }
    free(file);
    free(table);
}

static void ir_md_lists_the_attributes(void **state) {
    (void)state;
    static const char *const kinds[] = {"int", "ints", "float", "floats", "word"};
    char *file = test_read("ir/IR.md", NULL);
    for (int k = 0; k < IR_KEY_COUNT; k++) {
        char *row = test_format("\n| `%s` | %s |", ir_key_name((ir_key)k), kinds[ir_key_kind((ir_key)k)]);
        if (!strstr(file, row)) fail_msg("ir/IR.md lacks the attribute row:%s", row);
        free(row);
    }
    free(file);
}

/* ---- the goldens ----------------------------------------------------------------------------- */

/* In the grammar, and in the text or a table. */
static void must_be_described(const char *md, const char *word, const char *golden) {
    char *literal = test_format("'%s'", word), *prose = test_format("`%s", word);
    char *row = test_format("| `%s` |", word);
    if (!strstr(md, row) && (!strstr(md, literal) || !strstr(md, prose)))
        fail_msg("%s has '%s', which ir/IR.md does not describe", golden, word);
    free(literal), free(prose), free(row);
}

/* What the text says of a convolution's tile. */
static void check_tile(const char *value, const char *golden) {
    int d, h, w;
    bool three = sscanf(value, "%dx%dx%d", &d, &h, &w) == 3;
    if (!three || (d != 2 && d != 4) || (h != 2 && h != 4) || (w != 1 && w != 2 && w != 4))
        fail_msg("%s: tile=%s is none of what ir/IR.md says", golden, value);
}

/* Each way has a line in the table. */
static void check_way(const char *md, const char *value, const char *golden) {
    char *row = test_format("| `%s` |", value);
    if (!strstr(md, row)) fail_msg("%s: way=%s is none of what ir/IR.md says", golden, value);
    free(row);
}

/* The words behind a node's type: "block16 fused ring8 scratch+71271936". */
static void check_places(const char *md, char *places, const char *golden) {
    bool fused = false, memory = false;
    for (char *word = strtok(places, " "); word; word = strtok(NULL, " ")) {
        if (*word == '%') continue; /* of `in` */
        if (strcmp(word, "f16") != 0 && strcmp(word, "bf16") != 0 && strcmp(word, "block16") != 0)
            word[strcspn(word, "+0123456789")] = 0;
        must_be_described(md, word, golden);
        fused |= !strcmp(word, "fused") || !strcmp(word, "on_load");
        memory |= !strcmp(word, "arena") || !strcmp(word, "in");
    }
    if (fused && memory) fail_msg("%s: a value that never lies in memory has a place there", golden);
}

static void check_line(const char *md, char *line, const char *golden) {
    char *equals = strstr(line, " = "), *arrow = strstr(line, " -> "),
         *places = arrow ? strchr(arrow, ']') : NULL;
    if (*line != '%' || !equals) {
        char word[32] = "";
        sscanf(line, " %31[a-z]", word);
        if (*line != ' ' && isalpha((unsigned char)*word)) {
            char *literal = test_format("'%s'", word);
            if (!strstr(md, literal)) fail_msg("%s has the statement %s, which ir/IR.md lacks", golden, word);
            free(literal);
        }
        return;
    }
    if (places) check_places(md, places + 1, golden);
    if (arrow) *arrow = 0;
    for (char *word = strtok(strchr(equals, ')') + 1, " "); word; word = strtok(NULL, " ")) {
        char *value = strchr(word, '=');
        if (value) *value = 0;
        must_be_described(md, word, golden);
        if (!strcmp(word, "tile")) check_tile(value + 1, golden);
        if (!strcmp(word, "way")) check_way(md, value + 1, golden);
    }
}

static void ir_md_describes_what_the_goldens_hold(void **state) {
    (void)state;
    glob_t goldens;
    if (glob("generated/*/*.ir", 0, NULL, &goldens)) fail_msg("no goldens");
    char *md = test_read("ir/IR.md", NULL);
    for (size_t i = 0; i < goldens.gl_pathc; i++) {
        char *text = test_read(goldens.gl_pathv[i], NULL);
        for (char *line = text, *end; *line; line = end) {
            end = line + strcspn(line, "\n");
            if (*end) *end++ = 0;
            check_line(md, line, goldens.gl_pathv[i]);
        }
        free(text);
    }
    free(md);
    globfree(&goldens);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ir_md_lists_the_operators),
        cmocka_unit_test(ir_md_lists_the_attributes),
        cmocka_unit_test(ir_md_describes_what_the_goldens_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
