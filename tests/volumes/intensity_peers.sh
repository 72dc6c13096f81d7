#!/bin/sh
# Runs tests/volumes/intensity_peers.py with $PYTHON, or the environment that `make peers` makes. Exit status 77 and one
# line when NumPy and SciPy are not there. With --time it times whole volumes instead.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-$PWD/build/peers/bin/python}
"$python" -c 'import numpy, scipy' 2>/dev/null ||
    { echo "no NumPy and SciPy here: $python lacks them (PYTHON names another)" && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O3 -fPIC -shared -Iruntime/core -Iruntime/shared -Iruntime/volume \
    -o "$scratch/volume.so" runtime/volume/vox_load.c runtime/volume/vox_mask.c runtime/volume/vox_smooth.c \
    runtime/volume/vox_intensity.c runtime/volume/vox_percentiles.c runtime/core/vox_pool.c -lm -lpthread
"$python" tests/volumes/intensity_peers.py "$scratch/volume.so" "$@"
