#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/FUNCTIONS.md: a table of all public functions, a line each. Argument: the list of them that
# manual.sh makes of the headers.
cat <<'END'
# Functions

All public functions, by the header that says what they do exactly, as `man NAME` does. This page is
made of the headers: the build's target `functions_document` writes it.
END
LC_ALL=C sort -s -t"$(printf '\t')" -k3,3 "$1" | awk -F '\t' '
    $3 != header {
        header = $3
        printf "\n## weir/%s\n\n| function | what it does |\n| --- | --- |\n", header
    }
    {
        gsub(/[|]/, "\\|", $4)
        gsub(/[{][^}]*[}]/, "`&`", $4)
        printf "| `%s` | %s |\n", $2, $4
    }'
