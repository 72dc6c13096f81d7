#!/bin/sh
# The functions of runtime/cuda/vox_cudnn.h, and the plans that cuDNN makes for the convolutions of every model on
# the GPUs that tests/cuda/devices describes; none of it needs a GPU. Exit status 77 where cuDNN is missing.
#
#   sh tests/cuda/plans.sh BUILD [--update]
#
# --update rewrites tests/cuda/plans.txt with what this cuDNN chooses.
set -eu
build=$1 && shift
cuda=${CUDA_HOME:-/usr/local/cuda}

if ! [ -f "$cuda/include/cuda_runtime_api.h" ] ||
    ! { [ -f "$cuda/include/cudnn.h" ] || [ -f /usr/include/cudnn.h ]; }; then
    echo "skipped: no CUDA toolkit with cudnn.h in $cuda (CUDA_HOME names another place)"
    exit 77
fi
mkdir -p "$build/cuda"
plans='runtime/cuda/vox_cudnn.c runtime/cuda/vox_cudnn_graph.c runtime/cuda/vox_cudnn_cache.c'
# compile PROGRAM ARGUMENTS
compile() {
    program=$1 && shift
    # shellcheck disable=SC2046,SC2086 # the lists are words
    ${CC:-gcc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes \
        -Wmissing-prototypes -Werror $(find ir compiler codegen -type d | sed 's/^/-I/') -Iruntime/cuda -Iruntime/shared \
        -isystem "$cuda/include" -o "$program" "$@" $plans "$build/libvoxc.a" -L"$cuda/lib64" -Wl,-rpath,"$cuda/lib64" -lcudnn -lcudart -lcmocka -lyaml \
        -lprotobuf-c -lm -lpthread
}
wrap=
for name in cudnnBackendCreateDescriptor cudnnBackendDestroyDescriptor cudnnBackendSetAttribute cudnnBackendFinalize \
    cudnnBackendGetAttribute cudnnBackendExecute cudaEventCreateWithFlags cudaEventDestroy cudaEventRecord \
    cudaEventSynchronize cudaEventElapsedTime calloc malloc realloc; do
    wrap="$wrap -Wl,--wrap=$name"
done
# shellcheck disable=SC2086
compile "$build/cuda/plan_api" tests/cuda/plan_api.c $wrap
compile "$build/cuda/plans" tests/cuda/plans.c tests/cuda/conv_list.c
"$build/cuda/plan_api"

# The paper's network first: it is asked for under every policy.
paper=models/unet3d.yaml
others=$(for model in models/*.yaml; do [ "$model" = $paper ] || echo "$model"; done)
# shellcheck disable=SC2086 # a list of names without spaces
"$build/cuda/plans" --jobs "$(nproc)" "$@" tests/cuda/plans.txt tests/cuda/devices/*.json -- $paper $others
