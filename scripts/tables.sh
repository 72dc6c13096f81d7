#!/bin/sh
# Prints tables of the documents from the sources that define them: sh scripts/tables.sh passes | onnx
set -eu
cd "$(dirname "$0")/.."
case ${1:-} in
passes) # {"name", function, targets, needs, gives, "what it makes", "why here"}
    awk -F'"' '/^    \{"[a-z]+", +pass_/ { printf "%-9s %s; %s\n", $2, $4, $6 }' compiler/plan/pipeline.c
    ;;
onnx) # a comment per group, then {"Name", ...} once per meaning
    awk -F'"' '
        /^    \/\* .* \*\/$/ { sub(/^    \/\* /, ""); sub(/ \*\/$/, ""); printf "%s%s:", end, $0; end = "\n"; n = 0 }
        /^    \{"[A-Z]/ && !seen[$2]++ { printf "%s%s", n == 0 ? "\n  " : n % 6 ? ", " : ",\n  ", $2; n++ }
        END { print "" }' compiler/read/onnx/front_onnx_ops.c
    ;;
*)
    echo 'usage: sh scripts/tables.sh passes | onnx' >&2
    exit 2
    ;;
esac
