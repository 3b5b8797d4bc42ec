#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares `weir rc --batch` with a real Erlang's get_rc on generated configurations.
# usage: inet_config.sh WEIR [--seed S] [--count N]
set -eu

weir=$1
shift
seed=$(date +%s)
count=10000
while [ $# -gt 0 ]; do
    case $1 in
    --seed) seed=$2 ;;
    --count) count=$2 ;;
    *) echo "inet_config: '$1' is neither --seed nor --count" >&2; exit 2 ;;
    esac
    shift 2
done
command -v escript >/dev/null || { echo "escript is missing: ./run deps test"; exit 1; }

here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

echo "inet_config: --seed $seed --count $count"
mkdir "$work/files"
escript "$here/inet_config.escript" generate "$seed" "$count" "$work/files" >"$work/paths"
"$weir" rc --batch <"$work/paths" >"$work/weir" 2>/dev/null
escript "$here/inet_config.escript" compare "$work/paths" "$work/weir"
