#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares sending with a real Erlang's. usage: sending.sh SUBJECT [SCENE]
set -eu
command -v escript >/dev/null || { echo "escript is missing: ./run deps test"; exit 1; }
exec escript "$(dirname "$0")/sending.escript" "$@"
