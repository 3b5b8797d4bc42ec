#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The public functions by the handle that they take first, one a line: SOCKET(weir_recv),
# RUNTIME(weir_stop), TIMER(weir_timer_cancel). Argument: include/weir.
set -euo pipefail
cat "$1"/*.h | grep -v '^#' | tr '\n' ' ' | tr ';' '\n' | grep -o 'WEIR_API .*' |
    sed -nE 's/.*[ *](weir_[a-z0-9_]+)\(weir_(socket|timer) [a-z]+[,)].*/\U\2\E(\1)/p
        s/.*[ *](weir_[a-z0-9_]+)\((const )?weir_(runtime) \*[a-z]+[,)].*/\U\3\E(\1)/p' | sort
