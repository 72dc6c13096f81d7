#!/bin/sh
# Everything that `make test` checks, one line per step with its time; the last line counts. Exit status 1 when
# anything failed. A step's full output stays in build/test-logs/ (tests/step.sh).
#
# The builds come first; then all else runs, as many steps at a time as there are processors, the long ones first. Many
# tests compile bundles, whose runtime is the same source each time: ccache, where it is installed, compiles it once.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL CC CFLAGS LDFLAGS BUILD VOX_ISA ISAS
logs=build/test-logs
started=$(date +%s)

sh scripts/setup.sh test || exit 1
rm -rf "$logs"
mkdir -p "$logs"
jobs=$(nproc)
if command -v ccache >/dev/null; then
    PATH=/usr/lib/ccache:$PATH CCACHE_DIR=$PWD/build/ccache
    export PATH CCACHE_DIR
fi

# Where instruction sets are not the subject, bundles are built for one: AVX2's kernels compile in a quarter of the time
# of all three. The tests of all of them unset it.
if grep -qw avx2 /proc/cpuinfo; then
    ISAS=avx2
    export ISAS
fi

step() { sh tests/step.sh "$@"; }

# suite LABEL FOLDER PROGRAM...: lines that run test programs of a build.
suite() {
    label=$1 folder=$2 && shift 2
    for program in "$@"; do echo "$label.$program env VOXC=$folder/voxc timeout 600 $folder/tests/$program"; done
}

# Lines "NAME COMMAND...", the longest steps first.
steps() {
    echo 'models sh tests/models.sh'
    echo 'networks sh tests/networks.sh'
    echo 'score-peers sh tests/volumes/score_peers.sh'
    echo 'peers-compare sh tests/peers.sh'
    echo 'resample-peers sh tests/volumes/resample_peers.sh'
    echo 'intensity-peers sh tests/volumes/intensity_peers.sh'
    echo 'fuzz-graphs build/tests/fuzz_graphs -n 300 -c 20 -j 1 -o build/fuzz-graphs'
    printf '%s\n' 'cuda-bundles sh tests/cuda/bundles.sh build/voxc' 'gpusim sh tests/gpusim.sh' \
        'cuda-kernels sh tests/cuda/kernels.sh' 'cuda-static sh tests/cuda/static.sh' 'arm sh tests/arm.sh' \
        'instructions sh tests/instructions.sh'
    # shellcheck disable=SC2086 # the lists are words
    {
        suite sanitizers build/asan $slow
        suite gcc build $slow
        printf '%s\n' 'mpi sh tests/mpi.sh' 'streams sh tests/streams.sh' 'stack sh tests/stack.sh' 'valgrind make valgrind' \
            'fuzz-replay sh tests/fuzz/replay.sh build/asan' 'tsan sh tests/tsan.sh'
        suite sanitizers build/asan $(echo "$quick" | grep -vxE "$unsanitized")
        suite gcc build $quick
    }
    for target in layers format-check golden-check; do echo "$target make $target"; done
    echo 'docs sh tests/docs.sh'
    echo 'mutants sh tests/mutants.sh --check'
    echo 'install sh tests/install.sh'
    echo 'demo sh tests/demo.sh'
    printf '%s\n' 'cuda-plans sh tests/cuda/plans.sh build' 'gpu-check sh tests/cuda/gpu-check-test.sh build/voxc'
    echo 'page sh tests/volumes/page.sh'
}

slow='test_algorithm test_bundle_onnx test_bundle_ops test_verify'
quick=$(for source in tests/test_*.c; do basename "$source" .c; done)
# Kernels of AVX-512's width are tested once, emulated where the processor has none. Sanitizers look at one of the three
# sets, which share their source: AVX2's, on a third of its random cases. What a bundle's program does for every set is
# not sanitized code.
skip=
unsanitized='test_kernels|test_kernels_avx512|test_kernels_wide|test_bundle_isa'
! grep -qw avx512vl /proc/cpuinfo || skip=test_kernels_wide
for program in $slow $skip; do quick=$(echo "$quick" | grep -vx "$program"); done

# Several steps want the simulated GPU, and would build it at the same time.
simulator=
[ ! -f "${CUDA:-/usr/local/cuda}/include/cudnn.h" ] || simulator=gpusim
# -g1: lines of a backtrace, without variables, whose tracking is a quarter of the compilers' time.
# shellcheck disable=SC2086 # a word or none
step build make -s -j"$jobs" CFLAGS='-O2 -g1' all tests $simulator SKIP="$skip" || exit 1
step peers sh scripts/peers.sh build/peers
step sanitizers-build make -s -j"$jobs" asan SKIP="$skip $(echo "$unsanitized" | tr "|" " ")"
step clang-build make -s -j"$jobs" clang SKIP="$skip"
steps | xargs -P "$jobs" -L 1 sh tests/step.sh
begun=$(steps | wc -l) ended=$(($(find "$logs" -name '*.count' | wc -l) - 4))
[ "$begun" = "$ended" ] || step all-steps sh -c "echo '$ended steps of $begun ended'; exit 1"

echo "total $(($(date +%s) - started)) s"
cat "$logs"/*.count | awk '{p += $1; f += $2; s += $3}
    END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0}'
