#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares `weir address --batch` with a real Erlang on generated texts.
# usage: addresses.sh WEIR [--seed S] [--count N]
# shellcheck disable=SC1091,SC2034,SC2154  # seeded.sh sets what is not set here
set -eu

weir=$1
shift
name=addresses count=100000
. "$(dirname "$0")/seeded.sh"
escript "$here/addresses.escript" generate "$seed" "$count" >"$work/texts"
"$weir" address --batch <"$work/texts" >"$work/weir"
escript "$here/addresses.escript" compare "$work/texts" "$work/weir"
