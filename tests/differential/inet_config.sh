#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares `weir rc --batch` with a real Erlang's get_rc on generated configurations.
# usage: inet_config.sh WEIR [--seed S] [--count N]
# shellcheck disable=SC1091,SC2034,SC2154  # seeded.sh sets what is not set here
set -eu

weir=$1
shift
name=inet_config count=10000
. "$(dirname "$0")/seeded.sh"
mkdir "$work/files"
escript "$here/inet_config.escript" generate "$seed" "$count" "$work/files" >"$work/paths"
"$weir" rc --batch <"$work/paths" >"$work/weir" 2>/dev/null || [ $? -eq 1 ] # some are wrong
escript "$here/inet_config.escript" compare "$work/paths" "$work/weir"
