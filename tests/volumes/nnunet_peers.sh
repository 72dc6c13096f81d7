#!/bin/sh
# `voxc compile --nnunet` beside nnU-Net v2's own predictor: tests/volumes/nnunet_peers.py. PYTHON names another Python
# than the environment that `make peers` makes. Exit status 77 and one line where it lacks nnunetv2, torch or onnx.
#
#   sh tests/volumes/nnunet_peers.sh [CASE...]     all cases, or those whose names contain one of the words
set -eu
cd "$(dirname "$0")/../.."
python=${PYTHON:-build/peers/bin/python}
"$python" -c 'import torch, onnx, nibabel, nnunetv2' 2>/dev/null || {
    echo "no nnU-Net here: $python lacks nnunetv2, torch, onnx or nibabel"
    exit 77
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export nnUNet_raw="$scratch" nnUNet_preprocessed="$scratch" nnUNet_results="$scratch"
"$python" tests/volumes/nnunet_peers.py "$scratch" "$@"
