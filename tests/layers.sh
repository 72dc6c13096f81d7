#!/bin/sh
# Checks which folder includes which: one line per violation, exit status 1 if there is any.
#
# An #include "x.h" belongs to the first folder of the includer's own row that holds x.h; a header that only other
# folders hold is a violation. Generated headers (protobuf's) belong to the compiler.
set -eu
cd "$(dirname "$0")/.."

# folder: the folders whose headers its files may include, and single headers: what compiler and runtime must both know
rules='ir: ir runtime/vox_hash.h
compiler: compiler ir codegen runtime/program
codegen: codegen ir runtime/vox_hash.h runtime/vox_limits.h
codegen/templates: runtime .
runtime: runtime
runtime/program: runtime/program runtime
runtime/cuda: runtime/cuda runtime runtime/program'

echo "$rules" | {
    bad=0
    while IFS=: read -r folder allowed; do
        for file in "$folder"/*.[ch] "$folder"/*.def "$folder"/*.in; do
            [ -f "$file" ] || continue
            # shellcheck disable=SC2013 # header names hold no spaces
            for header in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*["<]\([^">$]*\)[">].*/\1/p' "$file"); do
                [ "$folder/$header" != compiler/onnx.pb-c.h ] || continue
                # in <> the system's, unless it is the name of one of ours
                grep -q "include[ \t]*\"$header\"" "$file" ||
                    [ -n "$(find ir compiler codegen runtime -path "*/$header" -print)" ] || continue
                # a header that hosts include too finds its neighbour without -I
                case $folder/$header in runtime/cuda/../vox*) header=${header#../} ;; esac
                for place in $allowed; do
                    case $header in *../*) break ;; esac # a way around the rule
                    [ ! -f "$place/$header" ] && [ "${place##*/}" != "$header" ] || continue 2
                done
                echo "layers: $file includes \"$header\", which none of these holds: $allowed"
                bad=1
            done
        done
    done
    exit $bad
}
