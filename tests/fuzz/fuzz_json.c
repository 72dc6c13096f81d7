/* The reader of JSON: what it reads is written and read again as the same. */
#include "fuzz.h"

#include "json.h"

static void write_value(FILE *f, const json_value *v) {
    const char *const ends = v->kind == JSON_LIST ? "[]" : "{}";
    switch (v->kind) {
    case JSON_NULL:
        fputs("null", f);
        break;
    case JSON_BOOL:
        fputs(v->boolean ? "true" : "false", f);
        break;
    case JSON_NUMBER:
        if (v->is_integer)
            fprintf(f, "%lld", (long long)v->integer);
        else
            fprintf(f, "%.17e", v->number);
        break;
    case JSON_STRING:
        json_write_string(f, v->string);
        break;
    case JSON_LIST:
    case JSON_OBJECT:
        fputc(ends[0], f);
        for (int i = 0; i < v->count; i++) {
            if (i) fputc(',', f);
            if (v->kind == JSON_OBJECT) {
                FUZZ_CHECK(json_get(v, v->key[i]) == &v->item[i], "key %d is another's", i);
                json_write_string(f, v->key[i]);
                fputc(':', f);
            }
            write_value(f, &v->item[i]);
        }
        fputc(ends[1], f);
    }
}

static char *written(const json_value *v, size_t *n) {
    char *text = NULL;
    FILE *f = open_memstream(&text, n);
    write_value(f, v);
    fclose(f);
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ir_diag d = {0};
    ir_arena *arena = ir_arena_new();
    const json_value *v = json_parse(arena, (const char *)data, size, "fuzz.json", &d);
    if (v) {
        size_t n, m;
        char *once = written(v, &n), *twice = NULL;
        const json_value *again = json_parse(arena, once, n, "written.json", &d);
        FUZZ_CHECK(again, "%s\n%s", d.text, once);
        twice = written(again, &m);
        FUZZ_CHECK(n == m && memcmp(once, twice, n) == 0, "%s\nthen\n%s", once, twice);
        free(once);
        free(twice);
    } else {
        fuzz_refused(&d);
    }
    ir_arena_free(arena);
    return 0;
}
