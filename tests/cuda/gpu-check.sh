#!/bin/sh
# Everything about the CUDA target that only a GPU can tell, in one report. Needs nvcc, cuDNN 9, make, a C compiler and
# python3, but no network; stops starting new work after GPU_CHECK_SECONDS (540).
#
#   sh tests/cuda/gpu-check.sh [--out DIR] [MODEL...]     default: build/gpu-check, small models and the paper's
#   sh tests/cuda/gpu-check.sh --pack                     build/gpu-pack: voxc and its libraries, for a bare machine
#
# Writes DIR/report.txt, report.json and report.svg. Exit status 1: no GPU, or a check failed. voxc is build/voxc, or
# the one in build/gpu-pack where that does not run.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
cuda=${CUDA_HOME:-/usr/local/cuda}
pack=build/gpu-pack
out=build/gpu-check
precisions='fp32 tf32 fp16 bf16'
paper=unet3d
small='unet3d_small nnunet_small torchio'
started=$(date +%s)

die() { echo "gpu-check: $*" >&2 && exit 1; }
left() { echo $((started + ${GPU_CHECK_SECONDS:-540} - $(date +%s))); }

# The programs that a bare machine lacks, with the libraries that aren't part of every Linux.
pack() {
    [ -x build/voxc ] || make -s -j"$(nproc)" all || exit 1
    mkdir -p $pack
    cp build/voxc $pack
    ldd build/voxc | awk '/yaml|protobuf/ {print $3}' | xargs -I{} cp -L {} $pack
    du -sh $pack
}

find_voxc() {
    voxc=build/voxc
    ! $voxc --version >/dev/null 2>&1 || return 0
    voxc="env LD_LIBRARY_PATH=$pack $pack/voxc"
    $voxc --version >/dev/null 2>&1 || die 'neither build/voxc nor build/gpu-pack/voxc runs here: make, or gpu-check.sh --pack'
}

# cuDNN of the toolkit, of the system, or of Python's packages, which have no libcudnn.so.
find_cudnn() {
    cudnn=${CUDNN_HOME:-$cuda}
    [ ! -f "$cudnn/include/cudnn.h" ] || return 0
    cudnn=/usr
    [ ! -f /usr/include/cudnn.h ] || return 0
    wheel=$(python3 -c 'import nvidia.cudnn; print(list(nvidia.cudnn.__path__)[0])' 2>/dev/null) || die 'no cuDNN found; CUDNN_HOME names it'
    cudnn=$(pwd)/$out/cudnn
    mkdir -p "$cudnn/lib64"
    ln -sfn "$wheel/include" "$cudnn/include"
    for library in "$wheel"/lib/*.so.*; do
        ln -sf "$library" "$cudnn/lib64/"
        ln -sf "$library" "$cudnn/lib64/$(basename "${library%%.so.*}").so"
    done
    export LD_LIBRARY_PATH="$cudnn/lib64${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
}

# A program's time, at most: so that one that hangs leaves some to the others.
limited() { timeout "${GPU_CHECK_STEP_SECONDS:-120}" "$@"; }

# check NAME COMMAND...: one line in results.tsv, its output in NAME.log
check() {
    name=$1 && shift
    [ "$(left)" -gt 0 ] || { printf '%s\tleft out\tno time\n' "$name" >>"$out/results.tsv" && return 0; }
    status=0
    "$@" >"$out/$name.log" 2>&1 </dev/null || status=$?
    word=ok
    [ $status = 0 ] || word=FAILED
    printf '%s\t%s\t%s\n' "$name" $word "$(tail -n 1 "$out/$name.log" | tr '\t' ' ' | cut -c1-200)" >>"$out/results.tsv"
    printf '%-8s %4s s  %s\n' $word $(($(date +%s) - started)) "$name"
    return $status
}

bundle() { echo "$out/$1-$2"; }

# Emits and builds a bundle: $1 model, $2 precision. The small ones in fp32 with what the interpreter computes; the rest
# is compared with the CPU's output, by its relative error.
build_bundle() {
    golden=
    [ "$1" = "$paper" ] || [ "$2" != fp32 ] || golden=--golden
    # shellcheck disable=SC2086 # words
    $voxc compile "models/$1.yaml" --init 1 --force $golden -o "$(bundle "$1" "$2")" --target c,cuda --precision "$2" &&
        make -s -C "$(bundle "$1" "$2")" -j4 CUDA_HOME="$cuda" CUDNN_HOME="$cudnn" CUDA_ARCHS="$arch"
}

# Two runs, bit for bit; and one on the CPU, to compare with.
repeat() {
    program=$(bundle "$1" "$2")/$1
    [ -f "$out/$1.npy" ] || python3 tests/cuda/gpu_report.py input "models/$1.yaml" "$out/$1.json" "$out/$1.npy" || return 1
    for run in 1 2; do
        limited "$program" run --device cuda --deterministic "$out/$1.npy" "$program.$run.npy" || return 1
    done
    limited "$program" run --device cpu "$out/$1.npy" "$program.cpu.npy" || return 1
    cmp "$program.1.npy" "$program.2.npy" && echo 'two runs, the same bits'
}

sanitize() { limited compute-sanitizer --tool "$3" --error-exitcode 9 "$(bundle "$1" "$2")/$1" selftest --device cuda; }

# What the device's memory holds at most while the benchmark runs, in MiB above what it held before.
bench() {
    program=$(bundle "$1" "$2")/$1
    nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -i 0 >"$program.memory"
    nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -i 0 -lms 20 >>"$program.memory" &
    sampler=$!
    status=0
    limited "$program" bench --device cuda --iterations 20 --warmup 3 --layers --json >"$program.bench.json" || status=$?
    kill $sampler
    limited "$program" bench --device cuda --iterations 20 --warmup 3 --json --autotune --plans "$program.plans" >"$program.tuned.json" || status=$?
    return $status
}

if [ "${1:-}" = --pack ]; then pack && exit; fi
if [ "${1:-}" = --out ]; then out=$2 && shift 2; fi
nvidia-smi -L >/dev/null 2>&1 || die 'no GPU on this machine (nvidia-smi finds none): nothing was checked'
[ -x "$cuda/bin/nvcc" ] || die "no nvcc in $cuda/bin; CUDA_HOME names another toolkit"
mkdir -p "$out" && : >"$out/results.tsv"
find_voxc
find_cudnn
PATH=$PATH:$cuda/bin
arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader -i 0 | tr -d .)
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader -i 0 >"$out/gpu.txt"
[ $# = 0 ] || { small="$*" paper=; }
models="$paper $small"
[ "$arch" -ge 80 ] || precisions='fp32 fp16'

# Everything is built first, four bundles at a time; what fails is reported when it is used.
for model in $models; do
    $voxc inspect "models/$model.yaml" --target cuda --json >"$out/$model.json"
    $voxc inspect "models/$model.yaml" --target cuda --dump-ir-after memory >"$out/$model.ir"
    running=
    for precision in $precisions; do
        build_bundle "$model" "$precision" >"$out/build-$model-$precision.log" 2>&1 &
        running="$running $!"
    done
    # shellcheck disable=SC2086 # words
    wait $running
done
for model in $models; do
    for precision in $precisions; do
        program=$(bundle "$model" "$precision")/$model
        golden=$(bundle "$model" "$precision")/golden
        check "build-$model-$precision" test -x "$program" || continue
        check "selftest-$model-$precision" limited "$program" selftest --device cuda
        [ ! -d "$golden" ] || check "golden-$model-$precision" limited "$program" selftest --device cuda --golden "$golden"
        check "repeat-$model-$precision" repeat "$model" "$precision"
        check "bench-$model-$precision" bench "$model" "$precision"
    done
done
check ceilings limited sh -c "cc -std=c11 -O2 -Iruntime/cuda -I$cuda/include -I$cudnn/include -o $out/ceilings tests/cuda/ceilings.c \
    runtime/cuda/vox_cudnn.c runtime/cuda/vox_cudnn_graph.c runtime/cuda/vox_cudnn_cache.c -L$cudnn/lib64 -L$cuda/lib64 \
    -Wl,-rpath,$cuda/lib64 -lcudnn -lcudart && $out/ceilings >$out/ceilings.json"
if [ -n "$paper" ]; then
    # shellcheck disable=SC2086 # words
    check export limited $voxc export models/$paper.yaml --init 1 -o "$out/$paper.onnx"
    # shellcheck disable=SC2086 # words
    check peers limited sh -c "python3 tests/cuda/gpu_peers.py $out/$paper.onnx $precisions >$out/peers.json"
fi
if compute-sanitizer --version >/dev/null 2>&1; then
    for tool in memcheck racecheck initcheck; do
        for model in $small; do check "$tool-$model-fp16" sanitize "$model" fp16 $tool; done
    done
else
    printf 'sanitizer\tleft out\tno compute-sanitizer\n' >>"$out/results.tsv"
fi
python3 tests/cuda/gpu_report.py report "$out" "$models" "$precisions" || exit 1
