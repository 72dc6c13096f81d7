#!/bin/sh
# Everything about the CUDA target that only a GPU can tell, in one report. Needs nvcc, cuDNN, make and a C compiler,
# but no network; nvidia-smi, python3, compute-sanitizer and peers where they are: the report says what was missing.
#
#   sh tests/cuda/gpu-check.sh [--out DIR] [MODEL.yaml...]    default: build/gpu-check, the paper's model and others
#   sh tests/cuda/gpu-check.sh --pack [MODEL.yaml...]         build/gpu-pack: voxc, its libraries, and every program built
#                                                             for sm_90 (or CUDA_ARCH): to take along to a bare machine
#   sh tests/cuda/gpu-check.sh --where                        says which toolkit, cuDNN and libraries it would use
#
# Writes DIR/report.txt, report.json and report.svg, anew after each step: a run that is cut off leaves what it knew, and
# which step it was in. The steps are in the order of what they tell. Exit status 1: no GPU, or a check failed. voxc is
# build/voxc, or the one in build/gpu-pack where that does not run; programs are taken from build/gpu-pack where they are
# for this GPU, else built.
#
#   GPU_CHECK_SECONDS        for all of it (540); a step that would begin later is left out, one that would end later ended
#   GPU_CHECK_STEP_SECONDS   for a step, at most (90); building everything may take 200
#   GPU_CHECK_PRECISIONS     which, of "fp16 fp32 tf32 bf16", the one that matters first
#   GPU_CHECK_ROUNDS         how often segment's labels are compared for each number of tiles (7)
#   GPU_CHECK_PACK           the pack's folder (build/gpu-pack)
#   GPU_CHECK_PRELOAD        the library of tests/gpusim: tries this script without a GPU; the figures mean nothing then
set -u
taken=
cd "$(dirname "$0")/../.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
pack=${GPU_CHECK_PACK:-build/gpu-pack}
out=build/gpu-check
simulated=${GPU_CHECK_PRELOAD:-}
library_path=${LD_LIBRARY_PATH:-} # peers bring libraries of their own
paper=models/unet3d.yaml
models="$paper models/nnunet_like.yaml models/unet3d_small.yaml models/nnunet_small.yaml models/torchio.yaml"
operators=tests/cuda/operators.ir
started=$(date +%s)
deadline=$((started + ${GPU_CHECK_SECONDS:-540}))
step_seconds=${GPU_CHECK_STEP_SECONDS:-90}

die() { echo "gpu-check: $*" >&2 && exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }

# ---- what is here

# What a bare machine lacks: voxc and the libraries that aren't part of every Linux, and each program that will run.
pack() {
    [ -x build/voxc ] || make -s -j"$(nproc)" all || exit 1
    find_nvcc
    out=$pack/work voxc=build/voxc cudnn=${CUDNN_HOME:-$cuda} arch=${CUDA_ARCH:-90}
    archs=CUDA_ARCHS=$arch precisions=${GPU_CHECK_PRECISIONS:-fp16 fp32 tf32 bf16}
    rm -rf $pack && mkdir -p $pack/programs "$out" && cp build/voxc $pack && echo "$arch" >$pack/arch || exit 1
    [ -n "$simulated" ] || { CUDA="$cuda" GPU=0 CUDA_ARCH="$arch" sh tests/cuda/kernels.sh --build &&
        find build/cuda/kernels"$arch" -type f -perm -100 -exec cp {} $pack/programs \;; } || exit 1
    for model in $models $operators; do
        for precision in $precisions; do
            deadline=$(($(now) + 600)) && until_after 600
            build "$model" "$precision" >"$out/log" 2>&1 && cp "$(program "$model" "$precision")" "$(packed "$model" "$precision")" ||
                die "$model in $precision is not built: $(tail -n 1 "$out/log")"
            rm -rf "$(bundle "$model" "$precision")"
        done
    done
    ldd build/voxc $pack/programs/* 2>/dev/null | awk '/yaml|protobuf|nifti|znz|png|libz\./ {print $3}' | sort -u | xargs -I{} cp -L {} $pack
    rm -rf "$out"
    du -sm $pack
    [ "$(du -sm $pack | cut -f1)" -lt 60 ] || die 'the pack is larger than what travels with a working tree (64 MiB)'
}

find_nvcc() {
    cuda=${CUDA_HOME:-/usr/local/cuda}
    [ -x "$cuda/bin/nvcc" ] || ! has nvcc || cuda=$(realpath "$(command -v nvcc)" | sed 's,/bin/nvcc$,,')
    [ -x "$cuda/bin/nvcc" ] || die "no nvcc in $cuda/bin; CUDA_HOME names another toolkit"
    PATH=$PATH:$cuda/bin
}

find_voxc() {
    voxc=build/voxc
    ! $voxc --version >/dev/null 2>&1 || return 0
    voxc="env LD_LIBRARY_PATH=$pack $pack/voxc"
    $voxc --version >/dev/null 2>&1 || die 'neither build/voxc nor build/gpu-pack/voxc runs here: make, or gpu-check.sh --pack'
}

# cuDNN of Python's packages, which has no libcudnn.so, as a folder like the toolkit's. What it loads itself, NVRTC and
# cuBLASLt, stands in packages beside it: nvidia/cublas and nvidia/cuda_nvrtc, or nvidia/cu13.
link_wheel() {
    wheel=$(python3 -c 'import nvidia.cudnn; print(list(nvidia.cudnn.__path__)[0])' 2>/dev/null) || die 'no cuDNN found; CUDNN_HOME names it'
    cudnn=$(mkdir -p "$out" && realpath "$out")/cudnn
    mkdir -p "$cudnn/lib64"
    ln -sfn "$wheel/include" "$cudnn/include"
    for library in "$wheel"/lib/*.so.*; do
        ln -sf "$library" "$cudnn/lib64/"
        ln -sf "$library" "$cudnn/lib64/$(basename "${library%%.so.*}").so"
    done
    for folder in "$wheel"/../cublas/lib "$wheel"/../cuda_nvrtc/lib "$wheel"/../cu[0-9]*/lib; do
        [ ! -d "$folder" ] || beside=$beside:$(realpath "$folder")
    done
}

# cuDNN of the toolkit, of the system, or of Python.
find_cudnn() {
    cudnn=${CUDNN_HOME:-$cuda} beside=
    [ -f "$cudnn/include/cudnn.h" ] || cudnn=/usr
    echo '#include <cudnn.h>' | "${CC:-cc}" -I"$cudnn/include" -I"$cuda/include" -E - >/dev/null 2>&1 || link_wheel
    export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$cudnn/lib64:$cuda/lib64$beside"
}

# The GPU's architecture, "80", and which precisions it has.
ask_gpu() {
    arch=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader -i 0 2>/dev/null | tr -d .)
    [ -n "$arch" ] || arch=$(__nvcc_device_query 2>/dev/null | cut -d, -f1)
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader -i 0 >"$out/gpu.txt" 2>/dev/null ||
        echo "a GPU of compute capability ${arch:-unknown}" >"$out/gpu.txt"
    precisions=${GPU_CHECK_PRECISIONS:-fp16 fp32 tf32 bf16}
    [ "${arch:-80}" -ge 80 ] || precisions=$(echo "$precisions" | sed 's/[tb]f[0-9]*//g')
    # One that this nvcc doesn't know runs the PTX of the last that it knows.
    archs=
    ! nvcc --list-gpu-code | grep -qx "sm_$arch" || archs=CUDA_ARCHS=$arch
}

# Whether the pack's programs are for this GPU; then the pack's voxc writes their weights.
take_pack() {
    taken=
    [ "$(cat $pack/arch 2>/dev/null)" = "$arch" ] || return 0
    taken=yes voxc="env LD_LIBRARY_PATH=$pack $pack/voxc"
    export LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$(realpath $pack)"
}

# ---- steps

now() { date +%s; }
# The report of what is known so far.
report() {
    if has python3; then
        python3 tests/cuda/gpu_report.py report "$out" "$(for model in $models; do name_of "$model"; done)" "$precisions"
    else
        { cat "$out/gpu.txt" && echo 'no python3 here: no more than what the checks said' && cat "$out/results.tsv"; } >"$out/report.txt"
        cat "$out/report.txt" && ! grep -q FAILED "$out/results.tsv"
    fi
}
left_out() { printf '%s\tleft out\t%s\n' "$1" "$2" >>"$out/results.tsv"; }

# until_after SECONDS: sets when what begins now must have ended
until_after() {
    until=$(($(now) + $1))
    [ $until -lt $deadline ] || until=$deadline
}

# A command that ends when its step must, so that one that hangs leaves time to the others.
limited() {
    seconds=$((until - $(now)))
    [ $seconds -gt 0 ] || seconds=1
    timeout -k 5 $seconds "$@"
}
on_gpu() { limited env LD_PRELOAD="$simulated" "$@"; }

# check NAME COMMAND...: one line in results.tsv, its output in NAME.log
check() {
    check=$1 begun=$(now) status=0 word=ok && shift
    [ "$begun" -lt $deadline ] || { left_out "$check" 'no time' && return 1; }
    until_after "$step_seconds"
    echo "$check" >"$out/running" && report >/dev/null 2>&1
    "$@" >"$out/$check.log" 2>&1 </dev/null || status=$?
    said=$(tail -n 1 "$out/$check.log" | tr '\t' ' ' | cut -c1-200)
    [ $status = 0 ] || word=FAILED
    [ $status != 124 ] || said="not ended after $(($(now) - begun)) s; $said"
    [ $status != 124 ] || [ "$(now)" -lt $deadline ] || word='left out'
    printf '%s\t%s\t%s\n' "$check" "$word" "$said" >>"$out/results.tsv"
    rm -f "$out/running"
    printf '%-8s %4s s  %s\n' "$word" $(($(now) - started)) "$check"
    return $status
}

# needs TOOL STEP: false, and a line in the report, where the tool is not there
needs() { has "$1" || { left_out "$2" "no $1 here" && return 1; }; }

name_of() { basename "$1" | sed 's/\.[a-z]*$//'; }
bundle() { echo "$out/$(name_of "$1")-$2"; }
program() { echo "$(bundle "$1" "$2")/$(name_of "$1")"; }
is_first() { [ "$1" = "${precisions%% *}" ]; }

packed() { echo "$pack/programs/$(name_of "$1")-$2"; }

# build MODEL PRECISION. The first precision's has the CPU's code too, to compare with; the small ones in fp32 have what
# the interpreter computes. A program that was packed for this GPU needs nothing but its weights, which voxc writes.
build() {
    golden='' targets=cuda
    case $1 in *unet3d.yaml | *nnunet_like.yaml) ;; *) [ "$2" != fp32 ] || golden=--golden ;; esac
    ! is_first "$2" || targets=c,cuda
    # shellcheck disable=SC2086 # words
    $voxc compile "$1" --init 1 --force $golden -o "$(bundle "$1" "$2")" --target $targets --precision "$2" || return 1
    if [ -n "$taken" ] && [ -x "$(packed "$1" "$2")" ]; then
        cp "$(packed "$1" "$2")" "$(program "$1" "$2")"
    else
        # shellcheck disable=SC2086
        limited make -s -C "$(bundle "$1" "$2")" -j4 CUDA_HOME="$cuda" CUDNN_HOME="$cudnn" CUDART=shared $archs
    fi
}

# build_all PRECISIONS MODEL...: before any of them is run, so that nothing is timed beside a compiler; a few at a time.
build_all() {
    wanted=$1 running=0 && shift
    until_after 200
    echo 'build' >"$out/running"
    for model in "$@"; do
        [ -e "$out/$(name_of "$model").ir" ] || {
            $voxc inspect "$model" --target cuda --json >"$out/$(name_of "$model").json"
            $voxc inspect "$model" --target cuda --dump-ir-after memory >"$out/$(name_of "$model").ir"
        }
        for precision in $wanted; do
            build "$model" "$precision" >"$out/build-$(name_of "$model")-$precision.log" 2>&1 &
            running=$((running + 1))
            [ $((running % ($(nproc) / 2 + 1))) != 0 ] || wait
        done
    done
    wait
    rm -f "$out/running"
}

is_built() { [ -x "$(program "$1" "$2")" ] || { tail -n 1 "$out/build-$(name_of "$1")-$2.log" && return 1; }; }
make_input() { limited python3 tests/cuda/gpu_report.py input "$out/$1.json" "$out/$1.npy"; }
on_cpu() { limited "$(program "$1" "${precisions%% *}")" run --device cpu "$out/$(name_of "$1").npy" "$out/$(name_of "$1").cpu.npy"; }
selftest() { on_gpu "$(program "$1" "$2")" selftest --device cuda; }
golden() { on_gpu "$(program "$1" "$2")" selftest --device cuda --golden "$(bundle "$1" "$2")/golden"; }

# Two runs, bit for bit.
repeat() {
    file=$(program "$1" "$2")
    for run in 1 2; do
        on_gpu "$file" run --device cuda --deterministic "$out/$(name_of "$1").npy" "$file.$run.npy" || return 1
    done
    cmp "$file.1.npy" "$file.2.npy" && echo 'two runs, the same bits'
}

# What the device's memory holds at most while the benchmark runs, in MiB above what it held before.
bench() {
    file=$(program "$1" "$2") sampler='' failed=0
    if has nvidia-smi; then
        used='nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -i 0'
        $used >"$file.memory"
        $used -lms 20 >>"$file.memory" &
        sampler=$!
    fi
    on_gpu "$file" bench --device cuda --iterations 20 --warmup 3 --layers --json >"$file.bench.json" || failed=$?
    [ -z "$sampler" ] || kill "$sampler"
    return $failed
}

# The labels of several tiles per launch, again and again: always the same bytes. Measured plans stay what they are.
tiles() {
    file=$(program "$1" "$2") name=$(name_of "$1") compared=0 plans=
    [ ! -s "$file.plans" ] || plans="--plans $file.plans"
    # shellcheck disable=SC2046 # three numbers
    limited python3 tests/cuda/gpu_report.py volume "$out/$name.json" "$out/$name.nii" || return 1
    for round in $(seq "${GPU_CHECK_ROUNDS:-7}"); do
        for count in 1 2 4; do
            # shellcheck disable=SC2086 # words
            on_gpu "$file" segment -q --device cuda --tiles $count $plans "$out/$name.nii" -o "$out/$name.labels.nii" || return 1
            [ -e "$out/$name.first.nii" ] || cp "$out/$name.labels.nii" "$out/$name.first.nii"
            cmp "$out/$name.first.nii" "$out/$name.labels.nii" || { echo "round $round, $count tiles per launch: other labels" && return 1; }
            compared=$((compared + 1))
        done
    done
    echo "$compared times the same bytes, with 1, 2 and 4 tiles per launch"
}

# What each kernel of a run is bound by. A GPU whose counters are not to be read is no failure.
profile() {
    on_gpu ncu --csv --clock-control none --graph-profiling node --launch-count 60 --metrics \
        gpu__time_duration.sum,sm__throughput.avg.pct_of_peak_sustained_elapsed,gpu__compute_memory_throughput.avg.pct_of_peak_sustained_elapsed \
        "$(program "$1" "$2")" run --device cuda "$out/$(name_of "$1").npy" "$out/ncu.npy" || echo 'the counters cannot be read here'
}

tune() {
    file=$(program "$1" "$2")
    on_gpu "$file" bench --device cuda --iterations 20 --warmup 3 --json --autotune --plans "$file.plans" >"$file.tuned.json"
}

# What initcheck and racecheck say of cuDNN's kernels alone is none of ours: those read what they then ignore.
sanitize() {
    found=0
    on_gpu compute-sanitizer --tool "$3" --error-exitcode 9 "$(program "$1" "$2")" selftest --device cuda || found=$?
    [ $found = 9 ] && [ "$3" != memcheck ] && ! grep -q ' at .*vox_' "$out/$check.log" || return $found
    echo "in cuDNN's kernels only: $(grep -c '=========.* at ' "$out/$check.log") places"
}

# A simulated GPU gets a small part of the work.
ceilings() {
    limited "${CC:-cc}" -std=c11 -O2 -Iruntime/cuda -Iruntime/shared -I"$cuda/include" -I"$cudnn/include" -o "$out/ceilings" tests/cuda/ceilings.c \
        runtime/cuda/vox_cudnn.c runtime/cuda/vox_cudnn_graph.c runtime/cuda/vox_cudnn_cache.c -L"$cudnn/lib64" -L"$cuda/lib64" \
        -lcudnn -lcudart && on_gpu "$out/ceilings" ${simulated:+16} >"$out/ceilings.json"
}

# A peer that crashes is no failure of ours.
peer() {
    # shellcheck disable=SC2086 # words
    limited env LD_LIBRARY_PATH="$library_path" python3 tests/cuda/gpu_peers.py "$1" "$2" $precisions >>"$out/peers.jsonl" || echo 'it did not run to its end'
}

# A host of its own: the caller's memory, several handles, another stream, measured plans.
embedding() {
    folder=$out/embedding
    # shellcheck disable=SC2086 # words
    $voxc compile tests/cuda/tiny.yaml --init 1 --force -o "$folder" --target cuda &&
        limited make -s -C "$folder" -j4 CUDA_HOME="$cuda" CUDNN_HOME="$cudnn" CUDART=shared $archs lib &&
        limited "${CC:-cc}" -std=c11 -O1 -I"$folder" -I"$folder/runtime" -I"$cuda/include" -o "$folder/embed" tests/cuda/embed.c -L"$folder" -ltiny \
            -L"$cudnn/lib64" -L"$cuda/lib64" -lcudnn -lcudart -lstdc++ -lm -lpthread || return 1
    for mode in run arena wrong steps tune tune; do (cd "$folder" && on_gpu ./embed $mode) || return 1; done
}

kernels() { limited env CUDA="$cuda" GPU=1 PACKED="${taken:+$pack/programs}" sh tests/cuda/kernels.sh; }

# ---- all of them, those first that tell most

# each STEP MODEL: a step in every precision that was built
each() {
    for precision in $precisions; do
        [ ! -x "$(program "$2" "$precision")" ] || check "$1-$(name_of "$2")-$precision" "$1" "$2" "$precision"
    done
}

# layers PRECISIONS MODEL: built, and every layer against plain sums.
layers() {
    for precision in $1; do
        check "build-$(name_of "$2")-$precision" is_built "$2" "$precision" || continue
        check "selftest-$(name_of "$2")-$precision" selftest "$2" "$precision"
    done
}

# The whole against the interpreter, the CPU and itself.
results() {
    name=$(name_of "$1")
    [ ! -d "$(bundle "$1" fp32)/golden" ] || check "golden-$name-fp32" golden "$1" fp32
    needs python3 "repeat-$name" || return 0
    [ -e "$out/$name.npy" ] || check "input-$name" make_input "$name" || return 0
    [ -e "$out/$name.cpu.npy" ] || check "cpu-$name" on_cpu "$1" || return 0
    for precision in $precisions; do
        [ ! -x "$(program "$1" "$precision")" ] || [ -e "$(program "$1" "$precision").2.npy" ] ||
            check "repeat-$name-$precision" repeat "$1" "$precision"
    done
}

all_peers() {
    # shellcheck disable=SC2086 # words
    needs python3 peers && check export limited $voxc export "$1" --init 1 -o "$out/peers.onnx" || return 0
    check peer-pytorch peer PyTorch "$out/peers.onnx"
    check peer-tensorrt peer TensorRT "$out/peers.onnx"
    check peer-onnxruntime peer 'ONNX Runtime' "$out/peers.onnx"
}

# Only where the shape of the network is small: the tools are slow.
all_sanitizers() {
    needs compute-sanitizer sanitizers || return 0
    for tool in memcheck initcheck racecheck; do
        for model in $operators $small; do check "$tool-$(name_of "$model")" sanitize "$model" "$last" $tool; done
    done
}

# The network that matters, in the precision that matters: is it right, how fast, and the same for any number of tiles?
headline() {
    name=$(name_of "$1")
    build_all "$first" "$1"
    layers "$first" "$1"
    needs python3 "repeat-$name" && check "input-$name" make_input "$name" && check "cpu-$name" on_cpu "$1" &&
        check "repeat-$name-$first" repeat "$1" "$first"
    check "bench-$name-$first" bench "$1" "$first"
    check "tune-$name-$first" tune "$1" "$first"
    if ! grep -q '^volume:' "$1"; then
        left_out "tiles-$name" 'the network has no volume section'
    elif needs python3 "tiles-$name"; then
        check "tiles-$name-$first" tiles "$1" "$first"
    fi
}

[ "${1:-}" != --out ] || { out=$2 && shift 2; }
case ${1:-} in
--pack)
    shift
    [ $# = 0 ] || { models=$* && operators=; }
    pack && exit
    exit 1
    ;;
--where)
    find_nvcc && find_cudnn
    printf '%s\n' "nvcc: $cuda/bin/nvcc" "cuDNN: $cudnn" "libraries: $LD_LIBRARY_PATH"
    exit
    ;;
esac
[ $# = 0 ] || { models=$* && operators=; }
[ -n "$simulated" ] || nvidia-smi -L >/dev/null 2>&1 || [ -e /dev/nvidiactl ] ||
    die 'no GPU on this machine (nvidia-smi finds none): nothing was checked'
find_nvcc
find_voxc
mkdir -p "$out" && : >"$out/results.tsv" && : >"$out/peers.jsonl" && rm -f "$out/running" "$out"/*.nii "$out"/*.npy "$out"/*/*.npy || exit 1
find_cudnn
ask_gpu
take_pack
has nvidia-smi || left_out memory 'no nvidia-smi here'
# The models' order is that of what they tell: the paper's, one more of a user's size, small ones.
# shellcheck disable=SC2086 # words
set -- $models
main=$1 second=${2:-} && shift && [ -z "$second" ] || shift
small=$*
first=${precisions%% *} last=${precisions##* } others=$(echo "$precisions " | cut -d' ' -f2-)

headline "$main"
if [ -n "$simulated" ]; then left_out kernels 'a simulated GPU'; else check kernels kernels; fi
if [ -n "$second" ]; then
    build_all "$first" "$second"
    layers "$first" "$second"
    check "bench-$(name_of "$second")-$first" bench "$second" "$first"
fi
build_all "$others" "$main"
layers "$others" "$main"
for precision in $others; do check "bench-$(name_of "$main")-$precision" bench "$main" "$precision"; done
check ceilings ceilings
build_all "$last" $operators $small
all_sanitizers
if needs ncu ncu; then check "ncu" profile "$main" "$first"; fi

# The rest.
[ -z "$second" ] || { build_all "$others" "$second" && layers "$others" "$second"; }
build_all "$precisions" $operators $small
for model in $operators $small; do layers "$precisions" "$model"; done
for model in $models; do results "$model"; done
for model in $second $small; do each bench "$model"; done
check embedding embedding
all_peers "$main"
for precision in $others; do check "tune-$(name_of "$main")-$precision" tune "$main" "$precision"; done
report
