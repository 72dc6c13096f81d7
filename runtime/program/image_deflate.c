/* SPDX-License-Identifier: MIT-0 */
/* image_deflate.c: compressing with several threads; see image_parts.h. One stream: pieces of 1 MiB are compressed
 * apart, each with the 32 KiB before it as its dictionary, end at a byte, and stand one behind the other; so
 * readers that know a single gzip member only can read it. */
#ifdef VOX_WITH_ZLIB
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "image_parts.h"

enum { PIECE = 1 << 20, WINDOW = 1 << 15, MOST_THREADS = 16, LEVEL = 6 };

typedef struct piece {
    unsigned char *in; /* WINDOW bytes of what was before, then PIECE of its own */
    unsigned char *out;
    size_t before, n, room, made;
    uLong check;
    bool gzip, last, ok;
} piece;

struct vox_deflate {
    FILE *file;
    bool gzip, begun;
    int pieces, used; /* there are; full, or the one being filled */
    piece piece[MOST_THREADS];
    uLong check;
    uint64_t bytes, written;
};

static void *compress_piece(void *argument) {
    piece *p = argument;
    z_stream z = {
        .next_in = p->in + WINDOW, .avail_in = (uInt)p->n, .next_out = p->out, .avail_out = (uInt)p->room};
    p->check = p->gzip ? crc32(0, p->in + WINDOW, (uInt)p->n) : adler32(1, p->in + WINDOW, (uInt)p->n);
    p->ok = deflateInit2(&z, LEVEL, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY) == Z_OK;
    if (!p->ok) return NULL;
    if (p->before > 0) deflateSetDictionary(&z, p->in + WINDOW - p->before, (uInt)p->before);
    int result = deflate(&z, p->last ? Z_FINISH : Z_SYNC_FLUSH);
    p->ok = z.avail_in == 0 && (p->last ? result == Z_STREAM_END : result == Z_OK && z.avail_out > 0);
    p->made = p->room - z.avail_out;
    deflateEnd(&z);
    return NULL;
}

vox_deflate *vox_deflate_new(FILE *file, bool gzip, int threads) {
    vox_deflate *d = calloc(1, sizeof *d);
    if (d == NULL) return NULL;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (threads <= 0) threads = processors > 0 && processors < MOST_THREADS ? (int)processors : 1;
    d->file = file;
    d->gzip = gzip;
    d->pieces = threads < MOST_THREADS ? threads : MOST_THREADS;
    d->check = gzip ? 0 : 1;
    for (int i = 0; i < d->pieces; i++) {
        piece *p = &d->piece[i];
        p->gzip = gzip;
        p->room = PIECE + PIECE / 256 + 4096; /* deflateBound and the flush behind it */
        p->in = malloc(WINDOW + PIECE);
        p->out = malloc(p->room);
        if (p->in != NULL && p->out != NULL) continue;
        vox_deflate_free(d);
        return NULL;
    }
    return d;
}

void vox_deflate_free(vox_deflate *d) {
    for (int i = 0; d != NULL && i < d->pieces; i++) {
        free(d->piece[i].in);
        free(d->piece[i].out);
    }
    free(d);
}

uint64_t vox_deflate_written(const vox_deflate *d) {
    return d->written;
}

static bool write_out(vox_deflate *d, const void *data, size_t n) {
    errno = 0;
    d->written += n;
    return fwrite(data, 1, n, d->file) == n;
}

/* No name and no date: the same data are the same bytes. */
static bool write_head(vox_deflate *d) {
    static const unsigned char gzip[10] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255}, zlib[2] = {0x78, 0x9c};
    if (d->begun) return true;
    d->begun = true;
    return d->gzip ? write_out(d, gzip, sizeof gzip) : write_out(d, zlib, sizeof zlib);
}

/* All that are full, and at the end the one being filled. A thread that cannot be had does its work here. */
static bool flush_pieces(vox_deflate *d, bool last) {
    pthread_t thread[MOST_THREADS];
    bool started[MOST_THREADS] = {false};
    const int n = last ? d->used + 1 : d->used;
    for (int i = 0; i < n; i++) d->piece[i].last = last && i == n - 1;
    for (int i = 1; i < n; i++)
        started[i] = pthread_create(&thread[i], NULL, compress_piece, &d->piece[i]) == 0;
    for (int i = 0; i < n; i++) {
        if (started[i]) continue;
        compress_piece(&d->piece[i]);
    }
    for (int i = 1; i < n; i++) {
        if (started[i]) pthread_join(thread[i], NULL);
    }
    bool ok = write_head(d);
    for (int i = 0; i < n && ok; i++) {
        const piece *p = &d->piece[i];
        if (!p->ok) errno = ENOMEM;
        ok = p->ok && write_out(d, p->out, p->made);
        d->check = d->gzip ? crc32_combine(d->check, p->check, (z_off_t)p->n)
                           : adler32_combine(d->check, p->check, (z_off_t)p->n);
        d->bytes += p->n;
    }
    return ok;
}

/* The window that goes before piece i. */
static void carry_window(vox_deflate *d, int i, const piece *from) {
    piece *to = &d->piece[i];
    to->before = WINDOW;
    memmove(to->in, from->in + PIECE, WINDOW); /* the last bytes of WINDOW + PIECE */
    to->n = 0;
}

bool vox_deflate_put(vox_deflate *d, const void *data, size_t bytes) {
    const unsigned char *from = data;
    while (bytes > 0) {
        piece *p = &d->piece[d->used];
        size_t n = PIECE - p->n < bytes ? PIECE - p->n : bytes;
        memcpy(p->in + WINDOW + p->n, from, n);
        p->n += n;
        from += n;
        bytes -= n;
        if (p->n < PIECE) continue;
        if (++d->used < d->pieces) {
            carry_window(d, d->used, p);
            continue;
        }
        if (!flush_pieces(d, false)) return false;
        d->used = 0;
        carry_window(d, 0, p);
    }
    return true;
}

static void store_32(unsigned char *to, uint32_t x, bool little) {
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(x >> (little ? 8 * i : 24 - 8 * i));
}

bool vox_deflate_end(vox_deflate *d) {
    unsigned char tail[8];
    if (!flush_pieces(d, true)) return false;
    store_32(tail, (uint32_t)d->check, d->gzip);
    store_32(tail + 4, (uint32_t)d->bytes, true);
    return write_out(d, tail, d->gzip ? 8 : 4);
}
#else
#include "image_parts.h"

vox_deflate *vox_deflate_new(FILE *file, bool gzip, int threads) {
    (void)file, (void)gzip, (void)threads;
    return NULL;
}

bool vox_deflate_put(vox_deflate *d, const void *data, size_t bytes) {
    (void)d, (void)data, (void)bytes;
    return false;
}

bool vox_deflate_end(vox_deflate *d) {
    (void)d;
    return false;
}

uint64_t vox_deflate_written(const vox_deflate *d) {
    (void)d;
    return 0;
}

void vox_deflate_free(vox_deflate *d) {
    (void)d;
}
#endif
