#!/bin/sh
# `make quick`: what a change is likely to break first, in two minutes at most from a warm build: the test programs that
# build no bundle, the checks of texts, and what belongs to the folders in which something differs from the commit before
# the last. `make test` is the whole. Exit status 1 when anything failed.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL VOX_ISA
rm -rf build/test-logs && mkdir -p build/test-logs
export ISAS=avx2
grep -qw avx2 /proc/cpuinfo || unset ISAS
jobs=$(nproc)
if command -v ccache >/dev/null; then
    PATH=/usr/lib/ccache:$PATH CCACHE_DIR=${CCACHE_DIR:-$PWD/build/ccache}
    export PATH CCACHE_DIR
fi

changed=$({ git diff --name-only HEAD~1 && git ls-files --others --exclude-standard; } 2>/dev/null)
touches() { echo "$changed" | grep -qE "^($1)"; }

# Those that run for seconds, or build bundles; the kernels' tests take long to build.
long='test_alloc|test_bundle.*|test_fault.*|test_kernels.*|test_onnx_.*|test_verify|test_program|test_gpu_models|test_cli|test_volumes|test_interp'
programs=$(for source in tests/test_*.c; do basename "$source" .c; done | grep -vxE "$long")
add() { for program in "$@"; do echo "$programs" | grep -qx "$program" || programs="$program
$programs"; done; }
for test in $(echo "$changed" | sed -n 's,^tests/\(test_[a-z0-9_]*\)\.c$,\1,p'); do [ ! -f "tests/$test.c" ] || add "$test"; done
! touches runtime/cpu || add test_kernels_avx2 test_bundle_norm
! touches 'runtime/core|codegen|compiler/plan' || add test_bundle
! touches compiler/read/onnx || add test_onnx_import test_onnx_refused
! touches runtime/program || add test_program test_volumes
! touches runtime/volume || add test_surface test_score
! touches 'compiler/[a-z_]*\.c' || add test_cli
! touches ir/ || add test_interp

targets=
for program in $programs; do targets="$targets build/tests/$program"; done
! touches 'compiler/plan|ir/' || targets="$targets build/tests/fuzz_graphs"
# shellcheck disable=SC2086 # words
sh tests/step.sh build make -s -j"$jobs" $targets || exit 1
{
    ! touches 'compiler/plan|ir/' || echo 'fuzz-graphs build/tests/fuzz_graphs -n 60 -c 0 -j 1 -o build/fuzz-graphs'
    ! touches 'runtime/cuda|codegen/cuda' || echo 'cuda sh tests/cuda/tiny.sh build/voxc run selftest'
    for program in $programs; do echo "$program timeout 100 build/tests/$program"; done
    printf '%s\n' 'golden-check make golden-check' 'layers make layers' 'format-check make format-check' 'docs sh tests/docs.sh' \
        'mutants sh tests/mutants.sh --check'
} | xargs -P "$jobs" -L 1 sh tests/step.sh
cat build/test-logs/*.count | awk '{p += $1; f += $2; s += $3}
    END {printf "%d passed, %d failed, %d skipped\n", p, f, s; exit f > 0}'
