#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The house rules that can be seen in the text of a file; source.awk has them.
set -euo pipefail
cd "$1"
find . \( -path ./build -o -path ./.git \) -prune -o -type f \( -name '*.[ch]' -o -name '*.cc' \
    -o -name '*.cmake' -o -name CMakeLists.txt -o -name '*.sh' -o -name '*.awk' -o -name run \) \
    -print | sed 's|^\./||' | sort | xargs awk -f tests/tidy/source.awk
