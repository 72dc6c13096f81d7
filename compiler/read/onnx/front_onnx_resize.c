/* front_onnx_resize.c: ONNX Resize (opsets 10, 11, 13, 18, 19) and Upsample: scales or sizes, given for all
 * axes or some, become full-rank sizes and scales. */
#include "front_onnx_import.h"

#include <math.h>
#include <string.h>

typedef struct resize {
    int n_axes; /* that the lists below name */
    int64_t axes[IR_MAX_RANK];
    double scale[IR_MAX_RANK], roi[2 * IR_MAX_RANK]; /* per axis of the tensor */
    int64_t size[IR_MAX_RANK];
    const char *mode, *coordinates, *nearest;
} resize;

/* A constant list of n floats. */
static bool floats_of_input(const onnx_call *c, int k, const char *what, int n, double *out) {
    const ir_tensor *t = onnx_const(c, k, what);
    if (!t) return false;
    if (t->rank != 1 || ir_count(t) != n || !ir_dtype_is_float(t->dtype))
        return onnx_bad(c, "%s must hold %d floating-point values", what, n);
    for (int i = 0; i < n; i++) out[i] = ir_const_float(t, i);
    return true;
}

/* There, and not the empty tensor that exporters put in a slot they do not use. */
static bool given(const onnx_call *c, int k) {
    return onnx_present(c, k) && !(c->in[k]->role == IR_ROLE_CONST && ir_count(c->in[k]) == 0);
}

static void resize_defaults(const onnx_call *c, resize *r) {
    const ir_tensor *x = c->in[0];
    *r = (resize){.n_axes = x->rank};
    for (int i = 0; i < x->rank; i++) {
        r->axes[i] = i;
        r->scale[i] = 1;
        r->size[i] = x->dim[i];
        r->roi[x->rank + i] = 1;
    }
}

static bool resize_axes(const onnx_call *c, resize *r) {
    int n;
    const int64_t *axes = onnx_ints(c, "axes", &n);
    if (!axes) return true;
    if (n > IR_MAX_RANK) return onnx_bad(c, "axes holds %d values", n);
    memcpy(r->axes, axes, (size_t)n * sizeof *axes);
    r->n_axes = n;
    return onnx_axes(c, r->axes, n, c->in[0]->rank);
}

/* The interval of the region of interest per axis. */
static bool resize_roi(const onnx_call *c, resize *r) {
    double list[2 * IR_MAX_RANK];
    int rank = c->in[0]->rank;
    if (strcmp(r->coordinates, "tf_crop_and_resize") != 0) return true;
    if (!floats_of_input(c, 1, "roi", 2 * r->n_axes, list)) return false;
    for (int i = 0; i < r->n_axes; i++) {
        r->roi[r->axes[i]] = list[i];
        r->roi[rank + r->axes[i]] = list[r->n_axes + i];
    }
    return true;
}

/* Sizes round down, in the f32 arithmetic that runtimes use. */
static bool resize_scales(const onnx_call *c, resize *r, int k) {
    double list[IR_MAX_RANK];
    const ir_tensor *x = c->in[0];
    if (!floats_of_input(c, k, "scales", r->n_axes, list)) return false;
    for (int i = 0; i < r->n_axes; i++) {
        int64_t a = r->axes[i];
        float part = (float)(r->roi[x->rank + a] - r->roi[a]);
        if (!(list[i] > 0) || !isfinite(list[i])) return onnx_bad(c, "scales holds %g", list[i]);
        float size = floorf((float)x->dim[a] * part * (float)list[i]);
        if (!(size >= 1) || size > 0x1p40f)
            return onnx_bad(c, "axis %lld would have %g elements", (long long)a, (double)size);
        r->scale[a] = list[i];
        r->size[a] = (int64_t)size;
    }
    return true;
}

/* keep_aspect_ratio_policy: one scale for all the axes. */
static bool keep_aspect(const onnx_call *c, resize *r) {
    const char *policy = onnx_word(c, "keep_aspect_ratio_policy", "stretch");
    bool larger = strcmp(policy, "not_smaller") == 0;
    if (strcmp(policy, "stretch") == 0) return true;
    if (!larger && strcmp(policy, "not_larger") != 0)
        return onnx_unsupported(
            c, "keep_aspect_ratio_policy '%s' is none of stretch, not_larger, not_smaller", policy);
    double scale = r->n_axes ? r->scale[r->axes[0]] : 1;
    for (int i = 1; i < r->n_axes; i++) {
        double s = r->scale[r->axes[i]];
        if (larger ? s > scale : s < scale) scale = s;
    }
    for (int i = 0; i < r->n_axes; i++) {
        int64_t a = r->axes[i];
        r->scale[a] = scale;
        double size = floor(scale * (double)c->in[0]->dim[a] + 0.5);
        if (!(size >= 1 && size <= 0x1p40))
            return onnx_bad(c, "axis %lld would have %g elements", (long long)a, size);
        r->size[a] = (int64_t)size;
    }
    return true;
}

static bool resize_sizes(const onnx_call *c, resize *r, int k) {
    int64_t list[IR_MAX_RANK];
    int n;
    if (!onnx_const_ints(c, k, "sizes", list, IR_MAX_RANK, &n)) return false;
    if (n != r->n_axes) return onnx_bad(c, "sizes holds %d values, expected %d", n, r->n_axes);
    for (int i = 0; i < n; i++) {
        int64_t a = r->axes[i];
        if (list[i] < 1 || list[i] > (int64_t)1 << 40)
            return onnx_bad(c, "sizes holds %lld", (long long)list[i]);
        if (c->in[0]->dim[a] < 1) return onnx_bad(c, "axis %lld of the input is empty", (long long)a);
        r->size[a] = list[i];
        r->scale[a] = (double)list[i] / (double)c->in[0]->dim[a];
    }
    return keep_aspect(c, r);
}

static bool resize_emit(onnx_call *c, resize *r) {
    ir_tensor *x = c->in[0];
    bool same = true;
    for (int i = 0; i < x->rank; i++) same = same && r->size[i] == x->dim[i] && r->scale[i] == 1;
    bool crop = strcmp(r->coordinates, "tf_crop_and_resize") == 0;
    if (same && !crop) return onnx_bind(c, 0, x);
    ir_node *n = onnx_begin(c, NULL, IR_OP_RESIZE, 1, &x);
    ir_set_ints(c->g, n, IR_SIZE, x->rank, r->size);
    ir_set_floats(c->g, n, IR_SCALE, x->rank, r->scale);
    ir_set_word(c->g, n, IR_MODE, r->mode);
    ir_set_word(c->g, n, IR_COORDINATES, r->coordinates);
    ir_set_word(c->g, n, IR_NEAREST, r->nearest);
    if (crop) ir_set_floats(c->g, n, IR_ROI, 2 * x->rank, r->roi);
    if (crop) ir_set_float(c->g, n, IR_EXTRAPOLATION, onnx_float(c, "extrapolation_value", 0));
    if (onnx_int(c, "exclude_outside", 0)) ir_set_int(c->g, n, IR_EXCLUDE_OUTSIDE, 1);
    return onnx_bind(c, 0, onnx_end(c, n));
}

static bool resize_mode(const onnx_call *c, resize *r) {
    r->mode = onnx_word(c, "mode", "nearest");
    if (strcmp(r->mode, "bilinear") == 0 || strcmp(r->mode, "trilinear") == 0) r->mode = "linear";
    if (strcmp(r->mode, "nearest") == 0 || strcmp(r->mode, "linear") == 0) return true;
    return onnx_unsupported(c, "mode '%s' is not supported (nearest and linear are)", r->mode);
}

/* Resize 10 and Upsample divide by the scale; nearest takes the voxel below when enlarging, the one above
 * when shrinking, which is what runtimes have always done where the specification is silent. */
bool onnx_upsample(onnx_call *c) {
    resize r;
    int shrinks = 0, grows = 0;
    resize_defaults(c, &r);
    r.coordinates = "asymmetric";
    if (!resize_mode(c, &r) || !resize_scales(c, &r, 1)) return false;
    for (int i = 0; i < c->in[0]->rank; i++) {
        shrinks += r.scale[i] < 1;
        grows += r.scale[i] > 1;
    }
    if (shrinks && grows && strcmp(r.mode, "nearest") == 0)
        return onnx_unsupported(c, "nearest that enlarges some axes and shrinks others in opset %d",
                                c->opset);
    r.nearest = shrinks ? "ceil" : "floor";
    return resize_emit(c, &r);
}

bool onnx_resize(onnx_call *c) {
    resize r;
    resize_defaults(c, &r);
    r.coordinates = onnx_word(c, "coordinate_transformation_mode", "half_pixel");
    r.nearest = onnx_word(c, "nearest_mode", "round_prefer_floor");
    if (onnx_int(c, "antialias", 0)) return onnx_unsupported(c, "antialias=1 is not supported");
    if (!resize_mode(c, &r) || !resize_axes(c, &r) || !resize_roi(c, &r)) return false;
    bool scales = given(c, 2), sizes = given(c, 3);
    if (scales == sizes) return onnx_bad(c, "exactly one of scales and sizes must be given");
    return (scales ? resize_scales(c, &r, 2) : resize_sizes(c, &r, 3)) && resize_emit(c, &r);
}
