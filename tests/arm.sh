#!/bin/sh
# AArch64, cross-compiled and run by qemu-user: the kernel tests (a share of their random cases), and a whole bundle,
# whose outputs must be those of the bundle built for this machine. The bundle's compiler is ${1:-build/voxc}.
set -eu
cd "$(dirname "$0")/.."
unset ISAS
voxc=${1:-build/voxc}
cc=aarch64-linux-gnu-gcc
for tool in "$cc" qemu-aarch64; do
    command -v "$tool" >/dev/null || { echo "arm: $tool is not installed" && exit 77; }
done
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
emulate() { qemu-aarch64 -L /usr/aarch64-linux-gnu "$@"; }

flags='-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wshadow -Werror'
flags="$flags $(sed -n '1s,^// flags: ,,p' tests/test_kernels.c)"
# shellcheck disable=SC2086 # the flags are words
$cc $flags -DKERNELS_SHARE=30 -Itests/cross -Iruntime/core -Iruntime/cpu -Iruntime/shared \
    -o "$out/test_kernels" tests/test_kernels.c runtime/core/vox_weights.c -lm
emulate "$out/test_kernels"

# The same sources twice, because a bundle's objects stand in its folder.
m=unet3d_small
"$voxc" compile models/$m.yaml --init 1 --golden -o "$out/arm"
cp -R "$out/arm" "$out/here"
make -s -C "$out/here" CFLAGS='-O0 -w' ISAS=baseline
make -s -C "$out/arm" CC=$cc CFLAGS='-O3 -Werror' | tee "$out/make.txt"
grep -q 'built without NIfTI files' "$out/make.txt"
ls "$out/arm/build/${m}_kernels_neon.o"
emulate "$out/arm/$m" info >"$out/info.txt"
grep '^isa  *neon$' "$out/info.txt"
emulate "$out/arm/$m" selftest
"$out/here/$m" run "$out/here/golden/input_0.npy" "$out/here.npy"
emulate "$out/arm/$m" run "$out/arm/golden/input_0.npy" "$out/arm.npy"

# numbers FILE: a float32 .npy's values, one a line, after its header of 128 bytes.
numbers() { od -An -v -w4 -t f4 -j 128 "$1"; }
numbers "$out/here.npy" >"$out/here.txt"
numbers "$out/arm.npy" | paste - "$out/here.txt" | awk '
    {d += ($1 - $2) ^ 2; s += $2 ^ 2}
    END {e = sqrt(d / s); printf "%d outputs, relative RMS difference %.3g\n", NR, e; exit !(NR > 100 && e <= 2e-6)}'
