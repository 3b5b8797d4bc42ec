#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir serve echo --metrics`: what a scrape gets, as curl and promtool (if it is there) see it.
# Argument: the command.
set -euo pipefail
command -v curl >/dev/null || { echo "curl is missing: ./run deps test"; exit 1; }
exec {out}< <(exec "$1" serve echo --listen 127.0.0.1:0 --metrics 127.0.0.1:0 --drain 0)
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
read -r -u "$out" _ _ metrics
read -r -u "$out" _ _ address
exec {echo}<>"/dev/tcp/${address%:*}/${address##*:}"
echo hello >&"$echo"
read -r -u "$echo" line
[ "$line" = hello ]
text=$(curl -sf --max-time 20 "http://$metrics/metrics")
sum() { awk -v name="$1{" 'index($1, name) == 1 { sum += $2 } END { print sum + 0 }' <<<"$text"; }
[ "$(sum weir_bytes_sent_total)" -ge 6 ]
[ "$(sum weir_turn_seconds_count)" -ge 1 ]
[ "$(sum weir_accepts_total)" -ge 2 ]
[ "$(awk '!/^#/ && !/^weir_[a-z_]+\{[a-z]+="[^"]*"(,le="[^"]*")?\} [0-9.]+$/' <<<"$text")" = "" ]
! command -v promtool >/dev/null || promtool check metrics <<<"$text"
code() { curl -s --max-time 20 -o /dev/null -w '%{http_code}' "$@"; }
[ "$(code "http://$metrics/")" = 404 ]
[ "$(code -X POST "http://$metrics/metrics")" = 404 ]
exec {rude}<>"/dev/tcp/${metrics%:*}/${metrics##*:}"
printf 'x: y\r\n\r\n' >&"$rude"
read -r -u "$rude" line
[[ $line == "HTTP/1.1 400 Bad Request"* ]]
