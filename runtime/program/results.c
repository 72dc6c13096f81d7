/* SPDX-License-Identifier: MIT-0 */
/* results.c: see results.h. */
#include "results.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "image.h"
#include "nifti_geometry.h"
#include "output.h"
#include "report.h"

/* Puts the other file of a pair, if there is one, behind the `count` names. */
static int add_partner(const char *input, char **names, int *count) {
#ifdef VOX_WITH_NIFTI
    char other[PATH_MAX];
    if (!vox_nifti_partner(input, other)) return 0;
    names[*count] = strdup(other);
    return names[*count] != NULL ? (++*count, 0) : vox_fail_memory("a file name", strlen(other) + 1);
#else
    (void)input;
    (void)names;
    (void)count;
    return 0;
#endif
}

/* A dataset's name is its file's, which is what gets replaced. */
static int add_file(const char *name, char **names, int *count) {
    names[*count] = vox_image_file(name);
    return names[*count] != NULL ? (++*count, 0) : vox_fail_memory("a file name", strlen(name) + 1);
}

static int check_files(const char *const *results, int n, char **names, int count) {
    char **files = calloc((size_t)n + 1, sizeof *files);
    int code = files != NULL ? 0 : vox_fail_memory("file names", ((size_t)n + 1) * sizeof *files);
    for (int i = 0; i < n && code == 0; i++) {
        if (results[i] == NULL) continue;
        files[i] = vox_image_file(results[i]);
        if (files[i] == NULL) code = vox_fail_memory("a file name", strlen(results[i]) + 1);
    }
    if (code == 0) code = vox_output_check((const char *const *)files, n, names, count);
    for (int i = 0; i < n && files != NULL; i++) free(files[i]);
    free(files);
    return code;
}

int vox_results_check(const vox_model_info *m, const char *weights, const char *const *results, int n_results,
                      char **inputs, int n) {
    char path[VOX_PATH];
    int count = 0, code = 0;
    char **names = calloc(2 * (size_t)n + 1, sizeof *names);
    if (names == NULL) return vox_fail_memory("file names", (2 * (size_t)n + 1) * sizeof *names);
    for (int i = 0; i < n && code == 0; i++) code = add_file(inputs[i], names, &count);
    for (int i = 0; i < n && code == 0; i++) code = add_partner(inputs[i], names, &count);
    const int allocated = count;
    if (m->weights_bytes > 0 && vox_find_weights(m, weights, path)) names[count++] = path;
    if (code == 0) code = check_files(results, n_results, names, count);
    for (int i = 0; i < allocated; i++) free(names[i]);
    free(names);
    return code;
}
