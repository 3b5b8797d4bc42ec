#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds weir as a part of somebody's C++20 project, by FetchContent as README.md has it, by Ninja
# and clang, with BUILD_SHARED_LIBS=OFF; then installs it, and finds it again. Arguments: the source
# folder, cmake.
set -euo pipefail
source=$1 cmake=$2
here=$(cd "$(dirname "$0")" && pwd)
command -v clang++ >/dev/null || { echo "clang is missing: ./run deps test"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/source"
cp "$here/consumer/consumer.c" "$work/source/server.cc"
cat >"$work/source/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(server C CXX)
set(CMAKE_CXX_STANDARD 20)
add_executable(server server.cc)
END
sed -n '/^include(FetchContent)$/,/^```$/p' "$source/README.md" | sed '$d' |
    sed "s,GIT_REPOSITORY .*,SOURCE_DIR $source)," >>"$work/source/CMakeLists.txt"
"$cmake" -S "$work/source" -B "$work/build" -G Ninja -DCMAKE_C_COMPILER=clang \
    -DCMAKE_CXX_COMPILER=clang++ -DBUILD_SHARED_LIBS=OFF >"$work/log"
! grep -E '^(CMAKE_BUILD_TYPE:.*=.|BUILD_TESTING)' "$work/build/CMakeCache.txt" ||
    { echo "it sets what is not its own"; exit 1; }
"$cmake" --build "$work/build" -j 2 >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
"$work/build/server"
! ldd "$work/build/server" | grep libweir || exit 1

"$cmake" --install "$work/build" --prefix "$work/installed" >"$work/log"
[ -z "$(find "$work/installed" -name 'libweir.so*')" ] || { echo "a shared library"; exit 1; }
"$cmake" -S "$here/consumer" -B "$work/found" -G Ninja -DCMAKE_PREFIX_PATH="$work/installed" \
    >"$work/log"
"$cmake" --build "$work/found" >"$work/log" || { cat "$work/log"; exit 1; }
"$work/found/consumer"
