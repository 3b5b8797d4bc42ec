#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The binary interface, what a program that is linked already relies on, is compared with the one
# that was accepted: what is new may come, what is there stays. It is read from the debug
# information of a pointer to each public function: so what is private is not seen at all.
# Arguments: the top of the tree, and `accept` to accept it as it is.
set -euo pipefail
cd "$1"
command -v abidiff >/dev/null || { echo "abidiff is missing: ./run deps test"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
accepted=tests/tidy/weir.abi

{
    echo '#include <weir/weir.h>'
    cmake/public_symbols.sh include/weir | sed 's/.*/__typeof__(\&&) public_& = \&&;/'
} >"$work/abi.c"
gcc -g -gno-record-gcc-switches -shared -fPIC -Iinclude "$work/abi.c" -o "$work/abi.so"
abidw --no-corpus-path --no-comp-dir-path --no-show-locs "$work/abi.so" |
    sed -E "s| path='[^']*'| path='weir.h'|" >"$work/now.abi"
if [ "${2:-}" = accept ]; then
    cp "$work/now.abi" "$accepted"
elif ! abidiff --no-added-syms --suppressions tests/tidy/abi.suppress \
    "$accepted" "$work/now.abi"; then
    echo "programs that are linked already would break; './run abi' accepts that, together with a"
    echo "new minor version unless this one has not been released"
    exit 1
fi
