#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `weir load` says of servers that behave, that do not, and that are not there. Arguments: the
# command, the top of the tree.
set -uo pipefail
weir=$1 top=$2
folder=$(mktemp -d)
processes=()
failures=0
trap 'kill "${processes[@]}" 2>/dev/null; rm -rf "$folder"' EXIT

wrong() {
    echo "$*"
    failures=$((failures + 1))
}

# start NAME COMMAND ...: sets NAME to the address that the server's first line ends with.
start() {
    local name=$1
    shift
    local line kept
    exec {kept}< <(exec "$@")
    processes+=($!)
    read -r line <&"$kept"
    declare -g "$name=${line##* }"
}

# load STATUSES ARGUMENT ...: runs it; its output is then in $out. 3, the client was the limit, may
# come of a busy machine.
load() {
    local statuses=$1 got
    shift
    out=$(timeout 60 "$weir" load "$@" 2>&1)
    got=$?
    [[ " $statuses " == *" $got "* ]] || wrong "weir load $*: status $got: $out"
}

says() {
    [[ $out == *"$1"* ]] || wrong "'$1' is not said: $out"
}

start echo "$weir" serve echo --listen 127.0.0.1:0
start line "$weir" serve echo --listen 127.0.0.1:0 --options '[{packet,line}]'
start two "$weir" serve echo --listen 127.0.0.1:0 --options '[{packet,2}]'
start http "$weir" serve http --listen 127.0.0.1:0
start local "$weir" serve echo --listen "unix:$folder/socket" --options '[{packet,4}]'
start udp "$weir" serve udp-echo --listen 127.0.0.1:0
start udp6 "$weir" serve udp-echo --listen '[::1]:0'
start datagrams python3 "$top/tests/load/datagrams.py"
start bad python3 "$top/tests/load/bad_server.py"
count="--count=1000 --warm-up=0s"

# Every kind of framing, of sizes around the mark in it, alone and pipelined, open and closed.
for size in 1 2 16 17 1-3000; do
    load "0 3" "tcp://$echo" --rate 5000 --size $size $count
    says "requests        1000"
    [[ $out == *failed* ]] && wrong "size $size: $out"
done
load "0 3" "tcp://$line" --packet line --connections 3 --depth 4 --size 2-500 $count
[[ $out == *failed* ]] && wrong "lines: $out"
load "0 3" "tcp://$two" --packet 2 --connections 3 --depth 4 --size 1-65535 $count
[[ $out == *failed* ]] && wrong "{packet,2}: $out"
load "0 3" "tcp://$echo" --connections 2 --churn $count
[[ $out == *failed* ]] && wrong "churn: $out"
load "0 3" "tcp://$echo" --connections 2 --think 1ms --count 100 --warm-up 0s
says "requests         100"
for arrivals in poisson burst:20; do
    load "0 3" "tcp://$echo" --rate 5000 --arrivals $arrivals $count
    says "requests        1000"
done
# Each connection of a deep closed loop gets its share: a fourth of it at least.
coproc counting { exec python3 "$top/tests/load/counting_server.py" 4; }
processes+=("$counting_PID")
exec {its_words}<&"${counting[0]}" # of which bash forgets its own when the server has ended
read -r line_of_counting <&"$its_words"
load "0 3" "tcp://${line_of_counting##* }" --connections 4 --depth 4 --count 4000 --warm-up 0s
mapfile -t counts <&"$its_words"
[ "${#counts[@]}" = 4 ] || wrong "shares: ${counts[*]}: $out"
for count_of_one in "${counts[@]}"; do
    ((count_of_one >= 4000 * 64 / 4 / 4)) || wrong "shares: ${counts[*]} of $((4000 * 64)) bytes"
done
load "0 3" "tcp://$echo" --rate 1000 --arrivals ramp:0 --duration 1s --warm-up 0s
says "requests         500"
for depth in 2 3; do
    load "0 3" "tcp://$echo" --connections 2 --depth $depth $count
    [[ $out == *failed* ]] && wrong "depth: $out"
done
load "0 3" "http://$http/x" --connections 4 --depth 16 $count
[[ $out == *failed* ]] && wrong "http: $out"
load "0 3" "http://$http/x" --rate 2000 --churn $count
[[ $out == *failed* ]] && wrong "http churn: $out"
load "0 3" "http://$http/" --connections 1 --body hello --header 'X-Y: z' $count
[[ $out == *failed* ]] && wrong "http body: $out"
load "0 3" "$local" --packet 4 --connections 3 --depth 4 --size 1-3000 $count
[[ $out == *failed* ]] && wrong "unix: $out"
load "0 3" "udp://$udp" --connections 3 --depth 4 --size 1-3000 $count
[[ $out == *failed* ]] && wrong "udp: $out"
says "own queue"
load "0 3" "udp://$udp6" --rate 5000 --size 16 $count
[[ $out == *failed* ]] && wrong "udp: $out"
load "0 3" "udp://$udp" --connections 2 --churn $count
[[ $out == *failed* ]] && wrong "udp churn: $out"

# When the kernel had each reply: of datagrams always, of streams when asked for, of local ones
# never. The kernel may put no stamp on the first.
own_queue() {
    load "0 3" "$@" --own-queue --warm-up 0s --count 1000 --json "$folder/own.json"
    [[ $out == *failed* ]] && wrong "--own-queue: $out"
    says "own queue   "
    asked=$(sed -n 's/.*"own_queue": {"count": \([0-9]*\).*/\1/p' "$folder/own.json")
    ((${asked:-0} > 500 && asked <= 1000)) || wrong "--own-queue $*: of $asked replies"
}
for size in 1 17 1-3000 100000; do
    own_queue "tcp://$echo" --rate 5000 --size $size
done
own_queue "tcp://$line" --packet line --connections 3 --depth 4 --size 2-500
own_queue "tcp://$two" --packet 2 --connections 3 --depth 4 --size 1-65535
own_queue "http://$http/x" --connections 4 --depth 16
own_queue "http://$http/x" --rate 2000 --churn
load "0 3" "http://$bad/to-end" --connections 2 --count 20 --warm-up 0s --own-queue
[[ $out == *failed* ]] && wrong "to-end: $out"
load "0 3" "http://$bad/short" --connections 2 --count 20 --warm-up 0s --own-queue
says "20  closed by the server"
load "0 3" "http://$bad/reset" --connections 2 --count 20 --warm-up 0s --own-queue
says "20  connection broken"
load "0 3" "tcp://$bad" --connections 1 --count 5 --warm-up 0s --own-queue
says "wrong content or order"
load "0 3" "tcp://$echo" --connections 1 $count
says "own queue not asked for: --own-queue"
load "0 3" "$local" --packet 4 --connections 1 $count
says "own queue not known: the kernel stamps nothing"
load 2 "$local" --packet 4 --connections 1 --own-queue
says "the kernel stamps nothing that comes over a local socket"

# What goes wrong has a row.
load "0 3" "http://$http/" --connections 1 --expect-status 404 $count
says "1000  unexpected status"
load "0 3" "http://$http/" --connections 1 --expect-body nonsense $count
says "1000  wrong content or order"
bad_load() {
    load "0 3" "http://$bad/$1" --connections 2 --count 20 --warm-up 0s --timeout 300ms
    says "$2"
}
bad_load chunked "requests          20"
[[ $out == *failed* ]] && wrong "chunked: $out"
bad_load dribble "requests          20"
[[ $out == *failed* ]] && wrong "dribble: $out"
bad_load to-end "requests          20"
[[ $out == *failed* ]] && wrong "to-end: $out"
bad_load rubbish "20  wrong framing"
bad_load twice "wrong framing"
bad_load short "20  closed by the server"
bad_load reset "20  connection broken"
bad_load never "20  no reply in time"
bad_load 500 "20  unexpected status"
load "0 3" "tcp://$bad" --connections 1 --count 5 --warm-up 0s --size 64
says "wrong content or order"

# Datagrams: one that is lost fails alone, order is free, one that nobody waits for is wrong.
few="--count 20 --warm-up 0s"
load "0 3" "udp://$datagrams" --connections 1 --depth 4 --size 60 --timeout 1s $few
says "4  no reply in time"
says "requests          20"
[ "$(grep -c ^failed <<<"$out")" = 1 ] || wrong "lost: $out"
load "0 3" "udp://$datagrams" --connections 1 --depth 2 --size 61 $few
[[ $out == *failed* ]] && wrong "the other way round: $out"
load "0 3" "udp://$datagrams" --connections 1 --depth 2 --size 62 $few
says "wrong content or order"
load "0 3" "udp://$datagrams" --connections 1 --size 63 $few
says "20  wrong content or order"
load "0 3" udp://127.0.0.1:1 --rate 100 --timeout 100ms $few
says "20  connection broken"

# Each connection comes from the next address; this server answers one of the two.
load "0 3" "udp://$datagrams" --connections 2 --depth 10 --size 64 --timeout 1s $few \
    --source 127.0.0.2 --source 127.0.0.3
says "10  no reply in time"

# What cannot be.
load 1 tcp://127.0.0.1:1 --rate 10
says "connection refused"
load 2 tcp://127.0.0.1 --rate 10
says "has no port"
load 2 "tcp://$echo"
says "--rate N"
load 2 "tcp://$echo" --rate 10 --think 1s
says "--think is of a closed loop"
load 2 "tcp://$echo" --rate 10 --methud GET
says "did you mean '--method'?"
load 2 "tcp://$echo" --rate 10 --churn=yes
says "--churn takes no value"
load 2 "tcp://$echo" --rate 10 --pid 2147483647
says "--pid: '2147483647' is not the number of a process that runs here"
load 2 "tcp://$echo" --rate 10 --duration 1h --csv "$folder/no/such"
says "$folder/no/such: No such file"
load 2 "tcp://$echo" --rate 10 --duration 1h --rounds 6 --against "tcp://$echo" \
    --against-json "$folder/no/such"
says "$folder/no/such: No such file"
load 1 "tcp://$echo" --rate 10 --count 1 --warm-up 0s --csv /dev/full --json "$folder/kept"
says "/dev/full: No space left"
says "requests           1"
[ -s "$folder/kept" ] || wrong "one output that cannot be written, and another is not"
load 2 "tcp://$echo" --connections 1 --count 1 --json "$folder"
says "$folder: Is a directory"
load 2 "tcp://$echo" --connections 1 --count 1 --csv "$folder/none/"
says "$folder/none/: Is a directory"
load 2 "tcp://$echo" --connections 1 --count 1 --report ""
says "weir load: : No such file"
load 2 "tcp://$echo" --connections 100000
says "ports than 1 source address has"
load 1 "tcp://$echo" --rate 10 --source 192.0.2.1
says "cannot assign requested address"
load 2 "$local" --rate 10 --source 127.0.0.1
says "a local socket comes from no address"
load 1 "unix:$folder/none" --rate 10
says "no such file"
load 2 "udp://$udp" --rate 10 --packet 4
says "--packet is for tcp:// and unix:"
load 2 "udp://$udp" --rate 10 --size 65508
says "a datagram holds at most 65507 bytes"
load 2 "tcp://$echo" --rate 10 --packet http
says "is none of raw, 1, 2, 4, line"
load 2 "tcp://$echo" --rate 10 --packet 1 --size 256
says "{packet,1} holds at most 255 bytes"
out=$(ulimit -n 100; "$weir" load "tcp://$echo" --connections 200 2>&1) && wrong "200 in 100"
says "ulimit -n allows 100"

# With a server that answers after 20 ms, 2 connections bear 100/s and not much more.
start late python3 "$top/tests/load/late_server.py" 0.02
load "0 3" "tcp://$late" --rate 20 --connections 2 --find-rate 'p90<150ms' --duration 1s \
    --warm-up 0s --lag-bound 1s
rate=$(sed -n 's/^highest rate with p90<150ms: \(.*\).s$/\1/p' <<<"$out")
[[ $rate =~ ^[0-9]+$ ]] && ((rate >= 40 && rate <= 140)) || wrong "--find-rate: $out"
load 2 "tcp://$late" --rate 20 --find-rate 'q90<1ms'
says "is not a percentile and a time"
# Ten requests, or thirty, say nothing of one in a thousand.
for few in "--duration 1s" "--count 10"; do
    load 2 "tcp://$late" --rate 10 --find-rate 'p99.9<5s' --warm-up 0s $few
    says "so few requests"
done

# A client that is held up finds its replies in its own queue; one whose server is slow does not.
start slow python3 "$top/tests/load/late_server.py" 0.1
waited() { # the figure of its own queue
    sed -n "s/.*\"own_queue\": .*\"$1\": \([0-9]*\).*/\1/p" "$folder/held.json"
}
held="--connections 1 --count 8 --warm-up 0s --own-queue --json $folder/held.json"
load "0 3" "tcp://$slow" $held
(($(waited p50_us) < 50000)) || wrong "the server was slow: $out"
"$weir" load "tcp://$slow" $held >"$folder/out" 2>&1 &
loader=$!
while kill -STOP $loader 2>/dev/null; do
    sleep 0.3 # while its server answers
    kill -CONT $loader
    sleep 0.1
done
wait $loader
(($(waited max_us) > 150000)) || wrong "it was held up: $(cat "$folder/out")"

# A server that answers after 5 ms beside one after 20 ms, in turn; and one beside itself.
start soon python3 "$top/tests/load/late_server.py" 0.005
load "0 3" "tcp://$late" --against "tcp://$soon" --connections 2 --count 20 --warm-up 0s \
    --rounds 6 --json "$folder/a.json" --against-json "$folder/b.json"
[[ $out =~ "response p50 "[^$'\n']*"B is better" ]] || wrong "--against: $out"
load 0 compare "$folder/a.json" "$folder/b.json"
[[ $out =~ "response p50 "[^$'\n']*"B is better" ]] || wrong "compare: $out"
load 0 compare "$folder/b.json" "$folder/a.json"
[[ $out =~ "response p50 "[^$'\n']*"A is better" ]] || wrong "compare: $out"
load 0 compare "$folder/a.json" "$folder/a.json"
[[ $out =~ "1.000   1.000 to 1.000  no difference seen" ]] || wrong "compare: $out"
load 2 compare "$folder/a.json" "$top/docs/load.schema.json"
says "is not of weir load --json"
load 2 compare "$folder/a.json" "$folder/none"
says "No such file"

# What is said beside results on standard output is not said there.
"$weir" load "tcp://$soon" --rate 20 --find-rate 'p50<5s' --count 5 --warm-up 0s --json - \
    >"$folder/out" 2>"$folder/said" &
searcher=$!
until grep -q holds "$folder/said" || ! kill -0 $searcher; do
    sleep 0.05
done
kill -INT $searcher
wait $searcher
python3 -m json.tool <"$folder/out" >/dev/null || wrong "--json -: $(cat "$folder/out")"
grep -q 'highest rate with p50<5s: .*/s by the interruption' "$folder/said" ||
    wrong "Ctrl-C: $(cat "$folder/said")"

# catches PROCESS: waits until it would bear Ctrl-C.
catches() {
    until grep -q '^SigCgt:.*[2367abef]$' "/proc/$1/status"; do
        kill -0 "$1" || break
    done
}
"$weir" load "tcp://$echo" --rate 10 --warm-up 1h >"$folder/out" 2>&1 &
loader=$!
catches $loader
kill -INT $loader
wait $loader
[ $? = 1 ] && grep -q 'interrupted before there was anything' "$folder/out" ||
    wrong "Ctrl-C: $(cat "$folder/out")"

# Ctrl-C ends it with what there is.
"$weir" load "tcp://$echo" --rate 100 --duration 1h --warm-up 0s >"$folder/out" &
loader=$!
catches $loader
sleep 0.5 # of load, so that there is something
kill -INT $loader
wait $loader
grep -q 'answered, interrupted' "$folder/out" || wrong "Ctrl-C: $(cat "$folder/out")"

# Tables and the page, which needs nothing beside itself.
load "0 3" "tcp://$echo" --rate 1000 --duration 2s --warm-up 100ms --own-queue \
    --hgrm "$folder/hgrm" --csv "$folder/csv" --report "$folder/page.html"
grep -qE '^ +[0-9.]+ 1\.0+ +2000$' "$folder/hgrm" || wrong "hgrm: $(cat "$folder/hgrm")"
awk -F, 'NR > 1 { sum += $2 + $3 } NF != 6 { exit 1 } END { exit !(sum > 1900 && sum <= 2000) }' \
    "$folder/csv" || wrong "csv: $(cat "$folder/csv")"
grep -qE '<script|<link|src=|href=|@import|url\(' "$folder/page.html" && \
    wrong "the page loads something"
[ "$(grep -c '<polyline' "$folder/page.html")" = 9 ] || wrong "the page has not all curves"
load "0 3" "tcp://$echo" --rate 1000 --count 10 --warm-up 0s --csv -
[[ $out == "second,answered"* ]] || wrong "--csv -: $out"
if command -v chromium >/dev/null; then
    timeout 60 chromium --headless --no-sandbox --disable-gpu --window-size=940,1500 \
        --user-data-dir="$folder/browser" --screenshot="$folder/page.png" \
        "file://$folder/page.html" >/dev/null 2>&1
    [ "$(stat -c %s "$folder/page.png" 2>/dev/null || echo 0)" -gt 50000 ] ||
        wrong "no picture of the page, or an empty one"
fi

# The live view: 20 columns of a histogram, whose responses of 20 ms are in those from 16 ms up.
python3 "$top/tests/load/terminal.py" "$weir" load "tcp://$late" --rate 50 --duration 2s \
    --warm-up 0s --timeout 4s >"$folder/live"
grep -qE '1s  [0-9]+/s  failed 0  p50 [0-9.]+ .* 16us\| {11} *[^ |][^|]*\|4s  p99: .' \
    <(tr '\r' '\n' <"$folder/live") || wrong "live: $(cat "$folder/live")"

# JSON, as the schema says.
load "0 3" "tcp://$echo" --rate 1000 --duration 2s --warm-up 100ms \
    --pid "${processes[0]}" --json "$folder/results.json"
load "0 3" "udp://$udp" --rate 1000 --count 100 --warm-up 0s --json "$folder/datagrams.json"
if python3 -c 'import jsonschema' 2>/dev/null; then
    files=("$top/docs/load.schema.json" "$folder/results.json")
    python3 -W ignore - "${files[@]}" <<'END' || wrong "not as the schema says"
import json, jsonschema, sys
schema, results = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.validate(results, schema)
assert results["server"]["memory_bytes"] > 1e6
assert results["server"]["user_s"] + results["server"]["system_s"] > 0
assert results["response"]["count"] == 2000 and len(results["seconds"]) >= 2
assert sum(results["outcomes"].values()) == 2000
datagrams = json.load(open(sys.argv[2].replace("results", "datagrams")))
jsonschema.validate(datagrams, schema)
assert datagrams["own_queue"]["count"] == 100
assert datagrams["own_queue"]["max_us"] <= datagrams["response"]["max_us"]
assert "own_queue" not in results and not results["settings"]["own_queue"]
held = json.load(open(sys.argv[2].replace("results", "held")))
jsonschema.validate(held, schema)
assert held["settings"]["own_queue"] and held["own_queue"]["max_us"] <= held["response"]["max_us"]
results["seconds"][0].pop("failed")
try:
    jsonschema.validate(results, schema)
    sys.exit("the schema takes anything")
except jsonschema.ValidationError:
    pass
END
else
    echo "python3-jsonschema is not there: the schema is not looked at"
fi
exit $((failures > 0))
