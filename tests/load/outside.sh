#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A server that is none of ours stops for 100 ms of each second: one request in ten waits, evenly
# between 0 and 100 ms, so p95 is 50 ms, p99 90 ms and p99.9 99 ms. Catching up takes it a ms
# more, which those that came late in a pause feel most: p95 within 4%, the others within 2%, in one
# of three tries. With real-time priority, since it is not the machine that is looked at; 77
# without. Arguments: the command, the top of the tree.
set -uo pipefail
weir=$1 top=$2
first=(chrt -r 1)
"${first[@]}" true 2>/dev/null || { echo "real-time priority is not allowed here"; exit 77; }
exec {server}< <(exec "${first[@]}" python3 "$top/tests/load/stopping_server.py")
process=$!
trap 'kill "$process"' EXIT
read -r line <&"$server"
for _ in 1 2 3; do
    "${first[@]}" "$weir" load "tcp://${line##* }" --rate 1999 --connections 16 --duration 5s \
        --warm-up 300ms --json - |
        python3 -c '
import json, sys
response = json.load(sys.stdin)["response"]
follows = {"p95_us": (50000, 0.04), "p99_us": (90000, 0.02), "p99_9_us": (99000, 0.02)}
print({name: response[name] for name in ("p50_us", *follows)})
good = all(abs(response[name] / us - 1) < within for name, (us, within) in follows.items())
sys.exit(not (good and response["p50_us"] < 5000))' && exit 0
done
exit 1
