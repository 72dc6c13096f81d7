/* test_ir_md.c: IR.md lists what ops.def and attrs.def say. UPDATE_REFS=1 rewrites its tables. */
#include "test.h"

#include "ir.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ir_md_lists_the_operators),
        cmocka_unit_test(ir_md_lists_the_attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
