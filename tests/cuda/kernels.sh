#!/bin/sh
# Builds the kernels' test programs with nvcc and runs them: on the GPU where there is one, else on the simulated
# one (tests/gpusim). GPU=1 asks for a GPU, GPU=0 for the simulator, for which CUDA_ARCH (75) names the PTX. PACKED names
# a folder of programs that were built elsewhere.
#
#   sh tests/cuda/kernels.sh [--build] [NAME...]      only builds them; only these: kernels_norm
set -u
cd "$(dirname "$0")/../.." || exit 1
cuda=${CUDA:-/usr/local/cuda}
PATH=$PATH:$cuda/bin
command -v nvcc >/dev/null || { echo 'no nvcc: the CUDA kernels were not tested'; exit 77; }
out=build/cuda/kernels${CUDA_ARCH:-}
mkdir -p "$out" || exit 1
gpu=${GPU:-$(nvidia-smi -L >/dev/null 2>&1 && echo 1 || echo 0)}
[ "$gpu" = 1 ] || [ -f "$cuda/include/cudnn.h" ] || {
    echo 'neither a GPU nor the headers of cuDNN, which the simulated one needs: the CUDA kernels were not tested'
    exit 77
}
build_only=0
[ "${1:-}" != --build ] || { build_only=1 && shift; }
# shellcheck disable=SC2046 # names hold no spaces
[ $# -gt 0 ] || set -- $(for source in tests/cuda/kernels_*.cu; do basename "$source" .cu; done)
flags="-std=c++17 -Iruntime -Iruntime/core -Iruntime/shared -cudart shared -Werror all-warnings -Xptxas -warn-spills,-Werror
    -Xcompiler -Wall,-Wextra,-Wshadow,-Wno-missing-field-initializers"
if [ "$gpu" = 1 ]; then
    flags="$flags -arch=native"
else
    flags="$flags -gencode arch=compute_${CUDA_ARCH:-75},code=compute_${CUDA_ARCH:-75}"
fi

# A program is built again when something that it is made of is newer.
# shellcheck disable=SC2016 # for the inner shell
printf '%s\n' "$@" |
    OUT=$out FLAGS=$flags xargs -P "$(nproc)" -n 1 sh -c '
    [ ! -x "${PACKED:-/none}/$0" ] || { cp "$PACKED/$0" "$OUT/$0" && exit; }
    [ -n "$(find tests/cuda/$0.cu tests/cuda/*.cuh runtime/cuda runtime/core runtime/shared -newer "$OUT/$0" 2>/dev/null)" ] ||
        [ ! -e "$OUT/$0" ] || exit 0
    # shellcheck disable=SC2086 # a list
    nvcc $FLAGS -o "$OUT/$0" "tests/cuda/$0.cu"' || exit 1

[ $build_only = 0 ] || exit 0

preload=
if [ "$gpu" = 0 ]; then
    make -s gpusim || exit 1
    preload=$PWD/build/gpusim/libgpusim.so
fi
status=0 checks=0
for name in "$@"; do
    program=$out/$name
    edge= # what kernels_speed measures
    case $gpu$program in 1*kernels_speed) edge=160 ;; esac
    # LD_LIBRARY_PATH for the machine whose loader does not know CUDA's folder.
    LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-$cuda/lib64} LD_PRELOAD=$preload "$program" $edge >"$program.log" 2>&1 || status=1
    cat "$program.log"
    said=$(sed -n 's/^kernels_[a-z]*: \([0-9]*\) checks.*/\1/p' "$program.log")
    checks=$((checks + ${said:-0}))
done
[ $status = 0 ] || exit 1
echo "$checks checks of CUDA kernels passed on $([ "$gpu" = 1 ] && nvidia-smi -L | head -n 1 || echo 'the simulated GPU')"
