/* The verifier on layouts, views and memory plans: each broken invariant is reported by its name; sound plans
 * pass. */
#include "plan_verify.h"
#include "verify_lib.h"

#define CONV1 " kernel=1x1x1 stride=1x1x1 dilation=1x1x1 pad=[0,0,0,0,0,0] group=1"
/* 32 channels of 4x4x4: 8192 bytes; 16 channels: 4096 */
static const char *const operands = "graph g\n"
                                    "input %x f32[1,16,4,4,4]\n"
                                    "input %x3 f32[1,3,4,4,4]\n"
                                    "input %n2 f32[2,16,4,4,4]\n"
                                    "const %w f32[16,16,1,1,1] opaque\n"
                                    "const %w3 f32[8,16,1,1,1] opaque\n";

static const plan layouts[] = {
    {NULL, "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%b = relu(%a) -> f32[1,16,4,4,4] block16\n"
           "%y = from_block(%b)\noutput %y\n"},
    {NULL, "%a = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] block16\n%y = conv(%a, %w)" CONV1 "\noutput %y\n"},
    {NULL, "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%y = arg_max(%a) axis=1 keepdims=1 "
           "select_last=0\noutput %y\n"},
    {"layout", "%y = to_block(%x)\noutput %y\n"},
    {"layout", "%y = from_block(%x)\noutput %y\n"},
    {"layout", "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%b = to_block(%a) -> f32[1,16,4,4,4] block16\n"
               "%y = from_block(%b)\noutput %y\n"},
    {"layout",
     "%a = transpose(%x) perm=[0,1,2,3,4] -> f32[1,16,4,4,4] block16\n%y = from_block(%a)\noutput %y\n"},
    {"layout", "%y = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] block16\noutput %y\n"},
    {"layout", "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%y = relu(%a)\noutput %y\n"},
    {"layout", "%a = relu(%x) -> f32[1,16,4,4,4] block16\n%y = from_block(%a)\noutput %y\n"},
    {"layout", "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%y = add(%a, %x)\noutput %y\n"},
    {"layout", "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%y = reshape(%a) shape=[16,64]\noutput %y\n"},
    {"layout", "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%y = concat(%a, %x) axis=1\noutput %y\n"},
    {"layout",
     "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%y = reduce_sum(%a) axes=[1] keepdims=0\noutput %y\n"},
    {"layout",
     "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%y = conv(%x, %w, _, _, %a)" CONV1 "\noutput %y\n"},
    {NULL, "%a = to_block(%x) -> f32[1,16,4,4,4] block16\n%b = conv(%x, %w, _, _, %a)" CONV1
           " -> f32[1,16,4,4,4] block16\n%y = from_block(%b)\noutput %y\n"},
    {"layout", "%a = shape(%x) -> i64[5] block16\n%y = cast(%a) to=f32\noutput %y\n"},
};

#define TWO(a, b, c)                                                                                         \
    "%a = relu(%x) -> f32[1,16,4,4,4] " a "\n%b = exp(%x) -> f32[1,16,4,4,4] " b                             \
    "\n%c = concat(%a, %b) axis=1 -> f32[1,32,4,4,4] " c "\n%y = relu(%c)\noutput %y\n"
static const plan views[] = {
    {NULL, TWO("in %c+0", "in %c+4096", "")},
    {NULL, TWO("", "in %c+4096", "")},
    {"view", TWO("in %c+64", "in %c+4096", "")},
    {"view", TWO("in %c+0", "in %c+0", "")},
    {"view", TWO("in %c+0", "in %c+4160", "")},
    {"view", TWO("in %c+-64", "", "")},
    {"view", TWO("in %a+0", "", "")},
    {"view", TWO("in %b+0", "in %a+0", "")},
    {"view", TWO("in %y+0", "", "")},
    {"view", TWO("", "", "in %x+0")},
    /* blocked members: whole blocks only */
    {NULL, "%a = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] block16 in %c+0\n"
           "%b = conv(%x, %w3)" CONV1 " -> f32[1,8,4,4,4] block16 in %c+4096\n"
           "%c = concat(%a, %b) axis=1 -> f32[1,24,4,4,4] block16\n%y = from_block(%c)\noutput %y\n"},
    {"view", "%a = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] block16 in %c+2048\n"
             "%b = conv(%x, %w3)" CONV1 " -> f32[1,8,4,4,4] block16\n"
             "%c = concat(%b, %a) axis=1 -> f32[1,24,4,4,4] block16\n%y = from_block(%c)\noutput %y\n"},
    /* a member must be one piece: a batch of two is not */
    {"view",
     "%a = relu(%n2) -> f32[2,16,4,4,4] in %c+0\n%c = concat(%a, %n2) axis=1\n%y = relu(%c)\noutput %y\n"},
    {NULL,
     "%a = relu(%n2) -> f32[2,16,4,4,4] in %c+8192\n%c = concat(%n2, %a) axis=0\n%y = relu(%c)\noutput %y\n"},
    /* plain members behind 3 channels of 4x4x4: 768 bytes, aligned; behind 3 of 3x3x3: not */
    {"view",
     "%s = slice(%x3) begin=[0,0,0,0,0] size=1x3x3x3x3 step=[1,1,1,1,1]\n"
     "%a = relu(%s) -> f32[1,3,3,3,3] in %c+324\n%c = concat(%s, %a) axis=1\n%y = relu(%c)\noutput %y\n"},
    /* reshapes, either way, and of an input */
    {NULL, "%a = relu(%x)\n%r = reshape(%a) shape=[16,64] -> f32[16,64] in %a+0\n%y = relu(%r)\noutput %y\n"},
    {NULL, "%a = relu(%x) -> f32[1,16,4,4,4] in %y+0\n%y = reshape(%a) shape=[16,64]\noutput %y\n"},
    {NULL, "%r = reshape(%x) shape=[16,64] -> f32[16,64] in %x+0\n%y = relu(%r)\noutput %y\n"},
    {"view",
     "%a = relu(%x)\n%r = reshape(%a) shape=[16,64] -> f32[16,64] in %a+64\n%y = relu(%r)\noutput %y\n"},
    /* in place */
    {NULL, "%a = exp(%x)\n%b = relu(%a) -> f32[1,16,4,4,4] in %a+0\n%y = relu(%b)\noutput %y\n"},
    {NULL, "%a = exp(%x) -> f32[1,16,4,4,4] in %b+0\n%b = relu(%a)\n%y = relu(%b)\noutput %y\n"},
    {"view", "%b = relu(%x) -> f32[1,16,4,4,4] in %x+0\n%y = relu(%b)\noutput %y\n"},
    {"view", "%a = exp(%x)\n%b = add(%x, %a) -> f32[1,16,4,4,4] in %a+0\n%y = relu(%b)\noutput %y\n"},
    {"view", "%a = exp(%x)\n%y = relu(%a) -> f32[1,16,4,4,4] in %a+0\noutput %y\n"},
    {"memory-in-place",
     "%a = exp(%x)\n%b = relu(%a) -> f32[1,16,4,4,4] in %a+0\n%y = add(%b, %a)\noutput %y\n"},
    {"memory-in-place",
     "%a = exp(%x)\n%b = relu(%a) -> f32[1,16,4,4,4] in %a+0\n"
     "%r = reshape(%a) shape=[16,64] -> f32[16,64] in %a+0\n%t = exp(%b)\n%y = relu(%r)\noutput %y\n"},
    {NULL,
     TWO("in %c+0", "in %c+4096", "") "%o = relu(%a) -> f32[1,16,4,4,4] in %a+0\n%p = relu(%o)\noutput %p\n"},
    {"memory-in-place",
     TWO("in %c+0", "in %c+4096",
         "") "%o = relu(%a) -> f32[1,16,4,4,4] in %a+0\n%p = relu(%o)\n%q = exp(%c)\noutput %p\noutput %q\n"},
    {"memory-in-place",
     "%y = exp(%x)\n%b = relu(%y) -> f32[1,16,4,4,4] in %y+0\n%z = exp(%b)\noutput %y\noutput %z\n"},
    /* a member that was itself made in place */
    {NULL,
     "%a = exp(%x) -> f32[1,16,4,4,4] in %c+0\n%t = exp(%x) -> f32[1,16,4,4,4] in %b+0\n"
     "%b = relu(%t) -> f32[1,16,4,4,4] in %c+4096\n%c = concat(%a, %b) axis=1\n%y = relu(%c)\noutput %y\n"},
};

#define CONV3    " kernel=3x3x3 stride=1x1x1 dilation=1x1x1 pad=[1,1,1,1,1,1] group=1"
#define HALF     " kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0"
#define WINOGRAD " way=winograd tile=4x4x4 batch=1"
#define POOLED(winograd, joined, other)                                                                      \
    "const %w2 f32[16,16,3,3,3] opaque\n%k = to_block(%x) -> f32[1,16,4,4,4] block16\n"                      \
    "%a = conv(%k, %w2)" CONV3 winograd " -> f32[1,16,4,4,4] block16\n"                                      \
    "%p = max_pool(%a)" HALF joined " -> f32[1,16,2,2,2] block16\n"                                          \
    "%q = max_pool(%a)" HALF other " -> f32[1,16,2,2,2] block16\n%c = from_block(%a)\n%y = add(%c, %x)\n"    \
    "%d = from_block(%p)\n%e = from_block(%q)\n%z = add(%d, %e)\noutput %y\noutput %z\n"
static const plan joins[] = {
    {NULL, POOLED(WINOGRAD, " joined=1", "")},
    {"joined", POOLED("", " joined=1", "")},
    {"way", POOLED(" way=quick", "", "")},
    {"way", POOLED(" way=direct tile=4x4x4", "", "")},
    {"way", POOLED(" way=direct batch=1", "", "")},
    {"way", POOLED(" way=direct whole", "", "")},
    {"way", POOLED(" way=direct_few", "", "")},
    {"way", POOLED(" way=winograd tile=4x4x4 batch=0", "", "")},
    {"way", POOLED(" way=winograd tile=4x4x4 batch=129", "", "")},
    {"way", POOLED(" way=winograd tile=4x4x3 batch=1", "", "")},
    {"way", POOLED(" way=winograd tile=4x4x4 batch=1 whole", "", "")},
    {NULL, POOLED(" way=deep tile=4x2x4 batch=1 whole", "", "")},
    {"way", POOLED(" way=deep tile=4x2x4 batch=1", "", "")},
    {"way", POOLED(" way=few tile=4x4x1 batch=1", "", "")},
    {"way", POOLED(" tile=4x4x4", "", "")},
    {"way", POOLED(" batch=1", "", "")},
    {"way", POOLED(" whole", "", "")},
    {"way", "%y = relu(%x) way=direct\noutput %y\n"},
    {"joined", POOLED(WINOGRAD, " joined=1", " joined=1")},
    {"joined", POOLED(WINOGRAD, " joined=1 scratch=64", "")},
    {"joined", "%y = relu(%x) joined=1\noutput %y\n"},
};

/* a: 4096 bytes, nodes 0 to 1; b: nodes 1 to 2; c: nodes 2 to 3 */
#define CHAIN(arena, a, b, c)                                                                                \
    "arena " arena "\n%a = exp(%x) -> f32[1,16,4,4,4] " a "\n%b = conv(%a, %w)" CONV1                        \
    " -> f32[1,16,4,4,4] " b "\n%c = relu(%b) -> f32[1,16,4,4,4] " c "\n%y = relu(%c)\noutput %y\n"
#define SKIP(arena, a, b, c, d)                                                                              \
    "arena " arena "\n%a = exp(%x) -> f32[1,16,4,4,4] " a "\n%b = log(%a) -> f32[1,16,4,4,4] " b             \
    "\n%c = concat(%a, %b) axis=1 -> f32[1,32,4,4,4] " c "\n%d = exp(%c) -> f32[1,32,4,4,4] " d              \
    "\n%y = relu(%d)\noutput %y\n"
static const plan plans[] = {
    {NULL, CHAIN("12288", "arena+0", "arena+4096", "arena+8192")},
    {NULL, CHAIN("8192", "arena+0", "arena+4096", "arena+0")},
    {NULL, CHAIN("8192", "arena+0", "arena+4096", "in %b+0")},
    {NULL, CHAIN("8192", "arena+0", "arena+4096", "arena+4096 in %b+0")},
    {NULL, SKIP("16384", "in %c+0", "in %c+4096", "arena+8192", "arena+0")},
    {NULL, SKIP("16384", "arena+0 in %c+0", "in %c+4096", "arena+0", "arena+8192")},
    {"memory-overlap", CHAIN("8192", "arena+0", "arena+0", "arena+4096")},
    {"memory-overlap", CHAIN("16384", "arena+0", "arena+64", "arena+8192")},
    {"memory-overlap", CHAIN("8192", "arena+0", "arena+4096", "arena+4096")},
    {"memory-overlap", CHAIN("12288", "arena+0", "arena+4032", "arena+8192")},
    {"memory-overlap", SKIP("16384", "in %c+0", "in %c+4096", "arena+0", "arena+8128")},
    {"memory-overlap", SKIP("20480", "arena+8192", "arena+12288", "arena+0", "arena+0")},
    {"memory-overlap", SKIP("16384", "arena+0", "arena+0", "arena+8192", "arena+0")},
    /* the skip is alive from the first member on */
    {"memory-overlap", SKIP("16384", "arena+4096", "in %c+4096", "arena+0", "arena+8192")},
    {"memory-overlap", "arena 16384\n%a = exp(%x) -> f32[1,16,4,4,4] in %c+0\n"
                       "%t = exp(%x) -> f32[1,16,4,4,4] arena+0\n%u = exp(%t) -> f32[1,16,4,4,4] arena+8192\n"
                       "%c = concat(%a, %u) axis=1 -> f32[1,32,4,4,4] arena+0\n%y = relu(%c)\noutput %y\n"},
    /* a reshape keeps its operand's memory in use */
    {"memory-overlap",
     "arena 16384\n%a = exp(%x) -> f32[1,16,4,4,4] arena+0\n"
     "%r = reshape(%a) shape=[16,64] -> f32[16,64] in %a+0\n"
     "%t = exp(%x) -> f32[1,16,4,4,4] arena+0\n%y = relu(%t)\n%z = relu(%r)\noutput %y\noutput %z\n"},
    {"memory-bounds", CHAIN("8192", "arena+0", "arena+4096", "arena+8192")},
    {"memory-bounds", CHAIN("4095", "arena+0", "arena+0", "arena+0")},
    {"memory-align", CHAIN("16384", "arena+32", "arena+8192", "arena+12288")},
    {"memory-place", CHAIN("16384", "arena+0", "arena+4096", "")},
    {"memory-place", CHAIN("16384", "arena+0", "arena+4096", "arena+0 in %b+0")},
    {"memory-place", "%a = relu(%x) -> f32[1,16,4,4,4] arena+0\n%y = relu(%a)\noutput %y\n"},
    {"memory-place", "arena 8192\n%a = relu(%x) -> f32[1,16,4,4,4] arena+0\n%y = relu(%a) -> f32[1,16,4,4,4] "
                     "arena+4096\noutput %y\n"},
};

/* a waits beside the place of b in c (b: arena+0, a: arena+4096) while t and u are computed */
#define WAIT(arena, t, u)                                                                                    \
    "arena " arena "\n%a = exp(%x) -> f32[1,16,4,4,4] in %c+4096\n%t = log(%a) -> f32[1,16,4,4,4] " t        \
    "\n%u = exp(%t) -> f32[1,16,4,4,4] " u "\n%b = log(%u) -> f32[1,16,4,4,4] in %c+0\n"                     \
    "%c = concat(%b, %a) axis=1 -> f32[1,32,4,4,4] arena+0\n%y = relu(%c)\noutput %y\n"
/* the same inside an outer concat: d: arena+0, b: arena+4096, a: arena+8192 */
#define NESTED(arena, t, u, e)                                                                               \
    "arena " arena "\n%a = exp(%x) -> f32[1,16,4,4,4] in %c+4096\n%t = log(%a) -> f32[1,16,4,4,4] " t        \
    "\n%b = log(%t) -> f32[1,16,4,4,4] in %c+0\n%c = concat(%b, %a) axis=1 -> f32[1,32,4,4,4] in %o+4096\n"  \
    "%u = exp(%c) -> f32[1,32,4,4,4] " u "\n%e = slice(%u) begin=[0,0,0,0,0] size=1x16x4x4x4 "               \
    "step=[1,1,1,1,1] -> f32[1,16,4,4,4] " e "\n%d = exp(%e) -> f32[1,16,4,4,4] in %o+0\n"                   \
    "%o = concat(%d, %c) axis=1 -> f32[1,48,4,4,4] arena+0\n%y = relu(%o)\noutput %y\n"
/* x is copied into c by the concat itself */
#define COPIED(arena, t)                                                                                     \
    "arena " arena "\n%t = exp(%x) -> f32[1,16,4,4,4] " t "\n%a = log(%t) -> f32[1,16,4,4,4] in %c+4096\n"   \
    "%c = concat(%x, %a) axis=1 -> f32[1,32,4,4,4] arena+0\n%y = relu(%c)\noutput %y\n"
static const plan pieces[] = {
    {NULL, WAIT("12288", "arena+0", "arena+8192")},
    {NULL, WAIT("16384", "arena+8192", "arena+12288")},
    {"memory-overlap", WAIT("12288", "arena+4096", "arena+8192")}, /* a is in use */
    {"memory-overlap", WAIT("12288", "arena+4032", "arena+8192")},
    {"memory-overlap", WAIT("12288", "arena+8192", "arena+0")}, /* b is written where u is read */
    {"memory-overlap", WAIT("12288", "arena+64", "arena+4096")},
    {NULL, NESTED("24576", "arena+0", "arena+16384", "arena+12288")},
    {NULL, NESTED("24576", "arena+0", "arena+12288", "arena+20480")},
    {"memory-overlap", NESTED("20480", "arena+4096", "arena+12288", "arena+12288")}, /* t on b */
    {"memory-overlap", NESTED("20480", "arena+0", "arena+8192", "arena+16384")},     /* u on a */
    {"memory-overlap", NESTED("20480", "arena+0", "arena+12288", "arena+0")},        /* e on d */
    {NULL, COPIED("8192", "arena+0")},
    {"memory-overlap", COPIED("8192", "arena+4096")},
};

#define SCRATCH(arena, size, place, b)                                                                       \
    "arena " arena "\n%a = exp(%x) -> f32[1,16,4,4,4] arena+0\n%b = conv(%a, %w)" CONV1 " scratch=" size     \
    " -> f32[1,16,4,4,4] arena+4096 " place "\n%c = relu(%b) -> f32[1,16,4,4,4] arena+8192\n"                \
    "%y = conv(%c, %w)" CONV1 " scratch=64 -> f32[1,16,4,4,4] " b "\noutput %y\n"
static const plan scratches[] = {
    {NULL, SCRATCH("12288", "4096", "scratch+8192", "scratch+0")},
    {NULL, SCRATCH("12288", "4095", "scratch+8192", "scratch+8128")},
    {"memory-overlap", SCRATCH("12288", "64", "scratch+0", "scratch+0")},    /* the operand */
    {"memory-overlap", SCRATCH("12288", "64", "scratch+8128", "scratch+0")}, /* the result */
    {"memory-overlap", SCRATCH("12288", "65", "scratch+8192", "scratch+8192")},
    {"memory-bounds", SCRATCH("12288", "4097", "scratch+8192", "scratch+0")},
    {"memory-bounds", SCRATCH("12288", "4611686018427387904", "scratch+8192", "scratch+0")},
    {"memory-align", SCRATCH("12320", "4096", "scratch+8224", "scratch+0")},
    {"memory-place", SCRATCH("12288", "4096", "", "scratch+0")},
    {"memory-place", "%y = exp(%x) scratch=64 -> f32[1,16,4,4,4] scratch+0\noutput %y\n"},
    {"scratch", "arena 64\n%y = exp(%x) -> f32[1,16,4,4,4] scratch+0\noutput %y\n"},
    {NULL, "%y = exp(%x) scratch=100 -> f32[1,16,4,4,4]\noutput %y\n"},
};

#define POOL "kernel=2x2x2 stride=2x2x2 dilation=1x1x1 pad=[0,0,0,0,0,0] ceil=0"
#define CROP "begin=[0,0,1,1,1] size=1x16x2x2x2 step=[1,1,1,1,1]"
/* a: 4096 bytes, read by the conv whose pooled and cropped values (512 bytes each) alone are stored */
#define FUSED(arena, p, s)                                                                                   \
    "arena " arena "\n%a = exp(%x) -> f32[1,16,4,4,4] arena+0\n%f = conv(%a, %w)" CONV1                      \
    " -> f32[1,16,4,4,4] fused\n%p = max_pool(%f) " POOL " -> f32[1,16,2,2,2] " p "\n%t = exp(%p)\n%s = "    \
    "slice(%f) " CROP " -> f32[1,16,2,2,2] " s "\n%y = add(%p, %s)\noutput %y\noutput %t\n"
static const plan fused[] = {
    {NULL, FUSED("5120", "arena+4096", "arena+4608")},
    {"memory-overlap", FUSED("5120", "arena+0", "arena+4608")}, /* written while the conv reads a */
    {"memory-overlap", FUSED("5120", "arena+4096", "arena+0")},
    {"memory-overlap", FUSED("5120", "arena+4096", "arena+4096")},
    {NULL, "%f = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] block16 fused\n%p = max_pool(%f) " POOL
           " -> f32[1,16,2,2,2] block16\n%y = from_block(%p)\noutput %y\n"},
    {NULL, "%f = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] fused\n%y = slice(%f) " CROP "\noutput %y\n"},
    {"fused", "%f = exp(%x) -> f32[1,16,4,4,4] fused\n%y = max_pool(%f) " POOL "\noutput %y\n"},
    {"fused", "%f = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] fused\n%y = relu(%f)\noutput %y\n"},
    {"fused", "%f = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] fused\n%y = add(%x, %f)\noutput %y\n"},
    {"fused",
     "%f = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] fused\n%y = slice(%f) " CROP "\noutput %y\noutput %f\n"},
    {"fused", "%f = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] fused\n%y = exp(%x)\noutput %y\n"},
    {"fused",
     "%f = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] fused\n%y = slice(%f) " CROP " scratch=64\noutput %y\n"},
    {"fused", "arena 4096\n%f = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] fused arena+0\n%y = slice(%f) " CROP
              "\noutput %y\n"},
    {"fused", "%a = exp(%x) -> f32[1,16,4,4,4] in %c+0\n%f = conv(%x, %w)" CONV1
              " -> f32[1,16,4,4,4] fused in %c+4096\n%c = concat(%a, %f) axis=1\n%y = relu(%c)\noutput %y\n"},
    {"fused", "%f = conv(%x, %w)" CONV1
              " -> f32[1,16,4,4,4] fused\n%r = reshape(%f) shape=[16,64] -> f32[16,64] in %f+0\n"
              "%y = relu(%r)\noutput %y\n"},
};

/* The order in which tensors were made must not matter. */
static void turn_tensors_around(ir_graph *g) {
    for (int i = 0, k = g->n_tensors - 1; i < k; i++, k--) {
        ir_tensor *t = g->tensors[i];
        g->tensors[i] = g->tensors[k];
        g->tensors[k] = t;
    }
}

static void check(const plan *p) {
    char *text = test_format("%s%s", operands, p->text);
    ir_graph *g = parse(text);
    for (int turn = 0; turn < 2; turn++) {
        if (p->broken)
            expect_broken(g, p->broken, p->text);
        else
            expect_sound(g);
        turn_tensors_around(g);
    }
    ir_graph_free(g);
    free(text);
}

static void layouts_are_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) check(&layouts[i]);
}

static void joined_pools_are_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++) check(&joins[i]);
}

static void views_are_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof views / sizeof *views; i++) check(&views[i]);
}

static void plans_are_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++) check(&plans[i]);
}

/* a: 4096 bytes; the sums, 256 bytes, are in use from a on, b needs a in the place of n */
#define GATHERED "%t = norm_terms(%a, %s, %s) eps=1 gathered scratch=256 -> f32[1,3,16] "
#define NORMS(arena, a, t, sums, k)                                                                          \
    "const %s f32[16] random(1)\narena " arena "\n%a = conv(%x, %w)" CONV1 " -> f32[1,16,4,4,4] block16 " a  \
    "\n" GATHERED t " " sums                                                                                 \
    "\n%n = normalise(%a, %t) -> f32[1,16,4,4,4] block16 on_load\n%b = conv(%n, %w)" CONV1                   \
    " -> f32[1,16,4,4,4] block16 " k "\n%y = from_block(%b)\noutput %y\n"
#define LOAD                                                                                                 \
    "const %s f32[16] random(1)\n%a = conv(%x, %w)" CONV1                                                    \
    " -> f32[1,16,4,4,4] block16\n%t = norm_terms(%a, %s, %s) eps=1"
static const plan norms[] = {
    {NULL, NORMS("8640", "arena+0", "arena+4096", "scratch+4288", "arena+4544")},
    {NULL, NORMS("8640", "arena+0", "arena+4096", "scratch+4544", "arena+4544")},          /* b comes later */
    {"memory-overlap", NORMS("8640", "arena+0", "arena+4096", "scratch+0", "arena+4544")}, /* a writes both */
    {"memory-overlap", NORMS("8640", "arena+0", "arena+4096", "scratch+4288", "arena+0")}, /* b reads a */
    {"memory-overlap", NORMS("8640", "arena+0", "arena+4544", "scratch+4288", "arena+4544")}, /* and t */
    {"gathered", "const %s f32[16] random(1)\n%a = exp(%x)\n" GATHERED "\n%y = exp(%t)\noutput %y\n"},
    {"gathered",
     "const %s f32[16] random(1)\n%a = conv(%x, %w)" CONV1 "\n" GATHERED "\n%y = exp(%t)\noutput %y\n"},
    {"gathered", LOAD " gathered\n%y = exp(%t)\noutput %y\n"},
    {"gathered", LOAD " gathered scratch=256\n%u = norm_terms(%a, %s, %s) eps=2 gathered scratch=256\n"
                      "%y = add(%t, %u)\noutput %y\n"},
    {"on-load", LOAD "\n%n = normalise(%a, %t) -> f32[1,16,4,4,4] block16 on_load\n%b = exp(%n) -> "
                     "f32[1,16,4,4,4] block16\n%y = from_block(%b)\noutput %y\n"},
    {"on-load", LOAD "\n%n = exp(%a) -> f32[1,16,4,4,4] block16 on_load\n%b = conv(%n, %w)" CONV1
                     " -> f32[1,16,4,4,4] block16\n%y = from_block(%b)\noutput %y\n"},
};
static void norms_in_convs_are_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof norms / sizeof *norms; i++) check(&norms[i]);
}

static void members_of_a_concat_have_lifetimes_of_their_own(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) check(&pieces[i]);
}

static void scratch_memory_is_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof scratches / sizeof *scratches; i++) check(&scratches[i]);
}

static void fused_values_are_checked(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof fused / sizeof *fused; i++) check(&fused[i]);
}

/* Any single shift of an offset in a tight plan must be noticed. */
static void every_shift_of_a_tight_plan_is_noticed(void **state) {
    (void)state;
    ir_graph *g =
        parse("graph g\narena 16384\ninput %x f32[1,16,4,4,4]\n"
              "%a = exp(%x) -> f32[1,16,4,4,4] arena+0\n%b = log(%x) -> f32[1,16,4,4,4] arena+4096\n"
              "%c = exp(%x) -> f32[1,16,4,4,4] arena+8192\n%d = log(%x) -> f32[1,16,4,4,4] arena+12288\n"
              "%y = concat(%a, %b, %c, %d) axis=1\noutput %y\n");
    expect_sound(g);
    for (int i = 0; i < 4; i++)
        for (int64_t at = -64; at <= 16384; at += 32) {
            int64_t home = g->nodes[i]->out[0]->memory.arena_offset;
            if (at == home) continue;
            ir_diag d = {0};
            g->nodes[i]->out[0]->memory.arena_offset = at;
            if (plan_verify(g, &d)) fail_msg("tensor %d at %lld is not noticed", i, (long long)at);
            g->nodes[i]->out[0]->memory.arena_offset = home;
        }
    ir_graph_free(g);
}

/* Likewise where memory is shared in time: the concat's members, what lies in b's place, and scratch. */
static void every_shift_of_a_tight_plan_of_pieces_is_noticed(void **state) {
    (void)state;
    char *text =
        test_format("%s%s", operands,
                    "arena 12288\n%a = exp(%x) -> f32[1,16,4,4,4] in %c+4096\n"
                    "%t = conv(%a, %w)" CONV1 " scratch=4096 -> f32[1,16,4,4,4] arena+0 scratch+8192\n"
                    "%u = exp(%t) -> f32[1,16,4,4,4] arena+8192\n%b = log(%u) -> f32[1,16,4,4,4] in %c+0\n"
                    "%c = concat(%b, %a) axis=1 -> f32[1,32,4,4,4] arena+0\n%y = relu(%c)\noutput %y\n");
    ir_graph *g = parse(text);
    expect_sound(g);
    int64_t *const offsets[] = {
        &ir_find_tensor(g, "t")->memory.arena_offset, &ir_find_tensor(g, "u")->memory.arena_offset,
        &ir_find_tensor(g, "c")->memory.arena_offset, &g->nodes[1]->memory.scratch_offset};
    for (int i = 0; i < 4; i++)
        for (int64_t at = -64, home = *offsets[i]; at <= 12288; at += 32, *offsets[i] = home) {
            ir_diag d = {0};
            *offsets[i] = at;
            if (at != home && plan_verify(g, &d))
                fail_msg("offset %d at %lld is not noticed", i, (long long)at);
        }
    ir_graph_free(g);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layouts_are_checked),
        cmocka_unit_test(joined_pools_are_checked),
        cmocka_unit_test(views_are_checked),
        cmocka_unit_test(plans_are_checked),
        cmocka_unit_test(members_of_a_concat_have_lifetimes_of_their_own),
        cmocka_unit_test(scratch_memory_is_checked),
        cmocka_unit_test(fused_values_are_checked),
        cmocka_unit_test(norms_in_convs_are_checked),
        cmocka_unit_test(every_shift_of_a_tight_plan_is_noticed),
        cmocka_unit_test(every_shift_of_a_tight_plan_of_pieces_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
