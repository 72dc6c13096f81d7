#!/bin/sh
# Makes a Python environment in the directory $1 with what the peer tests compare with. Exit status 77 and one line
# when it can't be had on this machine.
set -eu
peers='numpy==2.4.6 scipy==1.17.1 onnx==1.23.2 onnxruntime==1.32.0'
dir=${1:?usage: sh scripts/peers.sh DIRECTORY}

if [ -f "$dir/installed" ] && [ "$(cat "$dir/installed")" = "$peers" ]; then
    echo "peers: $dir has $peers already"
    exit 0
fi
rm -rf "$dir"
mkdir -p "$dir"
# shellcheck disable=SC2086 # the list is words
if ! { python3 -m venv "$dir" && "$dir/bin/pip" --disable-pip-version-check install --retries 1 -q $peers; } >"$dir.log" 2>&1; then
    echo "peers: skipped, no Python environment with $peers: $(grep -v -e '^WARNING' -e '^ *$' "$dir.log" | tail -n 1)"
    rm -rf "$dir"
    exit 77
fi
echo "$peers" >"$dir/installed"
echo "peers: $dir has $peers"
