#!/bin/sh
# Runs tests/peer_onnx.py and tests/peer_onnxruntime.py in the environment that `make peers` makes. Exit
# status 77 and one line when there is none.
set -eu
cd "$(dirname "$0")/.."
python=$PWD/build/peers/bin/python
[ -f build/peers/installed ] || { echo 'no ONNX Runtime here: PyPI was not reachable (make peers)' && exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
make -s build/tests/peer_onnx
export CFLAGS=-O1 # of bundles: it takes half the time
"$python" tests/peer_onnx.py build/tests/peer_onnx "$scratch" models/unet3d_small.yaml models/torchio.yaml
"$python" tests/peer_onnxruntime.py build/voxc "$scratch"
