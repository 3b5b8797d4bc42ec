#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# How the command answers to right and wrong use. Argument: the command.
set -uo pipefail
weir=$1
failures=0

# expect STATUS STREAM TEXT ARGUMENT ...: TEXT is part of what the stream (1, 2) gets; the other
# stream gets nothing.
expect() {
    local status=$1 stream=$2 text=$3 out err got
    shift 3
    out=$("$weir" "$@" 2>/dev/null)
    err=$("$weir" "$@" 2>&1 >/dev/null)
    got=$?
    [ "$stream" = 1 ] || { local swap=$out; out=$err err=$swap; }
    [[ $got -eq $status && $out == *"$text"* && -z $err ]] && return
    echo "weir $*: status $got, '$out', '$err'; expected $status and '$text'"
    failures=$((failures + 1))
}

expect 2 2 "usage: weir COMMAND"
expect 0 1 "usage: weir COMMAND" help
expect 0 1 "usage: weir COMMAND" --help
expect 0 1 "usage: weir COMMAND" -h
expect 0 1 "usage: weir version" help version
expect 0 1 "usage: weir version" version --help
expect 0 1 "usage: weir doctor" doctor -h
expect 0 1 "usage: weir serve" serve echo --help
expect 0 1 "usage: weir decode" decode line -h
expect 0 1 "weir 0." --version
expect 0 1 "weir 0." -V
expect 2 2 "there is no command 'hepl'; did you mean 'help'?" hepl
expect 2 2 "there is no command 'frobnicate'; 'weir help' lists them" frobnicate
expect 2 2 "there is no command ''" ""
expect 2 2 "there is no command 'srve'; did you mean 'serve'?" help srve
expect 2 2 "weir version: takes no arguments, but was given 'x'" version x
expect 2 2 "weir help: one command at a time, not also 'serve'" help version serve
expect 2 2 "weir doctor: takes no arguments, but was given '--x'" doctor --x

if [ -w /dev/full ] && "$weir" version >/dev/full 2>/dev/null; then
    echo "a full disk is no success"
    failures=$((failures + 1))
fi
exit $((failures > 0))
