#!/bin/sh
# Instructions executed, which no other program disturbs, against the figures of tests/instructions.txt: by `voxc compile`
# of the paper's network, and by one run of small bundles on one thread, AVX2. More or less than 1 % is told: what became
# slower, and what became faster and should stay so. Exit status 77 where another gcc than the figures' compiles.
#
#   sh tests/instructions.sh [--update] [VOXC]      --update: writes the figures
set -eu
cd "$(dirname "$0")/.."
update=0
[ "${1:-}" != --update ] || { update=1 && shift; }
voxc=$PWD/${1:-build/voxc}
figures=tests/instructions.txt
compiler="gcc $(gcc -dumpversion | cut -d. -f1)"
skipped() { echo "skipped: no instructions were counted: $*" && exit 77; }
command -v valgrind >/dev/null || skipped 'valgrind is not installed'
grep -qw avx2 /proc/cpuinfo || skipped 'this processor has no AVX2'
[ $update = 1 ] || grep -qx "$compiler" $figures || skipped "the figures are of $(sed -n '/^gcc/p' $figures), not $compiler"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# count COMMAND...: in an environment that is the same everywhere; valgrind's processor is, too
count() {
    env -i PATH=/usr/bin:/bin VOX_ISA=avx2 valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null "$@" 2>&1 >/dev/null |
        sed -n 's/^.* I *refs: *//p' | tr -d ,
}

{
    echo "$compiler"
    echo "compile-unet3d $(count "$voxc" compile models/unet3d.yaml --init 1 -o "$scratch/unet3d")"
    for model in nnunet_small torchio deepbrain_v1; do
        "$voxc" compile models/$model.yaml --init 1 --input-dim D=16 --input-dim H=16 --input-dim W=16 -o "$scratch/$model" >&2
        # without the libraries of image formats: loading them counts too, and they are not the same everywhere
        env -u CFLAGS make -s -C "$scratch/$model" CC=gcc ISAS=avx2 NIFTI= ZLIB= TIFF= DEFLATE= HDF5_LIBRARY= >&2
        # at a bundle's own optimisation, where other tests build with less
        "$scratch/$model/$model" selftest --weights "$scratch/$model/$model.weights" >&2
        echo "run-$model $(count "$scratch/$model/$model" bench -n 1 --warmup 0 --threads 1 --weights "$scratch/$model/$model.weights")"
    done
} >"$scratch/figures"

if [ $update = 1 ]; then
    cp "$scratch/figures" $figures
    exit
fi
join $figures "$scratch/figures" | awk '
    $2 ~ /^[0-9]+$/ && $1 != "gcc" {
        change = 100 * ($3 / $2 - 1)
        printf "%-20s %12.0f instructions, %+.2f %%\n", $1, $3, change
        if (change > 1 || change < -1 || $3 == 0) bad = bad " " $1
        counted++
    }
    END {
        if (bad != "") print "more than 1 % from tests/instructions.txt:" bad "; if it is meant: make golden"
        exit bad != "" || counted < 4
    }'
