#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares `weir decode --batch` with a real Erlang on generated cases, term by term.
# usage: differential.sh WEIR GENERATE [--seed S] [--count N]
set -eu

weir=$1
generate=$2
shift 2
seed=$(date +%s)
count=20000
while [ $# -gt 0 ]; do
    case $1 in
    --seed) seed=$2 ;;
    --count) count=$2 ;;
    *) echo "differential: '$1' is neither --seed nor --count" >&2; exit 2 ;;
    esac
    shift 2
done
command -v escript >/dev/null || { echo "escript is missing: ./run deps test"; exit 1; }

here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "differential: --seed $seed --count $count"
"$generate" --seed "$seed" --count "$count" >"$work/cases"
escript "$here/decode_packet.escript" "$work/cases" >"$work/erlang"
"$weir" decode --batch <"$work/cases" >"$work/weir"
[ "$(wc -l <"$work/erlang")" -eq "$count" ]
[ "$(wc -l <"$work/weir")" -eq "$count" ]
if cmp -s "$work/erlang" "$work/weir"; then
    awk -F '[{,]' '{ answers[$2]++ }
        END { for (answer in answers) printf "  %s: %d\n", answer, answers[answer] }' \
        "$work/erlang"
    exit 0
fi
paste "$work/cases" "$work/erlang" "$work/weir" |
    awk -F '\t' '
        $4 != $5 && n++ < 10 { print $1 "\t" $2 "\t" $3 "\n  erlang " $4 "\n  weir   " $5 }
        END { print n " differences" }'
exit 1
