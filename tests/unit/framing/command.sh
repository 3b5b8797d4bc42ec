#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir decode`: the vectors as a batch, streams of every kind, and one line about what is mistyped.
# Arguments: weir, the folder of the vectors
set -eu
weir=$1
vectors=$2/decode_vectors.tsv
failed=0

expect() {
    [ "$2" = "$3" ] || { printf '%s: "%s" instead of "%s"\n' "$1" "$2" "$3"; failed=1; }
}

# refused INPUT TEXT ARGUMENT...
refused() {
    input=$1 text=$2 status=0
    shift 2
    said=$(printf "$input" | "$weir" decode "$@" 2>&1 >/dev/null) || status=$?
    expect "exit status of '$*'" "$status" 2
    expect "what '$*' says" "$said" "weir decode: $text"
}

# stream INPUT OUTPUT ARGUMENT...
stream() {
    input=$1 output=$2
    shift 2
    expect "packets of '$*'" "$(printf "$input" | "$weir" decode "$@" | tr '\n' ' ')" "$output "
}

# Left out: types and URIs that were decided otherwise than OTP 25 has them.
rows=$(tail -n +2 "$vectors" | grep -Ev '^ssl_tls|687474703a2f2f5b')
expect "rows of vectors" "$([ "$(printf '%s\n' "$rows" | wc -l)" -gt 1100 ] && echo many)" many
answers=$(printf '%s\n' "$rows" | cut -f 1-3 | "$weir" decode --batch)
expect "answers to the vectors" "$answers" "$(printf '%s\n' "$rows" | cut -f 4)"

stream '\000\003abc\000\000\000\001' '<<"abc">> <<>> {more,3}' 2
stream 'HTTP/1.1 200 OK\r\nHost: x\r\n\r\n' \
    "{http_response,{1,1},200,\"OK\"} {http_header,14,'Host',\"Host\",\"x\"} http_eoh" http
stream 'a;b' '<<"a;">> {more,undefined}' line --option line_delimiter=59
stream 'abcdef' '<<"abc">> <<"def">>' line --option line_length=3 --option packet_size=0
expect "no packets" "$(printf '' | "$weir" decode asn1)" ""
stream '\001\002\003' '<<2>> {more,4}' 1

# Far larger than what is read at a time, and byte by byte.
size=$(head -c 3000000 /dev/zero | tr '\0' a |
    "$weir" decode line --option line_length=1000000 | wc -c)
expect "three long lines" "$size" $((3 * (1000000 + 7)))
bytes=$(for byte in '\000' '\005' a b c d e; do printf "$byte"; done | "$weir" decode 2)
expect "a packet in pieces" "$bytes" '<<"abcde">>'

status=0
printf 'abcd\n' | "$weir" decode line --option packet_size=3 >/dev/null || status=$?
expect "exit status of an invalid stream" "$status" 1

refused '' "needs a packet type, or --batch"
refused '' "'lines' is no packet type; did you mean 'line'?" lines
refused '' "'frobnicate' is no packet type; see 'weir help decode'" frobnicate
refused '' "'[{packet,4},binary]' is no packet type; see 'weir help decode'" '[{packet,4},binary]'
expect "a type written as an option" '<<"ab">>' \
    "$(printf '\0\0\0\002ab' | "$weir" decode '{packet,4}')"
refused '' "'--foo' is not --option NAME=VALUE" line --foo
refused '' "--option needs NAME=VALUE" line --option
refused '' "--option 'packet_size' is not NAME=VALUE" line --option packet_size
names="packet_size, line_length, line_delimiter"
unfit="the type has no such option, or its value is out of range; the names are $names"
for option in packet_size=x packet_size=4294967296 line_length=-1 line_delimiter=256 size=1; do
    refused '' "--option '$option': $unfit" line --option "$option"
done
refused '' "--option 'line_delimiter=1': $unfit" http --option line_delimiter=1
refused '' "--batch takes no 'x'" --batch x

# A line that is none is answered as well, and said to be none; all others are decoded.
bad="{'EXIT',badarg}"
batch() {
    input=$1 text=$2 expected=$3 status=0
    answers=$(printf "$input" | "$weir" decode --batch 2>"$heard") || status=$?
    expect "answers to '$input'" "$(printf '%s' "$answers" | tr '\n' ' ')" "$expected"
    expect "what is said of '$input'" "$(cat "$heard")" "${text:+weir decode: $text}"
    expect "exit status of '$input'" "$status" "$([ -z "$text" ] && echo 0 || echo 2)"
}
heard=$(mktemp)
trap 'rm -f "$heard"' EXIT
good='line\t[]\t610a\n' a='{ok,<<"a\n">>,<<>>}'
batch "${good}line\t[]\n$good" "line 2 is not type, options, hex with tabs between" "$a $bad $a"
batch "line\t[]\t6\n$good" "line 1 has no hex in its third column" "$bad $a"
batch "line\t[]\t61\00062\n$good" "line 1 holds a NUL byte" "$bad $a"
for options in x '' [ '[{packet_size,4},]' '[,]' '[{packet_size,-1}]' '[{size,1}]' '[packet_size]' \
    '[{line_length,4294967296}]' '{packet_size,4}'; do
    batch "line\t$options\t610a\n$good" "" "$bad $a"
done
batch "lines\t[]\t610a\n$good" "" "$bad $a"

# Whoever asks line by line is answered before the next line.
conversation() {
    coproc "$weir" "$@"
    for input in "${lines[@]}"; do
        printf "$input" >&"${COPROC[1]}"
        IFS= read -r -t 20 answer <&"${COPROC[0]}" || answer="no answer"
        echo "$answer"
    done
}
lines=("$good" "line\tx\t61\n" "$good")
expect "a conversation" "$(conversation decode --batch | tr '\n' ' ')" "$a $bad $a "

expect "blanks among the options" '{error,invalid}' \
    "$(printf 'line\t[ {packet_size , 1}, {line_length,9} ]\t61620a' | "$weir" decode --batch)"

# A line for which there is no memory is not the end. (A sanitizer does not start with so little.)
if (ulimit -v 200000; "$weir" version) >/dev/null 2>&1; then
    status=0
    text=$(ulimit -v 200000; head -c 300000000 /dev/zero | tr '\0' a |
        "$weir" decode --batch 2>&1) || status=$?
    expect "a line that is too long" "$text, $status" \
        "weir decode: standard input: Cannot allocate memory, 1"
fi

# Who cannot be written to any more is not decoded for.
for arguments in line --batch; do
    status=0
    yes "$(printf 'raw\t[]\t61')" | timeout 20 "$weir" decode $arguments >/dev/full 2>&1 ||
        status=$?
    expect "exit status of '$arguments' on a full disk" "$status" 1
done
exit $failed
