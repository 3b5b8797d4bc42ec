#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Changes one place of the rooms' code at a time and looks whether a test notices. Works in a copy
# of the tree, build/mutate; the tree itself is never touched.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
work=$top/build/mutate
tree=$work/tree
build=$work/build
counting=$work/counting
sanitized=$work/sanitized
rooms="base term framing options address lookup runtime"
count=20
seed=$(($(date +%s) % 100000))
room=
each=
again=
near=
patience=4
left_out="tidy|canary|package|headers"
steady=()
! setarch -R true 2>/dev/null || steady=(setarch -R)

usage() {
    cat <<'END'
usage: mutate.sh [--count N | --each N] [--seed N] [--room R] [--again FILE] [--near]

  --count N     so many changes (20)
  --each N      so many of every room
  --seed N      which; the same seed makes the same ones of the same tree
  --room R      only of this folder, such as framing or runtime/stream
  --again FILE  those of a table that was printed before, such as its survivors
  --near        without fuzzers, Erlang and other profiles of the ring: much faster, and what
                survives is to be tried again without it

Prints what no test has noticed. Changes that nobody can see are in tests/mutate/equal.tsv, with the
reason, and are not made. Only tests that reach the place are asked, then with the sanitizers; all
are run once before, and again when the code or the tests have changed.
END
}

misused() {
    echo "mutate: $*" >&2
    usage >&2
    exit 2
}

read_arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
        --help) usage; exit 0 ;;
        --near)
            near=yes
            left_out="$left_out|differential|live|fuzz|ring_(no|as).*|erlang|load|clients"
            left_out="$left_out|guide|manual|lint|bench.*"
            shift
            continue
            ;;
        --count | --each | --seed) [[ ${2:-} =~ ^[0-9]+$ ]] || misused "$1: a number" ;;&
        --count) count=$2 ;;
        --each) each=$2 ;;
        --seed) seed=$2 ;;
        --room) [ -d "$top/${2:-}" ] && room=${2%/} || misused "there is no folder '${2:-}'" ;;
        --again) [ -r "${2:-}" ] && again=$(realpath "$2") || misused "cannot read '${2:-}'" ;;
        *) misused "'$1' is none of --count, --each, --seed, --room, --again, --near" ;;
        esac
        shift 2
    done
}

# Files that are as they were keep their time, or all would be built again; what has changed gets
# the time of now: its own may lie before that of the object of a change that was made here.
copy_tree() {
    local file
    mkdir -p "$tree"
    (cd "$top" && git ls-files -co --exclude-standard) | sort >"$work/files"
    while read -r file; do
        [ ! -f "$top/$file" ] || cmp -s "$top/$file" "$tree/$file" && continue
        mkdir -p "$(dirname "$tree/$file")"
        cp "$top/$file" "$tree/$file"
    done <"$work/files"
    (cd "$tree" && find . ! -type d -printf '%P\n' | sort | comm -23 - "$work/files" |
        xargs -r -d '\n' rm -f)
}

# Without debug information, and with little to link: most tests have the rooms from one library.
# A change may leave something unused.
configure() {
    local folder=$1 launcher=() linker=-fuse-ld=gold
    shift
    ! command -v mold >/dev/null || linker=-fuse-ld=mold
    if command -v ccache >/dev/null; then
        launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache)
        export CCACHE_BASEDIR=$work CCACHE_NOHASHDIR=1
    fi
    cmake -S "$tree" -B "$folder" -G Ninja -DBUILD_TESTING=ON -DWEIR_BENCH=OFF \
        -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG=-Og \
        -DWEIR_SHARED_ROOMS=ON -DCMAKE_LINK_DEPENDS_NO_SHARED=ON \
        -DCMAKE_EXE_LINKER_FLAGS="$linker" -DCMAKE_SHARED_LINKER_FLAGS="$linker" \
        "${launcher[@]}" "$@" >"$work/log" 2>&1
}

# Test TAB labels TAB programs that it runs, as cmake has written them down.
list_tests() {
    find "$build" -name CTestTestfile.cmake -exec awk -v build="$build/" '
        function unquoted(text) { gsub(/^\[=*\[|\]=*\]$/, "", text); return text }
        /^add_test\(/ {
            name = $1; sub(/^add_test\(/, "", name); name = unquoted(name); programs = ""
            parts = split($0, part, "\"")
            for (i = 2; i <= parts; i += 2)
                if (index(part[i], build) == 1)
                    programs = programs " " substr(part[i], length(build) + 1)
        }
        /^set_tests_properties\(/ && match($0, /LABELS "[^"]*"/) {
            print name "\t" substr($0, RSTART + 8, RLENGTH - 9) "\t" programs
        }' {} + | grep -vE "	[^	]*\\b($left_out)\\b"
}

# Program TAB the objects that it is linked from; all of them by way of the library of all rooms.
list_programs() {
    awk '
        /^build .*: (C|CXX)_EXECUTABLE_LINKER/ {
            program = $2; sub(/:$/, "", program)
            print program "\t" $0
        }' "$build/build.ninja"
}

# Rank TAB seconds TAB test TAB programs: what is fast and near comes first, and before that, in
# batches_for, what has noticed something in the same folder.
rank_tests() {
    awk -F '\t' '
        FILENAME ~ /cost$/ { split($0, part, " "); cost[part[1]] = part[2]; next }
        {
            rank = 3
            if ($2 ~ /ring_/ && $2 !~ /ring_newest/) rank = 5
            else if ($2 ~ /differential|live|fuzz/) rank = 4
            else if ($2 ~ /(^|;)unit/) rank = 1
            else if ($1 == "sim") rank = 2
            seconds = cost[$1] > 0.5 ? cost[$1] : 0.5
            printf "%d\t%.1f\t%s\t%s\n", rank, seconds, $1, $3
        }' "$work/cost" "$work/tests" |
        sort -t '	' -k1,1n -k2,2n >"$work/ranked"
}

# Near tests name all programs that they run.
build_tests() {
    build_programs "$1" "$(cut -f 3 "$work/tests")" &&
        { [ -n "$near" ] || cmake --build "$1" >"$work/log" 2>&1; }
}

# How long each takes is what it took then; another tree or other tests are learned anew, as lines
# may have moved.
learn() {
    local of
    of=$({
        cut -f 1 "$work/tests"
        cd "$tree" && find $rooms tests -type f ! -path 'tests/mutate/*' | sort | xargs cat
    } | sha1sum)
    [ "$of" != "$(cat "$work/learned" 2>/dev/null)" ] || return 0
    echo "mutate: running all tests once, for what each reaches" >&2
    configure "$counting" -DWEIR_COVERAGE=ON -DCMAKE_C_FLAGS_DEBUG=-O0 &&
        build_tests "$counting" || return
    cut -f 1 "$work/tests" | "$here/reach.sh" "$counting" "$work" || return
    echo "$of" >"$work/learned"
}

prepare() {
    mkdir -p "$work"
    copy_tree
    configure "$build" && list_tests >"$work/tests" && list_programs >"$work/programs" &&
        configure "$sanitized" -DWEIR_SANITIZE=address,undefined -DCMAKE_C_FLAGS_DEBUG=-O1 &&
        build_tests "$build" && learn || {
        tail -n 30 "$work/log" >&2
        echo "mutate: the copy in $work does not build" >&2
        exit 1
    }
    touch "$work/noticed"
    rank_tests
}

all_places() {
    local folders=$rooms
    [ -z "$room" ] || folders=$room
    (cd "$tree" && find $folders -name '*.[ch]' ! -name 'kernel_*' | sort | while read -r file; do
        awk -f "$here/places.awk" "$file"
    done)
}

# Not those that change nothing: path, the line before, text, what becomes of it, reason.
choose() {
    all_places | awk -F '\t' -v seed="$seed" '
        FILENAME != "-" { equal[$1 "\t" $2 "\t" $3 "\t" $4] = 1; next }
        BEGIN { srand(seed) }
        { now = $6; sub(/^ +/, "", now) }
        !(($1 "\t" $7 "\t" $5 "\t" now) in equal) { printf "%.9f\t%s\n", rand(), $0 }
    ' "$here/equal.tsv" - | sort -n | cut -f 2- | awk -F '\t' -v count="$count" -v each="$each" '
        { room = $1; sub(/\/[^\/]*$/, "", room) }
        each ? of[room]++ < each : NR <= count'
}

# Objects that are compiled from a file, or include it.
objects_of() {
    ninja -C "$build" -t deps | awk -v file="/$1" '
        /^[^ ].*: #deps/ { object = $1; sub(/:$/, "", object) }
        /^ / && substr($1, length($1) - length(file) + 1) == file { print object }'
}

# Tests that reach one of these lines; where none does, as where lines only hold data, those that
# reach one just before.
reaching() {
    local file=$1 first=$2 last=$3 before
    for before in 0 1 5; do
        awk -F '\t' -v file="$file" -v first=$((first - before)) -v last="$last" '
            $1 == file {
                for (line = first; line <= last; line++)
                    if (index($3, " " line " ")) { print $2; next }
            }' "$work/lines" >"$work/reaching"
        [ ! -s "$work/reaching" ] || return 0
    done
}

# Where no test has been seen to reach it, as a process may end without a count: all that link one
# of the file's objects.
linking() {
    awk -F '\t' -v objects="$(objects_of "$1")" '
        BEGIN { count = split(objects, object, "\n") }
        FILENAME ~ /programs$/ {
            for (i = 1; i <= count; i++)
                if (index($2, " " object[i] " ")) links[$1] = 1
            if ($2 ~ /libweir_rooms|libweir\./) links[$1] = 1
            next
        }
        {
            n = split($4, program, " ")
            for (i = 1; i <= n; i++)
                if (program[i] in links) { print $3; next }
        }' "$work/programs" "$work/ranked"
}

# In order: rank TAB seconds TAB test TAB programs. What fails without any change is left out.
tests_for() {
    reaching "$@"
    [ -s "$work/reaching" ] || linking "$1" >"$work/reaching"
    touch "$build/failing"
    awk -F '\t' -v folder="$(dirname "$1")" '
        FILENAME ~ /failing$/ { failing[$1]; next }
        FILENAME ~ /reaching$/ { wanted[$1]; next }
        FILENAME ~ /noticed$/ { noticed[$2] += $1 == folder; next }
        $3 in wanted && !($3 in failing) {
            rest = substr($0, index($0, FS) + 1)
            printf "%d\t%d\t%s\n", noticed[$3] ? 0 : $1, noticed[$3], rest
        }' "$work/failing" "$build/failing" "$work/reaching" "$work/noticed" "$work/ranked" |
        sort -s -t '	' -k1,1n -k2,2nr -k3,3n | cut -f 1,3-
}

# Seconds TAB tests TAB programs. What comes first is small.
batches_for() {
    tests_for "$@" | awk -F '\t' '
        function flush_() {
            if (tests != "") printf "%d\t%s\t%s\n", seconds, tests, programs
            tests = programs = ""; size = seconds = 0
        }
        {
            if ($1 != rank || size >= ($1 ? 30 : 4)) flush_()
            rank = $1
            tests = tests (tests == "" ? "" : "|") $3
            programs = programs " " $4
            seconds += $2
            size++
        }
        END { flush_() }'
}

# Builds what a batch needs and this build has; ninja takes what has no rule for something that is
# there.
build_programs() {
    local targets
    targets=$(tr ' ' '\n' <<<"$2" | sort -u |
        grep -Fxf <(sed -n 's/^build \([^ ]*\): C[X]*_EXECUTABLE_LINKER.*/\1/p' "$1/build.ninja"))
    [ -z "$targets" ] || ninja -C "$1" $targets >"$work/log" 2>&1
}

# A change may keep a process of a test busy for ever, which ctest ends without its children.
run_tests() {
    local session result
    (cd "$build" && exec setsid "${steady[@]}" timeout -k 5 "$1" \
        ctest -j 3 --stop-on-failure -R "^($2)\$" >"$work/log" 2>&1 </dev/null) &
    session=$!
    wait "$session"
    result=$?
    pkill -KILL -s "$session"
    return "$result"
}

# Which of them failed, as ctest has listed them; and which had not ended.
failed() {
    sed -n '/(Skipped)/d; s/^\t *[0-9]* - \([^ ]*\) (.*/\1/p' "$work/log"
}

unfinished() {
    awk '/^ +Start +[0-9]+: / { started[$3] = 1 }
        /Test +#[0-9]+: / { sub(/.*Test +#[0-9]+: /, ""); delete started[$1] }
        END { for (name in started) print name }' "$work/log"
}

# How long one test may take.
limit_of() {
    awk -F '\t' -v name="$1" -v patience="$patience" '
        $3 == name { printf "%d\n", $2 * patience + 15 }' "$work/ranked"
}

# The first of these that fails, and fails again by itself, as a simulation is known to; or nothing.
failing() {
    local seconds=$1 tests=$2 names name
    until [ -z "$tests" ] || run_tests "$seconds" "$tests"; do
        names=$(failed)
        [[ $names != sim* ]] || { echo "${names%%$'\n'*}"; return; }
        names=${names:-$(unfinished)}
        [ -n "$names" ] || { echo "no test at all"; return; }
        for name in $names; do
            run_tests "$(limit_of "$name")" "$name" || { echo "$name"; return; }
            tests=$(tr '|' '\n' <<<"$tests" | grep -vxF "$name" | paste -sd '|')
        done
    done
}

# What noticed it, or nothing. Some tests count descriptors, so none is left open here.
noticed_by() {
    local seconds tests programs found
    batches_for "$@" >"$work/batches"
    while IFS=$'\t' read -r seconds tests programs; do
        build_programs "$build" "$programs" || { echo "does not build"; return; }
        found=$(failing $((seconds * patience + 15)) "$tests")
        [ -z "$found" ] || { echo "$found"; return; }
    done <"$work/batches"
}

change() {
    new=$4 awk -v first="$2" -v last="$3" '
        NR == first { print ENVIRON["new"]; next }
        NR > first && NR <= last { next }
        { print }' "$tree/$1" >"$work/changed" && cp "$work/changed" "$tree/$1"
}

passes_unchanged() {
    local file=$1 test=$2 programs
    cp "$work/kept" "$tree/$file"
    programs=$(awk -F '\t' -v name="$test" '$1 == name { print $3 }' "$work/tests")
    build_programs "$build" "$programs" && run_tests "$(limit_of "$test")" "$test"
}

# Says who has noticed a change: path, lines, what becomes of them. A test that fails without it too
# has not, and is not asked any more in this build.
judge() {
    local file=$1 first=$2 last=$3 now=$4 found
    while :; do
        change "$file" "$first" "$last" "$now"
        found=$(noticed_by "$file" "$first" "$last")
        [ -n "$found" ] && [ "$found" != "does not build" ] || break
        passes_unchanged "$file" "$found" && break
        echo "$found" >>"$build/failing"
    done
    cp "$work/kept" "$tree/$file"
    echo "$found"
}

# What no test has noticed may be the sanitizers' to notice, as memory of another is.
judge_sanitized() {
    local build=$sanitized patience=16 found
    found=$(judge "$@")
    [ -z "$found" ] || echo "$found, sanitized"
}

report() {
    awk -F '\t' -v seed="$seed" '
        { of[$1]++; all++ }
        {
            room = $2; sub(/\/[^\/]*$/, "", room); rooms[room]
            judged[room] += $1 != "does not build"
            missed[room] += $1 == "survived"
        }
        $1 == "survived" { printf "%s:%s  %s\n    %s\n    %s\n", $2, $3, $5, $6, $7 }
        END {
            known = all - of["does not build"]
            noticed = known - of["survived"]
            for (room in rooms)
                printf "  %-20s %d of %d\n", room, judged[room] - missed[room], judged[room]
            printf "seed %s: %d changes, %d do not build, %d of %d noticed (%.1f%%)\n", seed, all,
                of["does not build"], noticed, known, known ? 100 * noticed / known : 0
        }' "$work/results"
}

run_all() {
    local file first last kind was now before noticed
    : >"$work/results"
    while IFS=$'\t' read -r file first last kind was now before; do
        cp "$tree/$file" "$work/kept"
        noticed=$(judge "$file" "$first" "$last" "$now")
        [ -n "$noticed" ] || noticed=$(judge_sanitized "$file" "$first" "$last" "$now")
        [ -z "$noticed" ] ||
            printf '%s\t%s\n' "$(dirname "$file")" "${noticed%, *}" >>"$work/noticed"
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "${noticed:-survived}" "$file" "$first" \
            "$last" "$kind" "$was" "$now" "$before" | tee -a "$work/results" >&2
    done
}

read_arguments "$@"
prepare
if [ -n "$again" ]; then
    awk -F '\t' '$1 == "survived"' "$again" | cut -f 2- >"$work/chosen"
else
    choose >"$work/chosen"
fi
run_all <"$work/chosen" 
report
