#!/bin/sh
# The thread pool's tests, and two arenas that run at once over one prepared buffer, under the thread sanitizer.
set -eu
cd "$(dirname "$0")/.."
voxc=${1:-build/voxc}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags='-O1 -g -fsanitize=thread'

echo 'int main(void) { return 0; }' | gcc $flags -x c -o "$scratch/probe" - 2>"$scratch/said" && "$scratch/probe" 2>>"$scratch/said" ||
    { echo "skipped: no program runs under the thread sanitizer here: $(tail -n 1 "$scratch/said")" && exit 77; }
gcc -std=c11 -D_GNU_SOURCE $flags -Iruntime/core -Iruntime/shared -o "$scratch/pool" tests/test_pool.c runtime/core/vox_pool.c -lcmocka -lpthread
"$scratch/pool" 2>&1
"$voxc" compile tests/cuda/tiny.yaml --init 1 -o "$scratch/tiny"
make -s -C "$scratch/tiny" lib CFLAGS="$flags"
gcc -std=c11 -Wall -Wextra -Werror $flags -I"$scratch/tiny" -I"$scratch/tiny/runtime" -o "$scratch/tiny/two_arenas" \
    tests/two_arenas.c -L"$scratch/tiny" -ltiny -lm -lpthread
(cd "$scratch/tiny" && ./two_arenas)
echo 'ok: no race in the pool, nor between two arenas'
