/* voxc: reads a network description, writes source code.
 * The verbs are in verb_*.c, the passes in pipeline.c. */
#include "files.h"
#include "utf8.h"
#include "verbs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool wants_color(const options *o) {
    if (o->color && strcmp(o->color, "always") == 0) return true;
    if (o->color && strcmp(o->color, "never") == 0) return false;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if ((no_color && *no_color) || !term || strcmp(term, "dumb") == 0) return false;
    return isatty(STDERR_FILENO);
}

/* Where voxc shows a place in a file, a message ends with "\n<line>\n<spaces>^": that part, else the end. */
static const char *find_excerpt(const char *text) {
    const char *last = strrchr(text, '\n'), *end = text + strlen(text);
    if (!last || last + 1 + strspn(last + 1, " \t") + 1 != end || end[-1] != '^') return end;
    for (const char *p = last; p > text; p--)
        if (p[-1] == '\n') return p - 1;
    return end;
}

/* Names of files and layers are anybody's: what is not plain must not reach the terminal as it is. Only in
 * an excerpt lines and tabs are voxc's own. */
static void put_plain(FILE *f, const char *s) {
    uint32_t code;
    const char *excerpt = find_excerpt(s);
    for (size_t n; *s; s += n) {
        vox_char_kind kind = vox_char(s, &n, &code);
        if (kind == VOX_CHAR_PLAIN || (s >= excerpt && (*s == '\n' || *s == '\t')))
            fwrite(s, 1, n, f);
        else
            fprintf(f, kind == VOX_CHAR_INVALID || code < 0x80 ? "\\x%02x" : "\\u%04x", (unsigned)code);
    }
}

static int report(const ir_diag *d, bool color) {
    fprintf(stderr, "%svoxc: error:%s ", color ? "\033[1;31m" : "", color ? "\033[0m" : "");
    put_plain(stderr, d->text);
    fputc('\n', stderr);
    return d->code ? d->code : IR_EXIT_FAILURE;
}

int main(int argc, char **argv) {
    static int (*const run[VERB_COUNT])(const options *, ir_diag *) = {
        [VERB_COMPILE] = verb_compile,
        [VERB_INSPECT] = verb_inspect,
        [VERB_VERIFY] = verb_verify,
        [VERB_EXPORT] = verb_export,
    };
    file_clean_on_end();
    ir_diag d = {0};
    options o;
    options_result parsed = options_parse(&o, argc, argv, &d);
    int code = IR_EXIT_OK;
    if (parsed == OPTIONS_RUN) code = run[o.verb](&o, &d);
    if (parsed == OPTIONS_ERROR || d.code) return report(&d, wants_color(&o));
    if (fflush(stdout) != 0 || ferror(stdout)) {
        ir_fail(&d, IR_EXIT_FAILURE, "standard output: can't write: is the disk full?");
        return report(&d, wants_color(&o));
    }
    return code;
}
