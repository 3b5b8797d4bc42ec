#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The program that README.md shows is examples/echo.c, and what it names exists. Argument: the top
# of the tree.
set -euo pipefail
cd "$1"
diff <(sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d') <(tail -n +2 examples/echo.c)

# Every path in backquotes; what a build makes is not there yet.
missing=0
for path in $(grep -oE '`[a-z_./]+/[A-Za-z_./]*`' README.md CONTRIBUTING.md docs/STYLE.md |
    sed 's/.*`\(.*\)`/\1/' |
    grep -v '^build/' | sort -u); do
    [ -e "$path" ] || [ -e "include/$path" ] || [ -e "tests/$path" ] ||
        { echo "named, but not there: $path"; missing=1; }
done
exit $missing
