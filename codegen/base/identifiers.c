/* identifiers.c: see identifiers.h. */
#include "identifiers.h"

#include <ctype.h>
#include <string.h>

/* Lists are text, " word word ", so that they can be read and kept in order. */

/* C and C++. */
static const char keywords[] =
    " alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl concept const "
    "const_cast consteval constexpr constinit continue decltype default delete do double dynamic_cast else "
    "enum explicit export extern false float for friend goto if inline int long mutable namespace new "
    "noexcept not not_eq nullptr operator or or_eq private protected public register reinterpret_cast "
    "requires restrict return short signed sizeof static static_assert static_cast struct switch template "
    "this thread_local throw true try typedef typeid typename typeof union unsigned using virtual void "
    "volatile while xor xor_eq ";

/* What <model>_run, <model>.c and the README's example call things, and macros in small letters. */
static const char locals[] =
    " aligned_alloc arena arena_bytes assert builds calloc complex errno exec executor file fopen fread i386 "
    "info inputs isa labels layers linux main malloc model n outputs packings pool prepared printf run_ports "
    "status stderr stdin stdout steps unix volume weights ";

/* Targets of the Makefile and of CMake, and what else lies in a bundle's folder under a fixed name. */
static const char files[] = " ALL_BUILD LICENSE Makefile RUN_TESTS ZERO_CHECK all build check clean depend "
                            "edit_cache help install lib package preinstall rebuild_cache runtime test ";

/* lib<name>.a would be found instead. */
static const char libraries[] = " atomic c deflate dl gcc hdf5 hdf5_serial m nifti2 png pthread rt stdc "
                                "tiff z znz ";

/* <name>.h would be found instead, where a compiler is told to look into the bundle. */
static const char headers[] =
    " assert complex ctype errno fcntl fenv hdf5 immintrin inttypes iso646 libdeflate limits locale math png "
    "pngconf "
    "pthread sched semaphore setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib "
    "stdnoreturn string strings tgmath threads tiff tiffconf tiffio tiffvers time uchar unistd wchar wctype "
    "zconf zlib znzlib ";

static bool is_listed(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = strstr(list, word); at && length; at = strstr(at + 1, word))
        if (at[-1] == ' ' && at[length] == ' ') return true;
    return false;
}

bool cg_check_model_name(const char *name, ir_diag *d) {
    const char *with = NULL;
    if (strncmp(name, "vox_", 4) == 0 || strcmp(name, "vox") == 0)
        with = "the runtime's names";
    else if (is_listed(keywords, name))
        with = "a word of C or C++";
    else if (is_listed(files, name))
        with = "a file or target of every bundle";
    else if (is_listed(libraries, name))
        with = "a library of the system";
    else if (is_listed(headers, name))
        with = "a header of the system";
    return !with ||
           ir_fail(d, IR_EXIT_INPUT, "%s: this model name collides with %s; choose another with --model-name",
                   name, with);
}

static bool has_small_letter(const char *s) {
    while (*s && !islower((unsigned char)*s)) s++;
    return *s != 0;
}

static bool is_taken(const char *s, const char *model) {
    size_t length = strlen(s), prefix = strlen(model);
    bool type = length > 2 && strcmp(s + length - 2, "_t") == 0;
    bool api = strncmp(s, "vox_", 4) == 0 || (strncmp(s, model, prefix) == 0 && s[prefix] == '_');
    return type || api || is_listed(keywords, s) || is_listed(locals, s) ||
           !has_small_letter(s); /* NULL, EOF, I */
}

const char *cg_parameter(ir_arena *arena, const char *model, const char *text) {
    char *s = ir_format(arena, "%s%s", isdigit((unsigned char)*text) || !*text ? "_" : "", text);
    for (char *p = s; *p; p++)
        if (!isalnum((unsigned char)*p)) *p = '_';
    return is_taken(s, model) ? ir_format(arena, "%s_", s) : s;
}
