/* replay.c: runs a fuzz target over files, in the place of libFuzzer: fuzz_NAME FILE... Ends at the first
 * that takes more than 10 s of processor time, or after which the process has been larger than 1 GiB. */
#include "fuzz.h"

#include <sys/resource.h>
#include <sys/time.h>

enum { SECONDS = 10, MEBIBYTES = 1024 };

/* Mutators are linked too, and never called. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max) {
    (void)data, (void)max;
    return size;
}

static uint8_t *read_whole(const char *path, size_t *size) {
    FILE *f = fopen(path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
        perror(path);
        exit(2);
    }
    const long n = ftell(f);
    rewind(f);
    uint8_t *data = malloc(n > 0 ? (size_t)n : 1); /* exactly: a read behind the end is a find */
    *size = data ? fread(data, 1, (size_t)n, f) : 0;
    fclose(f);
    return data;
}

static void replay(const char *path) {
    const struct itimerval limit = {.it_value.tv_sec = SECONDS};
    size_t size;
    uint8_t *data = read_whole(path, &size);
    setitimer(ITIMER_PROF, &limit, NULL); /* SIGPROF ends the process */
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    FUZZ_CHECK(used.ru_maxrss <= MEBIBYTES * 1024L, "%s: %ld KiB", path, used.ru_maxrss);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        fprintf(stdout, "%s\n", argv[i]); /* the last line is the one that broke */
        fflush(stdout);
        replay(argv[i]);
    }
    return argc > 1 ? 0 : 2;
}
