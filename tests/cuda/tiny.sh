#!/bin/sh
# The smallest bundle of the CUDA target, from a host of its own (embed.c), on the simulated GPU: several handles and
# GPUs, the caller's memory, streams, captures and errors, measured plans, the self-test. What comes out must be what
# plain loops (tiny_reference.h) and the interpreter compute, whatever the order in which the simulated GPU does its
# work. Exit status 77 without nvcc or cuDNN.
#
#   sh tests/cuda/tiny.sh VOXC [MODE...]      only these modes of embed.c; "measured": the plan cache
#
# Leaves the bundles and their hosts in build/cuda/tiny for bundles.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
voxc=$(realpath "${1:?usage: sh tests/cuda/tiny.sh VOXC}")
cuda=${CUDA:-/usr/local/cuda}
out=$PWD/build/cuda/tiny
shift
failed=0
complain() { echo "tiny: $*" && failed=$((failed + 1)); }

[ -x "$cuda/bin/nvcc" ] && [ -f "$cuda/include/cudnn.h" ] || {
    echo "nvcc or cuDNN is not in $cuda"
    exit 77
}
make -s CUDA="$cuda" gpusim || exit 1
# What has been compiled before is remembered.
nvcc=$cuda/bin/nvcc
! command -v ccache >/dev/null || nvcc="ccache $nvcc"
export CUDA_HOME="$cuda" LD_LIBRARY_PATH="$PWD/build/gpusim:$cuda/lib64"
library=$PWD/build/gpusim/libgpusim.so

library_only=
[ $# = 0 ] || library_only=lib # the hosts need no program
rm -rf "$out" && mkdir -p "$out" || exit 1
for precision in fp32 fp16; do
    folder=$out/$precision
    "$voxc" compile tests/cuda/tiny.yaml --init 1 --target cuda --precision $precision -o "$folder" >"$folder.log" 2>&1 &&
        make -s -j"$(nproc)" -C "$folder" $library_only 'GENCODE=-gencode arch=compute_80,code=compute_80' CUDART=shared \
            NVCC="$nvcc" CFLAGS='-O1 -Wall -Wextra -Werror' NVCCFLAGS='-O3 -Werror all-warnings' >>"$folder.log" 2>&1 &&
        "${CC:-gcc}" -std=c11 -Wall -Wextra -Werror -O1 -I"$folder" -I"$folder/runtime" -isystem "$cuda/include" tests/cuda/embed.c -o "$folder/embed" \
            -L"$folder" -ltiny -L"$cuda/lib64" -lcudnn -lcudart -lstdc++ -lm -lpthread >>"$folder.log" 2>&1 || {
        complain "$precision: $(grep -m 1 -e error -e warning "$folder.log" || tail -n 1 "$folder.log")"
        exit 1
    }
done

# runs PRECISION SETTINGS MODE [SOURCE]: the settings of the simulator are words.
runs() {
    precision=$1 settings=$2 && shift 2
    # shellcheck disable=SC2086
    got=$(cd "$out/$precision" && timeout 60 env GPUSIM_DEVICES=2 $settings LD_PRELOAD="$library" ./embed "$@" 2>&1) ||
        complain "$precision $settings embed $*: $got"
}

# fails CALL MODE TEXT: where the call fails, so does the mode, and says at what.
fails() {
    rm -f "$out/fp32/tiny.plans"
    got=$(cd "$out/fp32" && timeout 60 env GPUSIM_FAIL="$1" LD_PRELOAD="$library" ./embed "$2" 2>/dev/null) &&
        complain "embed $2 does not fail with $1"
    case $got in *"$3"*) ;; *) complain "embed $2, $1: $got" ;; esac
}

measured() {
    runs fp32 '' choose
    runs fp32 '' tune tuned # what was not measured does not count
    runs fp32 '' tune cache
    fails cudaStreamSynchronize:2 tune 'measuring the plans'
}

# What a mode finds must not depend on when a device does its work, nor on which device it is: each mode meets the
# lazy one and a random one, and the others in turns.
turn=0
devices=$PWD/tests/cuda/devices
in_turns() {
    runs fp32 '' "$1"
    runs fp32 GPUSIM_SEED=1 "$1"
    turn=$((turn % 6 + 1))
    case $turn in
    1) runs fp32 GPUSIM_EAGER=1 "$1" ;;
    2) runs fp32 GPUSIM_REVERSE=1 "$1" ;;
    3) runs fp32 "GPUSIM_DEVICE=$devices/h100.json" "$1" ;;
    4) runs fp32 'GPUSIM_SEED=2 GPUSIM_REVERSE=1' "$1" ;;
    5) runs fp32 GPUSIM_SEED=3 "$1" ;;
    6) runs fp32 "GPUSIM_DEVICE=$devices/l4.json" "$1" ;;
    esac
}

for mode in "$@"; do
    case $mode in
    measured) measured ;;
    *) in_turns "$mode" && runs fp16 GPUSIM_SEED=1 "$mode" ;;
    esac
done
if [ $# = 0 ]; then
    for mode in run steps two many tiles arena wanted capture stale wrong nulls nan range selftest; do in_turns $mode; done
    for seed in 4 5 6; do runs fp32 GPUSIM_SEED=$seed many; done
    for mode in run range nan selftest; do runs fp16 GPUSIM_SEED=1 $mode; done
    measured
    fails cudaStreamSynchronize:1 run 'copying the weights'
    env LD_PRELOAD="$library" "$voxc" verify "$out/fp32" --max-rms 1e-5 >"$out/verify.log" 2>&1 ||
        complain "the interpreter: $(tail -n 1 "$out/verify.log")"
fi

[ $failed = 0 ] && echo 'the tiny bundle runs in every order'
