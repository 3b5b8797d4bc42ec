#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs one example and talks to it. Arguments: its name, its program, and that of a server that it
# passes on to. Each takes a port, 0 to have one picked, and says which it is; only the first, as
# README.md shows it, has one of its own.
set -euo pipefail
servers=()
trap 'kill "${servers[@]}"' EXIT
start() { # sets port
    local out line=
    exec {out}< <(exec "$@")
    server=$!
    servers+=("$server")
    [ "$name" = echo ] || read -r -t 60 -u "$out" line
    port=${line##*port }
}
name=$1
if [ "$name" = tls ]; then
    keys=$(mktemp -d)
    trap 'kill "${servers[@]}"; rm -r "$keys"' EXIT
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost \
        -keyout "$keys/key" -out "$keys/certificate" 2>&-
    start "$2" 0 "$keys/certificate" "$keys/key"
elif [ $# -gt 2 ]; then
    start "$3" 0
    start "$2" 0 127.0.0.1 "$port"
else
    start "$2" 0
fi
[ "$name" != echo ] || port=7000

expect() { # what is expected, got
    [ "$1" = "$2" ] || { printf 'expected\n%s\ngot\n%s\n' "$1" "$2"; exit 1; }
}
ask() { # the answer to all of the input, up to the end of the connection
    timeout 60 nc -N 127.0.0.1 "$port" | tr -d '\r'
}
say() { printf '%s\n' "$2" >&"$1"; }
hear() { # connection; the next line
    local line
    read -r -t 60 -u "$1" line && echo "$line"
}

talk_to_http_hello() {
    local ok=$'HTTP/1.1 200 OK\nContent-Length: 6\n'
    expect "$ok
hello
$ok
$ok
hello
HTTP/1.1 400 Bad Request
Content-Length: 6
Connection: close

hello" "$(printf '%s\r\n' 'GET / HTTP/1.1' '' 'HEAD / HTTP/1.1' '' \
    'POST / HTTP/1.1' 'Content-Length: 7' '' 12345 'x' | ask)"
    expect 'HTTP/1.1 501 Not Implemented' "$(printf '%s\r\n' 'POST / HTTP/1.1' \
        'Transfer-Encoding: chunked' '' 0 '' | ask | head -1)"
    expect 'Connection: close' "$(printf '%s\r\n' 'GET / HTTP/1.0' '' 'GET / HTTP/1.0' '' |
        ask | grep Connection)"
}

# Who is welcome is in the room.
talk_to_line_chat() {
    local one two
    exec {one}<>"/dev/tcp/127.0.0.1/$port" {two}<>"/dev/tcp/127.0.0.1/$port"
    expect welcome "$(hear $one)"
    expect welcome "$(hear $two)"
    say $one hello
    expect hello "$(hear $two)"
    say $two 'hello yourself'
    expect 'hello yourself' "$(hear $one)"
}

talk_to_echo() {
    until (: <"/dev/tcp/127.0.0.1/$port") 2>&-; do
        kill -0 $server 2>&- || { trap - EXIT; exit 77; } # somebody has port 7000
        [ $SECONDS -lt 60 ] || { echo "it does not listen"; exit 1; }
    done
    expect ' 00 00 00 02 68 69' "$(printf '\0\0\0\2hi' | ask | od -An -tx1)"
}

talk_to_process_chat() {
    talk_to_line_chat
}

talk_to_process_echo() {
    local got
    got=$(printf '\0\2hi\0\5again' | timeout 60 nc -N 127.0.0.1 "$port" | od -An -tx1)
    expect ' 00 02 68 69 00 05 61 67 61 69 6e' "$got"
}

talk_to_process_proxy() {
    talk_to_process_echo
}

talk_to_store() {
    local large
    large=$(head -c 20000 /dev/zero | tr '\0' v)
    ask_store() { timeout 60 redis-cli -p "$port" "$@"; }
    expect OK "$(ask_store set key "$large")"
    expect "$large" "$(ask_store get key)"
    expect OK "$(ask_store set key other)"
    expect other "$(ask_store get key)"
    expect '' "$(ask_store get nothing)"
    expect 'ERR unknown command' "$(ask_store nonsense | head -1)"
    expect 4 "$(timeout 60 redis-benchmark -p "$port" -t ping,set,get -n 20000 -P 100 -r 1000 \
        --csv | grep -cE '^"(PING_INLINE|PING_MBULK|SET|GET)"')"
    expect $'+OK\n$5\ntyped\n+PONG\n-ERR unknown command' \
        "$(printf 'set key  typed\r\nget key\n\r\nping\nnonsense\r\n' | ask)"
    expect '' "$(printf '*x\r\n' | ask)"
}

# Who does not read is not read for either, here by way of the echo server: what he sends stays in
# the kernel, and goes on when he reads. That one side's end is passed on, `ask` needs.
talk_to_proxy() {
    local one frame before=0 now=0
    talk_to_process_echo
    exec {one}<>"/dev/tcp/127.0.0.1/$port"
    frame=$(head -c 16384 /dev/zero | tr '\0' x)
    while printf '\x40\0%s' "$frame" 2>&-; do :; done >&"$one" &
    servers+=($!)
    until [ "$now" -gt 100000 ] && [ "$now" = "$before" ]; do
        [ $SECONDS -lt 50 ] || { echo "it reads on and on"; exit 1; }
        before=$now
        now=$(ss -Htn "sport = :$port" | awk '{ bytes += $2 } END { print bytes + 0 }')
    done
    now=$(awk '/VmHWM/ { print $2 }' "/proc/$server/status")
    [ "$now" -lt 65536 ] || { echo "$now KiB of memory"; exit 1; }
    expect 20000000 "$(timeout 50 head -c 20000000 <&"$one" | wc -c)"
}

hear_but_pings() {
    local line
    while line=$(hear "$1") && [ "$line" = PING ]; do :; done
    echo "$line"
}

# Those who never answer a heartbeat are closed.
talk_to_pubsub() {
    local one two line
    exec {one}<>"/dev/tcp/127.0.0.1/$port" {two}<>"/dev/tcp/127.0.0.1/$port"
    say $one 'SUB news'
    say $two 'SUB weather'
    expect OK "$(hear_but_pings $one)"
    expect OK "$(hear_but_pings $two)"
    say $two 'PUB news it rains'
    say $one 'PUB weather it rains'
    expect 'news it rains' "$(hear_but_pings $one)"
    expect 'weather it rains' "$(hear_but_pings $two)"
    for line in nonsense 'PUB news' "SUB $(printf 't%.0s' {1..64})"; do
        say $two "$line"
        expect 'SUB TOPIC, PUB TOPIC TEXT, or PONG' "$(hear_but_pings $two)"
    done
    expect PING "$(hear $one)"
    while line=$(hear $one); do
        expect PING "$line"
    done
}

# Behind nginx on a local socket, and curl before it.
talk_to_fastcgi() {
    local work nginx body
    work=$(mktemp -d)
    cat >"$work/nginx.conf" <<END
daemon off;
master_process off;
pid $work/pid;
error_log $work/error;
events {}
http {
    access_log off;
    client_body_temp_path $work/body;
    proxy_temp_path $work/proxy;
    fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi;
    scgi_temp_path $work/scgi;
    upstream responder {
        server 127.0.0.1:$port;
        keepalive 4;
    }
    server {
        listen unix:$work/http;
        location / {
            fastcgi_pass responder;
            fastcgi_keep_conn on;
            fastcgi_param REQUEST_METHOD \$request_method;
            fastcgi_param REQUEST_URI \$request_uri;
        }
    }
}
END
    PATH=$PATH:/usr/sbin nginx -e "$work/error" -c "$work/nginx.conf" &
    nginx=$!
    servers+=("$nginx")
    until [ -S "$work/http" ]; do kill -0 "$nginx"; done
    get() { timeout 50 curl -sS --unix-socket "$work/http" "$@"; }
    expect 'GET /a?b, 0 bytes' "$(get 'http://localhost/a?b')"
    body=$work/text
    head -c 300000 /dev/zero >"$body"
    expect 'POST /c, 300000 bytes' "$(get --data-binary "@$body" http://localhost/c)"
    expect "$(for i in {1..20}; do echo "GET /$i, 0 bytes"; done)" \
        "$(get 'http://localhost/[1-20]')"
    rm -r "$work"
}

talk_to_tls() {
    local address=https://localhost:$port
    get() { timeout 50 curl -sS --noproxy '*' -4 --cacert "$keys/certificate" "$@"; }
    expect $'hello\nhello\nhello' "$(get "$address/"{1,2,3})"
    expect hello "$(get --tls-max 1.2 "$address")"
    expect hello "$(get -H "Long: $(head -c 10000 /dev/zero | tr '\0' x)" "$address")"
    expect hello "$(printf 'GET / HTTP/1.0\r\n\r\n' | timeout 50 openssl s_client -quiet \
        -verify_return_error -CAfile "$keys/certificate" -connect "127.0.0.1:$port" 2>/dev/null |
        tail -1)"
    expect '' "$(printf 'no hello of a client\r\n' | ask | tr -dc a-z)"
}

# Two ask one after the other, each from a port of its own.
talk_to_udp_time() {
    local before question answer
    for question in now 'what time is it?'; do
        before=$(date +%s)
        answer=$(printf %s "$question" | timeout 20 nc -u -W 1 127.0.0.1 "$port" | od -An -tx1)
        expect 12 ${#answer}
        answer=$((16#${answer// /} - 2208988800))
        [ "$answer" -ge "$before" ]
        [ "$answer" -le "$(date +%s)" ]
    done
}

talk_to_mailbox() {
    expect 'you said: one
you said: two
you said: three' "$(printf '%s\n' one two three | ask)"
}

"talk_to_$1"
