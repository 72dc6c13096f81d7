/* tile_text.c: the text of --volume-size. */
#include "tile_volume.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 65536 }; /* voxels along an axis */

bool tile_is_volume(const char *text) {
    size_t numbers = strspn(text, "0123456789xX@.");
    return isdigit((unsigned char)text[0]) && text[numbers] == '\0' && strpbrk(text, "xX") != NULL;
}

/* Three numbers with x between them; what follows them. NULL: they are not there. */
static const char *read_three(const char *text, double v[3]) {
    for (int a = 0; a < 3; a++) {
        char *end;
        if (!isdigit((unsigned char)*text)) return NULL;
        v[a] = strtod(text, &end);
        if (!isfinite(v[a]) || !(v[a] > 0)) return NULL;
        text = end;
        if (a < 2 && *text != 'x' && *text != 'X') return NULL;
        if (a < 2) text++;
    }
    return text;
}

bool tile_parse_volume(const char *text, tile_volume *v, ir_diag *d) {
    double size[3];
    *v = (tile_volume){.size = {0}};
    const char *rest = strncmp(text, "0x", 2) && strncmp(text, "0X", 2) ? read_three(text, size) : NULL;
    bool good = rest != NULL;
    if (good && *rest == '@') rest = read_three(rest + 1, v->spacing);
    good = good && rest && *rest == '\0';
    for (int a = 0; good && a < 3; a++) {
        good = size[a] <= MOST && size[a] == floor(size[a]);
        if (good) v->size[a] = (int)size[a];
    }
    return good || ir_fail(d, IR_EXIT_INPUT,
                           "--volume-size %s: expected voxels along x, y and z, such as 512x512x300 (1 to "
                           "%d), and with @ "
                           "behind them their size in mm, such as 512x512x300@0.7x0.7x1.5",
                           text, MOST);
}
