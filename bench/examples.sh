#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the examples take beside programs that are known: the store beside redis-server, as it is and
# with requests that gather for 500 us; the proxy beside HAProxy in TCP mode; in interleaved rounds.
# For each round is printed how many requests (or MiB, for bytes) a second of the server's processor
# time is enough for, and in the end the medians and their ratio. Arguments: the folder of the
# examples, `weir`, rounds (3), thousands of requests in a round (200).
set -euo pipefail
examples=$1
weir=$2
rounds=${3:-3}
thousands=${4:-200}
work=$(mktemp -d)
declare -A pid port

finish() {
    kill "${pid[@]}"
    rm -r "$work"
}
trap finish EXIT

free_port() { # sets `free`
    free=$((free + 1))
    while (: <"/dev/tcp/127.0.0.1/$free") 2>&-; do free=$((free + 1)); done
}
free=$((20000 + RANDOM % 20000))

start() { # name, program; until it listens
    taskset -c "$core" "${@:2}" >"$work/$1" 2>&1 &
    pid[$1]=$!
    until (: <"/dev/tcp/127.0.0.1/${port[$1]}") 2>&-; do
        kill -0 "${pid[$1]}" || { cat "$work/$1"; exit 1; }
    done
}

cpu_ns() { # of all threads
    cat /proc/"${pid[$1]}"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# What is measured, which server, how many, and what makes the load.
measure() {
    local before after
    before=$(cpu_ns "$2")
    taskset -c 1 "${@:4}" >"$work/load" 2>&1 || { cat "$work/load"; exit 1; }
    after=$(cpu_ns "$2")
    awk -v what="$1" -v server="$2" -v count="$3" -v ns=$((after - before)) \
        'BEGIN { printf "%s %s %.0f\n", what, server, count * 1e9 / ns }' | tee -a "$work/measured"
}

for name in redis store gathering haproxy proxy echo; do
    free_port
    port[$name]=$free
done
core=0 # the load, and what is behind the proxies, have the other one
start redis redis-server --port "${port[redis]}" --bind 127.0.0.1 --save '' --appendonly no \
    --dir "$work"
start store "$examples/store" "${port[store]}"
start gathering "$examples/store" "${port[gathering]}" 500
core=1 start echo "$weir" serve echo --listen "127.0.0.1:${port[echo]}" --schedulers 1
start proxy "$examples/proxy" "${port[proxy]}" 127.0.0.1 "${port[echo]}" 1
cat >"$work/haproxy.cfg" <<END
global
    nbthread 1
defaults
    mode tcp
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend front
    bind 127.0.0.1:${port[haproxy]}
    default_backend back
backend back
    server echo 127.0.0.1:${port[echo]}
END
start haproxy haproxy -db -f "$work/haproxy.cfg"

for ((round = 0; round < rounds; round++)); do
    for depth in 32 1; do
        for command in set get; do
            for server in redis store gathering; do
                count=$((thousands * 1000 * (depth > 1 ? 5 : 1)))
                measure "$command -P $depth" $server $count redis-benchmark -p "${port[$server]}" \
                    -t $command -n $count -P $depth -r 10000 -q
            done
        done
    done
    for server in haproxy proxy; do
        count=$((thousands * 1000 / 2))
        measure "64 x 64 bytes" $server $count "$weir" load "tcp://127.0.0.1:${port[$server]}" \
            --connections 64 --count $count --warm-up 0s
        count=$((thousands * 8))
        measure "8 x 64 KiB" $server $count "$weir" load "tcp://127.0.0.1:${port[$server]}" \
            --connections 8 --size 65536 --count $count --warm-up 0s
    done
done

echo
sort "$work/measured" | awk '
    { server = $(NF - 1); value = $NF; NF -= 2; all[$0, server, ++n[$0, server]] = value
      if (!($0 in seen)) { seen[$0] = 1; order[++count] = $0 } }
    function median(what, server,    i, j, k, values, t) {
        k = n[what, server]
        for (i = 1; i <= k; i++) values[i] = all[what, server, i] + 0
        for (i = 2; i <= k; i++)
            for (j = i; j > 1 && values[j] < values[j - 1]; j--) {
                t = values[j]; values[j] = values[j - 1]; values[j - 1] = t }
        return values[int((k + 1) / 2)]
    }
    END {
        for (i = 1; i <= count; i++) {
            what = order[i]
            other = (what SUBSEP "redis" SUBSEP 1) in all ? "redis" : "haproxy"
            owns = split(other == "redis" ? "store gathering" : "proxy", own)
            for (o = 1; o <= owns; o++)
                printf "%-14s %s %.0f  %s %.0f  ratio %.2f\n", what, own[o],
                    median(what, own[o]), other, median(what, other),
                    median(what, own[o]) / median(what, other) }
    }'
uptime
