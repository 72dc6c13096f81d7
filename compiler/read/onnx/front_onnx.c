/* front_onnx.c: see front_onnx.h. Reads the file, brings in inputs, and hands the nodes one by one to their
 * operator's handler (front_onnx_ops.c). */
#include "front_onnx.h"
#include "files.h"
#include "front_onnx_import.h"
#include "onnx_tensor.h"

#include <stdlib.h>
#include <string.h>

#define ONNX_MAX_FILE ((size_t)2 << 30) /* protobuf's own limit; larger weights stand in external files */

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- names and tensors ----------------------------------------------------------------------- */

/* Names of any length may be in a file, but those of files that are named after them are short. */
enum { MOST_NAME = 200 };

/* PyTorch calls the output of /encoder/conv/Conv /encoder/conv/Conv_output_0. */
const char *onnx_name(onnx_import *im, const char *name) {
    static const char suffix[] = "_output_0";
    while (*name == '/') name++;
    size_t n = strlen(name), tail = sizeof suffix - 1;
    if (n > tail && strcmp(name + n - tail, suffix) == 0) n -= tail;
    if (n > MOST_NAME) n = MOST_NAME;
    return ir_unique_name(im->g, n ? ir_format(im->scratch, "%.*s", (int)n, name) : "tensor");
}

ir_tensor *onnx_add_tensor(onnx_import *im, const Onnx__TensorProto *t, const char *what, const char *name) {
    onnx_shape s;
    if (!onnx_tensor_shape(t, what, &s, im->d)) return NULL;
    void *data = onnx_tensor_data(t, &s, what, im->folder, im->d);
    if (!data) return NULL;
    ir_tensor *c = ir_add_const(im->g, onnx_name(im, name), s.dtype, s.rank, s.dim, data, true);
    im->given += ir_count(c);
    free(data);
    return c;
}

/* The tensor behind a name; initializers become constants when first used. */
static ir_tensor *resolve(onnx_import *im, const char *name) {
    onnx_symbol *s = onnx_find(im, name);
    if (!s->tensor && s->init) {
        const char *what = ir_format(im->scratch, "%s: initializer '%s'", im->path, name);
        s->tensor = onnx_add_tensor(im, s->init, what, name);
    }
    return s->tensor;
}

/* ---- graph inputs ---------------------------------------------------------------------------- */

/* The value that --input-dim gives to `name`, or -1. */
static int64_t bound_dim(onnx_import *im, const char *name) {
    size_t len = strlen(name);
    for (int i = 0; i < im->opt->n_dims; i++) {
        const char *text = im->opt->dims[i], *eq = strrchr(text, '=');
        if ((size_t)(eq - text) != len || strncmp(text, name, len) != 0) continue;
        im->dim_used[i] = true;
        return strtoll(eq + 1, NULL, 10);
    }
    return -1;
}

static bool check_dim_options(onnx_import *im) {
    for (int i = 0; i < im->opt->n_dims; i++) {
        const char *text = im->opt->dims[i], *eq = strrchr(text, '=');
        char *end = NULL;
        long long v = eq && eq > text ? strtoll(eq + 1, &end, 10) : 0;
        if (!end || *end || v < 1 || v > (1LL << 40))
            return ir_fail(im->d, IR_EXIT_INPUT,
                           "--input-dim %s: expected NAME=V with V a whole number from 1", text);
    }
    return true;
}

static bool check_dims_used(onnx_import *im) {
    for (int i = 0; i < im->opt->n_dims; i++)
        if (!im->dim_used[i])
            return ir_fail(im->d, IR_EXIT_INPUT,
                           "%s: --input-dim %s: no graph input has a dimension of that name (also possible: "
                           "INPUT.AXIS=V)",
                           im->path, im->opt->dims[i]);
    return true;
}

static bool read_dim(onnx_import *im, const char *input, int rank, int axis,
                     const Onnx__TensorShapeProto__Dimension *dim, int64_t *out) {
    const char *place = ir_format(im->scratch, "%s.%d", input, axis), *param = NULL;
    int64_t fixed = -1;
    if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE) fixed = dim->dim_value;
    if (dim->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM && *dim->dim_param)
        param = dim->dim_param;
    *out = param ? bound_dim(im, param) : -1;
    int64_t direct = bound_dim(im, place);
    if (direct < 0 && rank == 5)
        direct = bound_dim(im, ir_format(im->scratch, "%s.%c", input, "NCDHW"[axis]));
    if (direct >= 0) *out = direct;
    if (*out < 0) *out = fixed;
    if (*out > 0) return true;
    if (param)
        return ir_fail(im->d, IR_EXIT_INPUT,
                       "%s: input '%s': dimension %d is dynamic ('%s'); voxc compiles for one shape: give "
                       "--input-dim %s=V",
                       im->path, input, axis, param, param);
    return ir_fail(
        im->d, IR_EXIT_INPUT,
        "%s: input '%s': dimension %d has no usable size; voxc compiles for one shape: give --input-dim %s=V",
        im->path, input, axis, place);
}

static bool read_input(onnx_import *im, const Onnx__ValueInfoProto *v) {
    const char *where = ir_format(im->scratch, "%s: input '%s'", im->path, v->name);
    int64_t dim[IR_MAX_RANK] = {0}, count;
    ir_dtype dtype;
    if (!v->type || v->type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE || !v->type->tensor_type)
        return ir_fail(im->d, IR_EXIT_UNSUPPORTED, "%s: only tensors are supported", where);
    const Onnx__TypeProto__Tensor *t = v->type->tensor_type;
    if (!onnx_dtype(t->elem_type, where, &dtype, im->d)) return false;
    if (!t->shape) return ir_fail(im->d, IR_EXIT_UNSUPPORTED, "%s: its number of axes is not given", where);
    if (t->shape->n_dim > IR_MAX_RANK)
        return ir_fail(im->d, IR_EXIT_UNSUPPORTED, "%s: %zu axes; at most %d are supported", where,
                       t->shape->n_dim, IR_MAX_RANK);
    for (int i = 0; i < (int)t->shape->n_dim; i++)
        if (!read_dim(im, v->name, (int)t->shape->n_dim, i, t->shape->dim[i], &dim[i])) return false;
    if (!ir_shape_bytes(dtype, (int)t->shape->n_dim, dim, &count))
        return ir_fail(im->d, IR_EXIT_INPUT, "%s: the product of its dimensions overflows", where);
    onnx_find(im, v->name)->tensor =
        ir_add_input(im->g, onnx_name(im, v->name), dtype, (int)t->shape->n_dim, dim);
    return true;
}

static bool bind_constant(onnx_import *im, const char *name) {
    for (int i = 0; i < im->opt->n_constants; i++) {
        const onnx_constant *c = &im->opt->constants[i];
        if (strcmp(c->name, name) != 0) continue;
        onnx_find(im, name)->tensor = ir_add_const(im->g, onnx_name(im, name), c->value->dtype,
                                                   c->value->rank, c->value->dim, c->value->data, true);
        return true;
    }
    return false;
}

static bool read_inputs(onnx_import *im) {
    im->dim_used = ir_alloc(im->scratch, (size_t)im->opt->n_dims + 1, sizeof *im->dim_used);
    if (!check_dim_options(im)) return false;
    for (size_t i = 0; i < im->graph->n_input; i++) {
        const Onnx__ValueInfoProto *v = im->graph->input[i];
        /* Before IR version 4 every initializer is also listed as an input:
         * it is a default, and we take it. */
        if (onnx_find(im, v->name)->init || bind_constant(im, v->name)) continue;
        if (!read_input(im, v)) return false;
    }
    return check_dims_used(im);
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static bool check_attribute(const onnx_call *c, const Onnx__AttributeProto *a) {
    static const struct {
        char letter;
        int type;
    } types[] = {{'f', 1}, {'i', 2}, {'s', 3}, {'t', 4}, {'F', 6}, {'I', 7}};
    const char *name = a->name ? a->name : "";
    size_t len = strlen(name);
    for (const char *p = c->op->attributes; *p; p += strcspn(p, " "), p += *p == ' ') {
        if (*p == '~') p++;
        if (strncmp(p, name, len) != 0 || p[len] != '=') continue;
        for (size_t i = 0; i < sizeof types / sizeof *types; i++)
            if (types[i].letter == p[len + 1] && types[i].type == (int)a->type)
                return a->type != ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR || a->t ||
                       onnx_bad(c, "attribute '%s' holds no tensor", name);
        return onnx_bad(c, "attribute '%s' has the wrong type", name);
    }
    return onnx_unsupported(c, "unknown attribute '%s'; its meaning cannot be ignored", name);
}

static bool check_call(const onnx_call *c) {
    int n = (int)c->pb->n_input;
    if (n < c->op->min_in || (c->op->max_in >= 0 && n > c->op->max_in))
        return onnx_bad(c, "%d inputs; it takes %d%s%.0d", n, c->op->min_in,
                        c->op->max_in < 0 ? " or more" : " to ", c->op->max_in < 0 ? 0 : c->op->max_in);
    for (int k = 0; k < c->op->min_in; k++)
        if (!c->in[k]) return onnx_bad(c, "input %d is left out, but required", k);
    for (size_t i = 0; i < c->pb->n_attribute; i++)
        if (!check_attribute(c, c->pb->attribute[i])) return false;
    if (!c->pb->n_output) return onnx_bad(c, "it has no outputs");
    for (size_t k = c->op->outputs < 0 ? c->pb->n_output : (size_t)c->op->outputs; k < c->pb->n_output; k++)
        if (*c->pb->output[k] && onnx_find(c->im, c->pb->output[k])->uses)
            return onnx_unsupported(c, "its output %zu '%s' is used; only the first %d can be computed", k,
                                    c->pb->output[k], c->op->outputs);
    return true;
}

static bool resolve_inputs(onnx_call *c) {
    c->n_in = (int)c->pb->n_input;
    c->in = ir_alloc(c->im->scratch, (size_t)c->n_in + 1, sizeof *c->in);
    for (int k = 0; k < c->n_in; k++) {
        if (!*c->pb->input[k]) continue;
        c->in[k] = resolve(c->im, c->pb->input[k]);
        if (!c->in[k] && c->im->d->code == IR_EXIT_OK) ir_die("onnx: '%s' was not bound", c->pb->input[k]);
        if (!c->in[k]) return false;
    }
    return true;
}

/* "x f32[1,8,4,4,4], w f32[...]" */
static const char *inputs_text(const onnx_call *c) {
    char type[160];
    const char *text = "";
    for (int k = 0; k < c->n_in; k++)
        text = ir_format(c->im->scratch, "%s%s%s %s", text, k ? ", " : "",
                         *c->pb->input[k] ? c->pb->input[k] : "-",
                         c->in[k] ? ir_type_text(c->in[k], type, sizeof type) : "");
    return text;
}

static bool standard_domain(const char *domain);

/* "; also unsupported here: Foo, Bar": the other operators of the graph that have no row, each once. */
static const char *others_text(const onnx_call *c, const char *type) {
    const char *text = "", *seen = ir_format(c->im->scratch, ", %s,", type);
    for (size_t i = 0, shown = 0; i < c->im->graph->n_node && shown < 8; i++) {
        const Onnx__NodeProto *n = c->im->graph->node[i];
        if (!n->op_type || !c->im->needed[i] ||
            (standard_domain(n->domain) && onnx_op_find(n->op_type, c->opset)))
            continue;
        if (strstr(seen, ir_format(c->im->scratch, " %s,", n->op_type))) continue;
        seen = ir_format(c->im->scratch, "%s %s,", seen, n->op_type);
        text = ir_format(c->im->scratch, "%s%s%s", text,
                         shown++ ? ", " : "; also unsupported in this model: ", n->op_type);
    }
    return text;
}

static bool standard_domain(const char *domain) {
    return !domain || !*domain || strcmp(domain, "ai.onnx") == 0;
}

static bool import_call(onnx_call *c, const char *type) {
    if (!standard_domain(c->pb->domain))
        return onnx_unsupported(c, "operators of domain '%s' are not supported; inputs %s", c->pb->domain,
                                inputs_text(c));
    if (!c->op && onnx_op_any(type))
        return onnx_unsupported(c, "this operator is not supported in this opset; inputs %s", inputs_text(c));
    if (!c->op)
        return onnx_unsupported(c, "unsupported operator; inputs %s%s", inputs_text(c), others_text(c, type));
    return check_call(c) && c->op->import(c);
}

static bool import_node(onnx_import *im, int index) {
    const Onnx__NodeProto *pb = im->graph->node[index];
    const char *type = pb->op_type ? pb->op_type : "", *name = pb->name && *pb->name ? pb->name : NULL;
    onnx_call c = {.im = im, .g = im->g, .pb = pb, .opset = im->opset, .op = onnx_op_find(type, im->opset)};
    c.source = ir_format(im->g->arena, "%s: node %d %.*s", file_name(im->path), index, MOST_NAME, type);
    c.layer = name;
    for (size_t k = pb->n_output; k-- > 0 && !name;)
        if (*pb->output[k]) c.layer = pb->output[k];
    c.layer = ir_format(im->g->arena, "%.*s", MOST_NAME, c.layer ? c.layer : type);
    if (!resolve_inputs(&c)) return false; /* already names the tensor */
    if (import_call(&c, type)) return true;
    return ir_fail_in(im->d, "%s: node %d %s%s%s%s (opset %d)", im->path, index, type, name ? " '" : "",
                      name ? name : "", name ? "'" : "", im->opset);
}

/* ---- the graph ------------------------------------------------------------------------------- */

static bool read_opset(onnx_import *im, const Onnx__ModelProto *m) {
    int64_t opset = -1;
    int oldest = im->opt->oldest_opset ? im->opt->oldest_opset : ONNX_OLDEST_OPSET;
    for (size_t i = 0; i < m->n_opset_import; i++)
        if (standard_domain(m->opset_import[i]->domain)) opset = m->opset_import[i]->version;
    if (opset < 0 && m->n_opset_import)
        return ir_fail(im->d, IR_EXIT_UNSUPPORTED,
                       "%s: the model uses no standard operators, only domain '%s'", im->path,
                       m->opset_import[0]->domain);
    if (opset < 0)
        return ir_fail(im->d, IR_EXIT_INPUT, "%s: the file does not say which opset it uses", im->path);
    if (opset < oldest || opset > ONNX_NEWEST_OPSET)
        return ir_fail(im->d, IR_EXIT_UNSUPPORTED,
                       "%s: opset %lld; voxc reads opsets %d to %d: export the model again", im->path,
                       (long long)opset, ONNX_OLDEST_OPSET, ONNX_NEWEST_OPSET);
    im->opset = (int)opset;
    return true;
}

static bool read_nodes(onnx_import *im) {
    int *order = ir_alloc(im->scratch, im->graph->n_node + 1, sizeof *order);
    int count;
    if (!onnx_sort(im, order, &count)) return false;
    for (int i = 0; i < count; i++)
        if (!import_node(im, order[i])) return false;
    return true;
}

/* A graph output must be computed by a node, and stand there once: t itself, or a copy of it. */
static ir_tensor *own_output(onnx_import *im, const char *name, ir_tensor *t) {
    if (t->role != IR_ROLE_INPUT && !t->n_outputs) return t;
    ir_node *n = ir_add_node(im->g, IR_OP_RESHAPE, name, 1, &t, onnx_name(im, name));
    ir_set_ints(im->g, n, IR_SHAPE, t->rank, t->dim);
    return ir_finish_node(im->g, n, im->d) ? n->out[0] : NULL;
}

static bool read_outputs(onnx_import *im) {
    if (!im->graph->n_output) return ir_fail(im->d, IR_EXIT_INPUT, "%s: the graph has no outputs", im->path);
    for (size_t i = 0; i < im->graph->n_output; i++) {
        const char *name = im->graph->output[i]->name;
        ir_tensor *t = resolve(im, name);
        if (!t) {
            if (im->d->code != IR_EXIT_OK) return false;
            ir_die("onnx: output '%s' was not bound", name);
        }
        t = own_output(im, name, t);
        if (!t) return false;
        ir_add_output(im->g, t);
    }
    return true;
}

/* Masks may hold infinities, weights may not. */
static bool check_finite(onnx_import *im) {
    for (int k = 0; k < im->g->n_tensors; k++) {
        const ir_tensor *t = im->g->tensors[k];
        if (t->role != IR_ROLE_CONST || t->dtype != IR_F32 || !t->data) continue;
        const float *f = t->data;
        for (int64_t i = 0, n = ir_count(t); i < n; i++)
            if (!(f[i] - f[i] == 0) && ir_is_weight(im->g, t))
                return ir_fail(im->d, IR_EXIT_INPUT, "%s: weight '%s' is %s at index %lld (of %lld)",
                               im->path, t->name, f[i] != f[i] ? "NaN" : "infinite", (long long)i,
                               (long long)n);
    }
    return true;
}

static bool import_model(onnx_import *im, const Onnx__ModelProto *m) {
    if (!m->graph) return ir_fail(im->d, IR_EXIT_INPUT, "%s: not an ONNX model: it holds no graph", im->path);
    im->graph = m->graph;
    if (m->graph->n_sparse_initializer)
        return ir_fail(im->d, IR_EXIT_UNSUPPORTED, "%s: sparse initializers are not supported", im->path);
    if (!read_opset(im, m) || !onnx_names_build(im) || !read_inputs(im) || !read_nodes(im) ||
        !read_outputs(im))
        return false;
    ir_remove_dead(im->g);
    return check_finite(im);
}

/* ---- the file -------------------------------------------------------------------------------- */

static Onnx__ModelProto *read_model(const char *path, ir_diag *d) {
    size_t n = 0;
    char *file = file_read(path, ONNX_MAX_FILE, &n, d);
    if (!file) return NULL;
    Onnx__ModelProto *m = NULL;
    if (!n) {
        ir_fail(d, IR_EXIT_INPUT, "%s: the file is empty", path);
    } else if (onnx_wire_check(file, n, &onnx__model_proto__descriptor, path, d)) {
        m = onnx__model_proto__unpack(NULL, n, (const uint8_t *)file);
        if (!m) ir_fail(d, IR_EXIT_INPUT, "%s: not a valid ONNX file (truncated or corrupt?)", path);
    }
    free(file);
    return m;
}

/* Names in the file may hold anything; a message is one line. */
static void one_line(ir_diag *d) {
    for (char *p = d->text; *p; p++)
        if ((unsigned char)*p < 32 || *p == 127) *p = '?';
}

/* "unet-3d.onnx" -> unet_3d */
static const char *graph_name(ir_arena *a, const char *path) {
    const char *base = file_name(path), *dot = strrchr(base, '.');
    size_t n = dot && dot > base ? (size_t)(dot - base) : strlen(base);
    char *name = ir_format(a, "m_%.*s", (int)n, base);
    for (char *p = name; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9'))) *p = '_';
    return name[2] && !(name[2] >= '0' && name[2] <= '9') ? name + 2 : name;
}

ir_graph *onnx_load(const char *path, const onnx_options *opt, ir_diag *d) {
    static const onnx_options none = {0};
    Onnx__ModelProto *m = read_model(path, d);
    if (m) {
        ir_arena *scratch = ir_arena_new();
        onnx_import im = {.scratch = scratch, .d = d, .opt = opt ? opt : &none, .path = path};
        im.folder =
            file_name(path) == path ? "." : ir_format(scratch, "%.*s", (int)(file_name(path) - path), path);
        im.g = ir_graph_new(im.opt->name ? im.opt->name : graph_name(scratch, path));
        bool ok = import_model(&im, m);
        onnx__model_proto__free_unpacked(m, NULL);
        ir_arena_free(scratch);
        if (ok) return im.g;
        ir_graph_free(im.g);
    }
    one_line(d);
    return NULL;
}

int onnx_input_names(const char *path, char ***names, ir_diag *d) {
    Onnx__ModelProto *m = read_model(path, d);
    int count = 0;
    *names = NULL;
    if (!m) return -1;
    size_t n = m->graph ? m->graph->n_input : 0;
    char **list = calloc(n + 1, sizeof *list);
    for (size_t i = 0; i < n && list; i++) {
        const char *name = m->graph->input[i]->name;
        bool initialized = false;
        for (size_t k = 0; k < m->graph->n_initializer && name; k++)
            initialized = initialized || (m->graph->initializer[k]->name &&
                                          strcmp(m->graph->initializer[k]->name, name) == 0);
        if (!initialized && name && (list[count] = strdup(name))) count++;
    }
    onnx__model_proto__free_unpacked(m, NULL);
    *names = list;
    return list ? count : -1;
}
