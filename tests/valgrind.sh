#!/bin/sh
# The compiler ($1) and a compiled bundle under valgrind: no invalid access, no leak.
set -eu
cd "$(dirname "$0")/.."
voxc=${1:?usage: sh tests/valgrind.sh VOXC}
command -v valgrind >/dev/null || { echo 'valgrind: not installed' && exit 77; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

grind() { valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect,possible "$@"; }

grind "$voxc" --help >/dev/null
grind "$voxc" inspect models/unet3d_small.yaml >/dev/null
grind "$voxc" compile models/unet3d_small.yaml --init 1 -o "$out/bundle"
status=0
printf 'name: [' >"$out/bad.yaml"
grind "$voxc" compile "$out/bad.yaml" -o "$out/bad" || status=$?
[ $status = 2 ] || { echo "a bad file: exit status $status, 2 expected" && exit 1; }
make -C "$out/bundle" CFLAGS='-O1 -g' ISAS=baseline # valgrind knows no AVX-512
grind "$out/bundle/unet3d_small" selftest --threads 2
