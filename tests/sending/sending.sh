#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares sending with a real Erlang's. usage: sending.sh SUBJECT [SCENE]
# Exit status 77 without an Erlang.
set -eu
command -v escript >/dev/null || exit 77
exec escript "$(dirname "$0")/sending.escript" "$@"
