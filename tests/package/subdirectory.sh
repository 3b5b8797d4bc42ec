#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds weir as a part of the consumer, by add_subdirectory, by Makefiles, several files at once,
# at -O3, without a warning; and runs the consumer.
# Arguments: the source folder, cmake, the C compiler.
set -euo pipefail
source=$1 cmake=$2 cc=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

mkdir "$work/source"
cp "$here/consumer/consumer.c" "$work/source"
cat >"$work/source/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(consumer C CXX)
add_subdirectory($source weir)
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE weir::weir)
add_executable(consumer_static consumer.c)
target_link_libraries(consumer_static PRIVATE weir::weir_static)
END
"$cmake" -S "$work/source" -B "$work/build" -G "Unix Makefiles" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS_RELEASE=-O3 -DWEIR_WERROR=ON >"$work/configure.log"
"$cmake" --build "$work/build" -j 2 >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$work/build/consumer"
"$work/build/consumer_static"
