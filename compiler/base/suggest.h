/* suggest.h: "did you mean" for names that people type. */
#ifndef VOXC_SUGGEST_H
#define VOXC_SUGGEST_H

/* The one of names[0..count) nearest to `word` when it is near enough to be a slip (edit distance with
 * transpositions at most a third of the longer word, at least 1), else NULL. */
const char *suggest(const char *word, const char *const *names, int count);

#endif
