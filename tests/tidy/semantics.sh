#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every test that tests/semantics.tsv names is there, and each row has one. Argument: the top of the
# tree.
set -euo pipefail
cd "$1/tests"
missing=0
while IFS=$'\t' read -r row tests; do
    [[ $row == \#* ]] && continue
    [ -n "$tests" ] || { echo "$row: no test"; missing=1; }
    for test in $tests; do
        file=${test%%:*}
        if [ "$file" = "$test" ]; then
            [ -e "$file" ] || { echo "$row: there is no $file"; missing=1; }
            continue
        fi
        case=${test#*:}
        grep -qF "Test(${case%/*}, ${case#*/})" "${file}_test.c" 2>/dev/null ||
            { echo "$row: there is no $test"; missing=1; }
    done
done <semantics.tsv
exit $missing
