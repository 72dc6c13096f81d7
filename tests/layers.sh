#!/bin/sh
# Checks the floor plan, file by file: every source file lies in a room, includes only what its own room and those that
# the room is built on hold, and no files include each other in a circle. One line per violation, exit status 1 if there
# is any.
#
# An #include "x.h" belongs to the first room of the includer's row that holds x.h; a header that only other rooms hold
# is a violation. A generated header (protobuf's) belongs to the room named beside it.
set -eu
cd "$(dirname "$0")/.."

# Rooms, from what is used to what uses it. ROOM: what its files may include besides their own room's.
plan='runtime/shared:
runtime/core: runtime/shared
runtime/cpu: runtime/core runtime/shared
runtime/volume: runtime/core runtime/shared
runtime/program: runtime/volume runtime/core runtime/shared
runtime/cuda: runtime/program runtime/core runtime/shared
codegen/templates: runtime/cuda runtime/program runtime/volume runtime/cpu runtime/core runtime/shared .
ir: runtime/shared
ir/shape: ir
ir/text: ir runtime/shared
ir/interp: ir runtime/shared
ir/verify: ir/shape ir
compiler/base: ir runtime/shared
compiler/read/weights: compiler/base ir
compiler/read/onnx: compiler/base ir onnx.pb-c.h
compiler/read/yaml: compiler/base ir runtime/shared
compiler/read/nnunet: compiler/base ir runtime/shared
compiler/read/monai: compiler/base ir runtime/shared
compiler/read: compiler/base ir
compiler/plan/memory: ir/verify ir/text compiler/base ir
compiler/plan/graph: compiler/base ir
compiler/plan/cpu/conv: compiler/plan/memory ir/verify ir runtime/shared
compiler/plan/cpu: compiler/plan/cpu/conv compiler/plan/memory compiler/plan/graph compiler/base ir/verify ir/text ir runtime/shared
compiler/plan/gpu: compiler/plan/memory compiler/plan/graph ir/verify ir/text ir
compiler/plan/interp: compiler/plan/gpu compiler/plan/cpu compiler/plan/cpu/conv compiler/plan/memory compiler/base ir
compiler/plan: compiler/plan/gpu compiler/plan/cpu compiler/plan/cpu/conv compiler/plan/graph compiler/plan/memory compiler/base ir/verify ir/text ir runtime/shared
compiler/tile: runtime/volume runtime/core runtime/shared ir
codegen/base: compiler/plan/cpu compiler/plan/cpu/conv compiler/plan/memory compiler/base ir/interp ir runtime/shared
codegen/c: codegen/base compiler/plan/cpu compiler/plan/cpu/conv compiler/plan/memory compiler/base ir runtime/shared
codegen/cuda: codegen/base compiler/plan/gpu compiler/plan/memory compiler/base ir
codegen/onnx: compiler/read/onnx compiler/base ir onnx.pb-c.h
codegen: codegen/cuda codegen/c codegen/base compiler/plan/gpu ir
compiler: codegen/onnx codegen codegen/base compiler/tile compiler/plan compiler/plan/interp compiler/plan/gpu compiler/plan/cpu compiler/plan/cpu/conv compiler/plan/memory compiler/read compiler/read/monai compiler/read/nnunet compiler/read/yaml compiler/read/onnx compiler/read/weights compiler/base ir runtime/shared'

violations=build/layers.txt edges=build/layers-edges.txt
mkdir -p build
: >"$violations"
: >"$edges"

# Every row names rooms of rows above it: arrows run one way.
echo "$plan" | awk -F ': *' '{
    n = split($2, below, " ")
    for (i = 1; i <= n; i++)
        if (below[i] != "." && below[i] !~ /\.h$/ && !(below[i] in seen)) print "layers: the row of " $1 " names " below[i] ", which stands below it"
    seen[$1] = 1
}' >>"$violations"

# Every source file lies in a room.
find compiler codegen ir runtime -name '*.[ch]' -o -name '*.cuh' -o -name '*.def' -o -name '*.in' | while read -r file; do
    echo "$plan" | grep -q "^${file%/*}:" || echo "layers: $file lies in no room of the plan"
done >>"$violations"

# Includes are by name alone, so each header's is its own, tests included.
find compiler codegen ir runtime tests -name '*.h' -o -name '*.cuh' -o -name '*.def' | sed 's,.*/,,' | sort | uniq -d | while read -r header; do
    echo "layers: there are several files $header: rename all but one"
done >>"$violations"

# files_of ROOM
files_of() { find "$1" -maxdepth 1 -type f \( -name '*.[ch]' -o -name '*.cuh' -o -name '*.def' -o -name '*.in' \) | sort; }

# "FILE:HEADER" lines of all files of a room; in <> only what is one of ours.
includes_of() {
    files_of "$1" | xargs grep -HoE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">$]*[">]' /dev/null |
        sed -E 's/^([^:]*):.*include[[:space:]]*(["<])([^">]*).*/\1:\2:\3/' | while IFS=: read -r file kind header; do
        [ "$kind" = '"' ] || [ -n "$(find ir compiler codegen runtime -name "${header##*/}" -print)" ] || continue
        echo "$file:$header"
    done
}

echo "$plan" | while IFS=: read -r room below; do
    includes_of "$room" | while IFS=: read -r file header; do
        found=
        for place in "$room" $below; do
            case $header in
            ../*/*) # a header that hosts include too finds its neighbour without -I: ../ROOM/x.h
                [ "runtime/${header#../}" != "$place/${header##*/}" ] || found=runtime/${header#../}
                ;;
            */*) [ ! -f "runtime/$header" ] || [ "runtime/${header%/*}" != "$place" ] || found=runtime/$header ;;
            *) if [ -f "$place/$header" ]; then found=$place/$header; elif [ "$place" = "$header" ]; then found=$header; fi ;;
            esac
            # a template names files as a bundle has them
            case $room:$place in codegen/templates:runtime/*)
                flat=${header#runtime/} flat=${flat#"${place#runtime/}"/}
                [ ! -f "$place/$flat" ] || found=$place/$flat ;;
            esac
            [ -z "$found" ] || break
        done
        if [ -n "$found" ]; then
            echo "$file $found"
        else
            echo "layers: $file includes \"$header\", which none of these holds: $room$below" >>"$violations"
        fi
    done
done >"$edges"

# A header and the source of its name are one, and so are a header and its own parts: files of its room whose names begin
# with its name. The rest must have an order.
sed -E 's/\.(c|h|cuh)( |$)/\2/g' "$edges" | awk '
    function part_of(a, b) { return index(a, b "_") == 1 }
    $1 != $2 && !part_of($1, $2) && !part_of($2, $1)' | tsort >/dev/null 2>build/layers-circles.txt || true
if [ -s build/layers-circles.txt ]; then
    sed 's/^tsort: -:.*/layers: these include each other in a circle:/; s/^tsort: /    /' build/layers-circles.txt >>"$violations"
fi

cat "$violations"
[ ! -s "$violations" ]
