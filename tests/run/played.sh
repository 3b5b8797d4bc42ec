# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# To be sourced, with $top the tree: a copy of it in $tree, of what is not ignored and nothing that
# was built, and in PATH stand-ins for what takes long or asks for a network. They write down in
# $calls how they were called.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree calls=$work/calls
mkdir -p "$tree" "$work/bin"
(cd "$top" && git ls-files -co --exclude-standard | while read -r file; do
    [ ! -f "$file" ] || printf '%s\n' "$file"
done | tar -c -T -) | tar -x -C "$tree"
: >"$calls"

stand_in() { # NAME, its script on standard input
    { printf '#!/bin/bash\necho "%s $*" >>"%s"\n' "$1" "$calls"; cat; } >"$work/bin/$1"
    chmod +x "$work/bin/$1"
}

# All packages are there but those in the file `missing`.
touch "$work/missing"
stand_in dpkg-query <<END
for argument; do
    case \$argument in -*|*status*) continue ;; esac
    grep -qx "\$argument" "$work/missing" || echo "installed \$argument"
done
END
stand_in apt-get </dev/null
stand_in sudo <<'END'
"$@"
END
stand_in ctest </dev/null
PATH=$work/bin:$PATH

failed=0
wrong() {
    echo "$*"
    failed=1
}

# expect STATUS TEXT COMMAND ...: what it gives, and what it says, either way.
expect() {
    local status=0 expected=$1 text=$2
    shift 2
    (cd "$tree" && "$@") >"$work/out" 2>"$work/err" </dev/null || status=$?
    [ "$status" = "$expected" ] || wrong "$*: status $status, not $expected: $(cat "$work/err")"
    grep -qF -e "$text" "$work/out" "$work/err" || [ -z "$text" ] ||
        wrong "$*: says nothing of '$text': $(cat "$work/out" "$work/err")"
}

called() { # PATTERN
    grep -qE -e "$1" "$calls" || wrong "was not called: $1: $(cat "$calls")"
}
