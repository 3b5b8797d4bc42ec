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

# The words of pkg-config are arguments of their own.
# shellcheck disable=SC2046
{
    "$cc" "$here/consumer/consumer.c" -o "$work/shared" $(pkg-config --cflags --libs weir)
    "$cc" "$here/consumer/consumer.c" -o "$work/static" $(pkg-config --cflags weir) \
        "$LD_LIBRARY_PATH/libweir.a" $(pkg-config --static --libs-only-l weir | sed 's/-lweir//')
}
"$work/shared"
"$work/static"
"$work/installed/bin/weir" --version
for file in LICENSE README.md CHANGELOG.md SECURITY.md; do
    [ -s "$work/installed/share/doc/weir/$file" ] || { echo "$file is not installed"; exit 1; }
done
for file in man1/weir.1 man1/weir-serve.1 man3/weir_send.3 man3/weir_sockname.3 man7/weir.7; do
    [ -s "$work/installed/share/man/$file" ] || { echo "$file is not installed"; exit 1; }
done
# What they and the headers send a reader to is there too; README.md has what is for maintainers.
for name in $(cd "$work/installed/share/doc/weir" &&
    grep -rohE '(docs|examples)/[A-Za-z_.]+\.(md|json|c|service)' CHANGELOG.md SECURITY.md \
        GUIDE.md TEN_MINUTES.md NAMES.md OPTIONS.md PROCESSES.md ../../../include ../../man |
    sed 's,^docs/,,' | sort -u); do
    [ -s "$work/installed/share/doc/weir/$name" ] || { echo "$name is not installed"; exit 1; }
done
for example in "$work/installed/share/doc/weir/examples"/*.c; do
    case $example in */tls.c) continue ;; esac # which needs more than weir
    # shellcheck disable=SC2046
    "$cc" -Wall -Wextra -Werror "$example" -o "$work/example" $(pkg-config --cflags --libs weir)
done
man -l "$work/installed/share/man/man3/weir_send.3" 2>/dev/null | grep 'weir_send(weir_socket' ||
    ! command -v man >/dev/null
[ -s "$work/installed/share/bash-completion/completions/weir" ]
grep -q '^License: MIT$' "$PKG_CONFIG_PATH/weir.pc"
grep -q '^URL: https://' "$PKG_CONFIG_PATH/weir.pc"
nm -g --defined-only "$LD_LIBRARY_PATH/libweir.a" | awk 'NF == 3 { print $3 }' |
    { ! grep -v '^weir_'; }
ldd "$work/static" "$work/build/consumer_static" | { ! grep libweir; }
