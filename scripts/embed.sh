#!/bin/sh
# Writes a C file that holds the files named as arguments: const embedded_file embedded_files[], see codegen/base/embed.h.
#
# A bundle has runtime/core, runtime/cpu and the headers of runtime/shared side by side in runtime/, and in runtime/program/
# the sources of runtime/shared and what only the program uses of runtime/volume; so their paths, and includes that name
# such a room ("../core/vox.h"), lose it. The files stand in the order of their paths in a bundle.
set -eu
bundled() {
    for file in "$@"; do
        case $file in
        runtime/core/* | runtime/cpu/* | runtime/shared/vox_*) echo "runtime/${file##*/} $file" ;;
        runtime/shared/* | runtime/volume/vox_overlap.* | runtime/volume/vox_nearest.* | runtime/volume/vox_surface.* | \
            runtime/volume/vox_parallel.h) echo "runtime/program/${file##*/} $file" ;;
        *) echo "$file $file" ;;
        esac
    done | LC_ALL=C sort
}

echo '#include "embed.h"'
bundled "$@" | {
    n=0 rows=
    while read -r path file; do
        n=$((n + 1))
        printf 'static const unsigned char file_%d[] = {\n' "$n"
        sed 's,^\(#include "\.\./\)c[a-z]*/,\1,' "$file" | od -An -v -tu1 | sed 's/^ *//; s/  */,/g; s/$/,/'
        printf '0};\n'
        rows="$rows    {\"$path\", (const char *)file_$n, sizeof file_$n - 1},
"
    done
    printf 'const embedded_file embedded_files[] = {\n%s    {0, 0, 0}};\n' "$rows"
}
