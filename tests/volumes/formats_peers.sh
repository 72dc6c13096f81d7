#!/bin/sh
# Image files of nibabel, SimpleITK, h5py, tifffile, pynrrd, numpy and pydicom through voxc's readers, and voxc's through
# theirs.
#
#   sh tests/volumes/formats_peers.sh [BUILD] [PYTHON]
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build} python=${2:-python3}
if ! "$python" -c 'import numpy' 2>/dev/null; then
    echo "formats_peers: skipped: $python has no numpy"
    exit 77
fi
make -s BUILD="$build" "$build/tests/image_tool"
exec "$python" tests/volumes/formats_peers.py "$build/tests/image_tool"
