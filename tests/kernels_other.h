/* All kernels but the convolutions against their plain formulas. */
#ifndef KERNELS_OTHER_H
#define KERNELS_OTHER_H

#include "kernels_common.h"

/* ---- exponential and activations ------------------------------------------------------------- */

static double ulps(float got, double want) {
    int exponent;
    frexp(want, &exponent);
    return fabs((double)got - want) / ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
}
static float lane_exp(float x) {
    float lane[VOX_VL];
    vox_store(lane, vox_exp(vox_set(x)));
    return lane[VOX_VL - 1];
}
static float lane_expm1(float x) {
    float lane[VOX_VL];
    vox_store(lane, vox_expm1_negative(vox_set(x)));
    return lane[VOX_VL - 1];
}

static void exp_is_within_two_ulp(void **state) {
    (void)state;
    double worst = 0, worst_m1 = 0;
    for (int i = 0; i <= 400000; i++) {
        const float x = -104.0f + 192.7f * (float)i / 400000.0f;
        worst = fmax(worst, ulps(lane_exp(x), exp((double)x)));
        if (x <= 0) worst_m1 = fmax(worst_m1, ulps(lane_expm1(x), expm1((double)x)));
        const float small = -(float)i / 400000.0f;
        if (i) worst_m1 = fmax(worst_m1, ulps(lane_expm1(small), expm1((double)small)));
    }
    print_message("exp: %.2f ulp, expm1: %.2f ulp\n", worst, worst_m1);
    assert_true(worst <= 2 && worst_m1 <= 2);
    assert_true(lane_exp(0) == 1.0f && lane_exp(-INFINITY) == 0.0f && isinf(lane_exp(INFINITY)) &&
                isinf(lane_exp(88.8f)));
    assert_true(isnan(lane_exp(NAN)) && lane_expm1(-INFINITY) == -1.0f && lane_expm1(0) == 0.0f);
}

static void activations(void **state) {
    (void)state;
    enum { N = 333 };
    for (int act = VOX_ACT_NONE; act < VOX_ACTS; act++) {
        const vox_epilogue ep = {(vox_act)act, -0.5f, 2.0f};
        buffer x = buffer_random(N, 1), y = buffer_new(N, 1);
        for (int i = 0; i < N; i++) {
            x.at[i] *= (float)(i % 20 + 1);
            if (i < 40) x.at[i] = (float)(i - 20) / 2;
            if (act == VOX_ACT_LOG || act == VOX_ACT_SQRT) x.at[i] = fabsf(x.at[i]) + 0.01f;
        }
        vox_activate_run(&ep, 0.3f, x.at, y.at, N);
        for (int i = 0; i < N; i++) {
            const double want = vox_ref_act(&ep, (double)0.3f, (double)x.at[i]);
            near((double)y.at[i], want, 3e-7, fabs(want), "activation");
        }
        vox_activate_run(&ep, 0.3f, x.at, x.at, N);
        assert_memory_equal(x.at, y.at, N * sizeof(float));
        buffer_end(x), buffer_end(y);
    }
}

/* ---- pooling and norms ----------------------------------------------------------------------- */

static vox_pool3d random_pool(void) {
    vox_pool3d g;
    for (;;) {
        g = (vox_pool3d){.x = {random_int(1, 2), RANDOM_OF(1, 3, 16, 20), random_int(1, 6), random_int(1, 6),
                               RANDOM_OF(0, 0, 0, 300) + random_int(1, 20), RANDOM_OF(0, 16), 0}};
        g.include_pad = random_int(0, 1);
        const int x[3] = {g.x.d, g.x.h, g.x.w};
        int y[3], fits = 1;
        for (int a = 0; a < 3; a++) {
            g.kernel[a] = random_int(1, 3), g.stride[a] = random_int(1, 3),
            g.dilation[a] = RANDOM_OF(1, 1, 2);
            g.pad[a] = random_int(0, g.kernel[a] - 1), g.pad_end[a] = random_int(0, g.kernel[a] - 1);
            const int room = x[a] + g.pad[a] + g.pad_end[a] - (g.kernel[a] - 1) * g.dilation[a] - 1;
            y[a] = room / g.stride[a] + 1;
            fits = fits && room >= 0 && g.pad[a] < x[a] && g.pad_end[a] < x[a];
        }
        g.y = (vox_dims){g.x.n, g.x.c, y[0], y[1], y[2], g.x.block, 0};
        if (fits) return g;
    }
}
static void pool_run(const vox_pool3d *g, int average, vox_range range, vox_xy o) {
    for (int t = vox_pool3d_tasks(g, range) - 1; t >= 0; t--)
        average ? vox_f32_average_pool(g, o, range, t) : vox_f32_max_pool(g, o, range, t);
}
/* A few planes at a time, from a ring into a ring. */
static void pool_by_range(const vox_pool3d *whole, int average, buffer x, buffer y) {
    for (int begin = 0, end; begin < whole->y.d; begin = end) {
        end = vox_min_int(begin + random_int(1, 3), whole->y.d);
        vox_pool3d g = *whole;
        const int low = vox_max_int(begin * g.stride[0] - g.pad[0], 0),
                  reach = (g.kernel[0] - 1) * g.dilation[0];
        const int high = vox_min_int((end - 1) * g.stride[0] - g.pad[0] + reach + 1, g.x.d);
        buffer from = ring_of(&whole->x, high - low + random_int(0, 2), x.at, low, high, &g.x);
        g.y.ring = end - begin + random_int(0, 2);
        buffer to = tensor_poisoned(&g.y);
        pool_run(&g, average, (vox_range){begin, end}, (vox_xy){from.at, to.at});
        same_planes(&g.y, to, &whole->y, y, begin, end);
        buffer_end(from), buffer_end(to);
    }
}
static void pool_cases(int average) {
    for (int i = 0; i < 100; i++) {
        const vox_pool3d g = random_pool();
        buffer x = tensor_random(&g.x), y = tensor_poisoned(&g.y);
        pool_run(&g, average, whole_of(&g.y), (vox_xy){x.at, y.at});
        FOR_TENSOR(&g.y, n, c, d, h, w) {
            const double want = vox_ref_pool(&g, average, x.at, (vox_position){n, c, d, h, w});
            near((double)y.at[vox_ref_at(&g.y, n, c, d, h, w)], want, average ? 1e-6 : 0, 1, "pool");
        }
        pool_by_range(&g, average, x, y);
        buffer_end(x), buffer_end(y);
    }
}
static void max_pool(void **state) {
    (void)state;
    pool_cases(0);
}
/* NaN spoils the windows that hold it, and no other. */
static void max_pool_nan(void **state) {
    (void)state;
    for (int block = 0; block <= 16; block += 16) {
        const vox_pool3d g = {.x = {1, 1, 2, 2, 600, block, 0},
                              .y = {1, 1, 1, 1, 300, block, 0},
                              .kernel = {2, 2, 2},
                              .stride = {2, 2, 2},
                              .dilation = {1, 1, 1}};
        buffer x = tensor_random(&g.x), y = tensor_poisoned(&g.y);
        x.at[vox_ref_at(&g.x, 0, 0, 1, 0, 301)] = NAN;
        vox_f32_max_pool(&g, (vox_xy){x.at, y.at}, whole_of(&g.y), 0);
        for (int w = 0; w < 300; w++)
            assert_int_equal(isnan(y.at[vox_ref_at(&g.y, 0, 0, 0, 0, w)]) != 0, w == 150);
        buffer_end(x), buffer_end(y);
    }
}
static void average_pool(void **state) {
    (void)state;
    pool_cases(1);
}

static vox_norm random_norm(int i) {
    return (vox_norm){.x = {random_int(1, 2), RANDOM_OF(1, 3, 16, 20, 32), random_int(1, 4), random_int(1, 5),
                            random_int(1, 20), RANDOM_OF(0, 16), 0},
                      .ep = {i % 3 == 0   ? VOX_ACT_PRELU
                             : i % 3 == 1 ? VOX_ACT_NONE
                                          : VOX_ACT_RELU,
                             0, 0}};
}
/* Packed: zeros above C. */
static buffer random_vector(int channels) {
    const size_t lanes = (size_t)(channels + 15) / 16 * 16;
    buffer b = buffer_random(lanes, 0);
    for (size_t l = (size_t)channels; l < lanes; l++) b.at[l] = 0;
    return b;
}

static void affine(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(60); i++) {
        const vox_norm g = random_norm(i);
        buffer x = tensor_random(&g.x), y = tensor_poisoned(&g.x);
        buffer scale = random_vector(g.x.c), bias = random_vector(g.x.c), slope = random_vector(g.x.c);
        const float *s = g.ep.act == VOX_ACT_PRELU ? slope.at : NULL;
        vox_affine_operands o = {x.at, scale.at, bias.at, s, y.at};
        for (int t = vox_norm_tasks(&g, whole_of(&g.x)) - 1; t >= 0; t--)
            vox_f32_affine(&g, o, whole_of(&g.x), t);
        all_finite(y);
        FOR_TENSOR(&g.x, n, c, d, h, w) {
            const double want = vox_ref_affine(&g, &o, (vox_position){n, c, d, h, w});
            near((double)y.at[vox_ref_at(&g.x, n, c, d, h, w)], want, 3e-7, 1 + fabs(want), "affine");
        }
        o.y = x.at; /* in place */
        for (int t = vox_norm_tasks(&g, whole_of(&g.x)) - 1; t >= 0; t--)
            vox_f32_affine(&g, o, whole_of(&g.x), t);
        assert_memory_equal(x.at, y.at, x.count * sizeof(float));
        buffer_end(x), buffer_end(y), buffer_end(scale), buffer_end(bias), buffer_end(slope);
    }
}

static void normalise(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(60); i++) {
        const vox_norm g = random_norm(i);
        buffer x = tensor_random(&g.x), y = tensor_poisoned(&g.x), slope = random_vector(g.x.c);
        buffer terms = buffer_random((size_t)(g.x.n * 3 * g.x.c), 1);
        const float *s = g.ep.act == VOX_ACT_PRELU ? slope.at : NULL;
        const vox_normalise_operands o = {x.at, terms.at, s, y.at};
        for (int t = vox_norm_tasks(&g, whole_of(&g.x)) - 1; t >= 0; t--)
            vox_f32_normalise(&g, o, whole_of(&g.x), t);
        all_finite(y);
        FOR_TENSOR(&g.x, n, c, d, h, w) {
            const double want = vox_ref_normalise(&g, &o, (vox_position){n, c, d, h, w});
            near((double)y.at[vox_ref_at(&g.x, n, c, d, h, w)], want, 3e-7, 2 + fabs(want), "normalise");
        }
        buffer_end(x), buffer_end(y), buffer_end(slope), buffer_end(terms);
    }
}

/* Any sum or mean per value, of either sign, up to 1000 times the deviation. */
static void norm_terms(void **state) {
    (void)state;
    static const float means[] = {0, -3, 1000};
    for (int i = 0; i < RANDOM_CASES(80); i++) {
        vox_norm_terms g = {.x = {random_int(1, 2), RANDOM_OF(1, 3, 16, 20, 48), random_int(1, 4),
                                  random_int(1, 9), random_int(1, 40), RANDOM_OF(0, 16), 0},
                            .eps = 1e-5};
        g.groups = g.x.c;
        for (int part = random_int(1, 8); g.groups > 1 && part > 1; part--)
            if (g.x.c % part == 0) g.groups = g.x.c / part, part = 1;
        buffer x = tensor_random(&g.x), y = buffer_new((size_t)(g.x.n * 3 * g.x.c), 1);
        buffer scale = random_vector(g.x.c), bias = random_vector(g.x.c);
        for (size_t k = 0; k < x.count; k++) x.at[k] += means[i % 3];
        const vox_norm_terms_operands o = {x.at, NULL, scale.at, bias.at, y.at};
        for (int t = vox_norm_terms_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_f32_norm_terms(&g, o, no_planes, t);
        for (int n = 0; n < g.x.n; n++)
            for (int c = 0; c < g.x.c; c++) {
                const float *t = y.at + n * 3 * g.x.c + c;
                double mean, variance;
                vox_ref_statistics(&g, x.at, n, c, &mean, &variance);
                const double factor = (double)scale.at[c] / sqrt(variance + g.eps);
                near((double)t[g.x.c], factor, 3e-7, fabs(factor), "factor");
                near((double)t[0] * factor - (double)t[2 * g.x.c], mean * factor - (double)bias.at[c], 3e-7,
                     1 + fabs((double)bias.at[c]), "mean and bias");
            }
        buffer_end(x), buffer_end(y), buffer_end(scale), buffer_end(bias);
    }
}

/* ---- element by element ---------------------------------------------------------------------- */

static void map(void **state) {
    (void)state;
    static const int counts[] = {1, 15, 16, 17, VOX_MAP_PART - 1, VOX_MAP_PART, VOX_MAP_PART + 3};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        const vox_map g = {.count = counts[i], .ep = {VOX_ACT_SIGMOID, 0, 0}};
        buffer x = buffer_random((size_t)g.count, 1), y = buffer_new((size_t)g.count, 1);
        for (int t = vox_map_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_f32_map(&g, (vox_xy){x.at, y.at}, no_planes, t);
        for (int64_t k = 0; k < g.count; k++) near((double)y.at[k], vox_ref_map(&g, x.at, k), 3e-7, 1, "map");
        buffer_end(x), buffer_end(y);
    }
}

/* A random shape whose operands broadcast along random axes; their sizes in elements. */
static vox_binary random_binary(int op, int64_t count[2]) {
    vox_binary g = {.op = (vox_binary_op)op, .rank = random_int(0, 6)};
    int64_t a = 1, b = 1;
    for (int i = g.rank - 1; i >= 0; i--) {
        g.dim[i] = random_int(0, 9) ? random_int(1, 5) : 9000 / (1 << g.rank);
        const int keep = random_int(0, 3);
        g.a_stride[i] = keep == 0 ? 0 : a, g.b_stride[i] = keep == 1 ? 0 : b;
        if (keep != 0) a *= g.dim[i];
        if (keep != 1) b *= g.dim[i];
    }
    count[0] = a, count[1] = b;
    return g;
}
static void binary(void **state) {
    (void)state;
    for (int i = 0; i < 260; i++) {
        int64_t count[2];
        const vox_binary g = random_binary(i % 13, count);
        const int64_t n = vox_copy_count(g.rank, g.dim);
        if (n > 100000) continue;
        buffer a = buffer_random((size_t)count[0], 1), b = buffer_random((size_t)count[1], 1);
        buffer y = buffer_new((size_t)n, 1);
        if (i % 4 == 0) a.at[0] = b.at[count[1] - 1]; /* equal somewhere */
        if (g.op == VOX_MIN || g.op == VOX_MAX) a.at[count[0] - 1] = NAN;
        for (int64_t k = 0; g.op == VOX_POW && k < count[0]; k++) a.at[k] = fabsf(a.at[k]) + 0.1f;
        for (int t = vox_binary_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_f32_binary(&g, (vox_binary_operands){a.at, b.at, y.at}, no_planes, t);
        for (int64_t k = 0; k < n; k++) {
            const double want = vox_ref_binary(&g, a.at, b.at, k);
            near((double)y.at[k], want, 2e-7, fabs(want), "binary");
        }
        buffer_end(a), buffer_end(b), buffer_end(y);
    }
}
static void binary_in_place(void **state) {
    (void)state;
    const vox_binary g = {.op = VOX_ADD, .rank = 2, .dim = {40, 30}, .a_stride = {30, 1}, .b_stride = {0, 1}};
    buffer a = buffer_random(1200, 1), b = buffer_random(30, 1), y = buffer_new(1200, 1);
    vox_f32_binary(&g, (vox_binary_operands){a.at, b.at, y.at}, no_planes, 0);
    vox_f32_binary(&g, (vox_binary_operands){a.at, b.at, a.at}, no_planes, 0);
    assert_memory_equal(a.at, y.at, 1200 * sizeof(float));
    buffer_end(a), buffer_end(b), buffer_end(y);
}

static void cast_of(int64_t count, vox_dtype from, vox_dtype to, vox_xy_any o) {
    const vox_cast g = {count, from, to};
    vox_cast_elements(&g, o, no_planes, 0);
}
static void cast(void **state) {
    (void)state;
    const float x[] = {0, -0.9f, 0.9f, 1.5f, -1.5f, 254.9f, 255.9f, 256, -1, 3e9f, -3e9f, 1e20f, -1e20f, NAN};
    enum { N = sizeof x / sizeof *x };
    const uint8_t u8[N] = {0, 0, 0, 1, 0, 254, 255, 255, 0, 255, 0, 255, 0, 0};
    const int32_t i32[N] = {0, 0, 0, 1, -1, 254, 255, 256, -1, INT32_MAX, INT32_MIN, INT32_MAX, INT32_MIN, 0};
    const int64_t i64[N] = {0,   0,  0,          1,           -1,        254,       255,
                            256, -1, 3000000000, -3000000000, INT64_MAX, INT64_MIN, 0};
    uint8_t to8[N];
    int32_t to32[N];
    int64_t to64[N];
    float back[N];
    cast_of(N, VOX_F32, VOX_U8, (vox_xy_any){x, to8});
    cast_of(N, VOX_F32, VOX_I32, (vox_xy_any){x, to32});
    cast_of(N, VOX_F32, VOX_I64, (vox_xy_any){x, to64});
    cast_of(N, VOX_I32, VOX_F32, (vox_xy_any){i32, back});
    assert_memory_equal(to8, u8, sizeof u8);
    assert_memory_equal(to32, i32, sizeof i32);
    assert_memory_equal(to64, i64, sizeof i64);
    for (int i = 0; i < N; i++) assert_true(back[i] == (float)i32[i]);
    assert_int_equal(vox_cast_tasks(&(vox_cast){.count = VOX_MAP_PART + 1}, no_planes), 2);
}

/* ---- data movement --------------------------------------------------------------------------- */

/* A permuted, partly reversed and repeated source. */
static void copy(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        vox_copy g = {.rank = random_int(0, 6), .element = RANDOM_OF(1, 4, 8)};
        int64_t x_size = 1, y_size = 1, x_at = 0;
        for (int k = 0; k < g.rank; k++) g.dim[k] = random_int(0, 20) ? random_int(1, 4) : 300;
        for (int k = g.rank - 1; k >= 0; k--) g.y_stride[k] = y_size, y_size *= g.dim[k];
        if (y_size > 100000) continue;
        for (int k = 0; k < g.rank; k++) {
            const int a = i % 3 == 0 ? g.rank - 1 - k : k, kind = random_int(0, 5);
            if (kind == 0) continue; /* repeated */
            g.x_stride[a] = kind == 1 ? -x_size : x_size;
            if (kind == 1) x_at += x_size * (g.dim[a] - 1);
            x_size *= g.dim[a];
        }
        const size_t size = (size_t)g.element;
        buffer x = buffer_random(((size_t)x_size * size + 3) / 4, 1),
               y = buffer_new(((size_t)y_size * size + 3) / 4, 1);
        const char *from = (const char *)x.at + x_at * g.element;
        char *to = (char *)y.at;
        for (int t = vox_copy_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_copy_box(&g, (vox_xy_any){from, to}, no_planes, t);
        for (int64_t k = 0; k < y_size; k++)
            assert_memory_equal(to + k * g.element,
                                from + vox_ref_offset(g.rank, g.dim, g.x_stride, k) * g.element, size);
        buffer_end(x), buffer_end(y);
    }
}

static void pad(void **state) {
    (void)state;
    for (int i = 0; i < 200; i++) {
        static const int elements[] = {1, 4, 8};
        static const unsigned char value[8] = {0x12, 0x34, 0x56, 0xff, 1, 2, 3, 4};
        vox_pad g = {.rank = random_int(1, 6), .mode = (vox_pad_mode)(i % 4), .value = value};
        g.element = elements[i / 4 % 3];
        size_t x_size = 1, y_size = 1;
        for (int a = 0; a < g.rank; a++) {
            g.x_dim[a] = random_int(0, 30) ? random_int(1, 4) : 400;
            g.begin[a] = random_int(0, 1) ? random_int(-g.x_dim[a] + 1, 5) : 0; /* below 0: a crop */
            g.y_dim[a] = g.x_dim[a] + g.begin[a] + (random_int(0, 1) ? random_int(0, 5) : 0);
            x_size *= (size_t)g.x_dim[a], y_size *= (size_t)g.y_dim[a];
        }
        if (y_size > 100000) continue;
        const size_t size = (size_t)g.element;
        buffer x = buffer_random(x_size * 2, 1), y = buffer_new((y_size * size + 3) / 4, 1);
        for (int t = vox_pad_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_pad_box(&g, (vox_xy_any){x.at, y.at}, no_planes, t);
        for (size_t k = 0; k < y_size; k++)
            assert_memory_equal((const char *)y.at + k * size, vox_ref_pad(&g, x.at, (int64_t)k), size);
        buffer_end(x), buffer_end(y);
    }
}

static void relayout(void **state) {
    (void)state;
    for (int c = 1; c <= 50; c += 7) {
        const vox_dims plain = {2, c, 3, 2, 5, 0, 0}, blocked = {2, c, 3, 2, 5, 16, 0};
        const vox_relayout to = {plain, blocked}, from = {blocked, plain};
        buffer x = tensor_random(&plain), y = tensor_poisoned(&blocked), z = tensor_poisoned(&plain);
        for (int t = vox_relayout_tasks(&to, whole_of(&plain)) - 1; t >= 0; t--)
            vox_f32_to_block(&to, (vox_xy){x.at, y.at}, whole_of(&plain), t);
        for (int t = vox_relayout_tasks(&from, whole_of(&plain)) - 1; t >= 0; t--)
            vox_f32_from_block(&from, (vox_xy){y.at, z.at}, whole_of(&plain), t);
        all_finite(y);
        FOR_TENSOR(&plain, n, k, d, h, w)
        assert_true(x.at[vox_ref_at(&plain, n, k, d, h, w)] == y.at[vox_ref_at(&blocked, n, k, d, h, w)]);
        assert_memory_equal(x.at, z.at, x.count * sizeof(float));
        buffer_end(x), buffer_end(y), buffer_end(z);
    }
}

static void resize(void **state) {
    (void)state;
    for (int i = 0; i < CASES(300); i++) {
        vox_resize g = {.x = {1, RANDOM_OF(1, 3, 20), random_int(1, 4), random_int(1, 4), random_int(1, 9),
                              RANDOM_OF(0, 16), 0},
                        .linear = i & 1,
                        .coordinates = (vox_coordinates)(i / 2 % 7),
                        .nearest = (vox_nearest)(i / 14 % 4),
                        .extrapolation = 7.5f};
        g.y = g.x;
        g.y.d = random_int(1, 8), g.y.h = random_int(1, 8), g.y.w = random_int(1, 150);
        for (int a = 0; a < 3; a++) {
            g.scale[a] = (double)(&g.y.d)[a] / (&g.x.d)[a] * (random_int(0, 3) ? 1 : 1.07);
            g.roi_begin[a] = random_int(-2, 4) / 10.0, g.roi_end[a] = random_int(5, 12) / 10.0;
        }
        buffer x = tensor_random(&g.x), y = tensor_poisoned(&g.y);
        for (int t = vox_resize_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_f32_resize(&g, (vox_xy){x.at, y.at}, no_planes, t);
        FOR_TENSOR(&g.y, n, c, d, h, w)
        near((double)y.at[vox_ref_at(&g.y, n, c, d, h, w)],
             vox_ref_resize(&g, x.at, (vox_position){n, c, d, h, w}), 1e-6, 1, "resize");
        buffer_end(x), buffer_end(y);
    }
}

/* ---- along an axis --------------------------------------------------------------------------- */

static vox_reduce random_reduce(size_t *count) {
    vox_reduce g = {
        .outer = random_int(1, 3), .axis = random_int(1, 40), .inner = RANDOM_OF(1, 2, 63, 64, 65, 200)};
    if (random_int(0, 9) == 0) g.outer = 500;
    g.block = RANDOM_OF(0, 16), g.log = random_int(0, 1), g.select_last = random_int(0, 1);
    *count = (size_t)(g.outer * (g.block ? (g.axis + 15) / 16 * 16 : g.axis) * g.inner);
    return g;
}
/* Lanes above the axis hold a large value. */
static buffer reduce_operand(const vox_reduce *g, size_t count) {
    buffer x = buffer_random(count, g->block ? 0 : 1);
    for (size_t i = 0; i < count; i++) {
        const int64_t block = (int64_t)i / 16 / g->inner % ((g->axis + 15) / 16);
        x.at[i] = g->block && block * 16 + (int64_t)i % 16 >= g->axis ? 1e30f : rintf(x.at[i] * 8) * 4;
    }
    return x;
}
static void softmax(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(60); i++) {
        size_t count;
        const vox_reduce g = random_reduce(&count);
        buffer x = reduce_operand(&g, count), y = buffer_new(count, g.block ? 0 : 1);
        for (int t = vox_reduce_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_f32_softmax(&g, (vox_xy){x.at, y.at}, no_planes, t);
        all_finite(y);
        for (int64_t o = 0; o < g.outer; o += 1 + g.outer / 5)
            for (int64_t a = 0; a < g.axis; a += 1 + g.axis / 9)
                for (int64_t p = 0; p < g.inner; p++) {
                    const double want = vox_ref_softmax(&g, x.at, o, a, p);
                    near(vox_ref_axis_value(&g, y.at, o, a, p), want, 1e-6, fabs(want) + (g.log ? 1 : 1e-3),
                         "softmax");
                }
        for (int t = vox_reduce_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_f32_softmax(&g, (vox_xy){x.at, x.at}, no_planes, t);
        assert_memory_equal(x.at, y.at, count * sizeof(float));
        buffer_end(x), buffer_end(y);
    }
}
static void arg_max(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(60); i++) {
        size_t count;
        const vox_reduce g = random_reduce(&count);
        buffer x = reduce_operand(&g, count);
        int64_t *y = malloc((size_t)(g.outer * g.inner) * sizeof *y);
        assert_non_null(y);
        for (int t = vox_reduce_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_f32_arg_max(&g, (vox_arg_max_operands){x.at, y}, no_planes, t);
        for (int64_t k = 0; k < g.outer * g.inner; k++)
            assert_int_equal(y[k], vox_ref_arg_max(&g, x.at, k / g.inner, k % g.inner));
        free(y);
        buffer_end(x);
    }
}
static void reduce(void **state) {
    (void)state;
    for (int i = 0; i < RANDOM_CASES(60); i++) {
        size_t count;
        vox_reduce g = random_reduce(&count);
        g.kind = (vox_reduction)(i % 5), g.block = 0, count = (size_t)(g.outer * g.axis * g.inner);
        buffer x = buffer_random(count, 1), y = buffer_new((size_t)(g.outer * g.inner), 1);
        for (int t = vox_reduce_tasks(&g, no_planes) - 1; t >= 0; t--)
            vox_f32_reduce(&g, (vox_xy){x.at, y.at}, no_planes, t);
        for (int64_t k = 0; k < g.outer * g.inner; k++) {
            const double want = vox_ref_reduce(&g, x.at, k / g.inner, k % g.inner);
            near((double)y.at[k], want, 2e-7, fabs(want), "reduce");
        }
        buffer_end(x), buffer_end(y);
    }
}

#endif
