/* kernels_norm.cu: instance and group norm, resize, softmax, arg max and reductions on the device against
 * plain loops in double precision. */
#include "kernel_test.cuh"
#include "cuda/vox_norm.cuh"
#include "cuda/vox_reduce.cuh"
#include "cuda/vox_resize.cuh"

static double leaky(double x) {
    return x < 0 ? 0.25 * x : x;
}

/* Every group's mean is about `mean`, 1 is its deviation: what single-pass sums of squares lose. */
template <typename T>
static tensor norm_reference(const tensor &t, int groups, double eps, const std::vector<double> &scale,
                             const std::vector<double> &bias) {
    tensor want = t;
    const int per = t.c / groups;
    for (int n = 0; n < t.n; n++)
        for (int g = 0; g < groups; g++) {
            double mean = 0, squares = 0;
            const double count = (double)per * t.d * t.h * t.w;
            const auto mine = [&](int i, int ch) { return i == n && ch / per == g; };
            t.each([&](int i, int ch, int z, int y, int x) {
                if (mine(i, ch)) mean += t.at(i, ch, z, y, x) / count;
            });
            t.each([&](int i, int ch, int z, int y, int x) {
                const double delta = t.at(i, ch, z, y, x) - mean;
                if (mine(i, ch)) squares += delta * delta / count;
            });
            want.each([&](int i, int ch, int z, int y, int x) {
                double &v = want.at(i, ch, z, y, x);
                if (mine(i, ch))
                    v = leaky((v - mean) / sqrt(squares + eps) * scale[(size_t)ch] + bias[(size_t)ch]);
            });
        }
    return want;
}
template <typename T>
static void test_norm(int n, int c, int groups, const int size[3], double mean, int odd_values,
                      const layout &l, double deviation = 1) {
    tensor t = random_tensor<T>(n, c, size[0], size[1], size[2]);
    for (double &x : t.v) x = rounded<T>(x * deviation + mean);
    if (odd_values) t.v[t.v.size() / 2] = INFINITY;
    const std::vector<double> scale = random_channels(c), bias = random_channels(c);
    const floats_on_device<float> a(scale), b(bias);
    const tensor want = norm_reference<T>(t, groups, 1e-5, scale, bias);
    check_named<T>("norm c " + std::to_string(c) + " groups " + std::to_string(groups) + " " + l.name);
    const placed<T> x(t, l), y(n, c, size[0], size[1], size[2], l);
    const int own = x.own, voxels = size[0] * size[1] * size[2];
    const device_array<uint8_t> scratch(patterned<uint8_t>((size_t)vox_gpu_norm_scratch(n, own, voxels)));
    const vox_gpu_norm_operands<T> o = {x.view(), a.p, {b.p, nullptr, 0.25f, 0}, y.view(), scratch.p};
    launched(vox_gpu_norm<VOX_ACT_LEAKY_RELU>({groups, 1e-5f}, o, 0));
    y.expect(want, 30 + 4 * fabs(mean), 4);
    const std::vector<T> once = y.memory.fetch();
    launched(vox_gpu_norm<VOX_ACT_LEAKY_RELU>({groups, 1e-5f}, o, 0));
    const std::vector<T> twice = y.memory.fetch();
    if (memcmp(once.data(), twice.data(), once.size() * sizeof(T)) != 0) fail("other bits", 0, 0);
    refused(vox_gpu_norm_statistics<T>({c + 1, 1e-5f}, o, 0));
}
template <typename T> static void test_norms() {
    const int small[3] = {2, 3, 5}, runs[3] = {5, 16, 26}, one[3] = {1, 1, 1}; /* 2080 voxels: 3 splits */
    for (const layout &l : layouts) {
        test_norm<T>(2, 8, 8, small, 0, 0, l);
        test_norm<T>(1, 6, 3, small, 1, 0, l);
    }
    test_norm<T>(1, 8, 8, runs, sizeof(T) == 4 ? 100 : 2, 0, as_dense);
    test_norm<T>(2, 3, 3, runs, 0, 0, as_padded);
    test_norm<T>(1, 40, 1, small, 0, 0, as_dense);
    test_norm<T>(1, 16, 16, small, 0, 1, as_dense);
    test_norm<T>(1, 8, 2, one, 0, 0, as_dense);
    test_norm<T>(1, 8, 8, small, 0, 0, as_dense, 0x1p-9); /* eps is twice the variance */
    if (element<T>::name[0] == 'b') return;               /* as f16 */
    /* A warp or more per row of the block, whose rows then meet in shared memory;
     * more chunks than columns. */
    test_norm<T>(1, 256, 256, small, 0, 0, as_dense);
    test_norm<T>(1, 320, 320, small, 0, 0, as_dense);
}

/* ---- resize: ONNX's formulas, one output value at a time ------------------------------------- */

struct resize_case {
    vox_coordinates coordinates;
    vox_nearest nearest;
    int in[3], out[3];
    double scale[3];
};
static double source(const resize_case &r, const double roi[2], int axis, int o) {
    const double in = r.in[axis], out = r.out[axis], scale = r.scale[axis];
    switch (r.coordinates) {
    case VOX_HALF_PIXEL:
        return (o + 0.5) / scale - 0.5;
    case VOX_HALF_PIXEL_SYMMETRIC:
        return in / 2 * (1 - out / (in * scale)) + (o + 0.5) / scale - 0.5;
    case VOX_PYTORCH_HALF_PIXEL:
        return out > 1 ? (o + 0.5) / scale - 0.5 : 0;
    case VOX_ALIGN_CORNERS:
        return out > 1 && in > 1 ? o * (in - 1) / (in * scale - 1) : 0;
    case VOX_ASYMMETRIC:
        return o / scale;
    case VOX_TF_HALF_PIXEL_FOR_NN:
        return (o + 0.5) / scale;
    case VOX_TF_CROP_AND_RESIZE:
        return out > 1 ? roi[0] * (in - 1) + o * (roi[1] - roi[0]) * (in - 1) / (out - 1)
                       : 0.5 * (roi[0] + roi[1]) * (in - 1);
    }
    return NAN;
}
static double inside_of(double at, int extent) {
    return at < 0 ? 0 : at > extent - 1 ? extent - 1 : at;
}
static double resized(const tensor &t, const resize_case &r, const double roi[2], bool linear, int n, int ch,
                      const int o[3]) {
    double at[3], sum = 0;
    for (int a = 0; a < 3; a++) {
        at[a] = source(r, roi, a, o[a]);
        if (r.coordinates == VOX_TF_CROP_AND_RESIZE && (at[a] < 0 || at[a] > r.in[a] - 1)) return -1.5;
        if (!linear)
            at[a] = r.nearest == VOX_ROUND_PREFER_FLOOR  ? ceil(at[a] - 0.5)
                    : r.nearest == VOX_ROUND_PREFER_CEIL ? floor(at[a] + 0.5)
                    : r.nearest == VOX_FLOOR             ? floor(at[a])
                                                         : ceil(at[a]);
        at[a] = inside_of(at[a], r.in[a]);
    }
    for (int corner = 0; corner < 8; corner++) {
        double weight = 1;
        int k[3];
        for (int a = 0; a < 3; a++) {
            const double up = at[a] - floor(at[a]);
            weight *= corner >> a & 1 ? up : 1 - up;
            k[a] = (int)floor(at[a]) + (corner >> a & 1);
        }
        if (weight > 0) sum += weight * t.at(n, ch, k[0], k[1], k[2]);
    }
    return sum;
}
template <typename T, bool LINEAR> static void test_resize(const resize_case &r, int c, const layout &l) {
    tensor t = random_tensor<T>(2, c, r.in[0], r.in[1], r.in[2]), want(2, c, r.out[0], r.out[1], r.out[2]);
    const double roi[2] = {-0.1, 0.9};
    t.v[3] = INFINITY, t.v[t.v.size() - 2] = NAN;
    want.each([&](int n, int ch, int z, int y, int x) {
        const int o[3] = {z, y, x};
        want.at(n, ch, z, y, x) = resized(t, r, roi, LINEAR, n, ch, o);
    });
    check_named<T>(std::string(LINEAR ? "linear" : "nearest") + " mode " + std::to_string(r.coordinates) +
                   " " + l.name);
    const vox_gpu_resize_map g = {r.coordinates,
                                  r.nearest,
                                  {r.scale[0], r.scale[1], r.scale[2]},
                                  {roi[0], roi[0], roi[0]},
                                  {roi[1], roi[1], roi[1]},
                                  -1.5f};
    const placed<T> x(t, l), y(2, c, r.out[0], r.out[1], r.out[2], l, 1, r.out[0] - 1);
    launched(vox_gpu_resize<T, LINEAR>(g, x.view(), y.view(), 1, r.out[0], 0));
    y.expect(want, 1, r.out[0], LINEAR ? 20 : 0, LINEAR ? 2 : 0);
    const int last = r.out[0] - 1; /* reads the upper half of x alone */
    const placed<T> upper(t, l, r.in[0] / 2, r.in[0] - r.in[0] / 2),
        plane(2, c, r.out[0], r.out[1], r.out[2], l, last, 1);
    launched(vox_gpu_resize<T, LINEAR>(g, upper.view(), plane.view(), last, r.out[0], 0));
    plane.expect(want, last, r.out[0], LINEAR ? 20 : 0, LINEAR ? 2 : 0);
}
template <typename T> static void test_resizes() {
    for (int mode = VOX_HALF_PIXEL; mode <= VOX_TF_CROP_AND_RESIZE; mode++) {
        const resize_case up = {
            (vox_coordinates)mode, (vox_nearest)(mode % 4), {3, 4, 5}, {6, 7, 12}, {2, 1.75, 2.5}};
        const resize_case down = {
            (vox_coordinates)mode, (vox_nearest)((mode + 1) % 4), {5, 4, 7}, {2, 4, 3}, {0.5, 1, 0.45}};
        test_resize<T, true>(up, 8, as_dense), test_resize<T, false>(up, 8, as_inside);
        test_resize<T, true>(down, 3, as_padded), test_resize<T, false>(down, 5, as_odd);
    }
    const resize_case wide = {
        VOX_HALF_PIXEL, VOX_FLOOR, {2, 1, 33}, {2, 2, 66}, {1, 2, 2}}; /* two runs of a row */
    test_resize<T, true>(wide, 8, as_dense);
}

/* ---- along the channels --------------------------------------------------------------------- */

template <typename T, bool LOG> static void test_softmax(int c, const layout &l) {
    tensor t = random_tensor<T>(2, c, 2, 3, 7), want = t;
    for (size_t i = 0; i < t.v.size(); i += 5) t.v[i] = rounded<T>(t.v[i] * 20);
    t.at(0, 0, 0, 0, 0) = INFINITY, t.at(0, c - 1, 0, 0, 1) = NAN, t.at(1, 0, 1, 2, 6) = -INFINITY;
    want.each([&](int n, int ch, int z, int y, int x) {
        double most = -INFINITY, sum = 0;
        for (int k = 0; k < c; k++) most = t.at(n, k, z, y, x) > most ? t.at(n, k, z, y, x) : most;
        for (int k = 0; k < c; k++) sum += exp(t.at(n, k, z, y, x) - most);
        const double v = t.at(n, ch, z, y, x) - most;
        want.at(n, ch, z, y, x) = LOG ? v - log(sum) : exp(v) / sum;
    });
    check_named<T>(std::string(LOG ? "log_softmax " : "softmax ") + l.name);
    const vox_dims g = {2, c, 2, 3, 7, 0, 0};
    const placed<T> x(t, l), upper(t, l, 1, 1);
    const device_array<float> port(patterned<float>(t.v.size()));
    launched(vox_gpu_softmax<T, float, LOG>(g, vox_strided_of(upper.view()), vox_planar(port.p, c, 2, 3, 7),
                                            1, 2, 0));
    expect_port(port, want, 1, 2, 12, 1);
    launched(vox_gpu_softmax<T, T, LOG>(g, vox_strided_of(x.view()), vox_strided_of(x.view()), 0, 2, 0));
    x.expect(want, 12, 1);
}
template <typename T, typename TY> static void test_arg_max(int c, int last, const layout &l) {
    tensor t = random_tensor<T>(2, c, 2, 3, 7);
    for (double &v : t.v) v = floor(v); /* equals happen */
    spoil(t, 2);
    check_named<T>(std::string("arg_max ") + l.name);
    const placed<T> x(t, l);
    const device_array<TY> y(patterned<TY>(2 * 2 * 3 * 7));
    const vox_strided<TY> to = {y.p, {42, 21, 7, 1, 0}, 0};
    launched(vox_gpu_arg_max<T, TY>({{2, c, 2, 3, 7, 0, 0}, last}, vox_strided_of(x.view()), to, 0, 2, 0));
    const std::vector<TY> got = y.fetch();
    for (int i = 0; i < 2 * 42; i++) {
        int best = 0;
        const auto value = [&](int ch) { return t.at(i / 42, ch, i / 21 % 2, i / 7 % 3, i % 7); };
        for (int ch = 1; ch < c; ch++)
            if (value(ch) > value(best) || (last && value(ch) == value(best))) best = ch;
        if (got[(size_t)i] != (TY)best) fail("index", (double)got[(size_t)i], best);
    }
}

/* Over the last axis, the first, both, all: x is [a][b][c] of floats, y what is kept of it, plain. */
template <vox_gpu_reduction R> static void test_reduce(const int dim[3], int over) {
    const tensor t = random_tensor<float>(1, 1, dim[0], dim[1], dim[2]);
    const int64_t stride[3] = {(int64_t)dim[1] * dim[2], dim[2], 1};
    vox_gpu_reduce_axes g = {};
    int64_t outputs = 1;
    for (int i = 2; i >= 0; i--)
        if (!(over >> i & 1)) outputs *= dim[i];
    int64_t left = outputs;
    for (int i = 0; i < 3; i++) {
        if (over >> i & 1) {
            g.reduced[g.reduced_rank] = dim[i], g.reduced_x[g.reduced_rank++] = stride[i];
        } else {
            left /= dim[i];
            g.kept[g.kept_rank] = dim[i], g.kept_x[g.kept_rank] = stride[i], g.kept_y[g.kept_rank++] = left;
        }
    }
    std::vector<double> want((size_t)outputs, R == VOX_GPU_PROD  ? 1
                                              : R == VOX_GPU_MAX ? -INFINITY
                                              : R == VOX_GPU_MIN ? INFINITY
                                                                 : 0);
    t.each([&](int, int, int a, int b, int c) {
        const int at[3] = {a, b, c};
        int64_t to = 0;
        for (int i = 0; i < 3; i++)
            if (!(over >> i & 1)) to = to * dim[i] + at[i];
        double &w = want[(size_t)to];
        const double v = t.at(0, 0, a, b, c);
        w = R == VOX_GPU_PROD ? w * v : R == VOX_GPU_MAX ? fmax(w, v) : R == VOX_GPU_MIN ? fmin(w, v) : w + v;
    });
    state().name = "reduce " + std::to_string(R) + " over " + std::to_string(over);
    const floats_on_device<float> x(t.v);
    const device_array<float> y(patterned<float>((size_t)outputs));
    launched(vox_gpu_reduce<float, float, R>(g, x.p, y.p, 0));
    const std::vector<float> got = y.fetch();
    const double count = (double)t.v.size() / (double)outputs;
    for (size_t i = 0; i < got.size(); i++) {
        const double w = R == VOX_GPU_MEAN ? want[i] / count : want[i];
        if (!close<float>(got[i], w, R == VOX_GPU_PROD ? count : R >= VOX_GPU_MAX ? 0 : 2, 0.01))
            fail("sum", got[i], w);
    }
}
static void test_reduces() {
    const int few[3] = {3, 5, 4}, many[3] = {7, 40, 33};
    for (int over = 1; over < 8; over++) {
        test_reduce<VOX_GPU_SUM>(few, over), test_reduce<VOX_GPU_MAX>(few, over),
            test_reduce<VOX_GPU_MIN>(few, over);
        test_reduce<VOX_GPU_PROD>(few, over), test_reduce<VOX_GPU_MEAN>(many, over);
    }
}
template <typename T> static void test_type() {
    test_norms<T>();
    test_resizes<T>();
    for (const layout &l : layouts) {
        test_softmax<T, false>(3, l), test_softmax<T, true>(8, l);
        test_arg_max<T, uint8_t>(3, 0, l), test_arg_max<T, int64_t>(8, 1, l);
    }
}

int main() {
    test_type<float>();
    test_type<__half>();
    test_type<__nv_bfloat16>();
    test_reduces();
    return summary("kernels_norm");
}
