#!/bin/sh
# `make demo` where its headline, the trained network's segmentation, cannot be shown: exit status 1, and the last line
# says why, in pip's own words where PyPI is out of reach. In a folder of its own, with stand-ins for voxc and make.
set -eu
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
die() { echo "demo-test: $*" && cat "$folder/said" && exit 1; }

mkdir "$folder/scripts" "$folder/bin" "$folder/build"
cp scripts/demo.sh scripts/deepbrain.py "$folder/scripts"
: >"$folder/scripts/setup.sh"
# A bundle whose program succeeds whatever it is asked.
cat >"$folder/build/voxc" <<'END'
#!/bin/sh
for word in "$@"; do out=$word; done
[ "$1" != compile ] || { mkdir -p "$out" && ln -sf /bin/true "$out/$(basename "$out")"; }
END
ln -s /bin/true "$folder/bin/make"
chmod +x "$folder/build/voxc"

unset DEEPBRAIN_PB PIP_FIND_LINKS
# demo VARIABLE=VALUE...: fails, and says so last
demo() {
    if env PATH="$folder/bin:$PATH" "$@" sh "$folder/scripts/demo.sh" >"$folder/said" 2>&1 </dev/null; then die 'it succeeds'; fi
    last=$(tail -n 1 "$folder/said")
    case $last in '== Failed: the trained network cannot be shown; '*) ;; *) die "the last line is: $last" ;; esac
}
says() { case $last in *"$1"*) ;; *) die "the last line lacks: $1" ;; esac; }

demo PIP_CONFIG_FILE=/dev/null PIP_INDEX_URL=http://127.0.0.1:9/ https_proxy=http://127.0.0.1:9
says 'ERROR: No matching distribution found for deepbrain==0.1'
says DEEPBRAIN_PB=FILE

ln -s /bin/true "$folder/bin/dpkg"
demo DEEPBRAIN_PB=/dev/null
says mricron-data
echo 'ok: a demo without its headline fails and says why'
