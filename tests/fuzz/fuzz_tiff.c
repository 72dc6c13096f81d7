/* The reader of TIFF files. */
#include "fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_image(vox_image_read_tiff, data, size);
    return 0;
}
