#!/bin/bash
# SPDX-License-Identifier: MIT
# Two hosts, joined by a cable: the name server's goes away in mid-question and comes back. One
# that comes back in time is heard; while it is away a look-up ends with its rounds; and the next
# one after that is answered. Arguments: weir, the name server of the tests. Exit status 77 where
# there are no network namespaces.
set -euo pipefail
weir=$1 server=$2
if [ "${3:-}" != inside ]; then
    [ "$(id -u)" -eq 0 ] && unshare -n ip link add v0 type veth peer name v1 2>/dev/null || exit 77
    exec unshare -n "$0" "$weir" "$server" inside
fi

work=$(mktemp -d)
trap 'kill "$FAR_PID" 2>/dev/null; rm -rf "$work"' EXIT
ip link set lo up
ip link add near type veth peer name far
ip address add 10.9.0.1/24 dev near
ip link set near up

# The other host: its end of the cable, and then the server.
coproc FAR {
    exec unshare -n bash -c 'read -r _; ip link set lo up; ip address add 10.9.0.2/24 dev far
        ip link set far up; exec "$1" 10.9.0.2' bash "$server"
}
while [ "$(readlink /proc/$FAR_PID/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link set far netns "$FAR_PID"
echo >&"${FAR[1]}"
read -r port <&"${FAR[0]}"

far() {
    nsenter -t "$FAR_PID" -n ip link set far "$1"
}

resolve() {
    WEIR_INETRC=$work/rc "$weir" resolve "$1" --nameserver "10.9.0.2:$port" 2>/dev/null || true
}

expect() {
    [ "$2" = "$3" ] || { echo "$1: $2, not $3"; exit 1; }
}

found() {
    echo "{hostent,\"$1\",[],inet,4,[{192,0,2,1}]}"
}

echo '{timeout,1500}. clear_search. {domain,""}.' >"$work/rc" # 500, 1000 and 2000 ms
expect "a server that is there" "$(resolve known.test)" "$(found known.test)"
resolve late.test >"$work/late" & # it is answered after 100 ms
sleep 0.05
far down
sleep 0.3
far up
wait $!
expect "one that came back in time" "$(cat "$work/late")" "$(found late.test)"
far down
echo '{timeout,300}. clear_search. {domain,""}.' >"$work/rc"
expect "one that is away" "$(resolve known2.test)" "{error,nxdomain}"
far up
echo '{timeout,3000}. clear_search. {domain,""}.' >"$work/rc"
expect "one that is back" "$(resolve known3.test)" "$(found known3.test)"
