#!/bin/sh
# Everything that `make test` checks, one line per step with its time; the last line counts. Exit status 1 when
# anything failed. A step's full output stays in build/test-logs/.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL CC CFLAGS LDFLAGS BUILD VOX_ISA
logs=build/test-logs
passed=0 failed=0 skipped=0
started=$(date +%s)

sh scripts/setup.sh test || exit 1
rm -rf "$logs"
mkdir -p "$logs"
jobs=$(nproc)

now() { date +%s%3N; }

# report WORD NAME MILLISECONDS [TEXT]
report() { printf '%-7s %6d.%d s  %s%s\n' "$1" $(($3 / 1000)) $(($3 % 1000 / 100)) "$2" "${4:+: $4}"; }

# step NAME COMMAND...: exit status 77 means skipped; the command's last line says why.
step() {
    name=$1 && shift
    begun=$(now) status=0
    "$@" >"$logs/$name.log" 2>&1 </dev/null || status=$?
    took=$(($(now) - begun))
    case $status in
    0)
        passed=$((passed + 1)) && report ok "$name" $took
        grep '^note: ' "$logs/$name.log" | sed 's/^/    /'
        ;;
    77) skipped=$((skipped + 1)) && report skipped "$name" $took "$(tail -n 1 "$logs/$name.log")" ;;
    *)
        failed=$((failed + 1))
        report FAILED "$name" $took "exit status $status; the end of $logs/$name.log:"
        tail -n 40 "$logs/$name.log" | cut -c1-300 | sed 's/^/    /'
        ;;
    esac
    return $status
}

# The number in cmocka's "[  WORD  ] N test(s)" line of the log $2, 0 without one.
count() { sed -n "s/^\[  $1  \] \([0-9]*\) test(s).*/\1/p" "$2" | awk '{n = $1} END {print n + 0}'; }

# program LABEL PATH: reports a cmocka program that has run; each of its tests counts.
program() {
    name=$1.$(basename "$2")
    log=$logs/$name.log
    read -r status took <"$log.status"
    p=$(count PASSED "$log") f=$(count FAILED "$log") s=$(count SKIPPED "$log")
    [ "$status" = 0 ] || [ "$f" != 0 ] || f=1 # it crashed, or a group's setup failed
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    if [ "$f" = 0 ]; then
        report ok "$name" "$took" "$p passed, $s skipped"
    else
        report FAILED "$name" "$took" "$p passed, $f failed, $s skipped, exit status $status; from $log:"
        grep -v -e '^\[ RUN' -e '^\[       OK' "$log" | tail -n 40 | cut -c1-300 | sed 's/^/    /'
    fi
    grep '^skipped: ' "$log" | sort -u | sed 's/^/    /'
}

# suite LABEL FOLDER: every test program of a build, one per processor at a time.
suite() {
    programs=$(for source in tests/test_*.c; do echo "$2/${source%.c}"; done)
    # shellcheck disable=SC2016 # for the inner shell
    echo "$programs" | LOGS=$logs LABEL=$1 VOXC=$2/voxc xargs -P "$jobs" -n 1 sh -c '
        log=$LOGS/$LABEL.$(basename "$0").log begun=$(date +%s%3N) status=0
        timeout 600 "$0" >"$log" 2>&1 </dev/null || status=$?
        echo "$status $(($(date +%s%3N) - begun))" >"$log.status"'
    for test in $programs; do program "$1" "$test"; done
}

step build make -s -j"$jobs" all tests || exit 1
step peers sh scripts/peers.sh build/peers
suite gcc build
step sanitizers-build make -s -j"$jobs" asan && suite sanitizers build/asan
step clang-build make -s -j"$jobs" clang
step layers make layers
step format make format-check
step golden make golden-check
step docs sh tests/docs.sh
step install sh tests/install.sh
step valgrind make valgrind
step arm sh tests/arm.sh
step gpusim sh tests/gpusim.sh
step models sh tests/models.sh
step streams sh tests/streams.sh
step peers-compare sh tests/peers.sh
step networks sh tests/networks.sh
step cuda-plans sh tests/cuda/plans.sh build
step cuda-static sh tests/cuda/static.sh
step cuda-kernels sh tests/cuda/kernels.sh
step cuda-bundles sh tests/cuda/bundles.sh build/voxc
step gpu-check sh tests/cuda/gpu-check-test.sh build/voxc

echo "total $(($(date +%s) - started)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
