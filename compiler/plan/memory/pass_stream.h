/* pass_stream.h: what the passes that choose streams share: trials that can be taken back, and what they
 * gain.
 */
#ifndef VOXC_PASS_STREAM_H
#define VOXC_PASS_STREAM_H

#include "ir.h"

/* What a trial changes, per node; ring: of its result. The lists live in an arena. */
typedef struct stream_snapshot {
    ir_node **nodes;
    int *stream, *slab, *ring;
    int64_t *scratch;
} stream_snapshot;
stream_snapshot stream_take_snapshot(const ir_graph *g, ir_arena *a);
void stream_restore(ir_graph *g, const stream_snapshot *s);
/* The same where nothing but the nodes first to last has changed, and none has moved. */
void stream_take_back(ir_graph *g, const stream_snapshot *s, int first, int last);

/* The least memory that any plan needs, how many nodes or groups need more than `limit`, and the first node
 * that needs most. */
typedef struct stream_need {
    int64_t bound;
    int peaks, peak;
} stream_need;
stream_need stream_measure(const ir_graph *g, int64_t limit);

/* A group's nodes are one point in time: what is in use at any of them is in use at all. Elsewhere nothing
 * changes, so sums over what stands in front of and behind a group tell what any group needs. */
typedef struct stream_outlook {
    int64_t *most_before,
        *most_behind;                 /* per node: most bytes alive at the nodes in front of it, behind it */
    int *peaks_before, *peaks_behind; /* ... and how many nodes or groups need more than the limit */
    int64_t *begun, *ended;           /* bytes of pieces that begin there or before; that end before it */
} stream_outlook;
stream_outlook stream_look_around(const ir_graph *g, int64_t limit, ir_arena *a);
/* Bytes of the arena for what nodes first to last compute, and their scratch memory. */
int64_t stream_made(const ir_graph *g, int first, int last);
/* What stream_measure would say but for the peak, now that the nodes first to last have become a group and
 * none has moved. o, made: stream_look_around, stream_made before. */
stream_need stream_need_of_group(const ir_graph *g, const stream_outlook *o, int first, int last,
                                 int64_t made, int64_t limit);

bool stream_reads(const ir_node *n, const ir_tensor *t);
/* Moves crops that stand behind the group right behind what they crop, out of other groups only with `tear`
 * (whose rings then have to be found anew); returns the group's new last node. */
int stream_gather_crops(ir_graph *g, int first, int last, bool tear);
/* Whether only the group touches t, which has memory of its own. */
bool stream_stays_inside(const ir_graph *g, const ir_tensor *t, int first, int last);
/* Whether a group from first to last would cut another in two. */
bool stream_cuts_a_group(const ir_graph *g, int first, int last);
int stream_new_group(const ir_graph *g); /* a free number */
/* Numbers the groups in the order of the nodes. */
void stream_number_groups(ir_graph *g);

#endif
