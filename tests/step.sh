#!/bin/sh
# Runs one step of `make test`: sh tests/step.sh NAME COMMAND...
#
# Prints a line with its time, and the end of its output when it fails; all output goes to build/test-logs/NAME.log, and
# "passed failed skipped" to NAME.count. A step counts as one, a cmocka program as its tests. Exit status 77 of the
# command means skipped; its last line says why. Fails when the command does.
set -u
name=$1 && shift
log=build/test-logs/$name.log
begun=$(date +%s%3N) status=0
"$@" >"$log" 2>&1 </dev/null || status=$?
took=$(($(date +%s%3N) - begun))

# The number in cmocka's "[  WORD  ] N test(s)" line, 0 without one.
count() { sed -n "s/^\[  $1  \] \([0-9]*\) test(s).*/\1/p" "$log" | awk '{n = $1} END {print n + 0}'; }

passed=0 failed=0 skipped=0 text=
if grep -q '^\[==========\] ' "$log"; then
    passed=$(count PASSED) failed=$(count FAILED) skipped=$(count SKIPPED)
    text="$passed passed, $skipped skipped"
    [ $status = 0 ] || [ "$failed" != 0 ] || failed=1 # it crashed, or a group's setup failed
else
    case $status in
    0) passed=1 ;;
    77) skipped=1 text=$(tail -n 1 "$log") ;;
    *) failed=1 ;;
    esac
fi
word=ok
[ "$skipped" = 0 ] || [ "$passed" != 0 ] || word=skipped
[ "$failed" = 0 ] || word=FAILED text="$failed failed, exit status $status; the end of $log:"
echo "$passed $failed $skipped" >"build/test-logs/$name.count"

report=$(
    printf '%-7s %6d.%d s  %s%s\n' $word $((took / 1000)) $((took % 1000 / 100)) "$name" "${text:+: $text}"
    [ "$failed" = 0 ] || grep -v -e '^\[ RUN' -e '^\[       OK' "$log" | tail -n 40 | cut -c1-300 | sed 's/^/    /'
    grep -e '^skipped: ' -e '^note: ' "$log" | sort -u | sed 's/^/    /'
)
echo "$report" # at once: other steps print at the same time
[ "$failed" = 0 ]
