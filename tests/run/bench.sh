#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The benchmark that bench/README.md gives runs after `./run build`, which builds none of it, and
# leaves tables, results and README.md's table. Arguments: the top of the tree, and what a build
# would give: weir, the load, and two servers.
set -uo pipefail
top=$1
built=("${@:2}")
. "$(dirname "$0")/played.sh"

# It builds the benchmarks only if they were asked for last.
stand_in cmake <<END
case "\$*" in
*-DWEIR_BENCH=ON*) touch "$work/wanted" ;;
*-DWEIR_BENCH=OFF*) rm -f "$work/wanted" ;;
esac
folder=
previous=
for argument; do
    [ "\$previous" != --build ] || folder=\$argument
    previous=\$argument
done
[ -n "\$folder" ] || exit 0
echo "[1/1] Linking"
mkdir -p "\$folder/bench"
cp -f "${built[0]}" "\$folder/weir"
[ ! -e "$work/wanted" ] || cp -f ${built[*]:1} "\$folder/bench"
END

line=$(sed -n 's|^    \(./run bench [a-z].*--peers [^#]*\).*|\1|p' "$top/bench/README.md")
[ -n "$line" ] || wrong "bench/README.md gives no short run"
expect 0 "" ./run build
# shellcheck disable=SC2086  # as it is typed; fewer rounds, since nothing is measured
expect 0 "round 1 of 1" $line --rounds 1
for server in weir epoll uring; do
    grep -q "^| $server | [0-9]" "$tree/build/bench/RESULTS.md" || wrong "no figures of $server"
done
grep -q '^<svg' "$tree/build/bench/cpu.svg" || grep -q '<svg' "$tree/build/bench/cpu.svg" ||
    wrong "no picture"
[ ! -d "$tree/bench/results" ] || (cd "$top" && git ls-files -o bench/results | grep -q .) ||
    [ "$(cd "$tree" && ls bench/results/*.json | wc -l)" = \
        "$(cd "$top" && ls bench/results/*.json | wc -l)" ] || wrong "recorded without being asked"

# Recorded, README.md has the table of it; of other results it has not.
expect 0 "README.md has the table" ./run bench ping-pong-1 --quick --rounds 1 --peers weir,epoll \
    --record
grep -q "^| 1 connection, 64 bytes at a time | server CPU, us | .* | epoll [0-9.]* |$" \
    "$tree/README.md" || wrong "README.md has no table: $(grep -A9 'made by' "$tree/README.md")"
expect 0 "" bench/bench.py --table --verify
sed -i 's/epoll [0-9.]* |$/epoll 9.99 |/' "$tree/README.md"
expect 1 "table is not that of" bench/bench.py --table --verify
expect 0 "" bench/bench.py --table
expect 0 "" bench/bench.py --table --verify

# A floor that nothing reaches is seen, one that all do is not.
echo "ping-pong-1 | epoll | 0.01" >"$tree/bench/floors"
expect 0 "epoll" ./run bench --check
echo "ping-pong-1 | epoll | 100" >"$tree/bench/floors"
expect 1 "below it" ./run bench --check

# Floors are made of what was measured, of the rows that stand there.
expect 0 "" ./run bench --floors --rounds 2
grep -qE "^ping-pong-1 +\| epoll +\| [0-9.]+ +\| [0-9.]+, [0-9.]+ to [0-9.]+$" \
    "$tree/bench/floors" || wrong "no floor was made: $(cat "$tree/bench/floors")"
awk -F'|' '/^ping/ { split($4, figure, /[, ]+/); exit !($3 < figure[2]) }' "$tree/bench/floors" ||
    wrong "the floor is not below the median: $(cat "$tree/bench/floors")"

# What is not here is said; what dies or is asked wrongly too.
rm "$tree/build/release/bench/uring_echo"
expect 0 "not here, so left out: uring" bench/bench.py ping-pong-1 --smoke --peers weir,uring
printf '#!/bin/sh\necho it is ill >&2\nexit 3\n' >"$tree/build/release/bench/epoll_echo"
expect 1 "epoll ended: it is ill" bench/bench.py ping-pong-1 --smoke --peers weir,epoll
expect 2 "unrecognized arguments" ./run bench --nosuch
expect 1 "there is no scenario 'nosuch'" ./run bench nosuch
expect 1 "there is no peer 'nosuch'" ./run bench ping-pong-1 --peers weir,nosuch
exit $failed
