#!/bin/sh
# Writes a C file that holds the files named as arguments: const embedded_file embedded_files[], see codegen/embed.h.
set -eu
echo '#include "embed.h"'
n=0
for f in "$@"; do
    n=$((n + 1))
    printf 'static const unsigned char file_%d[] = {\n' "$n"
    od -An -v -tu1 "$f" | sed 's/^ *//; s/  */,/g; s/$/,/'
    printf '0};\n'
done
echo 'const embedded_file embedded_files[] = {'
n=0
for f in "$@"; do
    n=$((n + 1))
    printf '    {"%s", (const char *)file_%d, sizeof file_%d - 1},\n' "$f" "$n" "$n"
done
echo '    {0, 0, 0}};'
