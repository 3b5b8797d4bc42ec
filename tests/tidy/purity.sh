#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The framing room is pure: beyond itself its objects need memory and string functions that touch
# nothing else, and the check hook. Arguments: its object files.
set -euo pipefail
[ $# -gt 0 ] || { echo "no object files"; exit 1; }
allowed='^(mem(chr|cmp|cpy|mem|move|rchr|set)|str(cmp|len|ncmp|nlen)|check_failed)$'
foreign=$(comm -23 <(nm -u "$@" | awk '$1 == "U" { print $2 }' | sort -u) \
    <(nm --defined-only -g "$@" | awk 'NF == 3 { print $3 }' | sort -u) |
    grep -vE "$allowed|^(_GLOBAL_OFFSET_TABLE_|__stack_chk_fail)$" || true)
if [ -n "$foreign" ]; then
    printf 'framing may not need: %s\n' $foreign
    exit 1
fi
