#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The public symbols, one a line: what the headers declare with WEIR_API. Argument: include/weir.
set -euo pipefail
cat "$1"/*.h | grep -v '^#' | tr '\n' ' ' | tr ';' '\n' | grep -o 'WEIR_API .*' |
    sed -E 's/\(.*//; s/.*[ *]//' | grep '^weir_' | sort -u
