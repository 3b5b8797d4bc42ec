#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Erlang's gen_udp, bash's own UDP, nc and socat, against `weir serve udp-echo`. Argument: weir.
set -uo pipefail
command -v escript >/dev/null || { echo "escript is missing: ./run deps test"; exit 1; }
here=$(dirname "$0")
failed=0
exec {out}< <(exec "$1" serve udp-echo --listen 127.0.0.1:0 --schedulers 2)
server=$!
read -r -t 60 -u "$out" line
port=${line##*:}
said=$(timeout 120 escript "$here/udp_echo.escript" "$port" 2>&1)
[ "$said" = ok ] || { echo "gen_udp: $said"; failed=1; }
exec {peer}<>"/dev/udp/127.0.0.1/$port"
echo -n "from a shell" >&"$peer"
IFS= read -r -N 12 -t 60 -u "$peer" back
[ "$back" = "from a shell" ] || { echo "bash: '$back' came back"; failed=1; }
# expect WHO COMMAND...: what it sends comes back.
expect() {
    local who=$1 back
    shift
    back=$(printf 'by %s' "$who" | timeout 60 "$@" 2>/dev/null | head -c $((3 + ${#who})))
    [ "$back" = "by $who" ] || { echo "$who: '$back' came back"; failed=1; }
}
if command -v nc >/dev/null && command -v socat >/dev/null; then
    expect nc nc -u -w 1 127.0.0.1 "$port"
    expect socat socat -t 1 - "UDP:127.0.0.1:$port"
else
    echo "nc or socat is missing: ./run deps test"
    failed=1
fi
kill $server
wait $server || { echo "the service ended with status $?"; failed=1; }
exit $failed
