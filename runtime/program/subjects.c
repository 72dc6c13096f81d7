/* SPDX-License-Identifier: MIT-0 */
/* subjects.c: see subjects.h. */
#include "subjects.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report.h"
#include "vox_hash.h"

enum { NAMES_SHOWN = 5 };

typedef struct run {
    const vox_context *context;
    const vox_subject_request *request;
    vox_segmenting network;
    vox_subject_list list;
    char *record_path;
    FILE *record;   /* NULL: not open */
    bool *finished; /* [list.n] by an earlier run */
    int *code;      /* [list.n] */
} run;

/* ---- the record of what is finished ----------------------------------------------------------- */

/* Of all that a subject's labels depend on, by the size and time of its files. */
static int key_of(run *r, const vox_subject_files *f, uint64_t *key) {
    const vox_subject_request *q = r->request;
    char text[512];
    uint64_t weights = 0;
    int code = vox_segmenting_weights(&r->network, &weights);
    int n = snprintf(text, sizeof text, "%s %s %a %a %s %d", r->context->model->graph_hash,
                     vox_host_where(&r->network.host), q->level, q->overlap,
                     q->mirror_axes != NULL ? q->mirror_axes : "", q->repeat_channel);
    *key = vox_hash(weights, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
    for (int i = 0; i < f->n; i++) {
        struct stat s;
        char *file = vox_image_file(f->files[i]);
        if (file == NULL || stat(file, &s) != 0) s = (struct stat){0};
        free(file);
        const int64_t seen[] = {(int64_t)s.st_size, (int64_t)s.st_mtim.tv_sec, (int64_t)s.st_mtim.tv_nsec};
        *key = vox_hash(*key, seen, sizeof seen);
        *key = vox_hash(*key, f->files[i], strlen(f->files[i]));
    }
    return code;
}

static int find_finished(run *r) {
    FILE *record = fopen(r->record_path, "r");
    if (record == NULL) return 0;
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    uint64_t *keys = calloc((size_t)r->list.n, sizeof *keys);
    int code = keys != NULL ? 0 : vox_fail_memory("names", (size_t)r->list.n * sizeof *keys);
    for (int i = 0; i < r->list.n && code == 0; i++) code = key_of(r, &r->list.subject[i], &keys[i]);
    while (code == 0 && (length = getline(&line, &room, record)) > 0) {
        char *end;
        uint64_t key = strtoull(line, &end, 16);
        if (line[length - 1] != '\n' || *end != ' ') continue; /* being written when the process ended */
        line[length - 1] = 0;
        for (int i = 0; i < r->list.n; i++) {
            const vox_subject_files *f = &r->list.subject[i];
            if (keys[i] == key && strcmp(f->name, end + 1) == 0)
                r->finished[i] = access(f->labels, F_OK) == 0;
        }
    }
    free(line);
    free(keys);
    fclose(record);
    return code;
}

static int open_record(run *r) {
    size_t room = strlen(r->request->labels) + sizeof "/segment.part";
    r->record_path = malloc(room);
    if (r->record_path == NULL) return vox_fail_memory("names", room);
    snprintf(r->record_path, room, "%s/segment.part", r->request->labels);
    int code = r->request->resume ? find_finished(r) : 0;
    if (code != 0) return code;
    r->record = fopen(r->record_path, r->request->resume ? "a" : "w");
    if (r->record != NULL) return 0;
    return vox_fail(VOX_EXIT_INPUT, "cannot write %s: %s", r->record_path, strerror(errno));
}

static void put_finished(run *r, const vox_subject_files *f) {
    uint64_t key;
    if (r->record == NULL || key_of(r, f, &key) != 0) return;
    fprintf(r->record, "%016" PRIx64 " %s\n", key, f->name);
    if (fflush(r->record) == 0) return;
    vox_warn("cannot write %s: %s; --resume would begin anew", r->record_path, strerror(errno));
    fclose(r->record);
    r->record = NULL;
}

/* ---- one after another ----------------------------------------------------------------------- */

static int make_folder(const char *folder) {
    struct stat s;
    if (mkdir(folder, 0777) == 0 || (errno == EEXIST && stat(folder, &s) == 0 && S_ISDIR(s.st_mode)))
        return 0;
    return vox_fail(VOX_EXIT_INPUT, "-o %s: %s", folder,
                    errno == EEXIST ? "it is a file; many volumes need a folder" : strerror(errno));
}

static void segment_all(run *r) {
    vox_series *series = &r->network.series;
    for (int i = 0; i < r->list.n; i++) {
        if (r->finished[i]) continue;
        series->count++;
        series->after += r->list.subject[i].bytes;
    }
    series->started = vox_seconds();
    for (int i = 0; i < r->list.n; i++) {
        const vox_subject_files *f = &r->list.subject[i];
        if (r->finished[i]) continue;
        series->number++;
        series->now = f->bytes;
        series->after -= f->bytes;
        vox_subject_request one = *r->request;
        one.labels = f->labels;
        r->code[i] = vox_subject_segment(r->context, &one, &r->network, f->files, f->n);
        if (r->code[i] == 0) put_finished(r, f);
        series->before += f->bytes;
    }
}

/* The exit code of all. */
static int summarise(run *r) {
    char names[512] = "";
    size_t used = 0;
    int failed = 0, passed = 0, code = 0;
    for (int i = 0; i < r->list.n; i++) {
        passed += r->finished[i];
        if (r->code[i] == 0) continue;
        if (code == 0) code = r->code[i];
        failed++;
        if (failed > NAMES_SHOWN || used >= sizeof names) continue;
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", failed == 1 ? ": " : ", ",
                                 r->list.subject[i].name);
    }
    char earlier[64] = "";
    if (passed > 0) snprintf(earlier, sizeof earlier, ", %d of them before", passed);
    if (failed > 0)
        return vox_fail(code, "%d of %d volumes failed%s%s; the others are in %s", failed, r->list.n, names,
                        failed > NAMES_SHOWN ? ", ..." : "", r->request->labels);
    if (!r->request->quiet) printf("%s: %d volumes segmented%s\n", r->request->labels, r->list.n, earlier);
    return 0;
}

int vox_subjects_segment(const vox_context *c, const vox_subject_request *q,
                         const vox_subjects_request *many) {
    run r = {.context = c, .request = q};
    int code = vox_subject_list_of(c, q, many, &r.list);
    if (code == 0) code = make_folder(q->labels);
    r.finished = calloc((size_t)r.list.n + 1, sizeof *r.finished);
    r.code = calloc((size_t)r.list.n + 1, sizeof *r.code);
    if (code == 0 && (r.finished == NULL || r.code == NULL)) code = vox_fail_memory("names", 0);
    if (code == 0) code = vox_subject_open(c, q, &r.network, 0);
    if (code == 0) code = open_record(&r);
    if (code == 0) {
        segment_all(&r);
        code = summarise(&r);
    }
    if (r.record != NULL) fclose(r.record);
    if (code == 0) unlink(r.record_path);
    vox_segmenting_close(&r.network);
    vox_subject_list_free(&r.list);
    free(r.record_path);
    free(r.finished);
    free(r.code);
    return code;
}
