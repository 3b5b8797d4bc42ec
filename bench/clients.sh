#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# HTTP requests per second of the client's CPU time: weir load, wrk and h2load against `weir serve
# http`, in turn, 64 connections, one thread on one core. Arguments: the command, rounds (5).
# Absent clients are left out and said so.
set -uo pipefail
weir=$1 rounds=${2:-5}
seconds=2
exec {server}< <(exec taskset -c 0 "$weir" serve http --schedulers 1 --listen 127.0.0.1:0)
server_process=$!
trap 'kill "$server_process"' EXIT
read -r line <&"$server"
url=http://${line##* }/

weir_load() {
    "$weir" load "$url" --connections 64 --duration ${seconds}s --warm-up 0s |
        awk '/^requests/ { print $2 }'
}
wrk_load() {
    wrk -t1 -c64 -d${seconds}s "$url" | awk '/requests in/ { print $1 }'
}
h2load_load() {
    h2load --h1 -t1 -c64 -D$seconds "$url" | awk '/^requests:/ { print $6 }'
}

clients=(weir)
for client in wrk h2load; do
    if command -v $client >/dev/null; then clients+=($client); else echo "no $client here"; fi
done

taskset -pc 1 $$ >/dev/null
cpu_ticks() { awk '{ print $16 + $17 }' "/proc/$1/stat"; } # of the children that have ended

for ((round = 0; round < rounds; round++)); do
    for client in "${clients[@]}"; do
        loop=$BASHPID
        before=$(cpu_ticks "$loop")
        count=$("${client}_load")
        after=$(cpu_ticks "$loop")
        echo "$client ${count:-0} $((after - before))"
    done
done | sort | awk -v ticks="$(getconf CLK_TCK)" '
    { rate = $3 ? $2 * ticks / $3 : 0
      rates[$1, ++count[$1]] = rate; names[$1] }
    END {
        for (name in names) {
            n = count[name]
            for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
                if (rates[name, j] < rates[name, i]) {
                    swap = rates[name, i]; rates[name, i] = rates[name, j]; rates[name, j] = swap
                }
            median[name] = rates[name, int((n + 1) / 2)]
            low[name] = rates[name, 1]; high[name] = rates[name, n]
        }
        for (name in names)
            printf "%-7s %8.0f requests per CPU-second (%.0f to %.0f), %.2f of weir load\n", name,
                median[name], low[name], high[name], median[name] / median["weir"]
    }'
