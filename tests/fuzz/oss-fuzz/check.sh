#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzzers as OSS-Fuzz does, and runs each for a moment with its dictionary and seeds.
# Argument: the top of the tree.
set -euo pipefail
cd "$1"
command -v zip unzip >/dev/null || { echo "zip or unzip is missing: ./run deps test"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/out" "$work/work"
flags="-O1 -fsanitize=address -fsanitize=fuzzer-no-link"
OUT=$work/out WORK=$work/work CC=clang CXX=clang++ CFLAGS=$flags CXXFLAGS=$flags \
    LIB_FUZZING_ENGINE=-fsanitize=fuzzer tests/fuzz/oss-fuzz/build.sh >"$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
count=0
for dictionary in tests/fuzz/dictionaries/*.dict; do
    name=$(basename "$dictionary" .dict)
    unzip -q "$work/out/${name}_seed_corpus.zip" -d "$work/$name"
    "$work/out/$name" -runs=2000 -dict="$work/out/$name.dict" "$work/$name" >"$work/log" 2>&1 ||
        { cat "$work/log"; exit 1; }
    grep -q 'Dictionary: [1-9]' "$work/log" || { echo "$name reads no dictionary"; exit 1; }
    ! ldd "$work/out/$name" | grep -E 'liburing|libcares' || exit 1 # not there where they run
    count=$((count + 1))
done
built=$(find "$work/out" -type f -name '*_fuzz' | wc -l)
[ "$count" -eq "$built" ] || { echo "$built fuzzers, but $count dictionaries"; exit 1; }
echo "$count fuzzers"
