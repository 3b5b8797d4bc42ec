#!/bin/sh
# SPDX-License-Identifier: MIT
# `weir address`: the vectors as a batch, and one line about what is mistyped.
# Arguments: weir, the folder of the vectors
set -eu
weir=$1
vectors=$2/address_vectors.tsv
failed=0

expect() {
    [ "$2" = "$3" ] || { printf '%s: "%s" instead of "%s"\n' "$1" "$2" "$3"; failed=1; }
}

# refused TEXT ARGUMENT...
refused() {
    text=$1 status=0
    shift
    said=$("$weir" address "$@" 2>&1 >/dev/null) || status=$?
    expect "exit status of '$*'" "$status" 2
    expect "what '$*' says" "$said" "weir address: $text"
}

# Left out: a sign, which weir does not take.
rows=$(tail -n +2 "$vectors" | grep -v '^[^	]*+')
expect "rows of vectors" "$(printf '%s\n' "$rows" | wc -l)" 127
expect "answers to the vectors" "$(printf '%s\n' "$rows" | cut -f 1 | "$weir" address --batch)" \
    "$(printf '%s\n' "$rows" | cut -f 2-)"

none='{error,einval}	{error,einval}	{error,einval}	{error,einval}	-'
expect "the empty text" "$("$weir" address '')" "$none"
expect "a NUL" "$(printf '127.0.0.1\000\n1\0001' | "$weir" address --batch)" "$none
$none"
expect "a sign" "$("$weir" address +1.2.3.4)" "$none"
expect "a line without an end" "$(printf '::1' | "$weir" address --batch | cut -f 1)" \
    '{ok,{0,0,0,0,0,0,0,1}}'
refused "needs a text, or --batch"
refused "--batch takes no 'x'" --batch x
exit $failed
