#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares random sequences of socket calls with a real Erlang's.
# usage: sockets.sh SUBJECT [--seed S] [--count N] [--program ID]; SUBJECT is a program, and perhaps
# an argument of its own: "sockets_subject processes".
set -eu

subject=$1
shift
seed=$(date +%s)
count=1000
program=
while [ $# -gt 0 ]; do
    case $1 in
    --seed) seed=$2 ;;
    --count) count=$2 ;;
    --program) program=$2 ;;
    *) echo "sockets: '$1' is none of --seed, --count, --program" >&2; exit 2 ;;
    esac
    shift 2
done
command -v erl >/dev/null && command -v erlc >/dev/null ||
    { echo "Erlang is missing: ./run deps test"; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "sockets: --seed $seed --count $count"
erlc -o "$work" "$(dirname "$0")"/sockets/*.erl

. "$(dirname "$0")/erlang.sh"
# shellcheck disable=SC2086
until_it_has_ended sockets "$work/said" ' programs, \|^--seed' erl +sbwt none -noshell \
    -pa "$work" -run main main -extra "$subject" "$seed" "$count" $program
