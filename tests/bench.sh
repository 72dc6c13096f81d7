#!/bin/sh
# Installs the peers, then times bundles beside them, all in one run; `make bench BENCH=--help` lists the options.
# Takes about 3 GB from PyPI once (PyTorch's only build there brings CUDA's libraries), then tens of minutes; an idle
# machine, please. What can't be installed is one line, and left out. With the first argument `volumes` whole volumes are
# timed: `make bench-volumes`.
set -eu
cd "$(dirname "$0")/.."
what=bench
[ "${1:-}" != volumes ] || { what=volumes && shift; }
unset MAKEFLAGS MFLAGS MAKELEVEL
out=build/bench peers=build/bench-peers
python=$peers/bin/python
arguments=$*
export PYTHONDONTWRITEBYTECODE=1

# install NAME PACKAGE...: into the environment, once, unless --peers is given without NAME
install() {
    name=$1 && shift
    case $name,$arguments in
    tools,* | *"--peers"*"$name"*) ;;
    *--peers*) return 0 ;;
    esac
    [ ! -f "$peers/$name.installed" ] || [ "$(cat "$peers/$name.installed")" != "$*" ] || return 0
    echo "bench: installing $*"
    if "$peers/bin/pip" --disable-pip-version-check install -q "$@" >"$peers/$name.log" 2>&1; then
        echo "$*" >"$peers/$name.installed"
    else
        echo "bench: no $name: $(grep -v -e '^WARNING' -e '^ *$' "$peers/$name.log" | tail -n 1)"
        return 1
    fi
}

# program NAME LIBRARY...: of tests/bench/
program() {
    name=$1 && shift
    cc -O3 -march=native -ffp-contract=fast -std=c11 -D_GNU_SOURCE -pthread "tests/bench/$name.c" -o "$out/$name" "$@" 2>"$out/$name.log" ||
        echo "bench: no $name: $(grep error "$out/$name.log" | head -n 1)"
}

sh scripts/setup.sh bench || echo 'bench: some Debian packages could not be installed'
mkdir -p "$out"
[ -x "$python" ] || python3 -m venv "$peers"
install tools numpy==2.4.6 onnx==1.23.2 || exit 1
case " $arguments " in *' --help '* | *' -h '*) exec "$python" "tests/bench/$what.py" --help ;; esac
install onnxruntime onnxruntime==1.32.0 || :
install openvino openvino==2026.4.1 || :
install torch torch==2.15.0 || :
if [ $what = volumes ]; then
    install images nibabel==5.4.2 scipy==1.17.1 monai==1.6.1 || :
    exec "$python" tests/bench/volumes.py "$@"
fi
install tvm apache-tvm==0.27.0.post1 || :
rm -f "$out/onednn"
program fma_peak
program onednn -ldnnl
exec "$python" tests/bench/bench.py "$@"
