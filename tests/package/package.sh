#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs the build, builds the consumer against the installed copy with find_package and with
# pkg-config, each with the shared and with the static library, and runs all four.
# Arguments: the build folder, cmake, the C compiler.
set -euo pipefail
build=$1 cmake=$2 cc=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$cmake" --install "$build" --prefix "$work/installed" >"$work/install.log"
PKG_CONFIG_PATH=$(dirname "$(find "$work/installed" -name weir.pc)")
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_PATH")
export PKG_CONFIG_PATH LD_LIBRARY_PATH

"$cmake" -S "$here/consumer" -B "$work/build" -G Ninja -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_PREFIX_PATH="$work/installed" >"$work/configure.log"
"$cmake" --build "$work/build" >"$work/build.log" || { cat "$work/build.log"; exit 1; }
"$work/build/consumer"
"$work/build/consumer_static"

# The prefix stands in weir.pc as it was configured, which is not where this copy lies.
flags_of() {
    pkg-config --define-variable=prefix="$work/installed" "$@" weir
}

# The words of flags_of are arguments of their own.
# shellcheck disable=SC2046
{
    "$cc" "$here/consumer/consumer.c" -o "$work/shared" $(flags_of --cflags --libs)
    "$cc" "$here/consumer/consumer.c" -o "$work/static" $(flags_of --cflags) \
        "$LD_LIBRARY_PATH/libweir.a" $(flags_of --static --libs-only-l | sed 's/-lweir//')
}
"$work/shared"
"$work/static"
"$work/installed/bin/weir" --version
ldd "$work/static" "$work/build/consumer_static" | { ! grep libweir; }
