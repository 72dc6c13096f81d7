/* kernels_speed.cu [EDGE]: what each kernel reaches on fp16 volumes of EDGE^3 voxels (16, for a simulated
 * GPU; give a real one 160), from the bytes and flops that its header says it needs. The first line is the
 * yardstick. */
#include "kernel_test.cuh"
#include "cuda/vox_copy.cuh"
#include "cuda/vox_first_conv.cuh"
#include "cuda/vox_last_conv.cuh"
#include "cuda/vox_norm.cuh"
#include "cuda/vox_pool.cuh"
#include "cuda/vox_reduce.cuh"
#include "cuda/vox_relayout.cuh"
#include "cuda/vox_resize.cuh"
#include "cuda/vox_scatter.cuh"

enum { CHANNELS = 32, CLASSES = 3, WARM = 2, REPEATS = 10 };

static cudaEvent_t event() {
    cudaEvent_t e;
    must(cudaEventCreateWithFlags(&e, cudaEventDefault), "cudaEventCreateWithFlags");
    return e;
}
/* Milliseconds of one run, the mean of REPEATS after WARM. */
template <typename F> static double milliseconds(F run) {
    const cudaEvent_t begin = event(), end = event();
    float ms = 0;
    for (int i = 0; i < WARM + REPEATS; i++) {
        if (i == WARM) must(cudaEventRecord(begin, 0), "cudaEventRecord");
        must(run(), "launch");
    }
    must(cudaEventRecord(end, 0), "cudaEventRecord");
    must(cudaEventSynchronize(end), "cudaEventSynchronize");
    must(cudaEventElapsedTime(&ms, begin, end), "cudaEventElapsedTime");
    cudaEventDestroy(begin), cudaEventDestroy(end);
    return ms / REPEATS;
}
template <typename F> static void report(const char *name, double bytes, double flops, F run) {
    state().name = name;
    const double ms = milliseconds(run);
    printf("%-24s %9.4f ms %8.1f GB/s %8.1f GFLOP/s\n", name, ms, bytes / ms * 1e-6, flops / ms * 1e-6);
    state().checks++;
}

typedef __half T;
/* A volume of zeros. */
struct volume {
    device_array<T> memory;
    vox_view<T> view;
    volume(int c, int edge)
        : memory(std::vector<T>((size_t)c * edge * edge * edge)), view{memory.p, 1, c, edge, edge,
                                                                       edge,     c, c, 0,    edge} {}
    double bytes() const { return (double)memory.n * sizeof(T); }
};

static void memory_bound(const volume &x, const volume &y, const volume &small, const float *w,
                         void *scratch) {
    static const int zero[3] = {0, 0, 0};
    const vox_gpu_epilogue ep = {w, nullptr, 0.01f, 0};
    const vox_gpu_window window = {{2, 2, 2}, {2, 2, 2}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}, 0};
    const vox_gpu_resize_map twice = {VOX_HALF_PIXEL, VOX_FLOOR, {2, 2, 2}, {0, 0, 0}, {1, 1, 1}, 0};
    const vox_gpu_slice all = {{0, 0, 0}, {1, 1, 1}};
    vox_view<T> product = small.view; /* as many elements as x */
    product.p = x.memory.p, product.c = product.pitch = product.own = 8 * CHANNELS;
    const double both = x.bytes() + y.bytes(), part = x.bytes() + small.bytes();
    const int d = x.view.d, planes = small.view.d;
    report("copy", both, 0, [&] { return vox_gpu_copy<T, T>(all, x.view, y.view, 0, d, 0); });
    report("bias_act", both, 0,
           [&] { return vox_gpu_bias_act<T, VOX_ACT_RELU>(ep, x.view, y.view, 0, d, 0); });
    report("max_pool", part, 0,
           [&] { return vox_gpu_max_pool<T>(window, x.view, small.view, 0, planes, 0); });
    report("max_pool_crop", part + y.bytes(), 0, [&] {
        return vox_gpu_max_pool_crop<T>(zero, {x.view, small.view, y.view}, 0, planes, 0);
    });
    report("scatter", both, 0, [&] {
        return vox_gpu_scatter<VOX_ACT_NONE, T>({{2, 2, 2}, {}}, {product, ep, y.view}, 0, d, 0);
    });
    report("resize", part, 0, [&] { return vox_gpu_resize<T, true>(twice, small.view, y.view, 0, d, 0); });
    report("instance norm", both + x.bytes(), 0, [&] {
        return vox_gpu_norm<VOX_ACT_LEAKY_RELU, T>({CHANNELS, 1e-5f}, {x.view, w, ep, y.view, scratch}, 0);
    });
}
static void ports(const volume &x, const volume &y, float *port, const float *w, int edge) {
    const double voxels = (double)edge * edge * edge, taps = 27;
    const vox_gpu_epilogue ep = {w, nullptr, 0, 0};
    vox_view<T> few = y.view; /* as a network's last layer leaves them */
    few.c = CLASSES, few.own = few.pitch = 8;
    const vox_dims lines = {1, CLASSES, edge, edge, edge, 0, 0};
    const vox_strided<float> to = vox_planar(port, CLASSES, edge, edge, edge);
    report("to_channels_last 3", voxels * 28, 0,
           [&] { return vox_gpu_to_channels_last<T>(port, few, 0, edge, 0); });
    report("from_channels_last 3", voxels * 28, 0,
           [&] { return vox_gpu_from_channels_last<T>(few, port, 0, edge, 0); });
    report("softmax 3", voxels * 28, 0,
           [&] { return vox_gpu_softmax<T, float, false>(lines, vox_strided_of(few), to, 0, edge, 0); });
    report("last_conv 32 -> 3", voxels * 76, voxels * 2 * CHANNELS * CLASSES, [&] {
        return vox_gpu_last_conv<CLASSES, VOX_ACT_NONE, T>({x.view, w, CHANNELS, ep, port}, 0, edge, 0);
    });
    for (int c = 1; c <= 3; c += 2) {
        const vox_gpu_first_conv_shape g = {c, {edge, edge, edge}, {3, 3, 3}, {1, 1, 1}, {1, 1, 1}};
        report(c == 1 ? "first_conv 1 -> 32" : "first_conv 3 -> 32", voxels * (4 * c + 64),
               voxels * 2 * c * taps * CHANNELS, [&] {
                   return vox_gpu_first_conv<VOX_ACT_RELU, 3, 1, T>(g, {port, w, ep, y.view}, 0, edge, 0);
               });
    }
}

int main(int argc, char **argv) {
    const int edge = argc > 1 ? atoi(argv[1]) : 16;
    if (edge < 2 || edge > 400 || edge % 2) return fprintf(stderr, "EDGE: an even number from 2 to 400\n"), 2;
    const volume x(CHANNELS, edge), y(CHANNELS, edge), small(CHANNELS, edge / 2);
    const size_t voxels = (size_t)edge * edge * edge;
    const device_array<float> port(std::vector<float>(3 * voxels)), w(std::vector<float>(27 * 3 * CHANNELS));
    const device_array<uint8_t> scratch(
        std::vector<uint8_t>((size_t)vox_gpu_norm_scratch(1, CHANNELS, (int64_t)voxels)));
    memory_bound(x, y, small, w.p, scratch.p);
    ports(x, y, port.p, w.p, edge);
    return summary("kernels_speed");
}
