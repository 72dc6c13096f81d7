/* tile_need.c: asks the runtime how it would segment a volume with a network's tile. */
#include "tile_volume.h"

#include "vox_tiles.h"
#include "vox_volume.h"

#include <limits.h>
#include <string.h>

bool tile_shape_of(const ir_graph *g, tile_shape *s, ir_diag *d) {
    const ir_tensor *in = g->inputs[0], *out = g->outputs[0];
    if (!g->volume.present)
        return ir_fail(
            d, IR_EXIT_INPUT,
            "--volume-size: %s has no volume section, which says how a volume is cut into tiles: add one, or "
            "give --volume FILE",
            g->name);
    if (g->volume.info.border == VOX_BORDER_NONE)
        return ir_fail(
            d, IR_EXIT_INPUT,
            "--volume-size: the volume section of %s says `border: none`: one tile holds the prepared "
            "volume, so there is none to choose; --input-dim sets its size",
            g->name);
    bool good = g->n_inputs == 1 && in->rank == 5 && in->dim[0] == 1 && in->dtype == IR_F32;
    good = good && (out->rank == 5 || (out->rank == 4 && out->dtype == IR_I64));
    for (int k = 0; good && k < 3; k++) {
        int64_t from = in->dim[2 + k], to = out->dim[out->rank - 3 + k];
        good = from <= INT_MAX && to <= from && (from - to) % 2 == 0;
        if (good) s->in[k] = (int)from, s->out[k] = (int)to;
    }
    return good || ir_fail(d, IR_EXIT_INPUT,
                           "--volume-size: %s is no network of volumes whose output is as large as its input "
                           "or smaller by "
                           "the same margin on both sides: its tiles cannot be placed",
                           g->name);
}

static vox_port port_of(const ir_tensor *t, const int spatial[3]) {
    vox_port p = {.name = t->name, .dtype = t->dtype == IR_I64 ? VOX_I64 : VOX_F32, .rank = t->rank};
    for (int i = 0; i < t->rank; i++) p.dim[i] = (int)t->dim[i];
    for (int k = 0; k < 3; k++) p.dim[t->rank - 3 + k] = spatial[k];
    return p;
}

static int64_t port_bytes(const vox_port *p) {
    int64_t bytes = p->dtype == VOX_I64 ? (int64_t)sizeof(int64_t) : (int64_t)sizeof(float);
    for (int i = 0; i < p->rank; i++) bytes *= p->dim[i];
    return bytes;
}

static bool moves(vox_prepare_kind kind) {
    return ir_prepare_resamples(kind) || kind == VOX_PREPARE_CROP_OR_PAD || kind == VOX_PREPARE_CROP_NONZERO;
}

/* The section for a volume given along x y z; of one that is prepared already, without the steps that change its grid. */
static vox_volume_info section_for(const ir_graph *g, const tile_volume *v,
                                   vox_prepare_step steps[IR_MAX_PREPARE]) {
    vox_volume_info info = g->volume.info;
    info.orientation = NULL;
    info.steps = steps;
    info.n_steps = 0;
    for (int i = 0; i < g->volume.info.n_steps; i++) {
        const vox_prepare_step *s = &g->volume.info.steps[i];
        if (v->spacing[0] > 0 || !moves(s->kind)) steps[info.n_steps++] = *s;
    }
    return info;
}

static vox_status never(void *user) {
    (void)user;
    return VOX_E_ARGUMENT;
}

static vox_status never_submit(void *user, int fold) {
    (void)fold;
    return never(user);
}

/* Labels are bytes where the largest is below 256. */
static int64_t label_bytes(const ir_graph *g, const vox_segment_outline *o) {
    int most = o->labels ? 256 : o->classes - 1;
    const vox_volume_info *info = &g->volume.info;
    for (int i = 0; i < info->n_regions; i++)
        if (info->region_label[i] > most) most = info->region_label[i];
    return most < 256 ? 1 : 2;
}

bool tile_need_of(const ir_graph *g, const tile_shape *s, const tile_volume *v, tile_need *n, ir_diag *d) {
    vox_prepare_step steps[IR_MAX_PREPARE];
    const vox_volume_info info = section_for(g, v, steps);
    const vox_port in = port_of(g->inputs[0], s->in), out = port_of(g->outputs[0], s->out);
    const vox_model_info model = {
        .name = g->name, .n_inputs = 1, .n_outputs = 1, .inputs = &in, .outputs = &out, .volume = &info};
    /* The program runs the network outside of the segmentation's arena, as a runner. */
    const vox_runner runner = {.at_once = 1, .submit = never_submit, .collect = never};
    const vox_segment_options options = {.runner = &runner};
    vox_volume volume = {.type = VOX_VOXEL_F32, .channels = in.dim[1], .slope = 1};
    int64_t voxels = 1;
    for (int a = 0; a < 3; a++) {
        volume.dim[a] = v->size[a];
        volume.spacing[a] = v->spacing[a];
        voxels *= v->size[a];
    }
    vox_segment_outline o;
    vox_status status = vox_segment_plan(&model, &volume, &options, &o);
    if (status != VOX_OK)
        return ir_fail(d, IR_EXIT_INPUT, "--volume-size: %s cannot segment such a volume: %s", g->name,
                       vox_status_text(status));
    *n = (tile_need){.runs = o.runs};
    n->bytes = (int64_t)o.bytes + port_bytes(&in) + port_bytes(&out) + voxels * label_bytes(g, &o);
    for (int k = 0; k < 3; k++) {
        n->tiles[k] = o.tiles[k];
        n->prepared[k] = o.prepared[info.axes[k] - 'x'];
    }
    return true;
}

int tile_count(const vox_volume_info *info, int k, int voxels, int in, int out) {
    vox_tiles t;
    int volume[3] = {1, 1, 1}, from[3] = {1, 1, 1}, to[3] = {1, 1, 1};
    volume[k] = voxels;
    from[k] = in;
    to[k] = out;
    return vox_tiles_plan(&t, info, volume, from, to) == VOX_OK ? t.axis[k].count : 0;
}
