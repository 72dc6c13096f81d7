/* isas.c: see isas.h. */
#include "isas.h"

#include "vox_isas.h"

typedef struct isa {
    const char *name, *flags;
} isa;
#define ROW(name, flags, ...) {#name, flags},
static const isa any[] = {VOX_ISAS_ANY(ROW)};
static const isa x86_64[] = {VOX_ISAS_ANY(ROW) VOX_ISAS_X86_64(ROW)};
static const isa aarch64[] = {VOX_ISAS_AARCH64(ROW)};
#undef ROW

static const struct machine {
    const char *slot;
    const isa *list;
    size_t count;
} machines[] = {
    {"isas_any", any, sizeof any / sizeof *any},
    {"isas_x86_64", x86_64, sizeof x86_64 / sizeof *x86_64},
    {"isas_aarch64", aarch64, sizeof aarch64 / sizeof *aarch64},
};
enum { MACHINES = sizeof machines / sizeof *machines };

static void set_names(cg_slots *s, const char *before, const char *after) {
    for (const struct machine *m = machines; m < machines + MACHINES; m++) {
        cg_text names = {.arena = s->arena};
        for (size_t i = 0; i < m->count; i++)
            cg_add(&names, "%s%s%s%s", i ? " " : "", before, m->list[i].name, after);
        cg_set(s, m->slot, "%s", cg_string(&names));
    }
}

/* A line for each that has flags: before, its name, between, its flags, after. */
static void set_flags(cg_slots *s, const char *before, const char *between, const char *after) {
    cg_text lines = {.arena = s->arena};
    for (const struct machine *m = machines + 1; m < machines + MACHINES; m++)
        for (const isa *i = m->list; i < m->list + m->count; i++)
            if (i->flags[0])
                cg_add(&lines, "%s%s%s%s%s%s", lines.size ? "\n" : "", before, i->name, between, i->flags,
                       after);
    cg_set(s, "isa_flags", "%s", cg_string(&lines));
}

void cg_set_isas_of_c(cg_slots *s) {
    set_names(s, "X(", ")");
}

void cg_set_isas_of_make(cg_slots *s) {
    set_names(s, "", "");
    set_flags(s, "FLAGS_", " = ", "");
}

void cg_set_isas_of_cmake(cg_slots *s) {
    set_names(s, "", "");
    set_flags(s, "set(flags_", " ", ")");
}
