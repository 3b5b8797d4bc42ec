#!/bin/bash
# SPDX-License-Identifier: MIT
# Compares weir's echo server with hand-written ones: rounds of all servers, one after the other,
# so that what drifts drifts for all. README.md has the method.
# shellcheck disable=SC1091,SC2154  # servers.sh sets what is not set here
set -u
set -o pipefail

rounds=5 milliseconds=2000 warm_up_ms=300 build=yes
scenarios=() servers=()

usage() {
    cat <<'USAGE'
bench/run.sh [--rounds N] [--quick] [--smoke] [--scenario NAME]... [--servers NAME,NAME,...]
             [--build-folder FOLDER] [--no-build] [--server-core N] [--load-core N]
scenarios: 1x64 64x64 1000x64 64x32x64 8x1MiB    servers: see bench/servers.sh
USAGE
}

while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift ;;
    --quick) rounds=3 milliseconds=500 warm_up_ms=200 ;;
    --smoke) rounds=1 milliseconds=60 warm_up_ms=20 build=no ;;
    --scenario) scenarios+=("$2"); shift ;;
    --servers) IFS=, read -ra servers <<<"$2"; shift ;;
    --build-folder) build_folder=$2 build=no; shift ;;
    --no-build) build=no ;;
    --server-core) server_core=$2; shift ;;
    --load-core) load_core=$2; shift ;;
    --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
    esac
    shift
done

. "$(dirname "$0")/servers.sh"
root=$(dirname "$bench_folder")
results=$root/build/bench
[ "$milliseconds" -ge 500 ] || results=$build_folder/bench/smoke

# The switches of the load generator for a scenario. All servers get the same traffic, frames with
# a 4-byte length; those that do not frame just echo it.
scenario_switches() {
    local measured_ms=$milliseconds
    case $1 in
    1x64) switches=(--connections 1) ;;
    64x64) switches=(--connections 64) ;;
    1000x64) switches=(--connections 1000) ;;
    64x32x64) switches=(--connections 64 --pipeline 32) ;;
    8x1MiB)
        switches=(--connections 8 --size 1048576)
        # Eight replies of 1 MiB take 50 ms and more on a busy machine.
        [ "$measured_ms" -ge 500 ] || measured_ms=500
        ;;
    *) die "$1: no such scenario" ;;
    esac
    switches+=(--packet 4 --seconds 0 --milliseconds "$measured_ms" --warm-up-ms "$warm_up_ms")
}

build_release() {
    cmake -S "$root" --preset release -DWEIR_BENCH=ON >/dev/null ||
        die "the release configuration failed"
    cmake --build "$root/build/release" || die "the release build failed"
}

choose_servers() {
    local server wanted=("${servers[@]}") missing=()
    [ ${#wanted[@]} -gt 0 ] || wanted=("${all_servers[@]}")
    servers=()
    for server in "${wanted[@]}"; do
        if server_exists "$server"; then servers+=("$server"); else missing+=("$server"); fi
    done
    [ ${#missing[@]} -eq 0 ] || say "left out, not in this build: ${missing[*]}"
    [ ${#servers[@]} -gt 0 ] || die "no server to measure"
}

columns=(requests_per_second p50_us p99_us p999_us max_us server_cpu_us server_busy load_cpu_us
    others_busy)

measure() { # ROUND SCENARIO SERVER
    local command switches line
    server_command "$3" "$2"
    scenario_switches "$2"
    start_server "${command[@]}"
    [ -z "$server_note" ] || notes[$3]=$server_note
    line=$(ask_server 60 "${switches[@]}" | json_values "${columns[@]}")
    local status=$?
    stop_server || die "$3 died in $2"
    [ $status -eq 0 ] || die "$3 failed in $2"
    echo "$1,$2,$3,$line" >>"$csv"
}

measure_all() {
    local round scenario index count=${#servers[@]}
    for ((round = 1; round <= rounds; round++)); do
        for scenario in "${scenarios[@]}"; do
            for ((index = 0; index < count; index++)); do
                # Each round begins with another server.
                measure "$round" "$scenario" "${servers[(index + round) % count]}"
            done
        done
        say "round $round of $rounds"
    done
}

print_conditions() {
    local key
    echo "date      $(date -u +%Y-%m-%dT%H:%M:%SZ)"
    echo "machine   $(awk -F': ' '/^model name/ { print $2; exit }' /proc/cpuinfo)," \
        "$(nproc) cores; server on core $server_core, load on core $load_core"
    echo "kernel    $(uname -sr)"
    echo "compiler  $(${CC:-cc} --version | head -1)"
    echo "rounds    $rounds of $milliseconds ms after $warm_up_ms ms, interleaved"
    for key in "${!notes[@]}"; do echo "$key  ${notes[$key]}"; done | sort
}

plot() { # ORDER
    command -v gnuplot >/dev/null || { say "no gnuplot: no picture"; return; }
    awk -v baseline=epoll -v order="$1" -f "$bench_folder/csv.awk" \
        -f "$bench_folder/ratios.awk" "$csv" >"$results/ratios.dat"
    gnuplot -e "data='$results/ratios.dat'; picture='$results/bench.png'" "$bench_folder/plot.gp" &&
        say "picture: $results/bench.png"
}

[ $build = no ] || build_release
choose_servers
[ ${#scenarios[@]} -gt 0 ] || scenarios=(1x64 64x64 1000x64 64x32x64 8x1MiB)
mkdir -p "$results"
csv=$results/bench.csv
declare -A notes=()
(IFS=,; echo "round,scenario,server,${columns[*]}") >"$csv"
measure_all
order=$(IFS=,; echo "${servers[*]}")
{
    print_conditions
    echo
    awk -v order="$order" -f "$bench_folder/csv.awk" -f "$bench_folder/table.awk" "$csv"
} | tee "$results/bench.txt"
[ "$milliseconds" -lt 500 ] || plot "$order"
