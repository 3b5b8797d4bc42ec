#!/bin/bash
# SPDX-License-Identifier: MIT
# One choice at a time: variants of the io_uring peer against each other, in interleaved rounds.
# EXPERIMENTS.md has what came of it.
# shellcheck disable=SC1091,SC2154  # servers.sh sets what is not set here
set -u
set -o pipefail

rounds=9 milliseconds=700

usage() {
    cat <<'USAGE'
bench/experiments.sh [--rounds N] [--milliseconds N] [--build-folder FOLDER]
                     LOAD VARIANT VARIANT...
LOAD      switches of bench/load, as '--connections 64'; with --churn in them, connections are
          counted instead of requests
VARIANT   switches of uring_echo, "defaults" for none; "epoll_echo SWITCHES" for
          another program; "weir_raw SWITCHES" or "weir_packet_4 SWITCHES" for weir itself
The ratios are to the first variant.
USAGE
}

while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2; shift ;;
    --milliseconds) milliseconds=$2; shift ;;
    --build-folder) build_folder=$2; shift ;;
    --help) usage; exit 0 ;;
    *) break ;;
    esac
    shift
done
[ $# -ge 2 ] || { usage >&2; exit 2; }
read -ra load <<<"$1"
shift
variants=("$@")

. "$(dirname "$0")/servers.sh"

case " ${load[*]} " in
*' --churn '*) columns=(connections_per_second server_cpu_us) ;;
*) columns=(requests_per_second server_cpu_us p50_us p99_us others_busy)
   load+=(--seconds 0 --milliseconds "$milliseconds" --warm-up-ms 200) ;;
esac

variant_command() { # VARIANT: fills `command`
    local words
    read -ra words <<<"$1"
    case $1 in
    defaults) command=("$build_folder/bench/uring_echo" --cpu "$server_core") ;;
    weir_*) server_command "${words[0]}" ""
        command+=("${words[@]:1}") ;;
    *_echo*) command=("$build_folder/bench/${words[0]}" --cpu "$server_core" "${words[@]:1}") ;;
    *) command=("$build_folder/bench/uring_echo" --cpu "$server_core" "${words[@]}") ;;
    esac
}

# Lines of "scenario,variant" as csv.awk reads them; commas in no variant.
measure() { # ROUND VARIANT
    local command line
    variant_command "$2"
    start_server "${command[@]}"
    line=$(ask_server 60 "${load[@]}" | json_values "${columns[@]}") || die "'$2' failed"
    stop_server || die "'$2' died"
    echo "$1,-,$2,$line"
}

run_rounds() {
    local round index
    (IFS=,; echo "round,scenario,server,${columns[*]}")
    for ((round = 1; round <= rounds; round++)); do
        for ((index = 0; index < ${#variants[@]}; index++)); do
            measure "$round" "${variants[(index + round) % ${#variants[@]}]}"
        done
    done
}

echo "load ${load[*]}, $rounds rounds"
order=$(IFS=,; echo "${variants[*]}")
run_rounds | awk -v order="$order" -f "$bench_folder/csv.awk" -f "$bench_folder/variants.awk"
