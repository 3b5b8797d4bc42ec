#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The shared library exports what the public headers declare with WEIR_API, all of it and no more,
# under the version of the binary interface; so is it called.
# Arguments: the top of the tree, libweir.so, MAJOR.MINOR.
set -euo pipefail
declared=$("$1/cmake/public_symbols.sh" "$1/include/weir")
version=@@WEIR_$3
exported=$(nm -D --defined-only --with-symbol-versions "$2" | awk '$2 != "A" { print $3 }' |
    sort -u)
expected=$(sed "s/\$/$version/" <<<"$declared" | sort -u)
undeclared=$(comm -13 <(echo "$expected") <(echo "$exported"))
missing=$(comm -23 <(echo "$expected") <(echo "$exported"))
[ -z "$undeclared" ] || printf 'exported, but no public header has it: %s\n' $undeclared
[ -z "$missing" ] || printf 'declared, but the library lacks it: %s\n' $missing
readelf -d "$2" | grep -F "soname: [libweir.so.$3]" || { echo "its SONAME is another"; exit 1; }
[ -z "$undeclared$missing" ]
