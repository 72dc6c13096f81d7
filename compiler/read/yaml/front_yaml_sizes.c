/* front_yaml_sizes.c: which input sizes a description accepts, found by building it with others.
 *
 * Layers treat their axes apart, so once one size that works on every axis is known, each axis can be
 * searched with the others held there.
 */
#include "front_yaml_build.h"

#include <string.h>

/* Sizes tried lie in [low, high], up to ABOVE over the size in question. Fuzzing has no time for many of
 * them. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
enum { REACH = 12, ABOVE = 4, SHOWN = 3 };
#else
enum { REACH = 700, ABOVE = 48, SHOWN = 3 };
#endif

typedef struct size_search {
    int spatial;
    int64_t low, high;
    int64_t base[YAML_MAX_SPATIAL]; /* works on every axis */
    yaml_try *try_size;
    void *ctx;
} size_search;

typedef struct legal {
    int count;
    int64_t size[REACH + 2 * ABOVE];
} legal;

static bool try_bases(size_search *s) {
    for (int64_t v = s->high; v >= s->low; v--) {
        for (int i = 0; i < s->spatial; i++) s->base[i] = v;
        if (s->try_size(s->ctx, s->base)) return true;
    }
    return false;
}

static void search_axis(const size_search *s, int axis, legal *out) {
    int64_t size[YAML_MAX_SPATIAL];
    memcpy(size, s->base, sizeof size);
    out->count = 0;
    for (int64_t v = s->low; v <= s->high; v++) {
        size[axis] = v;
        if (s->try_size(s->ctx, size)) out->size[out->count++] = v;
    }
}

static bool contains(const legal *l, int64_t v) {
    for (int i = 0; i < l->count; i++)
        if (l->size[i] == v) return true;
    return false;
}

/* "4 mod 8 from 92" where the sizes are evenly spaced; "" otherwise. */
static void describe_rule(const size_search *s, const legal *l, char *buf, size_t n) {
    buf[0] = '\0';
    if (l->count < 3) return;
    int64_t step = l->size[1] - l->size[0];
    for (int i = 2; i < l->count; i++)
        if (l->size[i] - l->size[i - 1] != step) return;
    if (step == 1)
        snprintf(buf, n, "any from %lld: ", (long long)l->size[0]);
    else if (s->low == 1)
        snprintf(buf, n, "%lld mod %lld from %lld: ", (long long)(l->size[0] % step), (long long)step,
                 (long long)l->size[0]);
    else
        snprintf(buf, n, "%lld mod %lld: ", (long long)(l->size[0] % step), (long long)step);
}

/* The sizes nearest to v: "..., 116, 124, 132, 140, 148, 156, ..." */
static void describe_near(const size_search *s, const legal *l, int64_t v, char *buf, size_t n) {
    int first = 0;
    while (first < l->count && l->size[first] < v) first++;
    int from = first > SHOWN ? first - SHOWN : 0, to = first + SHOWN < l->count ? first + SHOWN : l->count;
    size_t at = 0;
    buf[0] = '\0';
    if (from > 0 || s->low > 1) at += (size_t)snprintf(buf + at, n - at, "..., ");
    for (int i = from; i < to; i++)
        at += (size_t)snprintf(buf + at, n - at, "%s%lld", i > from ? ", " : "", (long long)l->size[i]);
    if (l->size[l->count - 1] > s->high - ABOVE / 2) snprintf(buf + at, n - at, ", ...");
}

void yaml_legal_sizes(int spatial, const int64_t *size, yaml_try *try_size, void *ctx, char *buf, size_t n) {
    size_search s = {.spatial = spatial, .low = 1, .try_size = try_size, .ctx = ctx};
    char shown[YAML_MAX_SPATIAL][200];
    bool bad[YAML_MAX_SPATIAL] = {false};
    size_t at = 0;
    buf[0] = '\0';
    for (int i = 0; i < spatial; i++)
        if (size[i] > s.high) s.high = size[i];
    if (s.high > INT32_MAX) return;
    s.high += ABOVE;
    if (s.high > REACH) s.low = s.high - REACH + 1;
    if (!try_bases(&s)) return;
    for (int i = 0; i < spatial; i++) {
        legal l;
        char rule[80], near[110];
        search_axis(&s, i, &l);
        bad[i] = !contains(&l, size[i]);
        if (!l.count) return;
        describe_rule(&s, &l, rule, sizeof rule);
        describe_near(&s, &l, size[i], near, sizeof near);
        snprintf(shown[i], sizeof shown[i], "%s%s", rule, near);
    }
    for (int i = 0; i < spatial; i++) {
        if (!bad[i]) continue;
        at += (size_t)snprintf(buf + at, n - at, "; legal sizes along %s", yaml_axis_name(spatial, i));
        for (int k = i + 1; k < spatial; k++) {
            if (!bad[k] || strcmp(shown[i], shown[k])) continue;
            bad[k] = false; /* said together */
            at += (size_t)snprintf(buf + at, n - at, ", %s", yaml_axis_name(spatial, k));
        }
        at += (size_t)snprintf(buf + at, n - at, " are %s", shown[i]);
    }
}
