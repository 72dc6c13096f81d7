/* parse_volume.c: the volume section of the text form. */
#include "parse.h"

#include <limits.h>
#include <string.h>

static bool parse_axes(parser *p, ir_volume *v) {
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *axes = lex_word(&p->x, "the axes, such as zyx");
    if (!axes) return false;
    size_t n = strlen(axes);
    bool good = n <= 3 && strspn(axes, "xyz") == n;
    for (size_t i = 1; good && i < n; i++) good = !memchr(axes, axes[i], i);
    if (good) {
        memcpy(v->axes, axes, n + 1);
        return true;
    }
    p->x = place;
    return lex_fail(&p->x, "the axes are x, y and z in some order, each at most once");
}

static bool parse_orientation(parser *p, char *to) {
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *code = lex_word(&p->x, "an orientation, such as RAS");
    if (!code) return false;
    if (ir_is_orientation(code)) {
        memcpy(to, code, 4);
        return true;
    }
    p->x = place;
    return lex_fail(&p->x, "an orientation is one letter of R L, one of A P and one of S I, in some order");
}

/* The index among words of the next word, in *choice. */
static bool parse_choice(parser *p, const char *const *words, int count, int *choice) {
    for (int i = 0; i < count; i++) {
        if (!lex_accept_word(&p->x, words[i])) continue;
        *choice = i;
        return true;
    }
    return lex_fail(&p->x, "expected one of the words %s, %s ...", words[0], words[1]);
}

static bool parse_number(parser *p, double low, double high, double *to) {
    lex_blanks(&p->x);
    lexer place = p->x;
    if (!lex_double(&p->x, to)) return false;
    if (*to >= low && *to < high) return true;
    p->x = place;
    return lex_fail(&p->x, "expected a number from %g to below %g", low, high);
}

static bool parse_int(parser *p, int low, int high, int *to) {
    lex_blanks(&p->x);
    lexer place = p->x;
    int64_t n;
    if (!lex_int(&p->x, &n)) return false;
    *to = (int)n;
    if (n >= low && n <= high) return true;
    p->x = place;
    return lex_fail(&p->x, "expected a number from %d to %d", low, high);
}

/* One of "order=cubic" "across=..." "align=..." "anisotropy=3" "antialias"; *found: there was one. */
static bool parse_sampling_option(parser *p, vox_resampling *r, bool *found) {
    int order = (int)r->order, across = (int)r->across, align = (int)r->align;
    bool ok = true;
    *found = true;
    if (lex_accept_word(&p->x, "order"))
        ok = lex_expect(&p->x, '=') && parse_choice(p, ir_interpolation_words, IR_INTERPOLATIONS, &order);
    else if (lex_accept_word(&p->x, "across"))
        ok = lex_expect(&p->x, '=') && parse_choice(p, ir_interpolation_words, IR_INTERPOLATIONS, &across);
    else if (lex_accept_word(&p->x, "align"))
        ok = lex_expect(&p->x, '=') && parse_choice(p, ir_alignment_words, IR_ALIGNMENTS, &align);
    else if (lex_accept_word(&p->x, "anisotropy"))
        ok = lex_expect(&p->x, '=') && parse_number(p, 1, 1e9, &r->anisotropy);
    else if (lex_accept_word(&p->x, "antialias"))
        r->antialias = 1;
    else
        *found = false;
    r->order = (vox_interpolation)order;
    r->across = (vox_interpolation)across;
    r->align = (vox_alignment)align;
    return ok;
}

static bool parse_sampling(parser *p, vox_resampling *r) {
    bool more = true;
    while (more)
        if (!parse_sampling_option(p, r, &more)) return false;
    return true;
}

static bool parse_step(parser *p, ir_volume *v, vox_prepare_kind kind) {
    if (v->info.n_steps == IR_MAX_PREPARE) return lex_fail(&p->x, "more than %d steps", IR_MAX_PREPARE);
    vox_prepare_step *s = &v->steps[v->info.n_steps++];
    *s = ir_prepare_step(kind);
    for (int k = 0; k < ir_prepare_numbers(kind); k++)
        if (!lex_double(&p->x, &s->value[k])) return false;
    if (ir_prepare_resamples(kind)) return parse_sampling(p, &s->sampling);
    if (ir_prepare_has_channel(kind) && lex_accept_word(&p->x, "channel") &&
        !(lex_expect(&p->x, '=') && parse_int(p, 0, INT_MAX - 1, &s->channel)))
        return false;
    return !ir_prepare_has_floor(kind) || !lex_accept_word(&p->x, "floor") ||
           (lex_expect(&p->x, '=') && parse_number(p, 0, 1e38, &s->floor));
}

/* "DHW": one bit for each letter. */
static bool parse_mirror_axes(parser *p, int *bits) {
    lex_blanks(&p->x);
    lexer place = p->x;
    const char *letters = lex_word(&p->x, "axes, such as DHW");
    if (!letters) return false;
    for (*bits = 0; *letters; letters++) {
        const char *at = strchr("DHW", *letters);
        int bit = at ? 1 << (at - "DHW") : 0;
        if (!bit || *bits & bit) {
            p->x = place;
            return lex_fail(&p->x, "the axes are D, H and W, each at most once");
        }
        *bits |= bit;
    }
    return true;
}

/* "regions LEVEL [1,2,...]" */
static bool parse_regions(parser *p, ir_volume *v) {
    v->info.rule = VOX_REGIONS;
    if (!lex_double(&p->x, &v->info.level) || !lex_expect(&p->x, '[')) return false;
    for (v->info.n_regions = 0; !lex_accept(&p->x, ']'); v->info.n_regions++) {
        if (v->info.n_regions == IR_MAX_LABELS) return lex_fail(&p->x, "more than %d regions", IR_MAX_LABELS);
        if (v->info.n_regions && !lex_expect(&p->x, ',')) return false;
        if (!parse_int(p, 0, IR_MAX_LABEL, &v->region_label[v->info.n_regions])) return false;
    }
    return true;
}

static bool parse_rule(parser *p, ir_volume *v, bool *found) {
    *found = true;
    if (lex_accept_word(&p->x, "regions")) return parse_regions(p, v);
    if (lex_accept_word(&p->x, "threshold")) {
        v->info.rule = VOX_THRESHOLD;
        return lex_double(&p->x, &v->info.level);
    }
    *found = false;
    return true;
}

static bool parse_phase(parser *p, int *phase) {
    for (int k = 0; k < 3; k++)
        if (!parse_int(p, 1, IR_MAX_PHASE, &phase[k])) return false;
    return true;
}

/* How the volume is cut into tiles, and what is done with their scores. */
static bool parse_tiles(parser *p, ir_volume *v, bool *found) {
    vox_volume_info *i = &v->info;
    int window = (int)i->window, activation = (int)i->activation, placement = (int)i->placement;
    bool ok = true;
    *found = true;
    if (lex_accept_word(&p->x, "mirror"))
        i->border = VOX_BORDER_MIRROR;
    else if (lex_accept_word(&p->x, "zero"))
        i->border = VOX_BORDER_ZERO;
    else if (lex_accept_word(&p->x, "overlap"))
        ok = parse_number(p, 0, 1, &i->overlap);
    else if (lex_accept_word(&p->x, "window"))
        ok = parse_choice(p, ir_window_words, IR_WINDOWS, &window);
    else if (lex_accept_word(&p->x, "placement"))
        ok = parse_choice(p, ir_placement_words, IR_PLACEMENTS, &placement);
    else if (lex_accept_word(&p->x, "phase"))
        ok = parse_phase(p, i->phase);
    else if (lex_accept_word(&p->x, "skip_empty"))
        i->skip_empty = 1;
    else if (lex_accept_word(&p->x, "mirror_axes"))
        ok = parse_mirror_axes(p, &i->mirror_axes);
    else if (lex_accept_word(&p->x, "half"))
        i->half = 1;
    else if (lex_accept_word(&p->x, "activation"))
        ok = parse_choice(p, ir_activation_words, IR_ACTIVATIONS, &activation);
    else if (lex_accept_word(&p->x, "restore"))
        ok = parse_sampling(p, &i->restore);
    else
        *found = false;
    i->window = (vox_window)window;
    i->placement = (vox_placement)placement;
    i->activation = (vox_activation)activation;
    return ok;
}

static bool parse_entry(parser *p, ir_volume *v) {
    bool found;
    if (lex_accept_word(&p->x, "axes")) return parse_axes(p, v);
    if (lex_accept_word(&p->x, "orientation"))
        return parse_orientation(p, v->orientation) && (v->info.orientation = v->orientation);
    if (lex_accept_word(&p->x, "stored"))
        return parse_orientation(p, v->stored) && (v->info.stored = v->stored);
    if (!parse_rule(p, v, &found)) return false;
    if (found) return true;
    if (!parse_tiles(p, v, &found)) return false;
    if (found) return true;
    for (int i = 0; i < VOX_PREPARE_COUNT; i++)
        if (lex_accept_word(&p->x, ir_prepare_name((vox_prepare_kind)i)))
            return parse_step(p, v, (vox_prepare_kind)i);
    return lex_fail(&p->x, "expected axes, mirror, threshold, another word of IR.md's, a step of preparation "
                           "or }");
}

bool parse_volume(parser *p) {
    ir_volume *v = &p->g->volume;
    if (v->present) return lex_fail(&p->x, "there are two volume sections");
    ir_volume_new(v);
    if (!lex_expect(&p->x, '{') || !lex_end_of_line(&p->x)) return false;
    while (!lex_accept(&p->x, '}')) {
        if (!*p->x.at) return lex_fail(&p->x, "the volume section does not end: expected }");
        if (!parse_entry(p, v) || !lex_end_of_line(&p->x)) return false;
    }
    return v->axes[0] || lex_fail(&p->x, "the volume section has no axes");
}
