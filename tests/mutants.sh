#!/bin/sh
# Faults that tests must find. Each tests/mutants/NAME.patch breaks one property of the product, and names in its head
# the quick test that must fail with it:
#
#   what: which property, in a line
#   test: COMMAND, run in the tree's root after `make all`
#
#   sh tests/mutants.sh [NAME...]     builds and tests each (or those of the names) in a copy of the tree, one by one
#   sh tests/mutants.sh --check       only that each patch still applies and names a test
#
# A test that does not pass on the unbroken copy, or is skipped there (exit status 77), proves nothing: it ends the run.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL
root=$PWD
failed=0
complain() { echo "mutants: $*" && failed=$((failed + 1)); }
head_of() { sed -n "s/^$1: //p;/^---/q" "$root/tests/mutants/$2.patch"; }

check_only=0
[ "${1:-}" != --check ] || { check_only=1 && shift; }
if [ $# = 0 ]; then
    # shellcheck disable=SC2046 # names hold no spaces
    set -- $(for patch in tests/mutants/*.patch; do basename "$patch" .patch; done)
fi

for name in "$@"; do
    [ -n "$(head_of what "$name")" ] && [ -n "$(head_of test "$name")" ] || complain "$name: no what: or test: in its head"
    patch -p1 --dry-run -F0 -f -s <"tests/mutants/$name.patch" >/dev/null 2>&1 ||
        complain "$name: the patch does not apply any more: make it anew"
done
if [ $check_only = 1 ] || [ $failed != 0 ]; then
    [ $failed = 0 ] && echo "$# mutants apply"
    exit $failed
fi

# A copy with what has been built, so that only what a patch touches is built again.
copy=$root/build/mutants/tree
rm -rf build/mutants && mkdir -p "$copy/build" || exit 1
git ls-files -z --cached --others --exclude-standard | xargs -0 cp -a --parents -t "$copy" || exit 1
for made in obj gen gpusim libvoxc.a libprogram.a libruntime.a voxc; do
    [ ! -e "build/$made" ] || cp -a "build/$made" "$copy/build" || exit 1
done
cd "$copy" || exit 1
make -s all || exit 1

passed= # tests that pass on the unbroken copy, one a line
# proves COMMAND: it passes there
proves() {
    echo "$passed" | grep -qxF "$1" && return
    sh -c "$1" >"$root/build/mutants/unbroken.log" 2>&1 || {
        echo "mutants: on the unbroken tree this fails, or is skipped: $1"
        tail -n 3 "$root/build/mutants/unbroken.log"
        exit 1
    }
    passed="$passed
$1"
}

for name in "$@"; do
    test=$(head_of test "$name") log=$root/build/mutants/$name.log status=0
    proves "$test"
    patch -p1 -F0 -s <"$root/tests/mutants/$name.patch" || exit 1
    if make -s all >"$log" 2>&1; then
        sh -c "$test" >>"$log" 2>&1 || status=$?
        case $status:$(grep -cE '(:[0-9]+|\([0-9]+\)): error' "$log") in
        *:[1-9]*) complain "$name does not build: $(grep -m 1 -E '(:[0-9]+|\([0-9]+\)): error' "$log")" ;;
        0:*) complain "$name survives: $(head_of what "$name"): $test" ;;
        77:*) complain "$name: skipped: $test" ;;
        *) echo "killed: $name: $(tail -n 1 "$log" | cut -c1-150)" ;;
        esac
    else
        complain "$name does not build: $(tail -n 1 "$log")"
    fi
    patch -p1 -R -F0 -s <"$root/tests/mutants/$name.patch" || exit 1
    # Files go back in time: what was made of them must not stay.
    sed -n 's,^--- a/,,p' "$root/tests/mutants/$name.patch" | xargs touch
done
make -s all || exit 1
[ $failed = 0 ] && echo "$# mutants killed"
