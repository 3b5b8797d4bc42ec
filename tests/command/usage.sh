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
expect 0 1 "usage: weir resolve NAME|ADDRESS" resolve -h
expect 2 2 "weir resolve: needs a name or an address" resolve
expect 2 2 "weir resolve: --family is inet or inet6, not 'x'" resolve a --family x
expect 2 2 "weir resolve: 'x' is no method: native, file or dns" resolve a --lookup dns,x
expect 2 2 "weir resolve: --nameserver: '1.2.3.4' has no port" resolve a --nameserver 1.2.3.4
expect 2 2 "weir resolve: there is no '--x'" resolve a --x
expect 2 2 "weir resolve: one name at a time, not also 'b'" resolve a b
expect 0 1 "{hostent,\"127.1\",[],inet,4,[{127,0,0,1}]}" resolve 127.1 --family inet
expect 2 2 "weir rc: one file at a time, not also 'b'" rc a b
expect 2 2 "weir rc: '--x' is neither --batch nor a file" rc --x
expect 1 2 "weir rc: file : not found" rc ""
WEIR_INETRC='' expect 0 1 "" rc
expect 2 2 "weir interfaces: takes no arguments, but was given 'x'" interfaces x
expect 0 1 "{\"lo\",[{flags,[" interfaces
load="load tcp://127.0.0.1:1 --connections 1"
expect 2 2 "weir load: two outputs cannot both go to 'f'" $load --json f --csv f
expect 2 2 "weir load: two outputs cannot both go to '-'" $load --report - --hgrm -
expect 2 2 "weir load: two outputs cannot both go to 'f'" \
    $load --against tcp://127.0.0.1:1 --json f --against-json f
expect 2 2 "weir load: --duration and --count: only one of them" $load --count 1 --duration 1s
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

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# closed REDIRECTION STATUS TEXT ARGUMENT ...: a stream that is closed from the start is neither an
# empty input nor a reader of the answer.
closed() {
    local redirection=$1 status=$2 text=$3 err got
    shift 3
    eval '"$weir" "$@" >/dev/null 2>"$folder/heard"' "$redirection"
    got=$?
    err=$(cat "$folder/heard")
    [ $got -eq "$status" ] && [ "$err" = "$text" ] && return
    echo "weir $* $redirection: status $got, '$err'; expected $status and '$text'"
    failures=$((failures + 1))
}

no_input="standard input: Bad file descriptor"
for arguments in "decode line" "decode --batch" "address --batch" "rc --batch"; do
    closed '<&-' 1 "weir ${arguments%% *}: $no_input" $arguments
done
no_output="weir: standard output: Bad file descriptor"
for arguments in version help "help decode" "decode -h" doctor options interfaces "address 1" \
    "resolve 127.1"; do
    closed '>&-' 1 "$no_output" $arguments
done
closed '2>&-' 0 "" version

# Whoever asks line by line is answered before the next line.
echo '{timeout,7}.' >"$folder/rc"
coproc "$weir" rc --batch 2>"$folder/said"
for line in "$folder/rc" "$folder/none" "a\0b" "$folder/rc"; do
    printf "$line\n" >&"${COPROC[1]}"
    read -r -t 20 answer <&"${COPROC[0]}" || answer="no answer"
    echo "$answer"
done >"$folder/answers"
printf '[{timeout,7}]\n[]\n[]\n[{timeout,7}]\n' | diff - "$folder/answers" ||
    failures=$((failures + 1))
printf 'weir rc: file %s: not found\nweir rc: line 3 holds a NUL byte\n' "$folder/none" |
    diff - "$folder/said" || failures=$((failures + 1))
"$weir" rc --batch <<<"$folder/rc" >/dev/null || failures=$((failures + 1))
"$weir" rc --batch <<<"$folder/none" >/dev/null 2>&1
[ $? -eq 1 ] || { echo "what was wrong with a file is no success"; failures=$((failures + 1)); }
exit $((failures > 0))
