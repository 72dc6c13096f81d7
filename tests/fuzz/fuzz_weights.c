/* The weight file of a bundle, checked and packed by a table with each kind of packing. The checksum is made
 * right unless the input's first byte is odd, or nothing but the checksum would ever be tested. */
#include "fuzz.h"

#include "weights.h"
#include "vox_weights.h"

enum { FLOATS = 200, FILE_BYTES = 64 + 4 * FLOATS, PREPARED_BYTES = 6784 };
static const uint64_t graph_hash = 0x1234567890abcdef;

/* Each finds its numbers somewhere in the file. */
static const vox_weight table[] = {
    {"copy", VOX_PACK_COPY, 0, VOX_F32, 5, {64}, 256, 20, 0, 0, 0, 1, 0, {0}},
    {"one", VOX_PACK_VECTOR, 0, VOX_F32, 1, {84}, 320, 64, 3, 0, 0, 1, 0, {0}},
    {"each", VOX_PACK_VECTOR, 0, VOX_F32, 6, {88}, 384, 128, 6, 0, 0, 2, 0, {0}},
    {"conv", VOX_PACK_CONV, 0, VOX_F32, 24, {112}, 512, 512, 3, 8, 1, 1, 0, {0}},
    {"up", VOX_PACK_CONV_TRANSPOSE, 0, VOX_F32, 48, {208}, 1024, 1024, 3, 2, 8, 1, 0, {0}},
    {"winograd", VOX_PACK_WINOGRAD, 0, VOX_F32, 81, {400}, 2048, 4608, 3, 1, 27, 1, 0, {4, 2, 1}},
    {"scale", VOX_PACK_NORM_SCALE, 0, VOX_F32, 3, {724, 736}, 6656, 12, 3, 0, 0, 1, 1e-5, {0}},
    {"bias", VOX_PACK_NORM_BIAS, 0, VOX_F32, 3, {724, 736, 748, 760}, 6720, 12, 3, 0, 0, 1, 1e-5, {0}},
};
enum { TENSORS = sizeof table / sizeof *table };

static vox_weights_header *header_of(uint8_t *file) {
    return (vox_weights_header *)(void *)file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static _Alignas(64) uint8_t prepared[PREPARED_BYTES];
    const bool mend = size > 0 && data[0] % 2 == 0;
    if (size > 0) data++, size--;
    uint8_t *file = calloc(size ? size : 1, 1);
    if (size) memcpy(file, data, size);
    if (mend && size >= sizeof(vox_weights_header))
        header_of(file)->checksum = vox_weights_checksum(file, size);
    vox_status status = vox_weights_check(file, size, graph_hash, FILE_BYTES, table, TENSORS);
    if (status == VOX_OK) {
        vox_weights_pack(file, graph_hash, table, TENSORS, prepared, PREPARED_BYTES);
        FUZZ_CHECK(vox_prepared_ok(prepared, graph_hash, TENSORS, PREPARED_BYTES),
                   "what was packed is not right");
        for (int i = 0; i < TENSORS; i++)
            FUZZ_CHECK(vox_prepared_tensor_ok(prepared, table, i), "%s", table[i].name);
    }
    /* The compiler looks for tensors in the same file. */
    const uint64_t hash = size >= 72 ? *(const uint64_t *)(const void *)(file + 64) : 0;
    const char *found = cg_weights_find(file, size, hash, 20);
    FUZZ_CHECK(!found || (found >= (const char *)file && found + 20 <= (const char *)file + size),
               "outside the file");
    free(file);
    return 0;
}

/* Sizes and the hash of the graph stay right, mostly. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    uint64_t random = seed;
    size = LLVMFuzzerMutate(data, size, max);
    if (fuzz_below(&random, 4) == 0 || max < FILE_BYTES + 1) return size;
    if (size < FILE_BYTES + 1) memset(data + size, 0, FILE_BYTES + 1 - size);
    vox_weights_header h;
    memcpy(&h, data + 1, sizeof h);
    memcpy(h.magic, VOX_WEIGHTS_MAGIC, sizeof h.magic);
    h.version = VOX_WEIGHTS_VERSION;
    h.graph_hash = graph_hash;
    h.bytes = FILE_BYTES;
    memcpy(data + 1, &h, sizeof h);
    return FILE_BYTES + 1;
}
