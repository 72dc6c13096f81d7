#!/bin/sh
# `make install` puts a compiler there that works on its own, and `make uninstall` takes all of it away.
set -eu
cd "$(dirname "$0")/.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

make install DESTDIR="$root" PREFIX=/opt/voxc
(
    cd "$root" # nothing of the source tree is in reach
    opt/voxc/bin/voxc --version
    opt/voxc/bin/voxc compile opt/voxc/share/voxc/models/unet3d_small.yaml --init 1 -o bundle
    make -C bundle CFLAGS=-O1
    bundle/unet3d_small selftest
)
rm -rf "$root/bundle"
make uninstall DESTDIR="$root" PREFIX=/opt/voxc
left=$(find "$root" -type f)
[ -z "$left" ] || { echo "left behind: $left" && exit 1; }
