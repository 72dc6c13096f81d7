#!/bin/sh
# Runs tests/volumes/resample_peers.py: runtime/volume's resampling beside scipy, scikit-image, SimpleITK, MONAI and
# nnU-Net, as far as they are installed. Exit status 77 and one line where NumPy and scipy are not.
#
#   sh tests/volumes/resample_peers.sh [CASES [SEED]]     compares so many random cases with each
#   sh tests/volumes/resample_peers.sh time [THREADS]     times it beside scipy
#
# PYTHON names another interpreter than that of `make peers`.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-build/peers/bin/python}
"$python" -c 'import scipy' 2>/dev/null || { echo 'no NumPy and scipy here: make peers, or PYTHON=' && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O3 -fPIC -shared -Iruntime/shared -Iruntime/core -Iruntime/volume -o "$scratch/resample.so" \
    runtime/volume/vox_lines.c runtime/volume/vox_resample*.c runtime/core/vox_pool.c -lm -lpthread
"$python" tests/volumes/resample_peers.py "$scratch/resample.so" "$@"
