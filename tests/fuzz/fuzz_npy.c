/* Both readers of .npy files: the compiler's, and the program's for ports of each type. */
#include "fuzz.h"

#include "npy_port.h"
#include "npy_tensor.h"

static const vox_port ports[] = {
    {.name = "f", .dtype = VOX_F32, .rank = 3, .dim = {1, 2, 3}},
    {.name = "l", .dtype = VOX_I64, .rank = 1, .dim = {4}},
    {.name = "b", .dtype = VOX_U8, .rank = 0},
    {.name = "i", .dtype = VOX_I32, .rank = 2, .dim = {2, 2}},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size);
    ir_diag d = {0};
    file_tensor t;
    if (npy_read(path, &t, &d)) {
        size_t n;
        char *again = npy_format(&t, &n, &d);
        FUZZ_CHECK(again, "%s", d.text);
        free(again);
    } else {
        fuzz_refused(&d);
    }
    file_tensor_free(&t);
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
        const size_t bytes = vox_array_bytes(ports[i].dtype, ports[i].rank, ports[i].dim);
        void *array = malloc(bytes); /* exactly: a write behind the end is a find */
        const int code = vox_npy_read_port(path, &ports[i], array);
        FUZZ_CHECK(code == 0 || code == IR_EXIT_INPUT || code == IR_EXIT_UNSUPPORTED, "code %d", code);
        free(array);
    }
    return 0;
}
