#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# UDP echo: the server's CPU for each datagram, weir beside servers written by hand, in interleaved
# rounds. Arguments: the folder of the benchmark programs, `weir`, rounds (5), milliseconds (500).
set -euo pipefail
programs=$1
weir=$2
rounds=${3:-5}
ms=${4:-500}
work=$(mktemp -d)
declare -A pid port

start() {
    "${@:2}" >"$work/$1" &
    pid[$1]=$!
    while ! grep -q listening "$work/$1"; do
        kill -0 "${pid[$1]}"
    done
    port[$1]=$(sed -n 's/.*://p' "$work/$1")
}

finish() {
    kill "${pid[@]}"
    rm -r "$work"
}
trap finish EXIT

start mmsg "$programs/recvmmsg_echo" --cpu 0
start ring "$programs/uring_udp_echo" --cpu 0
start weir "$weir" serve udp-echo --listen 127.0.0.1:0 --schedulers 1 --cpus 0

for load in "64 1 64" "64 32 64" "16 32 1400"; do
    read -r sockets depth size <<<"$load"
    for ((round = 0; round < rounds; round++)); do
        for server in mmsg ring weir; do
            echo -n "$sockets x $depth x $size $server "
            taskset -c 1 "$programs/udp_load" --port "${port[$server]}" --server \
                "${pid[$server]}" --sockets "$sockets" --depth "$depth" --size "$size" --ms "$ms"
        done
    done
done | tee /dev/stderr | awk '
    { key = $1 " x " $3 " x " $5; name[key, $6, ++count[key, $6]] = $7; keys[key] = 1 }
    function median(key, server,    i, j, n, v, t) {
        n = count[key, server]
        for (i = 1; i <= n; i++) v[i] = name[key, server, i]
        for (i = 1; i <= n; i++) for (j = i + 1; j <= n; j++)
            if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
        return v[int((n + 1) / 2)]
    }
    END { for (key in keys)
        printf "%s: mmsg %d ns, ring %d ns, weir %d ns: %.2f of mmsg, %.2f of ring\n", key,
            median(key, "mmsg"), median(key, "ring"), median(key, "weir"),
            median(key, "weir") / median(key, "mmsg"), median(key, "weir") / median(key, "ring") }'
