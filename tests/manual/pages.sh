#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Every page is one that its linter has nothing to say about; every public function and every
# command has one; and man shows what stands in the header.
# Arguments: the top of the tree, the folder of the pages, the command weir.
set -euo pipefail
top=$1 pages=$2 weir=$3
bad=0
for name in $("$top/cmake/public_symbols.sh" "$top/include/weir"); do
    [ -s "$pages/man3/$name.3" ] || { echo "no page for $name"; bad=1; }
done
for name in $("$weir" help | sed -n 's/^  \([a-z]*\)  *.*/\1/p'); do
    [ -s "$pages/man1/weir-$name.1" ] || { echo "no page for weir $name"; bad=1; }
    ! "$weir" help "$name" | grep '.\{81\}' || { echo "weir help $name: too wide"; bad=1; }
done
if grep -rh 'a type of <' "$pages"/man3 "$pages/functions.tsv"; then
    echo "these have no comment in the headers"
    bad=1
fi
# A line that stands by itself leans on no other.
if cut -f2,4 "$pages/functions.tsv" |
    grep -E $'\t''(The same|As |It |That |Otherwise|What it |[a-z_]+:[a-z_]+/)|(above|below)$'; then
    echo "these do not say by themselves what they do"
    bad=1
fi
[ $bad -eq 0 ]
command -v mandoc >/dev/null || { echo "mandoc is missing: ./run deps test"; exit 1; }
find "$pages"/man[137] -type f -print0 | xargs -0 mandoc -Tlint -W base
mandoc -Tutf8 "$pages/man3/weir_send.3" | col -b >"$pages/weir_send.txt"
grep -q 'int weir_send(weir_socket socket, const void \*bytes, size_t size);' "$pages/weir_send.txt"
grep -q 'gets -EAGAIN, nothing is taken' "$pages/weir_send.txt"
