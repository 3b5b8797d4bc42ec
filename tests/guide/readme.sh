#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does what README.md says of an installed copy, as it stands; but installs the build that is there.
# Arguments: the top of the tree, the build folder, cmake.
set -euo pipefail
top=$1 build=$2 cmake=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export HOME=$work MANPAGER=cat
cp "$top/examples/echo.c" "$work/server.c"
sed -n '/^## To install it/,/^## /p' "$top/README.md" | sed -n '/^```sh$/,/^```$/p' | sed '1d;$d' |
    sed "s|^./run install|'$cmake' --install '$build' --prefix|" >"$work/commands"
grep -q -- --prefix "$work/commands"
command -v man >/dev/null || sed -i '/^man /d' "$work/commands"
cd "$work"
timeout 60 bash -euo pipefail commands >said 2>&1 || { cat said; exit 1; }
grep -q 'io_uring' said
! command -v man >/dev/null || grep -q 'int weir_send(weir_socket' said
LD_LIBRARY_PATH=$work/weir/lib ldd server | grep "libweir.so.0.1 => $work/weir/lib"
