#!/bin/sh
# `segment --mpi`: 1 to 4 processes against one without MPI, and a job that is killed and taken up again, with the
# program of tests/test_segment_many.c built by mpicc. Skips in a line where there is no Open MPI or no HDF5 for it.
set -eu
cd "$(dirname "$0")/.."
hdf5=/usr/include/hdf5/openmpi
command -v mpicc >/dev/null && command -v mpirun >/dev/null && [ -e "$hdf5/hdf5.h" ] || {
    echo 'mpi: skipped: Open MPI or its HDF5 is missing (sh scripts/setup.sh mpi)'
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
out=build/mpi
mkdir -p "$out"
for file in tests/test_segment_many.c runtime/program/*.c runtime/shared/*.c runtime/core/*.c runtime/volume/*.c; do
    object=$out/$(echo "$file" | tr / _).o
    [ "$object" -nt "$file" ] && [ -z "$(find runtime tests/*.h -name '*.h' -newer "$object" | head -1)" ] && continue
    mpicc -std=c11 -D_GNU_SOURCE -Wall -Wextra -Wconversion -Wshadow -Werror -O1 -Iruntime/shared -Iruntime/core \
        -Iruntime/volume -Iruntime/program -Itests -isystem /usr/include/nifti -isystem "$hdf5" -DVOX_WITH_NIFTI \
        -DVOX_WITH_ZLIB -DVOX_WITH_HDF5 -DVOX_WITH_MPI -c -o "$object" "$file"
done
mpicc -o "$out/program" "$out"/*.o -lcmocka -lnifti2 -lznz -lpng -lhdf5_openmpi -lz -lm -lpthread
program=$PWD/$out/program
cd "$work"
export FAKE_MODEL=fake_box OMPI_MCA_rmaps_base_oversubscribe=1
head -c 128 /dev/zero | tr '\0' w >w
one() { "$program" segment --weights w --threads 1 "$@"; }
job() { # PROCESSES ARGUMENTS
    n=$1
    shift
    timeout 100 mpirun --allow-run-as-root --oversubscribe -n "$n" "$program" segment --weights w --threads 1 --mpi "$@"
}
die() {
    echo "mpi: $*" >&2
    exit 1
}

# 29x41x40 bytes of noise through the network, so that there are both labels, as an HDF5 volume.
{
    printf '\223NUMPY\001\000v\000%-117s\n' "{'descr': '|u1', 'fortran_order': False, 'shape': (40, 41, 29), }"
    awk 'BEGIN { srand(3); for (i = 0; i < 40 * 41 * 29; i++) printf "%c", rand() < 0.24 ? 1 : 65 }' | tr A '\000'
} >noise.npy
one noise.npy -o in.h5:/raw -q
one in.h5:/raw -o one.npy -q
[ "$(tail -c 47560 one.npy | od -An -v -tu1 -w1 | sort -u | wc -l)" -gt 1 ] || die 'the labels are all the same'
for n in 1 2 3 4; do
    job "$n" in.h5:/raw -o "out$n.h5:/some/labels" -q || die "$n processes failed"
    one "out$n.h5:/some/labels" -o again.npy -q # of equal labels come equal ones
    one one.npy -o once.npy -q
    cmp again.npy once.npy || die "$n processes give other labels"
    "$program" score "out$n.h5" one.npy --json >score.json 2>/dev/null
    grep -q '"dice"' score.json || die "no scores: $(cat score.json)"
    grep '"dice"' score.json | grep -v '"dice": 1.000000' && die "$n processes give other labels: $(cat score.json)"
done
cmp out1.h5 out4.h5 || die '1 and 4 processes write other bytes'

# A rank, then the whole job, is killed; the next one goes on.
for victim in rank job; do
    rm -f runs k.h5*
    FAKE_SLOW=20000 job 3 in.h5:/raw -o k.h5:/some/labels -q >log 2>&1 &
    for wait in $(seq 100); do
        sleep 0.1
        [ "$(cat k.h5.rank*.part 2>/dev/null | wc -c)" -gt 20000 ] && break
    done
    ranks=$(ps -eo pid,args | awk -v p="$program" '$2 == p { print $1 }')
    [ -n "$ranks" ] || die "the job was over too early: $(cat log)"
    # shellcheck disable=SC2086 # a list
    if [ "$victim" = rank ]; then kill -9 "${ranks##*
}"; else kill -9 $ranks; fi
    wait $! && die 'a job whose process was killed succeeded'
    [ ! -e k.h5 ] || die 'a job that was killed left an output'
    rm runs
    job 3 in.h5:/raw -o k.h5:/some/labels --resume -q || die 'the job was not taken up again'
    cmp k.h5 out1.h5 || die 'a job that was taken up again writes other bytes'
    ls k.h5.* 2>/dev/null && die 'left behind'
    again=$(wc -c <runs)
    rm runs
    job 3 in.h5:/raw -o whole.h5:/some/labels -q
    [ "$again" -lt "$(wc -c <runs)" ] || die 'a job that was taken up again computed everything anew'
done
code=0
job 2 gone.h5:/raw -o x.h5 -q 2>log || code=$?
[ "$code" = 2 ] && [ "$(grep -c error: log)" = 1 ] || die "a missing volume: exit code $code, $(cat log)"
echo 'mpi: 1 to 4 processes equal one, and killed jobs go on'
