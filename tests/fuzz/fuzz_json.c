/* The reader and the writer of JSON: what it reads is written and read again as the same. */
#include "fuzz.h"

#include "json.h"
#include "json_write.h"

static void write_value(vox_json *j, const char *key, const json_value *v) {
    switch (v->kind) {
    case JSON_NULL:
        vox_json_text(j, key, NULL);
        break;
    case JSON_BOOL:
        vox_json_bool(j, key, v->boolean);
        break;
    case JSON_NUMBER:
        if (v->is_integer)
            vox_json_int(j, key, v->integer);
        else
            vox_json_number(j, key, 17, v->number);
        break;
    case JSON_STRING:
        vox_json_text(j, key, v->string);
        break;
    case JSON_LIST:
    case JSON_OBJECT:
        if (j->depth == VOX_JSON_DEPTH) return vox_json_text(j, key, "deeper than anything that we write");
        vox_json_begin(j, key, v->kind == JSON_LIST ? "[" : "{\n");
        for (int i = 0; i < v->count; i++) {
            const bool named = v->kind == JSON_OBJECT;
            if (named) FUZZ_CHECK(json_get(v, v->key[i]) == &v->item[i], "key %d is another's", i);
            write_value(j, named ? v->key[i] : NULL, &v->item[i]);
        }
        vox_json_end(j);
    }
}

static char *written(const json_value *v, size_t *n) {
    char *text = NULL;
    FILE *f = open_memstream(&text, n);
    vox_json j = vox_json_file(f);
    write_value(&j, NULL, v);
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
