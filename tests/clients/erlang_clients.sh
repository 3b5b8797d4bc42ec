#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Erlang's gen_tcp against `weir serve echo`. Argument: the command.
set -uo pipefail
command -v escript >/dev/null || { echo "escript is missing: ./run deps test"; exit 1; }
here=$(dirname "$0")
failed=0
for type in 1 2 4 line; do
    exec {out}< <(exec "$1" serve echo --listen 127.0.0.1:0 \
        --options "[{packet,$type},{buffer,200000}]")
    server=$!
    read -r -t 60 -u "$out" line
    said=$(timeout 120 escript "$here/echo.escript" $type "${line##*:}" 2>&1)
    [ "$said" = ok ] || { echo "packet $type: $said"; failed=1; }
    kill $server
    wait $server || { echo "packet $type: the service ended with status $?"; failed=1; }
done
exit $failed
