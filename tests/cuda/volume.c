/* volume.c: writes a NIfTI volume of seeded numbers, X x Y x Z floats of 1 mm.
 *
 *   volume X Y Z FILE.nii
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = 352 }; /* bytes, those of "no extension" included */

static void put(unsigned char *header, size_t at, const void *value, size_t bytes) {
    memcpy(header + at, value, bytes);
}

static void describe(unsigned char *header, char **extents) {
    const int32_t size = 348;
    const int16_t float32 = 16, bits = 32;
    const float begin = HEADER, one = 1;
    put(header, 0, &size, sizeof size);
    for (size_t i = 0; i < 8; i++) {
        const int16_t dim = (int16_t)(i == 0 ? 3 : i <= 3 ? atoi(extents[i - 1]) : 1);
        put(header, 40 + i * sizeof dim, &dim, sizeof dim);
        put(header, 76 + i * sizeof one, &one, sizeof one);
    }
    put(header, 70, &float32, sizeof float32);
    put(header, 72, &bits, sizeof bits);
    put(header, 108, &begin, sizeof begin);
    put(header, 112, &one, sizeof one);
    put(header, 344, "n+1", 4);
}

int main(int argc, char **argv) {
    unsigned char header[HEADER] = {0};
    uint32_t state = 1;
    if (argc != 5) return 2;
    FILE *f = fopen(argv[4], "wb");
    if (!f) return 1;
    describe(header, argv + 1);
    fwrite(header, 1, sizeof header, f);
    for (long i = 0, n = atol(argv[1]) * atol(argv[2]) * atol(argv[3]); i < n; i++) {
        state = state * 1664525u + 1013904223u;
        const float value = (float)(state >> 8);
        fwrite(&value, sizeof value, 1, f);
    }
    return fclose(f) != 0;
}
