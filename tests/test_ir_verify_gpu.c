/* The verifier on graphs for a GPU: sound plans pass, each broken invariant is reported by its name. */
#include "verify_lib.h"

static void check(const plan *p, const char *head) {
    char *text = test_format("%s%s", head, p->text);
    ir_graph *g = parse(text);
    if (p->broken)
        expect_broken(g, p->broken, text);
    else
        expect_sound(g);
    ir_graph_free(g);
    free(text);
}

static void check_all(const plan *plans, size_t count, const char *head) {
    for (size_t i = 0; i < count; i++) check(&plans[i], head);
}
#define CHECK(plans, head) check_all(plans, sizeof(plans) / sizeof *(plans), head)

#define CONV1 " kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"
#define CONV3 " kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"
#define UP    " kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] output_pad=[0,0,0] group=1"
#define UP3   " kernel=3x3x3 stride=2x2x2 dilation=1x1x1 pad=[1,1,1,1,1,1] output_pad=[1,1,1] group=1"
#define POOL  " kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0"

static const char operands[] = "graph g\ninput %x f32[1,6,4,4,4]\ninput %m f32[4,4]\ninput %n f64[1,6,4]\n"
                               "const %w f32[6,6,1,1,1] random(1)\nconst %u f32[6,6,2,2,2] random(2)\n"
                               "const %v f32[6,6,3,3,3] random(3)\n";
/* %l: the input, channels last */
#define LAST    "%l = to_channels_last(%x) -> f32[1,6,4,4,4] pitch8 f16\n"
#define LAST_ON "%l = to_channels_last(%x) gpu=kernel -> f32[1,6,4,4,4] pitch8 f16\n"
#define END     "%y = from_channels_last(%e)\noutput %y\n"
#define END_ON  "%y = from_channels_last(%e) gpu=kernel\noutput %y\n"

static const plan layouts[] = {
    {NULL, LAST "%e = relu(%l) -> f32[1,6,4,4,4] pitch6 bf16\n" END},
    {NULL, LAST "%e = conv(%l, %w)" CONV1 " -> f32[1,6,4,4,4] pitch6\n" END},
    {NULL, LAST "%y = arg_max(%l) axis=1 keepdims=1 select_last=0\noutput %y\n"},
    {"layout", LAST "%e = relu(%l) -> f32[1,6,4,4,4] pitch5\n" END},
    {"layout", LAST "%y = relu(%l) -> f32[1,6,4,4,4] pitch8\noutput %y\n"},
    {"layout", LAST "%y = conv(%l, %w)" CONV1 " -> f32[1,6,4,4,4] pitch8\noutput %y\n"},
    {"layout", LAST "%y = relu(%l)\noutput %y\n"},
    {"layout", LAST "%e = add(%l, %x) -> f32[1,6,4,4,4] pitch8\n" END},
    {"layout", LAST "%e = transpose(%l) perm=[0,1,4,3,2] -> f32[1,6,4,4,4] pitch8\n" END},
    {"layout", LAST "%e = relu(%l) -> f32[1,6,4,4,4] block16 pitch8\n" END},
    {"layout", "%y = to_channels_last(%x)\noutput %y\n"},
    {"layout", "%y = from_channels_last(%x)\noutput %y\n"},
    {"layout", "%e = relu(%x) -> f32[1,6,4,4,4] f16\n%y = exp(%e)\noutput %y\n"},
    {"layout", "%e = relu(%m) -> f32[4,4] pitch4\n%y = exp(%e)\noutput %y\n"},
    {"layout", "%e = relu(%n) -> f64[1,6,4] pitch8\n%y = exp(%e)\noutput %y\n"},
};

#define MEMBERS(a, b, whole)                                                                                 \
    LAST "%a = relu(%l) -> f32[1,6,4,4,4] " a "\n%b = exp(%l) -> f32[1,6,4,4,4] " b                          \
         "\n%e = concat(%a, %b) axis=1 -> f32[1,12,4,4,4] " whole "\n" END
static const plan views[] = {
    {NULL, MEMBERS("pitch16 f16 in %e+0", "pitch16 f16 in %e+12", "pitch16 f16")},
    {NULL, MEMBERS("pitch16 in %e+0", "pitch16 in %e+24", "pitch16")},
    {NULL, MEMBERS("pitch8 f16", "pitch12 f16 in %e+12", "pitch12 f16")},
    {"view", MEMBERS("pitch16 f16 in %e+0", "pitch16 f16 in %e+0", "pitch16 f16")},  /* the same channels */
    {"view", MEMBERS("pitch16 f16 in %e+0", "pitch16 f16 in %e+10", "pitch16 f16")}, /* one is shared */
    {"view", MEMBERS("pitch16 f16 in %e+12", "pitch16 f16 in %e+0", "pitch16 f16")}, /* exchanged */
    {"view", MEMBERS("pitch8 f16 in %e+0", "pitch16 f16", "pitch16 f16")},           /* another pitch */
    {"view", MEMBERS("pitch16 bf16 in %e+0", "pitch16 f16", "pitch16 f16")},         /* another storage */
    {"view", MEMBERS("pitch16 f16 in %e+-2", "pitch16 f16", "pitch16 f16")},
    {"view", LAST "%a = relu(%l) -> f32[1,6,4,4,4] pitch8 f16 in %e+0\n%e = concat(%a, %l) axis=2 -> "
                  "f32[1,6,8,4,4] pitch8 f16\n" END}, /* not along C */
    {NULL, LAST "%a = exp(%l) -> f32[1,6,4,4,4] pitch8 f16\n%e = relu(%a) -> f32[1,6,4,4,4] pitch8 f16 in "
                "%a+0\n" END},
    {"view", LAST "%a = exp(%l) -> f32[1,6,4,4,4] pitch8 f16\n%e = relu(%a) -> f32[1,6,4,4,4] pitch8 bf16 "
                  "in %a+0\n" END}, /* in place, in other words */
};

static const plan runs[] = {
    {NULL, LAST_ON "%e = conv(%l, %w)" CONV1 " gpu=cudnn -> f32[1,6,4,4,4] pitch8 f16\n" END_ON},
    {NULL, LAST_ON "%e = conv_transpose(%l, %u)" UP " scratch=6144 gpu=gemm_scatter -> f32[1,6,8,8,8] pitch6 "
                   "f16\n" END_ON},
    {NULL, LAST_ON "%e = conv_transpose(%l, %v)" UP3 " gpu=dgrad -> f32[1,6,8,8,8] pitch8 f16\n" END_ON},
    {NULL, "%y = conv(%x, %w)" CONV1 " gpu=kernel\noutput %y\n"},
    {"gpu", LAST_ON "%e = conv(%l, %w)" CONV1 " -> f32[1,6,4,4,4] pitch8 f16\n" END_ON},
    {"gpu", LAST_ON "%e = relu(%l) gpu=cudnn -> f32[1,6,4,4,4] pitch8 f16\n" END_ON},
    {"gpu", LAST_ON "%e = conv(%l, %w)" CONV1 " gpu=dgrad -> f32[1,6,4,4,4] pitch8 f16\n" END_ON},
    {"gpu", LAST_ON "%e = conv_transpose(%l, %u)" UP " gpu=kernel -> f32[1,6,8,8,8] pitch8 f16\n" END_ON},
    {"gpu", LAST_ON "%e = conv_transpose(%l, %v)" UP3 " scratch=99999 gpu=gemm_scatter -> f32[1,6,8,8,8] "
                    "pitch8 f16\n" END_ON},
    {"gpu", LAST_ON "%e = conv_transpose(%l, %u)" UP " scratch=6143 gpu=gemm_scatter -> f32[1,6,8,8,8] "
                    "pitch8 f16\n" END_ON},
    {"gpu", LAST_ON "%a = conv(%x, %w)" CONV1 " gpu=cudnn -> f32[1,6,4,4,4] pitch8 f16\n"
                    "%e = add(%a, %l) gpu=kernel -> f32[1,6,4,4,4] pitch8 f16\n" END_ON}, /* reads plain */
    {"gpu", LAST_ON "%y = conv(%l, %w)" CONV1 " gpu=cudnn\noutput %y\n"},                 /* writes plain */
    {"gpu", LAST_ON "%a = conv(%l, %w)" CONV1 " gpu=cudnn -> f32[1,6,4,4,4] pitch12 f16 in %e+0\n"
                    "%e = concat(%a, %l) axis=1 gpu=kernel -> f32[1,12,4,4,4] pitch12 f16\n" END_ON},
    {"gpu", LAST_ON "%a = relu(%l) gpu=kernel -> f32[1,6,4,4,4] pitch12 f16 in %e+0\n"
                    "%b = conv(%a, %w)" CONV1 " gpu=cudnn -> f32[1,6,4,4,4] pitch8 f16\n"
                    "%e = concat(%a, %b) axis=1 gpu=kernel -> f32[1,12,4,4,4] pitch12 f16\n" END_ON},
    {NULL, LAST_ON "%a = relu(%l) gpu=kernel -> f32[1,6,4,4,4] pitch12 f16 in %e+0\n"
                   "%b = exp(%l) gpu=kernel -> f32[1,6,4,4,4] pitch12 f16 in %e+12\n"
                   "%e = concat(%a, %b) axis=1 -> f32[1,12,4,4,4] pitch12 f16\n" END_ON},
    {"gpu", LAST_ON "%a = relu(%l) gpu=kernel -> f32[1,6,4,4,4] pitch12 f16 in %e+0\n"
                    "%e = concat(%a, %l) axis=1 -> f32[1,12,4,4,4] pitch12 f16\n" END_ON}, /* who copies? */
    {"gpu", LAST_ON "%b = to_block(%x) gpu=kernel -> f32[1,6,4,4,4] block16\n%e = relu(%l) gpu=kernel -> "
                    "f32[1,6,4,4,4] pitch8 f16\n" END_ON},
};

/* ---- slabs ----------------------------------------------------------------------------------- */

static const char tall[] = "graph g\nrecompute\ninput %x f32[1,8,14,6,6]\n"
                           "const %w f32[8,8,3,3,3] random(1)\n";
/* %a 12 planes, %b 10, %e 5 of them pooled: %b 4 planes and %a 6 for 2 of %e's. */
#define SLABS(a, b, crop, pool)                                                                              \
    "%l = to_channels_last(%x) -> f32[1,8,14,6,6] pitch8 f16\n"                                              \
    "%a = conv(%l, %w)" CONV3 " stream=1x2 -> f32[1,8,12,4,4] pitch8 f16 " a "\n%b = conv(%a, %w)" CONV3     \
    " stream=1x2 -> f32[1,8,10,2,2] pitch8 f16 " b "\n%c = slice(%b) begin=[0,0," crop ",0,0] "              \
    "size=1x8x4x2x2 step=[1,1,1,1,1] stream=1x2 -> f32[1,8,4,2,2] pitch8 f16\n%e = max_pool(%b)" POOL        \
    " stream=1x2 -> f32[1,8,5,1,1] pitch8 f16 " pool "\n%z = from_channels_last(%c)\noutput %z\n" END

static const plan slabs[] = {
    {NULL, SLABS("ring6", "ring4", "3", "")},
    {NULL, SLABS("ring6", "ring9", "3", "")}, /* more than needed */
    {NULL, SLABS("", "ring4", "6", "")},      /* whole: computed once */
    {NULL, SLABS("ring6", "", "0", "")},
    {NULL, SLABS("", "", "0", "")},
    {"stream-order", SLABS("ring5", "ring4", "3", "")},
    {"stream-order", SLABS("ring6", "ring3", "3", "")},
    {"ring", SLABS("ring6", "ring4", "3", "ring2")},
};

static const plan groups[] = {
    /* a crop whose first planes are gone when the window has passed: the step of the pool skips plane 2 */
    {"stream-order",
     "graph g\nrecompute\ninput %x f32[1,8,12,4,4]\n%l = to_channels_last(%x) stream=1x1 -> f32[1,8,12,4,4] "
     "pitch8 f16 ring2\n%c = slice(%l) begin=[0,0,0,0,0] size=1x8x12x4x4 step=[1,1,1,1,1] stream=1x1 -> "
     "f32[1,8,12,4,4] pitch8 f16\n%e = max_pool(%l) kernel=2x2x2 stride=3x2x2 dilation=1x1x1 "
     "pad=[0,0,0,0,0,0] ceil=0 stream=1x1 -> f32[1,8,4,2,2] pitch8 f16\n%z = from_channels_last(%c)\n"
     "output %z\n" END},
    {"stream",
     "graph g\nrecompute\ninput %x f32[2,8,12,4,4]\n%l = to_channels_last(%x) stream=1x1 -> f32[2,8,12,4,4] "
     "pitch8 f16 ring1\n%e = relu(%l) stream=1x1 -> f32[2,8,12,4,4] pitch8 f16\n" END},
};

/* Two planes of the result at a time, of one of the operand: a quarter of the product. */
#define UP_SLABS(scratch)                                                                                    \
    "graph g\nrecompute\ninput %x f32[1,6,4,4,4]\nconst %u f32[6,6,2,2,2] random(2)\n" LAST_ON               \
    "%e = conv_transpose(%l, %u)" UP " scratch=" scratch " stream=1x2 gpu=gemm_scatter -> f32[1,6,8,8,8] "   \
    "pitch8 f16\n" END_ON
static const plan products[] = {{NULL, UP_SLABS("1536")}, {"gpu", UP_SLABS("1535")}};

/* ---- the arena ------------------------------------------------------------------------------- */

/* Members of 8 channels of 16 x 2 bytes in each of 64 voxels: 2048 bytes together. */
#define PLAN(l, whole, d)                                                                                    \
    "graph g\narena 8192\ninput %x f32[1,8,4,4,4]\n%l = to_channels_last(%x) -> f32[1,8,4,4,4] pitch8 "      \
    "f16 " l                                                                                                 \
    "\n%a = relu(%l) -> f32[1,8,4,4,4] pitch16 f16 in %e+0\n%d = exp(%l) -> f32[1,8,4,4,4] pitch8 f16 " d    \
    "\n%b = exp(%d) -> f32[1,8,4,4,4] pitch16 f16 in %e+16\n"                                                \
    "%e = concat(%a, %b) axis=1 -> f32[1,16,4,4,4] pitch16 f16 " whole "\n" END
static const plan memory[] = {
    {NULL, PLAN("arena+0", "arena+2048", "arena+1024")},
    {"memory-overlap", PLAN("arena+0", "arena+512", "arena+4096")},
    {"memory-overlap", PLAN("arena+0", "arena+2048", "arena+2048")}, /* where %b will lie, %a already does */
    {"memory-overlap", PLAN("arena+0", "arena+2048", "arena+3072")},
    {"memory-bounds", PLAN("arena+0", "arena+6208", "arena+1024")},
};

static void layouts_are_checked(void **state) {
    (void)state;
    CHECK(layouts, operands);
}
static void interleaved_members_are_checked(void **state) {
    (void)state;
    CHECK(views, operands);
}
static void what_runs_a_node_is_checked(void **state) {
    (void)state;
    CHECK(runs, operands);
}
static void slabs_are_played(void **state) {
    (void)state;
    CHECK(slabs, tall);
    CHECK(groups, "");
    CHECK(products, "");
}
static void interleaved_members_keep_all_of_their_concat(void **state) {
    (void)state;
    CHECK(memory, "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_checked),
        cmocka_unit_test(interleaved_members_are_checked),
        cmocka_unit_test(what_runs_a_node_is_checked),
        cmocka_unit_test(slabs_are_played),
        cmocka_unit_test(interleaved_members_keep_all_of_their_concat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
