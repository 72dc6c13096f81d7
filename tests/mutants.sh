#!/bin/sh
# Faults that tests must find: the files of tests/mutants/ break one property of the product after the other. A mutant is
# a paragraph:
#
#   [name-of-the-property]
#   what: which property it breaks, in a line
#   test: test_PROGRAM TEST      (names with * and ?), or a COMMAND, run in the tree's root after `make all`
#   - what stands in one line of the product's sources, and in no other
#   + what stands there instead
#
# An edit is found wherever it stands, so that lines may move and files be renamed. There may be several. What stands in
# many lines is the first behind the only one that has what "after: " says. The test must be quick, and compare with more
# than a golden; "static assertion" says that the sources must not compile.
#
#   sh tests/mutants.sh [NAME...]     builds and tests each (or those whose names match) in copies of the tree
#   sh tests/mutants.sh --check       only that each edit is found and names a test that is there
#
# A test that does not pass on the unbroken copy, or is skipped there (exit status 77), proves nothing: it ends the run.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
: "${ROOT:=$PWD}" # of the tree that the mutants are of
work=$ROOT/build/mutants

# ---- a mutant: its paragraph in $work/list/NAME ------------------------------------------------------------------

head_of() { sed -n "s/^$1: //p" "$work/list/$2"; }

# each_edit NAME FUNCTION: calls FUNCTION with what it stands behind or nothing, OLD and NEW
each_edit() {
    after=
    while IFS= read -r line; do
        case $line in
        'after: '*) after=${line#after: } ;;
        '- '*) old=${line#- } ;;
        '+') $2 "$after" "$old" '' ;;
        '+ '*) $2 "$after" "$old" "${line#+ }" ;;
        esac
    done <"$work/list/$1"
}

# place AFTER OLD: "FILE:LINE" of each line that it may be
place() {
    if [ -z "$1" ]; then
        grep -rnF -- "$2" compiler codegen ir runtime | cut -d: -f1,2
        return
    fi
    behind=$(place '' "$1")
    [ "$(echo "$behind" | wc -l)" = 1 ] && grep -nF -- "$2" "${behind%:*}" |
        awk -F: -v row="${behind#*:}" -v file="${behind%:*}" '$1 > row + 0 {print file ":" $1; exit}'
}

check_edit() {
    found=$(place "$1" "$2" | wc -l)
    edits=$((edits + 1))
    [ "$found" = 1 ] || complain "$name: found $found times, not once: $2"
}

make_edit() {
    at=$(place "$1" "$2")
    file=${at%:*}
    OLD=$2 NEW=$3 awk -v row="${at#*:}" '
        NR == row {at = index($0, ENVIRON["OLD"]); $0 = substr($0, 1, at - 1) ENVIRON["NEW"] substr($0, at + length(ENVIRON["OLD"]))}
        {print}' "$file" >"$tree.edited" && cat "$tree.edited" >"$file"
    echo "$file" >>"$tree.files"
}

# The program of a test that is one of the tree's, nothing for a command.
program_of() { case $1 in 'static assertion') echo build/tests/test_numbers ;; test_*) echo "build/tests/${1%% *}" ;; esac; }

# What a mutant's test is run by, and what is built for it. Nothing is optimised, and kernels meet a tenth of their
# random cases: it is builds that take the time.
build() { make -s -j"${JOBS:-1}" CFLAGS='-O0 -g0 -DKERNELS_SHARE=4' SLOW='-O3 -fexpensive-optimizations' all "$@"; }
run_test() {
    case $1 in
    'static assertion') ;;
    'test_'*' '*) TEST_FILTER=${1#* } timeout 120 "build/tests/${1%% *}" ;;
    'test_'*) timeout 120 "build/tests/$1" ;;
    *) timeout 240 sh -c "$1" ;;
    esac
}

complain() { echo "mutants: $*" && failed=$((failed + 1)); }
failed=0

# ---- a worker: sh tests/mutants.sh --work TREE NAME... ------------------------------------------------------------

kill_one() {
    test=$(head_of test "$1") log=$work/$1.log status=0
    : >"$tree.files"
    each_edit "$1" make_edit
    # shellcheck disable=SC2046 # one word or none
    if build $(program_of "$test") >"$log" 2>&1; then
        run_test "$test" >>"$log" 2>&1 </dev/null || status=$?
        # A bundle that does not compile would tell of any fault.
        case $status:$test:$(grep -m 1 -E '^[^ ]*\.(c|cu|h|cuh)(:[0-9]+|\([0-9]+\)).*: error' "$log") in
        0:*) echo "SURVIVES: $1: $(head_of what "$1"): $test" ;;
        77:*) echo "SKIPPED: $1: $test" ;;
        *:sh\ *:?*) echo "DOES NOT BUILD: $1: $(grep -m 1 ': error' "$log")" ;;
        *) echo "killed: $1: $test" ;;
        esac
    elif [ "$test" = 'static assertion' ] && grep -q 'static assertion failed' "$log"; then
        echo "killed: $1: $test"
    else
        echo "DOES NOT BUILD: $1: $(grep -m 1 ': error' "$log" || tail -n 1 "$log")"
    fi
    # Files go back in time: what was made of them must not stay.
    while read -r file; do cp "$ROOT/$file" "$file"; done <"$tree.files"
}

if [ "${1:-}" = --work ]; then
    tree=$2 && shift 2
    cd "$tree" || exit 1
    for name in "$@"; do kill_one "$name"; done
    exit
fi

# ---- all of them -------------------------------------------------------------------------------------------------

check_only=0
[ "${1:-}" != --check ] || { check_only=1 && shift; }
rm -rf "$work" && mkdir -p "$work/list" || exit 1
awk -v folder="$work/list/" '
    /^\[.*\]$/ {name = substr($0, 2, length($0) - 2); print name}
    name != "" && /^(what: |test: |after: |- |\+)/ {print >(folder name)}' tests/mutants/*.txt >"$work/names"
uniq -d <"$work/names" | grep . && complain 'two have one name'

names=
for name in $(cat "$work/names"); do
    wanted=$([ $# = 0 ] && echo yes)
    # shellcheck disable=SC2254 # they are patterns
    for pattern in "$@"; do case $name in $pattern) wanted=yes ;; esac; done
    [ "$wanted" ] || continue
    names="$names $name"
    edits=0 test=$(head_of test "$name")
    [ -n "$(head_of what "$name")" ] && [ -n "$test" ] || complain "$name: no what: or test:"
    case $test in test_*) [ -f "tests/${test%% *}.c" ] || complain "$name: there is no tests/${test%% *}.c" ;; esac
    case $test in # a test that a pattern finds begins with what stands before its first * or ?
    test_*' '*) case ${test#* } in [*?]*) ;; *) grep -qF "$(echo "${test#* }" | sed 's/[*?].*//')" "tests/${test%% *}.c" tests/*.h || complain "$name: there is no test ${test#* }" ;; esac ;;
    esac
    each_edit "$name" check_edit
    [ $edits -gt 0 ] || complain "$name changes nothing"
done
# shellcheck disable=SC2086 # names hold no spaces
set -- $names
[ $failed = 0 ] || exit 1
[ $check_only = 0 ] || { echo "$# mutants apply" && exit; }

# Copies of the tree, one per processor.
export ROOT
JOBS=$(nproc)
tree=$work/tree
mkdir -p "$tree/build/gpusim" || exit 1
git ls-files -z --cached --others --exclude-standard | xargs -0 cp -a --parents -t "$tree" || exit 1
[ ! -e build/gpusim ] || cp -a build/gpusim "$tree/build" || exit 1
for name in "$@"; do printf '%s\t%s\n' "$name" "$(head_of test "$name")"; done | sort -t "$(printf '\t')" -k 2 >"$work/plan"
cut -f 2 "$work/plan" | uniq >"$work/tests"
(
    cd "$tree" || exit 1
    # shellcheck disable=SC2046 # words
    build $(while read -r test; do program_of "$test"; done <"$work/tests" | uniq) || exit 1
    while read -r test; do
        run_test "$test" >"$work/unbroken.log" 2>&1 </dev/null
        case $?:$(sed -n 's/^\[  PASSED  \] \([0-9]*\) .*/\1/p' "$work/unbroken.log") in 0: | 0:[1-9]*) continue ;; esac
        echo "mutants: on the unbroken tree this fails, is skipped, or there is no such test: $test"
        tail -n 3 "$work/unbroken.log"
        exit 1
    done <"$work/tests"
) || exit 1
cut -f 1 "$work/plan" | split -n "r/$JOBS" - "$work/part." || exit 1
JOBS=1
export JOBS
for part in "$work"/part.*; do cp -a "$tree" "$work/tree.${part##*.}" || exit 1; done
for part in "$work"/part.*; do
    # shellcheck disable=SC2046 # names hold no spaces
    sh tests/mutants.sh --work "$work/tree.${part##*.}" $(cat "$part") &
done >"$work/said"
wait
grep -v '^killed' "$work/said"
killed=$(grep -c '^killed' "$work/said")
echo "$killed of $# mutants killed"
[ "$killed" = $# ]
