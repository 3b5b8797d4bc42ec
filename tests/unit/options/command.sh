#!/bin/sh
# SPDX-License-Identifier: MIT
# `weir options`: every option in the list, each explained, unknown names refused in one line.
# Argument: weir
set -eu
weir=$1
failed=0

expect() {
    [ "$2" = "$3" ] || { printf '%s: "%s" instead of "%s"\n' "$1" "$2" "$3"; failed=1; }
}

refused() {
    status=0
    text=$("$weir" options "$@" 2>&1 >/dev/null) || status=$?
    expect "exit status of '$*'" "$status" 2
    expect "lines about '$*'" "$(printf '%s\n' "$text" | wc -l)" 1
}

names=$("$weir" options | sed '/^$/,$d; s/ .*//')
expect "first option" "$(echo "$names" | head -n 1)" active
expect "last option" "$(echo "$names" | tail -n 1)" user_timeout
for name in $names; do
    expect "heading of $name" "$("$weir" options "$name" | sed 's/:.*//; q')" "$name"
done
expect "widest line" "$("$weir" options packet | awk 'length > 180' | wc -l)" 0

refused packt
expect suggestion "$text" "weir options: there is no option 'packt'; did you mean 'packet'?"
refused nothing_like_it
expect "no suggestion" "$text" \
    "weir options: there is no option 'nothing_like_it'; 'weir options' lists them"
refused packet mode
expect "two names" "$text" "weir options: one option at a time, not also 'mode'"
exit $failed
