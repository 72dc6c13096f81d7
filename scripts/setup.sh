#!/bin/sh
# Installs the Debian packages that voxc needs and that are not there yet; says which before it does.
#
#   sh scripts/setup.sh [--check] [build | demo | test | page | mpi | bench]
#
# build: what `make` needs (default). demo, test, bench: what `make demo`, `make test` and `make bench` need besides.
# test also installs what reads and writes image files of other formats than NIfTI, and, where they can be had, a
# compiler and an emulator for AArch64, without which a step is skipped, and ccache, without which the tests take longer;
# and libFuzzer, which `make fuzz` needs.
# page: Chromium (300 MB), in which `make test` then opens the page that segment writes; without it that step is skipped.
# mpi: Open MPI and its HDF5 (100 MB), with which bundles build `segment --mpi` and `make test` tests it.
# --check only reports; exit status 1 when something is missing.
set -eu

build='make gcc libc6-dev libyaml-dev libprotobuf-c-dev protobuf-c-compiler libonnx-dev'
program='libnifti2-dev libpng-dev zlib1g-dev'
formats='libtiff-dev libhdf5-dev libdeflate-dev dcm2niix'
demo='mricron-data python3 python3-venv ca-certificates'
tests='g++ clang clang-format cmake valgrind libcmocka-dev libonnx-testdata'
emulation='gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user'
cache=ccache
fuzzing=libclang-rt-14-dev
browser='chromium python3'
parallel='openmpi-bin libopenmpi-dev libhdf5-openmpi-dev'
bench='g++ python3 python3-venv ca-certificates libdnnl-dev'

check=no
packages=$build
optional=
for argument in "$@"; do
    case $argument in
    --check) check=yes ;;
    build) packages=$build ;;
    demo) packages="$build $program $demo" ;;
    test) packages="$build $program $formats $demo $tests" optional="$emulation $cache $fuzzing" ;;
    page) packages=$browser ;;
    mpi) packages=$parallel ;;
    bench) packages="$build $bench" ;;
    *)
        echo "setup: unknown argument $argument; usage: sh scripts/setup.sh [--check] [build | demo | test | page | mpi | bench]" >&2
        exit 2
        ;;
    esac
done

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "setup: this is not Debian; install by hand what Debian calls: $packages"
    [ $check = no ] # whoever has them under other names can go on; the compiler names what it misses
    exit
fi

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -q '^installed'; }
absent() {
    for package in "$@"; do
        installed "$package" || printf ' %s' "$package"
    done
}
# shellcheck disable=SC2086 # the lists are words
missing=$(absent $packages) extra=$(absent $optional)
if [ -z "$missing$extra" ]; then
    echo "setup: everything is installed already"
    exit 0
fi
if [ $check = yes ]; then
    [ -z "$extra" ] || echo "setup: missing, but not required:$extra"
    [ -n "$missing" ] || exit 0
    echo "setup: missing:$missing"
    exit 1
fi

as_root=
if [ "$(id -u)" != 0 ]; then
    as_root=sudo
    if ! command -v sudo >/dev/null; then
        echo "setup: missing:$missing$extra" >&2
        [ -n "$missing" ] || exit 0
        echo "setup: neither root nor sudo here; as root run:" >&2
        echo "    apt-get update && apt-get install --no-install-recommends -y$missing" >&2
        exit 1
    fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# apt, quietly: its output is shown only when it fails.
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -o DPkg::Lock::Timeout=300 -qq "$@" >"$log" 2>&1 </dev/null
}

echo "setup: will install with ${as_root:+sudo }apt-get:$missing$extra"
apt update || { tail -n 3 "$log" >&2 && echo "setup: apt-get update failed; trying with the lists that are there" >&2; }
# shellcheck disable=SC2086 # the list is words
if [ -n "$missing" ] && ! apt install --no-install-recommends -y $missing; then
    tail -n 20 "$log" >&2
    echo "setup: apt-get could not install them (its last words are above)" >&2
    exit 1
fi
# shellcheck disable=SC2086
if [ -n "$extra" ] && ! apt install --no-install-recommends -y $extra; then
    echo "setup: apt-get could not install$extra; the tests that need them are skipped"
    exit 0
fi
echo "setup: installed"
