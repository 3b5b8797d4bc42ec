# SPDX-License-Identifier: MIT
# To be sourced, with `name` and `count` set: reads the switches of a comparison from its arguments,
# and sets seed, count, here (the scripts' folder) and work (one that goes when it ends).
# shellcheck shell=sh disable=SC2034,SC2154

seed=$(date +%s)
while [ $# -gt 0 ]; do
    case $1 in
    --seed) seed=$2 ;;
    --count) count=$2 ;;
    *) echo "$name: '$1' is neither --seed nor --count" >&2; exit 2 ;;
    esac
    shift 2
done
command -v escript >/dev/null || { echo "escript is missing: ./run deps test"; exit 1; }

here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "$name: --seed $seed --count $count"
