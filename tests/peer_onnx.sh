#!/bin/sh
# Compares with onnx.checker and ONNX Runtime from PyPI, in a virtual environment of its own under build/.
# Without PyPI it says so and passes. Run from the repository's root: sh tests/peer_onnx.sh [MODEL...]
set -eu
build=${BUILD:-build}
venv=$build/onnx-venv
if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -c 'import onnx, onnxruntime' 2>/dev/null; then
    if ! { python3 -m venv "$venv" && "$venv/bin/pip" -q install onnx onnxruntime; } >"$build/onnx-venv.log" 2>&1; then
        echo "peer_onnx: skipped: onnx and onnxruntime cannot be installed from PyPI (see $build/onnx-venv.log)"
        exit 0
    fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- models/unet3d_small.yaml
"$venv/bin/python" tests/peer_onnx.py "$build/tests/peer_onnx" "$work" "$@"
