#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Runs a program for arm64 here. Arguments: the program, its own arguments.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../build/arm64-root" && pwd) || exit 1
WEIR_EMULATOR=$(command -v qemu-aarch64-static) ||
    { echo "there is no qemu-aarch64-static" >&2; exit 1; }
export WEIR_EMULATOR QEMU_LD_PREFIX=$root QEMU_SET_ENV=LD_PRELOAD=$root/exec.so
exec "$WEIR_EMULATOR" "$@"
