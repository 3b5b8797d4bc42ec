#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What TAB gives. Arguments: the completion for bash, the command weir.
set -euo pipefail
# shellcheck source=/dev/null
source "$1"
weir=$2

gives() { # what must be among it; then the words so far
    local wanted=$1 word
    shift
    COMP_WORDS=("$weir" "$@") COMP_CWORD=$# COMPREPLY=()
    _weir
    for word in $wanted; do
        [[ " ${COMPREPLY[*]} " == *" $word "* ]] ||
            { echo "weir $*<TAB> gives '${COMPREPLY[*]}', not $word"; exit 1; }
    done
    [ -n "$wanted" ] || [ ${#COMPREPLY[@]} -eq 0 ] ||
        { echo "weir $*<TAB> gives '${COMPREPLY[*]}', not nothing"; exit 1; }
}

complete -p weir | grep -q _weir
gives 'serve doctor help' ''
gives 'serve' se
gives '' x
gives 'echo http' serve ''
gives '--listen --options --drain' serve --
gives '--listen' serve echo --l
gives '' serve echo --listen ''
gives 'nodelay nopush' options n
gives 'line http_bin' decode ''
gives 'serve' help s
gives '--lookup --nameserver' resolve --
