#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# `weir serve --listen systemd` started by systemd, what NOTIFY_SOCKET is told, and a server that is
# replaced. Argument: the command.
set -uo pipefail
weir=$(realpath "$1")
for tool in systemd-socket-activate socat nc python3; do
    command -v $tool >/dev/null || { echo "$tool is missing: ./run deps test"; exit 1; }
done
failed=0
expect() { # what, expected, got
    [ "$2" = "$3" ] && return
    printf '%s: expected\n%s\ngot\n%s\n' "$1" "$2" "$3"
    failed=1
}
folder=$(mktemp -d)
server= notified=
trap 'kill $server $notified 2>/dev/null; rm -r "$folder"' EXIT
talk() { echo "$1" | timeout 60 nc -N -U "$2"; }

# What is told, line by line.
exec {told}< <(exec socat -u "UNIX-RECV:$folder/notify" STDOUT)
notified=$!
until [ -S "$folder/notify" ]; do :; done
next() {
    IFS= read -r -t 60 -u "$told" line
    echo "$line"
}

# Started by the first connection, and with one file that both listeners are in.
activate() { # arguments of weir
    systemd-socket-activate -l "$folder/one" -l "$folder/two" --fdname=one:two \
        -E NOTIFY_SOCKET="$folder/notify" "$weir" serve "$@" >"$folder/said" 2>"$folder/errors" &
    server=$!
    until [ -S "$folder/two" ]; do kill -0 $server || exit 1; done
}
# It may serve before it has said so.
listening() { # how many places: its first so many lines
    until [ "$(wc -l <"$folder/said")" -ge "$1" ]; do kill -0 $server || break; done
    head -"$1" "$folder/said"
}
end() {
    kill -TERM $server
    wait $server
    expect 'the end' 0 $?
}

activate echo --listen systemd --schedulers 3 --options '[{packet,raw}]'
expect 'the first' 'hello' "$(talk hello "$folder/one")"
expect 'READY' 'READY=1' "$(next)"
expect 'MAINPID' "MAINPID=$server" "$(next)"
expect 'the second' 'hello' "$(talk hello "$folder/two")"
for i in $(seq 1 20); do expect "connection $i" "$i" "$(talk "$i" "$folder/one")"; done
expect 'said' "listening on unix:$folder/one
listening on unix:$folder/two" "$(listening 2)"
end
expect 'STOPPING' 'STOPPING=1' "$(next)"
[ -S "$folder/one" ] || { echo "systemd's file is gone"; failed=1; }
rm "$folder/one" "$folder/two"

# By name; the other one is nobody's.
activate echo --listen systemd:two --options '[{packet,raw}]'
expect 'by name' 'hello' "$(talk hello "$folder/two")"
expect 'said' "listening on unix:$folder/two" "$(listening 1)"
end
expect 'told' "READY=1 MAINPID=$server STOPPING=1" "$(next) $(next) $(next)"
rm "$folder/one" "$folder/two"

# What was not passed is missed, whatever else there is.
misses() { # what is said, arguments
    local said
    said=$(LISTEN_PID= timeout 60 "$weir" serve echo --listen 127.0.0.1:0 "${@:2}" 2>&1)
    expect 'what is missed' "weir serve: --listen: $1" "$said"
}
misses 'systemd has passed no socket' --listen systemd
misses 'systemd has passed no socket' --listen systemd:one
activate echo --listen systemd:one --listen systemd:tow
talk hello "$folder/one" >"$folder/answer" &
wait $server
expect 'a name that is none' 2 $?
grep -q "no socket of the name 'tow'" "$folder/errors" || { cat "$folder/errors"; failed=1; }
wait $!
rm "$folder/one" "$folder/two"

# A connection of systemd's, one for each process, is nothing to listen on.
systemd-socket-activate -a -l "$folder/one" "$weir" serve echo --listen systemd \
    >"$folder/said" 2>"$folder/errors" &
server=$!
until [ -S "$folder/one" ]; do kill -0 $server || exit 1; done
expect 'one of its own' '' "$(talk hello "$folder/one")"
until grep -q 'died with code 1' "$folder/errors"; do kill -0 $server || break; done
grep -q 'descriptor 3 is a connection' "$folder/errors" || { cat "$folder/errors"; failed=1; }
kill $server
wait $server
rm "$folder/one"

# What several names mean is served once, also when it is as many sockets as there may be.
cat >"$folder/many.py" <<'END'
import os, socket, sys
own = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
own.bind(sys.argv[1])
own.listen()
high = os.dup2(own.fileno(), 100)
for fd in range(3, 67):
    os.dup2(high, fd)
os.environ.update(LISTEN_FDS="64", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
END
exec {out}< <(exec python3 "$folder/many.py" "$folder/one" "$weir" serve echo --listen systemd \
    --listen systemd --options '[{packet,raw}]')
server=$!
read -r -t 60 -u "$out" line
expect 'named twice' "listening on unix:$folder/one" "$line"
expect 'named twice' 'hello' "$(talk hello "$folder/one")"
end
rm "$folder/one"

# Replaced by another one, which systemd is told of. One that cannot start has no effect.
export NOTIFY_SOCKET=$folder/notify
replaceable() { # arguments
    exec "$weir" serve echo --listen "unix:$folder/own" --takeover "$folder/control" \
        --options '[{packet,raw}]' "$@"
}
exec {out}< <(replaceable)
server=$!
expect 'READY' 'READY=1' "$(next)"
expect 'MAINPID' "MAINPID=$server" "$(next)"
expect 'whose control it is' 600 "$(stat -c %a "$folder/control")"
said=$(replaceable --listen 192.0.2.1:0 2>&1)
[[ $said == *192.0.2.1* ]] || { echo "a bad address: $said"; failed=1; }
expect 'asked' 'RELOADING=1' "$(next)"
expect 'READY' 'READY=1' "$(next)"
expect 'MAINPID' "MAINPID=$server" "$(next)"
expect 'it goes on' 'hello' "$(talk hello "$folder/own")"
before=$server
exec {out2}< <(replaceable)
server=$!
timeout 60 cat <&"$out" >/dev/null
wait $before
expect 'the one before' 0 $?
expect 'asked' 'RELOADING=1' "$(next)"
expect 'READY' 'READY=1' "$(next)"
expect 'MAINPID' "MAINPID=$server" "$(next)"
expect 'the next one' 'hello' "$(talk hello "$folder/own")"
end
expect 'STOPPING' 'STOPPING=1' "$(next)"
[ -e "$folder/own" ] || [ -e "$folder/control" ] && { echo "files are left"; failed=1; }
unset NOTIFY_SOCKET
said=$("$weir" serve echo --listen 127.0.0.1:0 --takeover "$folder/no/such" 2>&1)
[[ $said == *"--takeover $folder/no/such"* ]] || { echo "no folder: $said"; failed=1; }

# One that plays the predecessor: killed before it has handed anything over, or behind that, it is
# replaced all the same; when it goes on instead, its files are its own.
play() { # early, late or stays: what the successor does, and whether the files are there
    python3 - "$weir" "$folder" "$1" <<'END'
import os, socket, subprocess, sys
weir, folder, what = sys.argv[1:]
place, control = folder + "/own", folder + "/control"
def listen(path, kind):
    it = socket.socket(socket.AF_UNIX, kind)
    it.bind(path)
    it.listen()
    return it
theirs = listen(control, socket.SOCK_SEQPACKET)
own = listen(place, socket.SOCK_STREAM)
successor = subprocess.Popen(
    [weir, "serve", "echo", "--listen", "unix:" + place, "--takeover", control,
     "--options", "[{packet,raw}]"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
peer, _ = theirs.accept()
if what != "early":
    socket.send_fds(peer, [("unix:" + place).encode()], [own.fileno()])
    socket.send_fds(peer, [b"takeover"], [theirs.fileno()])
if what == "stays":
    peer.send(b"staying")
else:
    own.close()
    theirs.close()
peer.close()
if what == "stays":
    print(successor.wait(60), os.path.exists(place), os.path.exists(control))
    os.unlink(place)
    os.unlink(control)
    sys.exit()
answer = b""
while successor.poll() is None and answer != b"hello":
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(60)
    try:
        client.connect(place)
        client.send(b"hello")
        answer = client.recv(5)
    except OSError: # it does not serve yet
        pass
successor.terminate()
print(answer.decode(), successor.wait(60), os.path.exists(place), os.path.exists(control))
END
}
expect 'killed early' 'hello 0 False False' "$(play early)"
expect 'killed late' 'hello 0 False False' "$(play late)"
expect 'it stays' '1 True True' "$(play stays)"

# Without any, and with one that is no such socket.
said=$("$weir" serve echo --listen systemd 2>&1)
[[ $said == *"systemd has passed no socket"* ]] || { echo "without: $said"; failed=1; }
said=$(LISTEN_FDS=1 exec bash -c 'LISTEN_PID=$$ exec "$0" serve echo --listen systemd' "$weir" \
    3</dev/null 2>&1)
[[ $said == *"descriptor 3"* ]] || { echo "no socket: $said"; failed=1; }
exit $failed
