#!/bin/sh
# `voxc compile --monai` beside MONAI's own transforms and inferer: tests/volumes/monai_peers.py. PYTHON names another
# Python than the environment that `make peers` makes. Exit status 77 and one line where it lacks monai, torch or onnx.
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-build/peers/bin/python}
"$python" -c 'import torch, onnx, nibabel, monai' 2>/dev/null || {
    echo "no MONAI here: $python lacks monai, torch, onnx or nibabel"
    exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$python" tests/volumes/monai_peers.py "$scratch"
