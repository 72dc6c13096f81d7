#!/bin/sh
# The deepest stack that each function of a bundle's API takes, libc's and the host's own left out: for some models and
# instruction sets at most what manifest.json says, and no function is recursive or allocates a variable amount. From
# gcc's call graphs; where a call goes through a pointer, to all that such pointers hold.
set -eu
cd "$(dirname "$0")/.."
voxc=${1:-build/voxc}
voxc=$(realpath "$voxc")
export CCACHE_DISABLE=1 # it keeps no call graphs
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo 'int main(void) { return 0; }' >"$scratch/probe.c"
if ! gcc -fcallgraph-info=su -c -o "$scratch/probe.o" "$scratch/probe.c" 2>/dev/null || [ "$(uname -m)" != x86_64 ]; then
    echo 'SKIPPED: no gcc with -fcallgraph-info for x86-64'
    exit 0
fi

# Prints "FUNCTION BYTES" for the API's functions, of the call graphs in the working directory; runtime/volume's lie in
# volume/. $1: the model's name.
deepest() {
    awk -v model="$1" '
    /^node:/ {
        split($0, q, "\"")
        name = q[2]
        volume[name] = FILENAME ~ /^volume/
        if (match(q[4], /[0-9]+ bytes \([a-z,]*\)/)) {
            split(substr(q[4], RSTART, RLENGTH), w, " ")
            bytes[name] = w[1]
            if (w[3] == "(dynamic)") { print "stack: " name ": a variable amount"; bad = 1 }
        }
    }
    /^edge:/ {
        split($0, q, "\"")
        if (q[4] == "__indirect_call") indirect[q[2]] = 1
        else { calls[q[2]] = calls[q[2]] "\n" q[4]; called[q[4]] = 1 }
    }
    function base(name) { sub(/.*:/, "", name); return name }
    function is_layer(name) { return base(name) ~ ("^" model "_.*_(tasks|run|check)$") }
    # A function of runtime/volume that is only called through pointers: a task, or what a task hands its rows to.
    function is_task(f) { return volume[f] && f ~ /:/ && !(f in called) }
    # What a call through a pointer in `name` reaches: in runtime/volume rows from tasks, and tasks, the pool and the
    # network from the rest; tiles from kernels; the step from the pool; from the step one of
    # its layer; from the rest of the runtime layers and the pool.
    function reaches(name, f) {
        if (name ~ /_kernels\.c:/) return f ~ /_kernels\.c:/ && !(f in called) && !is_layer(f)
        if (volume[name]) return is_task(name) ? is_task(f) && !(f in indirect) : is_task(f) || f == "vox_pool_parallel_for" || base(f) == "run_ports"
        if (base(name) == "run_task") return is_layer(f) || is_task(f)
        if (name ~ /vox_pool/) return base(f) == "run_task"
        return is_layer(f) || f == "vox_pool_parallel_for"
    }
    function targets(name, list, f) {
        for (f in bytes) if (reaches(name, f)) list = list "\n" f
        return list
    }
    function depth(name, trail, of, n, i, d, most) {
        if (name in deep) return deep[name]
        if (index(trail, "\n" name "\n")) { print "stack: " base(name) ": recursive"; bad = 1; return 0 }
        n = split(calls[name] (name in indirect ? targets(name) : ""), of, "\n")
        for (i = 1; i <= n; i++)
            if (of[i] != "" && (d = depth(of[i], trail name "\n")) > most) most = d
        return deep[name] = most + bytes[name]
    }
    END {
        n = split("prepare run selftest segment", of, " ")
        for (i = 1; i <= n; i++) print of[i], depth(model "_" of[i], "\n")
        exit bad
    }' *.ci volume/*.ci
}

# check MODEL INSTRUCTION-SET FLAGS...
check() {
    model=$1 isa=$2 bundle=$scratch/$1
    shift 2
    [ -d "$bundle" ] || "$voxc" compile "models/$model.yaml" --init 1 -o "$bundle"
    mkdir -p "$scratch/graphs/volume"
    (
        cd "$scratch/graphs"
        for source in "$bundle/${model}_kernels.c" "$bundle/$model.c" "$bundle"/runtime/*.c "$bundle"/runtime/volume/*.c; do
            folder=.
            case $source in */runtime/volume/*) folder=volume ;; esac
            gcc -std=c11 -D_GNU_SOURCE -O2 -ffp-contract=fast "$@" -I"$bundle" -I"$bundle/runtime" -I"$bundle/runtime/volume" \
                -fcallgraph-info=su -c -o "$folder/$(basename "$source" .c).o" "$source"
        done
        [ -f "${model}_kernels.ci" ] || { echo "stack: no call graph of $model" && exit 1; }
        deepest "$model" >"$scratch/deepest" || { cat "$scratch/deepest" && exit 1; }
    )
    rm -r "$scratch/graphs"
    while read -r function bytes; do
        bound=$(sed -n 's/.*"stack": {.*"'"$function"'": \([0-9]*\),.*"recursive": false}.*/\1/p' "$bundle/manifest.json")
        echo "$model $isa: $function takes $bytes bytes of $bound"
        # less than a third would be no measurement
        if [ "$bytes" -gt "$bound" ] || [ "$bytes" -lt $((bound / 3)) ]; then
            echo 'stack: not what manifest.json says'
            exit 1
        fi
    done <"$scratch/deepest"
}

check unet3d_small avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mfma
check nnunet_small avx2 -mavx2 -mfma
echo ok
