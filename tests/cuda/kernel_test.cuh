/* kernel_test.cuh: how a test program of kernels places tensors on the device, and judges what came back.
 *
 * A program is a list of checks, each a function that calls one launcher on small tensors and compares with a
 * reference in double precision that stands beside it. It runs on a GPU, or on the CPU under the simulator.
 * Memory around a tensor (neighbours in its pixel, other planes) is filled with a pattern that must still be
 * there.
 */
#ifndef KERNEL_TEST_CUH
#define KERNEL_TEST_CUH

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>
#include "cuda/vox_act.cuh"

/* ---- results ----------------------------------------------------------------------------------------- */

struct test_state {
    int checks = 0, failed = 0, last_failed = -1; /* last_failed: number of the check */
    std::string name;                             /* of the check that runs */
};
inline test_state &state() {
    static test_state s;
    return s;
}
/* The first wrong value of each check is printed. */
inline void fail(const char *what, double got, double want) {
    test_state &s = state();
    if (s.last_failed != s.checks)
        printf("FAILED %s: %s: %.9g, wanted %.9g\n", s.name.c_str(), what, got, want);
    s.last_failed = s.checks, s.failed++;
}
inline void must(cudaError_t status, const char *what) {
    if (status == cudaSuccess) return;
    printf("%s: %s: %s\n", state().name.c_str(), what, cudaGetErrorString(status));
    exit(1);
}
/* Runs a launcher and waits. */
inline void launched(cudaError_t status) {
    state().checks++;
    must(status, "launch");
    must(cudaDeviceSynchronize(), "run");
}
/* A launcher that must say no, and launch nothing. */
inline void refused(cudaError_t status) {
    state().checks++;
    if (status != cudaErrorInvalidValue) fail("status", status, cudaErrorInvalidValue);
}
inline int summary(const char *program) {
    printf("%s: %d checks, %d wrong values\n", program, state().checks, state().failed);
    return state().failed ? 1 : 0;
}

/* ---- element types -------------------------------------------------------------------------- */

template <typename T> struct element;
template <> struct element<float> {
    static constexpr const char *name = "f32";
    static constexpr double ulp = 0x1p-24, tiny = 0x1p-149; /* half a unit in the last place; smallest step */
    static double get(float x) { return x; }
    static float set(double x) { return (float)x; }
};
template <> struct element<__half> {
    static constexpr const char *name = "f16";
    static constexpr double ulp = 0x1p-11, tiny = 0x1p-24;
    static double get(__half x) { return __half2float(x); }
    static __half set(double x) { return __float2half_rn((float)x); }
};
template <> struct element<__nv_bfloat16> {
    static constexpr const char *name = "bf16";
    static constexpr double ulp = 0x1p-8, tiny = 0x1p-133;
    static double get(__nv_bfloat16 x) { return __bfloat162float(x); }
    static __nv_bfloat16 set(double x) { return __float2bfloat16_rn((float)x); }
};
template <typename T> double rounded(double x) {
    return element<T>::get(element<T>::set(x));
}

/* got is want, rounded to T, but for `slack` float roundings of a number of size `scale`. */
template <typename T> bool close(double got, double want, double slack, double scale) {
    if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
    const double size = fmax(fabs(want), scale), kept = rounded<T>(want);
    if (std::isinf(want) || std::isinf(got)) return got == want || got == kept;
    if (slack == 0) return got == kept && (want != 0 || got != 0 || std::signbit(got) == std::signbit(want));
    return fabs(got - want) <=
           element<T>::ulp * fabs(want) * 1.001 + slack * 0x1p-24 * size + element<T>::tiny;
}

/* ---- numbers --------------------------------------------------------------------------------- */

/* Uniform in [-2, 2), from a seed that the program's run always gives in the same order. */
inline double uniform() {
    static uint64_t s = 88172645463325252ull;
    s ^= s << 13, s ^= s >> 7, s ^= s << 17;
    return (double)(s >> 11) * 0x1p-51 - 2.0;
}
inline int below(int n) {
    return (int)((uniform() + 2.0) / 4.0 * n);
}

/* N C D H W of doubles. */
struct tensor {
    int n, c, d, h, w;
    std::vector<double> v;
    tensor(int n_, int c_, int d_, int h_, int w_, double value = 0)
        : n(n_), c(c_), d(d_), h(h_), w(w_), v((size_t)n_ * c_ * d_ * h_ * w_, value) {}
    size_t index(int i, int ch, int z, int y, int x) const {
        return ((((size_t)i * c + ch) * d + z) * h + y) * w + x;
    }
    double &at(int i, int ch, int z, int y, int x) { return v[index(i, ch, z, y, x)]; }
    double at(int i, int ch, int z, int y, int x) const { return v[index(i, ch, z, y, x)]; }
    bool has(int z, int y, int x) const { return z >= 0 && z < d && y >= 0 && y < h && x >= 0 && x < w; }
    /* Calls f(n, ch, z, y, x) for every element of the planes begin <= z < end. */
    template <typename F> void each(int begin, int end, F f) const {
        for (int i = 0; i < n; i++)
            for (int ch = 0; ch < c; ch++)
                for (int z = begin; z < end; z++)
                    for (int y = 0; y < h; y++)
                        for (int x = 0; x < w; x++) f(i, ch, z, y, x);
    }
    template <typename F> void each(F f) const { each(0, d, f); }
};
/* Random numbers that T holds exactly. */
template <typename T> tensor random_tensor(int n, int c, int d, int h, int w) {
    tensor t(n, c, d, h, w);
    for (double &x : t.v) x = rounded<T>(uniform());
    return t;
}
/* Puts NaN, both infinities and -0 at `count` random places each. */
inline void spoil(tensor &t, int count) {
    const double special[4] = {NAN, INFINITY, -INFINITY, -0.0};
    for (int i = 0; i < 4 * count; i++) t.v[(size_t)below((int)t.v.size())] = special[i % 4];
}
/* A per-channel vector as the kernels want it: zeros up to a multiple of 16. */
inline std::vector<double> random_channels(int c) {
    std::vector<double> v((size_t)(c + 15) / 16 * 16);
    for (int i = 0; i < c; i++) v[(size_t)i] = rounded<float>(uniform());
    return v;
}

/* ---- device memory --------------------------------------------------------------------------- */

/* An array on the device, freed with its owner. */
template <typename E> struct device_array {
    E *p;
    size_t n;
    explicit device_array(const std::vector<E> &host) : p(nullptr), n(host.size()) {
        must(cudaMalloc(reinterpret_cast<void **>(&p), n * sizeof(E)), "cudaMalloc");
        must(cudaMemcpy(p, host.data(), n * sizeof(E), cudaMemcpyHostToDevice), "cudaMemcpy");
    }
    ~device_array() { cudaFree(p); }
    device_array(const device_array &) = delete;
    device_array &operator=(const device_array &) = delete;
    std::vector<E> fetch() const {
        std::vector<E> host(n);
        must(cudaMemcpy(host.data(), p, n * sizeof(E), cudaMemcpyDeviceToHost), "cudaMemcpy");
        return host;
    }
};
template <typename E> std::vector<E> converted(const std::vector<double> &v) {
    std::vector<E> to(v.size());
    for (size_t i = 0; i < v.size(); i++) to[i] = element<E>::set(v[i]);
    return to;
}
template <typename E> struct floats_on_device : device_array<E> {
    explicit floats_on_device(const std::vector<double> &v) : device_array<E>(converted<E>(v)) {}
};
template <typename E> std::vector<E> patterned(size_t n) {
    std::vector<E> v(n);
    memset(static_cast<void *>(v.data()), 0x5a, n * sizeof(E));
    return v;
}

/* How a tensor stands in its pixels. */
struct layout {
    const char *name;
    int multiple, extra, offset; /* own: c rounded up to a multiple; pitch: own + extra; first channel */
};
static const layout as_dense = {"dense", 1, 0, 0}, as_padded = {"padded", 8, 0, 0},
                    as_inside = {"inside", 1, 16, 8}, as_odd = {"odd", 1, 3, 1};
static const layout layouts[] = {as_dense, as_padded, as_inside, as_odd};

/* A tensor's place on the device; only the planes z0 <= z < z0 + planes are there. */
template <typename T> struct placed {
    int n, c, d, h, w, own, pitch, offset, z0, planes;
    std::vector<T> before;
    device_array<T> memory;

    size_t index(int i, int ch, int z, int y, int x) const {
        return ((((size_t)i * planes + (z - z0)) * h + y) * w + x) * pitch + offset + ch;
    }
    /* An output: the pattern everywhere. */
    placed(int n_, int c_, int d_, int h_, int w_, const layout &l, int z0_ = 0, int planes_ = 0)
        : n(n_), c(c_), d(d_), h(h_), w(w_), own((c_ + l.multiple - 1) / l.multiple * l.multiple),
          pitch(own + l.extra), offset(l.offset), z0(z0_), planes(planes_ ? planes_ : d_),
          before(patterned<T>((size_t)n_ * planes * h_ * w_ * pitch)), memory(before) {}
    /* An input. */
    placed(const tensor &t, const layout &l, int z0_ = 0, int planes_ = 0)
        : placed(t.n, t.c, t.d, t.h, t.w, l, z0_, planes_) {
        for (int i = 0; i < n; i++)
            for (int z = z0; z < z0 + planes; z++)
                for (int y = 0; y < h; y++)
                    for (int x = 0; x < w; x++)
                        for (int ch = 0; ch < own; ch++)
                            before[index(i, ch, z, y, x)] =
                                element<T>::set(ch < c ? t.at(i, ch, z, y, x) : 0);
        must(cudaMemcpy(memory.p, before.data(), before.size() * sizeof(T), cudaMemcpyHostToDevice),
             "cudaMemcpy");
    }
    vox_view<T> view() const { return {memory.p + offset, n, c, d, h, w, pitch, own, z0, planes}; }

    /* The planes begin <= z < end are `want` (zeros from c to own), all else is as it was. */
    void expect(const tensor &want, int begin, int end, double slack, double scale = 0) const {
        const std::vector<T> now = memory.fetch();
        std::vector<bool> written(now.size());
        for (int i = 0; i < n; i++)
            for (int z = begin; z < end; z++)
                for (int y = 0; y < h; y++)
                    for (int x = 0; x < w; x++)
                        for (int ch = 0; ch < own; ch++) {
                            const size_t at = index(i, ch, z, y, x);
                            const double got = element<T>::get(now[at]),
                                         value = ch < c ? want.at(i, ch, z, y, x) : 0;
                            written[at] = true;
                            if (!close<T>(got, value, slack, scale)) fail("value", got, value);
                        }
        for (size_t i = 0; i < now.size(); i++)
            if (!written[i] && memcmp(&now[i], &before[i], sizeof(T)) != 0) fail("overwritten", (double)i, 0);
    }
    void expect(const tensor &want, double slack, double scale = 0) const {
        expect(want, 0, d, slack, scale);
    }
};

/* A plain float port of want's shape, of which begin <= z < end were written. */
inline void expect_port(const device_array<float> &port, const tensor &want, int begin, int end, double slack,
                        double scale = 0) {
    const std::vector<float> now = port.fetch(), before = patterned<float>(now.size());
    want.each([&](int i, int ch, int z, int y, int x) {
        const size_t at = want.index(i, ch, z, y, x);
        if (z < begin || z >= end) {
            if (memcmp(&now[at], &before[at], sizeof(float)) != 0) fail("overwritten", (double)at, 0);
        } else if (!close<float>(now[at], want.v[at], slack, scale)) {
            fail("value", now[at], want.v[at]);
        }
    });
}

/* Names the check that follows; printed only where something is wrong. */
template <typename T> void check_named(const std::string &name) {
    state().name = name + " " + element<T>::name;
}

#endif
