#!/bin/sh
# Runs tests/volumes/blend_peers.py: tiles' places, windows and blending of runtime/volume beside nnU-Net and MONAI. Exit
# status 77 and one line where they are not installed.
#
#   sh tests/volumes/blend_peers.sh [SIZES [SEED]]     compares so many random sizes
#
# PYTHON names another interpreter than that of `make peers`.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-build/peers/bin/python}
"$python" -c 'import monai, nnunetv2, torch' 2>/dev/null || { echo 'no MONAI and nnU-Net here: PYTHON= names a Python that has them' && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O3 -fPIC -shared -Iruntime/shared -Iruntime/core -Iruntime/volume -o "$scratch/blend.so" \
    tests/volumes/blend_shim.c runtime/volume/vox_*.c -lm -lpthread
"$python" tests/volumes/blend_peers.py "$scratch/blend.so" "$@"
