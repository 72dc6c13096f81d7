#!/bin/sh
# make gpu-check where there is no GPU: it says so in one line; its report, from what a run might leave; and, with nvcc
# and cuDNN, which libraries it finds in Python's packages, what it packs, and all of it for a tiny network on the
# simulated GPU, once to its end and once killed on the way. Exit status 77 on a machine with a GPU.
#
#   sh tests/cuda/gpu-check-test.sh VOXC
set -eu
voxc=$1
if nvidia-smi -L >/dev/null 2>&1; then
    echo 'skipped: this machine has a GPU; run: make gpu-check'
    exit 77
fi
folder=$(mktemp -d)
# shellcheck disable=SC2064 # its value of now
trap "rm -rf '$folder'" EXIT
die() { echo "gpu-check-test: $*" && exit 1; }

sh tests/cuda/gpu-check.sh --out "$folder/none" >"$folder/said" 2>&1 && die 'it succeeds without a GPU'
[ "$(wc -l <"$folder/said")" = 1 ] || die 'it says more than one line'
grep -q 'no GPU' "$folder/said" || die 'it does not say that there is no GPU'
[ ! -e "$folder/none" ] || die 'it leaves a folder'

model=unet3d_small
bundle=$folder/$model-fp16
mkdir "$bundle"
echo 'NVIDIA L4, 580.1, 23034 MiB' >"$folder/gpu.txt"
echo '{"copy_bytes_per_second": 2e11, "macs_per_second": {"fp16": 4e13}}' >"$folder/ceilings.json"
printf 'selftest-%s-fp16\tok\tok: 27 layers\n' $model >"$folder/results.tsv"
"$voxc" inspect models/$model.yaml --target cuda --json >"$folder/$model.json"
"$voxc" inspect models/$model.yaml --target cuda --dump-ir-after memory >"$folder/$model.ir"
echo '{"device_min_ms": 1.5, "median_ms": 2.25, "gmac": 1.152, "layers": [{"name": "e0b", "op": "conv", "steps": 9, "ms": 0.05}]}' \
    >"$bundle/$model.bench.json"
printf '%s\n' 400 500 620 610 >"$bundle/$model.memory"
printf '%s\n' '{"name": "PyTorch", "precision": "fp16", "ms": 2.5}' \
    '{"name": "TensorRT", "precision": "fp16", "missing": "ImportError"}' >"$folder/peers.jsonl"
printf '%s\n' 'copy                        0.1234 ms   2000.0 GB/s      0.0 GFLOP/s' 'kernels_speed: 15 checks' >"$folder/kernels.log"
python3 tests/cuda/gpu_report.py input "$folder/$model.json" "$bundle/$model.1.npy"
cp "$bundle/$model.1.npy" "$folder/$model.cpu.npy"

python3 tests/cuda/gpu_report.py report "$folder" $model fp16 >"$folder/said" || die 'a good run is a failure'
says() { grep -q -e "$1" "$folder/report.txt" || die "the report lacks: $1"; }
says '0 of 1 checks failed, 0 were left out'
says "^$model  *fp16  *1.500  *-  *2.250  *0.77  *220  *0\$"
says 'PyTorch  *fp16  *2.500 ms'
says '^  copy  *0.1234 ms  *2000.0 GB/s'
says 'TensorRT  *fp16  *ImportError'
# 588.8 M multiply-adds; x 90^3 x 4 and y 88^3 x 8 channels, 872 parameters, 2 bytes each
says 'e0b  *0.0500  *0.0837  *167 %  memory  *0.589  *16.74'
grep -q '<svg.*voxc fp16.*1.50 ms.*PyTorch fp16.*2.50 ms' "$folder/report.svg" || die 'the chart lacks a bar'

printf 'memcheck-%s-fp16\tFAILED\tERROR SUMMARY: 1 error\n' $model >>"$folder/results.tsv"
python3 tests/cuda/gpu_report.py report "$folder" $model fp16 >"$folder/said" && die 'a failed check is no failure'
says '1 of 2 checks failed, 0 were left out'

# A run whose results are wrong fails although every step ended well.
sed -i '$d' "$folder/results.tsv"
head -c 100000 /dev/zero >"$folder/zeros"
dd if="$folder/zeros" of="$bundle/$model.1.npy" bs=1000 seek=1 conv=notrunc status=none
python3 tests/cuda/gpu_report.py report "$folder" $model fp16 >"$folder/said" && die 'wrong results are no failure'
says "accuracy-$model-fp16 *FAILED"

cuda=${CUDA:-/usr/local/cuda}
if [ ! -x "$cuda/bin/nvcc" ] || [ ! -f "$cuda/include/cudnn.h" ]; then
    echo "ok: the report says what a run left; nvcc or cuDNN is not in $cuda: nothing was run"
    exit
fi
make -s CUDA="$cuda" gpusim
mkdir "$folder/bin"
cat >"$folder/bin/nvidia-smi" <<'END'
#!/bin/sh
case "$*" in
-L) echo 'GPU 0: simulated' ;;
*compute_cap*) echo 8.0 ;;
*memory.total*) echo 'Simulated, 1.0, 16384 MiB' ;;
*-lms*) exec sh -c 'while echo 500; do sleep 0.1; done' ;;
*memory.used*) echo 400 ;;
esac
END
chmod +x "$folder/bin/nvidia-smi"

# cuDNN of Python's packages, as they stand beside each other up to CUDA 12 and from 13 on.
for beside in 'cublas cuda_nvrtc' cu13; do
    site=$folder/site-${beside%% *}
    mkdir -p "$site/nvidia/cudnn/include" "$site/nvidia/cudnn/lib"
    : >"$site/nvidia/cudnn/__init__.py"
    : >"$site/nvidia/cudnn/include/cudnn.h"
    : >"$site/nvidia/cudnn/lib/libcudnn.so.9"
    for package in $beside; do mkdir -p "$site/nvidia/$package/lib"; done
    mkdir "$site/cuda" "$site/cuda/bin" && : >"$site/cuda/bin/nvcc" && chmod +x "$site/cuda/bin/nvcc"
    printf '#!/bin/sh\nexit 1\n' >"$site/cc" && chmod +x "$site/cc" # no cuDNN of the system's
    CC=$site/cc CUDA_HOME=$site/cuda PYTHONPATH=$site LD_LIBRARY_PATH='' sh tests/cuda/gpu-check.sh --out "$site/out" --where \
        >"$folder/said" 2>&1 || die "--where fails: $(tail -n 1 "$folder/said")"
    for package in $beside; do
        grep -q "^libraries: .*:$site/nvidia/$package/lib" "$folder/said" || die "$package of Python's packages is not on the library path"
    done
    [ -e "$site/out/cudnn/lib64/libcudnn.so" ] && [ -d "$site/out/cudnn/include/" ] || die "cuDNN of Python's packages is not linked"
done

export GPU_CHECK_PACK="$folder/pack" GPU_CHECK_PRECISIONS=fp16 GPU_CHECK_ROUNDS=2 GPU_CHECK_PRELOAD=$PWD/build/gpusim/libgpusim.so
export CUDA_HOME="$cuda" CFLAGS=-O0 NVCCFLAGS=-O1
CUDA_ARCH=80 sh tests/cuda/gpu-check.sh --pack tests/cuda/tiny.yaml >"$folder/said" 2>&1 || die "--pack fails: $(tail -n 1 "$folder/said")"
[ -x "$folder/pack/programs/tiny-fp16" ] && [ -x "$folder/pack/voxc" ] || die 'the pack lacks a program'

# A run that is killed while it measures leaves what it knew.
export PATH="$folder/bin:$PATH" LD_LIBRARY_PATH="$PWD/build/gpusim"
setsid sh tests/cuda/gpu-check.sh --out "$folder/killed" tests/cuda/tiny.yaml >/dev/null 2>&1 &
for wait in $(seq 1200); do
    ! grep -qs '^bench' "$folder/killed/running" || break
    sleep 0.1
done
kill -9 "-$!" && wait $! 2>/dev/null || :
[ "$wait" -lt 1200 ] || die 'no benchmark has begun after two minutes'
folder=$folder/killed
says '^selftest-tiny-fp16  *ok '
says '^cut off in: '
[ -s "$folder/report.json" ] && python3 -m json.tool "$folder/report.json" >/dev/null || die 'report.json of a killed run is not JSON'
folder=${folder%/killed}

sh tests/cuda/gpu-check.sh --out "$folder/run" tests/cuda/tiny.yaml \
    >"$folder/said" 2>&1 || die "a simulated run fails: $(grep -m 1 FAILED "$folder/said" || tail -n 1 "$folder/said")"
folder=$folder/run
for step in build selftest repeat bench tune tiles; do says "^$step-tiny-fp16  *ok "; done
# The order of what they tell.
order=$(sed 's/^\([a-z]*\).*/\1/' "$folder/results.tsv" | grep -v -e memory -e input | tr '\n' ' ')
case $order in 'build selftest cpu repeat bench tune tiles kernels ceilings sanitizers ncu '*) ;; *) die "the order is: $order" ;; esac
says '^tiles-tiny-fp16  *ok  *6 times the same bytes'
! grep -q nvcc "$folder/build-tiny-fp16.log" || die 'a packed program is built again'
if grep -q '^cut off' "$folder/report.txt"; then die 'a whole run is called cut off'; fi
says '^embedding  *ok '
says '^kernels  *left out  *a simulated GPU'
says '^ceilings: copy [0-9]* GB/s; convolution, TMAC/s: fp32 [0-9.]*, tf32'
says '^tiny  *fp16  *[0-9.]*  *[0-9.]*  *[0-9.]*  *[0-9.]*  *100  *0.000'
says '^  e1  .*arithmetic'
python3 -m json.tool "$folder/report.json" >/dev/null || die 'report.json is not JSON'
grep -q '<svg.*voxc fp16' "$folder/report.svg" || die 'the chart lacks a bar'
echo 'ok: the report says what a run left, and what one on the simulated GPU does'
