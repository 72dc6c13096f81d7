#!/bin/sh
# Prints how many places an idea stands in, one line per figure: usage: counts.sh [FOLDER OF A TREE]
#
# Figures that restructuring the tree is measured by; older trees count as well, wherever their files lie.
set -eu
cd "${1:-$(dirname "$0")/..}"

# Our C sources, headers and CUDA, without tests and what is generated.
sources() {
    find compiler codegen ir runtime -type f \( -name '*.[ch]' -o -name '*.cuh' -o -name '*.def' -o -name '*.in' \) |
        LC_ALL=C sort
}
c_files() { sources | grep -E '\.(c|h|cuh)$'; }

say() { printf '%-58s %d\n' "$1" "$2"; }

# Lines "FILE PARAMETERS LINES NAME static|extern" of all functions with a body, in files laid out as clang-format does.
functions() {
    # shellcheck disable=SC2046 # names of files hold no spaces
    awk '
    FNR == 1 { head = ""; inside = 0 }
    inside {
        if (/^}/) { print file, parameters, FNR - start + 1, name, kind; inside = 0 }
        next
    }
    /^[A-Za-z_].*\(/ && !/;[ \t]*$/ && !/^(typedef|enum|struct [a-z_0-9]* \{|#)/ { head = ""; start = FNR; open = 1 }
    /^[}#\/ ]/ && !open { next }
    open {
        head = head " " $0
        if (/;[ \t]*(\/\*.*)?$/ || /^}/) { open = 0; next }
        if (/\{[ \t]*(\/\*.*)?$/) {
            open = 0
            if (head ~ /=/) next
            gsub(/\/\*[^*]*\*\//, "", head)
            while (gsub(/__attribute__\(\([^()]*(\([^()]*\))?[^()]*\)\)/, "", head)) continue
            gsub(/__launch_bounds__\([^()]*\)/, "", head)
            text = head
            sub(/\(.*/, "", text)
            n = split(text, word, /[ *]+/)
            name = word[n]
            list = substr(head, index(head, "(") + 1)
            sub(/\)[^)]*\{.*$/, "", list)
            depth = 0
            parameters = list ~ /^[ \t]*(void)?[ \t]*$/ ? 0 : 1
            for (i = 1; i <= length(list); i++) {
                c = substr(list, i, 1)
                if (c == "(") depth++
                if (c == ")") depth--
                if (c == "," && depth == 0) parameters++
            }
            kind = head ~ /(^| )(static|VOX_[A-Z]+)( |$)/ ? "static" : "extern"
            file = FILENAME
            inside = 1
        }
    }' $(c_files)
}

# Files that hold a word (an extended regular expression).
holding() { sources | xargs grep -lE "$1" | wc -l; }

all=$(functions)
of_runtime=$(echo "$all" | grep '^runtime/' || true)
say 'runtime functions with more than six parameters' "$(echo "$of_runtime" | awk '$2 > 6' | wc -l)"
say 'functions above 80 lines' "$(echo "$all" | awk '$3 > 80' | wc -l)"
say 'files an activation stands in (leaky_relu)' "$(holding '(\b|_)(leaky_relu|LEAKY_RELU)\b')"
say 'files a way to compute a convolution stands in (deep)' "$(holding '(winograd_deep|is_deep|slots_deep|cg_deep|DEEP_|deep_batch|way_deep)')"
say 'places the list of instruction sets stands in' "$(sources | xargs grep -nE 'avx2' | grep -cE 'avx512|baseline' || true)"
say 'static names defined in two top folders' "$(echo "$all" | awk '$5 == "static" {
    folder = $1
    sub(/\/.*/, "", folder)
    if (!((folder, $4) in seen)) { seen[folder, $4] = 1; n[$4]++ }
} END { for (name in n) twice += n[name] > 1; print twice + 0 }')"
say 'switches over IR_OP_' "$(c_files | xargs awk '
    FNR == 1 { fresh = 0 }
    /switch \(/ { fresh = 1 }
    fresh && /case IR_OP_/ { n++; fresh = 0 }
    END { print n + 0 }')"
