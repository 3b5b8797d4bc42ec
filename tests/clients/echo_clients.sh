#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# nc against `weir serve echo`, and how the service ends. Argument: the command.
set -uo pipefail
weir=$1
command -v nc >/dev/null || { echo "nc is missing: ./run deps test"; exit 1; }
failed=0
expect() { # what, expected, got
    [ "$2" = "$3" ] && return
    printf '%s: expected\n%s\ngot\n%s\n' "$1" "$2" "$3"
    failed=1
}

server=
trap 'kill $server 2>/dev/null' EXIT
start() { # options ...: serves on a port of its choice
    exec {out}< <(exec "$weir" serve echo --listen 127.0.0.1:0 --schedulers 2 "$@")
    server=$!
    read -r -t 60 -u "$out" line
    port=${line##*:}
}
talk() { timeout 60 nc -N 127.0.0.1 "$port"; }
end() { # signal: sets `printed` and `status`
    kill "-$1" $server
    printed=$(timeout 60 cat <&"$out")
    wait $server
    status=$?
}

start --options '[{packet,line}]'
expect 'lines' $'one\ntwo\nthree' "$(printf 'one\ntwo\nthree\n' | talk)"
expect 'half a line' 'whole' "$(printf 'whole\nhalf' | talk)"
expect 'many at once' "$(seq 1 20)" "$(for i in $(seq 1 20); do echo "$i" | talk & done | sort -n)"
end TERM
expect 'SIGTERM' 0 $status
expect 'totals' \
    "accepted 22 connections; received 24 packets, 75 bytes; sent 24 packets, 71 bytes" \
    "${printed% in * operations*}"

# With a limit everybody is served too, one after the other.
start --options '[{packet,line}]' --limit 2 --idle 60
expect 'more than the limit' "$(seq 1 20)" \
    "$(for i in $(seq 1 20); do echo "$i" | talk & done | sort -n)"
end TERM
expect 'SIGTERM with a limit' 0 $status

start --options '[{packet,raw}]'
bytes=$(mktemp)
head -c 5000000 /dev/urandom >"$bytes"
expect 'five megabytes' "$(sha256sum <"$bytes")" "$(talk <"$bytes" | sha256sum)"
rm -f "$bytes"
end INT
expect 'SIGINT' 0 $status

# However connections are read, all that they send comes back.
for active in true once 3 false; do
    start --options "[{packet,line},{active,$active}]"
    expect "{active,$active}" "$(seq 1 1000)" "$(seq 1 1000 | talk)"
    end TERM
done

# Nothing is left of peers that did not read and went away, nor of half closed ones.
start --options '[{packet,raw},{exit_on_close,false}]' --drain 50000
for _ in 1 2 3; do
    (exec {peer}<>"/dev/tcp/127.0.0.1/$port" && timeout 1 cat /dev/zero >&"$peer") &
    flooders+=($!)
done
wait "${flooders[@]}"
expect 'exit_on_close' 'half' "$(printf half | talk)"
SECONDS=0
end TERM
expect 'nothing left to drain' yes "$([ $SECONDS -lt 40 ] && echo yes)"

# Who is connected is served while the service drains, which is for no longer than it is told.
start --options '[{packet,line}]' --drain 60000
coproc talker { exec nc -N 127.0.0.1 "$port"; }
echo before >&"${talker[1]}"
read -r -t 60 line <&"${talker[0]}"
expect 'before the drain' before "$line"
kill -TERM $server
while nc -z 127.0.0.1 "$port" 2>/dev/null; do :; done # until it takes no more connections
echo during >&"${talker[1]}"
read -r -t 60 line <&"${talker[0]}"
expect 'during the drain' during "$line"
exec {talker[1]}>&-
wait $server
expect 'drained' 0 $?

# Several addresses are several listeners.
exec {out}< <(exec "$weir" serve echo --listen 127.0.0.1:0 --listen 127.0.0.2:0)
server=$!
for host in 127.0.0.1 127.0.0.2; do
    read -r -t 60 -u "$out" line
    expect "$host" "listening on $host:${line##*:}" "$line"
    expect "echo of $host" "$host" "$(echo $host | timeout 60 nc -N $host "${line##*:}")"
done
end TERM
expect 'two listeners' 0 $status

# A stream that is closed from the start is nobody's: what is printed wakes no scheduler up.
for closed in '<&-' '>&-' '2>&-' '<&- >&- 2>&-'; do
    eval 'exec "$weir" serve echo --listen 127.0.0.1:0 >/dev/null' "$closed" &
    server=$!
    until [[ $(readlink "/proc/$server/fd/"* 2>/dev/null) == *socket:* ]]; do
        kill -0 $server 2>/dev/null || break
    done
    streams=$(readlink "/proc/$server/fd/"{0,1,2})
    expect "streams after $closed" "" "$(grep -E 'socket:|anon_inode|eventfd' <<<"$streams")"
    kill -TERM $server
    wait $server
    expect "exit status after $closed" 0 $?
done
exit $failed
