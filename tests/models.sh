#!/bin/sh
# Generated C against the double-precision interpreter for every description in models/, seeded weights: relative RMS
# error at most 5e-6 with fast math and 2e-6 with strict math, 1e-6 for the paper's network on its own tile. The others
# run on a smaller tile where that says as much. They are built with -Og, in half of -O1's time; the two that compute for
# longer than that, with -O1.
set -eu
cd "$(dirname "$0")/.."
voxc=${1:-build/voxc}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for model in models/*.yaml; do
    fast=5e-6 strict=2e-6 size= optimise=-Og
    case $(basename "$model" .yaml) in
    deepbrain*) size='--input-dim D=32 --input-dim H=40 --input-dim W=48' ;;
    meshnet*) size='--input-dim D=40 --input-dim H=36 --input-dim W=48' ;;
    nnunet_like) # rounding adds up over 22 norms, each of which divides by its own input's deviation
        size='--input-dim D=32 --input-dim H=64 --input-dim W=64'
        fast=1e-5 strict=4e-6 optimise=-O1
        ;;
    unet3d) strict=1e-6 optimise=-O1 ;;
    esac
    printf '%s %s\n' "$model" "$size"
    # shellcheck disable=SC2086 # the options are words
    "$voxc" compile "$model" --init 1 $size --golden -o "$scratch/golden"
    for math in fast strict; do
        limit=$fast
        [ $math = fast ] || limit=$strict
        # shellcheck disable=SC2086
        CFLAGS=$optimise "$voxc" verify "$model" --init 1 $size --math $math --max-rms $limit \
            --input "$scratch/golden/golden/input_0.npy" --expected "$scratch/golden/golden/output_0.npy"
    done
    rm -rf "$scratch/golden"
done
