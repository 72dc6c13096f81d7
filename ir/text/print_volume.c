/* print_volume.c: the volume section of the text form: what differs from ir_volume_new. */
#include "text.h"

static void put_number(FILE *f, const char *before, double value) {
    char text[32];
    fprintf(f, " %s%s", before, text_double(value, text));
}

static void put_sampling(FILE *f, const vox_resampling *r) {
    if (r->order != ir_linear.order) fprintf(f, " order=%s", ir_interpolation_words[r->order]);
    if (r->align != ir_linear.align) fprintf(f, " align=%s", ir_alignment_words[r->align]);
    if (r->across != ir_linear.across) fprintf(f, " across=%s", ir_interpolation_words[r->across]);
    if (r->anisotropy > 0) put_number(f, "anisotropy=", r->anisotropy);
    if (r->antialias) fputs(" antialias", f);
}

static bool is_linear(const vox_resampling *r) {
    return r->order == ir_linear.order && r->align == ir_linear.align && r->across == ir_linear.across &&
           !(r->anisotropy > 0) && !r->antialias;
}

static void put_step(FILE *f, const vox_prepare_step *s) {
    fprintf(f, "  %s", ir_prepare_name(s->kind));
    for (int k = 0; k < ir_prepare_numbers(s->kind); k++) put_number(f, "", s->value[k]);
    if (ir_prepare_resamples(s->kind)) put_sampling(f, &s->sampling);
    if (s->channel >= 0) fprintf(f, " channel=%d", s->channel);
    if (s->floor > 0) put_number(f, "floor=", s->floor);
    fputc('\n', f);
}

static void put_tiles(FILE *f, const vox_volume_info *v) {
    if (v->border) fprintf(f, "  %s\n", ir_border_words[v->border]);
    if (v->overlap > 0) {
        fputs("  overlap", f);
        put_number(f, "", v->overlap);
        fputc('\n', f);
    }
    if (v->placement) fprintf(f, "  placement %s\n", ir_placement_words[v->placement]);
    if (v->phase[0] > 1 || v->phase[1] > 1 || v->phase[2] > 1)
        fprintf(f, "  phase %d %d %d\n", v->phase[0], v->phase[1], v->phase[2]);
    if (v->skip_empty) fputs("  skip_empty\n", f);
    if (v->window) fprintf(f, "  window %s\n", ir_window_words[v->window]);
    if (v->mirror_axes)
        fprintf(f, "  mirror_axes %s%s%s\n", v->mirror_axes & 1 ? "D" : "", v->mirror_axes & 2 ? "H" : "",
                v->mirror_axes & 4 ? "W" : "");
    if (v->half) fputs("  half\n", f);
    if (v->activation) fprintf(f, "  activation %s\n", ir_activation_words[v->activation]);
    if (is_linear(&v->restore)) return;
    fputs("  restore", f);
    put_sampling(f, &v->restore);
    fputc('\n', f);
}

static void put_rule(FILE *f, const vox_volume_info *v) {
    if (v->rule == VOX_ARGMAX) return;
    fputs(v->rule == VOX_THRESHOLD ? "  threshold" : "  regions", f);
    put_number(f, "", v->level);
    for (int i = 0; i < v->n_regions; i++) fprintf(f, "%s%d", i ? "," : " [", v->region_label[i]);
    fputs(v->n_regions ? "]\n" : v->rule == VOX_REGIONS ? " []\n" : "\n", f);
}

void text_volume(FILE *f, const vox_volume_info *v) {
    fprintf(f, "volume {\n  axes %.4s\n", v->axes);
    if (v->orientation) fprintf(f, "  orientation %s\n", v->orientation);
    if (v->stored) fprintf(f, "  stored %s\n", v->stored);
    for (int i = 0; i < v->n_steps; i++) put_step(f, &v->steps[i]);
    put_tiles(f, v);
    put_rule(f, v);
    fputs("}\n", f);
}
