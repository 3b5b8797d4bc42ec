#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Debian's packages for arm64 that weir and its unit tests are built with, unpacked into a folder,
# with nothing of this machine's own packages touched. Argument: the folder.
set -euo pipefail
mkdir -p "$1"
root=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
[ ! -e "$root/complete" ] || exit 0

state=$root/apt
mkdir -p "$state/lists/partial" "$state/archives/partial"
touch "$state/status"
cat >"$state/apt.conf" <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
Dir::State "$state";
Dir::State::status "$state/status";
Dir::Cache "$state";
END
export APT_CONFIG=$state/apt.conf
apt-get update -q
apt-get install -q -y --no-install-recommends --download-only \
    liburing-dev libc-ares-dev libcriterion-dev
for package in "$state"/archives/*.deb; do
    dpkg -x "$package" "$root"
done
rm -r "$state"
aarch64-linux-gnu-gcc --sysroot="$root" -shared -fPIC exec.c -o "$root/exec.so"
touch "$root/complete"
