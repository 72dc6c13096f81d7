#!/bin/sh
# Checks what the documents (README.md here and beside the code, ir/IR.md) say against the tree; with --update first
# rewrites their generated blocks.
#
# A generated block is the output of a command: a line <!-- output: COMMAND --> and then a fenced block. Paths in backticks
# begin at the top of the tree, links at the document.
set -eu
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
bad=0
complain() { echo "docs: $*" && bad=1; }
documents=$(find README.md compiler ir runtime models tests -name '*.md' | sort)

# The document $1 with its generated blocks made anew.
generate() {
    awk '
        /^<!-- output: .* -->$/ {
            print
            command = substr($0, 14, length($0) - 17) " 2>&1"
            getline; print
            while ((command | getline line) > 0) print line
            close(command)
            while ((getline skipped) > 0 && skipped !~ /^```/);
            print skipped
            next
        }
        { print }' "$1"
}

for document in $documents; do
    generate "$document" >"$scratch/new.md"
    if [ "${1:-}" = --update ] && ! cmp -s "$document" "$scratch/new.md"; then
        cp "$scratch/new.md" "$document"
    fi
    diff -u "$document" "$scratch/new.md" || complain "$document is not up to date; run: sh tests/docs.sh --update"

    # Paths in backticks, links and make targets exist.
    for path in $(grep -o '`[a-z][A-Za-z0-9_.*/-]*/[A-Za-z0-9_.*/-]*`' "$document" | tr -d '`' | sort -u); do
        case $path in build/* | golden/ | *NAME*) continue ;; esac # made by the build, in a bundle, or by the reader
        # shellcheck disable=SC2086 # patterns are meant
        ls -d $path >/dev/null 2>&1 || complain "$document names $path, which does not exist"
    done
    for link in $(grep -o '](\(\.\./\)*[a-zA-Z][A-Za-z0-9_./-]*)' "$document" | tr -d '()]' | sort -u); do
        [ -e "$(dirname "$document")/$link" ] || complain "$document links to $link, which does not exist"
    done
    for target in $(grep -o '`make [a-z][a-z-]*' "$document" | cut -d' ' -f2 | sort -u); do
        grep -q "^$target:" Makefile || complain "$document names make $target, which the Makefile lacks"
    done
done

# The front page stays one, and leads to every other document.
[ "$(wc -l <README.md)" -le 150 ] || complain 'README.md has more than 150 lines: move what is not for everybody beside its code'
for document in $documents; do
    case $document in README.md | tests/gpusim/*) continue ;; esac
    grep -qF "]($document)" README.md || complain "README.md does not lead to $document"
done

# The test command of the README is what continuous integration runs.
grep -q '^sh scripts/setup.sh test && make test$' README.md || complain 'README.md lacks the test command'
grep -q '^sh scripts/setup.sh test && make test$' .ci/run || complain '.ci/run does not run the README'"'"'s test command'

# Every emitted source states its licence.
for file in $(find generated -name '*.[ch]'); do
    head -n 3 "$file" | grep -q 'SPDX-License-Identifier: MIT-0' || complain "$file lacks its SPDX line"
done

# The embedding example compiles, with warnings as errors, against a fresh bundle of the small network, and runs.
awk '/^```c$/ {inside = 1; text = ""; next} /^```$/ {if (inside && text ~ /int main/) printf "%s", text; inside = 0} inside {text = text $0 "\n"}' \
    README.md >"$scratch/example.c"
[ "$(grep -c . "$scratch/example.c")" -le 25 ] || complain 'the embedding example has grown beyond its 20 lines'
build/voxc compile models/unet3d_small.yaml --init 1 -o "$scratch/bundle" >/dev/null
make -s -C "$scratch/bundle" CFLAGS=-O1
(
    cd "$scratch/bundle"
    gcc -std=c11 -Wall -Wextra -Werror -I. -Iruntime ../example.c -o example -L. -lunet3d_small -lm -lpthread
    ./example
) || complain 'the embedding example of README.md fails'

[ $bad = 0 ] && echo 'docs: the documents tell the truth'
exit $bad
