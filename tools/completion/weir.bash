# SPDX-License-Identifier: MIT
# Completion of the command weir for bash. What there is to complete, the command itself says.
# Run instead of read, it prints what its arguments, the words so far, could end in: for other shells.
_weir()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local weir=${COMP_WORDS[0]} command=${COMP_WORDS[1]} words=
    if [ "$COMP_CWORD" -eq 1 ] || { [ "$command" = help ] && [ "$COMP_CWORD" -eq 2 ]; }; then
        words=$("$weir" help 2>/dev/null | sed -n 's/^  \([a-z]*\)  *.*/\1/p')
    elif [ "$command" = options ]; then
        words=$("$weir" options 2>/dev/null | sed -n 's/^\([a-z0-9_]*\)  *.*/\1/p')
    elif [ "$command" = rc ] && [[ $current != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
    elif [[ $previous == --* && $current != -* ]] &&
        "$weir" help "$command" 2>/dev/null | grep -qE "^  $previous [a-zA-Z]"; then
        return # its value, which nobody can guess
    elif [[ $current == -* ]]; then
        words=$("$weir" help "$command" 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u)
    else
        words=$("$weir" help "$command" 2>/dev/null | awk '
            /is one of$/ { on = 1; next } on && /^  [a-z]/ { print $1; next } on { exit }
            /^TYPE is / { gsub(/^TYPE is |,| or/, " "); print }')
        [ -n "$words" ] || words=$("$weir" help "$command" 2>/dev/null |
            grep -oE -- '--[a-z][a-z-]*' | sort -u)
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _weir
    printf '%s\n' "${COMPREPLY[@]}"
else
    complete -F _weir weir
fi
