#!/bin/sh
# Time and peak memory of the paper's tile beside ONNX Runtime's, in one run. Takes minutes; an idle machine, please.
set -eu
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL
out=build/bench
mkdir -p $out
sh scripts/peers.sh build/peers
build/voxc compile models/unet3d.yaml --init 1 -o $out/unet3d
make -s -C $out/unet3d
build/voxc export models/unet3d.yaml --init 1 -o $out/unet3d.onnx
build/peers/bin/python tests/peer_bench.py $out/unet3d/unet3d $out/unet3d.onnx "$@"
