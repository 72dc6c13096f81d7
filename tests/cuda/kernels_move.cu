/* kernels_move.cu: relayout, copy, pad, boxes, gather and casts on the device against plain loops. */
#include "kernel_test.cuh"
#include "cuda/vox_copy.cuh"
#include "cuda/vox_map.cuh"
#include "cuda/vox_pad.cuh"
#include "cuda/vox_relayout.cuh"

/* Channels and planes around the tiles of vox_relayout.cuh: 8 x 128 and 32 x 32. */
struct relayout_case {
    int n, c, d, h, w;
};
static const relayout_case relayouts[] = {{1, 3, 2, 3, 5},   {2, 8, 2, 8, 16}, {1, 1, 1, 1, 1},
                                          {1, 5, 3, 13, 10}, {1, 32, 2, 4, 8}, {1, 33, 1, 5, 7},
                                          {2, 40, 2, 3, 11}, {1, 16, 3, 6, 11}};

template <typename T> static void test_relayout(const relayout_case &g, const layout &l, int begin, int end) {
    const tensor t = random_tensor<T>(g.n, g.c, g.d, g.h, g.w);
    const floats_on_device<float> x(t.v);
    const std::string which =
        " c " + std::to_string(g.c) + " plane " + std::to_string(g.h * g.w) + " " + l.name;
    check_named<T>("to_channels_last" + which);
    const placed<T> y(g.n, g.c, g.d, g.h, g.w, l, begin, end - begin);
    launched(vox_gpu_to_channels_last<T>(x.p, y.view(), begin, end, 0));
    y.expect(t, begin, end, 0);
    check_named<T>("from_channels_last" + which);
    const placed<T> from(t, l, begin, end - begin);
    const device_array<float> port(patterned<float>(t.v.size()));
    launched(vox_gpu_from_channels_last<T>(from.view(), port.p, begin, end, 0));
    expect_port(port, t, begin, end, 0);
}

/* Every second plane backwards, every third column: what a slice of ONNX can ask. */
template <typename TX, typename TY> static void test_copy(int c, const layout &from, const layout &to) {
    tensor t = random_tensor<TX>(2, c, 7, 6, 9);
    spoil(t, 3);
    const vox_gpu_slice slices[] = {{{0, 0, 0}, {1, 1, 1}}, {{1, 2, 3}, {1, 1, 1}}, {{6, 0, 1}, {-2, 2, 3}}};
    for (const vox_gpu_slice &g : slices) {
        tensor want(2, c, 3, 3, 2);
        want.each([&](int n, int ch, int z, int y, int x) {
            want.at(n, ch, z, y, x) = t.at(n, ch, g.begin[0] + z * g.step[0], g.begin[1] + y * g.step[1],
                                           g.begin[2] + x * g.step[2]);
        });
        check_named<TY>(std::string("copy ") + from.name + " to " + to.name);
        const int one = g.begin[0] + g.step[0], two = one + g.step[0], first = one < two ? one : two;
        const placed<TX> x(t, from, first, abs(g.step[0]) + 1);
        const placed<TY> y(2, c, 3, 3, 2, to, 1, 2);
        launched(vox_gpu_copy<TX, TY>(g, x.view(), y.view(), 1, 3, 0));
        y.expect(want, 1, 3, 0);
    }
}

/* ONNX Pad's index of one axis, by walking from the first element: reflect turns at the ends (and begins by
 * going inwards, either way), wrap jumps. */
static int pad_walk(vox_pad_mode mode, int i, int begin, int extent) {
    int at = 0, step = 1;
    if (i >= begin && i < begin + extent) return i - begin;
    if (mode == VOX_PAD_CONSTANT) return -1;
    if (mode == VOX_PAD_EDGE) return i < begin ? 0 : extent - 1;
    const int way = i < begin ? -1 : 1;
    for (int k = begin; k != i; k += way) {
        if (mode == VOX_PAD_WRAP) {
            at = (at + way + extent) % extent;
        } else if (extent > 1) {
            if (at + step >= extent || at + step < 0) step = -step;
            at += step;
        }
    }
    return at;
}
template <typename T>
static void test_pad(int c, const layout &l, vox_pad_mode mode, const int begin[4], const int end[4]) {
    tensor t = random_tensor<T>(1, c, 3, 4, 5);
    spoil(t, 2);
    const vox_gpu_padding g = {{begin[0], begin[1], begin[2], begin[3]}, mode, 0.5f};
    tensor want(1, c + begin[0] + end[0], 3 + begin[1] + end[1], 4 + begin[2] + end[2],
                5 + begin[3] + end[3]);
    want.each([&](int n, int ch, int z, int y, int x) {
        const int from[4] = {pad_walk(mode, ch, begin[0], c), pad_walk(mode, z, begin[1], 3),
                             pad_walk(mode, y, begin[2], 4), pad_walk(mode, x, begin[3], 5)};
        const bool in = from[0] >= 0 && from[1] >= 0 && from[2] >= 0 && from[3] >= 0;
        want.at(n, ch, z, y, x) = in ? t.at(n, from[0], from[1], from[2], from[3]) : 0.5;
    });
    check_named<T>("pad mode " + std::to_string(mode) + " " + l.name);
    const placed<T> x(t, l);
    const placed<T> y(1, want.c, want.d, want.h, want.w, l);
    launched(vox_gpu_pad<T>(g, x.view(), y.view(), 0, want.d, 0));
    y.expect(want, 0);
}

/* Plain tensors: every element by pad_walk along each of its axes. */
template <typename T> static void test_pad_plain(const vox_gpu_pad_box &g, T value) {
    int64_t x_count = 1, y_count = 1;
    for (int i = 0; i < g.rank; i++) x_count *= g.x_dim[i], y_count *= g.y_dim[i];
    std::vector<T> from((size_t)x_count);
    for (T &e : from) e = (T)below(200);
    state().name = "pad_plain of " + std::to_string(sizeof(T)) + " bytes, rank " + std::to_string(g.rank) +
                   ", mode " + std::to_string(g.mode);
    const device_array<T> x(from), y(patterned<T>((size_t)y_count));
    launched(vox_gpu_pad_plain<T>(g, value, x.p, y.p, 0));
    const std::vector<T> got = y.fetch();
    for (int64_t k = 0; k < y_count; k++) {
        int64_t left = k, at = 0, stride = 1;
        bool inside = true;
        for (int i = g.rank - 1; i >= 0; left /= g.y_dim[i--]) {
            const int source = pad_walk(g.mode, (int)(left % g.y_dim[i]), g.begin[i], g.x_dim[i]);
            inside = inside && source >= 0;
            at += source * stride, stride *= g.x_dim[i];
        }
        const T want = inside ? from[(size_t)at] : value;
        if (got[(size_t)k] != want) fail("element", (double)got[(size_t)k], (double)want);
    }
}
static void test_pads_plain() {
    for (int mode = VOX_PAD_CONSTANT; mode <= VOX_PAD_WRAP; mode++) {
        const vox_pad_mode m = (vox_pad_mode)mode;
        /* N and the last axis; axes that join between padded ones; crops; all eight axes; one axis, far */
        test_pad_plain<float>({5, {2, 3, 4, 5, 6}, {4, 3, 4, 5, 9}, {1, 0, 0, 0, 2}, m}, -0.5f);
        test_pad_plain<float>({5, {3, 3, 4, 5, 6}, {2, 3, 4, 7, 6}, {-1, 0, 0, 1, 0}, m}, 3.0f);
        test_pad_plain<int64_t>({3, {4, 5, 7}, {4, 5, 7}, {0, 0, 0}, m}, 7);
        test_pad_plain<int64_t>({4, {3, 5, 2, 3}, {3, 6, 2, 2}, {0, 2, 0, -1}, m}, INT64_MIN);
        test_pad_plain<int32_t>(
            {8, {2, 2, 3, 2, 2, 2, 2, 3}, {3, 3, 4, 3, 3, 3, 2, 4}, {1, 0, 0, 1, 1, 0, 0, 1}, m}, -9);
        test_pad_plain<uint8_t>({1, {3}, {1000}, {500}, m}, 255);
        test_pad_plain<uint8_t>({2, {1, 40}, {6, 44}, {3, 2}, m}, 1);
    }
}

/* A box of bytes: y's elements in order are x's at strides; the same element sizes that graphs have. */
static void test_box(const vox_gpu_box &g, size_t x_elements, size_t y_elements, int64_t x_first) {
    const size_t size = (size_t)g.element;
    std::vector<uint8_t> from(x_elements * size);
    for (uint8_t &b : from) b = (uint8_t)below(256);
    state().name = "copy_box of " + std::to_string(size) + " bytes";
    const device_array<uint8_t> x(from), y(patterned<uint8_t>(y_elements * size));
    launched(vox_gpu_copy_box(g, x.p + x_first * g.element, y.p, 0));
    std::vector<uint8_t> want = patterned<uint8_t>(y_elements * size);
    int64_t count = 1;
    for (int i = 0; i < g.rank; i++) count *= g.dim[i];
    for (int64_t k = 0; k < count; k++) {
        int64_t left = k, at = x_first, to = 0;
        for (int i = g.rank - 1; i >= 0; left /= g.dim[i--])
            at += left % g.dim[i] * g.x_stride[i], to += left % g.dim[i] * g.y_stride[i];
        memcpy(&want[(size_t)to * size], &from[(size_t)at * size], size);
    }
    const std::vector<uint8_t> got = y.fetch();
    for (size_t i = 0; i < got.size(); i++)
        if (got[i] != want[i]) fail("byte", got[i], want[i]);
}
static void test_boxes() {
    for (int element = 1; element <= 8; element *= 2) {
        /* transposes of rank 3 and 6, a broadcast, a slice backwards, a member of a concat in whole rows */
        test_box({3, element, {5, 7, 6}, {1, 5, 35}, {42, 6, 1}}, 210, 210, 0);
        test_box({6, element, {2, 3, 2, 2, 1, 4}, {4, 8, 24, 48, 7, 1}, {48, 16, 8, 4, 4, 1}}, 96, 96, 0);
        test_box({3, element, {4, 3, 8}, {0, 8, 1}, {24, 8, 1}}, 24, 96, 0);
        test_box({2, element, {3, 4}, {-10, -2}, {4, 1}}, 40, 12, 27);
        test_box({2, element, {6, 16}, {16, 1}, {48, 1}}, 96, 288, 0);
    }
    test_box({0, 4, {}, {}, {}}, 1, 1, 0);
    test_box({1, 2, {1000}, {1}, {1}}, 1000, 1000, 0);
}

template <typename E> static void test_gather(int outer, int axis, int inner) {
    std::vector<E> from((size_t)outer * axis * inner);
    for (E &e : from) e = (E)below(256);
    const std::vector<int64_t> index = {axis - 1, 0, -1, -axis, axis / 2};
    state().name = "gather of " + std::to_string(sizeof(E)) + " bytes";
    const device_array<E> x(from), y(patterned<E>((size_t)outer * index.size() * inner));
    const device_array<int64_t> k(index);
    launched(vox_gpu_gather({(int)sizeof(E), outer, axis, inner, (int)index.size()}, {x.p, k.p, y.p}, 0));
    const std::vector<E> got = y.fetch();
    for (int o = 0; o < outer; o++)
        for (size_t i = 0; i < index.size(); i++)
            for (int j = 0; j < inner; j++) {
                const int64_t at = index[i] < 0 ? index[i] + axis : index[i];
                const E want = from[((size_t)o * axis + (size_t)at) * inner + j];
                if (got[((size_t)o * index.size() + i) * inner + j] != want) fail("element", 0, (double)want);
            }
}

template <typename TX, typename TY>
static void test_cast(const std::vector<TX> &from, const std::vector<TY> &want) {
    state().name = "cast";
    const device_array<TX> x(from);
    const device_array<TY> y(patterned<TY>(from.size()));
    launched(vox_gpu_cast<TX, TY>((int64_t)from.size(), x.p, y.p, 0));
    const std::vector<TY> got = y.fetch();
    for (size_t i = 0; i < got.size(); i++)
        if (memcmp(&got[i], &want[i], sizeof(TY)) != 0) fail("cast", (double)got[i], (double)want[i]);
}
static void test_casts() {
    const float huge = 1e20f;
    test_cast<float, uint8_t>({-3, 0.9f, 254.7f, 256, huge, -huge, NAN, INFINITY},
                              {0, 0, 254, 255, 255, 0, 0, 255});
    test_cast<float, int32_t>({-3.9f, 0.9f, 2147483648.0f, huge, -huge, NAN, -INFINITY},
                              {-3, 0, INT32_MAX, INT32_MAX, INT32_MIN, 0, INT32_MIN});
    test_cast<float, int64_t>({-3.9f, 1e9f, huge, -huge, NAN, INFINITY},
                              {-3, 1000000000, INT64_MAX, INT64_MIN, 0, INT64_MAX});
    test_cast<int64_t, float>({-3, 1ll << 40, 16777217}, {-3.0f, 1099511627776.0f, 16777216.0f});
    test_cast<int64_t, uint8_t>({-1, 300, 7}, {255, 44, 7});
    test_cast<uint8_t, float>({0, 255, 9}, {0.0f, 255.0f, 9.0f});
    test_cast<uint8_t, int64_t>({0, 255, 9}, {0, 255, 9});
    test_cast<float, float>({1.5f, -0.0f, INFINITY}, {1.5f, -0.0f, INFINITY});
}

template <typename T> static void test_type() {
    for (const relayout_case &g : relayouts)
        for (const layout &l : layouts) test_relayout<T>(g, l, 0, g.d);
    for (const layout &l : layouts) test_relayout<T>({2, 24, 5, 6, 7}, l, 2, 4);
    const int counts[] = {1, 7, 16};
    for (int c : counts)
        for (const layout &l : layouts) test_copy<T, T>(c, l, l);
    test_copy<T, T>(16, as_dense, as_inside);
    const int pads[][2][4] = {
        {{0, 1, 2, 3}, {0, 2, 1, 2}}, {{0, -1, 3, 0}, {0, 1, -2, 4}}, {{1, 0, 1, 0}, {2, 0, 0, 1}}};
    for (int mode = VOX_PAD_CONSTANT; mode <= VOX_PAD_WRAP; mode++)
        for (const auto &p : pads) {
            test_pad<T>(8, as_dense, (vox_pad_mode)mode, p[0], p[1]);
            test_pad<T>(5, as_padded, (vox_pad_mode)mode, p[0], p[1]);
        }
}

int main() {
    test_type<float>();
    test_type<__half>();
    test_type<__nv_bfloat16>();
    test_copy<float, __half>(16, as_dense, as_dense);
    test_copy<__half, float>(16, as_dense, as_inside);
    test_copy<float, __nv_bfloat16>(5, as_dense, as_padded);
    test_boxes();
    test_pads_plain();
    test_gather<uint8_t>(3, 5, 1);
    test_gather<uint16_t>(2, 4, 3);
    test_gather<float>(3, 4, 16);
    test_gather<int64_t>(1, 9, 1);
    test_casts();
    return summary("kernels_move");
}
