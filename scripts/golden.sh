#!/bin/sh
# Writes the golden bundles of generated/ with the compiler $1; with --check compares instead and shows what differs.
# Goldens are text: weight files and other binary files stay out of them; so do the copies of runtime/, and their hashes in
# the manifest, which would change with every kernel.
set -eu
check=no
[ "${1:-}" != --check ] || { check=yes && shift; }
voxc=${1:?usage: sh scripts/golden.sh [--check] VOXC}
models='unet3d unet3d_small unet3d_small_cuda' # MODEL_cuda: for the GPU

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for model in $models; do
    case $model in
    *_cuda) options='--target cuda --precision fp16' ;;
    *) options= ;;
    esac
    # shellcheck disable=SC2086 # several options
    "$voxc" compile models/"${model%_cuda}".yaml --init 1 $options -o "$scratch/$model" >/dev/null
    find "$scratch/$model" -type f \( -name '*.weights' -o -path '*/golden/*.npy' -o -path '*/golden/*.bin' \) -delete
    rm -rf "$scratch/$model/runtime"
    sed -i '/"path": "runtime\//d' "$scratch/$model/manifest.json"
    find "$scratch/$model" -depth -type d -empty -delete
done

if [ $check = yes ]; then
    for model in $models; do
        diff -r "generated/$model" "$scratch/$model" || { echo "golden: generated/$model differs; if that is meant: make golden" >&2 && exit 1; }
    done
    echo "golden: $models are what they were"
    exit 0
fi
mkdir -p generated
for model in $models; do
    rm -rf "generated/$model"
    cp -r "$scratch/$model" generated/
done
echo "golden: wrote $models; see git diff generated/"
