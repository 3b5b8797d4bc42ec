#!/bin/bash
# SPDX-License-Identifier: MIT
# User memory per idle TCP connection, of weir's echo server and of its peers. Each connection has
# exchanged one frame before it idles. README.md has the method.
# shellcheck disable=SC1091,SC2154  # servers.sh sets what is not set here
set -u
set -o pipefail

connections=15000 first=1000 servers=()

while [ $# -gt 0 ]; do
    case $1 in
    --connections) connections=$2; shift ;;
    --servers) IFS=, read -ra servers <<<"$2"; shift ;;
    --build-folder) build_folder=$2; shift ;;
    *) echo "bench/memory.sh [--connections N] [--servers NAME,...] [--build-folder FOLDER]" >&2
       exit 2 ;;
    esac
    shift
done

. "$(dirname "$0")/servers.sh"
[ ${#servers[@]} -gt 0 ] || servers=("${all_servers[@]}")
[ "$connections" -gt "$first" ] || die "--connections: more than $first"
[ "$(ulimit -Hn)" -gt "$connections" ] || die "ulimit -n: more than $connections is needed"

# Bytes of the server's private, written memory.
anonymous_bytes() { awk '/^Anonymous:/ { print $2 * 1024 }' "/proc/$server_pid/smaps_rollup"; }

# A pipe that never ends, for the holders' standard input.
exec {hold_input}<> <(:)
holders=() outputs=()

# hold COUNT: opens so many connections and keeps them until release.
hold() {
    local line output
    exec {output}< <(exec "$build_folder/bench/load" --connect "$server_address" \
        --cpu "$load_core" --packet 4 --idle "$1" <&"$hold_input")
    holders+=($!) outputs+=("$output")
    read -r -t 120 line <&"$output" || line=
    [ "$line" = "idle $1" ] || die "$1 connections could not be opened"
}

release() {
    local output
    kill "${holders[@]}"
    wait "${holders[@]}" 2>/dev/null
    for output in "${outputs[@]}"; do exec {output}<&-; done
    holders=() outputs=()
}

# What a busy server needs whatever its connections (touched receive buffers above all) is there
# before the first reading; what the first connections need once, before the second.
measure() {
    local command before some all
    server_command "$1" 64x64
    start_server "${command[@]}"
    ask_server 20 --packet 4 --seconds 1 >/dev/null || die "$1 failed"
    before=$(anonymous_bytes)
    hold "$first"
    some=$(anonymous_bytes)
    hold $((connections - first))
    all=$(anonymous_bytes)
    release
    stop_server || die "$1 died"
    printf '%-14s %14d %14d %14d %18.1f %18.1f\n' "$1" "$before" "$some" "$all" \
        "$(awk "BEGIN { print ($all - $before) / $connections }")" \
        "$(awk "BEGIN { print ($all - $some) / ($connections - $first) }")"
}

echo "anonymous memory of the server in bytes (smaps_rollup), with idle connections"
printf '%-14s %14s %14s %14s %18s %18s\n' server 0 "$first" "$connections" \
    'bytes/connection' "above $first"
for server in "${servers[@]}"; do
    if server_exists "$server"; then measure "$server"; else say "left out: $server"; fi
done
