#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The program that README.md shows is examples/echo.c, and what the documents name exists. Argument:
# the top of the tree.
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

# Every function, type or macro; and the options of tables that say what to use.
for name in $(grep -ohE '\bweir_[a-z0-9_]*[a-z0-9]\b' README.md CHANGELOG.md CONTRIBUTING.md \
    SECURITY.md docs/GUIDE.md docs/TEN_MINUTES.md docs/PROCESSES.md docs/NAMES.md | sort -u); do
    grep -rqw -e "$name" include cmake || { echo "named, but not there: $name"; missing=1; }
done
for option in $({
    sed -n '/^## Limits/,$p' SECURITY.md
    sed -n '/^## How do I/,/^## Def/p' docs/GUIDE.md
} | grep -oE '`\{[a-z_]+,' | tr -d '`{,' | sort -u); do
    grep -q "^## $option$" docs/OPTIONS.md || { echo "named, but no option: $option"; missing=1; }
done
exit $missing
