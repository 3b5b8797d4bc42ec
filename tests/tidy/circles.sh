#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Rooms, and the files of a room of more than five, must not need each other in a circle: by the
# symbols of their objects. Arguments: a file of known exceptions, then object files.
#
# The exceptions name a room (its folder) and files of it that may need each other, and why.
# Files that are in no circle any more must go from there: the list only shrinks.
set -euo pipefail
known=$1
shift
nm -A -g "$@" | awk '{
    path = $1; sub(/:.*/, "", path)
    room = path; sub(/.*\/weir_/, "", room); sub(/\.dir\/.*/, "", room); gsub(/-/, "/", room)
    file = path; sub(/.*\.dir\//, "", file); sub(/\.c\.o$/, "", file)
    kind = $(NF - 1)
    if (kind ~ /(^|:)U$/) print room, file, "U", $NF
    else if (kind ~ /^[TDBRVC]$/) print room, file, "D", $NF
}' | awk -v known="$known" '
    # Whoever reaches each other is in one circle.
    function close_over(nodes, edge, reach,    a, b, c) {
        for (a in nodes) for (b in nodes) reach[a, b] = ((a, b) in edge)
        for (b in nodes) for (a in nodes) if (reach[a, b])
            for (c in nodes) if (reach[b, c]) reach[a, c] = 1
    }
    BEGIN {
        while ((getline line < known) > 0) {
            sub(/#.*/, "", line)
            n = split(line, word, " ")
            for (i = 2; i <= n; i++) excused[word[1] "/" word[i]] = 1
        }
    }
    $3 == "D" { home[$4] = $2; home_room[$4] = $1 }
    { name = $2; sub(/.*\//, "", name); room_of[$1 "/" name] = $1; count[$1] += !(($1, $2) in seen)
      seen[$1, $2] = 1; rooms[$1] = 1 }
    $3 == "U" { needs[++need_count] = $0 }
    END {
        for (i = 1; i <= need_count; i++) {
            split(needs[i], need, " ")
            if (!(need[4] in home)) continue
            to = home[need[4]]; to_room = home_room[need[4]]
            if (to_room != need[1]) { room_edge[need[1], to_room] = 1; continue }
            a = need[2]; b = to; sub(/.*\//, "", a); sub(/.*\//, "", b)
            if (a != b) edge[need[1] "/" a, need[1] "/" b] = 1
        }
        close_over(rooms, room_edge, reached)
        for (r in rooms)
            if (reached[r, r]) { print "the room " r " needs itself in a circle"; bad++ }
        for (r in rooms) {
            if (count[r] <= 5) continue
            split("", nodes); split("", reach)
            for (f in room_of) if (room_of[f] == r) nodes[f] = 1
            close_over(nodes, edge, reach)
            for (f in nodes) {
                circular += reach[f, f]
                if (reach[f, f] && !(f in excused)) { print f " is in a circle"; bad++ }
                if (reach[f, f] || !(f in excused)) continue
                print f " is in no circle: excuse it no more"
                bad++
            }
        }
        n = 0; for (f in room_of) n++
        printf "%d files, %d of them in circles\n", n, circular
        exit bad > 0
    }'
