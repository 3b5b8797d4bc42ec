#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs tests one by one in a build for coverage and writes down for each how long it took, whether
# it failed, and which lines of the rooms it reaches.
#
#   reach.sh BUILD RESULTS <TESTS
#
# RESULTS/cost has "test seconds", RESULTS/failing a name a line, RESULTS/lines
# "path TAB test TAB lines", these with a space on each side.
set -uo pipefail

steady=()
! setarch -R true 2>/dev/null || steady=(setarch -R)

# Counts that a test leaves lie beside links to what the compiler has noted, a tree of them for each
# of those that run at once.
make_counts() {
    [ -d "$counts" ] && return
    mkdir -p "$counts"
    find "$build" -name '*.gcno' -exec cp -s --parents -t "$counts" {} +
}

# A header comes in by way of what a room may see, edges/ROOM.
lines_of() {
    find "$counts" -name '*.gcda' ! -path '*/tests/*' -exec gcov -t {} + 2>/dev/null |
        awk -v test="$1" '
            $1 == "-:" && /^ *-: +0:Source:/ {
                path = substr($0, index($0, "Source:") + 7)
                sub(/^.*\.\.\//, "", path)
                sub(/^(.*\/)?tree\//, "", path)
                sub(/^.*edges\/[^\/]*\//, "", path)
                next
            }
            /^ *[0-9]+[*]?: *[0-9]+:/ {
                split($0, part, ":")
                if (part[2] + 0 && !((path, part[2] + 0) in seen)) {
                    seen[path, part[2] + 0]
                    lines[path] = lines[path] " " part[2] + 0
                }
            }
            END { for (path in lines) print path "\t" test "\t" lines[path] " " }'
}

reach_one() {
    local test=$1 start=$EPOCHREALTIME end result
    counts=$results/counts$REACH_SLOT
    make_counts
    (cd "$build" && GCOV_PREFIX=$counts timeout -k 5 600 "${steady[@]}" \
        ctest -R "^$test\$" >"$counts.log" 2>&1 </dev/null)
    result=$?
    end=$EPOCHREALTIME
    [ "$result" -eq 0 ] || echo "$test" >>"$results/failing"
    echo "$test $(((${end/./} - ${start/./}) / 1000))" |
        awk '{ printf "%s %.3f\n", $1, $2 / 1000 }' >>"$results/cost"
    lines_of "$test" >>"$results/lines.$REACH_SLOT"
    find "$counts" -name '*.gcda' -delete
}

build=$(realpath "$1")
results=$(realpath "$2")
if [ $# -eq 3 ]; then
    reach_one "$3"
    exit
fi
rm -rf "$results"/{cost,failing,lines,lines.*,counts*}
touch "$results/failing"
xargs -r -d '\n' -P "$(nproc)" --process-slot-var=REACH_SLOT -n 1 "$0" "$build" "$results"
sort "$results"/lines.* >"$results/lines"
rm -rf "$results"/{lines.*,counts*}
