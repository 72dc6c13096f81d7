/* yaml_text.h: models in YAML, as text. */
#ifndef YAML_TEXT_H
#define YAML_TEXT_H

#include "test.h"

#include "front_yaml.h"

#define HEAD "name: t\ninputs: {x: {type: f32, shape: [1, 4, 12, 12, 12]}}\n"

static ir_graph *parse(const char *text, const yaml_options *opt, ir_diag *d) {
    return yaml_parse(text, strlen(text), "net.yaml", opt, d);
}

#endif
