/* Reading and writing files: each error is one clear line, and nothing stays behind. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include "files.h"
#include "owner.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct folder {
    char path[64];
} folder;

static int setup(void **state) {
    folder *f = calloc(1, sizeof *f);
    strcpy(f->path, "/tmp/voxc_files_XXXXXX");
    *state = f;
    return f && mkdtemp(f->path) ? 0 : -1;
}

static int teardown(void **state) {
    folder *f = *state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", f->path);
    int rc = system(command);
    free(f);
    return rc;
}

static const char *in(void **state, const char *name, char *buf) {
    sprintf(buf, "%s/%s", ((folder *)*state)->path, name);
    return buf;
}

static int count_entries(const char *path) {
    DIR *dir = opendir(path);
    int n = -2; /* . and .. */
    if (!dir) return -1;
    while (readdir(dir)) n++;
    closedir(dir);
    return n;
}

static void expect_file(const char *path, const char *text) {
    ir_diag d = {0};
    size_t n = 0;
    char *got = file_read(path, 1000, &n, &d);
    assert_non_null(got);
    assert_string_equal(got, text);
    assert_int_equal(n, strlen(text));
    free(got);
}

static void expect_error(const ir_diag *d, int code, const char *part) {
    assert_int_equal(d->code, code);
    assert_null(strchr(d->text, '\n'));
    if (!strstr(d->text, part)) fail_msg("\"%s\" lacks \"%s\"", d->text, part);
}

static void writes_and_reads_back(void **state) {
    char p[128];
    ir_diag d = {0};
    in(state, "a.txt", p);
    assert_true(file_write_atomic(p, "one", 3, &d));
    expect_file(p, "one");
    assert_int_equal(chmod(p, 0640), 0);
    assert_true(file_write_atomic(p, "", 0, &d));
    expect_file(p, "");
    struct stat st;
    assert_int_equal(stat(p, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0640);
    assert_int_equal(count_entries(((folder *)*state)->path), 1);
}

static void a_link_stays_a_link(void **state) {
    char p[128], q[128];
    ir_diag d = {0};
    struct stat st;
    assert_true(file_write_atomic(in(state, "real", p), "x", 1, &d));
    assert_int_equal(symlink("real", in(state, "link", q)), 0);
    assert_true(file_write_atomic(q, "new", 3, &d));
    assert_int_equal(lstat(q, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    expect_file(p, "new");
}

static void reading_errors(void **state) {
    char p[128];
    size_t n;
    ir_diag missing = {0}, folder_ = {0}, big = {0}, unreadable = {0};
    assert_null(file_read(in(state, "none", p), 10, &n, &missing));
    expect_error(&missing, IR_EXIT_INPUT, "No such file");
    assert_null(file_read(((folder *)*state)->path, 10, &n, &folder_));
    expect_error(&folder_, IR_EXIT_INPUT, "is a folder");
    assert_true(file_write_atomic(in(state, "big", p), "0123456789a", 11, &big));
    assert_null(file_read(p, 10, &n, &big));
    expect_error(&big, IR_EXIT_INPUT, "larger than 10 bytes");
    char *all = file_read(p, 11, &n, &unreadable);
    assert_non_null(all);
    free(all);
    if (geteuid() == 0) {
        print_message("root reads everything: the permission check is left out\n");
        return;
    }
    assert_int_equal(chmod(p, 0), 0);
    assert_null(file_read(p, 100, &n, &unreadable));
    expect_error(&unreadable, IR_EXIT_INPUT, "Permission denied");
}

static void endless_input_stops_at_the_bound(void **state) {
    (void)state;
    ir_diag d = {0};
    size_t n;
    assert_null(file_read("/dev/zero", 100000, &n, &d));
    expect_error(&d, IR_EXIT_INPUT, "larger than 100000 bytes");
}

static void writing_errors(void **state) {
    char p[128];
    ir_diag gone = {0}, folder_ = {0}, full = {0};
    assert_false(file_write_atomic(in(state, "no/such", p), "x", 1, &gone));
    expect_error(&gone, IR_EXIT_FAILURE, "No such file");
    assert_false(file_write_atomic(((folder *)*state)->path, "x", 1, &folder_));
    expect_error(&folder_, IR_EXIT_FAILURE, "Is a directory");
    assert_false(file_write_atomic("/dev/full", "x", 1, &full));
    expect_error(&full, IR_EXIT_FAILURE, "No space left");
}

/* A file size limit fails write() in the middle as a full disk does. */
static void a_full_disk_leaves_the_old_file(void **state) {
    char p[128];
    ir_diag d = {0};
    static char big[100000];
    assert_true(file_write_atomic(in(state, "kept", p), "old", 3, &d));
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {50000, 50000};
        ir_diag e = {0};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        bool wrote = file_write_atomic(p, big, sizeof big, &e);
        _exit(!wrote && e.code == IR_EXIT_FAILURE && strstr(e.text, "too large") ? 0 : 1);
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    expect_file(p, "old");
    assert_int_equal(count_entries(((folder *)*state)->path), 1);
}

static void a_directory_appears_as_a_whole(void **state) {
    char p[128], q[160];
    ir_diag d = {0};
    in(state, "out", p);
    file_dir *t = file_dir_begin(p, false, &d);
    assert_non_null(t);
    assert_true(file_dir_write(t, "m.c", "c", 1, &d));
    assert_true(file_dir_write(t, "runtime/vox.h", "h", 1, &d));
    assert_true(file_dir_write(t, "runtime/vox.c", "v", 1, &d));
    assert_int_equal(count_entries(p), -1);
    assert_true(file_dir_commit(t, &d));
    sprintf(q, "%s/runtime/vox.h", p);
    expect_file(q, "h");
    assert_int_equal(count_entries(p), 2);
    assert_int_equal(count_entries(((folder *)*state)->path), 1);
}

static bool write_bundle(const char *path, bool force, const char *text, ir_diag *d) {
    char slash[160];
    sprintf(slash, "%s//", path);
    file_dir *t = file_dir_begin(slash, force, d);
    if (!t) return false;
    static const char manifest[] =
        "{\"model\": \"m\", \"voxc\": \"1\", \"graph_hash\": \"0\", \"files\": [{\"path\": \"sub/x\", "
        "\"bytes\": 1, \"sha256\": \"0\"}]}";
    bool ok = file_dir_write(t, "sub/x", text, strlen(text), d) &&
              file_dir_write(t, "manifest.json", manifest, strlen(manifest), d);
    if (ok) return file_dir_commit(t, d);
    file_dir_abort(t);
    return false;
}

static void a_bundle_is_replaced_and_other_files_stay(void **state) {
    char p[128], q[160];
    ir_diag d = {0};
    in(state, "out", p);
    assert_true(write_bundle(p, false, "1", &d));
    sprintf(q, "%s/mine.txt", p);
    assert_true(file_write_atomic(q, "mine", 4, &d));
    assert_true(write_bundle(p, false, "2", &d));
    expect_file(q, "mine");
    sprintf(q, "%s/sub/x", p);
    expect_file(q, "2");
    assert_int_equal(count_entries(p), 3);
}

static bool write_one(const char *path, const char *name, bool force, ir_diag *d) {
    file_dir *t = file_dir_begin(path, force, d);
    if (!t) return false;
    if (file_dir_write(t, name, "new", 3, d)) return file_dir_commit(t, d);
    file_dir_abort(t);
    return false;
}

/* What the earlier bundle's manifest lists goes, what it does not list is not replaced. */
static void a_bundle_owns_what_its_manifest_lists(void **state) {
    char p[128], q[160];
    ir_diag d = {0}, taken = {0}, parent = {0}, folder_ = {0};
    in(state, "out", p);
    assert_true(write_bundle(p, false, "1", &d));
    sprintf(q, "%s/mine.txt", p);
    assert_true(file_write_atomic(q, "mine", 4, &d));
    assert_false(write_one(p, "mine.txt", false, &taken));
    expect_error(&taken, IR_EXIT_INPUT, "/mine.txt: is not a file of the bundle in that folder");
    assert_false(write_one(p, "mine.txt/x", false, &parent));
    expect_error(&parent, IR_EXIT_INPUT, "--force");
    assert_false(write_one(p, "sub", true, &folder_));
    expect_error(&folder_, IR_EXIT_INPUT, "is a folder");
    expect_file(q, "mine");
    assert_true(write_one(p, "other", false, &d));
    expect_file(q, "mine");
    assert_int_equal(count_entries(p), 2); /* sub/x and the manifest were the bundle's */
}

static void a_manifest_of_somebody_else_protects_nothing(void **state) {
    static const char *const manifests[] = {
        "{}", "[", "{\"files\": []}", "{\"model\": \"m\", \"voxc\": \"1\", \"files\": []}",
        "{\"model\": \"m\", \"voxc\": \"1\", \"graph_hash\": \"0\", \"files\": [{\"path\": \"../x\"}]}"};
    char p[128], q[160], readme[160];
    ir_diag d = {0};
    assert_int_equal(mkdir(in(state, "site", p), 0777), 0);
    sprintf(q, "%s/manifest.json", p);
    sprintf(readme, "%s/README.md", p);
    assert_true(file_write_atomic(readme, "mine", 4, &d));
    for (size_t i = 0; i < sizeof manifests / sizeof *manifests; i++) {
        ir_diag refused = {0};
        assert_true(file_write_atomic(q, manifests[i], strlen(manifests[i]), &d));
        assert_false(write_one(p, "README.md", false, &refused));
        expect_error(&refused, IR_EXIT_INPUT, "holds no manifest.json of a bundle");
        expect_file(readme, "mine");
    }
}

/* Processes that no longer run, by number, and one whose number another process has now. */
static void leftovers_of_dead_processes_go(void **state) {
    char p[128], q[256], r[256], *living, *mine;
    ir_diag d = {0};
    in(state, "out", p);
    pid_t pid = fork();
    if (pid == 0) {
        char *name = vox_owner_name(p, "tmp", 0), command[600];
        if (!name || mkdir(name, 0777) != 0) _exit(1);
        sprintf(command, "touch %s/x; touch %s.tmp1-2-3", name,
                p); /* the second is not of this machine: stays */
        _exit(system(command));
    }
    int status;
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
    assert_non_null(living = vox_owner_name(p, "tmp", 7));
    sprintf(q, "%.*s1%s", (int)(strchr(living + strlen(p), '-') - living + 1), living,
            strrchr(living, '-'));    /* this process's number, started at another time */
    sprintf(r, "%s.tmp12-backup", p); /* somebody's */
    mine = living;
    for (int i = 0; i < 3; i++) assert_true(file_write_atomic((const char *[]){mine, q, r}[i], "", 0, &d));
    assert_int_equal(count_entries(((folder *)*state)->path), 5);
    assert_true(write_bundle(p, false, "1", &d));
    assert_int_equal(count_entries(((folder *)*state)->path), 4);
    expect_file(mine, "");
    expect_file(r, "");
    free(living);
}

static void the_working_directory_is_filled_in_place(void **state) {
    char p[128], q[160], here[4096];
    struct stat before, after;
    ir_diag d = {0};
    assert_true(write_bundle(in(state, "out", p), false, "1", &d));
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(stat(p, &before), 0);
    assert_int_equal(chdir(p), 0);
    bool ok = write_bundle(".", false, "2", &d);
    assert_int_equal(chdir(here), 0);
    assert_true(ok);
    assert_int_equal(stat(p, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    sprintf(q, "%s/sub/x", p);
    expect_file(q, "2");
    assert_int_equal(count_entries(p), 2);
}

static void names_of_the_longest_kind_are_written(void **state) {
    char p[512];
    ir_diag d = {0};
    in(state, "", p);
    memset(p + strlen(p), 'n', 255);
    p[strlen(((folder *)*state)->path) + 1 + 255] = 0;
    assert_true(file_write_atomic(p, "x", 1, &d));
    expect_file(p, "x");
    assert_int_equal(count_entries(((folder *)*state)->path), 1);
}

static void a_foreign_folder_is_refused(void **state) {
    char p[128], q[160];
    ir_diag d = {0}, file = {0}, parent = {0}, empty = {0};
    in(state, "home", p);
    assert_int_equal(mkdir(p, 0777), 0);
    sprintf(q, "%s/thesis.txt", p);
    assert_true(file_write_atomic(q, "words", 5, &d));
    assert_false(write_bundle(p, false, "1", &d));
    expect_error(&d, IR_EXIT_INPUT, "--force");
    assert_int_equal(count_entries(p), 1);
    assert_false(write_bundle(q, false, "1", &file));
    expect_error(&file, IR_EXIT_INPUT, "is a file");
    assert_false(write_bundle(in(state, "a/b", q), false, "1", &parent));
    expect_error(&parent, IR_EXIT_FAILURE, "does not exist");
    assert_null(file_dir_begin("", false, &empty));
    expect_error(&empty, IR_EXIT_INPUT, "empty");
    ir_diag forced = {0};
    assert_true(write_bundle(p, true, "1", &forced));
    assert_int_equal(count_entries(p), 3);
}

static void an_abort_leaves_nothing(void **state) {
    char p[128];
    ir_diag d = {0};
    file_dir *t = file_dir_begin(in(state, "out", p), false, &d);
    assert_true(file_dir_write(t, "a/b/c", "x", 1, &d));
    file_dir_abort(t);
    file_dir_abort(NULL);
    assert_int_equal(count_entries(((folder *)*state)->path), 0);
}

static void a_signal_removes_what_is_pending(void **state) {
    char p[128];
    in(state, "out", p);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < 3; i++) {
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
            ir_diag d = {0};
            signal(signals[i], SIG_DFL);
            file_clean_on_end();
            file_dir *t = file_dir_begin(p, false, &d);
            if (!t || !file_dir_write(t, "a/b/c", "x", 1, &d)) _exit(9);
            raise(signals[i]);
            _exit(8);
        }
        int status;
        waitpid(pid, &status, 0);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        assert_int_equal(count_entries(((folder *)*state)->path), 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(writes_and_reads_back),
        TEST(a_link_stays_a_link),
        TEST(reading_errors),
        TEST(endless_input_stops_at_the_bound),
        TEST(writing_errors),
        TEST(a_full_disk_leaves_the_old_file),
        TEST(a_directory_appears_as_a_whole),
        TEST(a_bundle_is_replaced_and_other_files_stay),
        TEST(a_bundle_owns_what_its_manifest_lists),
        TEST(a_manifest_of_somebody_else_protects_nothing),
        TEST(leftovers_of_dead_processes_go),
        TEST(the_working_directory_is_filled_in_place),
        TEST(names_of_the_longest_kind_are_written),
        TEST(a_foreign_folder_is_refused),
        TEST(an_abort_leaves_nothing),
        TEST(a_signal_removes_what_is_pending),
    };
    return cmocka_run_group_tests_name("files", tests, NULL, NULL);
}
