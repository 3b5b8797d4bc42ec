#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares `weir address --batch` with a real Erlang on generated texts.
# usage: addresses.sh WEIR [--seed S] [--count N]
set -eu

weir=$1
shift
seed=$(date +%s)
count=100000
while [ $# -gt 0 ]; do
    case $1 in
    --seed) seed=$2 ;;
    --count) count=$2 ;;
    *) echo "addresses: '$1' is neither --seed nor --count" >&2; exit 2 ;;
    esac
    shift 2
done
command -v escript >/dev/null || { echo "escript is missing: ./run deps test"; exit 1; }

here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "addresses: --seed $seed --count $count"
escript "$here/addresses.escript" generate "$seed" "$count" >"$work/texts"
"$weir" address --batch <"$work/texts" >"$work/weir"
escript "$here/addresses.escript" compare "$work/texts" "$work/weir"
