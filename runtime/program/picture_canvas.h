/* SPDX-License-Identifier: MIT-0 */
/* picture_canvas.h: pixels, text on them, and PNG. For picture*.c and page*.c. */
#ifndef VOX_PICTURE_CANVAS_H
#define VOX_PICTURE_CANVAS_H

#include <stdio.h>

typedef struct vox_canvas {
    int width, height;
    unsigned char *rgb; /* [height][width][3] */
} vox_canvas;

/* Black; prints its error and returns the exit code. */
int vox_canvas_new(vox_canvas *c, int width, int height);
void vox_canvas_free(vox_canvas *c);
/* All drawing leaves out what lies outside. */
void vox_canvas_pixel(const vox_canvas *c, int x, int y, const unsigned char rgb[3]);
void vox_canvas_fill(const vox_canvas *c, int x, int y, int width, int height, const unsigned char rgb[3]);

/* A character is VOX_GLYPH_WIDTH x VOX_GLYPH_HEIGHT pixels, each `scale` wide and high, with one column of air behind
 * it. What is not ASCII is drawn as a box. Text is white within a black edge, so that it can be read on anything. */
enum { VOX_GLYPH_WIDTH = 5, VOX_GLYPH_HEIGHT = 8 };
const unsigned char *vox_glyph(char c); /* rows from the top, bit 4 leftmost; NULL: not ASCII */
int vox_canvas_text_width(const char *text, int scale);
void vox_canvas_text(const vox_canvas *c, int x, int y, int scale, const char *text);

/* 0, or errno; ENOMEM also where libpng had no memory. */
int vox_canvas_png(const vox_canvas *c, FILE *to);

#endif
