#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Does what docs/GUIDE.md says, with an installed copy: saves and compiles each program under the
# name before it, runs it, runs each command; and compares its defaults with the options' own.
# Arguments: the top of the tree, the build folder, cmake, the C compiler.
set -euo pipefail
top=$1 build=$2 cmake=$3 cc=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$cmake" --install "$build" --prefix "$work/installed" >"$work/install.log"
PKG_CONFIG_PATH=$(dirname "$(find "$work/installed" -name weir.pc)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH=${PKG_CONFIG_PATH%/pkgconfig}
export PATH=$work/installed/bin:$PATH

# The programs, by name, and the commands, with a port that is free.
cd "$work"
exec {said}< <(exec weir serve echo --listen 127.0.0.1:0)
server=$!
read -r -t 60 -u "$said" line
kill "$server"
awk -v port="${line##*:}" '
    /^`[a-z]+\.c`:$/ { name = substr($0, 2, length($0) - 3) }
    /^```$/ { to = "" }
    to != "" { if (to == "commands") gsub(/7000/, port); print > to }
    /^```c$/ { if (name == "") { print "a program without a name"; exit 1 } to = name; name = "" }
    /^```sh$/ { to = "commands" }' "$top/docs/GUIDE.md"

"$cc" --version | head -1
for program in *.c; do
    # The words of pkg-config are arguments of their own.
    # shellcheck disable=SC2046
    "$cc" -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror "$program" \
        $(pkg-config --cflags --libs weir) -o "${program%.c}"
    [ "$program" = server.c ] && continue # the commands run it
    timeout 60 "./${program%.c}" || { echo "$program: exit status $?"; exit 1; }
    echo "$program"
done
timeout 60 bash -euo pipefail commands

# Each default of the table is that of its row.
sed -n '/^## Defaults/,$p' "$top/docs/GUIDE.md" |
    sed -nE 's/^\| `([a-z_]+)` \| `([^`]*)` .*/\1 \2/p' >defaults
[ "$(wc -l <defaults)" -ge 15 ]
while read -r option value; do
    now=$(weir options | awk -v option="$option" '$1 == option { print $2 }')
    [ "${now%,*}" = "$value" ] || [ "$now" = "$value" ] || [ "${now%% *}" = "$value" ] ||
        { echo "$option is $now, not $value"; exit 1; }
done <defaults
