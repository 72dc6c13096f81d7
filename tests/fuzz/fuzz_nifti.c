/* The reader of NIfTI volumes, uncompressed. Its mutator decodes the header, changes fields and encodes it
 * again, in either byte order. */
#include "fuzz_image.h"

#include <nifti2_io.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_image(vox_image_read_nifti, data, size);
    return 0;
}

/* ---- the mutator ----------------------------------------------------------------------------- */

typedef enum kind { I8, I16, I32, I64, F32, F64 } kind;
static const size_t bytes_of[] = {[I8] = 1, [I16] = 2, [I32] = 4, [I64] = 8, [F32] = 4, [F64] = 8};
typedef struct place {
    size_t offset;
    int count;
    kind kind;
} place;

#define FIELDS(X, H, SHORT, LONG, REAL)                                                                      \
    X(H, dim, 8, LONG)                                                                                       \
    X(H, dim, 8, LONG)                                                                                       \
    X(H, datatype, 1, I16)                                                                                   \
    X(H, bitpix, 1, I16)                                                                                     \
    X(H, pixdim, 8, REAL)                                                                                    \
    X(H, vox_offset, 1, SHORT)                                                                               \
    X(H, scl_slope, 1, REAL)                                                                                 \
    X(H, scl_inter, 1, REAL)                                                                                 \
    X(H, cal_max, 1, REAL)                                                                                   \
    X(H, quatern_b, 3, REAL)                                                                                 \
    X(H, srow_x, 12, REAL)
#define X(H, member, count, kind) {offsetof(H, member), count, kind},
static const place places_1[] = {FIELDS(X, nifti_1_header, F32, I16, F32) X(
    nifti_1_header, qform_code, 2, I16) X(nifti_1_header, magic, 4, I8) X(nifti_1_header, xyzt_units, 1, I8)};
static const place places_2[] = {FIELDS(X, nifti_2_header, I64, I64, F64)
                                     X(nifti_2_header, qform_code, 2, I32) X(nifti_2_header, magic, 4, I8)
                                         X(nifti_2_header, xyzt_units, 1, I32)};
#undef X

static void put_number(uint8_t *to, kind k, uint64_t *random) {
    static const int16_t types[] = {0,   1,   2,   4,    8,    16,   32,   64,   128,
                                    256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2304};
    const bool type = k == I16 && fuzz_below(random, 2);
    const int64_t i = type ? types[fuzz_below(random, sizeof types / sizeof *types)] : fuzz_number(random);
    const double d = fuzz_real(random);
    const float f = (float)d;
    if (k == F32)
        memcpy(to, &f, sizeof f);
    else if (k == F64)
        memcpy(to, &d, sizeof d);
    else
        memcpy(to, &i, bytes_of[k]); /* the low bytes */
}

static void change_field(uint8_t *data, int version, uint64_t *random) {
    const place *places = version == 1 ? places_1 : places_2;
    const size_t n = version == 1 ? sizeof places_1 / sizeof *places_1 : sizeof places_2 / sizeof *places_2;
    const place *p = &places[fuzz_below(random, n)];
    put_number(data + p->offset + fuzz_below(random, (uint64_t)p->count) * bytes_of[p->kind], p->kind,
               random);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    uint64_t random = seed;
    const int version = size >= 348 ? nifti_header_version((const char *)data, size) : -1;
    const size_t header = version == 1 ? 348 : 540;
    if ((version != 1 && version != 2) || size < header || fuzz_below(&random, 16) == 0)
        return LLVMFuzzerMutate(data, size, max);
    if (fuzz_below(&random, 8) == 0) /* the voxels */
        return header + LLVMFuzzerMutate(data + header, size - header, max - header);
    int32_t first;
    memcpy(&first, data, sizeof first);
    const bool swapped = first != 348 && first != 540;
    if (swapped) swap_nifti_header(data, version);
    for (uint64_t i = fuzz_below(&random, 4) + 1; i > 0; i--) change_field(data, version, &random);
    if (swapped != (fuzz_below(&random, 16) == 0)) swap_nifti_header(data, version);
    return size;
}
