#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the fuzzers as OSS-Fuzz wants it: with its compiler, flags and engine, into $OUT, a
# dictionary and a zip of seeds beside each. The current folder is the top of the tree.
set -euo pipefail
build=${WORK:-/tmp}/weir-fuzz
cmake -S . -B "$build" -G Ninja -DBUILD_TESTING=ON -DWEIR_BENCH=OFF -DWEIR_FUZZ=ON \
    -DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG= -DCMAKE_CXX_FLAGS_DEBUG= \
    -DWEIR_FUZZING_ENGINE="$LIB_FUZZING_ENGINE"
cmake --build "$build" --target fuzzers -j "$(nproc)"
for fuzzer in "$build"/fuzz/*; do
    name=$(basename "$fuzzer")
    cp "$fuzzer" "$OUT/"
    cp "tests/fuzz/dictionaries/$name.dict" "$OUT/"
    zip -q -j -r "$OUT/${name}_seed_corpus.zip" "$(cat "$build/corpus/$name.seeds")"
done
