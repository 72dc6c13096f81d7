/* text.h: what the printer and the parser of the text form agree on (IR.md). Internal to ir/. */
#ifndef VOXC_IR_TEXT_H
#define VOXC_IR_TEXT_H

#include "ir.h"

enum { TEXT_INLINE = 16 /* constants of up to this many elements are printed whole */ };

/* One number that reads back as the same value, as short as possible; returns buf (at least 32 bytes). */
char *text_double(double v, char *buf);
char *text_float(float v, char *buf);

/* Data of a constant written as random(seed, scale): float dtypes only. */
void text_random(ir_dtype t, void *data, int64_t count, uint64_t seed, double scale);

void text_volume(FILE *f, const vox_volume_info *v);

#endif
