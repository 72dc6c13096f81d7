#!/bin/sh
# `make demo`: installs what is missing, builds voxc, runs the paper's network on its tile, then segments a real head
# with a trained network. Everything it writes is under build/demo. Exit status 1 when a result is not what it should
# be, and when the trained network cannot be shown.
#
# DEEPBRAIN_PB=FILE names deepbrain's frozen graph (graph_v1.pb or graph_v2.pb) instead of fetching it.
# shellcheck disable=SC2086 # no path here holds spaces
set -eu
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS MAKELEVEL
out=build/demo
started=$(date +%s)

say() { printf '\n== %s\n' "$*"; }
run() {
    printf '$ %s\n' "$*"
    "$@"
}
# quietly LOG COMMAND...: shows the output only when the command fails.
quietly() {
    log=$1 && shift
    printf '$ %s\n' "$*"
    "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2 && exit 1; }
}
finish() {
    printf '\n== %s (%d s in all)\n' "$1" $(($(date +%s) - started))
    exit "$2"
}

sh scripts/setup.sh demo
mkdir -p $out

say 'The compiler'
quietly $out/make.log make -j"$(nproc)"
run build/voxc --version

say "The 3D U-Net of the paper (Cicek et al. 2016): YAML to C, seeded weights, one tile of 132x132x116 voxels"
run build/voxc compile models/unet3d.yaml --init 1 -o $out/unet3d
quietly $out/unet3d.log make -C $out/unet3d
run $out/unet3d/unet3d info
run $out/unet3d/unet3d selftest
run $out/unet3d/unet3d bench --iterations 2

say 'A trained network: deepbrain, brain extraction from a T1 head'
if [ -n "${DEEPBRAIN_PB:-}" ]; then
    graph=$DEEPBRAIN_PB
else
    graph=$(python3 scripts/deepbrain.py fetch $out 2>$out/fetch.log) ||
        { cat $out/fetch.log >&2 && finish "Failed: the trained network cannot be shown; its weights may be given with DEEPBRAIN_PB=FILE; $(tail -n 1 $out/fetch.log)" 1; }
    cat $out/fetch.log >&2
fi
templates=$(dpkg -L mricron-data 2>/dev/null | sed -n 's,/ch2\.nii\.gz$,,p')
[ -n "$templates" ] || finish "Failed: the trained network cannot be shown; Debian's mricron-data, which holds the head ch2, is not installed" 1

version=$(python3 scripts/deepbrain.py convert "$graph" $out/deepbrain.safetensors)
case $version in # the same weights reach 0.9478 and 0.9295 in ONNX Runtime
v2) model=deepbrain floor=0.945 ;;
v1) model=deepbrain_v1 floor=0.927 && echo 'deepbrain v1, with half the channels of v2, stands in for it: expect a Dice of 0.93, not 0.948' ;;
esac
run build/voxc compile models/$model.yaml --weights $out/deepbrain.safetensors -o $out/$model
quietly $out/$model.log make -C $out/$model
run $out/$model/$model segment "$templates/ch2.nii.gz" -o $out/ch2_brain.nii.gz --overlay $out/ch2_brain.png
run $out/$model/$model score --binary --fill-holes $out/ch2_brain.nii.gz "$templates/ch2bet.nii.gz" >$out/score.txt
cat $out/score.txt

echo "labels:  $out/ch2_brain.nii.gz"
echo "picture: $out/ch2_brain.png"
dice=$(awk '$1 == 1 {print $2}' $out/score.txt)
if awk -v dice="$dice" -v floor=$floor 'BEGIN {exit !(dice >= floor)}'; then
    finish "Done: Dice $dice, at least $floor demanded" 0
fi
finish "Failed: Dice ${dice:-unknown}, at least $floor demanded" 1
