#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the Debian packages, has lintian look at them, unpacks them into a root of their own, and
# builds and runs the consumer against that. Arguments: the top of the tree, the C compiler.
set -euo pipefail
top=$1 cc=$2
for tool in dh lintian mandoc; do
    command -v "$tool" >/dev/null || { echo "$tool is missing: ./run deps test"; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DEB_BUILD_OPTIONS="noautodbgsym parallel=2"
"$top/run" package "$work/packages" >"$work/log" 2>&1 || { tail -50 "$work/log"; exit 1; }

cd "$work/packages"
lintian --allow-root --fail-on error ./*.changes
for package in libweir0.1 libweir-dev weir-tools weir-doc; do
    dpkg -x "$package"_*.deb "$work/root"
done
root=$work/root/usr
for file in bin/weir share/doc/weir/GUIDE.md share/doc/weir/html/index.html \
    share/man/man3/weir_send.3.gz share/man/man1/weir-serve.1.gz \
    share/doc/weir/examples/weir-echo.service; do
    [ -s "$root/$file" ] || { echo "no package has $file"; exit 1; }
done

PKG_CONFIG_PATH=$(dirname "$(find "$root" -name weir.pc)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH=${PKG_CONFIG_PATH%/pkgconfig}
# shellcheck disable=SC2046
"$cc" "$top/tests/package/consumer/consumer.c" -o "$work/consumer" \
    $(pkg-config --cflags --libs weir)
"$work/consumer"
"$root/bin/weir" version
ldd "$work/consumer" | grep "libweir.so.0.1 => $LD_LIBRARY_PATH"
if command -v systemd-analyze >/dev/null; then
    sed "s|/usr/bin/weir|$root/bin/weir|" "$root/share/doc/weir/examples/weir-echo.service" \
        >"$work/weir-echo.service"
    systemd-analyze verify "$work/weir-echo.service"
fi
