#!/bin/sh
# SPDX-License-Identifier: MIT
# docs/OPTIONS.md is what the rows say. Arguments: the program that prints it, the file.
"$1" | diff -u "$2" - && exit 0
echo "docs/OPTIONS.md is out of date: build the target options_document" >&2
exit 1
