#!/bin/sh
# Compiles the kernels that bundles use (static.cu) for every architecture of the CUDA target, warnings and spills
# being errors, each of their headers alone, and compares registers and shared memory per kernel with the table
# tests/cuda/registers.txt. Of the architectures one per generation is compiled and compared; CUDA_ARCHS names others of
# them, "all" for all ten. UPDATE_REFS=1 compiles for all and rewrites the table.
set -u
cd "$(dirname "$0")/../.." || exit 1
PATH=$PATH:/usr/local/cuda/bin
command -v nvcc >/dev/null || { echo 'no nvcc: the kernels were not compiled'; exit 77; }
all='75 80 86 89 90 100 103 110 120 121'
archs=${CUDA_ARCHS:-75 80 90 120}
[ "$archs" != all ] && [ "${UPDATE_REFS:-0}" != 1 ] || archs=$all
golden=tests/cuda/registers.txt
out=build/cuda/static
rm -rf "$out" && mkdir -p "$out" || exit 1

# One compilation per architecture, device code only.
# shellcheck disable=SC2016 # for the inner shell
echo "$archs" | tr ' ' '\n' | OUT=$out xargs -P "$(nproc)" -I ARCH sh -c '
    nvcc -std=c++17 -Iruntime -Iruntime/core -Iruntime/shared -arch=sm_ARCH -cubin -Werror all-warnings -Xptxas -v,-warn-spills,-Werror \
        -o "$OUT/ARCH.cubin" tests/cuda/static.cu >"$OUT/ARCH.log" 2>&1 || { cat "$OUT/ARCH.log"; exit 1; }' || exit 1

# Each header alone: none may rely on what others include in front of it.
# shellcheck disable=SC2016 # for the inner shell
printf '%s\n' runtime/cuda/*.cuh | OUT=$out xargs -P "$(nproc)" -I HEADER sh -c '
    echo "#include \"HEADER\"" >"$OUT/$(basename HEADER).cu"
    nvcc -std=c++17 -I. -Iruntime -Iruntime/core -Iruntime/shared -arch=sm_90 -ptx -Werror all-warnings -o "$OUT/$(basename HEADER).ptx" \
        "$OUT/$(basename HEADER).cu" || exit 1' || exit 1

# From ptxas -v: one line "ARCH KERNEL|SHARED REGISTERS" per kernel and architecture.
for arch in $archs; do
    awk -v arch="$arch" '
        /Compiling entry function/ { split($0, part, "\047"); name = part[2] }
        /Used [0-9]+ registers/ {
            shared = 0
            for (i = 2; i <= NF; i++) {
                if ($i ~ /^registers/) registers = $(i - 1)
                if ($i ~ /^smem/) shared = $(i - 2)
            }
            print arch, name, shared, registers
        }' "$out/$arch.log"
done >"$out/mangled.txt"
[ -s "$out/mangled.txt" ] || { echo 'ptxas -v reported no kernel'; exit 1; }
awk '{ print $2 }' "$out/mangled.txt" | c++filt | sed -e 's/^void //' -e 's/>([^()]*)$/>/' -e 's/(vox_gpu_walk.*//' \
    -e 's/(vox_act)/act /; s/(vox_binary_op)/op /; s/(vox_gpu_reduction)/reduction /; s/([^()]*)$//' -e 's/ >/>/g' \
    -e 's/__nv_bfloat16/bf16/g; s/__half/f16/g; s/float/f32/g' >"$out/names.txt"

{
    echo "# Registers per thread by architecture, and static shared memory in bytes, of the kernels in static.cu:"
    echo "# ptxas -v of CUDA $(nvcc --version | sed -n 's/.*release [0-9.]*, V//p'). No kernel spills. Rewritten by UPDATE_REFS=1 sh tests/cuda/static.sh"
    printf '#%6s' shared
    for arch in $archs; do printf ' %4s' "$arch"; done
    echo '  kernel'
    paste -d '|' "$out/mangled.txt" "$out/names.txt" | awk -F '|' -v archs="$archs" '
        { split($1, f, " "); name = $2; shared[name] = f[3]; used[name, f[1]] = f[4]; seen[name] = 1 }
        END {
            n = split(archs, arch, " ")
            for (name in seen) {
                line = sprintf("%7d", shared[name])
                for (i = 1; i <= n; i++) line = line sprintf(" %4s", used[name, arch[i]])
                print line "  " name
            }
        }' | LC_ALL=C sort -k $((2 + $(echo "$archs" | wc -w)))
} >"$out/registers.txt"
kernels=$(grep -vc '^#' "$out/registers.txt")
most=$(awk '{ if ($4 > m) m = $4 } END { print m }' "$out/mangled.txt")

if [ "${UPDATE_REFS:-0}" = 1 ]; then cp "$out/registers.txt" "$golden"; fi
head -n 2 "$golden" >"$out/head.txt"
if ! head -n 2 "$out/registers.txt" | cmp -s - "$out/head.txt"; then
    echo "$kernels kernels without spills, $most registers at most; another compiler than that of $golden, not compared"
    exit 0
fi
# The table's columns of these architectures: 7 characters, 5 for each, the kernel.
awk -v archs="$archs" '
    NR < 3 { next }
    NR == 3 { n = split(archs, arch, " "); all = NF - 2; for (i = 2; i < NF; i++) at[$i] = 8 + 5 * (i - 2) }
    {
        line = substr($0, 1, 7)
        for (i = 1; i <= n; i++) line = line substr($0, at[arch[i]], 5)
        print line substr($0, 8 + 5 * all)
    }' "$golden" | LC_ALL=C sort >"$out/wanted.txt"
tail -n +3 "$out/registers.txt" | LC_ALL=C sort | diff -u "$out/wanted.txt" - ||
    { echo "registers or shared memory changed: UPDATE_REFS=1 sh tests/cuda/static.sh"; exit 1; }
echo "$kernels kernels for $(echo "$archs" | wc -w) architectures without spills, $most registers at most, as in $golden"
