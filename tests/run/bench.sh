#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The benchmark that bench/README.md gives runs after `./run build`, which builds none of it.
# Arguments: the top of the tree, and what a build would give: weir, the load, and two servers.
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

line=$(sed -n 's|^    \(bench/run.sh --quick [^#]*\).*|\1|p' "$top/bench/README.md")
[ -n "$line" ] || wrong "bench/README.md gives no quick run"
expect 0 "" ./run build
# shellcheck disable=SC2086  # as it is typed; fewer rounds, since nothing is measured
expect 0 "round 1 of 1" $line --rounds 1
for server in weir_packet_4 epoll uring; do
    grep -q "$server" "$tree/build/bench/bench.txt" || wrong "no figures of $server"
done
expect 0 "round 1 of 1" bench/run.sh --smoke --scenario 1x64 --servers weir_raw
expect 2 "bench/run.sh [--rounds N]" bench/run.sh --nosuch
expect 1 "no such scenario" bench/run.sh --smoke --scenario nosuch
exit $failed
