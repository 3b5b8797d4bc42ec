#!/bin/bash
# SPDX-License-Identifier: MIT
# `weir resolve` asks a name server that is a real one, unbound with local data only, on a port of
# loopback. Argument: weir.
set -euo pipefail
weir=$1
PATH=$PATH:/usr/sbin
command -v unbound >/dev/null || { echo "unbound is missing: ./run deps test"; exit 1; }
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
failed=0

# 200 addresses do not fit in a datagram.
many=$(for i in $(seq 1 200); do echo "    local-data: \"many.test. 60 A 10.3.0.$i\""; done)
configure() {
    cat >"$work/conf" <<END
server:
    interface: 127.0.0.1
    port: $1
    username: ""
    chroot: ""
    directory: "$work"
    pidfile: ""
    use-syslog: no
    do-daemonize: no
    do-not-query-localhost: no
    module-config: "iterator"
    local-zone: "test." static
    local-data: "www.test. 60 A 10.1.0.1"
    local-data: "www.test. 60 A 10.1.0.2"
    local-data: "www.test. 60 AAAA 2001:db8::1"
    local-data-ptr: "10.1.0.1 60 www.test"
    local-data-ptr: "2001:db8::1 60 www.test"
$many
remote-control:
    control-enable: no
END
}

# Somebody else may have taken a port: the next is tried.
start() {
    for port in $(shuf -i 20000-60000 -n 20); do
        configure "$port"
        unbound -c "$work/conf" >"$work/log" 2>&1 &
        server=$!
        for _ in $(seq 100); do
            "$weir" resolve www.test --nameserver "127.0.0.1:$port" >/dev/null 2>&1 && return
            kill -0 "$server" 2>/dev/null || break
            sleep 0.1
        done
    done
    cat "$work/log"
    exit 1
}

expect() {
    local answer
    answer=$("$weir" resolve "$2" --nameserver "127.0.0.1:$port" ${3:-} ${4:-} 2>/dev/null || true)
    [[ $answer == $1 ]] || { echo "$2 ${4:-}: $answer, not $1"; failed=1; }
}

start
expect '{hostent,"www.test",\[\],inet,4,\[{10,1,0,?},{10,1,0,?}\]}' www.test
expect '{hostent,"www.test",\[\],inet6,16,\[{8193,3512,0,0,0,0,0,1}\]}' www.test --family inet6
expect '{hostent,"www.test",\[\],inet,4,\[{10,1,0,1}\]}' 10.1.0.1
expect '{hostent,"www.test",\[\],inet6,16,\[{8193,3512,0,0,0,0,0,1}\]}' 2001:db8::1
expect '{hostent,"many.test",\[\],inet,4,\[{10,3,0,*{10,3,0,*{10,3,0,*{10,3,0,*\]}' many.test
expect '{error,nxdomain}' nosuch.test
expect '{error,nxdomain}' many.test --family inet6
[ "$("$weir" resolve many.test --nameserver "127.0.0.1:$port" | grep -o '{10,' | wc -l)" = 200 ] ||
    { echo "many.test has not 200 addresses"; failed=1; }
exit $failed
