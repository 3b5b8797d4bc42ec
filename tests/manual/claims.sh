#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What the public headers claim and were once wrong about stands there, in these words, and the test
# that holds it is there; so whoever changes the one looks at the other. Argument: the top of the
# tree. Columns of claims.tsv: header, words, test's file (-: the words are all), suite and name
# (none: all of the file).
set -euo pipefail
cd "$1"
bad=0
# A comment as one line: what stands at the left edge of its lines is no text, nor is what C puts
# between two strings.
text_of() {
    sed -E 's,^ *(/\*+|\*/|\*)?,,; s,\*/ *$,,' "include/weir/$1" | tr '\n' ' ' |
        sed -E 's/" *"//g; s/ +/ /g'
}
while IFS=$'\t' read -r header words file name; do
    grep -qF -e "$words" <<<"$(text_of "$header")" ||
        { echo "$header does not say: $words"; bad=1; }
    [ "$file" != - ] || continue
    grep -qF -e "Test(${name:-}" "tests/$file" ||
        { echo "tests/$file has no ($name): $words"; bad=1; }
done <tests/manual/claims.tsv
exit $bad
