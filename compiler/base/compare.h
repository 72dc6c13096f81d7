/* compare.h: how far a computed tensor is from the expected one. */
#ifndef VOXC_COMPARE_H
#define VOXC_COMPARE_H

#include "ir.h"

typedef struct comparison {
    int64_t count;
    double max_abs;  /* largest |got - expected| */
    double rms;      /* sqrt(sum (got - expected)^2 / sum expected^2), see compare_scale; 0: no difference */
    double max_ulp;  /* largest |got - expected| in f32 units in the last place of expected */
    double min_dice; /* over the labels present in either; 1 when there are no labels to compare */
    int64_t over;    /* elements with |got - expected| > atol + rtol * |expected| (NumPy's allclose) */
    int64_t worst;   /* index of the largest difference */
    double worst_got, worst_expected;
    int64_t not_finite; /* elements finite on one side only, or different infinities; NaN equals NaN */
} comparison;

typedef struct tolerance {
    double atol, rtol, max_rms, max_ulp, min_dice; /* negative: not checked */
} tolerance;

/* What the errors of t are measured against: 1 for probabilities (a sigmoid's or softmax's output, where
 * 1e-20 instead of 2e-20 is no error), 0 for everything else: its own root mean square. */
double compare_scale(const ir_tensor *t);

/* got and expected have t's dtype and shape. level: labels of a one-channel output are got > level; outputs
 * with more channels (axis 1) are labelled by their largest; integer outputs are labels already. */
comparison compare(const ir_tensor *t, const ir_value *got, const ir_value *expected, double level,
                   const tolerance *limit);
bool compare_passes(const comparison *c, const tolerance *limit);

#endif
