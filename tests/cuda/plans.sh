#!/bin/sh
# The plans that cuDNN makes, without a GPU, for the convolutions of every model on the GPUs that tests/cuda/devices
# describes; and the functions of runtime/cuda/vox_cudnn.h. Exit status 77 where cuDNN is missing.
#
#   sh tests/cuda/plans.sh BUILD [--update]
#
# --update rewrites tests/cuda/plans.txt with what this cuDNN chooses.
set -eu
build=$1 && shift
cuda=${CUDA_HOME:-/usr/local/cuda}

if ! [ -f "$cuda/include/cudnn.h" ] && ! [ -f /usr/include/cudnn.h ]; then
    echo "skipped: no cudnn.h in $cuda/include or /usr/include (CUDA_HOME names another toolkit)"
    exit 77
fi
mkdir -p "$build/cuda"
compile() {
    to=$1 && shift
    ${CC:-gcc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Werror -Iir -Icompiler -Icodegen -Iruntime/cuda -isystem "$cuda/include" "$@" \
        runtime/cuda/vox_cudnn.c runtime/cuda/vox_cudnn_graph.c runtime/cuda/vox_cudnn_cache.c \
        "$build/libvoxc.a" -L"$cuda/lib64" -Wl,-rpath,"$cuda/lib64" -lcudnn -lcudart -lcmocka -lyaml -lprotobuf-c \
        -lm -lpthread -o "$to"
}
compile "$build/cuda/plans" tests/cuda/plans.c tests/cuda/conv_list.c
# The paper's network first: it is asked for under every policy.
paper=models/unet3d.yaml
others=$(for model in models/*.yaml; do [ "$model" = $paper ] || echo "$model"; done)
# shellcheck disable=SC2086 # a list of names without spaces
"$build/cuda/plans" --jobs "$(nproc)" "$@" tests/cuda/plans.txt tests/cuda/devices/*.json -- $paper $others
