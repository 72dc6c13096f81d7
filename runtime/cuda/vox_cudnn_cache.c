/* SPDX-License-Identifier: MIT-0 */
/* vox_cudnn_cache.c: the text file that remembers which engine a convolution got.
 *
 *   voxc cuDNN plans 2
 *   gpu=NVIDIA L4 driver=13000 cudnn=91900
 *   conv fp16 n=1 c=64 ... cap=268435456 deterministic=0 strict=0 precompiled=0 -> tuned=0 engine=11 knobs=2:10,13:32
 */
#define _DEFAULT_SOURCE /* flock */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "vox_cudnn_internal.h"

enum {
    KEY = VOX_CONV3D_TEXT + 120,
    LINE = KEY + VOX_KNOBS_TEXT + 70,
    MOST_BYTES = 16 << 20,
    MOST_ATTEMPTS = 8
};
static const char first_line[] = "voxc cuDNN plans 2";
static const char arrow[] = " -> ";

struct vox_plan_cache {
    char *path, *binding; /* the second line */
    char **line;          /* without newlines */
    size_t n, room;
    int changed;
    vox_cudnn_log log;
};

/* ---- lines ------------------------------------------------------------------------------------ */

static char *copy_text(const char *text, size_t length) {
    char *made = malloc(length + 1);
    if (made != NULL) {
        memcpy(made, text, length);
        made[length] = 0;
    }
    return made;
}

static int append_line(vox_plan_cache *cache, const char *text, size_t length) {
    if (cache->n == cache->room) {
        const size_t room = 2 * cache->room + 32;
        char **grown = realloc(cache->line, room * sizeof *grown);
        if (grown == NULL) return 0;
        cache->line = grown;
        cache->room = room;
    }
    char *made = copy_text(text, length);
    if (made != NULL) cache->line[cache->n++] = made;
    return made != NULL;
}

static void forget(vox_plan_cache *cache) {
    while (cache->n > 0) free(cache->line[--cache->n]);
}

static void print_key(const vox_conv3d *conv, const vox_plan_policy *policy, char key[KEY]) {
    char text[VOX_CONV3D_TEXT];
    vox_conv3d_text(conv, text);
    snprintf(key, KEY, "%s cap=%lld deterministic=%d strict=%d precompiled=%d%s", text,
             (long long)policy->workspace_cap, policy->deterministic != 0, policy->strict != 0,
             policy->precompiled != 0, arrow);
}

/* Reads "tuned=0 engine=11 knobs=2:10,13:32"; 0: it is something else. */
static int parse_choice(const char *text, vox_choice *choice) {
    long long engine, type, value;
    int used = 0;
    *choice = (vox_choice){0};
    if (sscanf(text, "tuned=%d engine=%lld knobs=%n", &choice->tuned, &engine, &used) != 2 || used == 0 ||
        engine < 0 || (choice->tuned != 0 && choice->tuned != 1))
        return 0;
    choice->engine = engine;
    for (text += used; *text != 0; text += used) {
        if (choice->n_knobs == VOX_KNOBS_MOST || sscanf(text, "%lld:%lld%n", &type, &value, &used) != 2)
            return 0;
        choice->knob[choice->n_knobs++] = (vox_knob){type, value};
        if (text[used] == ',') used++;
    }
    return 1;
}

static size_t line_of(const vox_plan_cache *cache, const char *key) {
    size_t i = 0;
    while (i < cache->n && strncmp(cache->line[i], key, strlen(key)) != 0) i++;
    return i;
}

int vox_plan_cache_find(const vox_plan_cache *cache, const vox_conv3d *conv, const vox_plan_policy *policy,
                        vox_choice *choice) {
    char key[KEY];
    print_key(conv, policy, key);
    const size_t i = line_of(cache, key);
    return i < cache->n && parse_choice(cache->line[i] + strlen(key), choice);
}

cudnnStatus_t vox_plan_cache_add(vox_plan_cache *cache, const vox_plan *plan) {
    char key[KEY], knobs[VOX_KNOBS_TEXT], line[LINE];
    const vox_choice *choice = &plan->candidate[0].choice;
    print_key(&plan->conv, &plan->policy, key);
    vox_choice_knobs_text(choice, knobs);
    snprintf(line, sizeof line, "%stuned=%d engine=%lld knobs=%s", key, choice->tuned,
             (long long)choice->engine, knobs);
    const size_t i = line_of(cache, key);
    if (i < cache->n && strcmp(cache->line[i], line) == 0) return CUDNN_STATUS_SUCCESS;
    if (!append_line(cache, line, strlen(line)))
        return vox_cudnn_fail(&cache->log, &plan->conv, CUDNN_STATUS_ALLOC_FAILED, "plan cache");
    cache->changed = 1;
    if (i + 1 < cache->n) { /* it was there: the new line takes its place */
        free(cache->line[i]);
        cache->line[i] = cache->line[--cache->n];
    }
    return CUDNN_STATUS_SUCCESS;
}

/* ---- the file --------------------------------------------------------------------------------- */

static void tell(const vox_plan_cache *cache, const char *what) {
    char text[600];
    snprintf(text, sizeof text, "plan cache %s: %s", cache->path, what);
    vox_cudnn_say(&cache->log, text);
}

/* The whole file as a string, or NULL when there is none. *wrong: why it can't be used. */
static char *read_file(const char *path, const char **wrong) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    char *text = malloc(MOST_BYTES + 1u);
    size_t n = 0;
    if (text == NULL) {
        *wrong = "ignored: no memory";
    } else {
        n = fread(text, 1, MOST_BYTES + 1u, file);
        if (ferror(file) || n > MOST_BYTES || memchr(text, 0, n) != NULL)
            *wrong = "ignored: it is not a plan cache";
    }
    fclose(file);
    if (*wrong == NULL) {
        text[n] = 0;
        return text;
    }
    free(text);
    return NULL;
}

/* Cuts the next line off; NULL at the end or where the line has no newline. */
static char *cut_line(char **rest) {
    char *line = *rest, *end = strchr(line, '\n');
    if (end == NULL) return NULL;
    *end = 0;
    *rest = end + 1;
    return line;
}

static const char *parse_file(vox_plan_cache *cache, char *text) {
    const char *line = cut_line(&text);
    vox_choice choice;
    if (line == NULL || strcmp(line, first_line) != 0)
        return "ignored: it is not a plan cache of this version";
    line = cut_line(&text);
    if (line == NULL || strcmp(line, cache->binding) != 0)
        return "ignored: it was written on another GPU, driver or cuDNN version";
    while ((line = cut_line(&text)) != NULL) {
        const char *at = strstr(line, arrow);
        if (at == NULL || !parse_choice(at + strlen(arrow), &choice)) return "ignored: a line is damaged";
        if (!append_line(cache, line, strlen(line))) return "ignored: no memory";
    }
    return *text == 0 ? NULL : "ignored: its end is missing";
}

static void read_lines(vox_plan_cache *cache) {
    const char *wrong = NULL;
    char *text = read_file(cache->path, &wrong);
    if (text != NULL) wrong = parse_file(cache, text);
    free(text);
    if (wrong == NULL) return;
    forget(cache);
    tell(cache, wrong);
}

/* The name of what is being written, malloc'd. One for all processes: what a killed one leaves, the next
 * takes. */
static char *temporary_name(const char *path) {
    static const char suffix[] = ".new";
    char *name = malloc(strlen(path) + sizeof suffix);
    return name != NULL ? strcat(strcpy(name, path), suffix) : NULL;
}

/* Whether `name` still is the open file, which another writer renames at its end. */
static int is_still(const char *name, int descriptor) {
    struct stat opened, named;
    return fstat(descriptor, &opened) == 0 && stat(name, &named) == 0 && opened.st_ino == named.st_ino &&
           opened.st_dev == named.st_dev;
}

/* Opens that file for this handle alone, after other writers (flags O_CREAT) or unless there is one; -1:
 * no. */
static int open_alone(const char *name, int flags) {
    for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        const int descriptor = open(name, flags | O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
        if (descriptor < 0) return -1;
        const int locked = flock(descriptor, flags != 0 ? LOCK_EX : LOCK_EX | LOCK_NB);
        if ((locked == 0 || errno != EWOULDBLOCK) && is_still(name, descriptor)) return descriptor;
        close(descriptor);
        if (flags == 0) return -1;
    }
    return -1;
}

static void remove_leftover(const char *path) {
    char *name = temporary_name(path);
    const int descriptor = name != NULL ? open_alone(name, 0) : -1;
    if (descriptor >= 0) {
        unlink(name);
        close(descriptor);
    }
    free(name);
}

vox_plan_cache *vox_plan_cache_open(const char *path, const char *gpu_name, int driver,
                                    const vox_cudnn_log *log) {
    char binding[400];
    vox_plan_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL) return NULL;
    if (log != NULL) cache->log = *log;
    snprintf(binding, sizeof binding, "gpu=%.300s driver=%d cudnn=%zu", gpu_name, driver, cudnnGetVersion());
    for (char *at = binding; *at != 0; at++)
        if (*at == '\n') *at = ' ';
    cache->path = copy_text(path, strlen(path));
    cache->binding = copy_text(binding, strlen(binding));
    if (cache->path == NULL || cache->binding == NULL) {
        vox_plan_cache_close(cache);
        return NULL;
    }
    remove_leftover(cache->path);
    read_lines(cache);
    return cache;
}

static int write_lines(const vox_plan_cache *cache, FILE *file) {
    fprintf(file, "%s\n%s\n", first_line, cache->binding);
    for (size_t i = 0; i < cache->n; i++) fprintf(file, "%s\n", cache->line[i]);
    return ferror(file) == 0 && fflush(file) == 0;
}

static int write_file(const vox_plan_cache *cache, const char *temporary) {
    const int descriptor = open_alone(temporary, O_CREAT);
    if (descriptor < 0) return 0;
    FILE *file = fdopen(descriptor, "wb");
    if (file != NULL && ftruncate(descriptor, 0) == 0 && write_lines(cache, file) &&
        rename(temporary, cache->path) == 0) {
        fclose(file);
        return 1;
    }
    unlink(temporary);
    if (file != NULL)
        fclose(file);
    else
        close(descriptor);
    return 0;
}

cudnnStatus_t vox_plan_cache_save(vox_plan_cache *cache) {
    if (!cache->changed) return CUDNN_STATUS_SUCCESS;
    char *temporary = temporary_name(cache->path);
    const int done = temporary != NULL && write_file(cache, temporary);
    free(temporary);
    cache->changed = !done;
    if (done) return CUDNN_STATUS_SUCCESS;
    tell(cache, "it could not be written");
    return CUDNN_STATUS_INTERNAL_ERROR;
}

void vox_plan_cache_close(vox_plan_cache *cache) {
    if (cache == NULL) return;
    forget(cache);
    free(cache->line);
    free(cache->path);
    free(cache->binding);
    free(cache);
}
