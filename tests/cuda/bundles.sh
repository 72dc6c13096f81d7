#!/bin/sh
# Bundles of the CUDA target. Every model compiles to one, twice to the same bytes; small networks are built by nvcc
# with warnings and spills as errors and linked against the real cuDNN and CUDA runtime; without a GPU the program says
# so in one line. Then they run on the simulated GPU (tests/gpusim), each as another kind of device would run it: the
# self-test, the interpreter's values; and the tiny one (tiny.sh), with each call of CUDA and cuDNN failing in turn.
# Exit status 77 without nvcc or cuDNN.
#
#   sh tests/cuda/bundles.sh VOXC
#
# BUNDLES=all: three networks in three precisions, the tiny one for all GPUs that nvcc knows, every failing call.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL ISAS
voxc=$(realpath "${1:?usage: sh tests/cuda/bundles.sh VOXC}")
cuda=${CUDA:-/usr/local/cuda}
out=build/cuda/bundles
failed=0
complain() { echo "bundles: $*" && failed=$((failed + 1)); }

rm -rf "$out" && mkdir -p "$out" || exit 1
for model in models/*.yaml; do
    name=$(basename "$model" .yaml)
    for folder in one two; do
        "$voxc" compile "$model" --init 1 --target cuda --precision fp16 -o "$out/$folder" >"$out/log" 2>&1 ||
            complain "$model does not compile: $(tail -n 1 "$out/log")"
    done
    diff -r "$out/one" "$out/two" >"$out/log" || complain "$name: two compilations differ: $(head -n 1 "$out/log")"
    rm -rf "$out/one" "$out/two"
done

[ -x "$cuda/bin/nvcc" ] && [ -f "$cuda/include/cudnn.h" ] || {
    [ $failed = 0 ] || exit 1
    echo "nvcc or cuDNN is not in $cuda: the CUDA target's bundles were compiled by voxc, not built"
    exit 77
}
make -s CUDA="$cuda" gpusim || exit 1
export CUDA_HOME="$cuda" LD_LIBRARY_PATH="$PWD/build/gpusim:$cuda/lib64"
settings= # of the simulator, words
# shellcheck disable=SC2086
simulated() { timeout 300 env $settings LD_PRELOAD="$PWD/build/gpusim/libgpusim.so" "$@"; }

# build FOLDER MODEL ARCHITECTURES OPTIONS...: "ptx" is for the simulator alone
build() {
    folder=$out/$1 model=$2 archs=$3 && shift 3
    case $archs in
    ptx) target='GENCODE=-gencode arch=compute_80,code=compute_80' ;;
    '') target=CUDART=shared ;;
    *) target=CUDA_ARCHS=$archs ;;
    esac
    "$voxc" compile "$model" --init 1 -o "$folder" "$@" >"$folder.log" 2>&1 &&
        make -s -j"$(nproc)" -C "$folder" "$target" CUDART=shared CFLAGS='-O1 -Werror' \
            NVCCFLAGS='-O3 -Werror all-warnings -Xptxas -warn-spills,-Werror' >>"$folder.log" 2>&1 &&
        ! grep -q warning "$folder.log" ||
        { complain "$folder: $(grep -m 1 -e error -e warning "$folder.log" || tail -n 1 "$folder.log")" && return 1; }
}

# says STATUS TEXT COMMAND...: the exit status, and the text in the only line.
says() {
    status=$1 text=$2 got=0 && shift 2
    "$@" >"$out/said" 2>&1 || got=$?
    [ "$got" = "$status" ] && [ "$(wc -l <"$out/said")" = 1 ] && grep -q -e "$text" "$out/said" ||
        complain "$*: exit status $got, not $status, or no \"$text\": $(tail -n 1 "$out/said")"
}

# A relative RMS error that the type's rounding explains, through twenty layers.
limit() { case $1 in fp32) echo 1e-5 ;; bf16) echo 2e-2 ;; *) echo 4e-3 ;; esac; }

# NAME PRECISION SETTINGS...: a network and what the simulated GPU is like for it
network() {
    name=$1 precision=$2 bundle=$1-$2 && shift 2
    settings=$*
    archs=ptx # which the simulated GPU runs; one network is assembled, too, with spills as errors (static.sh does all kernels)
    [ "$name" != nnunet_small ] || archs=80
    build "$bundle" "models/$name.yaml" $archs --target cuda --precision "$precision" || return
    says 1 'no GPU' "$out/$bundle/$name" selftest
    says 0 '^ok: ' simulated "$out/$bundle/$name" selftest
    simulated "$voxc" verify "$out/$bundle" --max-rms "$(limit "$precision")" >"$out/said" 2>&1 ||
        complain "$bundle: $(tail -n 1 "$out/said")"
    echo "$bundle: $(tail -n 1 "$out/said")"
    settings=
}
network unet3d_small fp32 GPUSIM_REVERSE=1
network nnunet_small fp16 GPUSIM_EAGER=1
network torchio bf16 GPUSIM_DEVICE=tests/cuda/devices/h100.json
if [ "${BUNDLES:-}" = all ]; then
    network unet3d_small fp16 GPUSIM_SEED=1
    network unet3d_small bf16
    network nnunet_small fp32 GPUSIM_SEED=1
    network nnunet_small bf16
    network torchio fp32
    network torchio fp16 GPUSIM_SEED=1
    build archs tests/cuda/tiny.yaml '' --target cuda
fi

# Tiles that overlap, one by one and by launches of at most four: the same labels.
volume=$out/volume.nii
"${CC:-gcc}" -std=c11 -O1 -o "$out/volume" tests/cuda/volume.c && "$out/volume" 100 60 40 "$volume" ||
    complain 'no volume to segment'
for tiles in 1 4; do
    GPUSIM_COUNT=1 simulated "$out/nnunet_small-fp16/nnunet_small" segment "$volume" -o "$out/labels$tiles.nii" \
        --tiles "$tiles" >"$out/said" 2>&1 || complain "segment --tiles $tiles: $(tail -n 1 "$out/said")"
    runs=$(sed -n 's/.* voxels, \([0-9]*\) tiles.*/\1/p' "$out/said")
    [ "${runs:-0}" -gt 4 ] || complain "segment --tiles $tiles: ${runs:-no} tiles"
    launches=$(((${runs:-0} + tiles - 1) / tiles))
    grep -q ": $launches of cudaGraphLaunch" "$out/said" || complain "segment --tiles $tiles: not $launches launches"
done
cmp "$out/labels1.nii" "$out/labels4.nii" || complain 'several tiles per launch give other labels'

# Every operator. In fp16 an arg_max of near equals is anybody's guess, so only the self-test counts.
for precision in fp32 fp16; do
    bundle=operators-$precision
    build "$bundle" tests/cuda/operators.ir ptx --target cuda --precision $precision || continue
    says 0 '^ok: ' simulated "$out/$bundle/operators" selftest
    [ $precision = fp32 ] || continue
    simulated "$voxc" verify "$out/$bundle" --max-rms 1e-5 >"$out/said" 2>&1 ||
        complain "$bundle: $(grep -v ': ok$' "$out/said" | head -n 1)"
done

# One bundle of both targets: the host chooses where it runs.
if build both tests/cuda/tiny.yaml ptx --target c,cuda; then
    says 1 'no GPU' "$out/both/tiny" selftest --device cuda
    "$out/both/tiny" selftest 2>&1 | grep -q '^ok: ' || complain 'both: not on the CPU where there is no GPU'
    "$out/both/tiny" selftest --isa baseline 2>&1 | grep -q '^ok: .* baseline,' || complain 'both: --isa has no effect'
    simulated "$out/both/tiny" selftest 2>&1 | grep -q 'runs on .*compute capability' ||
        complain 'both: not on the GPU where there is one'
fi

# A host of its own, and everything that can fail: a line that says what, and the handle takes the next run.
sh tests/cuda/tiny.sh "$voxc" || failed=$((failed + 1))
cd build/cuda/tiny/fp32 || exit 1
preload=../../../gpusim/libgpusim.so
faults=0
# fail_each MODE STEP: every STEP-th call of those that are many, all of the others
fail_each() {
    GPUSIM_COUNT=1 LD_PRELOAD=$preload ./embed "$1" 2>&1 | sed -n 's/^gpusim: \([0-9]*\) of \(.*\)$/\2 \1/p' >calls
    while read -r call count; do
        step=1
        [ "$count" -le 4 ] || step=$2
        [ "$call" != cudnnBackendCreateDescriptor ] || step=97 # more than a thousand
        for n in $(seq 1 "$step" "$count"); do
            status=0
            got=$(timeout 60 env GPUSIM_FAIL="$call:$n" LD_PRELOAD=$preload ./embed "$1" 2>/dev/null) || status=$?
            faults=$((faults + 1))
            case $status:$got in 0:ok) ;; *'no message'*) complain "$1: $call $n fails without a message" ;; 1:*:*) ;; *) complain "$1: $call $n fails: exit status $status, $got" ;; esac
        done
    done <calls
}
if [ "${BUNDLES:-}" = all ]; then
    for mode in run many capture selftest; do fail_each $mode 1; done
else
    fail_each run 5
    fail_each many 23
fi
[ "$faults" -gt 50 ] || complain "only $faults calls could be made to fail"
echo "bundles: $faults failing calls reported; $failed complaints"
[ $failed = 0 ]
