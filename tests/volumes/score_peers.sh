#!/bin/sh
# The verb `score` beside SciPy and what else is installed: tests/volumes/score_peers.py. PYTHON names another Python
# than the environment that `make peers` makes. Exit status 77 and one line where it lacks NumPy and SciPy.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-build/peers/bin/python}
"$python" -c 'import numpy, scipy' 2>/dev/null || { echo "no NumPy and SciPy here: $python lacks them (make peers)" && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build/voxc compile tests/cuda/tiny.yaml --init 1 -o "$scratch/tiny" >/dev/null
make -s -C "$scratch/tiny" CFLAGS=-O1
"$python" tests/volumes/score_peers.py "$scratch/tiny/tiny" "$scratch"
