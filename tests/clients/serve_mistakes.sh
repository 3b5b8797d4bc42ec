#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `weir serve` says when it cannot: one line, that names the thing and the reason; and nothing
# keeps running. Argument: the command.
set -uo pipefail
weir=$1
failures=0

expect() { # status, pattern of the one line, arguments ...
    local status=$1 pattern=$2 out err got
    shift 2
    err=$(mktemp)
    out=$(timeout 60 "$weir" serve "$@" 2>"$err")
    got=$?
    if [ $got -ne "$status" ] || [ -n "$out" ] || [ "$(wc -l <"$err")" -ne 1 ] ||
        ! grep -qE -e "$pattern" "$err"; then
        echo "weir serve $*: status $got, '$out', '$(cat "$err")'; expected $status, '$pattern'"
        failures=$((failures + 1))
    fi
    rm -f "$err"
}

exec {out}< <(exec "$weir" serve echo --listen 127.0.0.1:0)
server=$!
trap 'kill $server 2>/dev/null' EXIT
read -r -t 60 -u "$out" line
port=${line##*:}

expect 1 "127.0.0.1:$port: address already in use" echo --listen "127.0.0.1:$port"
expect 1 "192.0.2.1:0: can(no|')t assign requested address" echo --listen 192.0.2.1:0
expect 2 "--listen: .*127.0.0" echo --listen 127.0.0
expect 2 "--listen: .*65536" echo --listen 127.0.0.1:65536
expect 2 "--listen ADDRESS:PORT is needed" echo
expect 2 "--frob" echo --listen 127.0.0.1:0 --frob 1
expect 2 "--options needs a value" echo --listen 127.0.0.1:0 --options
expect 2 "no service 'eco'; did you mean 'echo'" eco --listen 127.0.0.1:0
expect 2 "there is no service ''; there are: echo, " ""
expect 2 "before --listen goes the service; there are: echo, " --listen 127.0.0.1:0 echo
expect 2 "which service\? There are: echo, http"
expect 1 "--options: character 10: 5 is none of" echo --listen 127.0.0.1:0 --options '[{packet,5}]'
expect 1 "--options: character" echo --listen 127.0.0.1:0 --options '[{packet,4}'
expect 1 "broadcast" echo --listen 127.0.0.1:0 --options '[{broadcast,true}]'
expect 2 "--schedulers: 'x' is not a number from 0 to 4294967295" echo --listen 127.0.0.1:0 \
    --schedulers x
expect 1 "schedulers: 65 is out of range 1..64" echo --listen 127.0.0.1:0 --schedulers 65
expect 1 "cpus: " echo --listen 127.0.0.1:0 --cpus 9999
expect 2 "--buffers: '12' is not COUNTxBYTES" echo --listen 127.0.0.1:0 --buffers 12
expect 2 "--buffers: '4294967296' is not a number" echo --listen 127.0.0.1:0 \
    --buffers 4294967296x4096
expect 2 "--buffers: '-1' is not a number" echo --listen 127.0.0.1:0 --buffers 4x-1
expect 2 "--idle: no connection does anything in 0 seconds" echo --listen 127.0.0.1:0 --idle 0
expect 2 "--idle: no connection does anything in 0 seconds" http --listen 127.0.0.1:0 --idle 0
expect 2 "--idle: '4294968' is more than 4294967 seconds" echo --listen 127.0.0.1:0 --idle 4294968
expect 2 "--limit: 0 connections are none at all" echo --listen 127.0.0.1:0 --limit 0
expect 2 "--limit: 'x' is not a number" http --listen 127.0.0.1:0 --limit x
expect 2 "--limit: udp-echo takes none" udp-echo --listen 127.0.0.1:0 --limit 1
expect 2 "--idle: udp-echo takes none" udp-echo --listen 127.0.0.1:0 --idle 5
expect 2 "--idle: dns takes none" dns --zone /dev/null --listen 127.0.0.1:0 --idle 5
expect 1 "unix:/dev/null: a file is there that is no socket" echo --listen unix:/dev/null
expect 2 "--metrics: " echo --listen 127.0.0.1:0 --metrics nowhere
expect 2 "--options is given twice" echo --listen 127.0.0.1:0 --options '[]' --options '[]'
expect 2 "no option '--lissten'; did you mean '--listen'" echo --lissten 127.0.0.1:0
expect 2 "--listen: more than 16 addresses" echo \
    $(for _ in {1..17}; do echo --listen 127.0.0.1:0; done)
expect 1 "192.0.2.1:0" echo --listen 127.0.0.1:0 --listen 192.0.2.1:0
expect 1 "there is no option 'packt'; did you mean 'packet'" echo --listen 127.0.0.1:0 \
    --options '[{packt,4}]'
expect 2 "--idle: 'x' is not a number" http --listen 127.0.0.1:0 --idle x
expect 2 "--frob" echo --listen=127.0.0.1:0 --frob=1
expect 1 "schedulers: 65" echo --listen=127.0.0.1:0 --schedulers=65
expect 2 "'fe80::1%nosuch': there is no interface 'nosuch'" echo --listen '[fe80::1%nosuch]:0'
expect 1 "network namespace \"/nosuch\": no such file" echo --listen 127.0.0.1:0 \
    --options '[{netns,"/nosuch"}]'
expect 1 "buffer_count: 3 is not a power of two" echo --listen 127.0.0.1:0 --buffers 3x4096
expect 1 "no feature is named \"warp\"" echo --listen 127.0.0.1:0 --features-off warp
expect 1 "default_listen_options: character 10" echo --listen 127.0.0.1:0 \
    --default-listen-options '[{packet,5}]'
expect 2 "--listen: dns takes nothing but ADDRESS:PORT" dns --zone /dev/null --listen unix:@mistake
expect 2 "--listen: dns takes nothing but ADDRESS:PORT" dns --zone /dev/null --listen systemd
expect 2 "--takeover: dns takes none" dns --zone /dev/null --listen 127.0.0.1:0 --takeover @mistake
expect 2 "--zone FILE is needed by dns" dns --listen 127.0.0.1:0
expect 2 "--zone: echo takes none" echo --listen 127.0.0.1:0 --zone /dev/null
(ulimit -n 8; expect 1 "ulimit -n" echo --listen 127.0.0.1:0 --schedulers 4; exit $failures) ||
    failures=$((failures + 1))
if [ "$(id -u)" -ne 0 ] && [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" -gt 81 ]; then
    expect 1 "127.0.0.1:81: permission denied" echo --listen 127.0.0.1:81
fi
exit $((failures > 0))
