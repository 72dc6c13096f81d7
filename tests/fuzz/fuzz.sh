#!/bin/sh
# make fuzz: builds the fuzz targets with libFuzzer and sanitizers, and runs each on the inputs of seeds.py and on what
# earlier runs kept in build/fuzz/corpus. As many at a time as there are processors, or JOBS.
#
#   sh tests/fuzz/fuzz.sh SECONDS [TARGET...]
#
# Exit status 1 after a find: its input is build/fuzz/finds/TARGET-*, its report the end of build/fuzz/logs/TARGET.
# `build/fuzz/fuzzers/TARGET FILE` shows it again. Once it is mended, the input stays under a name that says what broke:
# tests/fuzz/finds/TARGET/NAME, which `make test` runs (replay.sh).
set -u
cd "$(dirname "$0")/../.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
build=build/fuzz
jobs=${JOBS:-$(nproc)}

# The sanitizers' share of memory and time is part of the limits. A small quarantine keeps pages warm.
one() {
    target=$1 seconds=$2 found=0
    mkdir -p $build/corpus/"$target" $build/seeds/"$target"
    ASAN_OPTIONS=quarantine_size_mb=16 $build/fuzzers/"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=1024 -malloc_limit_mb=1024 -close_fd_mask=3 \
        -print_final_stats=1 -artifact_prefix=$build/finds/"$target"- $build/corpus/"$target" $build/seeds/"$target" \
        "$(kept "$target")" >$build/logs/"$target" 2>&1 || found=1
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' $build/logs/"$target")
    report=$(grep -a -m 1 -e '^SUMMARY' -e 'ERROR' $build/logs/"$target")
    printf '%-6s %9s executions  %s%s\n' "$([ $found = 0 ] && echo ok || echo FOUND)" "${runs:-?}" "$target" "${report:+: $report}"
    return $found
}
# Finds that were mended are good seeds.
kept() { if [ -d tests/fuzz/finds/"$1" ]; then echo tests/fuzz/finds/"$1"; else echo $build/corpus/"$1"; fi; }

if [ "${1:-}" = --one ]; then one "$2" "$3" && exit; exit 1; fi
seconds=$1 && shift
[ $# -gt 0 ] || set -- $(for source in tests/fuzz/fuzz_*.c; do basename "$source" .c | sed s/fuzz_//; done)

mkdir -p $build/finds $build/logs
echo 'int LLVMFuzzerTestOneInput(const char *d, long n) { return d && n < 0; }' |
    clang -fsanitize=fuzzer -x c -o $build/probe - 2>$build/logs/probe ||
    { echo 'fuzz: clang has no libFuzzer here; install it with: sh scripts/setup.sh test' >&2 && exit 1; }
make -s -j"$jobs" BUILD=$build CC=clang FUZZ_MAIN=-fsanitize=fuzzer \
    CFLAGS='-O1 -g -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' fuzzers || exit 1
python3 tests/fuzz/seeds.py build/voxc $build/seeds || exit 1
printf '%s\n' "$@" | xargs -P "$jobs" -I{} sh tests/fuzz/fuzz.sh --one {} "$seconds" || exit 1
