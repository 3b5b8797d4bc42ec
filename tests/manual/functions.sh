#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/FUNCTIONS.md is what the headers say. Arguments: the top of the tree, the list of functions.
"$1/docs/manual/functions.sh" "$2" | diff -u "$1/docs/FUNCTIONS.md" - && exit 0
echo "docs/FUNCTIONS.md is out of date: build the target functions_document" >&2
exit 1
