/* choose.h: --volume-size, the tile that suits a volume. */
#ifndef VOXC_CHOOSE_H
#define VOXC_CHOOSE_H

#include "json_write.h"
#include "options.h"
#include "tile_search.h"

/* Searches the tile for o->volume_size under o->max_memory, which then bounds the whole program. *found is what there is
 * to choose from (malloc'd, caller frees). *chosen becomes o with the tile as the last of its --input-dim and what is left
 * for the network in network_memory; texts of both belong to g, the model as it is written (caller frees with
 * ir_graph_free). False with d filled where no tile fits, or the volume cannot be segmented. */
bool choose_tile(const options *o, options *chosen, tile_choice **found, ir_graph **g, ir_diag *d);

/* The table of verb inspect, or its member "tiles" of an object. */
void choose_print(const tile_choice *c, FILE *f);
void choose_json(const tile_choice *c, vox_json *j);

#endif
