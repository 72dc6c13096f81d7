/* plans.c: asks the real cuDNN, without a GPU, for the plans of every convolution of the given models on each
 * of the described GPUs, and compares what it chose with a table.
 *
 *   plans [--update] [--jobs N] TABLE DEVICES... -- MODELS...
 *
 * Exit status 1: a convolution got no plan, a plan breaks its policy, or the table differs. bf16 must be
 * refused on GPUs before sm_80. Each GPU gets a process of its own: cuDNN decides from the first GPU that a
 * process plans for whether there is TF32.
 */
#include "conv_list.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEVICES_MOST = 16, ANSWER = 256, CAP = 256 << 20 };

static const char *const type_names[CONV_TYPES] = {"fp32", "tf32", "fp16", "bf16"};
enum { TYPES = CONV_TYPES };

/* The first is for every model, the others for the first one. Compiled engines need a driver: without them
 * the table is the same on every machine. */
static const struct {
    const char *name;
    vox_plan_policy policy;
} policies[] = {
    {"", {.workspace_cap = CAP, .precompiled = 1}},
    {" deterministic", {.workspace_cap = CAP, .precompiled = 1, .deterministic = 1}},
    {" strict", {.workspace_cap = CAP, .precompiled = 1, .strict = 1}},
    {" no workspace", {.precompiled = 1}},
};
enum { POLICIES = sizeof policies / sizeof *policies };

typedef struct device {
    const char *path;
    char name[32]; /* of the file */
    char *json;
    int version; /* 10 * compute capability */
} device;

/* What cuDNN chose: "engine 11 tensor_core 0"; "none": nothing, rightly; empty: it failed. */
typedef char answer[ANSWER];

typedef struct check {
    conv_list list;
    int n_devices;
    device devices[DEVICES_MOST];
    answer *answers; /* [device][conv][type][policy], shared with the children */
} check;

static answer *answer_at(const check *c, int dev, int conv, int type, int policy) {
    return &c->answers[((dev * c->list.n + conv) * TYPES + type) * POLICIES + policy];
}

static bool is_asked(const check *c, int conv, int type, int policy) {
    return (c->list.at[conv].types >> type & 1) && (policy == 0 || conv < c->list.n_first);
}

/* ---- one device ------------------------------------------------------------------------------- */

typedef struct context { /* of a message */
    const char *device, *layer;
    bool quiet;
} context;

static void print_message(void *user, const char *text) {
    const context *at = user;
    if (!at->quiet) fprintf(stderr, "plans: %s, %s: %s\n", at->device, at->layer, text);
}

/* NULL, or how the plan breaks what it was asked for. */
static const char *broken(const vox_plan *plan, vox_cuda_type type, const vox_plan_policy *policy,
                          const char *notes) {
    if (vox_plan_workspace(plan) > (size_t)policy->workspace_cap) return "more workspace than the cap";
    if (policy->deterministic && strstr(notes, "nondeterministic")) return "not deterministic";
    if (policy->strict && (strstr(notes, "winograd") || strstr(notes, "fft"))) return "not strict";
    if (type == VOX_CUDA_F32 && strstr(notes, "tensor_core")) return "tensor cores in fp32";
    return NULL;
}

static void judge(const vox_plan *plan, vox_cuda_type type, const vox_plan_policy *policy, context *at,
                  answer *to) {
    char text[800], notes[160];
    long long engine;
    vox_plan_describe(plan, text, sizeof text);
    if (sscanf(text, "engine=%lld notes=%159s", &engine, notes) != 2) ir_die("plans: %s", text);
    const char *wrong = broken(plan, type, policy, notes);
    if (wrong)
        print_message(at, wrong);
    else
        snprintf(*to, sizeof *to, "engine %lld, %s, %zu%s", engine, notes, vox_plan_workspace(plan),
                 strstr(text, "from=fallback") ? ", fallback" : "");
}

static void ask(const check *c, const vox_cudnn_target *target, int dev, int conv, int type, int policy) {
    answer *to = answer_at(c, dev, conv, type, policy);
    context *at = target->log.user;
    const bool refused = type == VOX_CUDA_BF16 && c->devices[dev].version < 800;
    vox_conv3d want = c->list.at[conv].conv;
    vox_plan *plan = NULL;
    at->layer = c->list.at[conv].layer;
    at->quiet = refused;
    want.type = (vox_cuda_type)type;
    const cudnnStatus_t status = vox_plan_build(target, &want, &policies[policy].policy, NULL, &plan);
    at->quiet = false;
    if (refused && status != CUDNN_STATUS_SUCCESS)
        strcpy(*to, "none");
    else if (refused)
        print_message(at, "a bf16 plan for a GPU without bf16");
    else if (status == CUDNN_STATUS_SUCCESS)
        judge(plan, want.type, &policies[policy].policy, at, to);
    vox_plan_destroy(plan);
}

static int run_device(const check *c, int dev) {
    context at = {.device = c->devices[dev].name, .layer = "its description"};
    vox_cudnn_target target = {.log = {print_message, &at}};
    if (vox_cudnn_device(c->devices[dev].json, &target.log, &target.device) != CUDNN_STATUS_SUCCESS) return 1;
    for (int conv = 0; conv < c->list.n; conv++)
        for (int type = 0; type < TYPES; type++)
            for (int policy = 0; policy < POLICIES; policy++)
                if (is_asked(c, conv, type, policy)) ask(c, &target, dev, conv, type, policy);
    cudnnBackendDestroyDescriptor(target.device);
    return 0;
}

/* A process for each device, so many at a time. True when all ended well. */
static bool run_devices(const check *c, int jobs) {
    bool ok = true;
    int running = 0, status;
    for (int dev = 0; dev < c->n_devices || running > 0;) {
        if (dev < c->n_devices && running < jobs) {
            const pid_t child = fork();
            if (child == 0) _exit(run_device(c, dev));
            if (child < 0) ir_die("plans: fork failed");
            running++;
            dev++;
        } else {
            ok = wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 && ok;
            running--;
        }
    }
    return ok;
}

/* ---- the table -------------------------------------------------------------------------------- */

/* Devices that answered alike stand in one line; those that answered what they do to the first policy, in
 * none. */
static void print_answers(const check *c, FILE *f, int conv, int type, int policy) {
    bool printed[DEVICES_MOST] = {false};
    for (int i = 0; policy > 0 && i < c->n_devices; i++)
        printed[i] = strcmp(*answer_at(c, i, conv, type, policy), *answer_at(c, i, conv, type, 0)) == 0;
    for (int i = 0; i < c->n_devices; i++) {
        const char *said = *answer_at(c, i, conv, type, policy);
        if (printed[i]) continue;
        fprintf(f, "  %s%s: %s:", type_names[type], policies[policy].name, *said ? said : "FAILED");
        for (int k = i; k < c->n_devices; k++)
            if (!printed[k] && strcmp(*answer_at(c, k, conv, type, policy), said) == 0) {
                printed[k] = true;
                fprintf(f, " %s", c->devices[k].name);
            }
        fputc('\n', f);
    }
}

static void print_axes(FILE *f, const char *name, const int64_t v[3]) {
    fprintf(f, " %s %lldx%lldx%lld", name, (long long)v[0], (long long)v[1], (long long)v[2]);
}

static void print_conv(FILE *f, const vox_conv3d *conv, const char *layer) {
    static const char *const after[] = {"", " + bias", " + bias + relu"};
    fprintf(f, "\n%s: %s%s %lld -> %lld", layer, conv->backward_data ? "transposed conv" : "conv",
            after[(conv->has_bias != 0) + (conv->act != VOX_CUDA_ACT_NONE)], (long long)conv->c_pitch,
            (long long)conv->k_pitch);
    print_axes(f, "at", conv->in);
    print_axes(f, "->", conv->out);
    print_axes(f, "kernel", conv->kernel);
    print_axes(f, "stride", conv->stride);
    print_axes(f, "dilation", conv->dilation);
    print_axes(f, "pad", conv->pad_before);
    print_axes(f, "and", conv->pad_after);
    fprintf(f, " groups %lld, n %lld\n", (long long)conv->groups, (long long)conv->n);
}

static char *print_table(const check *c) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) ir_no_memory("the table");
    fprintf(f,
            "cuDNN %zu: engine, numerical notes and bytes of workspace of the plans under a cap of %d MiB\n",
            cudnnGetVersion(), CAP >> 20);
    for (int conv = 0; conv < c->list.n; conv++) {
        print_conv(f, &c->list.at[conv].conv, c->list.at[conv].layer);
        for (int type = 0; type < TYPES; type++)
            for (int policy = 0; policy < POLICIES; policy++)
                if (is_asked(c, conv, type, policy)) print_answers(c, f, conv, type, policy);
    }
    fclose(f);
    return text;
}

static char *read_text(const char *path) {
    char *text = NULL;
    size_t size = 0, n;
    char part[4096];
    FILE *in = fopen(path, "rb"), *out = open_memstream(&text, &size);
    if (!out) ir_no_memory(path);
    while (in && (n = fread(part, 1, sizeof part, in)) > 0) fwrite(part, 1, n, out);
    if (in) fclose(in);
    fclose(out);
    return text;
}

static bool write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "wb");
    if (!f) return false;
    const bool ok = fputs(text, f) >= 0;
    return fclose(f) == 0 && ok;
}

/* Says where the texts part. */
static void print_difference(const char *path, const char *old, const char *new) {
    int line = 1;
    size_t start = 0, i = 0;
    for (; old[i] && old[i] == new[i]; i++)
        if (new[i] == '\n') {
            line++;
            start = i + 1;
        }
    printf("plans: %s:%d differs; --update rewrites it\n  table: %.*s\n  now:   %.*s\n", path, line,
           (int)strcspn(old + start, "\n"), old + start, (int)strcspn(new + start, "\n"), new + start);
}

static bool compare_table(const check *c, const char *path, bool update) {
    char *now = print_table(c), *old = read_text(path);
    size_t version = 0;
    bool ok = true;
    if (update) {
        ok = write_text(path, now);
    } else if (sscanf(old, "cuDNN %zu:", &version) == 1 && version != cudnnGetVersion()) {
        printf("note: cuDNN here is %zu, the table's %zu: only success is compared, not what was chosen\n",
               cudnnGetVersion(), version);
    } else if (strcmp(now, old) != 0) {
        ok = false;
        print_difference(path, old, now);
    }
    free(now);
    free(old);
    return ok;
}

static int count_failures(const check *c, int *asked) {
    int failures = 0;
    for (int dev = 0; dev < c->n_devices; dev++)
        for (int conv = 0; conv < c->list.n; conv++)
            for (int i = 0; i < TYPES * POLICIES; i++)
                if (is_asked(c, conv, i / POLICIES, i % POLICIES)) {
                    ++*asked;
                    failures += **answer_at(c, dev, conv, i / POLICIES, i % POLICIES) == 0;
                }
    return failures;
}

/* ---- the command line ------------------------------------------------------------------------- */

static bool add_device(check *c, const char *path) {
    device *d = &c->devices[c->n_devices];
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (c->n_devices == DEVICES_MOST) return false;
    d->path = path;
    d->json = read_text(path);
    snprintf(d->name, sizeof d->name, "%.*s", (int)strcspn(base, "."), base);
    const char *version = strstr(d->json, "\"deviceVer\":");
    if (!version || sscanf(version, "\"deviceVer\": %d", &d->version) != 1) return false;
    c->n_devices++;
    return true;
}

static int usage(void) {
    fputs("usage: plans [--update] [--jobs N] TABLE DEVICE.json... -- MODEL...\n", stderr);
    return 2;
}

static int finish(check *c, const char *table, bool update, int jobs) {
    int asked = 0;
    const size_t bytes = (size_t)c->n_devices * (size_t)c->list.n * TYPES * POLICIES * sizeof(answer);
    c->answers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (c->answers == MAP_FAILED) ir_no_memory("the answers");
    const bool ran = run_devices(c, jobs);
    const int failures = count_failures(c, &asked);
    const bool ok = compare_table(c, table, update) && ran && failures == 0;
    printf("plans: %d convolutions on %d devices: %d asked for, %d without a plan\n", c->list.n, c->n_devices,
           asked, failures);
    munmap(c->answers, bytes);
    return ok ? 0 : 1;
}

int main(int argc, char **argv) {
    static check c;
    ir_diag d = {0};
    bool update = false;
    int i = 1, jobs = 2;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--update") == 0)
            update = true;
        else if (strcmp(argv[i], "--jobs") == 0 && i + 1 < argc)
            jobs = atoi(argv[++i]);
        else
            return usage();
    }
    if (i >= argc || jobs < 1) return usage();
    const char *table = argv[i++];
    for (; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (!add_device(&c, argv[i])) return usage();
    for (i++; i < argc; i++)
        if (!conv_list_add(&c.list, argv[i], &d)) {
            fprintf(stderr, "%s\n", d.text);
            return 1;
        }
    if (c.list.n == 0 || c.n_devices == 0) return usage();
    const int status = finish(&c, table, update, jobs);
    for (i = 0; i < c.n_devices; i++) free(c.devices[i].json);
    return status;
}
