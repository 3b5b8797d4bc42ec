#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A function or a table that rooms share must be needed by another file of weir: else it is static,
# or dead. By the symbols of the objects. Arguments: a file of known exceptions, then object files,
# the command's too.
#
# The exceptions are names, which tests alone need, or an ABI. One that is needed by now must go
# from there: the list only shrinks.
set -euo pipefail
known=$1
shift
nm -A -g "$@" | awk -v known="$known" '
    BEGIN {
        while ((getline line < known) > 0) {
            sub(/#.*/, "", line)
            n = split(line, word, " ")
            for (i = 1; i <= n; i++) excused[word[i]] = 1
        }
    }
    $(NF - 1) ~ /(^|:)U$/ { needed[$NF] = 1 }
    $(NF - 1) ~ /^[TDBR]$/ && $NF !~ /^weir_|^main$/ {
        home = $1; sub(/:.*/, "", home); sub(/.*\.dir\//, "", home); sub(/\.o$/, "", home)
        sub(/^\.\//, "", home)
        file[$NF] = home
    }
    END {
        for (name in file) {
            count++
            if (!(name in needed) && !(name in excused)) {
                print file[name] ": " name " is needed by no other file: static, or dead"
                bad++
            }
            if ((name in needed) && (name in excused)) {
                print file[name] ": " name " is needed: excuse it no more"
                bad++
            }
        }
        for (name in excused) if (!(name in file)) {
            print name " is no symbol any more: excuse it no more"
            bad++
        }
        printf "%d shared symbols\n", count
        exit bad > 0
    }'
