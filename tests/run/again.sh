#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# ./run test with tests that fail: once more and alone, but none that crashes or that a sanitizer or
# a check says something of. The tests are this one's own, ctest is the real one. Argument: the top
# of the tree.
set -uo pipefail
top=$1
. "$(dirname "$0")/played.sh"
stand_in cmake </dev/null
rm "$work/bin/ctest"

# Some pass. The others are given: NAME and a script for sh, in turn.
tests() {
    rm -rf "$tree/build"
    mkdir -p "$tree/build/dev"
    printf 'add_test(%s sh -c [=[%s]=])\n' steady true "$@" steady_too true \
        >"$tree/build/dev/CTestTestfile.cmake"
}
silent_of() { # TEXT
    ! grep -qF -e "$1" "$work/err" || wrong "says: $(cat "$work/err")"
}
once='test -e once || { touch once; exit 1; }'

tests
expect 0 "100% tests passed" ./run test
silent_of "failed"

tests once "$once"
expect 0 "run: failed among others, passed alone: once" ./run test
expect 0 "" ./run test
silent_of "failed"

tests always "exit 1" once "$once"
expect 1 "run: failed alone too" ./run test
silent_of "passed alone"
grep -q "always" "$work/out" || wrong "the test that fails is not named"

tests slow "test -e slow || { touch slow; exec sleep 60; }"
echo "set_tests_properties(slow PROPERTIES TIMEOUT 1)" >>"$tree/build/dev/CTestTestfile.cmake"
expect 0 "run: failed among others, passed alone: slow" ./run test

# Even if it happens but once.
for sign in 'kill -SEGV $$' 'kill -ABRT $$' 'echo "ERROR: AddressSanitizer: heap-use-after-free"' \
    'echo "ERROR: LeakSanitizer: detected memory leaks"' 'echo "WARNING: ThreadSanitizer: race"' \
    'echo "a.c:1: runtime error: signed integer overflow"' 'echo "[FAIL] a::b: CRASH!"' \
    'echo "weir: a.c:1: broken invariant: a == b (1, 2)"'; do
    tests grave "test -e grave || { touch grave; $sign; exit 1; }" once "$once"
    expect 1 "so none is run again: grave" ./run test
    silent_of "passed alone"
done
exit $failed
