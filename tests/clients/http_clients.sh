#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# curl, wrk, h2load and nc against `weir serve http`. Argument: the command.
set -euo pipefail
for tool in curl wrk h2load nc; do
    command -v $tool >/dev/null || { echo "$tool is missing: ./run deps test"; exit 1; }
done

exec {out}< <(exec "$1" serve http --listen 127.0.0.1:0 --schedulers 2)
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
read -r -t 60 -u $out line
port=${line##*:}
url=http://127.0.0.1:$port/

failed=0
expect() { # what, expected, got
    [ "$2" = "$3" ] || { printf '%s: expected\n%s\ngot\n%s\n' "$1" "$2" "$3"; failed=1; }
}
get() { curl --silent --show-error --max-time 60 "$@" 2>&1 || true; }
zeros() { head -c "$1" /dev/zero; }

expect GET "hello" "$(get $url)"
expect HEAD "HTTP/1.1 200 OK
Content-Type: text/plain
Content-Length: 6" "$(get --head $url | tr -d '\r' | grep -v '^Date: ')"
expect 'HTTP/1.0' "hello 200 1.1" "$(get --http1.0 -w '%{http_code} %{http_version}' $url | xargs)"
expect 'one connection' "hello hello hello 1 0 0" \
    "$(get -w '%{num_connects}\n' $url $url $url | sort -r | tr '\n' ' ' | xargs)"
expect 'Connection: close' "hello 1 hello 1" \
    "$(get -H 'Connection: close' -w '%{num_connects}\n' $url $url | xargs)"
expect PATCH "method not implemented 501" "$(get -X PATCH -w '%{http_code}' $url | xargs)"

for size in 0 1 65536 10485760; do
    answer="$size bytes 200"
    [ $size -gt 0 ] || answer="hello 200"
    expect "POST $size" "$answer" \
        "$(zeros $size | get --data-binary @- -w '%{http_code}' $url | xargs)"
    expect "PUT $size in chunks" "$answer" \
        "$(zeros $size | get -T - -w '%{http_code}' $url | xargs)"
done
# The answer to come is what curl waits for: an hour, and it would not get it in 60 seconds.
expect 'Expect: 100-continue' "10485760 bytes" "$(zeros 10485760 |
    get --expect100-timeout 3600 -H 'Expect: 100-continue' --data-binary @- $url)"
expect 'a body whose end nobody knows' "bad request 400" "$(zeros 10485760 |
    get -H 'Transfer-Encoding: gzip' -H Expect: -w '%{http_code}' --data-binary @- $url | xargs)"

long=$(zeros 100000 | tr '\0' x)
expect 'a long header' "header fields too large 431" \
    "$(get -H "X: $long" -w '%{http_code}' $url | xargs)"
many=()
for i in {1..9}; do many+=(-H "X-$i: ${long:0:8000}"); done
expect 'many headers' "header fields too large 431" \
    "$(get "${many[@]}" -w '%{http_code}' $url | xargs)"
expect 'a long URI' "URI too long 414" "$(get -w '%{http_code}' "$url$long" | xargs)"

expect 'nc, half closed' "hello hello" "$(for i in 1 2; do
    printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'; done | timeout 60 nc -N 127.0.0.1 $port |
    grep hello | xargs)"
expect 'nc, garbage' "HTTP/1.1 400 Bad Request" \
    "$(head -c 100 /dev/urandom | tr '\n' x | cat - <(echo) |
    timeout 60 nc -N 127.0.0.1 $port | head -1 | tr -d '\r')"

wrk_errors=$(wrk -t1 -c16 -d1s --timeout 60s $url | grep -E 'Socket errors|Non-2xx' || true)
expect wrk "" "$wrk_errors"
for how in "-m1" "-m10" "-m100 -n20000" "-m1 -HConnection:close"; do
    expect "h2load $how" "0 failed, 0 errored, 0 timeout" \
        "$(timeout 120 h2load --h1 -c20 -n2000 -t1 $how $url | grep '^requests:' |
        grep -o '0 failed, 0 errored, 0 timeout')"
done

kill $server
wait $server || expect 'exit status' 0 $?

# Who makes no progress is ended: half a head, nothing at all, answers that nobody takes.
exec {out}< <(exec "$1" serve http --listen 127.0.0.1:0 --schedulers 2 --idle 1)
server=$!
read -r -t 60 -u $out line
port=${line##*:}
for start in 'GET / HTTP/1.1\r\nHost: x\r\n' '' \
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1'; do
    exec {idler}<>"/dev/tcp/127.0.0.1/$port"
    printf "$start" >&"$idler"
    expect "idle after '$start'" 0 "$(timeout 20 cat <&"$idler" >/dev/null; echo $?)"
    exec {idler}>&-
done
exec {idler}<>"/dev/tcp/127.0.0.1/$port"
status=0
timeout 30 yes $'GET / HTTP/1.1\r\nHost: x\r\n\r' >&"$idler" 2>/dev/null || status=$?
expect 'nobody takes the answers' 1 $status
kill $server
wait $server || expect 'exit status' 0 $?
exit $failed
