/* kernels_conv.cu: the first and the last convolution on the device against seven plain loops. */
#include "kernel_test.cuh"
#include "cuda/vox_first_conv.cuh"
#include "cuda/vox_last_conv.cuh"

static double relu(double x) {
    return x < 0 ? 0 : x;
}

/* out: extents; what the padding at the end is follows. */
struct first_case {
    int n, c, k, kernel[3], stride[3], pad[3], in[3], out[3];
};
template <typename T>
static tensor first_reference(const first_case &q, const tensor &t, const tensor &w,
                              const std::vector<double> &bias) {
    tensor want(q.n, q.k, q.out[0], q.out[1], q.out[2]);
    want.each([&](int n, int k, int z, int y, int x) {
        double sum = bias[(size_t)k];
        for (int c = 0; c < q.c; c++)
            for (int a = 0; a < q.kernel[0]; a++)
                for (int b = 0; b < q.kernel[1]; b++)
                    for (int e = 0; e < q.kernel[2]; e++) {
                        const int at[3] = {z * q.stride[0] - q.pad[0] + a, y * q.stride[1] - q.pad[1] + b,
                                           x * q.stride[2] - q.pad[2] + e};
                        if (t.has(at[0], at[1], at[2]))
                            sum += t.at(n, c, at[0], at[1], at[2]) * w.at(k, c, a, b, e);
                    }
        want.at(n, k, z, y, x) = relu(sum);
    });
    return want;
}
template <typename T, int KW, int SW> static void test_first(const first_case &q, const layout &l) {
    tensor t = random_tensor<float>(q.n, q.c, q.in[0], q.in[1], q.in[2]);
    const tensor w = random_tensor<float>(q.k, q.c, q.kernel[0], q.kernel[1], q.kernel[2]);
    const std::vector<double> bias = random_channels(q.k);
    t.v[t.v.size() / 3] = NAN;
    const tensor want = first_reference<T>(q, t, w, bias);
    check_named<T>("first_conv k " + std::to_string(q.k) + " kernel " + std::to_string(KW) + " stride " +
                   std::to_string(SW) + " " + l.name);
    const placed<T> y(q.n, q.k, q.out[0], q.out[1], q.out[2], l);
    const size_t pitch = (size_t)vox_gpu_first_conv_pitch(y.own);
    std::vector<double> packed(pitch * w.v.size() / (size_t)q.k);
    w.each([&](int k, int c, int a, int b, int e) {
        const size_t tap =
            (((size_t)a * (size_t)q.c + (size_t)c) * (size_t)w.h + (size_t)b) * (size_t)w.w + (size_t)e;
        packed[tap * pitch + (size_t)k] = w.at(k, c, a, b, e);
    });
    const floats_on_device<float> x(t.v), weights(packed), b(bias);
    const vox_gpu_first_conv_shape g = {q.c,
                                        {q.in[0], q.in[1], q.in[2]},
                                        {q.kernel[0], q.kernel[1], q.kernel[2]},
                                        {q.stride[0], q.stride[1], q.stride[2]},
                                        {q.pad[0], q.pad[1], q.pad[2]}};
    const int middle = (q.out[0] + 1) / 2;
    const vox_gpu_first_conv_operands<T> o = {x.p, weights.p, {b.p, nullptr, 0, 0}, y.view()};
    launched(vox_gpu_first_conv<VOX_ACT_RELU, KW, SW>(g, o, 0, middle, 0));
    y.expect(want, 0, middle, 60, 4);
    launched(vox_gpu_first_conv<VOX_ACT_RELU, KW, SW>(g, o, middle, q.out[0], 0));
    y.expect(want, 60, 4);
    constexpr int other = SW == 1 ? 2 : 1;
    refused(vox_gpu_first_conv<VOX_ACT_RELU, KW, other>(g, o, 0, middle, 0));
}
template <typename T> static void test_firsts() {
    /* below the tile's 8 columns; the tile; above it; K in one, two and four groups of 8, and twice four */
    test_first<T, 3, 1>({1, 1, 8, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}, {2, 3, 5}, {2, 3, 5}}, as_dense);
    test_first<T, 3, 1>({2, 3, 32, {3, 3, 3}, {1, 1, 1}, {0, 0, 0}, {3, 10, 10}, {1, 8, 8}}, as_dense);
    test_first<T, 3, 1>({1, 2, 16, {3, 3, 3}, {1, 1, 1}, {1, 0, 1}, {2, 6, 17}, {2, 4, 17}}, as_inside);
    test_first<T, 3, 1>({1, 4, 5, {1, 3, 3}, {1, 1, 1}, {0, 1, 1}, {2, 5, 9}, {2, 5, 9}}, as_padded);
    test_first<T, 3, 1>({1, 1, 40, {3, 1, 3}, {1, 1, 1}, {1, 0, 1}, {2, 4, 7}, {2, 4, 7}}, as_odd);
    test_first<T, 3, 1>({1, 1, 8, {1, 1, 3}, {1, 1, 1}, {0, 0, 1}, {1, 33, 66}, {1, 33, 66}}, as_dense);
    test_first<T, 7, 2>({1, 1, 16, {1, 7, 7}, {1, 2, 2}, {0, 3, 3}, {1, 9, 37}, {1, 5, 19}}, as_dense);
    test_first<T, 4, 4>({1, 3, 24, {2, 4, 4}, {2, 4, 4}, {0, 0, 0}, {4, 8, 36}, {2, 2, 9}}, as_dense);
}

template <typename T, int K>
static void test_last(int n, int c, const int size[3], const layout &l, int begin, int end) {
    tensor t = random_tensor<T>(n, c, size[0], size[1], size[2]);
    const tensor w = random_tensor<float>(K, c, 1, 1, 1);
    const std::vector<double> bias = random_channels(K);
    t.v[t.v.size() / 2] = INFINITY;
    tensor want(n, K, size[0], size[1], size[2]);
    want.each([&](int i, int k, int z, int y, int x) {
        double sum = bias[(size_t)k];
        for (int ch = 0; ch < c; ch++) sum += t.at(i, ch, z, y, x) * w.at(k, ch, 0, 0, 0);
        want.at(i, k, z, y, x) = 1 / (1 + exp(-sum));
    });
    const int pitch = (c + 7) / 8 * 8;
    std::vector<double> packed((size_t)(K * pitch));
    for (int k = 0; k < K; k++)
        for (int ch = 0; ch < c; ch++) packed[(size_t)(k * pitch + ch)] = w.at(k, ch, 0, 0, 0);
    check_named<T>("last_conv c " + std::to_string(c) + " k " + std::to_string(K) + " " + l.name);
    const placed<T> x(t, l, begin, end - begin);
    const floats_on_device<float> weights(packed), b(bias);
    const device_array<float> port(patterned<float>(want.v.size()));
    const vox_gpu_last_conv_operands<T> o = {x.view(), weights.p, pitch, {b.p, nullptr, 0, 0}, port.p};
    launched(vox_gpu_last_conv<K, VOX_ACT_SIGMOID>(o, begin, end, 0));
    expect_port(port, want, begin, end, 30, 1);
}
template <typename T> static void test_lasts() {
    const int small[3] = {2, 3, 5}, line[3] = {3, 4, 8},
              over[3] = {2, 3, 11}; /* 15, 32 and 33 voxels a plane */
    for (const layout &l : layouts) {
        test_last<T, 3>(1, 16, small, l, 0, 2), test_last<T, 3>(2, 5, line, l, 1, 3);
        test_last<T, 2>(1, 24, over, l, 0, 2);
    }
    test_last<T, 1>(1, 64, line, as_dense, 0, 1), test_last<T, 8>(1, 32, over, as_dense, 1, 2);
    const int few[3] = {1, 2, 5};
    test_last<T, 3>(1, 320, few, as_dense, 0, 1); /* more chunks than lanes */
    test_last<T, 3>(1, 1, few, as_dense, 0, 1);
}

int main() {
    test_firsts<float>(), test_lasts<float>();
    test_firsts<__half>(), test_lasts<__half>();
    test_firsts<__nv_bfloat16>(), test_lasts<__nv_bfloat16>();
    return summary("kernels_conv");
}
