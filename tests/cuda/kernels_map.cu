/* kernels_map.cu: activations, affine and binary maps, comparisons, pools and the pixel shuffle on the device
 * against plain loops. */
#include "kernel_test.cuh"
#include "cuda/vox_map.cuh"
#include "cuda/vox_pool.cuh"
#include "cuda/vox_scatter.cuh"

static double activation(vox_act act, double x, double slope, double alpha, double beta) {
    return vox_act_value(act, x, act == VOX_ACT_PRELU ? slope : alpha, beta);
}
static bool is_exact(vox_act act) {
    return act == VOX_ACT_NONE || act == VOX_ACT_RELU || act == VOX_ACT_CLIP || act >= VOX_ACT_NEG;
}
static const double alpha = 0.25, beta = 0.75; /* exact in every type */

/* Numbers around 0, large ones and what is not finite. */
template <typename T> static tensor wide_tensor(int c, int d, int h, int w) {
    tensor t = random_tensor<T>(1, c, d, h, w);
    for (size_t i = 0; i < t.v.size(); i += 3) t.v[i] = rounded<T>(t.v[i] * 40);
    for (size_t i = 1; i < t.v.size(); i += 7) t.v[i] = rounded<T>(t.v[i] * 0.01);
    spoil(t, 2);
    return t;
}
template <typename T, vox_act A> static void test_map() {
    const tensor t = wide_tensor<T>(8, 2, 5, 7);
    tensor want = t;
    for (double &x : want.v) x = activation(A, x, 0, alpha, beta);
    check_named<T>("map " + std::to_string(A));
    const placed<T> x(t, as_dense), y(1, 8, 2, 5, 7, as_dense);
    launched(
        vox_gpu_bias_act<T, A>({nullptr, nullptr, (float)alpha, (float)beta}, x.view(), y.view(), 0, 2, 0));
    y.expect(want, is_exact(A) ? 0 : 8);
}
template <typename T> static void test_maps() {
    test_map<T, VOX_ACT_NONE>();
#define ACT(sym, ...)             test_map<T, VOX_ACT_##sym>();
#define ACT_PER_CHANNEL(sym, ...) /* test_bias */
#include "vox_acts.def"
}

/* In place on planes 1 and 2 of 4, with bias and slopes per channel; then the affine map. c and w go around a
 * block of 256 chunks. */
template <typename T> static void test_bias(int c, int w, const layout &l) {
    tensor t = random_tensor<T>(2, c, 4, 3, w);
    spoil(t, 1);
    const std::vector<double> bias = random_channels(c), slope = random_channels(c),
                              scale = random_channels(c);
    const floats_on_device<float> b(bias), s(slope), a(scale);
    tensor want = t, affine = t;
    want.each([&](int n, int ch, int z, int y, int x) {
        const size_t k = (size_t)ch;
        double &v = want.at(n, ch, z, y, x);
        affine.at(n, ch, z, y, x) = activation(VOX_ACT_RELU, v * scale[k] + bias[k], 0, 0, 0);
        v = activation(VOX_ACT_PRELU, v + bias[k], slope[k], 0, 0);
    });
    check_named<T>("bias_act c " + std::to_string(c) + " w " + std::to_string(w) + " " + l.name);
    const placed<T> x(t, l);
    launched(vox_gpu_bias_act<T, VOX_ACT_PRELU>({b.p, s.p, 0, 0}, x.view(), x.view(), 1, 3, 0));
    x.expect(want, 1, 3, 4, 4);
    check_named<T>("affine c " + std::to_string(c) + " w " + std::to_string(w) + " " + l.name);
    const placed<T> from(t, l, 1, 3), to(2, c, 4, 3, w, l, 1, 2);
    launched(vox_gpu_affine<VOX_ACT_RELU, T>({from.view(), a.p, {b.p, nullptr, 0, 0}, to.view()}, 1, 3, 0));
    to.expect(affine, 1, 3, 4, 4);
}

static double binary(vox_binary_op op, double a, double b) {
    switch (op) {
    case VOX_ADD:
        return a + b;
    case VOX_SUB:
        return a - b;
    case VOX_MUL:
        return a * b;
    case VOX_DIV:
        return a / b;
    case VOX_MIN:
        return std::isnan(a) || std::isnan(b) ? NAN : a < b ? a : b;
    case VOX_MAX:
        return std::isnan(a) || std::isnan(b) ? NAN : a > b ? a : b;
    case VOX_POW:
        return pow(a, b);
    case VOX_PRELU:
        return a < 0 ? b * a : a;
    case VOX_EQUAL:
        return a == b;
    case VOX_GREATER:
        return a > b;
    case VOX_GREATER_EQUAL:
        return a >= b;
    case VOX_LESS:
        return a < b;
    case VOX_LESS_EQUAL:
        return a <= b;
    }
    return NAN;
}
/* b has y's shape, or one number per channel, or per row, or one: all that broadcasting makes of it. */
template <typename T, vox_binary_op OP, vox_act A> static void test_binary(int c, const layout &l) {
    const int stride[4][5] = {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 1}, {0, 3, 1, 0, 0}, {1, 1, 1, 1, 1}};
    const tensor t = wide_tensor<T>(c, 2, 3, 5);
    tensor u = random_tensor<T>(1, c, 2, 3, 5);
    for (int i = 0; i < 4; i++) {
        std::vector<double> few((size_t)(c > 16 ? c : 16));
        for (double &x : few) x = rounded<float>(uniform());
        const floats_on_device<float> f(few);
        const placed<T> x(t, l, 1, 1), second(u, l), y(1, c, 2, 3, 5, l);
        tensor want = t;
        want.each([&](int n, int ch, int z, int h, int w) {
            const int *s = stride[i], at = z * s[1] + h * s[2] + ch * s[4];
            const double other = i == 3 ? u.at(n, ch, z, h, w) : few[(size_t)at];
            want.at(n, ch, z, h, w) = activation(A, binary(OP, t.at(n, ch, z, h, w), other), 0, alpha, beta);
        });
        check_named<T>("binary " + std::to_string(OP) + " operand " + std::to_string(i) + " " + l.name);
        if (i == 3) {
            const vox_gpu_binary_operands<T, T, T> o = {vox_strided_of(x.view()),
                                                        vox_strided_of(second.view()), y.view(), 0, 0};
            launched(vox_gpu_binary<OP, A>(o, 1, 2, 0));
        } else {
            const vox_strided<const float> b = {
                f.p, {stride[i][0], stride[i][1], stride[i][2], stride[i][3], stride[i][4]}, 0};
            const vox_gpu_binary_operands<T, T, const float> o = {vox_strided_of(x.view()), b, y.view(), 0,
                                                                  0};
            launched(vox_gpu_binary<OP, A>(o, 1, 2, 0));
        }
        y.expect(want, 1, 2, OP == VOX_POW || OP == VOX_DIV ? 8 : 1, 1);
    }
}
template <vox_binary_op OP> static void test_compare() {
    tensor t = wide_tensor<float>(3, 2, 3, 5), u = random_tensor<float>(1, 3, 2, 3, 5);
    for (size_t i = 0; i < t.v.size(); i += 4) u.v[i] = t.v[i];
    const placed<float> a(t, as_dense), b(u, as_dense);
    const device_array<uint8_t> y(patterned<uint8_t>(t.v.size()));
    state().name = "compare " + std::to_string(OP);
    const vox_view<uint8_t> view = {y.p, 1, 3, 2, 3, 5, 3, 3, 0, 2};
    launched(
        vox_gpu_compare<float, float, OP>(vox_strided_of(a.view()), vox_strided_of(b.view()), view, 0, 2, 0));
    const std::vector<uint8_t> got = y.fetch();
    t.each([&](int n, int ch, int z, int h, int w) {
        const double want = binary(OP, t.at(n, ch, z, h, w), u.at(n, ch, z, h, w)) != 0;
        const uint8_t value = got[(size_t)((z * 3 + h) * 5 + w) * 3 + (size_t)ch];
        if (value != want) fail("compare", value, want);
    });
}

/* ---- pools ------------------------------------------------------------------------------------------- */

struct pool_case {
    vox_gpu_window g;
    int c, in[3], out[3];
};
static const pool_case pools[] = {
    {{{2, 2, 2}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0}, 8, {6, 8, 10}, {3, 4, 5}},
    {{{2, 2, 2}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0}, 3, {5, 7, 9}, {2, 3, 4}},
    {{{3, 2, 1}, {2, 1, 3}, {1, 1, 1}, {1, 0, 0}, {1, 1, 2}, 1}, 8, {5, 4, 7}, {3, 4, 3}},
    {{{2, 3, 3}, {1, 2, 2}, {2, 1, 1}, {1, 1, 1}, {0, 1, 1}, 0}, 5, {5, 6, 7}, {4, 3, 4}},
    {{{2, 2, 2}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, 0}, 16, {5, 7, 3}, {3, 4, 2}}, /* ceil */
};
static double pooled(const tensor &t, const pool_case &p, bool average, int n, int ch, const int o[3]) {
    double sum = 0, most = -INFINITY;
    int count = 0, k[3], at[3];
    for (k[0] = 0; k[0] < p.g.kernel[0]; k[0]++)
        for (k[1] = 0; k[1] < p.g.kernel[1]; k[1]++)
            for (k[2] = 0; k[2] < p.g.kernel[2]; k[2]++) {
                bool counted = true;
                for (int a = 0; a < 3; a++) {
                    at[a] = o[a] * p.g.stride[a] - p.g.pad[a] + k[a] * p.g.dilation[a];
                    counted = counted && at[a] >= -p.g.pad[a] && at[a] < p.in[a] + p.g.pad_end[a];
                }
                const bool in = t.has(at[0], at[1], at[2]);
                count += p.g.include_pad ? counted : in;
                if (!in) continue;
                const double v = t.at(n, ch, at[0], at[1], at[2]);
                sum += v;
                most = std::isnan(v) || std::isnan(most) ? NAN : v > most ? v : most;
            }
    return average ? sum / (count > 1 ? count : 1) : most;
}
template <typename T> static void test_pool(const pool_case &p, const layout &l, bool average) {
    tensor t = random_tensor<T>(2, p.c, p.in[0], p.in[1], p.in[2]),
           want(2, p.c, p.out[0], p.out[1], p.out[2]);
    spoil(t, 2);
    want.each([&](int n, int ch, int z, int y, int x) {
        const int o[3] = {z, y, x};
        want.at(n, ch, z, y, x) = pooled(t, p, average, n, ch, o);
    });
    check_named<T>(std::string(average ? "average" : "max") + "_pool " + std::to_string(&p - pools) + " " +
                   l.name);
    const int first = p.g.stride[0] > p.g.pad[0] ? p.g.stride[0] - p.g.pad[0] : 0; /* that plane 1 reads */
    const placed<T> x(t, l, first, p.in[0] - first),
        y(2, p.c, p.out[0], p.out[1], p.out[2], l, 1, p.out[0] - 1);
    launched(average ? vox_gpu_average_pool<T>(p.g, x.view(), y.view(), 1, p.out[0], 0)
                     : vox_gpu_max_pool<T>(p.g, x.view(), y.view(), 1, p.out[0], 0));
    y.expect(want, 1, p.out[0], average ? 40 : 0, average ? 2 : 0);
}
/* In two steps, as a stream would: the crop's planes come with the pool's. */
template <typename T>
static void test_pool_crop(int c, const int in[3], const int at[3], const int size[3], const layout &l) {
    tensor t = random_tensor<T>(1, c, in[0], in[1], in[2]), want(1, c, in[0] / 2, in[1] / 2, in[2] / 2),
           copy(1, c, size[0], size[1], size[2]);
    spoil(t, 2);
    const pool_case p = {pools[0].g, c, {in[0], in[1], in[2]}, {}};
    want.each([&](int n, int ch, int z, int y, int x) {
        const int o[3] = {z, y, x};
        want.at(n, ch, z, y, x) = pooled(t, p, false, n, ch, o);
    });
    copy.each([&](int n, int ch, int z, int y, int x) {
        copy.at(n, ch, z, y, x) = t.at(n, ch, z + at[0], y + at[1], x + at[2]);
    });
    check_named<T>(std::string("max_pool_crop ") + l.name);
    const placed<T> x(t, l), y(1, c, want.d, want.h, want.w, l), crop(1, c, size[0], size[1], size[2], l);
    launched(vox_gpu_max_pool_crop<T>(at, {x.view(), y.view(), crop.view()}, 0, 1, 0));
    launched(vox_gpu_max_pool_crop<T>(at, {x.view(), y.view(), crop.view()}, 1, want.d, 0));
    y.expect(want, 0);
    crop.expect(copy, 0);
}

/* ---- the pixel shuffle ---------------------------------------------------------------------- */

template <typename T>
static void test_scatter(int k, const int s[3], const int pad[3], int tap, const layout &l) {
    const tensor t = random_tensor<T>(2, s[0] * s[1] * s[2] * tap, 2, 3, 4);
    tensor want(2, k, 2 * s[0] - 2 * pad[0], 3 * s[1] - pad[1], 4 * s[2] - pad[2]);
    const std::vector<double> bias = random_channels(k);
    const floats_on_device<float> b(bias);
    t.each([&](int n, int ch, int z, int y,
               int x) { /* from the product's side */
                        const int q = ch / tap, o = ch % tap;
                        const int to[3] = {z * s[0] + q / (s[1] * s[2]) - pad[0],
                                           y * s[1] + q / s[2] % s[1] - pad[1], x * s[2] + q % s[2] - pad[2]};
                        if (o < k && want.has(to[0], to[1], to[2]))
                            want.at(n, o, to[0], to[1], to[2]) = activation(
                                VOX_ACT_LEAKY_RELU, t.at(n, ch, z, y, x) + bias[(size_t)o], 0, alpha, 0);
    });
    check_named<T>("scatter k " + std::to_string(k) + " " + l.name);
    const int first = (1 + pad[0]) / s[0]; /* that plane 1 reads */
    const placed<T> x(t, as_dense, first, 2 - first), y(2, k, want.d, want.h, want.w, l);
    const vox_gpu_epilogue ep = {b.p, nullptr, (float)alpha, 0};
    launched(vox_gpu_scatter<VOX_ACT_LEAKY_RELU, T>({{s[0], s[1], s[2]}, {pad[0], pad[1], pad[2]}},
                                                    {x.view(), ep, y.view()}, 1, want.d, 0));
    y.expect(want, 1, want.d, 3, 4);
}

template <typename T> static void test_type() {
    test_maps<T>();
    for (const layout &l : layouts) {
        test_bias<T>(8, 11, l), test_bias<T>(3, 5, l);
        test_binary<T, VOX_ADD, VOX_ACT_RELU>(8, l), test_binary<T, VOX_ADD, VOX_ACT_RELU>(5, l);
        for (const pool_case &p : pools) test_pool<T>(p, l, false), test_pool<T>(p, l, true);
        const int in[3] = {5, 6, 7}, at[3] = {1, 0, 2}, size[3] = {4, 5, 5}, two[3] = {2, 2, 2},
                  zero[3] = {0, 0, 0};
        test_pool_crop<T>(8, in, at, size, l), test_pool_crop<T>(3, in, at, size, l);
        const int early[3] = {1, 1, 1}, less[3] = {2, 3, 3}; /* ends inside along every axis */
        test_pool_crop<T>(8, in, early, less, l), test_pool_crop<T>(3, in, early, less, l);
        const int mixed[3] = {1, 3, 2}, cut[3] = {0, 1, 1};
        test_scatter<T>(8, two, zero, 8, l), test_scatter<T>(3, two, zero, 3, l),
            test_scatter<T>(3, two, zero, 8, l);
        test_scatter<T>(5, mixed, cut, 6, l);
    }
    test_bias<T>(16, 256 / (2 * 16 / vox_chunk<T>::V), as_dense); /* around blocks of 256 threads */
    test_bias<T>(16, 43, as_dense), test_bias<T>(1, 42, as_dense);
    test_binary<T, VOX_MUL, VOX_ACT_NONE>(8, as_dense), test_binary<T, VOX_MAX, VOX_ACT_NONE>(8, as_dense);
}

/* Shapes that no kernel computes are refused, ranges of no planes are nothing to do. */
static void test_refusals() {
    state().name = "refusals";
    const int zero[3] = {0, 0, 0};
    const placed<float> x(1, 4, 3, 4, 5, as_dense), y(1, 4, 2, 2, 2, as_dense);
    refused(vox_gpu_max_pool_crop<float>(zero, {x.view(), y.view(), x.view()}, 0, 2, 0)); /* 2 planes of 3 */
    refused(vox_gpu_scatter<VOX_ACT_NONE, float>({{2, 2, 2}, {}}, {x.view(), {}, y.view()}, 0, 2, 0));
    refused(vox_gpu_bias_act<float, VOX_ACT_RELU>({}, x.view(), y.view(), 2, 0, 0));
    vox_view<float> huge = y.view();
    huge.h = huge.w = 1 << 15;
    refused(vox_gpu_bias_act<float, VOX_ACT_RELU>({}, huge, huge, 0, 2, 0));
    launched(vox_gpu_bias_act<float, VOX_ACT_RELU>({}, x.view(), y.view(), 1, 1, 0));
    y.expect(tensor(1, 4, 2, 2, 2), 0, 0, 0);
}

int main() {
    test_refusals();
    test_type<float>();
    test_type<__half>();
    test_type<__nv_bfloat16>();
    test_binary<float, VOX_SUB, VOX_ACT_NONE>(5, as_dense),
        test_binary<float, VOX_DIV, VOX_ACT_NONE>(4, as_dense);
    test_binary<float, VOX_MIN, VOX_ACT_NONE>(4, as_dense),
        test_binary<float, VOX_POW, VOX_ACT_NONE>(4, as_dense);
    test_binary<float, VOX_PRELU, VOX_ACT_NONE>(4, as_dense);
    test_compare<VOX_EQUAL>(), test_compare<VOX_GREATER>(), test_compare<VOX_GREATER_EQUAL>();
    test_compare<VOX_LESS>(), test_compare<VOX_LESS_EQUAL>();
    return summary("kernels_map");
}
