#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares setopts and getopts with a real Erlang's, on sockets of the kernel.
# usage: options.sh OPTIONS_SUBJECT [--seed S] [--count N]
set -eu

subject=$1
shift
seed=$(date +%s)
count=300
while [ $# -gt 0 ]; do
    case $1 in
    --seed) seed=$2 ;;
    --count) count=$2 ;;
    *) echo "options: '$1' is neither --seed nor --count" >&2; exit 2 ;;
    esac
    shift 2
done
command -v escript >/dev/null || { echo "escript is missing: ./run deps test"; exit 1; }

here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "options: --seed $seed --count $count"
escript "$here/options.escript" generate "$seed" "$count" >"$work/cases"
"$subject" <"$work/cases" >"$work/weir"
. "$here/erlang.sh"
until_it_has_ended options "$work/said" ' cases, ' \
    escript "$here/options.escript" compare "$work/cases" "$work/weir"
