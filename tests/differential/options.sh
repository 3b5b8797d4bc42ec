#!/bin/sh
# SPDX-License-Identifier: MIT
# Compares setopts and getopts with a real Erlang's, on sockets of the kernel.
# usage: options.sh OPTIONS_SUBJECT [--seed S] [--count N]
# shellcheck disable=SC1091,SC2034,SC2154  # seeded.sh sets what is not set here
set -eu

subject=$1
shift
name=options count=300
. "$(dirname "$0")/seeded.sh"
escript "$here/options.escript" generate "$seed" "$count" >"$work/cases"
"$subject" <"$work/cases" >"$work/weir"
. "$here/erlang.sh"
until_it_has_ended options "$work/said" ' cases, ' \
    escript "$here/options.escript" compare "$work/cases" "$work/weir"
