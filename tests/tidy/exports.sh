#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The shared library exports what the public headers declare with WEIR_API, all of it and no more.
# Arguments: include/weir, libweir.so.
set -euo pipefail
declared=$(cat "$1"/*.h | grep -v '^#' | tr '\n' ' ' | tr ';' '\n' |
    grep -o 'WEIR_API .*' | sed -E 's/\(.*//; s/.*[ *]//' | grep '^weir_' | sort -u)
exported=$(nm -D --defined-only "$2" | awk '{ print $3 }' | sort -u)
undeclared=$(comm -13 <(echo "$declared") <(echo "$exported"))
missing=$(comm -23 <(echo "$declared") <(echo "$exported"))
[ -z "$undeclared" ] || printf 'exported, but no public header has it: %s\n' $undeclared
[ -z "$missing" ] || printf 'declared, but the library lacks it: %s\n' $missing
[ -z "$undeclared$missing" ]
