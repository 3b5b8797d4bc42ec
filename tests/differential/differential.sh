#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares `weir decode --batch` with a real Erlang on generated cases, term by term.
# usage: differential.sh WEIR GENERATE [--seed S] [--count N]
# shellcheck disable=SC1091,SC2034,SC2154  # seeded.sh sets what is not set here
set -eu

weir=$1
generate=$2
shift 2
name=differential count=20000
. "$(dirname "$0")/seeded.sh"
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
