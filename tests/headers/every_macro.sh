#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every public macro is expanded in the test of macros, or by another line of the public headers.
# Arguments: include/weir, the test.
set -euo pipefail
missing=0
for macro in $(sed -nE 's/^# *define (WEIR_[A-Z0-9_]+).*/\1/p' "$1"/*.h | sort -u); do
    [[ $macro != *_H ]] || continue
    uses=$(cat "$1"/*.h "$2" | grep -w "$macro" |
        grep -cvE "^# *(define|ifn?def|undef) $macro\b" || true)
    [ "$uses" -gt 0 ] || { echo "no test expands $macro"; missing=1; }
done
exit $missing
