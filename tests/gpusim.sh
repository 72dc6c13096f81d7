#!/bin/sh
# The simulated GPU's own tests: it computes what the host computes, from the PTX for several architectures, and
# catches what it says that it catches. Skipped (exit status 77) without nvcc or cuDNN.
set -eu
cd "$(dirname "$0")/.."

build=${BUILD:-build}
cuda=${CUDA:-/usr/local/cuda}
out=$build/gpusim/tests
library=$PWD/$build/gpusim/libgpusim.so

[ -x "$cuda/bin/nvcc" ] && [ -f "$cuda/include/cudnn.h" ] || {
    echo "nvcc or cuDNN is not in $cuda"
    exit 77
}
make -s -j2 BUILD="$build" CUDA="$cuda" gpusim
mkdir -p "$out"
export LD_LIBRARY_PATH="$PWD/$build/gpusim:$cuda/lib64"
failed=0

# compile NAME ARCHITECTURE SOURCE FLAGS...
compile() {
    name=$1 arch=$2 source=$3 && shift 3
    "$cuda/bin/nvcc" -cudart shared -Werror all-warnings -gencode "arch=compute_$arch,code=compute_$arch" "$@" \
        -o "$out/$name" "tests/gpusim/$source"
}

# expect STATUS TEXT COMMAND...: the command ends with the status and its output has the text.
expect() {
    status=$1 text=$2 got=0 && shift 2
    LD_PRELOAD=$library env "$@" >"$out/log" 2>&1 || got=$?
    if [ "$got" = "$status" ] && { [ -z "$text" ] || grep -q -e "$text" "$out/log"; }; then return; fi
    echo "FAILED: $*: exit status $got, not $status, or no \"$text\" in:"
    tail -n 5 "$out/log"
    failed=$((failed + 1))
}

for arch in 75 80 90 121; do
    compile "kernels_$arch" $arch test_kernels.cu
    expect 0 '^0 failures' "$out/kernels_$arch"
done
expect 0 '^0 failures' GPUSIM_EAGER=1 GPUSIM_THREADS=3 "$out/kernels_80"
expect 0 '^0 failures' GPUSIM_REVERSE=1 "$out/kernels_80"
for mode in none speed; do # the default is zstd
    compile kernels_packed 80 test_kernels.cu -compress-mode=$mode
    expect 0 '^0 failures' "$out/kernels_packed"
done

compile misuse 80 test_misuse.cu
while IFS=: read -r name status text; do
    expect "$status" "$text" GPUSIM_DEVICES=2 GPUSIM_THREADS=1 "$out/misuse" "$name"
done <<'CASES'
nothing:0:no error
behind:86:out-of-bounds write of 4 bytes.*0 bytes behind the end of device buffer
before:86:out-of-bounds write of 4 bytes.*bytes before device buffer
vectors:86:thread (16,0,0): out-of-bounds write of 16 bytes
misaligned:86:misaligned write of 4 bytes
divergent-lanes:86:divergent barrier
divergent-warps:86:divergent barrier
different-barriers:86:divergent barrier
shared-behind:86:out-of-bounds write of 4 bytes at 256 of 256 bytes of shared memory
shared-unwritten:86:read of shared memory that was never written
shared-race:86:data race on shared memory
lonely-shuffle:86:names every lane that must take part
stops:86:the kernel stops itself
host-pointer:86:out-of-bounds read.*host memory
pinned-pointer:86:write of host memory
unwritten:86:read of memory that was never written: byte 0 of device buffer
freed:86:which is freed
freed-twice:86:cannot be freed
long-copy:86:reach past the end
wrong-direction:86:is not device memory
blocks-write:86:data race on global memory: write of what another block
blocks-read:86:data race on global memory
host-access:139:
missing-wait:86:read of memory that was never written
missing-synchronize:3:
dead-stream:86:after it was destroyed
other-device:86:of memory of device
leak-memory:87:1 device allocations left
leak-event:87:1 events left
leak-graph:87:1 graphs left
allocate-in-capture:4:
large-block:5:
CASES

# Whether nothing orders two accesses does not depend on the order in which they happen to be.
for seed in 1 2 3; do
    while IFS=: read -r name status text; do
        expect "$status" "$text" GPUSIM_SEED=$seed GPUSIM_THREADS=1 "$out/misuse" "$name"
    done <<'CASES'
branches-apart:0:no error
branches-write:86:data race between streams or branches: .*copy.* writes what .*copy.* writes
branches-read:86:data race between streams or branches
streams-wait:0:no error
streams-race:86:data race between streams or branches: cudaMemsetAsync writes what cudaMemsetAsync writes
host-waits:0:no error
CASES
done
expect 0 '^0 failures' GPUSIM_SEED=1 "$out/kernels_80"

compile faults 80 test_faults.cu
expect 0 'no error' GPUSIM_COUNT=1 "$out/faults"
calls=$(sed -n 's/^gpusim: \([0-9]*\) calls$/\1/p' "$out/log")
for n in $(seq 1 "$calls"); do expect 1 "call $n, .* fails as asked" GPUSIM_FAIL="$n" "$out/faults"; done

expect 1 'call .*, cudaMemcpyAsync, fails as asked' GPUSIM_FAIL=cudaMemcpyAsync:1 "$out/faults"

"${CC:-gcc}" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -isystem "$cuda/include" -o "$out/cudnn" \
    tests/gpusim/test_cudnn.c -L"$cuda/lib64" -lcudnn -lcudart -lm
expect 0 '^0 failures' "$out/cudnn"
expect 86 'overlaps its workspace' "$out/cudnn" workspace-overlap
expect 86 "workspace: .* bytes at .* reach past the end" "$out/cudnn" workspace-short
expect 86 'never written' "$out/cudnn" unwritten
expect 86 'not aligned' "$out/cudnn" misaligned
expect 86 'overlap' "$out/cudnn" in-place

[ "$failed" = 0 ]
