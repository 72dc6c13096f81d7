/* SPDX-License-Identifier: MIT-0 */
/* vox_hash.h: the hash of weights and graphs, which compiler and runtime must compute alike: so it is one
 * piece of text for both.
 *
 * Not cryptographic. Each step maps its state one to one for a given word, and the word one to one for a
 * given state, and carries bits downwards as well as upwards: data that differ in one word always have
 * different hashes, others but for one case in 2^64. Four states take turns, so that one's multiplication
 * need not wait for the one before.
 */
#ifndef VOX_HASH_H
#define VOX_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t vox_hash_step(uint64_t state, uint64_t word) {
    state = (state ^ word) * 0x9e3779b97f4a7c15u;
    return state ^ state >> 29;
}

/* Eight bytes as a little-endian number, on any machine. */
static inline uint64_t vox_hash_word(const unsigned char *p) {
    uint64_t word;
    memcpy(&word, p, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Of `bytes` bytes; `seed`: 0, or the hash of what comes before. */
static inline uint64_t vox_hash(uint64_t seed, const void *data, size_t bytes) {
    enum { STATES = 4, WORD = 8 };
    const unsigned char *p = (const unsigned char *)data;
    uint64_t state[STATES];
    size_t left = bytes;
    for (int i = 0; i < STATES; i++) state[i] = vox_hash_step(seed, (uint64_t)i);
    for (; left >= STATES * WORD; left -= STATES * WORD, p += STATES * WORD)
        for (int i = 0; i < STATES; i++) state[i] = vox_hash_step(state[i], vox_hash_word(p + i * WORD));
    uint64_t hash = vox_hash_step(seed, bytes);
    for (int i = 0; i < STATES; i++) hash = vox_hash_step(hash, state[i]);
    for (; left > 0; p += WORD) {
        unsigned char last[WORD] = {0};
        const size_t n = left < WORD ? left : WORD;
        memcpy(last, p, n);
        hash = vox_hash_step(hash, vox_hash_word(last));
        left -= n;
    }
    hash = vox_hash_step(hash, 0);
    return vox_hash_step(hash, 0);
}

#endif
