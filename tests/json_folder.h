/* json_folder.h: for tests of readers of folders of JSON files: a network, files in which one text is replaced
 * by another, and the volume section that comes of it. */
#ifndef JSON_FOLDER_H
#define JSON_FOLDER_H

#include "yaml_text.h"

/* `text` with the first `from` replaced, malloc'd; from NULL: as it is. Fails the test where it is not there. */
static char *json_replaced(const char *text, const char *from, const char *to) {
    if (!from) return test_format("%s", text);
    const char *at = strstr(text, from);
    if (!at) fail_msg("no %s to replace", from);
    return test_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* A padded network. */
static ir_graph *json_network(int in, int out, int d, int h, int w) {
    ir_diag diag = {0};
    char *text = test_format("name: t\ninputs: {x: {type: f32, shape: [1, %d, %d, %d, %d]}}\n"
                             "layers: [y: {conv: {channels: %d, kernel: 3, padding: same}}]\n",
                             in, d, h, w, out);
    ir_graph *g = parse(text, NULL, &diag);
    if (!g) fail_msg("%s", diag.text);
    free(text);
    return g;
}

/* What the text form says of labels and volume. */
static void json_expect_volume(const ir_graph *g, const char *expected) {
    char *text = ir_print_string(g), *end = strstr(text, "input ");
    assert_non_null(end);
    *end = 0;
    const char *start = strchr(text, '\n') + 1; /* behind the graph's name */
    if (strcmp(start, expected) != 0) fail_msg("\n%s\nnot\n%s", start, expected);
    free(text);
}

#endif
