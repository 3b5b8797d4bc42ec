#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does what README.md says of an installed copy, as it stands; but installs the build that is there.
# Then its echo server answers its command. Arguments: the top of the tree, the build folder, cmake.
set -euo pipefail
top=$1 build=$2 cmake=$3
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
export HOME=$work MANPAGER=cat
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
sed "s/7000/$port/" "$top/examples/echo.c" >"$work/server.c"
sed -n '/^## To install it/,/^## /p' "$top/README.md" | sed -n '/^```sh$/,/^```$/p' | sed '1d;$d' |
    sed "s|^./run install|'$cmake' --install '$build' --prefix|" >"$work/commands"
grep -q -- --prefix "$work/commands"
command -v man >/dev/null || sed -i '/^man /d' "$work/commands"
# What CMakeLists.txt has of it; the second block is package_fetch's.
{
    echo 'cmake_minimum_required(VERSION 3.25)'
    echo 'project(server C)'
    echo 'add_executable(server server.c)'
    sed -n '/^```cmake$/,/^```$/p' "$top/README.md" | sed '1d;/^```$/,$d'
} >"$work/CMakeLists.txt"
grep -q find_package "$work/CMakeLists.txt"
echo 'cmake -S . -B build && cmake --build build && ldd build/server' >>"$work/commands"
cd "$work"
timeout 60 bash -euo pipefail commands >said 2>&1 || { cat said; exit 1; }
grep -q 'io_uring' said
! command -v man >/dev/null || grep -q 'int weir_send(weir_socket' said
export LD_LIBRARY_PATH=$work/weir/lib
ldd server | grep "libweir.so.0.1 => $work/weir/lib"
grep -q "libweir.so.0.1 => $work/weir/lib" said
./server &
sed -n '/^## An echo server/,/^## /p' "$top/README.md" | sed -n '/^```sh$/,/^```$/p' | sed '1d;$d' |
    sed "s/7000/$port/" >echo
until timeout 60 bash echo | grep -q 'h   e   l   l   o'; do sleep 0.1; done
