# SPDX-License-Identifier: MIT
# To be sourced. This Erlang dies now and then in its allocator, with nothing said of any program,
# more often on a busy machine: it is started again.

# until_it_has_ended NAME FILE PATTERN COMMAND ...: runs the command, what it says goes to FILE and
# is shown in the end. A line with the pattern says that it has come to its end by itself, whatever
# its status is.
until_it_has_ended() {
    name=$1
    said=$2
    pattern=$3
    shift 3
    for attempt in 1 2 3; do
        status=0
        ERL_CRASH_DUMP=/dev/null "$@" >"$said" 2>&1 || status=$?
        if [ "$status" -eq 0 ] || grep -q -e "$pattern" "$said"; then
            break
        fi
        echo "$name: attempt $attempt: Erlang died with status $status"
    done
    cat "$said"
    return "$status"
}
