#!/bin/sh
# Bundles whose layers stream give the very bytes of the same bundles without streams, for any number of threads.
set -eu
cd "$(dirname "$0")/.."
export CFLAGS=-O1 # of bundles: it takes half the time
voxc=${1:-build/voxc}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for model in unet3d_small torchio deepbrain; do
    size=
    [ $model != deepbrain ] || size='--input-dim D=64 --input-dim H=64 --input-dim W=72'
    whole=$scratch/$model.whole stream=$scratch/$model.stream
    # shellcheck disable=SC2086 # the options are words
    "$voxc" compile models/$model.yaml --init 1 $size --golden --no-stream -o "$whole"
    # shellcheck disable=SC2086
    "$voxc" compile models/$model.yaml --init 1 $size -o "$stream"
    make -s -C "$whole"
    make -s -C "$stream"
    "$stream/$model" info | grep 'planes kept' || { echo "streams: no layer of $model streams" && exit 1; }
    if "$whole/$model" info | grep 'planes kept'; then echo 'streams: --no-stream streams' && exit 1; fi
    "$whole/$model" run "$whole/golden/input_0.npy" "$scratch/whole.npy"
    for threads in 1 2 3 7; do
        "$stream/$model" run "$whole/golden/input_0.npy" "$scratch/stream.npy" --threads $threads
        cmp "$scratch/whole.npy" "$scratch/stream.npy"
    done
    "$stream/$model" selftest
done
