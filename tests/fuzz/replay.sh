#!/bin/sh
# Runs each fuzz target, without libFuzzer, over its seeds and the finds that are kept: sh tests/fuzz/replay.sh BUILD,
# where BUILD holds sanitized fuzzers/ and tests/ (`make asan`). A target's last line names the input that broke.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$1 failed=0
seeds=$(mktemp -d)
# shellcheck disable=SC2064 # its value of now
trap "rm -rf '$seeds'" EXIT
python3 tests/fuzz/seeds.py build/voxc "$seeds" || exit 1
for source in tests/fuzz/fuzz_*.c; do
    target=$(basename "$source" .c | sed s/fuzz_//)
    every=1
    [ "$target" != onnx_whole ] || every=8 # hundreds of them, most of which differ for the reader only
    { find "$seeds/$target" -type f | sort | awk "NR % $every == 0" && find tests/fuzz/finds/"$target" -type f 2>/dev/null; } >"$seeds/list"
    if xargs "$build/fuzzers/$target" <"$seeds/list" >"$seeds/log" 2>"$seeds/errors"; then
        echo "ok: $target, $(wc -l <"$seeds/list") inputs"
    else
        echo "FAILED: $target, $(tail -n 1 "$seeds/log"):"
        grep -v '^error: \|^warning: ' "$seeds/errors" | head -n 30
        failed=1
    fi
done
exit $failed
