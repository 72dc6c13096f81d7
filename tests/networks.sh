#!/bin/sh
# Runs tests/networks.py in the environment that `make peers` makes. Exit status 77 and one line when that or the data
# is not there.
set -eu
cd "$(dirname "$0")/.."
export CFLAGS=-O1 # of bundles: it takes half the time
data=${VOXC_DATA:-../shared/data}
[ -d "$data/models" ] || { echo "no trained networks here: $data is not there (VOXC_DATA names another folder)" && exit 77; }
[ -f build/peers/installed ] || { echo 'no NumPy and ONNX Runtime here: PyPI was not reachable (make peers)' && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
build/peers/bin/python tests/networks.py build/voxc "$scratch"
