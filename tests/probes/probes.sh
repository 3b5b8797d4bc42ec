#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The probes of the library are noted, each is a no-op in the code, and has a script; where bpftrace
# may run, the scripts see what a server does. Arguments: the library, the command, the folder of
# scripts.
set -euo pipefail
library=$1
weir=$2
scripts=$3
probes='accept
busy
close
packet
turn
unbusy'
work=$(mktemp -d)
started=()
finish() {
    [ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>&- || :
    rm -r "$work"
}
trap finish EXIT

expect() { # what, expected, got
    [ "$2" = "$3" ] || { printf '%s: expected\n%s\ngot\n%s\n' "$1" "$2" "$3"; exit 1; }
}

notes=$(readelf -n "$library")
expect "probes in $library" "$probes" "$(awk '$1 == "Provider:" && $2 == "weir" { getline
    print $2 }' <<<"$notes" | sort -u)"
expect "scripts" "$probes" "$(cd "$scripts" && ls -- *.bt | sed 's/\.bt$//' | sort)"
code=$(objdump -d --no-show-raw-insn "$library")
for place in $(awk '$1 == "Provider:" { weir = $2 == "weir" }
    $1 == "Location:" && weir { gsub(/^0x0*|,$/, "", $2); print $2 }' <<<"$notes"); do
    expect "the instruction at $place" nop \
        "$(awk -v place="$place:" '$1 == place { print $2 }' <<<"$code")"
done

bpftrace -e 'BEGIN { exit() }' >"$work/bpftrace" 2>&1 ||
    { echo "bpftrace may not run here"; exit 77; }
"$weir" serve echo --listen 127.0.0.1:0 --options '[{high_watermark,1000},{low_watermark,500}]' \
    >"$work/server" 2>&1 &
started+=($!)
until port=$(grep -o '127.0.0.1:[0-9]*' "$work/server"); do kill -0 "${started[0]}"; done
port=${port##*:}
talk() { # more than fits, and read late: it becomes busy, and is not any more
    exec {fd}<>"/dev/tcp/127.0.0.1/$port"
    head -c 20000000 /dev/zero >&"$fd" &
    timeout 5 head -c 20000000 <&"$fd" >/dev/null || kill $! || :
    wait $! || :
    exec {fd}>&-
}
for probe in $probes; do
    bpftrace -p "${started[0]}" "$scripts/$probe.bt" >"$work/$probe" 2>&1 &
    tracer=$!
    started+=("$tracer")
    until grep -q '^@.*: [0-9]\|^\[.*[0-9] |' "$work/$probe"; do
        kill -0 "$tracer" || { cat "$work/$probe"; exit 1; }
        talk
    done
    kill "$tracer"
done
