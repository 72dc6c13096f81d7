/* SPDX-License-Identifier: MIT-0 */
/* subject_list.c: see subject_list.h. */
#include "subject_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "file_names.h"
#include "report.h"

enum { DIGITS = 4 /* of a channel's number in nnU-Net's names */ };

static const char *name_in(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* ".nii.gz" of what a file's name is; "" where it has none that stands for a format. */
static const char *ending_of(const char *name) {
    static const char *const ends[] = {".nii.gz", ".hdr.gz", ".img.gz", ".ome.tif", ".ome.tiff", ".seg.nrrd",
                                       ".nii",    ".hdr",    ".img",    ".tif",     ".tiff",     ".btf",
                                       ".tf8",    ".nrrd",   ".nhdr",   ".mha",     ".mhd",      ".npy",
                                       ".h5",     ".hdf5",   ".hdf",    ".he5"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (vox_name_ends(name, ends[i])) return name + strlen(name) - strlen(ends[i]);
    }
    return name + strlen(name);
}

/* A number of a channel before the ending: where "_0000" begins; NULL: there is none. */
static const char *channel_of(const char *name, const char *ending, int *channel) {
    const char *at = ending - DIGITS;
    if (ending - name < DIGITS + 2 || at[-1] != '_') return NULL;
    *channel = 0;
    for (int i = 0; i < DIGITS; i++) {
        if (at[i] < '0' || at[i] > '9') return NULL;
        *channel = 10 * *channel + at[i] - '0';
    }
    return at - 1;
}

/* ---- a list that grows ----------------------------------------------------------------------- */

static vox_subject_files *add_subject(vox_subject_list *l, char *name) {
    vox_subject_files *grown = realloc(l->subject, ((size_t)l->n + 1) * sizeof *grown);
    if (grown == NULL || name == NULL) {
        free(name);
        if (grown != NULL) l->subject = grown;
        return NULL;
    }
    l->subject = grown;
    grown[l->n] = (vox_subject_files){.name = name};
    return &grown[l->n++];
}

static bool add_file(vox_subject_files *s, char *file) {
    char **grown = realloc(s->files, ((size_t)s->n + 1) * sizeof *grown);
    if (grown != NULL) s->files = grown;
    if (grown == NULL || file == NULL) {
        free(file);
        return false;
    }
    grown[s->n++] = file;
    return true;
}

void vox_subject_list_free(vox_subject_list *l) {
    for (int i = 0; i < l->n; i++) {
        for (int k = 0; k < l->subject[i].n; k++) free(l->subject[i].files[k]);
        free(l->subject[i].files);
        free(l->subject[i].name);
        free(l->subject[i].labels);
    }
    free(l->subject);
    *l = (vox_subject_list){0};
}

/* ---- --subject ------------------------------------------------------------------------------- */

static int add_named(vox_subject_list *l, const char *text) {
    char *files = strdup(text), *rest = files, *file;
    if (files == NULL) return vox_fail_memory("names", strlen(text));
    vox_subject_files *s = NULL;
    int code = 0;
    while (code == 0 && (file = strsep(&rest, ",")) != NULL) {
        if (*file == 0) {
            code = vox_fail(VOX_EXIT_INPUT, "--subject %s: a name is empty", text);
        } else if (s == NULL) {
            char *plain = vox_image_file(file);
            size_t n = plain != NULL ? strlen(plain) : 0;
            while (n > 1 && plain[n - 1] == '/') plain[--n] = 0; /* a folder of DICOM */
            const char *name = plain != NULL ? name_in(plain) : "", *end = ending_of(name);
            int channel;
            const char *number = channel_of(name, end, &channel);
            s = add_subject(l, strndup(name, (size_t)((number != NULL ? number : end) - name)));
            free(plain);
        }
        if (code == 0 && (s == NULL || !add_file(s, strdup(file))))
            code = vox_fail_memory("names", strlen(text));
    }
    free(files);
    return code;
}

/* ---- --folder -------------------------------------------------------------------------------- */

static int is_image(const struct dirent *e) {
    return e->d_name[0] != '.' && *ending_of(e->d_name) != 0;
}

/* By case, then by channel: '_' would sort "a_0000" behind "a_b_0000". */
static int by_case(const struct dirent **a, const struct dirent **b) {
    const char *x = (*a)->d_name, *y = (*b)->d_name;
    const char *end_x = ending_of(x), *end_y = ending_of(y);
    int channel;
    const char *at_x = channel_of(x, end_x, &channel), *at_y = channel_of(y, end_y, &channel);
    size_t n = (size_t)((at_x != NULL ? at_x : end_x) - x), m = (size_t)((at_y != NULL ? at_y : end_y) - y);
    int order = strncmp(x, y, n < m ? n : m);
    if (order == 0) order = (n > m) - (n < m);
    return order != 0 ? order : strcmp(x, y);
}

/* The data of a .hdr, which stands for both. */
static bool is_partner(const char *folder, const char *name) {
    const char *end = ending_of(name);
    if (strncasecmp(end, ".img", 4) != 0) return false;
    char path[8192];
    struct stat s;
    static const char *const others[] = {".hdr", ".HDR", ".hdr.gz", ".HDR.GZ"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        snprintf(path, sizeof path, "%s/%.*s%s", folder, (int)(end - name), name, others[i]);
        if (stat(path, &s) == 0) return true;
    }
    return false;
}

/* A case's files come in the order of their channels. */
static int add_found(const vox_context *c, vox_subject_list *l, const char *folder, const char *name) {
    const char *end = ending_of(name);
    const int most = c->model->inputs->dim[1];
    int channel;
    const char *number = channel_of(name, end, &channel);
    if (number == NULL) {
        return vox_fail(VOX_EXIT_INPUT, "%s/%s: names must end in the channel's number, such as %.*s_0000%s",
                        folder, name, (int)(end - name), name, end);
    }
    size_t n = (size_t)(number - name);
    vox_subject_files *s = l->n > 0 ? &l->subject[l->n - 1] : NULL;
    bool same = s != NULL && strlen(s->name) == n && strncmp(s->name, name, n) == 0;
    if (!same) s = add_subject(l, strndup(name, n));
    char *path = malloc(strlen(folder) + strlen(name) + 2);
    if (path != NULL) sprintf(path, "%s/%s", folder, name);
    if (s == NULL || !add_file(s, path)) return vox_fail_memory("names", strlen(name));
    if (channel >= most)
        return vox_fail(VOX_EXIT_INPUT, "%s: %s takes %d channel%s, _0000 to _%04d", path, c->model->name,
                        most, most == 1 ? "" : "s", most - 1);
    if (channel < s->n - 1) return vox_fail(VOX_EXIT_INPUT, "%s: this channel is there twice", path);
    if (channel >= s->n)
        return vox_fail(VOX_EXIT_INPUT, "%s/%s_%04d%s is missing", folder, s->name, s->n - 1, end);
    return 0;
}

static int all_channels(const vox_context *c, const vox_subject_list *l, const char *folder) {
    for (int i = 0; i < l->n; i++) {
        const vox_subject_files *s = &l->subject[i];
        if (s->n < c->model->inputs->dim[1])
            return vox_fail(VOX_EXIT_INPUT, "%s/%s_%04d%s is missing", folder, s->name, s->n,
                            ending_of(s->files[0]));
    }
    return 0;
}

static int list_folder(const vox_context *c, const char *given, vox_subject_list *l) {
    struct dirent **found = NULL;
    char *folder = strdup(given);
    if (folder == NULL) return vox_fail_memory("names", strlen(given));
    for (size_t n = strlen(folder); n > 1 && folder[n - 1] == '/'; n--) folder[n - 1] = 0;
    int n = scandir(folder, &found, is_image, by_case), code = 0;
    if (n < 0) code = vox_fail(VOX_EXIT_INPUT, "--folder %s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (code == 0 && !is_partner(folder, found[i]->d_name))
            code = add_found(c, l, folder, found[i]->d_name);
        free(found[i]);
    }
    free(found);
    if (code == 0 && l->n == 0) code = vox_fail(VOX_EXIT_INPUT, "--folder %s holds no image", folder);
    if (code == 0) code = all_channels(c, l, folder);
    free(folder);
    return code;
}

/* ---- where labels go ------------------------------------------------------------------------- */

/* Of the volume, as a name that labels can have. */
static const char *label_ending(const vox_subject_files *s) {
    char *plain = vox_image_file(s->files[0]);
    const char *end = plain != NULL ? ending_of(plain) : "";
    const size_t n = strlen(end);
    const char *own = s->files[0] + (plain != NULL ? strlen(plain) : 0) - n;
    free(plain);
    static const char *const one_file[][2] = {{".hdr", ".nii"},       {".img", ".nii"},
                                              {".hdr.gz", ".nii.gz"}, {".img.gz", ".nii.gz"},
                                              {".nhdr", ".nrrd"},     {".mhd", ".mha"}};
    if (n == 0) return ".nii.gz";
    for (size_t i = 0; i < sizeof one_file / sizeof *one_file; i++) {
        if (strlen(one_file[i][0]) == n && strncasecmp(own, one_file[i][0], n) == 0) return one_file[i][1];
    }
    return own;
}

static int name_labels(vox_subject_files *s, const char *folder, const char *ending) {
    const char *end = ending != NULL ? ending : label_ending(s);
    size_t n = ending != NULL ? strlen(end) : strcspn(end, ":"); /* without the path of a dataset */
    size_t room = strlen(folder) + strlen(s->name) + n + 2;
    s->labels = malloc(room);
    if (s->labels == NULL) return vox_fail_memory("names", room);
    snprintf(s->labels, room, "%s/%s%.*s", folder, s->name, (int)n, end);
    return vox_image_check_name(s->labels, VOX_IMAGE_U8);
}

typedef struct place {
    dev_t device;
    ino_t file;
} place;

static int by_place(const void *a, const void *b) {
    const place *x = a, *y = b;
    if (x->device != y->device) return x->device < y->device ? -1 : 1;
    return (x->file > y->file) - (x->file < y->file);
}

/* No labels replace a volume of this list; those that are not there yet cannot. Fills the sizes. */
static int check_places(vox_subject_list *l) {
    size_t files = 0, n = 0;
    struct stat s;
    int code = 0;
    for (int i = 0; i < l->n; i++) files += (size_t)l->subject[i].n;
    place *inputs = calloc(files + 1, sizeof *inputs);
    if (inputs == NULL) return vox_fail_memory("names", files * sizeof *inputs);
    for (int i = 0; i < l->n; i++) {
        for (int k = 0; k < l->subject[i].n; k++) {
            char *file = vox_image_file(l->subject[i].files[k]);
            if (file == NULL || stat(file, &s) != 0) s = (struct stat){0};
            free(file);
            l->subject[i].bytes += (double)s.st_size;
            inputs[n++] = (place){s.st_dev, s.st_ino};
        }
        l->subject[i].bytes += 1; /* for what cannot be told, a pipe or a missing file */
    }
    qsort(inputs, n, sizeof *inputs, by_place);
    for (int i = 0; i < l->n && code == 0; i++) {
        if (stat(l->subject[i].labels, &s) != 0) continue;
        const place at = {s.st_dev, s.st_ino};
        if (bsearch(&at, inputs, n, sizeof *inputs, by_place) != NULL)
            code = vox_fail(VOX_EXIT_INPUT, "%s would overwrite an input: give another folder",
                            l->subject[i].labels);
    }
    free(inputs);
    return code;
}

static int by_labels(const void *a, const void *b) {
    const vox_subject_files *const *x = a, *const *y = b;
    return strcmp((*x)->labels, (*y)->labels);
}

static int check_names(const vox_subject_list *l) {
    const vox_subject_files **sorted = calloc((size_t)l->n + 1, sizeof *sorted);
    if (sorted == NULL) return vox_fail_memory("names", (size_t)l->n * sizeof *sorted);
    int code = 0;
    for (int i = 0; i < l->n; i++) sorted[i] = &l->subject[i];
    qsort(sorted, (size_t)l->n, sizeof *sorted, by_labels);
    for (int i = 1; i < l->n && code == 0; i++) {
        if (strcmp(sorted[i - 1]->labels, sorted[i]->labels) == 0)
            code = vox_fail(VOX_EXIT_INPUT, "%s is to hold the labels of two volumes, %s and %s",
                            sorted[i]->labels, sorted[i - 1]->files[0], sorted[i]->files[0]);
    }
    free(sorted);
    return code;
}

int vox_subject_list_of(const vox_context *c, const vox_subject_request *r, const vox_subjects_request *many,
                        vox_subject_list *l) {
    int code = 0;
    *l = (vox_subject_list){0};
    if (many->folder != NULL && many->subjects.n > 0)
        return vox_usage_error(c, "either --subject or --folder");
    for (int i = 0; i < many->subjects.n && code == 0; i++) code = add_named(l, many->subjects.text[i]);
    if (many->folder != NULL) code = list_folder(c, many->folder, l);
    for (int i = 0; i < l->n && code == 0; i++) code = name_labels(&l->subject[i], r->labels, many->ending);
    if (code == 0) code = check_names(l);
    return code != 0 ? code : check_places(l);
}
