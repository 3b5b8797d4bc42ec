#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares random sequences of socket calls with a real Erlang's.
# usage: sockets.sh SUBJECT [--seed S] [--count N] [--program ID]
# Exit status 77 without an Erlang.
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
command -v erl >/dev/null && command -v erlc >/dev/null || exit 77

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "sockets: --seed $seed --count $count"
erlc -o "$work" "$(dirname "$0")"/sockets/*.erl

# This Erlang dies now and then in its allocator, with nothing said of any program: it is started
# again.
play() {
    # shellcheck disable=SC2086
    ERL_CRASH_DUMP=/dev/null erl +sbwt none -noshell -pa "$work" \
        -run main main -extra "$subject" "$seed" "$count" $program >"$work/said" 2>&1
}

has_ended() {
    grep -q -e ' programs, ' -e '^--seed' "$work/said"
}

for attempt in 1 2 3; do
    status=0
    play || status=$?
    if [ "$status" -eq 0 ] || has_ended; then
        break
    fi
    echo "sockets: attempt $attempt: Erlang died with status $status"
done
cat "$work/said"
exit "$status"
