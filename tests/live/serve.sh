#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# weir serve --default-listen-options: they count, the user's own count for more, {active,_} among
# them is dropped, and broken ones are named.
set -euo pipefail
weir=$1
log=$(mktemp)
trap 'rm -f "$log"; kill "$server" 2>/dev/null || true' EXIT

# expect WHAT ACTUAL EXPECTED
expect() {
    [[ $2 == "$3" ]] || { printf '%s: "%s", not "%s"\n' "$1" "$2" "$3" >&2; exit 1; }
}

# What comes back of one packet through a server with these arguments.
echo_through() {
    : >"$log" # the last server's line must not be taken for this one's
    "$weir" serve echo --listen 127.0.0.1:0 --schedulers 1 "$@" >"$log" &
    server=$!
    until grep -q '^listening on' "$log"; do kill -0 "$server"; done
    local port
    port=$(sed -n 's/^listening on .*://p' "$log")
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '\003abc' >&3
    IFS= read -r -t 60 -n 4 -d '' reply <&3 || true
    exec 3>&-
    kill "$server"
    wait "$server"
}

server=0
# A packet that is too large ends the connection; raw bytes are none.
defaults='[{packet,1},{packet_size,2},{active,false}]'
echo_through --default-listen-options "$defaults"
expect 'a default' "$reply" ''
echo_through --default-listen-options "$defaults" --options '[{packet,raw}]'
expect 'an override' "$reply" $'\003abc'

# What is said by a server with these arguments, which must not start.
refused() {
    if said=$("$weir" serve echo --listen 127.0.0.1:0 "$@" 2>&1); then
        echo 'broken defaults are taken' >&2
        exit 1
    fi
}

refused --default-listen-options '[{nosuch,1}]'
[[ $said == *default_listen_options*nosuch* ]] || { printf '%s\n' "$said" >&2; exit 1; }
export WEIR_DEFAULT_LISTEN_OPTIONS='[{backlog,x}]'
refused
[[ $said == *WEIR_DEFAULT_LISTEN_OPTIONS* ]] || { printf '%s\n' "$said" >&2; exit 1; }
