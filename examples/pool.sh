#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The pool against a real Redis server. Argument: its program.
set -euo pipefail
work=$(mktemp -d)
for ((port = 20000 + RANDOM % 20000; ; port++)); do
    redis-server --port "$port" --bind 127.0.0.1 --save '' --dir "$work" >"$work/log" &
    server=$!
    until grep -q 'Ready to accept' "$work/log" || ! kill -0 $server 2>/dev/null; do :; done
    ! kill -0 $server 2>/dev/null || break
done
trap 'kill $server; rm -r "$work"' EXIT
[ "$(timeout 50 "$1" "$port")" = '1000 answered, 1 too late' ]
[ "$(timeout 50 redis-cli -p "$port" get counter)" = 1000 ]
