/* tile_search.h: the tile that takes the least time for a volume in bounded memory.
 *
 * Sizes that a network accepts lie `phase` voxels apart along each axis, and the extents of all its layers grow by as
 * much as the input's: so its multiply-adds are a polynomial of degree 1 in each of D, H, W, known from 8 shapes. Of the
 * sizes that take the same number of tiles along an axis only the smallest is of use. All combinations of what is left
 * are sorted by multiply-adds for the whole volume, and planned in this order while arithmetic alone leaves a chance. */
#ifndef VOXC_TILE_SEARCH_H
#define VOXC_TILE_SEARCH_H

#include "tile_volume.h"

enum { TILE_MOST_PLANS = 48 };

/* A tile and what the volume costs with it. */
typedef struct tile_row {
    tile_shape shape;
    tile_need need;
    double macs;      /* of all runs */
    double cycles;    /* of all runs on one core, in multiply-adds of 16 channels */
    int64_t network;  /* bytes of arena and prepared weights */
    ir_thrift thrift; /* that they take */
    bool fits;        /* in the limit */
    bool given;       /* the tile of the model as it is written */
} tile_row;

/* What the search asks about the network with another input. */
typedef struct tile_network {
    void *ctx;
    /* Multiply-adds of a run, and the output's size; negative: no such network. */
    double (*macs)(void *ctx, const int in[3], int out[3]);
    /* Plans it in `room` bytes (negative: any number): network, thrift, and cycles of one run. Where it does not fit,
     * network is what the fastest plan takes, above the room. false: it cannot be planned. */
    bool (*plan)(void *ctx, const int in[3], int64_t room, tile_row *row);
} tile_network;

typedef struct tile_choice {
    tile_volume volume;
    int64_t limit;        /* bytes of the program; 0: none */
    const char *bound_to; /* why the tile is the model's own; NULL: it was chosen */
    double least;         /* multiply-adds of a tile without borders, for the whole volume */
    int n;
    tile_row row[TILE_MOST_PLANS + 1]; /* what was planned, the fastest first */
    int chosen;                        /* -1: none fits */
    int shapes;                        /* all there are to choose from */
    int slower; /* not planned: their arithmetic alone takes longer than what was chosen */
    int larger; /* not planned: a part of them, or one alike, is over the limit */
    int left;   /* not planned: TILE_MOST_PLANS were */
} tile_choice;

/* g: the model as it is written, of that shape. False with d filled where the
 * volume cannot be segmented. c->volume, limit and bound_to are set by the caller. */
bool tile_search(const ir_graph *g, const tile_shape *given, const tile_network *network, tile_choice *c,
                 ir_diag *d);

#endif
