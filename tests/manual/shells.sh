#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What TAB gives in fish and in zsh, from the files as they are installed. Arguments: the top of the
# build, cmake, the command weir.
set -euo pipefail
build=$1 cmake=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work XDG_CONFIG_HOME=$work PATH=${3%/*}:$PATH
"$cmake" --install "$build" --prefix "$work" >/dev/null
share=$work/share

# What a widget of zsh finds when it is called.
cat >"$work/widget" <<'END'
fpath=($SHARE/zsh/site-functions $fpath)
autoload -Uz _weir
compadd() { print -rl -- "${found[@]}" }
words=("$@") CURRENT=$#
_weir
END

in_fish() {
    fish -c "source $share/fish/vendor_completions.d/weir.fish; complete -C '$*'"
}

in_zsh() { # a line that ends in a space has an empty last word
    local words
    IFS=' ' read -ra words <<<"$*"
    [[ "$*" != *" " ]] || words+=("")
    SHARE=$share zsh -f "$work/widget" "${words[@]}"
}

gives() { # what must be among it; then the line so far
    local shell word
    for shell in in_fish in_zsh; do
        "$shell" "$2" >"$work/given"
        for word in $1; do
            grep -qxF -- "$word" "$work/given" ||
                { echo "$shell: $2<TAB> gives '$(cat "$work/given")', not $word"; exit 1; }
        done
    done
}

gives 'serve doctor help' 'weir '
gives 'serve' 'weir se'
gives 'echo http' 'weir serve '
gives '--listen' 'weir serve echo --l'
gives 'nodelay nopush' 'weir options n'
