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

/* Of FILE:/path/to/dataset the file: another dataset of an input would still replace all of it. */
static int add_file(const char *name, char **names, int *count) {
    names[*count] = vox_image_file(name);
    return names[*count] != NULL ? (++*count, 0) : vox_fail_memory("a file name", strlen(name) + 1);
}

int vox_results_check(const vox_model_info *m, const char *weights, const char *const *results, int n_results,
                      char **inputs, int n) {
    char path[VOX_PATH];
    int count = 0, files = 0, code = 0;
    const size_t most = 2 * (size_t)n + 1 + (size_t)n_results;
    char **names = calloc(most, sizeof *names), **outputs = names + 2 * (size_t)n + 1;
    if (names == NULL) return vox_fail_memory("file names", most * sizeof *names);
    for (int i = 0; i < n && code == 0; i++) code = add_file(inputs[i], names, &count);
    for (int i = 0; i < n && code == 0; i++) code = add_partner(inputs[i], names, &count);
    for (int i = 0; i < n_results && code == 0; i++) {
        if (results[i] != NULL) code = add_file(results[i], outputs, &files);
    }
    const int allocated = count;
    if (m->weights_bytes > 0 && vox_find_weights(m, weights, path)) names[count++] = path;
    if (code == 0) code = vox_output_check((const char *const *)outputs, files, names, count);
    for (int i = 0; i < allocated; i++) free(names[i]);
    for (int i = 0; i < files; i++) free(outputs[i]);
    free(names);
    return code;
}
