# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# The servers under test: which there are, how one is started, asked and stopped. Sourced.

bench_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build_folder=${build_folder:-$(dirname "$bench_folder")/build/release}
server_core=${server_core:-0}
load_core=${load_core:-1}

all_servers=(weir_packet_4 weir_raw epoll uring libuv libevent)

say() { printf '%s\n' "$*" >&2; }
die() { say "$0: $*"; exit 1; }

serve_command() { # OPTIONS
    command=("$build_folder/weir" serve echo --listen 127.0.0.1:0 --options "$1"
        --schedulers 1 --cpus "$server_core")
}

# server_command NAME SCENARIO: fills the array `command`. The io_uring peer gets the buffers that
# are best for the scenario (EXPERIMENTS.md).
server_command() {
    local peers=$build_folder/bench
    case $1 in
    weir_packet_4) serve_command "[{packet,4},{nodelay,true},binary]" ;;
    weir_raw) serve_command "[{packet,raw},{nodelay,true},{buffer,65536},binary]" ;;
    weir_handler | weir_process)
        command=("$peers/process_echo" "${1#weir_}" "$server_core") ;;
    uring) command=("$peers/uring_echo" --cpu "$server_core")
        [ "$2" != 8x1MiB ] || command+=(--buffers 32 --buffer-bytes 65536) ;;
    epoll | libuv | libevent) command=("$peers/$1_echo" --cpu "$server_core") ;;
    *) die "$1: no such server; there are ${all_servers[*]}" ;;
    esac
}

# Answers whether this build has the server.
server_exists() {
    server_command "$1" ''
    [ -x "${command[0]}" ] || return 1
    case $1 in
    weir_handler | weir_process) ;;
    weir_*) "${command[0]}" help serve >/dev/null 2>&1 ;;
    esac
}

# start_server COMMAND...: sets server_pid, server_address and server_note (what it said before).
start_server() {
    local line
    server_address='' server_note=''
    exec {server_output}< <(exec "$@" 2>&1)
    server_pid=$!
    while read -r -t 10 line <&"$server_output"; do
        case $line in
        'listening on '*) server_address=${line##* }; return 0 ;;
        *) server_note+=$line ;;
        esac
    done
    stop_server
    die "$1 does not listen: $server_note"
}

# Answers whether it was still there.
stop_server() {
    local status=0
    kill "$server_pid" 2>/dev/null || status=1
    wait "$server_pid" 2>/dev/null
    exec {server_output}<&-
    return $status
}

# ask_server SECONDS-LIMIT SWITCHES...: one run of the load generator; its JSON on standard output.
ask_server() {
    local limit=$1
    shift
    timeout "$limit" "$build_folder/bench/load" --connect "$server_address" --cpu "$load_core" \
        --server-pid "$server_pid" --json "$@"
}

# json_values NAME...: of one flat JSON object on standard input, separated by commas.
json_values() {
    tr -d '{}"' | awk -F, -v names="$*" '{
        for (i = 1; i <= NF; i++) { split($i, pair, ":"); value[pair[1]] = pair[2] }
        count = split(names, name, " ")
        for (i = 1; i <= count; i++) printf "%s%s", value[name[i]], i < count ? "," : "\n"
    }'
}
