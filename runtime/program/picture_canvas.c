/* SPDX-License-Identifier: MIT-0 */
/* picture_canvas.c: see picture_canvas.h. */
#ifdef VOX_WITH_NIFTI
#include "picture_canvas.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <png.h>

#include "report.h"
#include "utf8.h"

int vox_canvas_new(vox_canvas *c, int width, int height) {
    const size_t bytes = (size_t)width * (size_t)height * 3;
    *c = (vox_canvas){.width = width, .height = height, .rgb = calloc(bytes, 1)};
    return c->rgb != NULL ? 0 : vox_fail_memory("a picture", bytes);
}

void vox_canvas_free(vox_canvas *c) {
    free(c->rgb);
    *c = (vox_canvas){0};
}

void vox_canvas_pixel(const vox_canvas *c, int x, int y, const unsigned char rgb[3]) {
    if (x < 0 || y < 0 || x >= c->width || y >= c->height) return;
    memcpy(c->rgb + 3 * ((size_t)y * (size_t)c->width + (size_t)x), rgb, 3);
}

void vox_canvas_fill(const vox_canvas *c, int x, int y, int width, int height, const unsigned char rgb[3]) {
    for (int j = 0; j < height; j++) {
        for (int i = 0; i < width; i++) vox_canvas_pixel(c, x + i, y + j, rgb);
    }
}

/* ---- text ------------------------------------------------------------------------------------ */

int vox_canvas_text_width(const char *text, int scale) {
    int width = 0;
    uint32_t code;
    for (size_t n; *text != 0; text += n, width += (VOX_GLYPH_WIDTH + 1) * scale) vox_char(text, &n, &code);
    return width > 0 ? width - scale : 0;
}

static void draw_glyph(const vox_canvas *c, int x, int y, int scale, const unsigned char *rows, int edge) {
    static const unsigned char black[3] = {0, 0, 0}, white[3] = {255, 255, 255};
    static const unsigned char box[VOX_GLYPH_HEIGHT] = {0x1f, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1f, 0};
    if (rows == NULL) rows = box;
    for (int j = 0; j < VOX_GLYPH_HEIGHT; j++) {
        for (int i = 0; i < VOX_GLYPH_WIDTH; i++) {
            if ((rows[j] >> (VOX_GLYPH_WIDTH - 1 - i) & 1) == 0) continue;
            vox_canvas_fill(c, x + i * scale - edge, y + j * scale - edge, scale + 2 * edge, scale + 2 * edge,
                            edge > 0 ? black : white);
        }
    }
}

void vox_canvas_text(const vox_canvas *c, int x, int y, int scale, const char *text) {
    for (int edge = 1; edge >= 0; edge--) {
        int at = x;
        size_t n;
        uint32_t code;
        for (const char *s = text; *s != 0; s += n, at += (VOX_GLYPH_WIDTH + 1) * scale) {
            vox_char(s, &n, &code);
            draw_glyph(c, at, y, scale, n == 1 ? vox_glyph(*s) : NULL, edge);
        }
    }
}

/* ---- PNG ------------------------------------------------------------------------------------- */

static void on_error(png_structp png, png_const_charp text) {
    (void)text;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

int vox_canvas_png(const vox_canvas *c, FILE *to) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL) {
        png_destroy_write_struct(&png, NULL);
        return ENOMEM;
    }
    errno = 0;
    if (setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return errno != 0 ? errno : ENOMEM;
    }
    png_init_io(png, to);
    png_set_IHDR(png, info, (png_uint_32)c->width, (png_uint_32)c->height, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < c->height; y++) png_write_row(png, c->rgb + 3 * (size_t)y * (size_t)c->width);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    return 0;
}
#endif
