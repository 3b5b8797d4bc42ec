#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# nc, socat, curl and a real Erlang against services on local sockets, and what becomes of their
# files. Argument: the command.
set -uo pipefail
weir=$1
for tool in nc socat curl escript; do
    command -v $tool >/dev/null || { echo "$tool is missing: ./run deps test"; exit 1; }
done
failed=0
expect() { # what, expected, got
    [ "$2" = "$3" ] && return
    printf '%s: expected\n%s\ngot\n%s\n' "$1" "$2" "$3"
    failed=1
}

folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null; rm -r "$folder"' EXIT
start() { # service, place, options ...
    exec {out}< <(exec "$weir" serve "$1" --listen "$2" --schedulers 2 "${@:3}")
    server=$!
    read -r -t 60 -u "$out" line
    expect "said of $2" "listening on $2" "$line"
}
end() { # signal: sets `status`
    kill "-$1" $server
    timeout 60 cat <&"$out" >/dev/null
    wait $server
    status=$?
    exec {out}<&-
}

path=$folder/echo
start echo "unix:$path" --options '[{packet,raw},{file_mode,8#600}]'
expect 'permissions' 600 "$(stat -c %a "$path")"
expect 'nc' 'hello' "$(echo hello | timeout 60 nc -N -U "$path")"
expect 'socat' 'hello' "$(echo hello | timeout 60 socat -t60 - "UNIX-CONNECT:$path")"
head -c 5000000 /dev/urandom >"$folder/bytes"
expect 'five megabytes' "$(sha256sum <"$folder/bytes")" \
    "$(timeout 60 nc -N -U "$path" <"$folder/bytes" | sha256sum)"
expect 'many at once' "$(seq 1 20)" \
    "$(for i in $(seq 1 20); do echo "$i" | timeout 60 nc -N -U "$path" & done | sort -n)"
cat >"$folder/talk" <<'END'
#!/usr/bin/env escript
main([Path]) ->
    {ok, S} = gen_tcp:connect({local, Path}, 0, [local, binary, {active, false}]),
    {ok, {local, Name}} = inet:peername(S),
    ok = gen_tcp:send(S, <<"from Erlang">>),
    {ok, Data} = gen_tcp:recv(S, 11, 60000),
    io:format("~s ~s", [Name, Data]).
END
expect 'Erlang' "$path from Erlang" "$(timeout 60 escript "$folder/talk" "$path")"
said=$("$weir" serve echo --listen "unix:$path" 2>&1)
expect 'a second one' "weir serve: --listen: cannot bind to unix:$path: address already in use" \
    "$said"
end TERM
expect 'SIGTERM' 0 $status
[ ! -e "$path" ] || { echo "the file is there still"; failed=1; }

# One that was killed leaves its file, which the next one takes.
start echo "unix:$path"
kill -KILL $server
wait $server 2>/dev/null
exec {out}<&-
[ -S "$path" ] || { echo "there is no stale file"; failed=1; }
# The kernel closes what the rings of a killed process hold a little later.
until ! nc -z -U "$path" 2>/dev/null; do :; done
start echo "unix:$path" --options '[{packet,raw}]'
expect 'after a stale file' 'hello' "$(echo hello | timeout 60 nc -N -U "$path")"
# A file that another one has put there is not removed.
rm "$path"
touch "$path"
end INT
expect 'SIGINT' 0 $status
[ -f "$path" ] || { echo "somebody else's file is gone"; failed=1; }

start http "unix:$folder/http"
expect 'curl' 'hello' \
    "$(timeout 60 curl -s --unix-socket "$folder/http" http://localhost/ | tr -d '\n')"
end TERM

start echo "unix:@$folder" --options '[{packet,raw}]'
expect 'an abstract name' 'hello' \
    "$(echo hello | timeout 60 socat -t60 - "ABSTRACT-CONNECT:$folder")"
end TERM

# Datagrams.
start udp-echo "unix:$folder/datagrams"
# To socat datagrams have no end: it is ended when the answer is there.
exec {answers}< <(exec socat -t60 - "UNIX-SENDTO:$folder/datagrams,bind=$folder/socat" \
    < <(echo hello))
socat=$!
read -r -t 60 -u "$answers" line
expect 'socat' 'hello' "$line"
kill $socat
cat >"$folder/talk" <<'END'
#!/usr/bin/env escript
main([Server, Own]) ->
    {ok, S} = gen_udp:open(0, [{ifaddr, {local, Own}}, binary]),
    ok = gen_udp:send(S, {local, Server}, 0, <<"from Erlang">>),
    receive {udp, S, {local, Source}, 0, Data} -> io:format("~s ~s", [Source, Data])
    after 60000 -> io:format("nothing") end.
END
expect 'gen_udp' "$folder/datagrams from Erlang" \
    "$(timeout 60 escript "$folder/talk" "$folder/datagrams" "$folder/own")"
end TERM
[ ! -e "$folder/datagrams" ] || { echo "the file of datagrams is there still"; failed=1; }

long=$(printf '%0120d' 0)
for place in "$folder/no/such" "$folder" "/$long" ""; do
    said=$("$weir" serve echo --listen "unix:$place" 2>&1)
    [ $? -ne 0 ] && [[ $said == *"$place"* ]] || { echo "unix:$place: $said"; failed=1; }
done
exit $failed
